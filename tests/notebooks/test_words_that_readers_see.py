"""Every report of the suite as its readers see it: labels, never identifiers; terms that are explained; pages that can be sent."""

import re
from html import unescape
from pathlib import Path

import pytest

from tokcost.evidence import load_table
from tokcost.quantities import LABELS

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
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
