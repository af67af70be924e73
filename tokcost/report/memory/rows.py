"""Which rows of a data table differ between two runs, in words that lead to them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable

#: rows that are named, of each table
MOST_NAMED = 8
#: pairs of an old and a new row that are looked at, at most, to find what became of a row
MOST_PAIRS = 20_000
#: what a row says about itself, apart from what it says about the world
_ABOUT = {"value", "low", "high", "source_id", "locator", "date", "kind", "tier", "note"}


def moved_rows(tables: dict[str, tuple[str | None, str | None]], content: Callable[[str], bytes | None]) -> list[str]:
    """Of tables (file -> SHA-256 before and after) what became of their rows; `content` finds a table by its SHA-256."""
    said = []
    for file, (before, after) in tables.items():
        if before and after:
            said += changed_rows(file, content(before), content(after))
        else:
            said.append(f"{file}: {'no longer used' if before else 'used for the first time'}")
    return said


def changed_rows(file: str, before: bytes | None, after: bytes | None) -> list[str]:
    """A sentence for each changed, new and removed row, the line of the newer file first.

    >>> changed_rows("p.csv", b"chip,value\\nh200,1.4\\nb200,2.8\\n", b"chip,value\\nh200,1.5\\nb200,2.8\\n")
    ['p.csv line 2 (h200): value 1.4 to 1.5']
    >>> changed_rows("p.csv", b"chip,value\\nh200,1.4\\n", b"chip,value\\nb200,2.8\\nh200,1.4\\n")
    ['p.csv line 2 (b200): new']
    """
    if before is None or after is None:
        return [f"{file}: changed; its rows were not kept, so that they cannot be compared"]
    (head_before, rows_before), (head_after, rows_after) = _rows(before), _rows(after)
    if head_before != head_after:
        return [f"{file}: its columns changed"]
    stay = Counter(map(tuple, rows_before.values())) & Counter(map(tuple, rows_after.values()))
    gone, come = _without(rows_before, stay), _without(rows_after, stay)
    said, is_paired = [], len(gone) * len(come) <= MOST_PAIRS
    for line, row in come.items():
        twin = _twin(row, gone, head_after) if is_paired else None
        if twin is None:
            said.append(f"{file} line {line} ({_name(row, head_after)}): new")
        else:
            old = gone.pop(twin)
            cells = [f"{column} {a or 'empty'} to {b or 'empty'}" for column, a, b in zip(head_after, old, row, strict=False) if a != b]
            said.append(f"{file} line {line} ({_name(row, head_after)}): {', '.join(cells)}")
    said += [f"{file} line {line} of before ({_name(row, head_before)}): removed" for line, row in gone.items()]
    more = len(said) - MOST_NAMED
    return said if more <= 0 else [*said[:MOST_NAMED], f"{file}: {more} more {'row' if more == 1 else 'rows'}"]


def _rows(content: bytes) -> tuple[list[str], dict[int, list[str]]]:
    """The header, and each row by its line."""
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    head = next(reader, [])
    return head, dict((reader.line_num, row) for row in reader if row)  # noqa: C402


def _without(rows: dict[int, list[str]], stay: Counter) -> dict[int, list[str]]:
    left, found = stay.copy(), {}
    for line, row in rows.items():
        if left[tuple(row)]:
            left[tuple(row)] -= 1
        else:
            found[line] = row
    return found


def _twin(row: list[str], others: dict[int, list[str]], head: list[str]) -> int | None:
    """The line of the row that speaks of the same thing: equal in all that names it, or else in most of its cells."""

    def alike(line):
        other = others[line]
        named = _key(other, head) == _key(row, head)
        return named, sum(a == b for a, b in zip(row, other, strict=False))

    best = max(others, key=alike, default=None)
    if best is None:
        return None
    named, equal = alike(best)
    return best if named or equal * 3 > len(head) * 2 else None


def _key(row: list[str], head: list[str]) -> list[str]:
    return [cell for column, cell in zip(head, row, strict=False) if column not in _ABOUT]


def _name(row: list[str], head: list[str]) -> str:
    """The first words that name a row."""
    return ", ".join([cell for cell in _key(row, head) if cell][:4])
