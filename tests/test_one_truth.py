"""The headlines of the notebooks by a second route (second_route.py), with what is committed: the results and tables stored in them."""

import gzip
import json
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from second_route import (
    BASE,
    CLAIM,
    CLAIM_RATIO,
    GB300,
    H200,
    NOW,
    OPERATOR,
    OURS,
    OWN,
    PAST,
    PLAIN,
    ROOT,
    RUNS,
    SPEED,
    THEN,
    answer,
    between,
    fast_run,
    hour,
    kwh_per_h,
    nine_of_ten,
    outputs,
    ratio,
    read,
    results,
    runs,
    system,
    table,
    throughputs,
    usd_per_mtok,
    without_warning,
)  # fmt: skip

#: one measurement in two captures is the same to this share
SAME = 1e-5
#: notebooks whose defaults are those of data/base_case.csv in all that their results rest on
OF_THE_BASE_CASE = ("00", "02", "04", "05", "06", "08")
#: at which 02 rates arithmetic where it rates all alike
BASE_PRECISION = "fp8"


def carbon_and_water() -> dict[str, float]:
    """Dallas, of 2025, on the plants of Texas: one working hour of a GB300 over the tokens of that hour."""
    it_kw = system("gb300")["critical_kw_per_gpu"] * float(BASE["average_load_frac"])
    kw, mtok_per_h = it_kw * float(BASE["pue"]), fast_run(GB300, SPEED) * 3600 / 1e6
    grid = table("carbon_intensity").query("region == @BASE['region'] and year == 2025")["value"].iloc[0]
    texas = table("water_use").query("boundary == 'power plant' and region == 'US-TX'")["value"].iloc[0]
    return {
        "tok_per_joule": mtok_per_h * 1e6 / 3600 / (kw * 1000),
        "carbon": kw * grid / mtok_per_h,
        "water": (kw * texas + it_kw * float(BASE["water_l_per_kwh"])) / mtok_per_h,
        "at_plant": kw * texas / mtok_per_h,
        "energy_share": kwh_per_h("gb300") * float(BASE["electricity_usd_per_kwh"]) / OPERATOR["availability_frac"] / OWN["gb300"],
    }


def per_mw(vintage: str) -> float:
    kw = table("provisioned_power").query("power_vintage == @vintage").set_index("accelerator")["value"]
    return CLAIM_RATIO * kw["h200"] / kw["gb300"]


def station(rows: pd.DataFrame, speed: float = SPEED) -> tuple[float, float]:
    """08: throughput of the cheapest run at least so fast, and of the slower one on the other side."""
    return fast_run(rows, speed), between(rows, speed)[1]


def gain(old: tuple[float, float], new: tuple[float, float]) -> tuple[float, float, float]:
    """The ratio of two stations, and the least and the most that the runs on either side allow."""
    return new[0] / old[0], new[0] / old[1], new[1] / old[0]


_PLAIN = station(PLAIN)
_PLAIN_MTP = station(runs("h200", precision="fp8", speculative="mtp", deployment="aggregated"))
_FULL = station(runs("gb300", precision="fp4", speculative="mtp", deployment="disaggregated"))
_FULL_PLAIN = station(runs("gb300", precision="fp4", speculative="none", deployment="disaggregated"))
#: the chip with what cannot be told apart from it, without and with speculative decoding; and that on either chip
_TOGETHER = [gain(_PLAIN, _FULL_PLAIN), gain(_PLAIN_MTP, _FULL)]
#: FP8, disaggregated on both: without and with speculative decoding
_ALONE = [
    gain(*(station(runs(chip, precision="fp8", speculative=guess, deployment="disaggregated")) for chip in ("h200", "gb300")))
    for guess in ("none", "mtp")
]


def over_orders(gains: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Two orders, each with the same weight: the geometric mean, the least and the most."""
    values, least, most = zip(*gains, strict=True)
    return float(np.prod(values) ** 0.5), min(least), max(most)


def same_submitter() -> pd.Series:
    """Yearly gain of MLPerf pairs: a submitter's best of a round against its best of the round before, same count of the same chips."""
    rows = table("mlperf_inference").query("division == 'closed' and accelerator not in ('mixed', 'other')")
    same, tokens = ["accelerator", "model", "scenario", "n_gpus", "submitter"], "output_tok_per_s_per_gpu"
    best = rows.groupby([*same, "round", "published_date"])[tokens].max().reset_index().sort_values("published_date", kind="stable")
    before = best.groupby(same)[[tokens, "published_date"]].shift()
    years = (pd.to_datetime(best["published_date"]) - pd.to_datetime(before["published_date"])).dt.days / 365
    return ((best[tokens] / before[tokens]) ** (1 / years))[years >= 0.25]


@cache
def traffic(profile: str) -> tuple[np.ndarray, np.ndarray]:
    """07: requests per second of each hour of a week, on average and in its busiest minutes."""
    rows = table("traffic_hours").query("trace == @profile").sort_values("hour")
    mean = np.resize(rows["relative_rate_ratio"] / rows["relative_rate_ratio"].mean() * REQUESTS, 168)
    return mean, mean * np.resize(rows["within_hour_peak_ratio"], 168)


def in_time(offered: float, n_replicas: int, arrival_cv: float) -> float:
    """Erlang C by the integral 1/B = a times that of exp(-a t) (1 + t)**c over all t, for places that bursts make fewer."""
    z = (arrival_cv**2 + 1) / 2
    c, a = n_replicas * REPLICA["concurrency"] / z, offered * HELD_S / z
    if a >= c:
        return 0.0
    t = np.linspace(0, 80 / (a - c + np.sqrt(c) * 5), 400_001)
    log = c * np.log1p(t) - a * t
    blocked = 1 / (a * np.trapezoid(np.exp(log - log.max()), t)) * np.exp(-log.max())
    return float(1 - blocked / (1 - a / c * (1 - blocked)) * np.exp(-(c - a) * WAIT_S / HELD_S))


@cache
def replicas(profile: str, arrival_cv: float) -> np.ndarray:
    """The fewest replicas for each hour of the week, found by adding one at a time."""
    fewest = {}
    for offered in sorted(set(traffic(profile)[1])):
        n = max([1, *fewest.values()])
        while in_time(offered, n, arrival_cv) < LEVEL:
            n += 1
        fewest[offered] = n
    return np.array([fewest[offered] for offered in traffic(profile)[1]])


def delivered_usd(profile: str, paid: np.ndarray | int) -> float:
    """Dollars of a week over its tokens."""
    mean = traffic(profile)[0]
    gpu_h = np.broadcast_to(paid, mean.shape).sum() * REPLICA["n_gpus"]
    return gpu_h * hour("h200") / (mean.sum() * 3600 * (PROMPT + ANSWER) / 1e6)


def fixed_usd(profile: str) -> float:
    return delivered_usd(profile, replicas(profile, BURSTS).max())


def autoscaled() -> np.ndarray:
    """Never fewer than two, and the next hour's started a quarter of an hour ahead."""
    serving = np.maximum(replicas(BASE["profile"], BURSTS), 2)
    return 0.75 * serving + 0.25 * np.maximum(serving, np.roll(serving, -1))


def batch_fleet() -> int:
    """Replicas that finish all within a day of its arrival: the worst window of hours, and a day, by trying all of them."""
    twice, n = np.tile(traffic(BASE["profile"])[0], 2), 168
    rates = [twice[i : i + length].sum() / (length + 24) for length in range(1, n + 1) for i in range(n)]
    return int(np.ceil(max(*rates, twice.mean()) / EACH_PER_S))


def valley_usd() -> float:
    """The fixed fleet, with as much steady work as the fewest free replicas of any 24 hours in a row can do."""
    needed = replicas(BASE["profile"], BURSTS)
    free = np.tile((needed.max() - needed) * EACH_PER_S, 2)
    steady = min(free[i : i + 24].mean() for i in range(168))
    return fixed_usd(BASE["profile"]) * REQUESTS / (REQUESTS + steady)


REQUESTS, LEVEL, WAIT_S, BURSTS = 40.0, 0.99, 1.0, float(BASE["arrival_cv"])
_FACTS = table("traffic").query("trace == @BASE['profile']").set_index("quantity")["value"]
PROMPT, ANSWER = _FACTS["isl"], _FACTS["osl"]
_STATED = runs("h200", isl=8192).dropna(subset=["n_gpus"]).sort_values("total_tok_per_s_per_gpu", ascending=False)
REPLICA = _STATED[_STATED["tok_per_s_per_user"] >= SPEED].iloc[0]
#: GPU-seconds of a request of 1,024 and of 8,192 prompt tokens at that speed, and what a token of each kind takes of them
_SHORT_S, _LONG_S = (tokens / read(runs("h200", isl=tokens - 1024), SPEED) for tokens in (2048, 9216))
_PROMPT_S = (_LONG_S - _SHORT_S) / 7168
WEIGHT = (_SHORT_S - 1024 * _PROMPT_S) / 1024 / _PROMPT_S
#: requests of this service that a replica completes in a second: as much work as it did on those of its benchmark
EACH_PER_S = REPLICA["total_tok_per_s_per_gpu"] * REPLICA["n_gpus"] / 9216 * (8192 + 1024 * WEIGHT) / (PROMPT + ANSWER * WEIGHT)
HELD_S = REPLICA["concurrency"] / EACH_PER_S
FULL_USD = hour("h200") * REPLICA["n_gpus"] / (EACH_PER_S * 3600 * (PROMPT + ANSWER) / 1e6)

_CLAIM_FP8 = CLAIM.query("accelerator == 'gb300' and isl == 1024 and precision == 'fp8'")
_CLAIM_FP4 = CLAIM.query("accelerator == 'gb300' and isl == 1024 and precision == 'fp4'")
_CLAIM_OLD = CLAIM.query("accelerator == 'h200' and isl == 1024")
_CLAIM_FP8_SOUND = without_warning(_CLAIM_FP8)


def _claim_ratio(new: pd.DataFrame) -> float:
    """By the runs at least as fast, at the claim's prices."""
    return ratio(_CLAIM_OLD, new, 116.7, THEN, fast_run)


def _own_cost() -> float:
    return usd_per_mtok(1.41, 90)


def _base_ratio() -> float:
    return ratio(H200, GB300, SPEED, NOW, fast_run)


def _quick_cost() -> float:
    """06: within two seconds."""
    return usd_per_mtok(hour("gb300"), fast_run(runs("gb300").query("median_ttft_s <= 2"), SPEED))


#: (notebook, result, which of value, low and high, what it must be)
FIGURES = [
    ("00", "gb300_total_token_cost_usd_per_mtok", "value", lambda: usd_per_mtok(hour("gb300"), fast_run(GB300, SPEED))),
    ("00", "cost_ratio", "value", _base_ratio),
    ("01", "total_token_cost_usd_per_mtok", "value", _own_cost),
    ("01", "revenue_usd_per_gpu_h", "value", lambda: 90 * 3600 / 1e6 * 6),
    ("01", "profit_usd_per_gpu_h", "value", lambda: 90 * 3600 / 1e6 * 6 - 1.41),
    ("02", "total_token_cost_usd_per_mtok", "value", lambda: usd_per_mtok(hour("gb300"), fast_run(runs("gb300"), SPEED))),
    ("06", "candidate_total_token_cost_usd_per_mtok", "value", lambda: usd_per_mtok(hour("gb300"), fast_run(runs("gb300"), SPEED))),
    ("06", "cost_ratio", "value", _base_ratio),
    ("06", "limited_total_token_cost_usd_per_mtok", "value", _quick_cost),
    ("03", "cost_ratio", "value", lambda: _claim_ratio(_CLAIM_FP4)),
    ("03", "fp8_on_both_cost_ratio", "value", lambda: _claim_ratio(_CLAIM_FP8)),
    ("03", "per_mw_ratio", "value", lambda: per_mw("2026-03")),
    ("03", "per_mw_ratio", "low", lambda: per_mw("2026-07")),
    ("04", "baseline_rate_usd_per_gpu_h", "value", lambda: OWN["h200"]),
    ("04", "candidate_rate_usd_per_gpu_h", "value", lambda: OWN["gb300"]),
    (
        *("04", "candidate_total_token_cost_usd_per_mtok", "value"),
        lambda: usd_per_mtok(OWN["gb300"], fast_run(runs("gb300"), SPEED) * float(BASE["utilization_frac"])),
    ),
    ("04", "cost_ratio", "value", lambda: ratio(runs("h200"), runs("gb300"), SPEED, OURS, fast_run)),
    ("05", "gb300_total_tok_per_joule", "value", lambda: carbon_and_water()["tok_per_joule"]),
    ("05", "energy_share_frac", "value", lambda: carbon_and_water()["energy_share"]),
    ("05", "per_mw_ratio", "value", lambda: per_mw(BASE["power_vintage"])),
    ("05", "per_mw_ratio", "high", lambda: per_mw("2026-03")),
    ("05", "carbon_g_per_mtok", "value", lambda: carbon_and_water()["carbon"]),
    ("05", "water_l_per_mtok", "value", lambda: carbon_and_water()["water"]),
    ("07", "allocation_token_cost_usd_per_mtok", "value", lambda: fixed_usd(BASE["profile"])),
    ("07", "utilization_frac", "value", lambda: FULL_USD / fixed_usd(BASE["profile"])),
    ("07", "output_weight_ratio", "value", lambda: WEIGHT),
    ("07", "scaled_allocation_token_cost_usd_per_mtok", "low", lambda: delivered_usd(BASE["profile"], autoscaled())),
    ("07", "scaled_allocation_token_cost_usd_per_mtok", "high", lambda: fixed_usd(BASE["profile"])),
    ("07", "filled_allocation_token_cost_usd_per_mtok", "value", valley_usd),
    ("07", "batch_allocation_token_cost_usd_per_mtok", "value", lambda: delivered_usd(BASE["profile"], batch_fleet())),
    (
        *("07", "poisson_fleet_in_time_frac", "value"),
        lambda: in_time(traffic(BASE["profile"])[1].max(), replicas(BASE["profile"], 1.0).max(), BURSTS),
    ),
    ("08", "cost_ratio", "value", lambda: gain(_PLAIN, _FULL)[0] * NOW[0] / NOW[1]),
    ("08", "together_ratio", "value", lambda: over_orders(_TOGETHER)[0]),
    ("08", "together_ratio", "low", lambda: over_orders(_TOGETHER)[1]),
    ("08", "together_ratio", "high", lambda: over_orders(_TOGETHER)[2]),
    ("08", "chip_ratio", "value", lambda: over_orders(_ALONE)[0]),
    ("08", "chip_ratio", "low", lambda: over_orders(_ALONE)[1]),
    ("08", "chip_ratio", "high", lambda: over_orders(_ALONE)[2]),
    ("08", "annualised_ratio", "value", lambda: same_submitter().median()),
    ("08", "annualised_ratio", "low", lambda: same_submitter().quantile(0.25)),
    ("08", "annualised_ratio", "high", lambda: same_submitter().quantile(0.75)),
]


@pytest.mark.parametrize(("number", "name", "end", "expected"), FIGURES, ids=[" ".join(figure[:3]) for figure in FIGURES])
def test_a_headline_is_what_the_tables_give(number, name, end, expected):
    assert results(number)[name][end] == pytest.approx(expected(), rel=SAME)


def _printed(value: float) -> str:
    """Three digits, cents in full."""
    return f"${value:.2f}" if value >= 1 else f"${value:.3g}"


#: (notebook, a figure of its answer)
SAID = [
    ("00", lambda: _printed(usd_per_mtok(hour("gb300"), fast_run(GB300, SPEED))) + " on GB300"),
    ("00", lambda: _printed(usd_per_mtok(hour("h200"), fast_run(H200, SPEED))) + " on H200"),
    ("02", lambda: "B200 " + _printed(usd_per_mtok(hour("b200"), fast_run(runs("b200"), SPEED)))),
    ("02", lambda: "MI325X, " + _printed(usd_per_mtok(hour("mi325x"), fast_run(runs("mi325x"), SPEED)))),
    ("00", lambda: f"{ratio(H200, GB300, 0.75 * SPEED, NOW, fast_run):.2g}× at a quarter less speed"),
    ("00", lambda: f"{ratio(H200, GB300, 1.25 * SPEED, NOW, fast_run):.2g}× at a quarter more"),
    ("00", lambda: f"{1 / ratio(H200, without_warning(runs('gb300', precision='fp8')), SPEED, NOW, fast_run):.2g}× more expensive without"),
    ("03", lambda: f"{1 / _claim_ratio(_CLAIM_FP8_SOUND):.1f}× more expensive without its runs"),
    ("03", lambda: f"{CLAIM_RATIO * THEN[0] / THEN[1]:.2g}× at these prices"),
    ("03", lambda: f"up to {ratio(_CLAIM_OLD, _CLAIM_FP4, PAST, THEN, read):.2g}× on"),
    ("04", lambda: f"On H200 the hour costs {_printed(OWN['h200'])}, {OWN['h200'] / hour('h200') * 100 - 100:.0f}% above the published"),
    ("04", lambda: f"a ratio of {ratio(runs('h200'), runs('gb300'), SPEED, NOW, fast_run):.2g}× at the published prices"),
    ("05", lambda: f"water at the power plant (L) {carbon_and_water()['at_plant']:.3g}"),
    ("05", lambda: f"is {per_mw('2026-03'):.3g}× on the power figures of its time, {per_mw('2026-07'):.3g}× on newer ones"),
    ("07", lambda: f"{replicas(BASE['profile'], BURSTS).max() * REPLICA['n_gpus']:,.0f} H200 GPUs"),
    ("07", lambda: "at full load " + _printed(FULL_USD)),
    ("07", lambda: "All as batch work within 24 h: " + _printed(delivered_usd(BASE["profile"], batch_fleet()))),
]


@pytest.mark.parametrize(("number", "figure"), SAID)
def test_an_answer_says_what_the_tables_give(number, figure):
    assert figure() in answer(number)


def test_no_result_prices_a_system_above_a_measured_run_that_is_at_least_as_fast():
    """The same system, the same price of an hour: somebody ran it cheaper."""
    utilization = float(BASE["utilization_frac"])
    priced = [(results("00")["gb300_total_token_cost_usd_per_mtok"], hour("gb300"))]
    priced += [(results("02")["total_token_cost_usd_per_mtok"], hour("gb300"))]
    priced += [(results("06")["candidate_total_token_cost_usd_per_mtok"], hour("gb300"))]
    priced += [(results("04")["candidate_total_token_cost_usd_per_mtok"], OWN["gb300"] / utilization)]
    for result, usd_per_h in priced:
        assert result["value"] <= usd_per_mtok(usd_per_h, fast_run(runs("gb300"), SPEED)) * (1 + SAME)


#: chips that the price list of the base case has an hour of
PRICED = set(table("hourly_rates").query("rate_vintage == @BASE['rate_vintage'] and price_basis == @BASE['price_basis']")["accelerator"])


def chips(precision: str | None = None, ran_in: str | None = None) -> pd.DataFrame:
    """02: cost with what its runs leave open, and dense FLOPS per dollar, of each accelerator with a run at least as fast."""
    ratings = table("accelerators").set_index(["accelerator", "quantity"])["value"].astype(float)
    found = []
    for name, rows in RUNS.query("isl == 1024").groupby("accelerator"):
        rows = rows[rows["precision"] == ran_in] if ran_in else rows
        fast = rows[rows["tok_per_s_per_user"] >= SPEED]
        if fast.empty or name not in PRICED:
            continue
        run, usd = fast.loc[fast["total_tok_per_s_per_gpu"].idxmax()], hour(str(name))
        cost = usd_per_mtok(usd, run["total_tok_per_s_per_gpu"])
        low, high = nine_of_ten(cost, usd_per_mtok(usd, throughputs(rows, SPEED)))
        peak = ratings.get((name, f"peak_{precision or run['precision']}_dense_tflop_per_s"), np.nan)
        found.append({"cost": cost, "low": low, "high": high, "usd": usd, "flops": peak / usd})
    return pd.DataFrame(found)


def wrong_pairs(found: pd.DataFrame, metric: pd.Series) -> tuple[int, int, float]:
    """Pairs told apart in which the better metric has the more expensive token, pairs told apart, and Kendall's tau over all pairs."""
    wrong = apart = n = order = 0
    for i, one in enumerate(found.itertuples()):
        for j, other in enumerate(found.itertuples()):
            if i < j and not np.isnan(metric[i] + metric[j]):
                is_wrong = (metric[i] - metric[j]) * (one.cost - other.cost) > 0
                is_apart = max(one.low, other.low) > min(one.high, other.high)
                n, order = n + 1, order + (-1 if is_wrong else 1)
                wrong, apart = wrong + (is_apart and is_wrong), apart + is_apart
    return wrong, apart, order / n


def test_02_counts_the_pairs_and_the_order_that_the_tables_give():
    three = [chips(), chips(BASE_PRECISION), chips("fp8", ran_in="fp8")]
    expected = [wrong_pairs(found, found["flops"]) for found in three]
    text = next(data["text/plain"] for data in outputs("02") if "three ways to rate" in str(data.get("text/plain")))
    lines = ["".join(text).splitlines()[2 + way].split()[-5:] for way in range(3)]
    assert [(int(wrong), int(apart)) for wrong, apart, *_ in lines] == [(wrong, apart) for wrong, apart, _ in expected]
    assert [float(tau) for _, _, tau, *_ in lines] == pytest.approx([float(f"{tau:.2g}") for *_, tau in expected])
    half = 1.96 * np.sqrt(0.437 / (len(three[0]) - 4))
    ends = [np.tanh(np.arctanh(expected[0][2]) + side * half) for side in (-1, 1)]
    assert [float(end.replace("−", "-")) for end in lines[0][3:]] == pytest.approx(ends, abs=0.006)
    by_price = wrong_pairs(three[0], -three[0]["usd"])
    assert f"{by_price[0]} of {by_price[1]}" in results("02")["wrong_order_frac"]["note"]
    shares = [wrong / apart for wrong, apart, _ in expected]
    shown = results("02")["wrong_order_frac"]
    assert (shown["value"], shown["low"], shown["high"]) == pytest.approx((shares[0], min(shares), max(shares)))


@pytest.mark.parametrize("accelerator", ["gb300", "gb200", "b200", "mi355x", "h200", "h100", "mi300x", "mi325x"])
def test_09_prices_each_public_system_by_its_cheapest_run_at_least_as_fast(accelerator):
    """At the speed and on the price basis of the example: rented, 100 tokens/s per user; no run so fast, no price."""
    text = next(data["text/plain"] for data in outputs("09") if str(data.get("text/plain")).find("cheapest first") >= 0)
    rows = [re.split(r"\s{2,}", line.strip()) for line in "".join(text).splitlines()[2:]]
    shown = next(cells for cells in rows if cells[0] == f"{accelerator.upper()} public")
    made = fast_run(runs(accelerator), 100.0)
    price = hour(accelerator, "2026-09", "rental_3yr")
    if np.isnan(made):
        assert shown[-2:] == ["not reached", "not reached"]
    else:
        numbers = [float(cell.replace(",", "")) for cell in shown[-3:]]
        assert numbers == pytest.approx([price, made, usd_per_mtok(price, made)], rel=0.005)


def test_09_reads_the_example_as_its_files_give_it():
    """Tokens of all requests over the time that the load was held, over the eight GPUs that the notebook states."""
    with gzip.open(ROOT / "data" / "benchmark_example" / "sweep" / "benchmarks.json.gz", "rt", encoding="utf-8") as lines:
        loads = json.load(lines)["benchmarks"]
    expected = []
    for load in loads:
        done = load["requests"]["successful"]
        tokens = sum(one["prompt_tokens"] + one["output_tokens"] for one in done)
        expected.append(tokens / load["duration"] / 8)
    text = next(
        data["text/plain"] for data in outputs("09") if str(data.get("text/plain")).startswith(("What they delivered", "['What they"))
    )
    shown = [float(line.split()[1].replace(",", "")) for line in "".join(text).splitlines()[2:]]
    assert shown == pytest.approx(expected, rel=0.005)
