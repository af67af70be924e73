"""One quantity has one value and one interval in all reports, and the interval is what a second route draws from the tables."""

import json
import re

import numpy as np
import pytest
from second_route import (
    BASE,
    CLAIM,
    EDGE,
    GB300,
    H200,
    MIME,
    NOW,
    OURS,
    PAST,
    PLAIN,
    ROOT,
    SPEED,
    THEN,
    answer,
    fast_run,
    hour,
    hours,
    multiples,
    nine_of_ten,
    outputs,
    pert,
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

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: an interval of draws is met to this share, printed with two digits to the other
DRAWN, PRINTED = 0.012, 0.06
#: the headline of each of these comes from one call that says of what its interval is made
OF_ONE_CALL = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "10", "11", "12", "13", "14", "16", "17", "99")
FULL = runs("gb300", precision="fp4", speculative="mtp", deployment="disaggregated")
_CLAIM_OLD, _CLAIM_NEW = CLAIM.query("accelerator == 'h200' and isl == 1024"), CLAIM.query("accelerator == 'gb300' and isl == 1024")
_CLAIM_FP4, _CLAIM_FP8 = _CLAIM_NEW.query("precision == 'fp4'"), _CLAIM_NEW.query("precision == 'fp8'")


def cost(rows, accelerator: str, speed: float = SPEED, used=1.0) -> tuple[float, float]:
    value = usd_per_mtok(hour(accelerator), fast_run(rows, speed)) / np.median(used)
    paid = hours(accelerator, revised=multiples("price list, all together", BASE["price_basis"]))
    return nine_of_ten(value, usd_per_mtok(paid, throughputs(rows, speed) * used))


def cheaper(old, new, speed: float = SPEED, vintage: str = BASE["rate_vintage"], times=1.0) -> tuple[float, float]:
    """A revision of the whole list moves both prices and cancels."""
    value = ratio(old, new, speed, (hour("h200", vintage), hour("gb300", vintage)), fast_run)
    costs = [usd_per_mtok(hours(name, vintage), throughputs(rows, speed)) for name, rows in (("h200", old), ("gb300", new))]
    return nine_of_ten(value, costs[0] / costs[1] * times)


def warned() -> tuple[float, float]:
    """03: with and without the runs under an accuracy warning, as likely as each other."""
    with_all, without = (fast_run(rows, 116.7) for rows in (_CLAIM_FP8, without_warning(_CLAIM_FP8)))
    odds = np.where(np.random.default_rng(2).random(200_000) < 0.5, without / with_all, 1.0)
    return cheaper(_CLAIM_OLD, _CLAIM_FP8, 116.7, "2026-03", odds)


def typed() -> tuple[float, float]:
    """01: a price between the lowest and the highest in the dataset, and a run made again."""
    prices = table("hourly_rates").query("accelerator == 'h200'")["value"]
    paid, again = pert(prices.min(), 1.41, prices.max()), multiples("repeat runs", "any")
    return nine_of_ten(usd_per_mtok(1.41, 90), usd_per_mtok(paid, 90 * again))


def per_joule() -> tuple[float, float]:
    """05: critical power and PUE in the ranges of their rows; the load between those of training jobs and of the busiest board."""
    power = table("systems").query("accelerator == 'gb300' and quantity == 'critical_kw_per_gpu'").iloc[0]
    owner = table("operators").query("operator == 'hyperscaler'").set_index("quantity")
    boards = table("power_measurements").query("boundary == 'chip' and accelerator == 'gb300'")
    busiest = 1 - (boards["nameplate_w_per_gpu"] - boards["average_w_per_gpu"]).min() / 1000 / float(power["value"])
    loads = [float(BASE["average_load_frac"]), *owner.loc["average_load_frac", ["low", "high"]].astype(float), busiest]
    kw = pert(*power[["low", "value", "high"]].astype(float)) * pert(min(loads), float(BASE["average_load_frac"]), max(loads))
    kw = kw * pert(*owner.loc["pue", ["low", "value", "high"]].astype(float))
    value = fast_run(runs("gb300"), SPEED) / 1000 / system("gb300")["critical_kw_per_gpu"]
    value /= float(BASE["average_load_frac"]) * float(BASE["pue"])
    return nine_of_ten(value, throughputs(runs("gb300"), SPEED) / kw / 1000)


def delivered() -> tuple[float, float]:
    """10: at a utilization as uncertain as an assumption: half of it, or half of what it leaves."""
    used = float(BASE["utilization_frac"])
    return cost(runs("gb300"), "gb300", used=pert(used / 2, used, (1 + used) / 2))


def of_a_service() -> tuple[float, float]:
    """07: the run that serves may be off as its repeats, its price as the list, and the load of another week as an estimate is."""
    shown = results("07")
    value, used = (shown[name]["value"] for name in ("allocation_token_cost_usd_per_mtok", "utilization_frac"))
    stated = runs("h200", isl=8192).dropna(subset=["n_gpus"])
    paid = hours("h200", revised=multiples("price list, all together", BASE["price_basis"])) / hour("h200")
    made = throughputs(stated, SPEED) / fast_run(stated, SPEED)
    wide = table("evidence_widths").set_index("evidence_kind").loc["estimate", "spread_ratio"]
    load = pert(used / wide, used, 1 - (1 - used) / wide) / used
    return nine_of_ten(value, value * paid / made / load)


#: (notebook, result, its interval)
INTERVALS = [
    ("00", "gb300_total_token_cost_usd_per_mtok", lambda: cost(GB300, "gb300")),
    ("00", "cost_ratio", lambda: cheaper(H200, GB300)),
    ("01", "total_token_cost_usd_per_mtok", typed),
    ("02", "total_token_cost_usd_per_mtok", lambda: cost(runs("gb300"), "gb300")),
    ("03", "cost_ratio", lambda: cheaper(_CLAIM_OLD, _CLAIM_FP4, 116.7, "2026-03")),
    ("03", "fp8_on_both_cost_ratio", warned),
    ("05", "gb300_total_tok_per_joule", per_joule),
    ("06", "candidate_total_token_cost_usd_per_mtok", lambda: cost(runs("gb300"), "gb300")),
    ("06", "cost_ratio", lambda: cheaper(runs("h200"), runs("gb300"))),
    ("07", "allocation_token_cost_usd_per_mtok", of_a_service),
    ("08", "cost_ratio", lambda: cheaper(PLAIN, FULL)),
    ("10", "cost_ratio", lambda: cheaper(runs("h200"), runs("gb300"))),
    ("10", "total_token_cost_usd_per_mtok", delivered),
]


@pytest.mark.parametrize(("number", "name", "expected"), INTERVALS, ids=[" ".join(one[:2]) for one in INTERVALS])
def test_an_interval_holds_nine_of_ten_draws_of_a_second_route(number, name, expected):
    shown = results(number)[name]
    assert (shown["low"], shown["high"]) == pytest.approx(expected(), rel=DRAWN)


#: steps of the reconciliation in 00, in its order, with their systems, speed and prices; our own hours are those of 04
STEPS = [
    (H200, GB300, SPEED, NOW),
    (runs("h200", 8192, precision="fp8"), runs("gb300", 8192, precision="fp4"), SPEED, NOW),
    (H200, runs("gb300", precision="fp8"), SPEED, NOW),
    (H200, without_warning(runs("gb300", precision="fp8")), SPEED, NOW),
    (PLAIN, GB300, SPEED, NOW),
    (H200, GB300, SPEED, OURS),
    (H200, GB300, 50.0, NOW),
    (H200, GB300, 50.0, OURS),
    (H200, GB300, EDGE, NOW),
    (H200, GB300, EDGE, THEN),
    (H200, GB300, PAST, THEN),
]


def steps() -> dict[str, list[float]]:
    """Step -> what is printed beside it."""
    text = next(data["text/plain"] for data in outputs("00") if "one change at a time" in str(data.get("text/plain")))
    rows = [re.split(r"\s{2,}", line.strip()) for line in "".join(text).splitlines()[2:]]
    return {name: [float(cell) for cell in cells] for name, *cells in rows}


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_step_of_the_reconciliation_is_what_the_runs_give(step):
    """As printed, with two digits: the ratio of the runs, the ends of its interval, and what is read at the speed."""
    value, low, high, reading = list(steps().values())[step]
    old, new, speed, paid = STEPS[step]
    expected = [float(f"{ratio(old, new, speed, paid, how):.2g}") for how in (fast_run, read)]
    assert [value, reading] == pytest.approx(expected)
    if paid is not OURS:
        ends = cheaper(old, new, speed, "2026-03" if paid is THEN else BASE["rate_vintage"])
        assert (low, high) == pytest.approx(ends, rel=PRINTED)


def test_the_reconciliation_holds_the_ratios_and_intervals_of_the_other_notebooks():
    printed = steps()

    def two_digits(number):
        one = results(number)["cost_ratio"]
        return [float(f"{one[end]:.2g}") for end in ("value", "low", "high")]

    assert printed[f"{SPEED:g} tokens/s per user"][:3] == two_digits("06") == two_digits("10")
    assert printed[f"{SPEED:g} tokens/s per user; our own hours"][:3] == two_digits("04")
    assert next(cells for name, cells in printed.items() if name.endswith("H200 undivided, without MTP"))[:3] == two_digits("08")


def all_results():
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                data = output.get("data", {}).get(MIME, {})
                if data.get("kind") == "result":
                    yield path.stem[:2], data


def test_no_two_reports_give_one_quantity_two_values_or_two_intervals():
    """A quantity is its figures, where a result names them, and else its label: one value, and one interval where there is one."""
    found: dict[tuple, dict[tuple, list[str]]] = {}
    for number, one in all_results():
        sides = [
            sorted((name, float(f"{value:.5g}")) for name, value in one.get(side, {}).items()) for side in ("numerator", "denominator")
        ]
        what = str(sides) if any(sides) else one["label"]
        numbers = tuple(None if one[end] is None else float(f"{one[end]:.5g}") for end in ("value", "low", "high"))
        if one["value"] is not None:
            found.setdefault((one["unit"], what), {}).setdefault(numbers, []).append(number)
    assert {what: numbers for what, numbers in found.items() if len(numbers) > 1} == {}


@pytest.mark.parametrize("number", OF_ONE_CALL)
def test_a_headline_says_of_what_its_interval_is_made(number):
    first = next(one for where, one in all_results() if where == number)
    assert sum(first["shares"].values()) == pytest.approx(1) and "nine times in ten" in first["note"]
    largest = max(first["shares"], key=first["shares"].get)
    assert largest in first["note"] and first["low"] <= first["value"] <= first["high"]
    said = next(data[MIME] for data in outputs(number) if data.get(MIME, {}).get("kind") == "answer")
    assert "nine times in ten" in said["interval"] or "nine times in ten" in said["text"]
    made_of = [one["note"].partition("nine times in ten; ")[2] for where, one in all_results() if where == number and "shares" in one]
    assert any(of in answer(number) for of in made_of)
