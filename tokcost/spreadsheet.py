"""Text in a CSV that no spreadsheet takes for a formula, and that is read back as it was."""

from __future__ import annotations

import csv
import re

import pandas as pd

#: a cell that a spreadsheet would run, with any apostrophes that already guard it
_RUNS = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def guarded(value: object) -> object:
    """Text that a spreadsheet would run, after an apostrophe; numbers, also as text, and everything else as it is.

    >>> guarded("=1+1"), guarded("-1.5"), guarded("h200"), guarded(-1.5)
    ("'=1+1", '-1.5', 'h200', -1.5)
    """
    return f"'{value}" if isinstance(value, str) and _RUNS.match(value) and not _is_number(value) else value


def unguarded(value: object) -> object:
    """What `guarded` was given.

    >>> unguarded("'=1+1"), unguarded("'tis")
    ('=1+1', "'tis")
    """
    return value[1:] if isinstance(value, str) and value.startswith("'") and _RUNS.match(value) else value


def to_csv(frame: pd.DataFrame, target=None, **options) -> str | None:
    """`frame` as CSV with its text guarded; headers are the project's own words."""
    safe = frame.apply(lambda column: column if pd.api.types.is_numeric_dtype(column) else column.map(guarded))
    # A carriage return alone ends a line to many readers, and is not quoted by itself.
    returns = any("\r" in value for name in safe for value in safe[name] if isinstance(value, str))
    return safe.to_csv(target, index=False, quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL, **options)


def read_csv(source, **options) -> pd.DataFrame:
    """A CSV that this project wrote, with its text as it was before it was guarded."""
    return pd.read_csv(source, **options).map(unguarded)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip() == text
