"""Heat maps and strips: the same bytes twice, in house colours, every value drawn and what is missing said."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from drawn import is_sound, texts

from tokcost.show import style
from tokcost.show.distributions import plot_heatmap, plot_monthly_strip, plot_strip

RATIOS = pd.DataFrame([[2.0, 0.5], [math.nan, 7.0]], index=[20.0, 50.0], columns=[20.0, 50.0])
PAIRS = pd.DataFrame({"kind": ["a"] * 5 + ["b"], "annualised_ratio": [0.5, 1.0, 1.2, 1.5, 9.0, 2.0]})
FIGURES = {
    "heatmap": lambda: plot_heatmap(RATIOS, row_name="r", column_name="c", alt="a"),
    "strip": lambda: plot_strip(PAIRS, x="annualised_ratio", by="kind", alt="a", reference={"no gain": 1}, log_x=True),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_alike_each_time_in_house_colours(name):
    assert is_sound(FIGURES[name])


def test_a_ratio_that_was_not_measured_is_a_dash_and_equal_values_are_framed():
    figure = FIGURES["heatmap"]()
    assert texts(figure).count("–") == 1
    assert {"2×", "0.5×", "7×"} <= set(texts(figure))
    assert figure.svg.count(f"stroke:{style.ORANGE};stroke-width:2") == 2


def test_a_ratio_below_one_has_a_colour_of_its_own():
    assert style.LOSS in FIGURES["heatmap"]().svg
    assert style.LOSS not in plot_heatmap(RATIOS.clip(lower=1), row_name="r", column_name="c", alt="a").svg


def test_a_heat_map_of_nothing_measured_is_all_dashes():
    empty = plot_heatmap(RATIOS * math.nan, row_name="r", column_name="c", alt="a")
    assert texts(empty).count("–") == 4


def test_a_strip_has_a_dot_for_every_value_and_leaves_the_random_numbers_of_the_reader_alone():
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    svg = FIGURES["strip"]().svg
    assert np.random.random() == expected
    mark = re.search(r"<use xlink:href=\"(#\w+)\"[^>]*>", svg[svg.index(f"fill:{style.BLUE}") :])[1]
    assert svg.count(f'href="{mark}"') == len(PAIRS)


def test_a_strip_has_a_median_for_five_values_or_more():
    svg = FIGURES["strip"]().svg
    assert svg.count(f"stroke:{style.INK};stroke-width:1.6") == 1, "of the five and not of the one"


PRICES = pd.DataFrame(
    {
        "month": ["2026-02", "2026-01", "2026-02", "2026-03"],
        "accelerator": ["h200", "h200", "h200", "gb300"],
        "rate_usd_per_gpu_h": [3.0, 2.5, 4.0, 9.0],
    }
)


def strip():
    return plot_monthly_strip(PRICES, x="month", y="rate_usd_per_gpu_h", by="accelerator", alt="Prices differ.")


def test_it_is_the_same_every_time():
    assert strip().svg == strip().svg


def test_categories_stand_in_order_whatever_the_order_of_rows():
    months = [word for word in texts(strip()) if word.startswith("2026")]
    assert months == sorted(months) and len(set(months)) == 3
    assert {"H200", "GB300"} <= set(texts(strip()))


def test_a_price_scale_starts_at_zero():
    assert any(word.strip("0.") == "" for word in texts(strip()))
