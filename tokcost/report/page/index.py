"""The page over all reports of a directory, read from the results that lie there, so that it is never older than they are."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from tokcost import quantities
from tokcost.glossary import terms
from tokcost.report.errors import ReportError
from tokcost.report.page.html import TEMPLATE, css, input_said, named, page_wide, what_if
from tokcost.report.page.markdown import Prose
from tokcost.report.page.record import SCHEMA
from tokcost.report.page.sanitize import text_of
from tokcost.report.page.terms import marked, place
from tokcost.report.request.reading import MOST_NOTEBOOK_BYTES, names_in, read_text
from tokcost.show.text import plain, visible

FAILED = "failed"
#: what `tokcost schedule` keeps of changed answers
FEED = "feed.xml"
#: what every report of a directory with an index links to: relation -> (address, words of the link)
HOME = {"home": ("index.html", "All reports"), "glossary": ("glossary.html", "Glossary")}


def overview(directory: Path, note=lambda sentence: None, trends: dict[str, str] | None = None) -> str:
    """The HTML of `index.html` for the reports in `directory`, in the order of their names, failed ones marked.

    `trends` holds what the history says of a report, as HTML by its name.
    `note` takes a sentence about each result that is not of this version of the project, or damaged, and is left out.
    """
    rows: dict[str, dict] = {}
    for name in names_in(directory, ".json"):
        if name.endswith(".result.json"):
            row = _row(_good, directory / name, note)
            rows |= {row["name"]: row} if row else {}
    for name in names_in(directory / FAILED, ".ipynb"):
        failure = _row(_failure, directory / FAILED / name, note)
        if failure:
            stem = name.removesuffix(".ipynb")
            unknown = {"question": escape(visible(stem)), "name": visible(stem), "answer": "", "href": "", "started": None}
            rows[stem] = unknown | rows.get(stem, {}) | failure
    names = {row.get("group", "") for row in rows.values()}
    ordered: list[dict] = [{"trend": (trends or {}).get(name, "")} | rows[name] for name in sorted(rows)]
    page = (
        _templates()
        .get_template("overview.html.j2")
        .render(
            rows=ordered,
            groups=[(name, [row for row in ordered if row.get("group", "") == name]) for name in sorted(names)],
            n_failed=sum("failure" in row for row in ordered),
            measured_to=max((row.get("measured_to", "") for row in ordered), default=""),
            prices_of=max((row.get("prices_of", "") for row in ordered), default=""),
            base=next((row["inputs"] for row in ordered if row.get("inputs")), []),
            tables=[row | row["table"] for row in ordered if row.get("table")],
            what_ifs=[row["what_if"] for row in ordered if row.get("what_if")],
            moves=HOME,
            feed=FEED if (directory / FEED).is_file() else "",
            **page_wide(),
        )
    )
    return marked(page, HOME["glossary"][0])


def glossary_page() -> str:
    """The HTML of `glossary.html`: every term, and every quantity of the vocabulary once, by its label."""
    defined = sorted(terms().values(), key=lambda term: term.name.casefold())
    counted = sorted(quantities.QUANTITIES.values(), key=lambda quantity: quantity.label.casefold())
    template = _templates().get_template("glossary.html.j2")
    return template.render(terms=[(place(term), term) for term in defined], quantities=counted, css=css(), moves={"home": HOME["home"]})


def _templates():
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader(TEMPLATE / "tokcost"), autoescape=False)


def moves(questions: dict[str, str], name: str) -> dict[str, tuple[str, str]]:
    """From the report `name` to its neighbours among `questions` (name -> its question): relation -> (address, words of the link).

    >>> moves({"01-price": "What is *it*?", "02-why": "Why?", "03-for-whom": ""}, "02-why")
    {'previous': ('01-price.html', 'What is it?'), 'next': ('03-for-whom.html', '03 For whom')}
    """
    ordered = sorted(questions)
    place = ordered.index(name)
    found = {"previous": ordered[max(place - 1, 0) : place], "next": ordered[place + 1 : place + 2]}
    said = Prose().line
    return {way: (_address(one), plain(text_of(said(questions[one]))) or _said(one)) for way, near in found.items() for one in near}


def question_in(result: Path) -> str:
    """The question that a stored result answers; nothing where the file is damaged, of which the index speaks."""
    try:
        return str(json.loads(read_text(result, MOST_NOTEBOOK_BYTES))["question"])
    except (ReportError, ValueError, RecursionError, KeyError, TypeError):
        return ""


def _address(name: str) -> str:
    return quote(os.fsencode(f"{name}.html"))


def _said(name: str) -> str:
    """A report's name in words: its number, then a sentence's capital."""
    words = re.sub(r"[-_]+", " ", visible(name))
    return re.sub(r"^(\d* ?)(.)", lambda found: found[1] + found[2].upper(), words)


def _row(read, path: Path, note) -> dict | None:
    """What `read` finds in a file, or a note of why the index goes without it."""
    try:
        return read(path, json.loads(read_text(path, MOST_NOTEBOOK_BYTES)))
    except (ReportError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        why = str(error) if isinstance(error, ReportError) else f"{path} is damaged, or of another version or program"
        note(f"index.html: {why}; it is left out")
        return None


def _good(path: Path, content: dict) -> dict:
    name = path.name.removesuffix(".result.json")
    if content["schema"] != SCHEMA:
        raise ValueError("another version")
    if not (path.parent / f"{name}.html").is_file():
        raise ReportError(f"{path} has no {name}.html beside it")
    changed = [named(str(key)) for key, value in content["parameters"].items() if value["value"] != value["default"]]
    prose = Prose()
    return {
        "name": visible(name),
        "question": prose.line(content["question"]),
        "group": visible(str(content.get("group", ""))),
        "answer": prose.line(content["answer"]["text"]) if content["answer"] else "",
        "decision": prose.line(content["answer"].get("decision") or "") if content["answer"] else "",
        "inputs": [input_said(given) for given in content["answer"]["inputs"]] if content["answer"] else [],
        "measured_to": str(content.get("measured_to", "")),
        "prices_of": str(content.get("prices_of", "")),
        "table": content.get("index_table")
        and {
            "caption": "One change at a time",
            "rows": [[text_of(str(cell)) for cell in row] for row in content["index_table"]],
        },
        "what_if": content.get("what_if") and what_if(content["what_if"], prose.html(content["what_if"]["text"])),
        "href": _address(name),
        "started": datetime.fromisoformat(content["times"]["started"]),
        "status": _count(len(content["checks"]), "check") + " passed",
        "changed": ", ".join(sorted(changed)),
    }


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _failure(path: Path, content: dict) -> dict:
    note = content["metadata"]["tokcost"]
    return {"failure": str(note["failure"]), "failed": datetime.fromisoformat(note["at"]), "status": f"see {FAILED}/{visible(path.name)}"}
