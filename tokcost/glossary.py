"""Terms in one sentence each: `data/terms.csv`, and the vocabulary where a term is one of its quantities, so that none is defined twice."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass

from tokcost import quantities
from tokcost.paths import DATA


@dataclass(frozen=True)
class Term:
    """A term, the other forms in which a text uses it, its definition, and the standard that defines it, if one does."""

    name: str
    also: tuple[str, ...]
    definition: str
    reference: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.definition}" + (f" ({self.reference})" if self.reference else "")

    def _repr_markdown_(self) -> str:
        return f"**{self.name}**: {self.definition}" + (f" ({self.reference})" if self.reference else "")


@functools.cache
def terms() -> dict[str, Term]:
    """Every term of the glossary by its name.

    >>> terms()["TTFT"].also
    ('time to first token',)
    """
    with open(DATA / "terms.csv", newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {
        row["term"]: Term(
            row["term"],
            tuple(filter(None, row["also"].split(";"))),
            row["definition"] or _meaning(row["quantity"], row["term"]),
            row["reference"],
        )
        for row in rows
    }


def _meaning(name: str, term: str) -> str:
    """A quantity's meaning as a sentence, after its full name where the term is a short one."""
    quantity = quantities.of(name)
    if quantity.label.casefold() == term.casefold():
        return f"{quantity.meaning[0].upper()}{quantity.meaning[1:]}."
    return f"{quantity.label}: {quantity.meaning}."


def glossary(term: str) -> Term:
    """What a term means, in a sentence; a quantity's name or label does too.

    Raises: QuantityError for what the glossary does not have, with the nearest term.

    >>> print(glossary("interactivity"))
    interactivity: Tokens per second that one user sees while an answer streams; 1 / median TPOT.
    >>> glossary("neoclouds").name
    'neocloud'
    >>> glossary("interactivty")
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: the glossary has no `interactivty`; did you mean `interactivity`?
    """
    known = {form.casefold(): entry for entry in terms().values() for form in (entry.name, *entry.also)}
    for name, quantity in quantities.QUANTITIES.items():
        entry = Term(quantity.label, (name,), _meaning(name, quantity.label))
        known.setdefault(name, entry)
        known.setdefault(quantity.label.casefold(), entry)
    found = known.get(term.strip().casefold())
    if found is None:
        raise quantities.QuantityError(f"the glossary has no `{term}`{quantities.nearest(term, known)}")
    return found
