"""What a notebook lets a reader change: its `parameters` cell, read without running it, and strictly checked.

One cell is tagged `parameters`; each of its lines reads `name = literal  # meaning, LOW to HIGH` or
`name = literal  # meaning; one of: a, b, c`, or `; one of: region in carbon_intensity.csv` where a column of a data table
lists them, or `; any text: a file or a folder` where any will do. The quantity that a name ends in adds its unit and its
plausible range. A line that is a comment only may say what does not go together.
"""

from __future__ import annotations

import ast
import csv
import io
import math
import re
import tokenize
from dataclasses import dataclass, replace
from pathlib import Path

from tokcost import quantities
from tokcost.report import data_directory
from tokcost.report.errors import ReportError
from tokcost.report.request.hints import fix, said
from tokcost.report.request.reading import MOST_NOTEBOOK_BYTES, read_notebook, read_text

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(?:(?P<meaning>.*?)[,;]\s+)?(?P<low>{_NUMBER}) to (?P<high>{_NUMBER})")
_CHOICES = re.compile(r"(?:(?P<meaning>.*?)[,;]\s+)?one of:\s*(?P<choices>.+)")
_COLUMN = re.compile(r"(?P<column>\w+) in (?P<table>\w+\.csv)")
_ANY_TEXT = re.compile(r"(?:(?P<meaning>.*?)[,;]\s+)?any text(?::\s*(?P<kind>.+))?")
_PLAIN_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell."""

    name: str
    default: bool | int | float | str
    meaning: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str | int | float, ...] = ()
    #: what a text holds, in words ("a file or a folder"), where it is free or its choices are too many to list
    holds: str = ""
    #: the data table that its choices are a column of
    table: str = ""

    @property
    def unit(self) -> str:
        """The unit as people write it, from the vocabulary."""
        suffix = quantities.unit(self.name)
        return quantities.UNITS[suffix][0] if suffix else ""

    @property
    def allowed(self) -> str:
        """What it may be, in words: a range, the choices, or the kind of value."""
        if self.choices:
            return self.holds or "one of: " + self._listed
        if self.low is not None:
            return f"{self.low:.12g} to {self.high:.12g}"
        return self.holds or KINDS[type(self.default)]

    @property
    def _listed(self) -> str:
        return ", ".join(c if isinstance(c, str) else f"{c:.12g}" for c in self.choices)

    def check(self, value):
        """`value` as the notebook will see it, or an error that says what is allowed.

        >>> Parameter("utilization_frac", 0.45, low=0.05, high=1.0).check(45)
        Traceback (most recent call last):
        tokcost.report.errors.ReportError: `utilization_frac` must be in [0.05, 1], got 45; give a fraction, not a percentage
        """
        kind = type(self.default)
        wrong = isinstance(value, bool) != (kind is bool) or not isinstance(value, (int, float) if kind is float else kind)
        if wrong:
            raise ReportError(f"`{self.name}` must be {KINDS[kind]}, got {said(value)}{fix(kind, value)}")
        if kind in (int, float):
            value = self._check_number(kind, value)
        if self.choices and value not in self.choices:
            near = quantities.nearest(str(value), self.choices) if kind is str else ""
            if "did you mean" not in near:
                near = f"; `tokcost data show {self.table}` shows them" if self.table else ""
            raise ReportError(f"`{self.name}` must be {self.holds or 'one of ' + self._listed}; got {said(value)}{near}")
        return value

    def _check_number(self, kind, value):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ReportError(f"`{self.name}` must be a finite number, got {said(value)}")
        if quantities.find(self.name):
            try:
                quantities.check_value(self.name, number, low=self.low, high=self.high)
            except quantities.QuantityError as error:
                raise ReportError(str(error)) from None
        elif self.low is not None and self.high is not None and not self.low <= number <= self.high:
            raise ReportError(f"`{self.name}` must be in [{self.low:.12g}, {self.high:.12g}], got {number:.12g}")
        return kind(value)

    def parse(self, text: str):
        """The value that `text` on the command line stands for: no guessing, no rounding.

        >>> Parameter("rate_usd_per_gpu_h", 1.41).parse("1_000")
        Traceback (most recent call last):
        tokcost.report.errors.ReportError: `rate_usd_per_gpu_h` must be a number, got '1_000'; write 1000
        >>> Parameter("rate_usd_per_gpu_h", 1.41).parse("3")
        3.0
        """
        kind = type(self.default)
        if kind is str or not text:
            if not text.strip():
                raise ReportError(f"`{self.name}` has no value; write -p {self.name}=VALUE")
            return self.check(text)
        if kind is bool:
            return self.check({"true": True, "false": False}.get(text.lower(), text))
        if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            return self.check(float(text))
        if not _PLAIN_NUMBER.fullmatch(text):
            return self.check(text)
        is_whole = re.fullmatch(r"[-+]?\d{1,300}", text)  # what is longer is no finite number
        return self.check(int(text) if is_whole else float(text))


def read_parameters(path: Path) -> list[Parameter]:
    """The parameters that the notebook at `path` declares, in its order; each default is itself checked."""
    return read_cell(path, parse_cell)


def read_cell(path: Path, parse):
    """What `parse` makes of the source of the one cell tagged `parameters` in the notebook at `path`."""
    tagged = [(n, c) for n, c in enumerate(read_notebook(path)["cells"], 1) if "parameters" in c["metadata"].get("tags", [])]
    if len(tagged) != 1:
        what = "no cell" if not tagged else f"{len(tagged)} cells ({', '.join(str(n) for n, _ in tagged)})"
        raise ReportError(f"{path.name} has {what} tagged `parameters`; tag exactly one (in JupyterLab: property inspector, cell tags)")
    number, cell = tagged[0]
    try:
        return parse(cell["source"])
    except ReportError as error:
        raise ReportError(f"{path.name}, cell {number}: {error}") from None


def parse_cell(source: str) -> list[Parameter]:
    """The parameters of a cell's source.

    >>> parse_cell("share_frac = 0.4  # part of the hour, 0.1 to 0.9")[0].allowed
    '0.1 to 0.9'
    >>> parse_cell("rate = 2 * 3")
    Traceback (most recent call last):
    tokcost.report.errors.ReportError: line 1 is not `name = literal`: rate = 2 * 3
    """
    try:
        statements = ast.parse(source).body
        comments = {token.start[0]: comment for token, comment in _comments(source)}
    except (SyntaxError, tokenize.TokenError) as error:
        line = f"line {error.lineno} of the parameters is" if isinstance(error, SyntaxError) and error.lineno else "the parameters are"
        raise ReportError(f"{line} not Python: {str(getattr(error, 'msg', error)).partition(';')[0]}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ReportError(f"the parameters are not Python: {str(error) or 'nested too deep'}") from None
    lines = re.split(r"\r\n|\r|\n", source)  # as Python counts them
    found: dict[str, Parameter] = {}
    for statement in statements:
        line = f"line {statement.lineno} is not `name = literal`: {lines[statement.lineno - 1].split('#')[0].strip()}"
        if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)):
            raise ReportError(line)
        try:
            default = ast.literal_eval(statement.value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise ReportError(line) from None
        if type(default) not in KINDS:
            raise ReportError(f"{line}; a parameter is a number, text, True or False")
        name = statement.targets[0].id
        if name in found:
            raise ReportError(f"`{name}` is assigned twice (line {statement.lineno})")
        found[name] = _declare(name, default, comments.get(statement.end_lineno or 0, ""))
    return list(found.values())


def full_line_comments(source: str) -> list[tuple[int, str]]:
    """The lines of a cell that are only a comment: number and text."""
    return [(token.start[0], comment) for token, comment in _comments(source) if not token.line[: token.start[1]].strip()]


def _comments(source: str):
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token, token.string.lstrip("#").strip()


def _declare(name: str, default, comment: str) -> Parameter:
    kind = type(default)
    listed = _CHOICES.fullmatch(comment) if kind is not bool else None
    texts = [choice.strip().strip("\"'`") for choice in listed["choices"].rstrip(".").split(",")] if listed else []
    if kind in (int, float):
        parameter = _declare_number(name, default, (listed["meaning"] or "") if listed else comment, texts)
    elif listed and (place := _COLUMN.fullmatch(listed["choices"].strip())):
        values = _column(**place.groupdict())
        parameter = Parameter(
            name,
            default,
            _trimmed(listed["meaning"]),
            choices=values,
            holds=f"one of the {len(values)} in column {place['column']} of {place['table']}",
            table=place["table"].removesuffix(".csv"),
        )
    elif listed:
        parameter = Parameter(name, default, _trimmed(listed["meaning"]), choices=tuple(texts))
    elif kind is str and (free := _ANY_TEXT.fullmatch(comment)):
        parameter = Parameter(name, default, _trimmed(free["meaning"]), holds=free["kind"] or "")
    else:
        label = next((label for label in quantities.LABELS if name == label or name.endswith(f"_{label}")), None)
        parameter = Parameter(
            name, default, _trimmed(comment), choices=tuple(quantities.LABELS.get(label or "", ())) if kind is str else ()
        )
    try:
        parameter.check(default)
    except ReportError as error:
        raise ReportError(f"the default is not allowed: {error}") from None
    return parameter


def _declare_number(name: str, default: int | float, comment: str, choices: list[str]) -> Parameter:
    low = high = None
    span = _RANGE.fullmatch(comment)
    quantity = quantities.find(name)
    bounds = [(quantity.low, quantity.high)] if quantity else []
    if span:
        comment = span["meaning"]
        stated = (float(span["low"].replace(",", "")), float(span["high"].replace(",", "")))
        if not math.isfinite(stated[1]) or stated[0] > stated[1]:
            raise ReportError(f"`{name}`: the range of its comment, {span['low']} to {span['high']}, holds no number; write LOW to HIGH")
        bounds.append(stated)
    if bounds:
        low, high = max(b[0] for b in bounds), min(b[1] for b in bounds)
        if low > high:
            what = f"the range of its comment lies outside the plausible one, {bounds[0][0]:.12g} to {bounds[0][1]:.12g}"
            raise ReportError(f"`{name}`: {what}")
    parameter = Parameter(name, default, _trimmed(comment), low, high)
    try:
        return replace(parameter, choices=tuple(parameter.parse(choice) for choice in choices))
    except ReportError as error:
        raise ReportError(f"a choice is not allowed: {error}") from None


def _column(column: str, table: str) -> tuple[str, ...]:
    """Each value of a column of a data table, once."""
    path = (data_directory.chosen() or data_directory.OWN) / table
    text = read_text(path, MOST_NOTEBOOK_BYTES)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ReportError(f"{path} is no table: {error}") from None
    if not rows or column not in rows[0]:
        raise ReportError(f"{path} has no values in a column `{column}`{quantities.nearest(column, rows[0] if rows else ())}")
    return tuple(dict.fromkeys(row[column] for row in rows))


def _trimmed(meaning: str | None) -> str:
    return (meaning or "").rstrip(",; ")
