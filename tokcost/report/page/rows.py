"""The rows behind each table and figure of a report: numbered, safe to open in a spreadsheet, to take along from the page."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from urllib.parse import quote

from tokcost.show.rows import MIME
from tokcost.show.text import plain, visible
from tokcost.spreadsheet import guarded

_PICTURES = {"image/svg+xml", "image/png", "image/jpeg"}
_CAPTION = re.compile(r"<caption[^>]*>(.*?)</caption>", re.S)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Rows:
    """What one table or figure was made from, as text; `about` is its caption or, of a figure, what it shows."""

    kind: str
    number: int
    about: str
    header: list[str]
    rows: list[list[str]]

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.number}"

    def csv(self) -> str:
        """As CSV, no cell of which a spreadsheet takes for a formula."""
        target = io.StringIO()
        csv.writer(target).writerows([guarded(cell) for cell in row] for row in [self.header, *self.rows])
        return target.getvalue()

    def link(self, report: str) -> str:
        """The link that saves the rows: they are inside the page, so that it asks nobody for them. A figure has it in its caption."""
        rows = f"{len(self.rows):,} {'row' if len(self.rows) == 1 else 'rows'}"
        address = "data:text/csv;charset=utf-8," + quote(self.csv(), safe="/,:;()*+@$!~?=")
        link = f'<a download="{report}-{self.name}.csv" href="{address}">data (CSV, {rows})</a>'
        return link if self.kind == "figure" else f'<p class="take">Table {self.number} · {link}</p>'


def rows_of(cells: list) -> list[Rows | None]:
    """For each output of `cells` that shows a table or a figure, in order: what it was made from, None where it does not say."""
    found: list[Rows | None] = []
    count = {"table": 0, "figure": 0}
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        kind = kind_of(output)
        if kind:
            count[kind] += 1
            found.append(_rows(output.data, kind, count[kind]))
    return found


def kind_of(output) -> str | None:
    """Whether an output is a table, a figure, or neither: what a reader counts."""
    data = output.get("data", {})
    if "text/html" in data:
        return "table" if MIME in data else None
    return "figure" if _PICTURES & set(data) else None


def _rows(data, kind: str, number: int) -> Rows | None:
    if MIME not in data:
        return None
    lines = [[visible(cell) for cell in row] for row in csv.reader(io.StringIO("".join(data[MIME])))]
    caption = _CAPTION.search("".join(data.get("text/html", "")))
    about = plain(_TAG.sub("", caption[1])) if caption else visible("".join(data.get("text/plain", "")))
    return Rows(kind, number, about, lines[0], lines[1:]) if lines else None
