"""What a reader does with a page: look a term up, take the data along, go to the next report, cite it. Also by key and finger."""

import csv
import json
import re

import pytest

from tokcost.report.page.citation import AUTHORS
from tokcost.report.page.terms import marked

TABLE = """import pandas as pd
import tokcost as tc
tc.table(pd.DataFrame({"accelerator": ["=1+1", "h200"], "rate_usd_per_gpu_h": [1.23456789, 2.5]}), "Prices of an hour")"""
FIGURE = (
    """tc.plot_bars(pd.DataFrame({"label": ["a", "b"], "cost_usd": [1.0, 2.0]}), value="cost_usd", alt="b costs twice as much as a.")"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokcost, notebook):
    """Two short reports with their index, their glossary and their tables."""
    work = tmp_path_factory.mktemp("reading")
    cells = [
        ("markdown", "# What does it cost?\n\nA GPU writes tokens; of tokens there are many."),
        ("code", "rate_usd_per_gpu_h = 1.41  # price of a GPU-hour, 0.1 to 100", "parameters"),
        ("markdown", "## The prices\n\nBelow."),
        ("code", TABLE),
        ("code", FIGURE),
    ]
    for stem in ("01-cost", "02-speed"):
        notebook(work / f"{stem}.ipynb", *cells)
    run = tokcost("report", "01-cost.ipynb", "02-speed.ipynb", "--tables", "-o", "out", cwd=work)
    assert run.status == 0, run.err
    return work / "out"


@pytest.fixture
def tab(chromium_browser, folder):
    context = chromium_browser.new_context(viewport={"width": 1280, "height": 900}, has_touch=True, offline=True, accept_downloads=True)
    page = context.new_page()
    page.goto((folder / "01-cost.html").as_uri())
    yield page
    context.close()


def test_a_term_is_explained_at_its_first_use_by_pointer_key_and_finger(tab):
    term = tab.locator("dfn button", has_text="tokens")
    assert term.count() == 1 and "three quarters of a word" in term.get_attribute("title")
    meaning = tab.locator("[popover]", has_text="three quarters of a word")
    assert not meaning.is_visible()
    term.focus()
    tab.keyboard.press("Enter")
    assert meaning.is_visible()
    tab.keyboard.press("Escape")
    assert not meaning.is_visible()
    term.tap()
    assert meaning.is_visible()
    meaning.get_by_role("link", name="Glossary").click()
    assert tab.url.endswith("glossary.html#term:token") and tab.locator(":target").inner_text() == "token"


def test_a_term_in_a_heading_a_link_or_code_stays_as_it_is():
    page = "<main><h2>TTFT</h2><p><a href='#a'>TTFT</a> <code>TTFT</code></p><table><tr><td>TTFT</td></tr></table></main>"
    assert marked(page) == page


def test_the_rows_of_a_table_are_saved_without_a_request_and_run_in_no_spreadsheet(tab, folder):
    with tab.expect_download() as caught:
        tab.get_by_role("link", name="data (CSV, 2 rows)").first.click()
    assert caught.value.suggested_filename == "01-cost-table-1.csv"
    saved = caught.value.path().read_text(encoding="utf-8")
    rows = list(csv.reader(saved.splitlines()))
    assert rows == [["accelerator", "rate_usd_per_gpu_h"], ["'=1+1", "1.23456789"], ["h200", "2.5"]]
    assert saved.splitlines() == (folder / "01-cost.tables" / "table-1.csv").read_text(encoding="utf-8").splitlines()
    assert (folder / "01-cost.tables" / "figure-1.csv").is_file() and (folder / "01-cost.xlsx").read_bytes().startswith(b"PK")


def test_tables_of_an_earlier_run_that_showed_more_are_gone(folder, tokcost):
    left_over = folder / "01-cost.tables" / "table-9.csv"
    left_over.write_text("a\n1\n")
    assert tokcost("report", "01-cost.ipynb", "--tables", "-o", "out", cwd=folder.parent).status == 0
    assert not left_over.exists() and (folder / "01-cost.tables" / "table-1.csv").is_file()


def test_a_reader_goes_on_back_and_home(tab):
    tab.get_by_role("navigation", name="Reports", exact=True).get_by_role("link", name="Next: What does it cost?").click()
    assert tab.url.endswith("02-speed.html")
    tab.get_by_role("navigation", name="Reports", exact=True).get_by_role("link", name="Previous: What does it cost?").click()
    tab.get_by_role("navigation", name="Reports", exact=True).get_by_role("link", name="All reports").click()
    assert tab.url.endswith("index.html")


def test_a_heading_has_an_address(tab):
    assert tab.get_by_role("link", name="Link to: The prices").get_attribute("href") == "#the-prices"


def test_a_report_says_how_to_cite_it_and_links_its_numbers(tab, folder):
    entry = tab.locator("code", has_text="@misc{").text_content()
    assert "title = {{What does it cost?}}" in entry and entry.count("{") == entry.count("}") and AUTHORS in entry
    address = tab.get_by_role("link", name="01-cost.result.json").get_attribute("href")
    assert json.loads((folder / address).read_text())["name"] == "01-cost"


def test_the_project_is_cited_by_its_own_name():
    from pathlib import Path

    assert f'name: "{AUTHORS}"' in (Path(__file__).parents[3] / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_glossary_is_accessible_and_no_wider_than_the_screen(chromium_browser, folder, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    context = chromium_browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.goto((folder / "glossary.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []
    assert not re.search(r"<script|url\(", page.content())
    context.close()


def test_the_index_is_searched_by_words_in_any_order_and_says_how_many_are_left(chromium_browser, tmp_path):
    from axe_playwright_python.sync_playwright import Axe

    from tokcost.report.page.index import overview

    times = {"started": "2026-11-27T10:00:00+00:00", "seconds": 1}
    empty = {"schema": 1, "answer": None, "results": [], "checks": [], "parameters": {}, "times": times}
    for name in ("berlin-low", "berlin-high", "austin-low", "oslo", "paris"):
        (tmp_path / f"{name}.result.json").write_text(json.dumps(empty | {"question": f"What of {name}?"}))
        (tmp_path / f"{name}.html").write_text("")
    (tmp_path / "index.html").write_text(overview(tmp_path))
    tab = chromium_browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    tab.goto((tmp_path / "index.html").as_uri())
    field = tab.get_by_role("searchbox", name="Search these reports")
    field.fill("LOW berlin")
    assert tab.locator("ol.reports li:visible h2").all_inner_texts() == ["What of berlin-low?"]
    assert tab.locator(".search [role=status]").inner_text() == "1 of 5"
    assert [v["id"] for v in Axe().run(tab).response["violations"] if v["impact"] in ("serious", "critical")] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    field.fill("")
    assert tab.locator("ol.reports li:visible").count() == 5 and tab.locator(".search [role=status]").inner_text() == ""
    tab.close()
