"""The page over all reports of a directory, read from the results that lie there, so that it is never older than they are."""

from __future__ import annotations

import json
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from tokcost.report.page.html import TEMPLATE, css
from tokcost.report.page.markdown import Prose
from tokcost.report.page.record import SCHEMA

FAILED = "failed"


def overview(directory: Path) -> str:
    """The HTML of `index.html` for the reports in `directory`, in the order of their names, failed ones marked."""
    from jinja2 import Environment, FileSystemLoader

    rows: dict[str, dict] = {}
    for path in sorted(directory.glob("*.result.json")):
        row = _good(path)
        if row:
            rows[row["name"]] = row
    for path in sorted((directory / FAILED).glob("*.ipynb")):
        failure = _failure(path)
        if failure:
            unknown = {"question": escape(path.stem), "name": path.stem, "answer": "", "href": "", "started": None}
            rows[path.stem] = unknown | rows.get(path.stem, {}) | failure
    ordered = [rows[name] for name in sorted(rows)]
    environment = Environment(loader=FileSystemLoader(TEMPLATE / "tokcost"), autoescape=False)
    n_failed = sum("failure" in row for row in ordered)
    return environment.get_template("overview.html.j2").render(rows=ordered, css=css(), n_failed=n_failed)


def _good(path: Path) -> dict | None:
    content = _read(path)
    name = path.name.removesuffix(".result.json")
    if content.get("schema") != SCHEMA or not (path.parent / f"{name}.html").is_file():
        return None
    changed = [key for key, value in content["parameters"].items() if value["value"] != value["default"]]
    prose = Prose()
    return {
        "name": name,
        "question": prose.line(content["question"]),
        "answer": prose.line(content["answer"]["text"]) if content["answer"] else "",
        "href": quote(f"{name}.html"),
        "started": datetime.fromisoformat(content["times"]["started"]),
        "status": _count(len(content["checks"]), "check") + " passed" + (f" · changed: {', '.join(sorted(changed))}" if changed else ""),
    }


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _failure(path: Path) -> dict | None:
    note = _read(path).get("metadata", {}).get("tokcost", {})
    if "failure" not in note:
        return None
    return {"failure": note["failure"], "failed": datetime.fromisoformat(note["at"]), "status": f"see {FAILED}/{path.name}"}


def _read(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
