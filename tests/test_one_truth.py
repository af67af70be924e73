"""The headlines of the notebooks by a second route: pandas and numpy on data/*.csv, and nothing of the package on that side.

What is compared is what is committed: the results and the tables stored in the notebooks.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
#: one measurement in two captures is the same to this share
SAME = 1e-5
MIME = "application/vnd.tokcost.v1+json"
#: notebooks whose defaults are those of data/base_case.csv in all that their results rest on
OF_THE_BASE_CASE = ("00", "02", "04", "05", "06", "08")


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / f"{name}.csv", dtype={"rate_vintage": str, "date": str})


def outputs(number: str) -> list[dict]:
    (path,) = (ROOT / "notebooks").glob(f"{number}-*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]


def results(number: str) -> dict[str, dict]:
    return {data[MIME]["name"]: data[MIME] for data in outputs(number) if data.get(MIME, {}).get("kind") == "result"}


def answer(number: str) -> str:
    said = next(data[MIME] for data in outputs(number) if data.get(MIME, {}).get("kind") == "answer")
    return f"{said['text']} {said['interval']}".replace("\\", "")


BASE = table("base_case").set_index("name")["value"]
SPEED = float(BASE["tok_per_s_per_user"])
#: at which 02 rates arithmetic where it rates all alike
BASE_PRECISION = "fp8"
RUNS = table("inference").query("model == 'dsr1' and osl == 1024")


def hour(accelerator: str, vintage: str = BASE["rate_vintage"], basis: str = BASE["price_basis"]) -> float:
    rows = table("hourly_rates").query("accelerator == @accelerator and rate_vintage == @vintage and price_basis == @basis")
    return float(rows["value"].iloc[0])


def runs(accelerator: str, isl: int = 1024, **where: str) -> pd.DataFrame:
    rows = RUNS[(RUNS["accelerator"] == accelerator) & (RUNS["isl"] == isl)]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows


def without_warning(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows["note"].fillna("").str.contains("accuracy warning")]


def fast_run(rows: pd.DataFrame, speed: float) -> float:
    """Throughput of the cheapest run at least so fast."""
    return float(rows.loc[rows["tok_per_s_per_user"] >= speed, "total_tok_per_s_per_gpu"].max())


def usd_per_mtok(usd_per_h: float, tok_per_s: float) -> float:
    return usd_per_h / (tok_per_s * 3600) * 1e6


def front(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Speeds and throughputs of the runs that no other run beats, by rising speed."""
    best = rows.sort_values(["tok_per_s_per_user", "total_tok_per_s_per_gpu"], ascending=False)
    best = best[best["total_tok_per_s_per_gpu"] > best["total_tok_per_s_per_gpu"].cummax().shift(fill_value=0.0)]
    best = best.drop_duplicates("tok_per_s_per_user")[::-1]
    return best["tok_per_s_per_user"].to_numpy(), best["total_tok_per_s_per_gpu"].to_numpy()


def read(rows: pd.DataFrame, speed: float) -> float:
    """Steffen's monotone cubic through the front (Astronomy & Astrophysics 239, 443); the next run where it falls fivefold.

    At an end the slope is that of the parabola which meets the neighbour's.
    """
    x, y = front(rows)
    i = int(np.searchsorted(x, speed, side="right")) - 1
    if x[i] == speed:
        return float(y[i])
    if y[i] / y[i + 1] > 5:
        return float(y[i + 1])
    secant = np.diff(y) / np.diff(x)

    def slope(k: int) -> float:
        if k in (0, len(x) - 1):
            return float((3 * secant[min(k, len(secant) - 1)] - slope(1 if k == 0 else k - 1)) / 2)
        before, after = secant[k - 1], secant[k]
        h, g = x[k] - x[k - 1], x[k + 1] - x[k]
        return float((np.sign(before) + np.sign(after)) * min(abs(before), abs(after), abs(before * g + after * h) / (h + g) / 2))

    width, t = x[i + 1] - x[i], (speed - x[i]) / (x[i + 1] - x[i])
    value = (1 + 2 * t) * (1 - t) ** 2 * y[i] + t * (1 - t) ** 2 * width * slope(i)
    return float(value + t**2 * (3 - 2 * t) * y[i + 1] + t**2 * (t - 1) * width * slope(i + 1))


def between(rows: pd.DataFrame, speed: float) -> tuple[float, float]:
    """Throughput of the runs of the front on either side: the faster, which is the least, and the slower, which is the most."""
    x, y = front(rows)
    return float(y[np.searchsorted(x, speed, side="left")]), float(y[np.searchsorted(x, speed, side="right") - 1])


def slower_to_run(rows: pd.DataFrame, speed: float) -> float:
    """How many times the next slower run of the front makes what the run at least so fast makes; a run within 1 % of a speed is at it."""
    x, y = front(rows)
    fast_enough = int(np.searchsorted(x, speed))
    slower = int(np.searchsorted(x, speed * 1.01, side="right")) - 1
    return float(y[max(0, min(slower, fast_enough))] / y[fast_enough])


def in_all(value: float, *doubts: list[float]) -> tuple[float, float]:
    """Independent doubts, each given by what the figure would be: on a logarithmic scale their squares add, up and down."""
    logs = [np.log(np.array([value, *figures]) / value) for figures in doubts]
    down, up = (np.sqrt(sum(end(one) ** 2 for one in logs)) for end in (np.min, np.max))
    return value * np.exp(-down), value * np.exp(up)


#: nine of ten repeats lie within this many times of each other
REPEATS = 1.05


def cost_range(rows: pd.DataFrame, accelerator: str, speed: float) -> tuple[float, float]:
    """Of a cost in the base case: next slower run, a repeat, the price lists of the same basis."""
    cost = usd_per_mtok(hour(accelerator), fast_run(rows, speed))
    basis = table("hourly_rates").query("accelerator == @accelerator and price_basis == @BASE['price_basis']")["value"]
    return in_all(cost, [cost / slower_to_run(rows, speed)], [cost / REPEATS, cost * REPEATS], list(cost * basis / hour(accelerator)))


def ratio_range(old: pd.DataFrame, new: pd.DataFrame, speed: float, value: float, *others: list[float]) -> tuple[float, float]:
    """Of a ratio of the costs of two runs: their next slower runs, repeats of both, and what else it may be."""
    again = REPEATS ** np.sqrt(2)
    between = [value / slower_to_run(old, speed), value * slower_to_run(new, speed)]
    return in_all(value, between, [value / again, value * again], *others)


def other_lists(value: float, hours: tuple[float, float], lists: pd.Series) -> list[float]:
    """A cost ratio at other prices of an hour."""
    return list(value * (hours[1] / hours[0]) / lists)


H200, GB300 = runs("h200", precision="fp8"), runs("gb300", precision="fp4")
#: the two runs behind the published table, and the speed at which they ran
CLAIM = RUNS[RUNS["campaign"] == "inferencex_dsr1_2026_04"]
CLAIM_H200 = CLAIM.query("accelerator == 'h200' and isl == 1024 and tok_per_s_per_user > 116.71 and tok_per_s_per_user < 116.73")
CLAIM_GB300 = CLAIM.query("accelerator == 'gb300' and isl == 1024 and precision == 'fp4' and 116.8 < tok_per_s_per_user < 116.9")
CLAIM_RATIO = float(CLAIM_GB300["total_tok_per_s_per_gpu"].iloc[0] / CLAIM_H200["total_tok_per_s_per_gpu"].iloc[0])
EDGE = float(CLAIM_H200["tok_per_s_per_user"].iloc[0])
OWN = {name: results("04")[f"{role}_rate_usd_per_gpu_h"]["value"] for role, name in (("baseline", "h200"), ("candidate", "gb300"))}
H200_PRICES = table("hourly_rates").query("accelerator == 'h200'")["value"]


def ratio(old: pd.DataFrame, new: pd.DataFrame, speed: float, hours: tuple[float, float], how) -> float:
    return usd_per_mtok(hours[0], how(old, speed)) / usd_per_mtok(hours[1], how(new, speed))


NOW, THEN = (hour("h200"), hour("gb300")), (hour("h200", "2026-03"), hour("gb300", "2026-03"))
_OURS = (OWN["h200"], OWN["gb300"])
PLAIN = runs("h200", precision="fp8", speculative="none", deployment="aggregated")
PAST = float(min(speed for speed in front(H200)[0] if speed > EDGE))
LADDER = [
    (H200, GB300, SPEED, NOW),
    (runs("h200", 8192, precision="fp8"), runs("gb300", 8192, precision="fp4"), SPEED, NOW),
    (H200, runs("gb300", precision="fp8"), SPEED, NOW),
    (H200, without_warning(runs("gb300", precision="fp8")), SPEED, NOW),
    (PLAIN, GB300, SPEED, NOW),
    (H200, GB300, SPEED, _OURS),
    (H200, GB300, 50.0, NOW),
    (H200, GB300, 50.0, _OURS),
    (H200, GB300, EDGE, NOW),
    (H200, GB300, EDGE, THEN),
    (H200, GB300, PAST, THEN),
]


@pytest.mark.parametrize("step", range(len(LADDER)))
def test_a_step_of_the_ladder_is_what_the_runs_give(step):
    """Four figures each, as printed: two digits."""
    text = next(data["text/plain"] for data in outputs("00") if "one change at a time" in str(data.get("text/plain")))
    cells = "".join(text).splitlines()[2 + step].split()[-4:]
    old, new, speed, hours = LADDER[step]
    of_runs = ratio(old, new, speed, hours, fast_run)
    lists = [] if hours is _OURS else other_lists(of_runs, hours, price_lists().xs(BASE["price_basis"]))
    expected = [of_runs, *ratio_range(old, new, speed, of_runs, lists), ratio(old, new, speed, hours, read)]
    assert [float(cell) for cell in cells] == pytest.approx([float(f"{value:.2g}") for value in expected])


def carbon_and_water() -> dict[str, float]:
    """Dallas, of 2025, on the plants of Texas: one hour of a GB300 at its average power over the tokens of that hour."""
    system = table("systems").query("accelerator == 'gb300'").set_index("quantity")["value"].astype(float)
    it_kw = system["critical_kw_per_gpu"] * float(BASE["average_load_frac"])
    kw, mtok_per_h = it_kw * float(BASE["pue"]), fast_run(GB300, SPEED) * 3600 / 1e6
    grid = table("carbon_intensity").query("region == @BASE['region'] and year == 2025")["value"].iloc[0]
    texas = table("water_use").query("boundary == 'power plant' and region == 'US-TX'")["value"].iloc[0]
    return {
        "tok_per_joule": mtok_per_h * 1e6 / 3600 / (kw * 1000),
        "carbon": kw * grid / mtok_per_h,
        "water": (kw * texas + it_kw * float(BASE["water_l_per_kwh"])) / mtok_per_h,
        "at_plant": kw * texas / mtok_per_h,
        "energy_share": kw * float(BASE["electricity_usd_per_kwh"]) / _availability() / OWN["gb300"],
    }


def _availability() -> float:
    return float(table("operators").query("operator == 'hyperscaler' and quantity == 'availability_frac'")["value"].iloc[0])


def per_mw(vintage: str) -> float:
    kw = table("provisioned_power").query("power_vintage == @vintage").set_index("accelerator")["value"]
    return CLAIM_RATIO * kw["h200"] / kw["gb300"]


def price_lists() -> pd.Series:
    """GB300 hour over H200 hour in every list that has both."""
    wide = table("hourly_rates").pivot_table(index=["price_basis", "rate_vintage"], columns="accelerator", values="value")
    return (wide["gb300"] / wide["h200"]).dropna()


def _plain_ratio() -> float:
    """08: one campaign, the old system with nothing switched on against the new with everything."""
    old = CLAIM.query(
        "accelerator == 'h200' and isl == 1024 and speculative == 'none' and deployment == 'aggregated' and precision == 'fp8'"
    )
    new = CLAIM.query(
        "accelerator == 'gb300' and isl == 1024 and speculative == 'mtp' and deployment == 'disaggregated' and precision == 'fp4'"
    )
    return read(new, SPEED) / read(old, SPEED)


_CLAIM_FP8 = CLAIM.query("accelerator == 'gb300' and isl == 1024 and precision == 'fp8'")
_CLAIM_FP4 = CLAIM.query("accelerator == 'gb300' and isl == 1024 and precision == 'fp4'")
_CLAIM_OLD = CLAIM.query("accelerator == 'h200' and isl == 1024")
_CLAIM_FP8_SOUND = without_warning(_CLAIM_FP8)


def _claim_ratio(new: pd.DataFrame) -> float:
    """By the runs at least as fast, at the claim's prices."""
    return ratio(_CLAIM_OLD, new, 116.7, THEN, fast_run)


def _claim_range(new: pd.DataFrame, *others: list[float]) -> tuple[float, float]:
    value = _claim_ratio(new)
    return ratio_range(_CLAIM_OLD, new, 116.7, value, other_lists(value, THEN, price_lists()), *others)


def _own_cost() -> float:
    return usd_per_mtok(1.41, 90)


def _own_range() -> tuple[float, float]:
    return in_all(_own_cost(), list(_own_cost() * H200_PRICES / 1.41), [_own_cost() / REPEATS, _own_cost() * REPEATS])


def _base_ratio() -> float:
    return ratio(H200, GB300, SPEED, NOW, fast_run)


def _base_range() -> tuple[float, float]:
    return ratio_range(H200, GB300, SPEED, _base_ratio(), other_lists(_base_ratio(), NOW, price_lists().xs(BASE["price_basis"])))


def _quick_cost() -> float:
    """06: within two seconds."""
    return usd_per_mtok(hour("gb300"), fast_run(runs("gb300").query("median_ttft_s <= 2"), SPEED))


#: (notebook, result, which of value, low and high, what it must be)
FIGURES = [
    ("00", "gb300_total_token_cost_usd_per_mtok", "value", lambda: usd_per_mtok(hour("gb300"), fast_run(GB300, SPEED))),
    ("00", "gb300_total_token_cost_usd_per_mtok", "low", lambda: cost_range(GB300, "gb300", SPEED)[0]),
    ("00", "gb300_total_token_cost_usd_per_mtok", "high", lambda: cost_range(GB300, "gb300", SPEED)[1]),
    ("00", "cost_ratio", "value", _base_ratio),
    ("00", "cost_ratio", "low", lambda: _base_range()[0]),
    ("00", "cost_ratio", "high", lambda: _base_range()[1]),
    ("01", "total_token_cost_usd_per_mtok", "value", _own_cost),
    ("01", "total_token_cost_usd_per_mtok", "low", lambda: _own_range()[0]),
    ("01", "total_token_cost_usd_per_mtok", "high", lambda: _own_range()[1]),
    ("01", "revenue_usd_per_gpu_h", "value", lambda: 90 * 3600 / 1e6 * 6),
    ("01", "profit_usd_per_gpu_h", "value", lambda: 90 * 3600 / 1e6 * 6 - 1.41),
    ("02", "total_token_cost_usd_per_mtok", "value", lambda: usd_per_mtok(hour("gb300"), fast_run(runs("gb300"), SPEED))),
    ("02", "total_token_cost_usd_per_mtok", "low", lambda: cost_range(runs("gb300"), "gb300", SPEED)[0]),
    ("02", "total_token_cost_usd_per_mtok", "high", lambda: cost_range(runs("gb300"), "gb300", SPEED)[1]),
    ("06", "candidate_total_token_cost_usd_per_mtok", "value", lambda: usd_per_mtok(hour("gb300"), fast_run(runs("gb300"), SPEED))),
    ("06", "candidate_total_token_cost_usd_per_mtok", "low", lambda: cost_range(runs("gb300"), "gb300", SPEED)[0]),
    ("06", "candidate_total_token_cost_usd_per_mtok", "high", lambda: cost_range(runs("gb300"), "gb300", SPEED)[1]),
    ("06", "cost_ratio", "value", _base_ratio),
    ("06", "cost_ratio", "low", lambda: _base_range()[0]),
    ("06", "cost_ratio", "high", lambda: _base_range()[1]),
    ("06", "limited_total_token_cost_usd_per_mtok", "value", _quick_cost),
    ("03", "cost_ratio", "value", lambda: _claim_ratio(_CLAIM_FP4)),
    ("03", "cost_ratio", "low", lambda: _claim_range(_CLAIM_FP4)[0]),
    ("03", "cost_ratio", "high", lambda: _claim_range(_CLAIM_FP4)[1]),
    ("03", "fp8_on_both_cost_ratio", "value", lambda: _claim_ratio(_CLAIM_FP8)),
    ("03", "fp8_on_both_cost_ratio", "low", lambda: _claim_range(_CLAIM_FP8, [_claim_ratio(_CLAIM_FP8_SOUND)])[0]),
    ("03", "fp8_on_both_cost_ratio", "high", lambda: _claim_range(_CLAIM_FP8, [_claim_ratio(_CLAIM_FP8_SOUND)])[1]),
    ("03", "per_mw_ratio", "value", lambda: per_mw("2026-03")),
    ("03", "per_mw_ratio", "low", lambda: per_mw("2026-07")),
    (
        *("04", "candidate_total_token_cost_usd_per_mtok", "value"),
        lambda: usd_per_mtok(OWN["gb300"], fast_run(runs("gb300"), SPEED) * float(BASE["utilization_frac"])),
    ),
    ("04", "cost_ratio", "value", lambda: ratio(runs("h200"), runs("gb300"), SPEED, _OURS, fast_run)),
    ("05", "gb300_total_tok_per_joule", "value", lambda: carbon_and_water()["tok_per_joule"]),
    ("05", "energy_share_frac", "value", lambda: carbon_and_water()["energy_share"]),
    ("05", "per_mw_ratio", "value", lambda: per_mw(BASE["power_vintage"])),
    ("05", "per_mw_ratio", "high", lambda: per_mw("2026-03")),
    ("05", "carbon_g_per_mtok", "value", lambda: carbon_and_water()["carbon"]),
    ("05", "water_l_per_mtok", "value", lambda: carbon_and_water()["water"]),
    ("08", "cost_ratio", "value", lambda: _plain_ratio() * NOW[0] / NOW[1]),
    ("08", "cost_ratio", "low", lambda: _plain_ratio() / price_lists().max()),
    ("08", "cost_ratio", "high", lambda: _plain_ratio() / price_lists().min()),
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
    ("00", lambda: f"a quarter slower it is {ratio(H200, GB300, 0.75 * SPEED, NOW, fast_run):.2g}×"),
    ("00", lambda: f"a quarter faster {ratio(H200, GB300, 1.25 * SPEED, NOW, fast_run):.2g}×"),
    ("00", lambda: f"and {ratio(H200, without_warning(runs('gb300', precision='fp8')), SPEED, NOW, fast_run):.2f}× without the runs"),
    ("03", lambda: f"{_claim_ratio(_CLAIM_FP8_SOUND):.2f}× without its runs"),
    ("03", lambda: f"{CLAIM_RATIO * THEN[0] / THEN[1]:.2g}× at these prices"),
    ("03", lambda: f"up to {ratio(_CLAIM_OLD, _CLAIM_FP4, PAST, THEN, read):.2g}× on"),
    ("04", lambda: f"(published: {_printed(hour('h200'))}) and"),
    ("04", lambda: f"at the published prices {ratio(runs('h200'), runs('gb300'), SPEED, NOW, fast_run):.2g}×"),
    ("05", lambda: f"water at the power plant (L) {carbon_and_water()['at_plant']:.3g}"),
    ("05", lambda: f"is {per_mw('2026-03'):.3g}× on the power figures of its time, {per_mw('2026-07'):.3g}× on newer ones"),
]


@pytest.mark.parametrize(("number", "figure"), SAID)
def test_an_answer_says_what_the_tables_give(number, figure):
    assert figure() in answer(number)


def test_no_two_notebooks_give_one_quantity_two_values():
    """Results that carry one label are one quantity: under the base case it has one value."""
    found: dict[str, set[float]] = {}
    for number in OF_THE_BASE_CASE:
        for one in results(number).values():
            found.setdefault(one["label"], set()).add(one["value"])
    assert {label: values for label, values in found.items() if len(values) > 1} == {}


def test_no_result_prices_a_system_above_a_measured_run_that_is_at_least_as_fast():
    """The same system, the same price of an hour: somebody ran it cheaper."""
    utilization = float(BASE["utilization_frac"])
    priced = [(results("00")["gb300_total_token_cost_usd_per_mtok"], hour("gb300"))]
    priced += [(results("02")["total_token_cost_usd_per_mtok"], hour("gb300"))]
    priced += [(results("06")["candidate_total_token_cost_usd_per_mtok"], hour("gb300"))]
    priced += [(results("04")["candidate_total_token_cost_usd_per_mtok"], OWN["gb300"] / utilization)]
    for result, usd_per_h in priced:
        assert result["value"] <= usd_per_mtok(usd_per_h, fast_run(runs("gb300"), SPEED)) * (1 + SAME)


def test_the_ladder_holds_the_ratios_of_the_other_notebooks():
    text = next(data["text/plain"] for data in outputs("00") if "one change at a time" in str(data.get("text/plain")))
    steps = [re.split(r"\s{2,}", line.strip()) for line in "".join(text).splitlines()[2:]]
    runs_of = {cells[0]: float(cells[1]) for cells in steps}
    own = next(value for name, value in runs_of.items() if name == f"{SPEED:g} tok/s per user; our own hours")
    claim = next(value for name, value in runs_of.items() if name.endswith("; price list of the claim") and "next run" not in name)
    assert own == float(f"{results('04')['cost_ratio']['value']:.2g}")
    assert claim == float(f"{CLAIM_RATIO * THEN[0] / THEN[1]:.2g}")


def chips(precision: str | None = None, ran_in: str | None = None) -> pd.DataFrame:
    """02: cost with what its runs leave open, and dense FLOPS per dollar, of each accelerator with a run at least as fast."""
    ratings = table("accelerators").set_index(["accelerator", "quantity"])["value"].astype(float)
    found = []
    for name, rows in RUNS.query("isl == 1024").groupby("accelerator"):
        rows = rows[rows["precision"] == ran_in] if ran_in else rows
        fast = rows[rows["tok_per_s_per_user"] >= SPEED]
        if fast.empty:
            continue
        run, usd = fast.loc[fast["total_tok_per_s_per_gpu"].idxmax()], hour(str(name))
        cost = usd_per_mtok(usd, run["total_tok_per_s_per_gpu"])
        low, high = in_all(cost, [cost / slower_to_run(rows, SPEED)], [cost / REPEATS, cost * REPEATS])
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
