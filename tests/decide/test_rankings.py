"""Input metrics beside the output metric: what each ranking would buy, and how often it buys the dearer token."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import evidence
from tokcost import quantities as q
from tokcost.decide.rankings import COST, comparable, cost_range, disagreement, firsts, rankings
from tokcost.quantities import QuantityError

JOB = {"isl": 1024, "osl": 1024, "precision": "fp8", "price_basis": "owning_hyperscaler", "rate_vintage": "2026-03"}


@pytest.fixture(scope="module")
def rows():
    return evidence.measured(campaign="inferencex_dsr1_2026_04")


@pytest.fixture(scope="module")
def table(rows):
    return rankings(rows, **JOB, tok_per_s_per_user=116.7).set_index("accelerator")


def test_costs_are_those_of_the_published_operating_point(table):
    assert table.loc["h200", COST] == pytest.approx(4.20, abs=0.01)
    assert table.loc["gb300", COST] == pytest.approx(0.123, abs=0.001)
    assert table.index.tolist() == ["gb300", "h200"]  # cheapest token first
    assert table["best_precision"].to_dict() == {"gb300": "fp4", "h200": "fp8"}
    assert table["rate_kind"].tolist() == ["modelled", "modelled"]


def test_both_meanings_of_flops_per_dollar_differ_by_the_seconds_of_an_hour(table):
    np.testing.assert_allclose(table["flop_per_usd"], table["peak_tflop_per_s_per_usd_per_h"] * q.FLOP_PER_TFLOP * q.SECONDS_PER_HOUR)
    assert table.loc["h200", "peak_tflop_per_s_per_usd_per_h"] == pytest.approx(1979 / 1.41)  # dense, as the data sheet rates it


def test_a_speed_outside_the_best_curve_is_not_filled_in(rows):
    """H200 ends at 174 and begins at 20 tokens/s per user; GB300 goes on."""
    for speed in (180, 18):
        table = rankings(rows, **JOB, tok_per_s_per_user=speed).set_index("accelerator")
        assert np.isnan(table.loc["h200", COST]) and table.loc["h200", "best_precision"] == ""
        assert not table.loc["h200", "reach_from_tok_per_s_per_user"] <= speed <= table.loc["h200", "reach_to_tok_per_s_per_user"]
        assert table.loc["gb300", COST] > 0


def test_a_precision_that_is_not_rated_leaves_no_figure(rows):
    table = rankings(rows, **{**JOB, "precision": "fp4"}, tok_per_s_per_user=50).set_index("accelerator")
    assert np.isnan(table.loc["h200", "flop_per_usd"]) and table.loc["gb300", "flop_per_usd"] > 0


def test_fewer_than_two_accelerators_make_no_ranking(rows):
    table = rankings(rows, **JOB, tok_per_s_per_user=180)
    with pytest.raises(QuantityError, match="gb300 of 2 .* a ranking needs two"):
        comparable(table)
    assert len(comparable(rankings(rows, **JOB, tok_per_s_per_user=100))) == 2


def test_lengths_without_a_row_are_refused(rows):
    with pytest.raises(QuantityError, match="prompts of 2000 and answers of 1024"):
        rankings(rows, **{**JOB, "isl": 2000}, tok_per_s_per_user=50)


def test_each_metric_buys_its_own_first():
    table = pd.DataFrame(
        {"accelerator": ["a", "b", "c"], "rate_usd_per_gpu_h": [1, 2, 3], "peak_tflop_per_s_per_usd_per_h": [5, 9, 7], COST: [3, 2, 1]}
    )
    assert {metric: row["accelerator"] for metric, row in firsts(table).items()} == {
        "rate_usd_per_gpu_h": "a",
        "peak_tflop_per_s_per_usd_per_h": "b",
        COST: "c",
    }


@given(costs=st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_a_metric_never_disagrees_with_itself_and_always_with_its_reverse(costs):
    table = pd.DataFrame({"metric": costs, "cost": costs})
    pairs = len(costs) * (len(costs) - 1) // 2
    ties = sum(a == b for i, a in enumerate(costs) for b in costs[:i])
    assert disagreement(table, "metric", is_better_high=False, output="cost") == (0, pairs)
    assert disagreement(table, "metric", is_better_high=True, output="cost") == (pairs - ties, pairs)


def test_rows_without_a_figure_are_in_no_pair():
    table = pd.DataFrame({"price": [1, 2, np.nan], "cost": [2, 1, 3]})
    assert disagreement(table, "price", is_better_high=False, output="cost") == (1, 1)


def test_the_range_of_a_cost_is_that_of_the_prices(rows):
    costs = cost_range(rows[rows["isl"] == 1024], accelerator="gb300", tok_per_s_per_user=100)
    prices = evidence.load("hourly_rates").query("accelerator == 'gb300'")["value"]
    assert costs.max() / costs.min() == pytest.approx(prices.max() / prices.min())
    assert costs["owning_hyperscaler", "2026-03"] == pytest.approx(0.092, abs=0.0005)
