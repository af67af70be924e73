"""What `one of:` lists: words and numbers as they stand there, and the values of a column of a data table.

`accelerator in inference.csv where model = base case and osl = 1024` takes the values of the rows that say so, in the order of
data/labels.csv where that knows the column, numbers by size: a new row is a new choice, and no notebook changes. `base case` is the
value that data/base_case.csv has under that name.
"""

from __future__ import annotations

import csv
import functools
import re
from pathlib import Path

from tokcost import quantities
from tokcost.errors import InputError
from tokcost.paths import DATA, chosen_data

BASE_CASE = "base case"
_COLUMN = re.compile(r"(?P<column>\w+) in (?P<table>\w+\.csv)(?: where (?P<where>.+))?")


def choices_of(listed: str) -> tuple[list[str], str]:
    """Each choice that a comment lists, once, and the table of its column; no table where all stand there.

    >>> choices_of("not stated, accelerator in systems.csv where quantity = critical_kw_per_gpu")
    (['not stated', 'h100', 'h200', 'b200', 'gb200', 'gb300'], 'systems')
    """
    found: list[str] = []
    table = ""
    for part in listed.rstrip(".").split(","):
        if place := _COLUMN.fullmatch(part.strip()):
            found += _values(place["column"], place["table"], place["where"] or "")
            table = place["table"].removesuffix(".csv")
        else:
            found.append(part.strip().strip("\"'`"))
    return list(dict.fromkeys(found)), table


def meant(name: str, text: str) -> str:
    """What a condition asks of `name`: its text, or for `base case` the value that data/base_case.csv has.

    Raises: InputError where the base case has no such name.

    >>> meant("model", "dsr1"), meant("candidate_accelerator", "base case")
    ('dsr1', 'gb300')
    """
    if text != BASE_CASE:
        return text
    values = {row["name"]: row["value"] for row in rows_of("base_case.csv")}
    if name not in values:
        raise InputError(f"base_case.csv has no `{name}`{quantities.nearest(name, values)}")
    return values[name]


def rows_of(table: str) -> list[dict[str, str]]:
    """The rows of a data table as texts, read once until its file changes.

    Raises: InputError where it cannot be read.
    """
    path = (chosen_data() or DATA) / table
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


@functools.lru_cache(maxsize=32)
def _read(path: Path, *stamp: int) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def _values(column: str, table: str, where: str) -> list[str]:
    rows = rows_of(table)
    for condition in filter(None, where.split(" and ")):
        name, equals, value = (part.strip() for part in condition.partition("="))
        if not equals:
            raise InputError(f"write `{column} in {table} where NAME = VALUE and NAME = VALUE`, not: where {where}")
        _require(name, rows, table)
        asked = meant(name, value)
        rows = [row for row in rows if row[name] == asked]
        if not rows:
            raise InputError(f"no row of {table} has {where}")
    _require(column, rows, table)
    values = list(dict.fromkeys(row[column] for row in rows if row[column]))
    if column in quantities.LABELS:
        known = quantities.LABELS[column]
        return sorted(values, key=lambda value: known.index(value) if value in known else len(known))
    return sorted(values, key=float) if quantities.find(column) else values


def _require(name: str, rows: list[dict[str, str]], table: str) -> None:
    if not rows or name not in rows[0]:
        raise InputError(
            f"{(chosen_data() or DATA) / table} has no values in a column `{name}`{quantities.nearest(name, rows[0] if rows else ())}"
        )
