"""Charts of speed and load: the same bytes twice, honest about what is missing, every colour with a dark counterpart."""

import math
import re

import pandas as pd
import pytest
from drawn import is_sound, texts

from tokcost.show import loads

SPEEDS = pd.DataFrame(
    {
        "tok_per_s_per_user": [20.0, 60, 100] * 3,
        "total_token_cost_usd_per_mtok": [0.3, 1, 3, 0.05, 0.06, math.nan, 0.2, 0.3, 0.9],
        "accelerator": ["h200"] * 3 + ["gb300"] * 3 + ["b200"] * 3,
    }
)
STARTS = pd.DataFrame(
    {"median_ttft_s": [0.1, 1, 0.5], "total_token_cost_usd_per_mtok": [3.0, 1, 2], "accelerator": ["h200", "h200", "b200"]}
)
LEVELS = pd.DataFrame(
    {
        "service_level_frac": [0.9, 0.999] * 2,
        "allocation_token_cost_usd_per_mtok": [1.0, 1.1, 4, 4.2],
        "profile": ["flat", "flat", "bursty", "bursty"],
    }
)
WEEK = pd.DataFrame(
    {
        "plan": "fixed",
        "hour": range(168),
        "offered_request_per_s": [1.0, 3] * 84,
        "delivered_request_per_s": [1.0, 3] * 84,
        "paid_request_per_s": 4.0,
    }
)
PLANS = pd.DataFrame({"plan": ["fixed", "batch"], "usage": [1.0, 1.0], "idle": [2.5, 0.2]})
FIGURES = {
    "panels": lambda: loads.plot_panels(
        SPEEDS, x="tok_per_s_per_user", y="total_token_cost_usd_per_mtok", by="accelerator", alt="a", mark={"m": 50}
    ),
    "steps": lambda: loads.plot_steps(
        STARTS, x="median_ttft_s", y="total_token_cost_usd_per_mtok", by="accelerator", alt="a", mark={"m": 5.0}
    ),
    "categories": lambda: loads.plot_by_category(
        LEVELS, x="service_level_frac", y="allocation_token_cost_usd_per_mtok", by="profile", alt="a", level={"l": 1.0}
    ),
    "week": lambda: loads.plot_week(WEEK, by="plan", alt="a"),
    "stacked": lambda: loads.plot_stacked(PLANS, label="plan", parts={"usage": "worked", "idle": "idle"}, x="USD", alt="a"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_alike_each_time_in_house_colours(name):
    assert is_sound(FIGURES[name])


def test_the_share_that_works_stands_over_the_week():
    assert "fixed: 50% of what is paid works" in texts(FIGURES["week"]())


def test_every_bar_ends_in_the_sum_of_its_parts():
    assert {"3.5", "1.2"} <= set(texts(FIGURES["stacked"]()))


def test_shares_of_a_whole_need_no_sum_and_fill_the_axis():
    shares = pd.DataFrame({"plan": ["a"], "usage": [0.25], "idle": [0.75]})
    drawn = loads.plot_stacked(shares, label="plan", parts={"usage": "worked", "idle": "idle"}, x="share_frac", alt="a")
    assert "1.00" not in texts(drawn) and "1" not in texts(drawn) and {"worked", "idle"} <= set(texts(drawn))


def test_days_go_by_name_only_where_the_first_is_known():
    columns = dict.fromkeys(set(WEEK) - {"hour", "plan"}, 1.0)
    long = pd.DataFrame({"hour": range(168), "plan": "p"}).assign(**columns)
    named, numbered = loads.plot_week(long, by="plan", alt="a", first_weekday="Monday"), loads.plot_week(long, by="plan", alt="a")
    assert {"Mon", "Sun"} <= set(texts(named)) and {"day 1", "day 7"} <= set(texts(numbered))


def test_service_levels_are_named_as_people_say_them():
    assert {"90%", "99.9%"} <= set(texts(FIGURES["categories"]()))


def test_one_panel_per_accelerator_with_its_name():
    assert {"H200", "GB300", "B200"} <= set(texts(FIGURES["panels"]()))


def test_a_mark_beyond_the_last_run_is_still_in_the_picture():
    """A limit looser than any run in the dataset: the steps go on flat up to it."""
    svg = FIGURES["steps"]().svg
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg).group(1))
    at = {name: float(re.search(r'x="([\d.]+)"[^>]*>' + name + "<", svg).group(1)) for name in ("m", "H200")}
    assert at["m"] < at["H200"] < width, "the lines and their names end beyond the mark"
