"""The rows of a table that have what was asked for: one filter, with one kind of answer where a name or a value is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from tokcost.quantities import QuantityError, nearest


class DataError(QuantityError):
    """A table, a row or a key of data/ is not right; `problems` holds one sentence each."""

    def __init__(self, problems: str | list[str]):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class NoSuchRow(DataError):
    """No row has what was asked for."""


def rows_where(rows: pd.DataFrame, where: Mapping[str, object], *, table: str = "") -> pd.DataFrame:
    """The rows where each column named has the value given, or one of several; `table` is what an error calls the table.

    Columns: those of `rows`.
    Raises: DataError for a column that the table does not have; NoSuchRow, a kind of it, for a value that no row has (with the
    nearest one), or none with the conditions before it (with the values that there are).

    >>> rows = pd.DataFrame({"accelerator": ["h100", "h200", "h200"], "precision": ["fp8", "fp8", "bf16"]})
    >>> len(rows_where(rows, {"accelerator": "h200", "precision": ["fp8", "bf16"]}))
    2
    >>> rows_where(rows, {"accelerator": "h20"})
    Traceback (most recent call last):
    tokcost.evidence.selection.NoSuchRow: no row has accelerator `h20`; did you mean `h200`?
    >>> rows_where(rows, {"accelerator": "h100", "precision": "bf16"}, table="runs.csv")
    Traceback (most recent call last):
    tokcost.evidence.selection.NoSuchRow: no row of runs.csv with accelerator `h100` has precision `bf16`; there is precision fp8
    """
    for name in where:
        if name not in rows:
            raise DataError(f"{table or 'the table'} has no column `{name}`{nearest(name, rows.columns)}")
    whole = rows
    for place, (name, wanted) in enumerate(where.items()):
        values = _several(wanted)
        kept = rows[rows[name].isin(values)]
        found = kept[name].unique()
        for value in values:
            if not (found == value).any():
                raise NoSuchRow(_why_none(whole, rows, dict(list(where.items())[:place]), name, value, f" of {table}" if table else ""))
        rows = kept
    return rows


def _why_none(whole: pd.DataFrame, rows: pd.DataFrame, before: Mapping[str, object], name: str, value: object, of_table: str) -> str:
    """No row has this value at all; or none of `rows`, which the conditions `before` have left."""
    if not (whole[name] == value).any():
        return f"no row{of_table} has {name} `{value}`{nearest(str(value), whole[name].dropna().unique())}"
    there = rows[name].dropna().unique()
    listed = f"{name} {', '.join(sorted(map(str, there))[:20])}" if len(there) else f"no {name} at all"
    conditions = ", ".join(f"{one} {' or '.join(f'`{each}`' for each in _several(wanted))}" for one, wanted in before.items())
    return f"no row{of_table} with {conditions} has {name} `{value}`; there is {listed}"


def _several(wanted: object) -> list:
    return list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
