"""Input metrics beside the output metric: what each ranking would buy, and how often it buys the more expensive token."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import evidence
from tokcost import quantities as q
from tokcost.analysis.metric_rankings import COST, HIGH, LOW, discordant_pairs, rank_agreement, rankings
from tokcost.quantities import QuantityError
from tokcost.serving import winners

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
    assert table["run_precision"].to_dict() == {"gb300": "fp4", "h200": "fp8"}
    assert table["rate_kind"].tolist() == ["modelled", "modelled"]


def test_both_meanings_of_flops_per_dollar_differ_by_the_seconds_of_an_hour(table):
    np.testing.assert_allclose(table["flop_per_usd"], table["peak_tflop_per_s_per_usd_per_h"] * q.FLOP_PER_TFLOP * q.SECONDS_PER_HOUR)
    assert table.loc["h200", "peak_tflop_per_s_per_usd_per_h"] == pytest.approx(1979 / 1.41)  # dense, as the data sheet rates it


def test_a_speed_that_no_run_reached_is_not_filled_in_and_a_slow_one_is_served_by_the_slowest_run(rows):
    """H200 ends at 174 and begins at 20 tokens/s per user; GB300 goes on. Between runs nothing can be read below the slowest."""
    fast, slow = (rankings(rows, **JOB, tok_per_s_per_user=speed).set_index("accelerator") for speed in (180, 18))
    assert np.isnan(fast.loc["h200", COST]) and fast.loc["h200", "run_precision"] == "" and fast.loc["gb300", COST] > 0
    assert slow.loc["h200", "run_tok_per_s_per_user"] == slow.loc["h200", "reach_from_tok_per_s_per_user"]
    assert np.isnan(slow.loc["h200", f"read_{COST}"]) and slow.loc["h200", COST] > 0


def test_a_precision_that_is_not_rated_leaves_no_figure(rows):
    table = rankings(rows, **{**JOB, "precision": "fp4"}, tok_per_s_per_user=50).set_index("accelerator")
    assert np.isnan(table.loc["h200", "flop_per_usd"]) and table.loc["gb300", "flop_per_usd"] > 0


def test_an_unrated_accelerator_keeps_its_place_in_price_and_cost_and_is_in_no_pair_of_flops(rows):
    table = rankings(rows, **{**JOB, "precision": "fp4"}, tok_per_s_per_user=50)
    assert table["accelerator"].tolist() == ["gb300", "h200"] and table[["rate_usd_per_gpu_h", COST]].notna().all(axis=None)
    assert discordant_pairs(table, "peak_tflop_per_s_per_usd_per_h", is_better_high=True) == (0, 0)


def test_a_speed_that_none_reaches_ranks_nothing(rows):
    assert rankings(rows, **JOB, tok_per_s_per_user=180)["status"].tolist() == ["cheapest", "not reached"]
    assert rankings(rows, **JOB, tok_per_s_per_user=400)["status"].tolist() == ["not reached"] * 2


# -- how well a cost between two runs is known -----------------------------------------------------------------------


def priced(rows, **terms):
    """The runs of chips that a price list has an hour of."""
    return rows[rows["accelerator"].isin(evidence.load_table("hourly_rates", **terms)["accelerator"])]


@pytest.fixture(scope="module")
def at_50():
    rows = priced(evidence.measured(model="dsr1", isl=1024, osl=1024), price_basis=JOB["price_basis"], rate_vintage="2026-07")
    return rankings(rows, **{**JOB, "rate_vintage": "2026-07"}, tok_per_s_per_user=50)


def test_every_cost_says_between_which_measured_speeds_it_lies(at_50):
    ends = at_50.set_index("accelerator")[["slower_tok_per_s_per_user", "faster_tok_per_s_per_user"]].round(1)
    assert ends.loc["b200"].tolist() == [21.3, 74.0] and ends.loc["gb300"].tolist() == [20.1, 70.4]


def test_costs_that_the_runs_cannot_tell_apart_are_tied(at_50):
    """A B200 at 21 tokens/s per user is cheaper than a GB300 at 70: at 50, between them, either may be."""
    assert at_50.set_index("accelerator")["status"]["b200"] == "tied"
    assert (at_50.loc[at_50["status"] == "more expensive", LOW] > at_50.loc[0, HIGH]).all()
    assert (at_50[LOW] <= at_50[COST]).all() and (at_50[COST] <= at_50[HIGH]).all()


def test_the_cheapest_is_the_winner_of_all_runs():
    """What ranks first is what wins the race of configurations: both are the cheapest run at least as fast."""
    terms = {"price_basis": "rental_3yr", "rate_vintage": "2026-03"}
    rows = priced(evidence.measured(model="dsr1", isl=1024, osl=1024), **terms)
    rates = {name: evidence.rate(accelerator=name, **terms) for name in rows["accelerator"].unique()}
    for speed in (25.0, 50.0, 73.0, 90.0, 150.0):
        first = rankings(rows, **JOB | terms, tok_per_s_per_user=speed).iloc[0]
        won = winners(rows, tok_per_s_per_user=speed, rates=rates).iloc[0]
        assert (first["accelerator"], first[COST]) == (won["accelerator"], pytest.approx(won[f"best_{COST}"]))


def test_a_speed_that_was_measured_is_read_as_measured(rows):
    one = rows.query("accelerator == 'gb300' and precision == 'fp4' and concurrency == 1229 and isl == 1024").iloc[0]
    speed = one["tok_per_s_per_user"]
    gb300 = rankings(rows, **JOB, tok_per_s_per_user=speed).set_index("accelerator").loc["gb300"]
    assert gb300["slower_tok_per_s_per_user"] == gb300["faster_tok_per_s_per_user"] == speed
    assert gb300[f"read_{COST}"] == pytest.approx(gb300[COST])


def test_a_speed_that_was_not_reached_lies_between_nothing_and_is_like_nothing(rows):
    h200 = rankings(rows, **JOB, tok_per_s_per_user=180).set_index("accelerator").loc["h200"]
    assert h200[["slower_tok_per_s_per_user", "faster_tok_per_s_per_user", LOW, HIGH]].isna().all() and h200["status"] == "not reached"


def test_pairs_whose_ranges_meet_are_no_evidence_for_or_against_a_metric():
    table = pd.DataFrame({"price": [1, 2, 3], COST: [1.2, 1.0, 0.1], LOW: [0.9, 1.0, 0.1], HIGH: [1.4, 1.0, 0.1]})
    assert discordant_pairs(table, "price", is_better_high=False) == (3, 3)
    assert discordant_pairs(table, "price", is_better_high=False, within=(LOW, HIGH)) == (2, 2)


@given(st.permutations(range(7)))
def test_the_interval_of_tau_holds_tau_and_lies_within_what_tau_can_be(order):
    table = pd.DataFrame({"metric": range(7), COST: order})
    tau, low, high = rank_agreement(table, "metric", is_better_high=True)
    assert -1 <= low <= tau <= high <= 1 and rank_agreement(table, "metric", is_better_high=False) == pytest.approx((-tau, -high, -low))


def test_four_rows_give_a_tau_without_an_interval():
    tau, low, high = rank_agreement(pd.DataFrame({"metric": range(4), COST: [3, 2, 1, 0]}), "metric", is_better_high=True)
    assert tau == 1 and np.isnan(low) and np.isnan(high)


def test_lengths_without_a_row_are_refused(rows):
    with pytest.raises(QuantityError, match="prompts of 2000 and answers of 1024"):
        rankings(rows, **{**JOB, "isl": 2000}, tok_per_s_per_user=50)


@given(costs=st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_a_metric_never_disagrees_with_itself_and_always_with_its_reverse(costs):
    table = pd.DataFrame({"metric": costs, "cost": costs})
    pairs = len(costs) * (len(costs) - 1) // 2
    ties = sum(a == b for i, a in enumerate(costs) for b in costs[:i])
    assert discordant_pairs(table, "metric", is_better_high=False, output="cost") == (0, pairs)
    assert discordant_pairs(table, "metric", is_better_high=True, output="cost") == (pairs - ties, pairs)


def test_rows_without_a_figure_are_in_no_pair():
    table = pd.DataFrame({"price": [1, 2, np.nan], "cost": [2, 1, 3]})
    assert discordant_pairs(table, "price", is_better_high=False, output="cost") == (1, 1)


def test_a_run_is_rated_at_the_precision_that_it_used(table):
    """GB300 ran FP4 at the published point, H200 FP8: 15,000 and 1,979 TFLOP/s dense on the data sheets."""
    per_dollar = table["run_peak_tflop_per_s_per_usd_per_h"]
    assert table["run_precision"].to_dict() == {"gb300": "fp4", "h200": "fp8"}
    assert per_dollar["gb300"] == pytest.approx(15000 / 2.652) and per_dollar["h200"] == pytest.approx(1979 / 1.41)


def test_the_cheapest_run_at_least_as_fast_never_costs_less_than_the_reading_at_the_speed(rows):
    table = rankings(rows, **JOB, tok_per_s_per_user=70.0)
    assert (table[COST] >= table[f"read_{COST}"] * (1 - 1e-12)).all() and (table["run_tok_per_s_per_user"] >= 70).all()
