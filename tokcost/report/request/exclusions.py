"""Which values of a notebook's parameters do not go together, as its parameters cell says in full-line comments.

`# not together: name=value, name=value; why` is checked before a run, like a range. Several such lines may stand there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tokcost.quantities import nearest
from tokcost.report.errors import ReportError
from tokcost.report.request.hints import cut
from tokcost.report.request.parameters import Parameter, full_line_comments, parse_cell, read_cell

_OPENS = re.compile(r"not together\b", re.I)
_LINE = re.compile(r"not together:\s*(?P<pairs>[^;]+?)\s*(?:;\s*(?P<why>.+?)[\s.]*)?")


@dataclass(frozen=True)
class Exclusion:
    """Values that do not go together, and why."""

    values: dict
    why: str = ""

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.values.items()) + (f" ({self.why})" if self.why else "")

    def check(self, settings) -> None:
        """Refuse settings that have all these values at once."""
        hit = [s for s in settings if s.parameter.name in self.values and s.value == self.values[s.parameter.name]]
        if len(hit) == len(self.values):
            pairs = " and ".join(f"{s.parameter.name}={s.value} ({s.origin})" for s in hit)
            raise ReportError(f"{pairs} do not go together{': ' + self.why if self.why else ''}; change one of them")


def read_exclusions(path: Path) -> list[Exclusion]:
    """The exclusions that the notebook at `path` declares."""
    return read_cell(path, parse_exclusions)


def parse_exclusions(source: str) -> list[Exclusion]:
    """The exclusions of a parameters cell.

    >>> cell = 'basis = "own"  # one of: own, rent\\nyear = 2025  # one of: 2025, 2026\\n'
    >>> print(*parse_exclusions(cell + "# not together: basis=rent, year=2025; nobody lists it"))
    basis=rent, year=2025 (nobody lists it)
    """
    known = {p.name: p for p in parse_cell(source)}
    found = []
    for number, comment in full_line_comments(source):
        if _OPENS.match(comment):
            try:
                found.append(_exclusion(comment, known))
            except ReportError as error:
                raise ReportError(f"line {number}: {error}") from None
    return found


def _exclusion(comment: str, known: dict[str, Parameter]) -> Exclusion:
    line = _LINE.fullmatch(comment)
    pairs = [pair.partition("=") for pair in line["pairs"].split(",")] if line else []
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < 2 or len(set(names)) < len(names) or not all(equals for _, equals, _ in pairs):
        raise ReportError(f"write `# not together: name=value, name=value; why`, each name once, not: # {cut(comment, 80)}")
    values = {}
    for name, (_, _, text) in zip(names, pairs, strict=True):
        if name not in known:
            raise ReportError(f"there is no parameter `{name}`{nearest(name, known)}")
        values[name] = known[name].parse(text.strip())
    if all(known[name].default == value for name, value in values.items()):
        raise ReportError("the defaults themselves are said not to go together")
    return Exclusion(values, (line["why"] if line else "") or "")
