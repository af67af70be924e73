"""One definition, several reports: `each` names a table (a report for each row) or a grid (one for each combination)."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tokcost.parameters.hints import said
from tokcost.parameters.settings import Written
from tokcost.report.errors import ReportError
from tokcost.report.request.reading import read_text

#: as many reports as one definition makes; more is a slip in a grid
MOST_REPORTS = 10_000
#: the column that names the reports of a table
NAME = "name"


@dataclass(frozen=True)
class Variant:
    """The values of one of the reports of a definition, where they stand, and what tells it from the others."""

    label: str
    values: dict
    origin: str


def variants(path: Path, each: str | dict) -> list[Variant]:
    """What the `each` of the definition `path` asks for; a table's path is relative to the definition."""
    found = _rows(path, each) if isinstance(each, str) else _combinations(path, each)
    _require_not_too_many(path, len(found))
    return found


def _require_not_too_many(path: Path, number: int) -> None:
    if number > MOST_REPORTS:
        raise ReportError(f"{path}: `each` asks for too many reports: {MOST_REPORTS:,} is the most; leave values out")


def _combinations(path: Path, each: dict) -> list[Variant]:
    for name, values in each.items():
        if not isinstance(values, list) or not values or any(isinstance(value, (list, dict)) for value in values):
            shape = "an empty list" if values == [] else said(values)
            raise ReportError(
                f"{path}: `each.{name}` must list values, got {shape}; write {name} = [1, 2], or one of them under [parameters]"
            )
        if len(set(map(str, values))) < len(values):
            raise ReportError(f"{path}: `each.{name}` lists a value twice; keep one of them")
    if not each:
        raise ReportError(f'{path}: `each` is empty; write a line such as accelerator = ["h200", "gb300"] under [each]')
    combinations = itertools.islice(itertools.product(*each.values()), MOST_REPORTS + 1)
    return [Variant(" ".join(map(_word, chosen)), dict(zip(each, chosen, strict=True)), path.name) for chosen in combinations]


def _word(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(path: Path, each: str) -> list[Variant]:
    """A report for each row of a CSV table: its columns are parameters, and `name`, where there is one, names the report."""
    table = path.parent / each
    if table.suffix != ".csv":
        raise ReportError(f"{path}: `each` must name a table that ends in .csv, got {said(each)}; or write a grid under [each]")
    try:
        lines = [(number, cells) for number, cells in _numbered(read_text(table)) if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ReportError(f"{path}: `each`: {table} is not a CSV table: {error}") from None
    except ReportError as error:
        raise ReportError(f"{path}: `each`: {error}") from None
    if len(lines) < 2:
        raise ReportError(f"{path}: `each`: {table} has no rows; its first line names parameters, each line below is a report")
    _require_not_too_many(path, len(lines) - 1)
    header = [cell.strip() for cell in lines[0][1]]
    if len(set(header)) < len(header) or not all(header):
        raise ReportError(f"{table} line {lines[0][0]}: each column needs a name of its own, that of a parameter")
    found = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise ReportError(f"{table} line {number} has {len(cells)} values for {len(header)} columns; quote a value that holds a comma")
        values = {name: Written(cell.strip()) for name, cell in zip(header, cells, strict=True)}
        label = str(values.pop(NAME, "")) or str(number)
        # An empty cell leaves the parameter to the definition or the notebook.
        found.append(Variant(label, {name: value for name, value in values.items() if value}, f"{table.name} line {number}"))
    (label, times), *_ = Counter(variant.label for variant in found).most_common(1)
    if times > 1:
        raise ReportError(f"{table}: two rows have the `{NAME}` {said(label)}; give each row its own")
    return found


def _numbered(text: str):
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    for cells in reader:
        yield reader.line_num, cells


def stem(name: str, label: str) -> str:
    """How the files of a variant are called.

    >>> stem("cost", "h200 0.4"), stem("cost", "org/a model")
    ('cost-h200-0.4', 'cost-org-a-model')
    """
    return name + "-" + re.sub(r"[^\w.]+", "-", label).strip("-")
