"""Dots of equal chance and maps of scenarios: the same bytes twice, every outcome drawn, the line where it belongs."""

import numpy as np
import pandas as pd
import pytest
from drawn import is_sound, texts

from tokcost import doubt
from tokcost.show import style
from tokcost.show.doubts import plot_quantile_dots, plot_scenarios
from tokcost.show.hours import plot_tornado

DOTS = pd.DataFrame(
    {"system": ["H200"] * 20 + ["GB300"] * 20, "total_token_cost_usd_per_mtok": [*np.geomspace(1, 9, 20), *np.geomspace(0.2, 1, 20)]}
)
GRID = doubt.scenarios(lambda **x: x["rate_usd_per_gpu_h"] * x["utilization_frac"], {}, rate_usd_per_gpu_h=[1.0, 2.0, 4.0],
                       utilization_frac=[0.25, 0.6], result="cost_ratio")  # fmt: skip
INPUTS = {"rate_usd_per_gpu_h": doubt.lognormal(1.0, 4.0), "utilization_frac": doubt.pert(0.3, 0.6, 0.8)}
SWINGS = doubt.tornado(lambda rate_usd_per_gpu_h, utilization_frac: rate_usd_per_gpu_h / utilization_frac, INPUTS)
FIGURES = {
    "dots": lambda: plot_quantile_dots(DOTS, x="total_token_cost_usd_per_mtok", by="system", alt="a", reference={"now": 0.8}, log_x=True),
    "scenarios": lambda: plot_scenarios(GRID, x="rate_usd_per_gpu_h", y="utilization_frac", value="cost_ratio", alt="a", here=(2.0, 0.6)),
    "tornado": lambda: plot_tornado(
        SWINGS, here=SWINGS["at_value"][0], alt="a", x="cost_ratio", ends=("at_low", "at_high")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_alike_each_time_in_house_colours(name):
    assert is_sound(FIGURES[name])


def test_every_outcome_is_a_dot_and_the_median_is_said():
    figure = FIGURES["dots"]()
    assert figure.svg.count("<use ") >= 2 * 20
    assert {"3.0", "0.45", "now"} <= set(texts(figure))


def test_dots_of_one_place_stand_on_each_other():
    same = DOTS.assign(total_token_cost_usd_per_mtok=1.0)
    assert plot_quantile_dots(same, x="total_token_cost_usd_per_mtok", by="system", alt="a").svg.count("<use ") >= 2 * 20


def test_scenarios_below_break_even_have_a_colour_of_their_own_and_a_line_around_them():
    figure = FIGURES["scenarios"]()
    assert figure.svg.count(f"fill:{style.LOSS}") == (GRID["cost_ratio"] < 1).sum()
    assert {"0.25", "2.4"} <= set(texts(figure))
    line = f"stroke:{style.INK};stroke-width:2.2"
    # 0.25 and 0.5 against 1, below; 0.6 against 1.2 and 2.4 above: two walls between columns and one between rows
    assert figure.svg.count(line) == 3 + 1, "and one in the legend"
    high = plot_scenarios(GRID, x="rate_usd_per_gpu_h", y="utilization_frac", value="cost_ratio", alt="a", break_even=9)
    assert high.svg.count(line) == 1
