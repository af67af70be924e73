"""Service levels: limits, latency fronts, goodput, and which configuration wins where."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.evidence import load_table, measured, rate
from tokcost.quantities import QuantityError
from tokcost.serving.compare import ratio_at
from tokcost.serving.pareto_frontier import frontier
from tokcost.serving.pooling import pool
from tokcost.serving.service_limits import goodput, latency_frontier, winners, within_limits


def rows_of(name, *points, **more):
    """Rows of one configuration from (interactivity, throughput, median TTFT)."""
    columns = ["tok_per_s_per_user", "total_tok_per_s_per_gpu", "median_ttft_s"]
    about = {"model": "m", "accelerator": name, "isl": 1024, "osl": 1024, "precision": "fp8", "speculative": "none", "campaign": "c"}
    return pd.DataFrame([dict(zip(columns, point, strict=True)) for point in points]).assign(**about, **more)


FAST_START = rows_of("h200", (20, 1000.0, 0.8), (50, 600.0, 0.4), (100, 100.0, 0.2))
SLOW_START = rows_of("b200", (20, 4000.0, 6.0), (50, 3000.0, 3.0), (100, 300.0, 0.5))


def test_a_row_that_does_not_say_its_latency_cannot_keep_a_limit():
    rows = pd.concat([FAST_START, rows_of("h200", (30, 900.0, np.nan))])
    assert len(within_limits(rows, median_ttft_s=1)) == 3
    assert len(within_limits(rows, median_ttft_s=0.5)) == 2


def test_limits_that_nothing_keeps_or_nobody_measured_say_so():
    with pytest.raises(QuantityError, match="no measured row keeps median_ttft_s <= 0.01"):
        within_limits(FAST_START, median_ttft_s=0.01)
    with pytest.raises(QuantityError, match="do not say `p99_ttft_s`; they have median_ttft_s"):
        within_limits(FAST_START, p99_ttft_s=1)
    with pytest.raises(QuantityError, match="no latency; did you mean `median_ttft_s`"):
        within_limits(FAST_START, median_tfft_s=1)
    with pytest.raises(QuantityError, match="above 0, got 0"):
        within_limits(FAST_START, median_ttft_s=0)


def test_equal_speed_without_an_equal_start_flatters_the_slow_starter():
    differ = {"of": "throughput"}
    at_speed = ratio_at(frontier(SLOW_START), frontier(FAST_START), tok_per_s_per_user=50.0, **differ)
    assert at_speed == pytest.approx(5)
    in_time = [frontier(within_limits(rows, median_ttft_s=1.0)) for rows in (SLOW_START, FAST_START)]
    kept = ratio_at(*in_time, tok_per_s_per_user=np.array([50.0, 100.0]), **differ)
    assert math.isnan(kept[0]) and kept[1] == pytest.approx(3)


@given(st.floats(0.15, 10), st.floats(0.15, 10))
def test_a_stricter_limit_never_gives_more_throughput(limit, other):
    strict, loose = sorted((limit, other))
    best = {}
    for name, value in (("strict", strict), ("loose", loose)):
        try:
            best[name] = within_limits(SLOW_START, median_ttft_s=value)["total_tok_per_s_per_gpu"].max()
        except QuantityError:
            best[name] = 0.0
    assert best["strict"] <= best["loose"]


def test_the_latency_front_goes_through_its_points_and_ends_where_they_do():
    curve = latency_frontier(pd.concat([SLOW_START, rows_of("b200", (60, 250.0, 2.0), (30, 3500.0, np.nan))]), "median_ttft_s")
    assert (curve.n_points, curve.n_excluded, len(curve.front)) == (4, 1, 3)
    assert curve.at([0.5, 3.0, 6.0]).tolist() == pytest.approx([300, 3000, 4000])
    assert np.isnan(curve.at([0.4, 6.5])).all()
    inside = curve.at(np.linspace(*curve.reach, 50))
    assert (np.diff(inside) >= 0).all()


def test_goodput_counts_requests_that_meet_both_limits_and_failures_against_it():
    requests = pd.DataFrame(
        {
            "concurrency": [1, 1, 8, 8, 8, 8],
            "ttft_s": [0.1, 0.2, 0.5, 0.9, 2.0, np.nan],
            "tpot_s": [0.01, 0.01, 0.03, 0.06, 0.03, np.nan],
            "is_failed": [False, False, False, False, False, True],
        }
    )
    table = goodput(requests, ttft_limit_s=1.0, tpot_limit_s=0.05, by="concurrency", duration_s=10).set_index("concurrency")
    assert table["goodput_frac"].tolist() == [1.0, 0.25]
    assert table["goodput_request_per_s"].tolist() == [0.2, 0.1]
    assert goodput(requests, ttft_limit_s=1.0, tpot_limit_s=0.05)["goodput_frac"].tolist() == [0.5]
    with pytest.raises(QuantityError, match="no column `is_failed`"):
        goodput(requests.drop(columns="is_failed"), ttft_limit_s=1, tpot_limit_s=1)


def test_goodput_takes_truth_values_and_a_run_that_lasted():
    requests = pd.DataFrame({"concurrency": [1, np.nan], "ttft_s": [0.1, 0.1], "tpot_s": [0.01, 0.01], "is_failed": [False, True]})
    limits = {"ttft_limit_s": 1.0, "tpot_limit_s": 0.05}
    with pytest.raises(QuantityError, match="`is_failed` must be true or false"):
        goodput(requests.assign(is_failed=["False", "True"]), **limits)
    for duration_s in (0.0, -5.0, math.nan):
        with pytest.raises(QuantityError, match="`duration_s` must be a number of seconds above 0"):
            goodput(requests, duration_s=duration_s, **limits)
    assert goodput(requests, by="concurrency", **limits)["n_requests"].tolist() == [1, 1]


def test_the_winner_is_compared_with_the_median_of_five_with_points_and_dates():
    """Five configurations do from 1,000 to 3,000 at the speed; of four there is no median."""
    output = SLOW_START["total_tok_per_s_per_gpu"]
    five = [SLOW_START.assign(framework=f"f{n}", total_tok_per_s_per_gpu=output * n / 5) for n in range(1, 6)]
    rows = pd.concat(five, ignore_index=True).assign(run_date="2026-02-02")
    table = winners(rows, tok_per_s_per_user=[50, 200])
    assert table["accelerator"].tolist() == ["b200", ""] and table["first_date"].iloc[0] == "2026-02-02"
    best, median = table.loc[0, ["best_total_tok_per_s_per_gpu", "median_total_tok_per_s_per_gpu"]]
    assert (median / best, table["n_near"].iloc[0]) == (pytest.approx(3 / 5), 5)
    assert table["n_configurations"].tolist() == [5, 0] and math.isnan(table["best_total_tok_per_s_per_gpu"].iloc[1])
    assert math.isnan(winners(rows[rows["framework"] != "f1"], tok_per_s_per_user=50)["median_total_tok_per_s_per_gpu"].iloc[0])


def test_between_accelerators_the_least_cost_wins_when_rates_are_given():
    rows = pd.concat([FAST_START, SLOW_START], ignore_index=True)
    table = winners(rows, tok_per_s_per_user=50, rates={"h200": 1.0, "b200": 6.0})
    assert table["accelerator"].tolist() == ["h200"]
    with pytest.raises(QuantityError, match="no price for b200"):
        winners(rows, tok_per_s_per_user=50, rates={"h200": 1.0})


def test_a_single_run_wins_where_it_is_the_cheapest_that_serves():
    """Between 50 and 100 tok/s/user the b200 falls ten times: at 75 it does what its run at 100 does, and no more."""
    rows = pd.concat([FAST_START, SLOW_START, rows_of("b300", (90, 350.0, 1.0))], ignore_index=True)
    table = winners(rows, tok_per_s_per_user=[35, 75, 100])
    assert table["accelerator"].tolist() == ["b200", "b300", "b200"]
    assert table["n_near"].tolist() == [2, 0, 2] and table["n_configurations"].tolist() == [3, 3, 2]


@pytest.mark.parametrize("isl", [1024, 8192])
def test_the_winner_is_the_cheapest_run_of_the_dataset_that_is_fast_enough(isl):
    hours = load_table("hourly_rates", price_basis="owning_hyperscaler", rate_vintage="2026-09")
    rates = hours.set_index("accelerator")["value"].to_dict()
    rows = pool(model="dsr1", isl=isl, osl=1024).rows
    rows = rows[rows["accelerator"].isin(rates)]
    speeds = [20, 35, 50, 75, 100, 150]
    table = winners(rows, tok_per_s_per_user=speeds, rates=rates)
    run_cost = rows["accelerator"].map(rates) / rows["total_tok_per_s_per_gpu"] / 0.0036
    cheapest = [run_cost[rows["tok_per_s_per_user"] >= speed].min() for speed in speeds]
    assert table["best_total_token_cost_usd_per_mtok"].tolist() == pytest.approx(cheapest)


def test_what_tells_configurations_apart_is_a_column_and_names_the_winner():
    rows = pd.concat(
        [FAST_START.assign(tensor_parallel=4), FAST_START.assign(tensor_parallel=8, total_tok_per_s_per_gpu=[900, 500, 120.0])]
    )
    table = winners(rows, tok_per_s_per_user=[30, 100], by=("accelerator", "tensor_parallel"))
    assert table["tensor_parallel"].tolist() == [4, 8]
    with pytest.raises(QuantityError, match="no column `precison`.*did you mean `precision`"):
        winners(rows, tok_per_s_per_user=50, by=("accelerator", "precison"))
    for by in ("accelerator", ()):
        with pytest.raises(QuantityError, match="`by` names the columns"):
            winners(rows, tok_per_s_per_user=50, by=by)
    with pytest.raises(QuantityError, match=r"`tok_per_s_per_user` must be in \[0.1, 5000\]"):
        winners(rows, tok_per_s_per_user=-5)


def test_a_limit_on_the_start_changes_who_wins_in_the_measured_rows():
    """DeepSeek-R1 8k/1k at 100 tok/s/user: half the requests of the cheapest run start after a second."""
    rows = measured(campaign="inferencex_api_2026_06", model="dsr1", isl=8192, osl=1024)
    rates = {
        name: rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-09") for name in rows["accelerator"].unique()
    }
    by = ("accelerator", "precision", "speculative", "deployment")
    free, limited = (winners(kept, tok_per_s_per_user=100, rates=rates, by=by) for kept in (rows, within_limits(rows, median_ttft_s=1.0)))
    cost = "best_total_token_cost_usd_per_mtok"
    assert limited[cost].iloc[0] > free[cost].iloc[0]
    assert (limited[list(by)] != free[list(by)]).any(axis=None)
