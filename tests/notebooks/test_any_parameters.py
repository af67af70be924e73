"""What the notebooks promise at any parameters that they allow: drawn from their own parameter cells, against the files alone.

`TOKCOST_DRAWS` says how many draws of each (1 in `make test`, more in `make fuzz`).
"""

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tokcost.paths import DATA
from tokcost.report.request.declared import read_exclusions, read_parameters

NOTEBOOKS = {path.stem[:2]: path for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb")}
SEEDS = range(int(os.environ.get("TOKCOST_DRAWS", "1")))
RUNS, RATES = pd.read_csv(DATA / "inference.csv"), pd.read_csv(DATA / "hourly_rates.csv")
CLAIM = RUNS[RUNS["campaign"] == "inferencex_dsr1_2026_04"]
COST = "total_token_cost_usd_per_mtok"
#: one measurement in two captures is the same to this share
SAME = {"rel": 1e-5}


def drawn(number: str, seed: int, **fixed) -> dict:
    """Values that the parameter cell of a notebook allows, and allows together."""
    dice = random.Random(f"{number} {seed}")
    while True:
        values = {one.name: _any(one, dice) for one in read_parameters(NOTEBOOKS[number])} | fixed
        if not any(one.excludes(values) for one in read_exclusions(NOTEBOOKS[number])):
            return values


def _any(parameter, dice: random.Random):
    if parameter.choices:
        return dice.choice(parameter.choices)
    if parameter.low is None:
        return parameter.default
    return type(parameter.default)(round(dice.uniform(parameter.low, parameter.high), 2))


def hours(given: dict) -> pd.Series:
    rows = RATES[(RATES["price_basis"] == given["price_basis"]) & (RATES["rate_vintage"] == given["rate_vintage"])]
    return rows.set_index("accelerator")["value"]


def best(rows: pd.DataFrame, speed: float, **where) -> float:
    """Throughput of the best run at least so fast; NaN where there is none."""
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows.loc[rows["tok_per_s_per_user"] >= speed, "total_tok_per_s_per_gpu"].max()


def cost(rows: pd.DataFrame, given: dict, accelerator: str, **where) -> float:
    return hours(given)[accelerator] / best(rows, given["tok_per_s_per_user"], accelerator=accelerator, **where) / 3600 * 1e6


def results(shown: list) -> dict:
    data = [one.data for one in shown if getattr(one, "data", None)]
    return {one["name"]: one | {"value": np.nan if one["value"] is None else one["value"]} for one in data if one["kind"] == "result"}


def table(shown: list, caption: str) -> pd.DataFrame:
    """The displayed table of that caption, as a reader sees it: words by row and column."""
    (one,) = (one for one in shown if caption in getattr(one, "caption", ""))
    return pd.DataFrame(one.rows, columns=[label for label, _ in one.headers]).set_index(one.headers[0][0])


@pytest.mark.parametrize("seed", SEEDS)
def test_start_here_gives_the_cheapest_runs(displayed, seed):
    given = drawn("00", seed)
    shown, rows = results(displayed(NOTEBOOKS["00"].stem, **given)), RUNS.query("model == 'dsr1' and isl == 1024 and osl == 1024")
    new, old = (cost(rows, given, name, precision=precision) for name, precision in (("gb300", "fp4"), ("h200", "fp8")))
    assert shown[f"gb300_{COST}"]["value"] == pytest.approx(new, **SAME)
    assert shown["cost_ratio"]["value"] == pytest.approx(old / new, **SAME)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cost_of_a_typed_price_and_speed_is_one_division(displayed, seed):
    given = drawn("01", seed)
    shown = results(displayed(NOTEBOOKS["01"].stem, **given))[COST]
    by_hand = 1e6 / (3600 * given["total_tok_per_s_per_gpu"] * given["utilization_frac"])
    assert shown["value"] == pytest.approx(by_hand * given["rate_usd_per_gpu_h"])
    prices = [given["rate_usd_per_gpu_h"], *RATES.loc[RATES["accelerator"] == given["accelerator"], "value"]]
    assert min(prices) * by_hand / 1.3 < shown["low"] <= shown["value"] <= shown["high"] < max(prices) * by_hand * 1.3


@pytest.mark.parametrize("seed", SEEDS)
def test_rankings_and_winners_are_the_cheapest_runs_and_agree(displayed, seed):
    """02 and 06 at one set of parameters: each accelerator has one cost, that of its cheapest run, and the winner is the winner."""
    one = drawn("06", seed)
    one["tok_per_s_per_user"] = max(35.0, min(115.0, one["tok_per_s_per_user"]))
    shared = {name: one[name] for name in ("isl", "tok_per_s_per_user", "price_basis", "rate_vintage")}
    ranked = displayed(NOTEBOOKS["02"].stem, **drawn("02", seed, model="dsr1", osl=1024, **shared))
    raced = displayed(NOTEBOOKS["06"].stem, **one)
    rows = RUNS[(RUNS["model"] == "dsr1") & (RUNS["isl"] == one["isl"]) & (RUNS["osl"] == 1024)]
    costs = pd.Series({name: cost(rows, one, name) for name in rows["accelerator"].unique() if name in hours(one)})
    shown = results(ranked)[COST]
    assert shown["value"] == pytest.approx(costs.min(), **SAME) and costs.idxmin().upper() in shown["label"]
    place = sorted({20.0, 35.0, 50.0, 75.0, 100.0, 150.0, one["tok_per_s_per_user"]}).index(one["tok_per_s_per_user"])
    won = table(raced, "whenever the answer starts").iloc[place]
    assert won["Winner"].startswith(costs.idxmin().upper())
    speeds, known = table(raced, "by the speed that each user gets at least"), table(ranked, "How well the cost of a token")
    assert known.iloc[:, 0].to_dict() == speeds.loc[known.index].iloc[:, place].to_dict()
    ratio = costs[one["baseline_accelerator"]] / costs[one["candidate_accelerator"]]
    assert results(raced)["cost_ratio"]["value"] == pytest.approx(ratio, nan_ok=True, **SAME)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_audit_gives_measured_runs_of_its_campaign(displayed, seed):
    given = drawn("03", seed)
    shown, rows = results(displayed(NOTEBOOKS["03"].stem, **given)), CLAIM[CLAIM["isl"] == given["isl"]]
    old = cost(rows, given, "h200")
    for name, precision in (("cost_ratio", "fp4"), ("fp8_on_both_cost_ratio", "fp8")):
        ratio = old / cost(rows, given, "gb300", precision=precision)
        assert shown[name]["value"] == pytest.approx(ratio, nan_ok=True, **SAME)
    sound = rows[~rows["note"].fillna("").str.contains("accuracy warning")]
    without = old / cost(sound, given, "gb300", precision="fp8")
    if not np.isnan([without, shown["fp8_on_both_cost_ratio"]["value"]]).any():
        assert shown["fp8_on_both_cost_ratio"]["low"] <= without * (1 + 1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_joule_makes_what_the_cheapest_run_makes(displayed, seed):
    """At the average power of a facility, and at no less than a run delivers that is fast enough."""
    given = drawn("05", seed)
    shown, name = results(displayed(NOTEBOOKS["05"].stem, **given)), given["candidate_accelerator"]
    rows = RUNS.query("model == 'dsr1' and isl == 1024 and osl == 1024")
    systems = pd.read_csv(DATA / "systems.csv").query("accelerator == @name").set_index("quantity")["value"]
    watts = float(systems["critical_kw_per_gpu"]) * 1000 * given["average_load_frac"] * given["pue"]
    expected = best(rows, given["tok_per_s_per_user"], accelerator=name) / watts
    assert shown[f"{name}_total_tok_per_joule"]["value"] == pytest.approx(expected, nan_ok=True, **SAME)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gain_lies_within_what_its_runs_allow(displayed, seed):
    """08: from H200 with nothing switched on to GB300 with everything, no better than the next slower runs and no worse than the runs."""
    given = drawn("08", seed)
    shown, rows = results(displayed(NOTEBOOKS["08"].stem, **given)), RUNS.query("model == 'dsr1' and osl == 1024")
    rows = rows[rows["isl"] == given["isl"]]
    sides = {
        "h200": rows.query("accelerator == 'h200' and precision == 'fp8' and speculative == 'none' and deployment == 'aggregated'"),
        "gb300": rows.query("accelerator == 'gb300' and precision == 'fp4' and speculative == 'mtp' and deployment == 'disaggregated'"),
    }
    speed, price = given["tok_per_s_per_user"], hours(given)["h200"] / hours(given)["gb300"]
    most = price * sides["gb300"]["total_tok_per_s_per_gpu"].max() / best(sides["h200"], speed)
    least = price * best(sides["gb300"], speed) / sides["h200"]["total_tok_per_s_per_gpu"].max()
    ratio = shown["cost_ratio"]["value"]
    assert np.isnan(ratio) or least * (1 - 1e-5) <= ratio <= most * (1 + 1e-5)


def system(accelerator: str) -> pd.DataFrame:
    """The runs of the pool of 04, 05 and 10."""
    return RUNS.query("model == 'dsr1' and isl == 1024 and osl == 1024 and accelerator == @accelerator")


@pytest.mark.parametrize("seed", SEEDS)
def test_an_own_hour_makes_what_the_cheapest_runs_make(displayed, seed):
    """04: the cost of a token and the ratio are those of its own two hours, at the cheapest runs that are fast enough."""
    given = drawn("04", seed)
    shown, speed = results(displayed(NOTEBOOKS["04"].stem, **given)), given["tok_per_s_per_user"]
    old, new = (shown[f"{role}_rate_usd_per_gpu_h"] for role in ("baseline", "candidate"))
    made = [best(system(given[f"{role}_accelerator"]), speed) for role in ("baseline", "candidate")]
    token = new["value"] / made[1] / given["utilization_frac"] / 3600 * 1e6
    assert shown[f"candidate_{COST}"]["value"] == pytest.approx(token, nan_ok=True, **SAME)
    assert shown["cost_ratio"]["value"] == pytest.approx(old["value"] / new["value"] * made[1] / made[0], nan_ok=True, **SAME)
    assert all(one["low"] < one["value"] < one["high"] for one in (old, new))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fleet_serves_from_a_run_that_was_made_and_pays_its_idle_hours(displayed, seed):
    """07: what serves was measured; a delivered token costs its full-load cost over the share of hours that works, and nothing that
    follows the load costs more."""
    given = drawn("07", seed)
    cells = displayed(NOTEBOOKS["07"].stem, **given)
    shown, replica = results(cells), table(cells, "One replica of")
    measured = pd.to_numeric(replica["as measured"].str.replace(",", ""), errors="coerce")
    speed, made = (measured[measured.index.str.startswith(name)].iloc[0] for name in ("Interactivity", "Throughput (input + output"))
    runs = RUNS.query("accelerator == @given['accelerator'] and tok_per_s_per_user >= @given['tok_per_s_per_user']")
    same = np.isclose(runs["tok_per_s_per_user"], speed, rtol=0.01) & np.isclose(runs["total_tok_per_s_per_gpu"], made, rtol=0.01)
    assert same.any(), "serves from a run that was made and is at least as fast; tables show three digits"
    fixed, works = shown["allocation_token_cost_usd_per_mtok"]["value"], shown["utilization_frac"]["value"]
    assert np.isnan(fixed) or 0 < works <= 1
    assert not shown["scaled_allocation_token_cost_usd_per_mtok"]["low"] > fixed * (1 + 1e-9)
    assert not shown["filled_allocation_token_cost_usd_per_mtok"]["value"] > fixed * (1 + 1e-9)
    assert not fixed * works > shown["batch_allocation_token_cost_usd_per_mtok"]["value"] * (1 + 1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_files_of_ones_own_cost_what_their_fastest_enough_point_costs(displayed, seed, tmp_path):
    """09, on files that are not the example: the price over the best of the points that are fast enough, or no price at all."""
    shutil.copytree(DATA / "benchmark_example", tmp_path / "mine")
    given = drawn("09", seed, benchmark_path=str(tmp_path / "mine"), stated_gpus=random.Random(seed).randint(1, 16))
    cells = displayed(NOTEBOOKS["09"].stem, **given)
    shown, points = results(cells)[COST], table(cells, "What they delivered")
    speeds, made = (pd.to_numeric(points[name].str.replace(",", ""), errors="coerce") for name in points.columns[[1, 0]])
    fast = made[speeds >= given["tok_per_s_per_user"]]
    price = given["rate_usd_per_gpu_h"] if given["price_basis"] == "own" else hours(given).get(given["accelerator"], np.nan)
    if np.isnan(shown["value"]):
        assert fast.empty or np.isnan([price, fast.max()]).any() or given["tok_per_s_per_user"] < speeds.min()
    else:
        assert shown["value"] == pytest.approx(price / fast.max() / 3600 * 1e6, rel=0.01), "tables show three digits"
        assert shown["low"] <= shown["value"] <= shown["high"]


@pytest.mark.parametrize("seed", SEEDS)
def test_how_sure_is_about_the_cheapest_runs(displayed, seed):
    """10: the ratio and the delivered cost are those of the cheapest runs, and lie in their intervals."""
    given = drawn("10", seed)
    shown, rows = results(displayed(NOTEBOOKS["10"].stem, **given)), RUNS.query("model == 'dsr1' and osl == 1024")
    rows = rows[rows["isl"] == given["isl"]]
    old, new = (cost(rows, given, given[f"{role}_accelerator"]) for role in ("baseline", "candidate"))
    assert shown["cost_ratio"]["value"] == pytest.approx(old / new, nan_ok=True, **SAME)
    assert shown[COST]["value"] == pytest.approx(new / given["utilization_frac"], nan_ok=True, **SAME)
    for one in (shown["cost_ratio"], shown[COST]):
        assert np.isnan(one["value"]) or one["low"] <= one["value"] <= one["high"]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_older_hour_is_worth_the_hours_of_the_next_chip_that_make_its_tokens(displayed, seed):
    """13: the rent of the next chip over the ratio of what the cheapest measured runs deliver, and its place in its interval."""
    given = drawn("13", seed)
    shown, rows = results(displayed(NOTEBOOKS["13"].stem, **given)), RUNS.query("model == 'dsr1' and osl == 1024")
    rows = rows[rows["isl"] == given["isl"]]
    old, new = (best(rows, given["tok_per_s_per_user"], accelerator=given[f"{role}_accelerator"]) for role in ("baseline", "candidate"))
    rent = hours(given | {"price_basis": "rental_3yr"})[given["candidate_accelerator"]]
    worth = shown["token_worth_rate_usd_per_gpu_h"]
    assert worth["value"] == pytest.approx(rent * old / new, **SAME) and worth["low"] <= worth["value"] <= worth["high"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_provider_costs_its_hour_over_what_was_measured_to_come_out_of_it(displayed, seed):
    """14: the lowest list price on demand with all on top, over the delivered tokens of a run that is fast enough."""
    given = drawn("14", seed)
    shown = results(displayed(NOTEBOOKS["14"].stem, **given))[COST]
    prices = pd.read_csv(DATA / "rental_prices.csv").query("price_basis == 'on_demand'")
    prices = prices[prices["accelerator"] == given["baseline_accelerator"]]
    asked = {*pd.read_csv(DATA / "providers.csv")["provider"], "AWS", "Azure", "GCP", "Oracle Cloud"}
    prices = prices[prices["provider"].isin(asked) & (prices["month"] == prices.groupby("provider")["month"].transform("max"))]
    hour = prices["value"].min() * (1 + given["support_frac"])
    hour += (
        given["storage_gb_per_gpu"] * given["storage_usd_per_gb_month"] / 730 + given["egress_gb_per_gpu_h"] * given["egress_usd_per_gb"]
    )
    rows = RUNS[(RUNS["model"] == given["model"]) & (RUNS["osl"] == 1024) & (RUNS["isl"] == given["isl"])]
    made = best(rows, given["tok_per_s_per_user"], accelerator=given["baseline_accelerator"])
    delivered = made * given["utilization_frac"] * given["availability_frac"]
    assert shown["value"] == pytest.approx(hour / delivered / 3600 * 1e6, rel=1e-3)
    assert shown["low"] <= shown["value"] <= shown["high"]
