"""Tables as one workbook whose numbers are live: a cost is a formula of the cells beside it, so that a reader can change a price."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokcost import formulas, quantities

#: how far a formula of the shown cells may be from the shown number: their last of ten digits
_AGREES = 1e-7
FORMULAS: dict[str, Callable] = {
    name: made.__wrapped__ for name, made in vars(formulas).items() if inspect.isfunction(made) and hasattr(made, "__wrapped__")
}


@dataclass(frozen=True)
class Sheet:
    """One table: the name of its tab, what it shows, its columns and rows of numbers, texts and empty cells (None).

    One that is not upright has a quantity in each row, its `name` and `value` in columns so called.
    """

    name: str
    about: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    is_upright: bool = True


#: of a sheet that is not upright, one row a quantity: where the name and the value stand
_NAME, _VALUE = "name", "value"


@dataclass(frozen=True)
class Cells:
    """Cells of one name, from the first row to the last: where each stands, and its number (NaN where it holds none)."""

    at: Sequence[str]
    values: Sequence[float]


@dataclass(frozen=True)
class Written:
    """Arithmetic on cells as a spreadsheet writes it; a formula of the package that is called with cells writes itself."""

    text: str
    binds: int = 3

    def __add__(self, other: object) -> Written:
        return _written(self, "+", other, 1)

    def __sub__(self, other: object) -> Written:
        return _written(self, "-", other, 1)

    def __rsub__(self, other: object) -> Written:
        return _written(other, "-", self, 1)

    def __mul__(self, other: object) -> Written:
        return _written(self, "*", other, 2)

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Written:
        return _written(self, "/", other, 2)

    def __rtruediv__(self, other: object) -> Written:
        return _written(other, "/", self, 2)


def _written(left: object, sign: str, right: object, binds: int) -> Written:
    left, right = (side if isinstance(side, Written) else Written(f"{side:.15g}") for side in (left, right))
    first = left.text if left.binds >= binds else f"({left.text})"
    second = right.text if right.binds > binds else f"({right.text})"
    return Written(f"{first}{sign}{second}", binds)


def live(columns: Mapping[str, Cells], inputs: Mapping[str, Cells]) -> dict[str, list[str]]:
    """For each column that is a formula of others, or of single `inputs`, in every row: the formulas, empty where it has no number.

    A column counts as a formula only where its numbers agree, so that a formula never changes what a report says.

    >>> cells = {"rate_usd_per_gpu_h": Cells(["A2"], [1.41]), "total_tok_per_s_per_gpu": Cells(["B2"], [90.0])}
    >>> live(cells | {"total_token_cost_usd_per_mtok": Cells(["C2"], [4.351851852])}, {})
    {'total_token_cost_usd_per_mtok': ['=A2/(B2*3600)*1000000']}
    """
    found: dict[str, list[str]] = {}
    rests_on: dict[str, set[str]] = {}
    known = {**inputs, **columns}
    for name, formula in _in_order(columns):  # a throughput stands, and the cost follows from it, not the other way round
        cells, others = columns[name], [one for one in known if one != name and name not in rests_on.get(one, ())]
        for way in _ways(formula, name.removesuffix(quantities.of(name).name), others):
            if _agrees(formula, way, cells, known):
                rests_on[name] = set(_leaves(way)).union(*(rests_on.get(one, ()) for one in _leaves(way)))
                rows = [_called(formula, way, lambda one, row=row: Written(_nth(known[one].at, row))).text for row in range(len(cells.at))]
                found[name] = ["" if math.isnan(value) else f"={row}" for row, value in zip(rows, cells.values, strict=True)]
                break
    return found


def _in_order(names: Iterable[str]) -> list[tuple[str, Callable]]:
    """The names that a formula of the package is for, in the order in which the package derives one from another."""
    of = {name: found.name for name in names if (found := quantities.find(name))}
    return [(name, formula) for made, formula in FORMULAS.items() for name, quantity in of.items() if quantity == made]


#: what each argument of a formula is given: the name of a column or an input, or a formula with what it is given
Way = dict[str, "str | tuple[Callable, Way]"]


def _ways(formula: Callable, prefix: str, names: Sequence[str], *, nested: bool = True) -> Iterator[Way]:
    """Ways to give a formula what it takes. First what a further formula makes of it (throughput and utilization), so that no
    input that counts is left out; then columns of the same beginning; then others."""
    choices = []
    for argument in inspect.signature(formula).parameters:
        fits = [name for name in names if (of := quantities.find(name)) and of.name == argument]
        ways: list = sorted(fits, key=lambda name: name != prefix + argument)
        for made, inner in FORMULAS.items() if nested else ():
            if made != argument and made.endswith(f"_{argument}"):
                ways = [(inner, way) for way in _ways(inner, prefix, names, nested=False)] + ways
        choices.append(ways)
    for choice in itertools.product(*choices):
        yield dict(zip(inspect.signature(formula).parameters, choice, strict=True))


def _leaves(way: Way) -> Iterator[str]:
    for given in way.values():
        yield from [given] if isinstance(given, str) else _leaves(given[1])


def _called(formula: Callable, way: Way, of: Callable[[str], Any]) -> Any:
    """The formula, of whatever `of` says that a name stands for: cells write it, numbers work it out."""
    return formula(**{a: of(given) if isinstance(given, str) else _called(*given, of) for a, given in way.items()})


def _nth(entries: Sequence, row: int) -> Any:
    """Of a column the entry of the row, of an input its only one."""
    return entries[row] if len(entries) > row else entries[0]


def _agrees(formula: Callable, way: Way, cells: Cells, known: Mapping[str, Cells]) -> bool:
    numbers = [(row, value) for row, value in enumerate(cells.values) if not math.isnan(value)]
    try:
        return bool(numbers) and all(
            math.isclose(_called(formula, way, lambda one, row=row: _nth(known[one].values, row)), value, rel_tol=_AGREES)
            for row, value in numbers
        )
    except ZeroDivisionError:
        return False


def number(text: str) -> object:
    """A cell of a CSV as a spreadsheet holds it.

    >>> number("0.45"), number(""), number("h200"), number("2026-09")
    (0.45, None, 'h200', '2026-09')
    """
    try:
        value = float(text)
    except ValueError:
        return text or None
    return value if math.isfinite(value) else None


def to_xlsx(inputs: Sheet, sheets: Sequence[Sheet], *, made: dt.datetime) -> bytes:
    """A workbook: the `inputs` (not upright), the `sheets`, and what their columns mean."""
    import xlsxwriter

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": made, "author": "tokcost"})
    look = {"head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True}), "about": book.add_format({"italic": True})}
    given = {name: Cells([f"'{inputs.name}'!{_fixed(cell.at[0])}"], cell.values) for name, cell in _cells(inputs).items()}
    _write(book, look, inputs, inputs.name, {})
    for name, sheet in zip(_tab_names([sheet.name for sheet in sheets]), sheets, strict=True):
        cells = _cells(sheet)
        formulas_at = {at: row for of, rows in live(cells, given).items() for at, row in zip(cells[of].at, rows, strict=True) if row}
        _write(book, look, sheet, name, formulas_at)
    meant = [quantities.find(name) for sheet in sheets for name in sheet.header]
    rows = [[q.name, q.label, q.unit_label, q.meaning] for q in dict.fromkeys(filter(None, meant))]
    key = Sheet("Columns", "What the name of a column ends in, and what it means", ["name", "label", "unit", "meaning"], rows)
    _write(book, look, key, key.name, {})
    book.close()
    return target.getvalue()


def _cells(sheet: Sheet) -> dict[str, Cells]:
    """The cells of a sheet by the name of what they hold; headers stand in its second row, below what it is about."""
    if not sheet.is_upright:
        name, value = sheet.header.index(_NAME), sheet.header.index(_VALUE)
        return {str(row[name]): Cells([_at(place, value)], [_float(row[value])]) for place, row in enumerate(sheet.rows)}
    return {
        head: Cells([_at(place, column) for place in range(len(sheet.rows))], [_float(row[column]) for row in sheet.rows])
        for column, head in enumerate(sheet.header)
    }


def _at(row: int, column: int) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return xl_rowcol_to_cell(row + 2, column)


def _fixed(cell: str) -> str:
    return re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", cell)


def _float(value: object) -> float:
    return value if isinstance(value, float) else math.nan


def _write(book, look: dict, sheet: Sheet, name: str, formulas_at: Mapping[str, str]) -> None:
    page = book.add_worksheet(name)
    page.write_string(0, 0, sheet.about, look["about"])
    for column, head in enumerate(sheet.header):
        page.write_string(1, column, head, look["head"])
        for row, values in enumerate(sheet.rows):
            if _at(row, column) in formulas_at:
                page.write_formula(row + 2, column, formulas_at[_at(row, column)], None, values[column])
            elif values[column] is not None:
                page.write(row + 2, column, values[column])
    page.freeze_panes(2, 0)
    page.set_column(0, max(len(sheet.header) - 1, 0), 18)


def _tab_names(names: Sequence[str]) -> list[str]:
    """Names that a tab can have: short, without signs that a reference needs, each once.

    >>> _tab_names(["table-1", "a/b", "a:b"])
    ['table-1', 'a b', 'a b 2']
    """
    taken: list[str] = []
    for name in names:
        base = re.sub(r"[\[\]:*?/\\']", " ", name)[:25] or "sheet"
        ways = itertools.chain([base], (f"{base} {k}" for k in itertools.count(2)))
        taken.append(next(way for way in ways if way.lower() not in map(str.lower, taken)))
    return taken
