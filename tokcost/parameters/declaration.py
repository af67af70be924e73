"""What a notebook lets a reader change: its `parameters` cell, read without running it, and strictly checked.

Each of its lines reads `name: type = literal  # meaning, LOW to HIGH` or `name: type = literal  # meaning; one of: a, b, c`, or
`; one of: region in carbon_intensity.csv` where a column of a data table lists them, or `; any text: a name` where any will do,
or `; any path: a file or a folder` for one that must be there. The type (bool, int, float, str) is that of the literal where none
stands. The quantity that a name ends in adds its unit and its plausible range. A line that is a comment only may say what does
not go together.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from dataclasses import dataclass, replace

from tokcost import quantities
from tokcost.errors import InputError
from tokcost.parameters.choices import choices_of
from tokcost.parameters.hints import fix, said
from tokcost.paths import located

_TYPES = {kind.__name__: kind for kind in (bool, int, float, str)}
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

#: so many choices out of a table are listed, more are only counted
MOST_LISTED = 20

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(?:(?P<meaning>.*?)[,;]\s+)?(?P<low>{_NUMBER}) to (?P<high>{_NUMBER})")
_CHOICES = re.compile(r"(?:(?P<meaning>.*?)[,;]\s+)?one of:\s*(?P<choices>.+)")
_ANY_TEXT = re.compile(r"(?:(?P<meaning>.*?)[,;]\s+)?any (?P<what>text|path)(?::\s*(?P<kind>.+))?")
_PLAIN_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell."""

    name: str
    default: bool | int | float | str
    kind: type
    meaning: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str | int | float, ...] = ()
    #: what a text holds, in words ("a file or a folder"), where it is free or its choices are too many to list
    holds: str = ""
    #: the data table that its choices are a column of
    table: str = ""
    #: whether it is a path: what is not its default must be there
    is_path: bool = False
    #: whether its line says more than a name and a value
    is_explained: bool = False

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
        return self.holds or KINDS[self.kind]

    @property
    def _listed(self) -> str:
        return ", ".join(c if isinstance(c, str) else f"{c:.12g}" for c in self.choices)

    def check(self, value):
        """`value` as the notebook will see it, or an error that says what is allowed.

        >>> Parameter("utilization_frac", 0.45, float, low=0.05, high=1.0).check(45)
        Traceback (most recent call last):
        tokcost.errors.InputError: `utilization_frac` must be in [0.05, 1], got 45; give a fraction, not a percentage
        """
        kind = self.kind
        wrong = isinstance(value, bool) != (kind is bool) or not isinstance(value, (int, float) if kind is float else kind)
        if wrong:
            raise InputError(f"`{self.name}` must be {KINDS[kind]}, got {said(value)}{fix(kind, value)}")
        if kind in (int, float):
            value = self._check_number(kind, value)
        if self.choices and value not in self.choices:
            near = quantities.nearest(str(value), self.choices) if kind is str else ""
            if "did you mean" not in near:
                near = f"; `tokcost data show {self.table}` shows them" if self.table else ""
            raise InputError(f"`{self.name}` must be {self.holds or 'one of ' + self._listed}; got {said(value)}{near}")
        if self.is_path and value != self.default:
            located(str(value), self.name)
        return value

    def _check_number(self, kind, value):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise InputError(f"`{self.name}` must be a finite number, got {said(value)}")
        if quantities.find(self.name):
            try:
                quantities.check_value(self.name, number, low=self.low, high=self.high)
            except quantities.QuantityError as error:
                raise InputError(str(error)) from None
        elif self.low is not None and self.high is not None and not self.low <= number <= self.high:
            raise InputError(f"`{self.name}` must be in [{self.low:.12g}, {self.high:.12g}], got {number:.12g}")
        return kind(value)

    def parse(self, text: str):
        """The value that `text` on the command line stands for: no guessing, no rounding.

        >>> Parameter("rate_usd_per_gpu_h", 1.41, float).parse("1_000")
        Traceback (most recent call last):
        tokcost.errors.InputError: `rate_usd_per_gpu_h` must be a number, got '1_000'; write 1000
        >>> Parameter("rate_usd_per_gpu_h", 1.41, float).parse("3")
        3.0
        """
        kind = self.kind
        if kind is str or not text:
            if not text.strip():
                raise InputError(f"`{self.name}` has no value; write -p {self.name}=VALUE")
            return self.check(text)
        if kind is bool:
            return self.check({"true": True, "false": False}.get(text.lower(), text))
        if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            return self.check(float(text))
        if not _PLAIN_NUMBER.fullmatch(text):
            return self.check(text)
        is_whole = re.fullmatch(r"[-+]?\d{1,300}", text)  # what is longer is no finite number
        return self.check(int(text) if is_whole else float(text))


def parse_cell(source: str, *, check_defaults: bool = True) -> list[Parameter]:
    """The parameters of a cell's source; without `check_defaults` their values are left for a later check.

    >>> parse_cell("share_frac = 0.4  # part of the hour, 0.1 to 0.9")[0].allowed
    '0.1 to 0.9'
    >>> parse_cell("rate = 2 * 3")
    Traceback (most recent call last):
    tokcost.errors.InputError: line 1 is not `name: type = literal`: rate = 2 * 3
    """
    try:
        statements = ast.parse(source).body
        comments = {token.start[0]: comment for token, comment in _comments(source)}
    except (SyntaxError, tokenize.TokenError) as error:
        line = f"line {error.lineno} of the parameters is" if isinstance(error, SyntaxError) and error.lineno else "the parameters are"
        raise InputError(f"{line} not Python: {str(getattr(error, 'msg', error)).partition(';')[0]}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"the parameters are not Python: {str(error) or 'nested too deep'}") from None
    lines = re.split(r"\r\n|\r|\n", source)  # as Python counts them
    found: dict[str, Parameter] = {}
    for statement in statements:
        line = f"line {statement.lineno} is not `name: type = literal`: {lines[statement.lineno - 1].split('#')[0].strip()}"
        target, annotation, value = _assignment(statement)
        if target is None or value is None:
            raise InputError(line)
        try:
            default = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise InputError(line) from None
        if type(default) not in KINDS:
            raise InputError(f"{line}; a parameter is a number, text, True or False")
        kind = _TYPES.get(annotation.id if isinstance(annotation, ast.Name) else "") if annotation else type(default)
        if kind is None:
            raise InputError(f"{line}; the type of a parameter is bool, int, float or str")
        if target.id in found:
            raise InputError(f"`{target.id}` is assigned twice (line {statement.lineno})")
        comment = comments.get(statement.end_lineno or 0, "")
        parameter = replace(_declare(target.id, default, comment, kind), is_explained=bool(comment))
        if check_defaults:
            try:
                parameter = replace(parameter, default=parameter.check(default))
            except InputError as error:
                raise InputError(f"the default is not allowed: {error}") from None
        found[target.id] = parameter
    return list(found.values())


def _assignment(statement: ast.stmt) -> tuple[ast.Name | None, ast.expr | None, ast.expr | None]:
    """Name, type and value of `name = value` or `name: type = value`; no name where a statement is neither."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, annotation = statement.targets[0], None
    elif isinstance(statement, ast.AnnAssign):
        target, annotation = statement.target, statement.annotation
    else:
        return None, None, None
    return (target if isinstance(target, ast.Name) else None), annotation, statement.value


def full_line_comments(source: str) -> list[tuple[int, str]]:
    """The lines of a cell that are only a comment: number and text."""
    return [(token.start[0], comment) for token, comment in _comments(source) if not token.line[: token.start[1]].strip()]


def _comments(source: str):
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token, token.string.lstrip("#").strip()


def _declare(name: str, default, comment: str, kind: type) -> Parameter:
    listed = _CHOICES.fullmatch(comment) if kind is not bool else None
    texts, table = choices_of(listed["choices"]) if listed else ([], "")
    if kind in (int, float):
        return replace(_declare_number(name, default, (listed["meaning"] or "") if listed else comment, texts, kind), table=table)
    if listed:
        column = listed["choices"].partition(" in ")[0].rpartition(",")[2].strip()
        holds = f"one of the {len(texts)} in column {column} of {table}.csv" if table and len(texts) > MOST_LISTED else ""
        return Parameter(name, default, kind, _trimmed(listed["meaning"]), choices=tuple(texts), holds=holds, table=table)
    if kind is str and (free := _ANY_TEXT.fullmatch(comment)):
        return Parameter(name, default, kind, _trimmed(free["meaning"]), holds=free["kind"] or "", is_path=free["what"] == "path")
    label = next((label for label in quantities.LABELS if name == label or name.endswith(f"_{label}")), None)
    choices = tuple(quantities.LABELS.get(label or "", ())) if kind is str else ()
    return Parameter(name, default, kind, _trimmed(comment), choices=choices)


def _declare_number(name: str, default, comment: str, choices: list[str], kind: type) -> Parameter:
    low = high = None
    span = _RANGE.fullmatch(comment)
    quantity = quantities.find(name)
    bounds = [(quantity.low, quantity.high)] if quantity else []
    if span:
        comment = span["meaning"]
        stated = (float(span["low"].replace(",", "")), float(span["high"].replace(",", "")))
        if not math.isfinite(stated[1]) or stated[0] > stated[1]:
            raise InputError(f"`{name}`: the range of its comment, {span['low']} to {span['high']}, holds no number; write LOW to HIGH")
        bounds.append(stated)
    if bounds:
        low, high = max(b[0] for b in bounds), min(b[1] for b in bounds)
        if low > high:
            what = f"the range of its comment lies outside the plausible one, {bounds[0][0]:.12g} to {bounds[0][1]:.12g}"
            raise InputError(f"`{name}`: {what}")
    parameter = Parameter(name, default, kind, _trimmed(comment), low, high)
    try:
        return replace(parameter, choices=tuple(parameter.parse(choice) for choice in choices))
    except InputError as error:
        raise InputError(f"a choice is not allowed: {error}") from None


def _trimmed(meaning: str | None) -> str:
    return (meaning or "").rstrip(",; ")
