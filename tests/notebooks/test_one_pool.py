"""Notebooks 06 and 07 against the files alone: the expected side is plain pandas over data/*.csv, for drawn parameters."""

import random

import numpy as np
import pandas as pd
import pytest

from tokcost.paths import DATA

SPEED, LOAD = "06-how-fast-for-whom", "07-what-utilisation-does"
RUNS, RATES = pd.read_csv(DATA / "inference.csv"), pd.read_csv(DATA / "hourly_rates.csv")
RUNS = RUNS[(RUNS["model"] == "dsr1") & (RUNS["osl"] == 1024)]
COST = "total_token_cost_usd_per_mtok"
BASES = [("owning_hyperscaler", "2026-09"), ("rental_3yr", "2026-09"), ("owning_hyperscaler", "2026-07"), ("rental_3yr", "2026-03")]


def priced(isl: int, price_basis: str, rate_vintage: str) -> pd.DataFrame:
    """All runs of these lengths with their cost per million tokens at full load."""
    rows = RUNS[RUNS["isl"] == isl]
    hours = RATES[(RATES["price_basis"] == price_basis) & (RATES["rate_vintage"] == rate_vintage)].set_index("accelerator")["value"]
    return rows.assign(cost=rows["accelerator"].map(hours) / rows["total_tok_per_s_per_gpu"] / 3600 * 1e6)


def cheapest(rows: pd.DataFrame, speed: float, **where) -> float:
    """The cheapest run at least as fast; NaN where there is none."""
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows[rows["tok_per_s_per_user"] >= speed]["cost"].min()


def drawn(seed: int) -> dict:
    draw = random.Random(seed)
    price_basis, rate_vintage = draw.choice(BASES)
    return {
        "baseline_accelerator": draw.choice(["h200", "mi355x", "b200"]),
        "candidate_accelerator": draw.choice(["gb200", "gb300"]),
        "isl": draw.choice([1024, 8192]),
        "tok_per_s_per_user": round(draw.uniform(12, 110), 1),
        "ttft_limit_s": round(draw.uniform(1, 20), 1),
        "price_basis": price_basis,
        "rate_vintage": rate_vintage,
    }


def results(shown: list) -> dict:
    data = [one.data for one in shown if getattr(one, "data", None)]
    return {one["name"]: one for one in data if one["kind"] == "result"}


@pytest.mark.parametrize("parameters", [{}, *map(drawn, range(4))], ids=str)
def test_no_table_prices_a_system_above_a_run_that_serves_and_all_tables_agree(ran, parameters):
    """By speed, under a limit, unequal speeds, winners, cheapest and median: one accelerator at one speed has one cost."""
    names, _ = ran(SPEED, **parameters)
    rows = priced(names["isl"], names["price_basis"], names["rate_vintage"])
    at, base = names["at"], names["tok_per_s_per_user"]
    expected = pd.DataFrame({each: [cheapest(rows, speed, accelerator=each) for speed in at] for each in names["curves"]}, index=at)
    same = {"rtol": 1e-5, "equal_nan": True}
    assert np.allclose(names["by_speed"], expected, **same)
    assert np.allclose(names["costs"], expected.loc[base], **same)
    assert np.allclose(names["limits"]["any_run"], expected.loc[base], **same)
    assert np.allclose(names["free"][f"best_{COST}"], expected.min(axis=1), **same)
    assert np.allclose(names["spread"][f"best_{COST}"], expected[names["candidate_accelerator"]], **same)
    winner = expected.idxmin(axis=1, skipna=True)
    assert names["free"]["accelerator"].tolist() == winner.tolist()
    over, under = (
        [cheapest(rows, speed, accelerator=names[f"{side}_accelerator"]) for speed in names["speeds"]] for side in ("baseline", "candidate")
    )
    assert np.allclose(names["unequal"], np.divide.outer(np.array(over), np.array(under)), **same)
    kept = rows[rows["median_ttft_s"] <= names["ttft_limit_s"]]
    assert np.allclose(names["limits"]["limited"], [cheapest(kept, base, accelerator=each) for each in names["curves"]], **same)
    assert np.allclose(names["held"][f"best_{COST}"], [cheapest(kept, speed) for speed in at], **same)


@pytest.mark.parametrize("parameters", [{}, {"tok_per_s_per_user": 50.0}, *map(drawn, range(4, 6))], ids=str)
def test_the_headlines_of_06_are_measured_runs_within_the_runs_on_either_side(ran, parameters):
    names, displayed = ran(SPEED, **parameters)
    shown = results(displayed)
    rows = priced(names["isl"], names["price_basis"], names["rate_vintage"])
    speed = names["tok_per_s_per_user"]
    new, old = (cheapest(rows, speed, accelerator=names[f"{side}_accelerator"]) for side in ("candidate", "baseline"))
    cost, ratio = shown[f"candidate_{COST}"], shown["cost_ratio"]
    assert cost["value"] == pytest.approx(new, rel=1e-5)
    assert (ratio["value"] or np.nan) == pytest.approx(old / new, rel=1e-5, nan_ok=True)
    own = rows[rows["accelerator"] == names["candidate_accelerator"]]
    slower = own[own["tok_per_s_per_user"] <= speed]
    front = slower[
        [cheapest(own, each) >= price * (1 - 1e-6) for each, price in zip(slower["tok_per_s_per_user"], slower["cost"], strict=True)]
    ]
    if len(front):
        assert cost["high"] == pytest.approx(new, rel=1e-5)
        assert cost["low"] == pytest.approx(front["cost"].max(), rel=1e-5)
    started = rows[rows["median_ttft_s"] <= names["ttft_limit_s"]]
    quick = cheapest(started, speed, accelerator=names["candidate_accelerator"])
    assert (shown[f"limited_{COST}"]["value"] or np.nan) == pytest.approx(quick, rel=1e-5, nan_ok=True)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"tok_per_s_per_user": 50.0},
        {"accelerator": "gb300", "tok_per_s_per_user": 100.0, "profile": "flat"},
        {"accelerator": "h100", "tok_per_s_per_user": 30.0},
        {"accelerator": "gb200", "isl": 8192, "price_basis": "rental_3yr", "tok_per_s_per_user": 40.0, "offered_request_per_s": 300.0},
    ],
    ids=str,
)
def test_07_serves_from_the_best_run_at_least_as_fast_and_adds_up(ran, parameters):
    """The best run that states its GPUs and does not contradict itself; then cost is full-load cost over the share that works."""
    names, displayed = ran(LOAD, **parameters)
    shown = results(displayed)
    rows = priced(names["isl"], names["price_basis"], names["rate_vintage"])
    rows = rows[(rows["accelerator"] == names["accelerator"]) & rows["n_gpus"].notna()]
    by_throughput = rows["concurrency"] * (rows["isl"] + rows["osl"]) / (rows["total_tok_per_s_per_gpu"] * rows["n_gpus"])
    by_latency = rows["median_ttft_s"] + (rows["osl"] - 1) * rows["median_tpot_s"]
    sound = rows[~((by_latency / by_throughput - 1).abs() > 0.25)]
    best = sound[sound["tok_per_s_per_user"] >= names["tok_per_s_per_user"]].sort_values("cost").iloc[0]
    point = names["point"]
    assert point.total_tok_per_s_per_gpu == pytest.approx(best["total_tok_per_s_per_gpu"], rel=1e-5)
    assert names["used"] == pytest.approx(best["cost"], rel=1e-5)
    assert names["slow_point"].total_tok_per_s_per_gpu == pytest.approx(sound["total_tok_per_s_per_gpu"].max(), rel=1e-5)

    n_gpus, n_hours = names["fixed"].n_gpus, 7 * 24
    delivered = names["offered_request_per_s"] * n_hours * 3600 * (names["isl"] + 1024)
    works = delivered / (n_gpus * n_hours * 3600 * point.total_tok_per_s_per_gpu)
    hour = best["cost"] * best["total_tok_per_s_per_gpu"] * 3600 / 1e6
    paid = n_gpus * n_hours * hour / (delivered / 1e6)
    assert n_gpus % point.n_gpus == 0
    assert shown["utilization_frac"]["value"] == pytest.approx(works, rel=1e-5)
    assert shown["allocation_token_cost_usd_per_mtok"]["value"] == pytest.approx(paid, rel=1e-5)
    free = names["scaled"].hours["paid_gpu_h"].sum() * hour / (delivered / 1e6)
    scaled = shown["scaled_allocation_token_cost_usd_per_mtok"]
    assert scaled["low"] == pytest.approx(free, rel=1e-5) and scaled["value"] >= shown["allocation_token_cost_usd_per_mtok"]["value"]
    batch = names["slow"]
    at_rest = batch.hours["paid_gpu_h"].sum() * hour / (delivered / 1e6)
    assert shown["batch_allocation_token_cost_usd_per_mtok"]["value"] == pytest.approx(at_rest, rel=1e-5)


def test_what_was_wrong_with_one_campaign():
    """At 50 tokens/s per user the campaign that 06 and 07 once used alone knows less than half of what others measured on H200."""
    fast = RUNS[(RUNS["isl"] == 1024) & (RUNS["accelerator"] == "h200") & (RUNS["tok_per_s_per_user"] >= 50)]
    best = fast.groupby("campaign")["total_tok_per_s_per_gpu"].max()
    assert best.max() > 2 * best["inferencex_api_2026_06"]
