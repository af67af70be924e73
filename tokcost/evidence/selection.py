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
    whole, conditions = rows, ""
    of_table = f" of {table}" if table else ""
    for name, wanted in where.items():
        values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
        there = rows[name].dropna().unique()
        for value in values:
            if not (whole[name] == value).any():
                raise NoSuchRow(f"no row{of_table} has {name} `{value}`{nearest(str(value), whole[name].dropna().unique())}")
            if not (there == value).any():
                listed = f"{name} {', '.join(sorted(map(str, there))[:20])}" if len(there) else f"no {name} at all"
                raise NoSuchRow(f"no row{of_table} with {conditions.lstrip(', ')} has {name} `{value}`; there is {listed}")
        rows = rows[rows[name].isin(values)]
        conditions += f", {name} {' or '.join(f'`{value}`' for value in values)}"
    return rows
