"""One base case: every notebook begins with the inputs of data/base_case.csv, and these follow from the data by a rule."""

import csv
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from tokcost import evidence, serving
from tokcost.analysis import at_equal_speed
from tokcost.cli import main
from tokcost.hour import reference_deployment
from tokcost.parameters.declaration import parse_cell
from tokcost.paths import DATA

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MIME = "application/vnd.tokcost.v1+json"
BASE = evidence.base_case()
SYSTEMS = (BASE["baseline_accelerator"], BASE["candidate_accelerator"])

#: what a notebook sets otherwise, and why: the only place where that is allowed
DIFFERS = {
    ("01", "utilization_frac"): "divides two printed numbers, as the published table does: at full use",
    ("03", "tok_per_s_per_user"): "audits a claim at the claim's operating point",
    ("03", "rate_vintage"): "audits a claim at the price list of its date",
    ("03", "power_vintage"): "audits a claim at the power figures of its date",
    ("09", "price_basis"): "stands for a reader who rents",
    ("09", "tok_per_s_per_user"): "stands at the speed of the example files",
}


def defaults(path) -> dict:
    cells = nbformat.read(path, as_version=4).cells
    source = next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))
    return {p.name: p.default for p in parse_cell(source)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_begins_with_the_base_case_or_says_why_not(path):
    allowed = {name for notebook, name in DIFFERS if notebook == path.stem[:2]}
    other = {name: value for name, value in defaults(path).items() if name in BASE and name not in allowed and value != BASE[name]}
    assert other == {}


def test_the_notebooks_use_every_input_of_the_base_case():
    used = set().union(*(defaults(path) for path in NOTEBOOKS))
    assert set(BASE) <= used


@pytest.mark.parametrize("number", ["01", "03", "09"])
def test_a_notebook_of_another_case_tells_its_reader(number):
    path = next(path for path in NOTEBOOKS if path.stem.startswith(number))
    first = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"][:2]
    assert "base case" in " ".join(first)


def test_the_base_speed_is_where_the_next_run_of_both_systems_is_nearest():
    rows = evidence.measured(model=BASE["model"], isl=BASE["isl"], osl=BASE["osl"])
    curves = [serving.frontier(rows, accelerator=name) for name in SYSTEMS]
    assert serving.base_speed(curves, between=(30, 100)) == BASE["tok_per_s_per_user"]
    for curve in curves:
        run = curve.run_at(tok_per_s_per_user=BASE["tok_per_s_per_user"])
        assert run["tok_per_s_per_user"] / BASE["tok_per_s_per_user"] < 1.05


def test_at_the_base_speed_a_ratio_is_known_better_than_at_any_other_that_was_measured():
    """What its runs leave open is least there, and no other speed has a run of both systems within a twentieth."""
    job = {name: BASE[name] for name in ("model", "isl", "osl")}
    rates = {name: evidence.rate(accelerator=name, price_basis=BASE["price_basis"], rate_vintage=BASE["rate_vintage"]) for name in SYSTEMS}
    sides = dict(zip(("baseline", "candidate"), ({"accelerator": name} for name in SYSTEMS), strict=True))
    curves = [serving.frontier(evidence.measured(**job), accelerator=name) for name in SYSTEMS]
    measured = {speed for curve in curves for speed in curve.front["tok_per_s_per_user"] if 30 <= speed <= 100}

    def at(speed: float) -> tuple[float, bool]:
        one = at_equal_speed(**job, **sides, rates=rates, tok_per_s_per_user=speed)
        is_near = all(one[f"{side}_tok_per_s_per_user"] <= 1.05 * speed for side in sides)
        return one["high_cost_ratio"] / one["low_cost_ratio"], is_near

    width, is_near = at(BASE["tok_per_s_per_user"])
    others = [at(speed) for speed in measured if not 1 <= speed / BASE["tok_per_s_per_user"] < 1.01]
    assert is_near and width < min(other for other, _ in others) and not any(near for _, near in others)


@pytest.mark.parametrize(("table", "vintage"), [("hourly_rates", "rate_vintage"), ("provisioned_power", "power_vintage")])
def test_the_vintage_is_the_newest_that_has_both_systems_or_check_says_what_is_newer(table, vintage):
    """A newer list breaks nothing: the base case is due to be moved, which moves headlines, and `tokcost data check --age` says so."""
    with open(DATA / f"{table}.csv", encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row.get("price_basis", BASE["price_basis"]) == BASE["price_basis"]]
    held = [{row[vintage] for row in rows if row["accelerator"] == name} for name in SYSTEMS]
    newest = max(set.intersection(*held))
    assert BASE[vintage] in set.intersection(*held)
    told = CliRunner().invoke(main, ["data", "check", "--age"]).output
    due = f"older  base_case            {vintage} {BASE[vintage]}, and that of {newest} has both systems too"
    assert (due in told) == (newest != BASE[vintage])


@pytest.mark.parametrize("name", ["electricity_usd_per_kwh", "pue", "average_load_frac", "economic_life_yr", "utilization_frac"])
def test_what_the_operator_pays_is_what_the_operator_pays_in_the_dataset(name):
    """So that no notebook that takes the dataset's inputs and none that takes the base case can differ."""
    assert getattr(reference_deployment(BASE["candidate_accelerator"], BASE["operator"]), name) == BASE[name]


def test_the_price_of_electricity_is_the_latest_of_the_state_of_the_region():
    rows = evidence.load_table("electricity", region="US, Texas", customer="industrial")
    assert rows.sort_values("date")["value"].iloc[-1] == BASE["electricity_usd_per_kwh"]
    assert (evidence.load_table("carbon_intensity", region=BASE["region"])["name"] == "Dallas").all()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_report_can_say_to_when_was_measured_and_of_which_lists_the_prices_are(path):
    """The list is the parameter where one is asked for, else what was used."""
    displayed = [output.get("data", {}) for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
    (foot,) = (data[MIME] for data in displayed if data.get(MIME, {}).get("kind") == "sources")
    assert foot["measured_to"] >= "2026-04" and (defaults(path).get("rate_vintage") or foot["prices_of"])


def test_the_base_burstiness_is_that_of_recorded_chat_services():
    rows = evidence.load_table("traffic", quantity="arrival_cv")
    chats = rows[rows["trace"].isin(["azure_2023_conv", "mooncake_conversation"])]
    assert len(chats) >= 2 and set((chats["value"] * 2).round() / 2) == {BASE["arrival_cv"]}
