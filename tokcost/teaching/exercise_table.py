"""The exercises of all notebooks, one row each in `teaching/exercises.csv`, and the slips that people make, in `teaching/slips.csv`."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass

from tokcost import quantities
from tokcost.errors import InputError, nearest
from tokcost.paths import TEACHING
from tokcost.show.numbers import num, percent, times, usd

KINDS = ("predict", "change", "extend")
#: slips that no factor describes -> what they make of the right answer
_MADE_OF = {
    "upside down": lambda right: 1 / right if right else None,
    "the rest of the whole": lambda right: 1 - right,
    "one too few": lambda right: right - 1,
    "one too many": lambda right: right + 1,
}


def _factor(how: str) -> float:
    above, _, below = how.partition("/")
    return float(above) / float(below or 1)


@dataclass(frozen=True)
class Slip:
    """A mistake with a name: what it multiplies the right answer by, or another thing that it makes of it."""

    how: str
    diagnosis: str

    @property
    def factor(self) -> float | None:
        return None if self.how in _MADE_OF else _factor(self.how)

    def of(self, right: float) -> float | None:
        """The answer of somebody who makes this slip and none other."""
        return _MADE_OF[self.how](right) if self.factor is None else right * self.factor


@dataclass(frozen=True)
class Exercise:
    """What is asked, which answer is right and how near is near enough, and what to say to other answers."""

    name: str
    kind: str
    asked: str
    quantity: str
    right: float | str
    tolerance: float
    choices: tuple[str, ...]
    needs: dict[str, str]
    as_delivered: str
    hint: str
    why: str

    def said(self, value: float | str) -> str:
        """An answer with its unit."""
        if isinstance(value, str):
            return value
        unit = quantities.unit(self.quantity) or ""
        if unit.startswith("usd"):
            label = quantities.UNITS[unit][0].removeprefix("USD").strip()
            return f"{usd(value)} {label}".strip()
        shown = {"frac": percent, "ratio": times}.get(unit, num)(value)
        return f"{shown} {quantities.UNITS.get(unit, ('',))[0]}".strip() if unit not in ("frac", "ratio") else shown

    @functools.cached_property
    def slips(self) -> tuple[Slip, ...]:
        """Those of this exercise, then those of its unit."""
        known = _slips()
        return known.get(self.name, ()) + known.get(quantities.unit(self.quantity) or "", ())


@functools.cache
def exercises() -> dict[str, Exercise]:
    """Every exercise by its name: the number of its notebook, and its place there.

    >>> tc.teaching.exercises()["01-1"].asked
    'the cost of a million tokens in USD'
    """
    return {row["exercise"]: _exercise(row) for row in _rows("exercises.csv")}


def find(name: str) -> Exercise:
    """One exercise; an unknown name is an error that names the nearest.

    >>> find("01-9")
    Traceback (most recent call last):
    tokcost.errors.InputError: there is no exercise `01-9`; did you mean `01-3`?
    """
    if str(name) not in exercises():
        raise InputError(f"there is no exercise `{name}`{nearest(str(name), exercises())}")
    return exercises()[str(name)]


def _rows(table: str) -> list[dict[str, str]]:
    with open(TEACHING / table, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _exercise(row: dict[str, str]) -> Exercise:
    choices = tuple(filter(None, row["choices"].split("|")))
    return Exercise(
        name=row["exercise"],
        kind=row["kind"],
        asked=row["asked"],
        quantity=row["quantity"],
        right=row["right"] if choices else float(row["right"]),
        tolerance=float(row["tolerance_frac"] or 0),
        choices=choices,
        needs=dict(pair.split("=") for pair in filter(None, row["needs"].split("; "))),
        as_delivered=row["as_delivered"],
        hint=row["hint"],
        why=row["why"],
    )


@functools.cache
def _slips() -> dict[str, tuple[Slip, ...]]:
    found: dict[str, tuple[Slip, ...]] = {}
    for row in _rows("slips.csv"):
        found[row["applies_to"]] = (*found.get(row["applies_to"], ()), Slip(row["slip"], row["diagnosis"]))
    return found
