"""Every notebook, executed by Papermill with inputs that differ from its own, is a report that one would send.

A scenario is a report definition in `scenarios/`; a notebook without one fails here.
"""

import json
import re
import tomllib
from html import unescape
from pathlib import Path

import nbformat
import pytest

from tokcost.evidence import load_table
from tokcost.quantities import LABELS

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
    assert len(made["answer"]["text"].split()) <= 25, "one sentence that is read at a glance"
    assert len(made["answer"]["decision"].split()) <= 40
    assert len(made["checks"]) >= 2 and all(check["passed"] for check in made["checks"])
    assert made["results"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda p: p.stem)
def test_a_report_stands_alone_and_is_small(reports, scenario):
    html = (reports / f"{scenario.stem}.html").read_text(encoding="utf-8")
    assert len(html.encode()) < 1_000_000
    assert html.count("<script>") == 1, "the page's own"
    assert not re.search(r"<script |<link[^>]+href=[\"']http|src=[\"']http|@import|url\(http", html)
    assert "NaN" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)


#: of the pictures of a page as they show: words that stick out of their picture, and words smaller than 12 pixels
ILL_SET = """async () => {
  const found = [];
  for (const picture of document.querySelectorAll("figure img")) {
    const holder = document.createElement("div");
    holder.style.cssText = `position:absolute;top:0;left:0;width:${picture.getBoundingClientRect().width}px`;
    const bytes = Uint8Array.from(atob(picture.currentSrc.split(",")[1]), (c) => c.charCodeAt(0));
    holder.innerHTML = new TextDecoder().decode(bytes);
    document.body.append(holder);
    const svg = holder.querySelector("svg");
    svg.style.width = "100%"; svg.style.height = "auto";
    const frame = svg.getBoundingClientRect();
    const scale = frame.width / svg.viewBox.baseVal.width;
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 2 || box.bottom > frame.bottom + 2)
        found.push(`sticks out: ${text.textContent}`);
      if (parseFloat(getComputedStyle(text).fontSize) * scale < 11.9) found.push(`too small: ${text.textContent}`);
    }
    holder.remove();
  }
  return found;
}"""


def test_a_figure_tells_its_values_to_a_mouse_a_finger_and_the_keyboard(reports, chromium_browser):
    """The digits told are those of the picture's own axes; nothing is shown until somebody points."""
    for width, touch in ((1280, False), (390, True)):
        context = chromium_browser.new_context(viewport={"width": width, "height": 900}, has_touch=touch)
        page = context.new_page()
        page.goto((reports / f"{SCENARIOS[1].stem}.html").as_uri())
        figure = page.locator("figure[data-values]").first
        values = json.loads(figure.get_attribute("data-values"))
        told = figure.locator("[role=status]")
        assert told.inner_text() == ""
        figure.focus()
        page.keyboard.press("ArrowRight")
        assert told.inner_text() == values[0][0]
        page.keyboard.press("ArrowLeft")
        assert told.inner_text() == values[-1][0]
        page.keyboard.press("Escape")
        assert told.inner_text() == ""
        box = figure.locator("img").bounding_box()
        text, *places = values[0]
        across, down = places[2:] if touch else places[:2]
        point = {"x": box["x"] + across / 100 * box["width"], "y": box["y"] + down / 100 * box["height"]}
        page.touchscreen.tap(**point) if touch else page.mouse.move(**point)
        assert told.inner_text() == text
        context.close()


@pytest.fixture(scope="module")
def tab(chromium_browser):
    """One tab for one report after another: a process of the browser that has read axe before."""
    with chromium_browser.new_context(bypass_csp=True) as context:
        yield context.new_page()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda p: p.stem)
def test_a_report_is_accessible_on_a_desk_and_in_the_dark_on_a_phone_where_every_word_of_a_figure_is_legible(reports, scenario, tab):
    from axe_playwright_python.sync_playwright import Axe

    page, requests = tab, []
    page.on("request", lambda r: requests.append(r.url))
    page.goto((reports / f"{scenario.stem}.html").as_uri())
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
        found = Axe().run(page).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert page.locator("figure").count() and page.locator("figure picture source").count() == page.locator("figure").count()
    assert page.evaluate(ILL_SET) == []
    assert [u for u in requests if not u.startswith(("file:", "data:"))] == [], "a report asks the network for nothing"


def test_reports_say_the_same_numbers_as_their_notebooks_when_nothing_is_changed(tmp_path, tokcost):
    """The committed outputs are the default report: same results, cell for cell."""
    stem = NOTEBOOKS[1].stem
    run = tokcost("report", stem, "--output", tmp_path, "-q", cwd=ROOT)
    assert run.status == 0, run.err
    executed = nbformat.read(tmp_path / f"{stem}.ipynb", as_version=4)
    committed = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)

    def said(notebook):
        return [o["data"].get("text/plain") for c in notebook.cells for o in c.get("outputs", []) if "data" in o]

    assert said(executed) == said(committed)


#: every page of the directory, as its readers see it: labels, never identifiers; terms that are explained
PAGES = [*(path.stem for path in SCENARIOS), "index", "glossary"]
#: what people write themselves: dates, and words that are the same in lower case
_DATE = re.compile(r"\d{4}(-\d{2})*")


def visible_text(html: str) -> str:
    """What a reader meets in the flow of the page: no code (what is typed), no list of sources (what is looked up)."""
    body = html[html.index("<body") :]
    body = re.sub(r"<(code|pre|script|style)\b.*?</\1>", " ", body, flags=re.S)
    body = re.sub(r'<ul class="sources">.*?</details>', " ", body, flags=re.S)
    return unescape(re.sub(r"<[^>]+>", " ", body))


@pytest.fixture(scope="module")
def identifiers():
    """Values of the dataset's columns of identifiers that are no words: what holds a digit or an underscore."""
    rows, sources = load_table("inference"), load_table("sources")
    found = {value for values in LABELS.values() for value in values}
    found |= set(rows["model"]) | set(rows["campaign"]) | set(sources["source_id"]) | set(load_table("claims")["claim_id"])
    return {value for value in found if re.search(r"[\d_]", value) and not _DATE.fullmatch(value)}


@pytest.mark.parametrize("name", PAGES)
def test_no_identifier_faces_a_reader(reports, identifiers, name):
    said = visible_text((reports / f"{name}.html").read_text(encoding="utf-8"))
    words = set(re.findall(r"(?<![\w/.@-])[\w.-]*\w(?![\w/])", said))
    snakes = {word for word in words if re.fullmatch(r"[A-Za-z0-9]+(?:_[A-Za-z0-9.]+)+", word)}
    assert snakes | (words & identifiers) == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_sent_by_mail(reports, name):
    assert len((reports / f"{name}.html").read_bytes()) < 400_000


@pytest.mark.parametrize("name", [path.stem for path in SCENARIOS])
def test_the_first_token_of_a_page_is_explained(reports, name):
    page = (reports / f"{name}.html").read_text(encoding="utf-8")
    assert re.search(r'<dfn><button type="button" popovertarget="term:token" title="The unit in which', page)
    assert page.count('popovertarget="term:token"') == 1


@pytest.mark.parametrize("name", [path.stem for path in SCENARIOS])
def test_every_table_and_figure_of_numbers_can_be_taken_along(reports, name):
    page = (reports / f"{name}.html").read_text(encoding="utf-8")
    n_tables, n_figures = page.count('<table class="tokcost">'), page.count("<figure")
    taken = re.findall(rf'download="{name}-(table|figure)-\d+\.csv"', page)
    assert taken.count("table") == n_tables == len(list((reports / f"{name}.tables").glob("table-*.csv")))
    assert n_figures - page.count('alt="An iceberg.') == taken.count("figure")


def test_the_summary_for_a_board_fits_one_a4_page_and_says_what_decides(reports, chromium_browser):
    tab = chromium_browser.new_page()
    tab.goto((reports / "99-executive-summary.html").as_uri())
    printed = tab.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    tab.emulate_media(media="print")
    text = tab.inner_text("body")
    for part in ("Decide", "Range", "Three drivers", "What would flip it", "nine times in ten"):
        assert part.lower() in text.lower()
    assert tab.locator(".summary figure img").first.is_visible()
    assert not tab.locator("main > p").first.is_visible()
    tab.close()
