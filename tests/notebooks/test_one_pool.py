"""One pool of runs: notebooks 06 and 07 against the files alone, the expected side plain pandas over data/*.csv, for drawn parameters."""

import random
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from second_route import multiples, nine_of_ten, throughputs

from tokcost.parameters.declaration import parse_cell
from tokcost.paths import DATA

ROOT = Path(__file__).parents[2]

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


def inputs(stem: str, parameters: dict) -> dict:
    """The parameters of a notebook: its own, and those given."""
    cells = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    (given,) = (cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))
    return {parameter.name: parameter.default for parameter in parse_cell(given)} | parameters


def results(shown: list) -> dict:
    data = [one.data for one in shown if getattr(one, "data", None)]
    return {one["name"]: one for one in data if one["kind"] == "result"}


def table(shown: list, caption: str) -> pd.DataFrame:
    """The displayed table of that caption, as a reader sees it: words by row and column."""
    (one,) = (one for one in shown if caption in getattr(one, "caption", ""))
    return pd.DataFrame(one.rows, columns=[label for label, _ in one.headers]).set_index(one.headers[0][0])


def number(text: str) -> float:
    """What a cell says; NaN where it says that nothing was reached."""
    return float(text.replace(",", "")) if text[0].isdigit() else np.nan


@pytest.mark.parametrize("parameters", [{}, *map(drawn, range(4))], ids=str)
def test_no_table_prices_a_system_above_a_run_that_serves_and_all_tables_agree(displayed, parameters):
    """By speed, under a limit, winners with and without it: one accelerator at one speed has one cost, that of the cheapest run."""
    shown, given = displayed(SPEED, **parameters), inputs(SPEED, parameters)
    rows = priced(given["isl"], given["price_basis"], given["rate_vintage"])
    started = rows[rows["median_ttft_s"] <= given["ttft_limit_s"]]
    same = {"rtol": 0.006, "equal_nan": True}  # tables show three digits
    by_speed = table(shown, "by the speed that each user gets at least").map(number)
    for accelerator, costs in by_speed.iterrows():
        speeds = [float(speed) for speed in by_speed.columns]
        assert np.allclose(costs, [cheapest(rows, speed, accelerator=accelerator.lower()) for speed in speeds], **same)
    for caption, runs in (("whenever the answer starts", rows), ("among runs that start within", started)):
        won = table(shown, caption)
        for speed, row in won.iterrows():
            assert np.allclose(number(row["Winner, USD"]), cheapest(runs, float(speed)), **same)
    limits = table(shown, "Cheapest measured run at")
    base = [cheapest(started, given["tok_per_s_per_user"], accelerator=name.lower()) for name in limits.index]
    assert np.allclose(limits.filter(like="Starts within").iloc[:, 0].map(number), base, **same)


@pytest.mark.parametrize("parameters", [{}, {"tok_per_s_per_user": 50.0}, *map(drawn, range(4, 6))], ids=str)
def test_the_headlines_of_06_are_measured_runs_and_their_range_holds_every_doubt(displayed, parameters):
    shown, given = results(displayed(SPEED, **parameters)), inputs(SPEED, parameters)
    rows = priced(given["isl"], given["price_basis"], given["rate_vintage"])
    speed = given["tok_per_s_per_user"]
    new, old = (cheapest(rows, speed, accelerator=given[f"{side}_accelerator"]) for side in ("candidate", "baseline"))
    cost, ratio = shown[f"candidate_{COST}"], shown["cost_ratio"]
    assert cost["value"] == pytest.approx(new, rel=1e-5)
    assert (ratio["value"] or np.nan) == pytest.approx(old / new, rel=1e-5, nan_ok=True)
    basis, own = given["price_basis"], rows[rows["accelerator"] == given["candidate_accelerator"]]
    moved = multiples("price list, all together", basis) * multiples("price list, one accelerator", basis)
    expected = nine_of_ten(new, cost["numerator"]["rate_usd_per_gpu_h"] * moved / throughputs(own, speed) / 3600 * 1e6)
    assert (cost["low"], cost["high"]) == pytest.approx(expected, rel=0.015)
    assert ratio["value"] is None or ratio["low"] <= ratio["value"] <= ratio["high"]
    started = rows[rows["median_ttft_s"] <= given["ttft_limit_s"]]
    quick = cheapest(started, speed, accelerator=given["candidate_accelerator"])
    assert (shown[f"limited_{COST}"]["value"] or np.nan) == pytest.approx(quick, rel=1e-5, nan_ok=True)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"tok_per_s_per_user": 50.0, "cached_input_frac": 0.4},
        {"accelerator": "gb300", "tok_per_s_per_user": 100.0, "profile": "servegen_deepseek_r1"},
        {"accelerator": "gb200", "price_basis": "rental_3yr", "tok_per_s_per_user": 40.0, "offered_request_per_s": 300.0},
    ],
    ids=str,
)
def test_07_serves_from_the_best_run_at_least_as_fast_and_adds_up(displayed, parameters):
    """The best run that states its GPUs and does not contradict itself, doing as much work a second as on its own requests."""
    shown, given = results(displayed(LOAD, **parameters)), inputs(LOAD, parameters)
    facts = pd.read_csv(DATA / "traffic.csv").query("trace == @given['profile']").set_index("quantity")["value"]
    fresh = facts["isl"] * (1 - given["cached_input_frac"])
    length = 1024 if fresh / facts["osl"] < 8**0.5 else 8192
    rows = priced(length, given["price_basis"], given["rate_vintage"])
    rows = rows[(rows["accelerator"] == given["accelerator"]) & rows["n_gpus"].notna()]
    by_throughput = rows["concurrency"] * (rows["isl"] + rows["osl"]) / (rows["total_tok_per_s_per_gpu"] * rows["n_gpus"])
    by_latency = rows["median_ttft_s"] + (rows["osl"] - 1) * rows["median_tpot_s"]
    sound = rows[~((by_latency / by_throughput - 1).abs() > 0.25)]
    best = sound[sound["tok_per_s_per_user"] >= given["tok_per_s_per_user"]].sort_values("cost").iloc[0]

    works, paid = (shown[name]["value"] for name in ("utilization_frac", "allocation_token_cost_usd_per_mtok"))
    weight = shown["output_weight_ratio"]["value"]
    work = (fresh + weight * facts["osl"]) / (length + weight * 1024)  # beside that of a request of the run
    full = best["cost"] * (length + 1024) / (facts["isl"] + facts["osl"]) * work
    assert paid == pytest.approx(full / works, rel=1e-5)
    replicas = given["offered_request_per_s"] * (length + 1024) * work / works / best["total_tok_per_s_per_gpu"] / best["n_gpus"]
    assert replicas == pytest.approx(max(1, round(replicas)), rel=1e-5)
    scaled = shown["scaled_allocation_token_cost_usd_per_mtok"]
    assert scaled["value"] >= paid * (1 - 1e-9) and scaled["low"] >= full * (1 - 1e-9)


def test_what_was_wrong_with_one_campaign():
    """At 50 tokens/s per user the campaign that 06 and 07 once used alone knows less than half of what others measured on H200."""
    fast = RUNS[(RUNS["isl"] == 1024) & (RUNS["accelerator"] == "h200") & (RUNS["tok_per_s_per_user"] >= 50)]
    best = fast.groupby("campaign")["total_tok_per_s_per_gpu"].max()
    assert best.max() > 2 * best["inferencex_api_2026_06"]


def test_only_what_rests_on_the_claim_takes_one_campaign():
    """03 audits the runs behind a published claim, 05 restates its ratio per megawatt; all others take every campaign."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
        assert path.stem[:2] in ("03", "05") or "campaign=" not in code, path.stem
