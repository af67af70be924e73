"""What an executed notebook says, taken apart: its question, its answer, what stands at the foot, and the body between."""

from __future__ import annotations

import copy
import itertools
import re
from dataclasses import dataclass, field

from tokcost.report.errors import ReportFailed
from tokcost.report.execution.kernel import light_import
from tokcost.report.page.rows import Rows, rows_of
from tokcost.report.page.sanitize import text_of
from tokcost.show.text import literal

with light_import():
    from nbformat import NotebookNode
    from nbformat.v4 import new_markdown_cell

MIME = "application/vnd.tokcost.v1+json"

_NUMBER, _TEXT = (int, float, type(None)), (str, type(None))
#: kind of what a cell hands to the report -> what must be in it
HOLDS = {
    "answer": {"text": str, "interval": _TEXT, "inputs": list},
    "result": {"name": str, "value": _NUMBER, "low": _NUMBER, "high": _NUMBER, "unit": _TEXT, "label": str, "note": _TEXT},
    "check": {"claim": str, "left": _NUMBER, "right": _NUMBER, "tolerance": _TEXT},
    "what_if": {"inputs": dict, "span": _NUMBER},
    "sources": {"tables": list, "sources": list, "assumptions": list},
}

#: cells that are for the reader of the notebook, not of the report
LEFT_OUT = {"attempt", "parameters", "injected-parameters", "remove-cell", "notebook-only"}
#: the one figure of the two-minute layer, and the table that the index shows
KEY_FIGURE, INDEX_TABLE = "key-figure", "index-table"
#: what a page folds behind one line, for it proves or trains and changes no answer -> the words of that line
FOLDED = {"check": "checks, all passed", "exercise": "exercises, with worked answers"}
HIDDEN_INPUT = {"remove-input", "remove_input", "hide-input"}

_TITLE = re.compile(r"^\s*#[ \t]+(.+?)[ \t]*#*[ \t]*$", re.M)
_ONLY_HEADING = re.compile(r"\s*(#{1,6})[ \t]+[^\n]*\s*")
_HEADING_LINE = re.compile(r"\s*#{1,6}[ \t]+[^\n]*\n")
_HEADING = re.compile(r"\s*(#{1,6})[ \t]")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)


@dataclass
class Contents:
    """The parts of a report."""

    question: str
    body: list
    answer: dict | None = None
    results: list[dict] = field(default_factory=list)
    checks: list[dict] = field(default_factory=list)
    tables: list[dict] = field(default_factory=list)
    sources: list[dict] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    measured_to: str = ""
    prices_of: str = ""
    rows: list[Rows | None] = field(default_factory=list)
    key_figure: NotebookNode | None = None
    index_table: list[list[str]] = field(default_factory=list)
    what_if: dict | None = None


def split_contents(notebook, name: str, title: str | None = None) -> Contents:
    """The contents of an executed notebook; `title` replaces its own question."""
    cells = [copy.copy(c) for c in notebook.cells if not LEFT_OUT & set(c.metadata.get("tags", []))]
    for cell in cells:  # their outputs are only looked at
        cell.metadata = copy.deepcopy(cell.metadata)
        cell.metadata.pop("fold", None)  # it is the page's own sign
    own = _lift_title(cells)
    contents = Contents(literal(title) if title else own or literal(name), [])
    before = None
    for cell in cells:
        outputs = cell.get("outputs", [])
        kept = [output for output in outputs if not _collect(contents, output, name)]
        if cell.cell_type == "code":
            cell.outputs = kept
            cell.metadata["lifted"] = len(kept) < len(outputs) and not kept
            is_sources = cell.metadata["lifted"] and _kind(outputs[-1]) == "sources"
            if is_sources and before is not None and _ONLY_HEADING.fullmatch(before.source):
                before.metadata["lifted"] = True  # it named what is now at the foot
        before = cell
    body = [c for c in cells if not c.metadata.get("lifted") and c.source.strip()]
    for place, cell in enumerate(body):
        if INDEX_TABLE in cell.metadata.get("tags", []):
            contents.index_table = _cells("".join(output.data.get("text/html", "") for output in cell.outputs if "data" in output))
        if KEY_FIGURE in cell.metadata.get("tags", []):
            contents.key_figure = cell
            body[place] = new_markdown_cell("[Figure 1](#figure-1), at the top of this page, shows it.")
    contents.body = _without_empty_sections(body)
    contents.rows = rows_of(([contents.key_figure] if contents.key_figure else []) + contents.body)
    contents.body = _folded(contents.body)
    return contents


def _folded(body: list) -> list:
    """The cells of a page with a cell before and after each run of checks or exercises, between which the page folds them."""
    found: list = []
    for fold, run in itertools.groupby(body, _fold_of):
        cells = list(run)
        count = sum(fold in cell.metadata.get("tags", []) or fold == "check" for cell in cells)
        if count < 2:
            found += cells
            continue
        if cells[0].cell_type == "markdown" and (heading := _HEADING_LINE.match(cells[0].source)):
            found.append(new_markdown_cell(heading[0]))
            cells[0].source = cells[0].source[heading.end() :]
        says, ends = new_markdown_cell(f"{count} {FOLDED[fold]}"), new_markdown_cell("")
        says.metadata["fold"], ends.metadata["fold"] = "begins", "ends"
        found += [says, *cells, ends]
    return found


def _fold_of(cell) -> str:
    """Which of `FOLDED` a cell belongs to, if any."""
    if {"exercise", "solution"} & set(cell.metadata.get("tags", [])):
        return "exercise"
    return "check" if cell.get("outputs") and all(_kind(output) == "check" for output in cell.outputs) else ""


def _cells(table: str) -> list[list[str]]:
    """The words of a table as it is shown, row by row, its header first."""
    rows = re.findall(r"<tr\b.*?</tr>", table, re.S)
    return [[text_of(cell).strip() for cell in re.findall(r"<t[hd]\b.*?</t[hd]>", row, re.S)] for row in rows]


def question_of(notebook: dict) -> str:
    """The first `# heading` of a notebook, or nothing."""
    return next((found[1] for cell in notebook["cells"] if (found := _title(cell))), "")


def _title(cell) -> re.Match | None:
    """A `# heading` in a cell of Markdown, outside its code."""
    if cell["cell_type"] != "markdown":
        return None
    fences = [m.span() for m in _FENCED.finditer(cell["source"])]
    titles = _TITLE.finditer(cell["source"])
    return next((found for found in titles if not any(start <= found.start(1) < end for start, end in fences)), None)


def _lift_title(cells) -> str | None:
    """The first `# heading`, taken out of its cell."""
    for cell in cells:
        if found := _title(cell):
            cell.source = cell.source[: found.start()] + cell.source[found.end() :]
            return found[1]
    return None


def _kind(output) -> str | None:
    data = output.get("data", {}).get(MIME)
    kind = data.get("kind") if isinstance(data, dict) else None
    return kind if isinstance(kind, str) else None


def _collect(contents: Contents, output, name: str) -> bool:
    """Note what an output hands to the report; True when it is shown there and not in the body."""
    kind, data = _kind(output), output.get("data", {}).get(MIME)
    for key, types in HOLDS.get(kind or "", {}).items():
        if not isinstance(data.get(key), types):
            raise ReportFailed(f"{name}: what a cell hands over as {kind} has no sound `{key}`; let `tc.{kind}` make it")
    if kind == "answer":
        if contents.answer is not None:
            raise ReportFailed(f"{name}: two cells give an answer; a report has one")
        contents.answer = {"decision": "", "detail": "", **data}
    elif kind == "result":
        if any(r["name"] == data["name"] for r in contents.results):
            raise ReportFailed(f"{name}: the result `{data['name']}` is given twice; give each its own name")
        contents.results.append(data)
    elif kind == "what_if":
        contents.what_if = {key: data[key] for key in HOLDS[kind]} | {"text": "".join(output.data.get("text/markdown", ""))}
    elif kind == "check":
        contents.checks.append(data)
    elif kind == "sources":
        contents.tables += [t for t in data["tables"] if t not in contents.tables]
        contents.sources += [s for s in data["sources"] if s not in contents.sources]
        contents.measured_to = max(contents.measured_to, str(data.get("measured_to", "")))
        contents.prices_of = max(contents.prices_of, str(data.get("prices_of", "")))
        contents.assumptions += [a for a in data["assumptions"] if a not in contents.assumptions]
    return kind in ("answer", "result", "sources")


def _without_empty_sections(cells: list) -> list:
    """Drop a cell that is only a heading when what stood under it is gone."""
    kept: list = []
    for cell in reversed(cells):
        heading = _ONLY_HEADING.fullmatch(cell.source) if cell.cell_type == "markdown" else None
        following = next((c for c in reversed(kept) if c.cell_type == "markdown" or c.outputs), None)  # code alone shows nothing
        next_level = 0
        if following is not None and following.cell_type == "markdown" and (starts := _HEADING.match(following.source)):
            next_level = len(starts[1])
        ends_here = following is None or 0 < next_level <= (len(heading[1]) if heading else 0)
        if heading and ends_here:
            continue
        kept.append(cell)
    return kept[::-1]
