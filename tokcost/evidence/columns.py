"""What a cell of a data table may hold: one small description for each kind of column."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Container
from dataclasses import dataclass

from tokcost.quantities import LABELS, QUANTITIES, QuantityError, check_value, find, nearest

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


class CellProblem(ValueError):
    """What is wrong with one cell, what is allowed, and the likely fix."""


@dataclass(frozen=True)
class Column:
    """One column: its kind, whether a cell may be empty, and the values that a label may take."""

    kind: str
    required: bool = True
    listed: tuple[str, ...] = ()
    #: the name of the vocabulary whose labels it may hold
    vocabulary: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        return LABELS[self.vocabulary] if self.vocabulary else self.listed

    def settled(self) -> Column:
        """The same with what it may hold looked up once, for a whole file."""
        return Column(self.kind, self.required, self.values)


def text(*, required: bool = True) -> Column:
    """Any text."""
    return Column("text", required)


def label(*values: str, required: bool = True) -> Column:
    """One of the values, or of `LABELS[name]` where one name of the vocabulary is given alone."""
    is_vocabulary = len(values) == 1 and values[0] in LABELS
    return Column("label", required, vocabulary=values[0]) if is_vocabulary else Column("label", required, values)


def quantity(*names: str) -> Column:
    """The name of a quantity: one of `names`, or any of the vocabulary."""
    return Column("quantity", listed=names)


def fact(*, required: bool = True) -> Column:
    """A number in the range of the quantity that the row's `quantity` cell names."""
    return Column("fact", required)


def number(*, required: bool = True) -> Column:
    """A number in the range of the quantity that the column is named after."""
    return Column("number", required)


def whole(*, required: bool = True) -> Column:
    """A count."""
    return Column("whole", required)


def flag() -> Column:
    """true or false."""
    return Column("flag")


def date(*, required: bool = True) -> Column:
    """YYYY, YYYY-MM or YYYY-MM-DD, or a first and a last one with / between them."""
    return Column("date", required)


def source() -> Column:
    """A `source_id` of sources.csv."""
    return Column("source")


def parse(name: str, column: Column, cell: str, row: dict[str, str], source_ids: Container[str]) -> object:
    """The value of a cell, or a CellProblem. An empty cell is None for numbers and an empty text otherwise."""
    if cell != cell.strip():
        raise CellProblem(f"{cell!r} has spaces around it; remove them")
    if not cell:
        if column.required:
            raise CellProblem(f"is empty; every row needs {_expected(column)}")
        return None if column.kind in ("fact", "number", "whole") else ""
    return _PARSERS[column.kind](name, column, cell, row, source_ids)


def _expected(column: Column) -> str:
    return {
        "text": "a text",
        "label": f"one of {', '.join(column.values)}",
        "quantity": "the name of a quantity",
        "flag": "true or false",
        "date": "a date (YYYY, YYYY-MM or YYYY-MM-DD)",
        "source": "a source_id of sources.csv",
    }.get(column.kind, "a number")


def _text(name, column, cell, row, source_ids):
    if "\n" in cell or "\r" in cell:
        raise CellProblem("holds a line break; write it on one line")
    return cell


def _label(name, column, cell, row, source_ids):
    if cell not in column.values:
        raise CellProblem(f"unknown {name} '{cell}'{nearest(cell, column.values)}")
    return cell


def _quantity(name, column, cell, row, source_ids):
    if column.values and cell not in column.values:
        raise CellProblem(f"unknown quantity '{cell}' in this table{nearest(cell, column.values)}")
    if find(cell) is None:
        raise CellProblem(f"unknown quantity '{cell}'{nearest(cell, QUANTITIES)}")
    return cell


def _in_range(quantity_name: str, value: float) -> float:
    try:
        return check_value(quantity_name, value)
    except QuantityError as error:
        fix = "" if "; give " in str(error) else "; check the unit and the decimal point"
        raise CellProblem(f"{error}{fix}") from None


def _as_number(cell: str) -> float:
    if _NUMBER.fullmatch(cell):
        return float(cell)
    if cell.lower() in ("nan", "na", "n/a", "none", "null", "-", "?", "inf", "-inf"):
        raise CellProblem(f"'{cell}' is not a number; leave the cell empty where nothing is known")
    raise CellProblem(f"'{cell}' is not a number; write digits and a decimal point only (1234.5), no unit, no thousands separator")


def _fact(name, column, cell, row, source_ids):
    value = _as_number(cell)
    named = row.get("quantity", "")
    return _in_range(named, value) if find(named) else value


def _plain_number(name, column, cell, row, source_ids):
    return _in_range(name, _as_number(cell))


def _whole(name, column, cell, row, source_ids):
    value = _as_number(cell)
    if value != int(value):
        raise CellProblem(f"'{cell}' is not a whole number; a count has no fraction")
    return int(_in_range(name, value)) if find(name) else int(value)


def _flag(name, column, cell, row, source_ids):
    if cell not in ("true", "false"):
        raise CellProblem(f"'{cell}' is neither true nor false{nearest(cell.lower(), ('true', 'false'))}")
    return cell == "true"


def _date(name, column, cell, row, source_ids):
    ends = cell.split("/")
    try:
        if len(ends) > 2 or not all(_DATE.fullmatch(end) for end in ends):
            raise ValueError
        for end in ends:
            dt.date.fromisoformat(end + "-01-01"[len(end) - 4 :] if len(end) < 10 else end)
    except ValueError:
        raise CellProblem(f"'{cell}' is not a date; write YYYY, YYYY-MM or YYYY-MM-DD, and a period as first/last") from None
    if ends != sorted(ends):
        raise CellProblem(f"'{cell}' ends before it begins; write the first date first")
    return cell


def _source(name, column, cell, row, source_ids):
    if cell not in source_ids:
        raise CellProblem(f"unknown source_id '{cell}'{nearest(cell, source_ids)}; a new source needs its row in sources.csv")
    return cell


_PARSERS = {
    "text": _text,
    "label": _label,
    "quantity": _quantity,
    "fact": _fact,
    "number": _plain_number,
    "whole": _whole,
    "flag": _flag,
    "date": _date,
    "source": _source,
}
