"""Every notebook, executed by Papermill with inputs that differ from its own, is a report that one would send.

A scenario is a report definition in `scenarios/`; a notebook without one fails here.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def result(reports, scenario) -> dict:
    return json.loads((reports / f"{scenario.stem}.result.json").read_text(encoding="utf-8"))


def test_every_notebook_has_a_scenario_that_changes_something():
    covered = {}
    for path in SCENARIOS:
        definition = tomllib.loads(path.read_text(encoding="utf-8"))
        covered[Path(definition["notebook"]).stem] = definition.get("parameters", {})
    assert sorted(covered) == [n.stem for n in NOTEBOOKS]
    assert all(covered.values()), "a scenario must set at least one parameter"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda p: p.stem)
def test_the_scenario_reaches_the_report(reports, scenario):
    wanted = tomllib.loads(scenario.read_text(encoding="utf-8"))["parameters"]
    made = result(reports, scenario)["parameters"]
    got = {p["name"]: p["value"] for p in made} if isinstance(made, list) else {name: p["value"] for name, p in made.items()}
    # Of a path only the last name is published.
    shown = {name: Path(value).name if name.endswith("_path") else value for name, value in wanted.items()}
    assert {name: got[name] for name in wanted} == shown


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda p: p.stem)
def test_a_report_answers_its_question_and_passes_its_checks(reports, scenario):
    made = result(reports, scenario)
    assert made["answer"]["text"]
    assert len(made["checks"]) >= 2 and all(check["passed"] for check in made["checks"])
    assert made["results"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda p: p.stem)
def test_a_report_stands_alone_and_is_small(reports, scenario):
    html = (reports / f"{scenario.stem}.html").read_text(encoding="utf-8")
    assert len(html.encode()) < 1_000_000
    assert not re.search(r"<script|<link[^>]+href=[\"']http|src=[\"']http|@import|url\(http", html)
    assert "NaN" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda p: p.stem)
def test_a_report_is_accessible_and_asks_the_network_for_nothing(reports, scenario, chromium_browser):
    from axe_playwright_python.sync_playwright import Axe

    for width, scheme in ((1280, "light"), (390, "dark")):
        context = chromium_browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        requests = []
        page.on("request", lambda r, requests=requests: requests.append(r.url))
        page.goto((reports / f"{scenario.stem}.html").as_uri())
        assert [u for u in requests if not u.startswith(("file:", "data:"))] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
        found = Axe().run(page).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        context.close()


def test_reports_say_the_same_numbers_as_their_notebooks_when_nothing_is_changed(tmp_path):
    """The committed outputs are the default report: same results, cell for cell."""
    stem = NOTEBOOKS[1].stem
    run = subprocess.run(
        [Path(sys.executable).with_name("tokcost"), "report", stem, "--output", tmp_path, "-q"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    executed = nbformat.read(tmp_path / f"{stem}.ipynb", as_version=4)
    committed = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)

    def said(notebook):
        return [o["data"].get("text/plain") for c in notebook.cells for o in c.get("outputs", []) if "data" in o]

    assert said(executed) == said(committed)
