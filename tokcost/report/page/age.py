"""How old the evidence of a report was when it was made, in words."""

from __future__ import annotations

import datetime as dt

from tokcost.labels import label_of
from tokcost.quantities import months_old


def aged(when: str, made: dt.date) -> str:
    """A month, or the first and the last of several, and how old that was; what is no date stays as it is.

    >>> aged("2026-09", dt.date(2026, 11, 27)), aged("2026-11-02", dt.date(2026, 11, 27)), aged("2026-03 to 2026-10", dt.date(2026, 11, 27))
    ('September 2026, 2 months old', 'November 2026', 'March to October 2026, 1 month old')
    """
    first, _, last = when.rpartition(" to ")
    try:
        months, said = months_old(last, made), _month(last)
        if first:
            said = f"{_month(first) if first[:4] != last[:4] else _month(first).rpartition(' ')[0]} to {said}"
    except ValueError:
        return when
    return f"{said}, {_count(months)} old" if months else said


def stale(tables: list[dict], made: dt.date) -> list[str]:
    """The tables of a report whose newest row was older than such rows stay true: what, and how old it was."""
    found = []
    for table in tables:
        lasts, newest = table.get("lasts_months", 0), str(table.get("newest", ""))
        if lasts and newest and months_old(newest, made) > lasts:
            name = label_of("table", table["table"]) or str(table["table"]).replace("_", " ")
            found.append(f"{name} ({aged(newest, made)}; such rows should be at most {_count(lasts)} old)")
    return found


def _count(months: int) -> str:
    return f"{months} month{'' if months == 1 else 's'}"


def _month(when: str) -> str:
    return f"{dt.date(int(when[:4]), int(when[5:7]), 1):%B %Y}" if len(when) > 4 else when
