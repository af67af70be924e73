"""Tables of speed: equal speeds compare, a limit never makes a run cheaper, what nobody measured is not there."""

import math

import numpy as np
import pandas as pd
import pytest

from tokcost.analysis import speeds
from tokcost.evidence import measured, rate
from tokcost.quantities import QuantityError
from tokcost.serving.compare import ratio_at
from tokcost.serving.service_limits import winners


@pytest.fixture(scope="module")
def rows():
    return measured(campaign="inferencex_api_2026_06", isl=1024, osl=1024)


@pytest.fixture(scope="module")
def rates(rows):
    return {name: rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-07") for name in rows["accelerator"].unique()}


@pytest.fixture(scope="module")
def curves(rows):
    return speeds.frontiers(rows)


def test_the_diagonal_of_unequal_speeds_is_the_ratio_at_equal_speed(curves, rates):
    at = [35.0, 50.0, 100.0, 200.0]
    table = speeds.at_unequal_speeds(
        curves["b200"], curves["h200"], candidate_rate=rates["b200"], baseline_rate=rates["h200"], tok_per_s_per_user=at
    )
    fair = ratio_at(
        curves["b200"], curves["h200"], tok_per_s_per_user=np.array(at), of="cost", candidate_fact=rates["b200"],
        baseline_fact=rates["h200"], differing=("precision", "speculative"),
    )  # fmt: skip
    assert table[table["is_equal"]]["cost_ratio"].to_numpy() == pytest.approx(fair, nan_ok=True)
    assert math.isnan(fair[-1]), "H200 was not measured at 200"
    assert table["cost_ratio"].min() < 1 < table[table["is_equal"]]["cost_ratio"].min(), "unequal speeds turn the sign around"


def test_cost_by_speed_is_the_rate_over_the_throughput(curves, rates):
    table = speeds.cost_by_speed(curves, rates, tok_per_s_per_user=[50.0])
    expected = [rates[name].value / table["total_tok_per_s_per_gpu"][i] / 3600 * 1e6 for i, name in enumerate(curves)]
    assert table["total_token_cost_usd_per_mtok"].tolist() == pytest.approx(expected)
    wide = speeds.costs_by_speed(curves, rates, tok_per_s_per_user=[20.0, 50.0])
    assert wide["50"].tolist() == pytest.approx(expected)
    assert math.isnan(wide.set_index("accelerator")["20"]["h200"])


def test_what_was_measured_counts_all_rows(rows, curves):
    assert speeds.frontier_coverage(curves)["n_points"].sum() == len(rows)


@pytest.mark.parametrize("speed", [20, 50, 100])
def test_a_limit_on_the_start_never_makes_a_run_cheaper_and_loosening_it_never_dearer(rows, rates, curves, speed):
    starts = speeds.cost_by_ttft_limit(rows, rates, tok_per_s_per_user=speed)
    before = None
    for limit in (0.1, 0.3, 1.0, 3.0, 1000.0):
        table = speeds.ttft_limit_penalty(starts, ttft_limit_s=limit, accelerators=list(curves)).set_index("accelerator")
        assert (table["dearer_ratio"].dropna() >= 1).all()
        cost = table["limited_total_token_cost_usd_per_mtok"].fillna(np.inf)
        assert before is None or (cost <= before).all()
        before = cost
    assert (table["dearer_ratio"].dropna() == 1).all(), "a limit that all keep costs nothing"


def test_the_cheapest_run_by_another_route(rows, rates):
    starts = speeds.cost_by_ttft_limit(rows, rates, tok_per_s_per_user=50)
    table = speeds.ttft_limit_penalty(starts, ttft_limit_s=2, accelerators=["b200"]).iloc[0]
    fit = rows[(rows["accelerator"] == "b200") & (rows["tok_per_s_per_user"] >= 50) & (rows["median_ttft_s"] <= 2)]
    assert table["limited_total_token_cost_usd_per_mtok"] == pytest.approx(
        rates["b200"].value / fit["total_tok_per_s_per_gpu"].max() / 3600 * 1e6
    )


def test_a_speed_that_no_run_reaches_is_an_error(rows, rates):
    with pytest.raises(QuantityError, match="no measured run reaches 4000 tok/s/user; the fastest has 309"):
        speeds.cost_by_ttft_limit(rows, rates, tok_per_s_per_user=4000)


def test_winners_are_described_with_their_evidence_and_nobody_is_not_reached(rows, rates):
    table = speeds.winners_described(winners(rows, tok_per_s_per_user=[50, 2000], rates=rates))
    assert table["winner"].tolist() == ["B200 FP4, MTP, disaggregated", "not reached"]
    assert table["n_on_front"].tolist() == [3, 0]
    assert table["last_date"][0] == "2026-01"


def test_best_and_median_are_costs_of_the_same_hour(curves, rates):
    table = speeds.best_and_median(curves["b200"], rates["b200"], tok_per_s_per_user=[50.0])
    ratio = table["front_total_token_cost_usd_per_mtok"] / table["median_total_token_cost_usd_per_mtok"]
    assert ratio.tolist() == pytest.approx(table["median_to_front_ratio"].tolist())


def test_a_frontier_per_accelerator_keeps_their_names():
    rows = pd.DataFrame(
        {"model": "m", "accelerator": ["b", "a"], "isl": 1, "osl": 1, "tok_per_s_per_user": 20.0, "total_tok_per_s_per_gpu": 900.0}
    )
    assert {name: curve.accelerator for name, curve in speeds.frontiers(rows).items()} == {"a": "a", "b": "b"}


def test_runs_left_out_are_told_where_they_deliver_far_more():
    """The fastest GB300 runs of April 2026 state no time to first token, so a page about starts cannot use them: 604 and not 8,048."""
    used = speeds.frontiers(measured(campaign="inferencex_api_2026_06", isl=1024, osl=1024))
    everything = measured(model="dsr1", isl=1024, osl=1024)
    at_100 = {name: used[name].at(tok_per_s_per_user=100.0) for name in ("gb300", "b200", "h100")}
    told = speeds.excluded_runs(at_100, everything, tok_per_s_per_user=100.0)
    assert told["accelerator"].tolist() == ["gb300"], "B200 gains nothing, H100 was never measured at 100"
    assert told[["used", "on_file"]].iloc[0].tolist() == pytest.approx([604, 8048], rel=1e-3)


def test_a_speed_that_only_the_runs_left_out_reach_is_told():
    everything = measured(model="dsr1", isl=1024, osl=1024)
    told = speeds.excluded_runs({"h200": math.nan}, everything, tok_per_s_per_user=150.0, between_runs=False)
    runs = everything[(everything["accelerator"] == "h200") & (everything["tok_per_s_per_user"] >= 150)]
    assert math.isnan(told["used"].iloc[0])
    assert told["on_file"].tolist() == [runs["total_tok_per_s_per_gpu"].max()]
    assert speeds.excluded_runs({"h200": told["on_file"].iloc[0]}, everything, tok_per_s_per_user=150.0, between_runs=False).empty
