"""One executed notebook in, one HTML page out that needs nothing else: no request, images and formulas inside, one script of our own."""

from __future__ import annotations

import base64
import copy
import functools
import hashlib
import json
import re
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tokcost import quantities
from tokcost.labels import column_label
from tokcost.report import data_directory
from tokcost.report.execution.kernel import light_import
from tokcost.report.execution.run import Run
from tokcost.report.page import figures
from tokcost.report.page.age import aged, stale
from tokcost.report.page.citation import AUTHORS, Citation, data_fingerprint
from tokcost.report.page.contents import HIDDEN_INPUT, MIME, Contents
from tokcost.report.page.markdown import Prose, scrollable
from tokcost.report.page.record import versions
from tokcost.report.page.rows import kind_of
from tokcost.report.page.sanitize import sanitize, table_styles, text_of
from tokcost.report.page.sources import by_publisher, licences
from tokcost.report.page.terms import marked
from tokcost.show.numbers import holds, label_text, num, percent, times, unit_beside, usd
from tokcost.show.text import plain, shown

#: a table of more rows is there for those who want to look something up
MOST_OPEN_ROWS = 5
#: of a longer label what follows its colon is folded
LONGEST_LABEL = 60
#: the tags of a cell whose table is the point, however long, and of one whose table is for looking up, however short
OPEN_TABLE, FOLDED_TABLE = "open-table", "folded-table"

TEMPLATE = Path(__file__).parent / "template"
#: what a reader moves in a page, and the price that it is held against
MOVED = ("rate_usd_per_gpu_h", "total_tok_per_s_per_gpu", "utilization_frac", "price_usd_per_mtok")
_TABLE_ENDS = re.compile(r"<(/?)table\b[^>]*>")
_CAPTION = re.compile(r"<caption[^>]*>(.*?)</caption>", re.S)
_WIDGET = "application/vnd.jupyter.widget-view+json"
_ROWS = re.compile(r"<tr\b")
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-f]+>")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def render(
    run: Run,
    contents: Contents,
    *,
    show_code: bool = False,
    one_page: bool = False,
    links: dict[str, str] | None = None,
    moves: dict[str, tuple[str, str]] | None = None,
    since: str = "",
    warn=lambda sentence: None,
) -> str:
    """The page of a report. `links` maps notebook file names to report file names.

    With `one_page` the printed page holds the summary and no more. `moves` maps a relation (home, next) to the address and the words
    of a link; `since` is what the page says of the run before; `warn` takes what the page lacks.
    """
    prose = Prose(links, run.job.notebook.parent, warn)
    page = exporter()
    page.filters_of(prose, _Outputs(prose, warn, [rows and rows.link(run.job.name) for rows in contents.rows]))
    for cell in contents.body:
        cell.metadata["hide_code"] = bool(HIDDEN_INPUT & set(cell.metadata.get("tags", [])))
    notebook = copy.copy(run.notebook)
    notebook["cells"] = contents.body
    about = {"report": _facts(run, contents, prose), "key_figure": contents.key_figure, "moves": moves or {}, "since": since}
    resources = {"show_code": show_code, "one_page": one_page, **about, **page_wide()}
    html, _ = page.from_notebook_node(notebook, resources)
    return marked(re.sub(r"\n{2,}", "\n", html) if "<pre" not in html else html, (moves or {}).get("glossary", ("",))[0])


@functools.cache
def css() -> str:
    return (TEMPLATE / "tokcost" / "style.css").read_text(encoding="utf-8").strip()


@functools.cache
def page_wide() -> dict[str, str]:
    """What every page carries: its style, its one script, and the hash by which the page's policy lets this script run and no other."""
    script = (TEMPLATE / "tokcost" / "page.js").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode("ascii")
    return {"css": css(), "script": script, "script_hash": f"sha256-{digest}"}


@functools.cache
def exporter():
    """The one exporter: its template is compiled once for all reports of a run."""
    with light_import():
        from nbconvert.exporters.html import HTMLExporter
        from nbconvert.exporters.templateexporter import TemplateExporter

    class ReportExporter(HTMLExporter):
        """nbconvert with our template, and without the second parse of the page that only adds what we have."""

        def filters_of(self, prose: Prose, outputs: _Outputs):
            self.register_filter("prose", prose.html)
            self.register_filter("shown", outputs.html)
            self.register_filter("highlighted", _highlighted)

        def from_notebook_node(self, nb, resources=None, **options):
            return TemplateExporter.from_notebook_node(self, nb, resources, **options)

        def _init_resources(self, resources):
            return TemplateExporter._init_resources(self, resources)

    exporter = ReportExporter(template_name="tokcost", extra_template_basedirs=[str(TEMPLATE)])
    exporter.default_preprocessors = []
    exporter._init_preprocessors()
    exporter.filters_of(nothing := Prose(), _Outputs(nothing, None, []))
    exporter.template  # noqa: B018 # is compiled now, with the filters that it names
    return exporter


def _highlighted(source: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(source, PythonLexer(), HtmlFormatter(nowrap=False)).strip()


class _Outputs:
    """The outputs of code cells as HTML."""

    def __init__(self, prose: Prose, warn, links: list[str | None]):
        self.prose, self.warn, self.dark, self.links = prose, warn, figures.palette(), iter(links)
        self.n_figures = 0

    def html(self, output, tags: Sequence[str] = ()) -> str:
        return self._shown(output, (kind_of(output) and next(self.links)) or "", frozenset(tags))

    def _shown(self, output, take: str, tags: frozenset[str]) -> str:
        if output.output_type == "stream":
            return _preformatted(output.text) if output.name == "stdout" else ""
        data = output.get("data", {})
        if _WIDGET in data:
            data = {kind: shown for kind, shown in data.items() if kind not in (_WIDGET, "text/plain")}
            instead = "shown is what it looked like" if data else "display beside it what it shows, such as a table or a figure"
            self.warn(f"a widget is left out: a page runs nothing; {instead}")
        if {"image/svg+xml", "image/png", "image/jpeg"} & set(data) and "text/html" not in data:
            self.n_figures += 1
            return figures.figure(data, self.dark, self.warn, number=self.n_figures, take=take) + "\n"
        if "text/html" in data and not (MIME in data and "text/markdown" in data):
            return self.cleaned("".join(data["text/html"]), take, tags)
        if "text/markdown" in data:
            html = self.prose.html("".join(data["text/markdown"]))
            own = data.get(MIME, {})
            if own.get("kind") == "what_if":
                return what_if(own, html)
            return html.replace("<p>", '<p class="check">', 1) if own.get("kind") == "check" else html
        if "text/latex" in data:
            return self.prose.html("".join(data["text/latex"]))
        text = "".join(data.get("text/plain", ""))
        if not text or _ADDRESS.search(text):  # what an object is called in memory tells nobody anything
            return ""
        return _preformatted(text)

    def cleaned(self, html: str, take: str = "", tags: frozenset[str] = frozenset()) -> str:
        """HTML that a cell made: nothing in it runs or is loaded, tables scroll by themselves; below them what a reader can take."""
        html = shown(html)
        safe = _scrolling(sanitize(html, self.warn), tags)
        folds = safe.endswith("</details>")
        body = safe.removesuffix("</details>") + take + "</details>" if folds else safe + take
        return table_styles(html, self.warn) + body + "\n"


def what_if(given: dict, html: str) -> str:
    """A sentence whose inputs a reader moves: the page's script adds the rest."""
    numbers = {"inputs": {name: float(given["inputs"][name]) for name in MOVED}, "span": float(given["span"])}
    return f'<div class="what-if" data-what-if="{escape(json.dumps(numbers))}">{html}</div>'


def _preformatted(text: str) -> str:
    return f'<pre tabindex="0">{escape(shown(_ANSI.sub("", text)))}</pre>\n'


def _scrolling(html: str, tags: frozenset[str]) -> str:
    """Each outermost table of well-formed `html` in a region that scrolls."""
    parts, depth, start, end = [], 0, 0, 0
    for found in _TABLE_ENDS.finditer(html):
        depth += -1 if found[1] else 1
        if depth == 1 and not found[1]:
            start = found.start()
        elif depth == 0:
            parts += [html[end:start], _table(html[start : found.end()], tags)]
            end = found.end()
    return "".join([*parts, html[end:]])


def _table(table: str, tags: frozenset[str]) -> str:
    """A table in a region that scrolls; a long one with a caption is folded behind it, unless its cell says otherwise."""
    caption = _CAPTION.search(table)
    shown = scrollable(table, plain(text_of(caption[1])) if caption else "Table")
    n_rows = len(_ROWS.findall(table.partition("<tbody>")[2]))
    if OPEN_TABLE in tags or not caption or (n_rows <= MOST_OPEN_ROWS and FOLDED_TABLE not in tags):
        return shown
    return f'<details class="long"><summary>{text_of(caption[1])}<small>{n_rows} rows</small></summary>{shown}</details>'


def _facts(run: Run, contents: Contents, prose: Prose) -> dict:
    """What the template shows around the body."""
    parameters = [
        {
            "name": s.parameter.name,
            "value": exact(s.value),
            "default": exact(s.parameter.default),
            "is_text": isinstance(s.value, str),
            "said": (named(s.parameter.name), *(_said(s.parameter.name, value) for value in (s.value, s.parameter.default))),
            "unit": s.parameter.unit,
            "meaning": prose.line(s.parameter.meaning),
            "allowed": s.parameter.allowed,
            "changed": s.changed,
        }
        for s in run.settings
    ]
    answer = contents.answer and {
        **{part: prose.line(contents.answer[part]) for part in ("text", "decision", "detail")},
        "interval": contents.answer["interval"] and prose.line(contents.answer["interval"]),
        "inputs": [input_said(given) for given in contents.answer["inputs"]],
    }
    prices_of = next((str(s.value) for s in run.settings if s.parameter.name == "rate_vintage"), contents.prices_of)
    question = prose.line(contents.question)
    title, made_with = plain(text_of(question)), versions()
    return {
        "title_text": title,
        "kicker": "What inference really costs",
        "question": question,
        "started": run.started,
        "measured_to": aged(contents.measured_to, run.started),
        "prices_of": aged(prices_of, run.started),
        "stale": stale(contents.tables, run.started),
        "seconds": run.seconds,
        "answer": answer,
        "results": [_headline(r, prose) for r in contents.results],
        "parameters": parameters,
        "changed": [row for row in parameters if row["changed"]],
        "contents": lambda: [(text, name) for level, text, name in prose.headings if level == 2],
        "n_sources": len(contents.sources),
        "sources": by_publisher(contents.sources),
        "licences": licences(contents.sources),
        "assumptions": [prose.line(a) for a in contents.assumptions],
        "n_checks": len(contents.checks),
        "tables": contents.tables,
        "foreign": data_directory.foreign(contents.tables),
        "versions": list(made_with.items()),
        "authors": AUTHORS,
        "citation": Citation(run.job.name, title, made_with["tokcost"], data_fingerprint(contents.tables), run.started),
        "command": command(run),
        "result_file": f"{run.job.name}.result.json",
    }


def exact(value) -> str:
    """A parameter as it was given, with thousands separated.

    >>> exact(15667.0), exact(0.45), exact(True), exact("h200")
    ('15,667', '0.45', 'true', 'h200')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:,.12g}"


def quantity(name: str, value, unit: str, digits: int = 3) -> tuple[str, str]:
    """A number and its unit as people say them; text as its label.

    >>> quantity("total_token_cost_usd_per_mtok", 4.2045, "USD per million tokens")
    ('$4.20', 'per million tokens')
    >>> quantity("utilization_frac", 0.45, ""), quantity("isl", 8192.0, "")
    (('45%', ''), ('8,192', ''))
    """
    if value is None:
        return "not reached", ""
    if isinstance(value, str):
        return label_text(name, value), unit
    suffix = quantities.unit(name)
    if suffix == "frac":
        return percent(value, digits), ""
    if suffix == "ratio":
        return times(value), ""
    if unit.startswith("USD"):
        rest = unit.removeprefix("USD").strip()
        return usd(value, digits), f"per {rest[1:]}" if rest.startswith("/") else rest
    return num(value), unit


def input_said(given: dict) -> dict:
    value, unit = quantity(given["name"], given["value"], unit_beside(given["label"], given["unit"]))
    if isinstance(given["value"], float) and value[-1:].isdigit():  # what was put in is shown as it was put in, not rounded
        exact = f"{given['value']:,.10g}"
        value = value if float(value.lstrip("$").replace(",", "")) == given["value"] else ("$" if value.startswith("$") else "") + exact
    return {"label": given["label"], "value": value, "unit": unit}


def named(parameter: str) -> str:
    """A parameter as people call it.

    >>> named("utilization_frac"), named("price_basis")
    ('Utilization', 'Price basis')
    """
    known = quantities.find(parameter)
    return quantities.phrase(parameter) if known else column_label(parameter)


def _said(name: str, value: object) -> str:
    """The value of a parameter as people say it, with its unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return label_text(name, str(value))
    unit = quantities.UNITS.get(quantities.unit(name) or "", ("", ""))[0]
    said = input_said({"name": name, "label": "", "value": float(value), "unit": unit})
    return f"{said['value']} {said['unit']}".strip()


def _headline(result: dict, prose: Prose) -> dict:
    label = unit_beside(result["label"], quantities.UNITS.get(result["unit"], ("", ""))[0])
    given = [result[part] for part in ("value", "low", "high") if isinstance(result[part], (int, float))]
    digits = 2 if given and all(holds(float(one), 2) for one in given) else 3
    value, unit = quantity(result["name"], result["value"], label, digits)
    if result["value"] is None:
        value = result.get("missing", value)
    span = ""
    if result["low"] is not None and result["high"] is not None:
        span = " to ".join(quantity(result["name"], result[end], label, digits)[0] for end in ("low", "high"))
    note = prose.line(result["note"]) if result["note"] else ""
    name, _, which = result["label"].partition(": ") if len(result["label"]) > LONGEST_LABEL else (result["label"], "", "")
    return {"label": name, "which": which, "value": value, "unit": unit, "span": span, "note": note}


def command(run: Run) -> str:
    """The command line that makes this report again, whatever file its values came from."""
    changed = [f"-p {shlex.quote(f'{s.parameter.name}={exact_text(s.value)}')}" for s in run.settings if s.changed]
    notebook = run.job.notebook
    in_suite = notebook.resolve().parent.name == "notebooks"
    return " ".join(["tokcost report", shlex.quote(notebook.stem if in_suite else notebook.name), *changed])


def exact_text(value) -> str:
    """A value as `-p` reads it back."""
    return str(value).lower() if isinstance(value, bool) else str(value)
