"""Which values of a notebook's parameters do not go together, as its parameters cell says in full-line comments.

`# not together: name=value, name=value; why` is checked before a run, like a range. Several such lines may stand there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tokcost.errors import InputError
from tokcost.parameters.declaration import Parameter, full_line_comments, parse_cell
from tokcost.parameters.hints import cut
from tokcost.quantities import nearest

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
            raise InputError(f"{pairs} do not go together{': ' + self.why if self.why else ''}; change one of them")


def parse_exclusions(source: str, *, check_defaults: bool = True) -> list[Exclusion]:
    """The exclusions of a parameters cell; with `check_defaults` its own values must not be among them.

    >>> cell = 'basis = "own"  # one of: own, rent\\nyear = 2025  # one of: 2025, 2026\\n'
    >>> print(*parse_exclusions(cell + "# not together: basis=rent, year=2025; nobody lists it"))
    basis=rent, year=2025 (nobody lists it)
    """
    known = {p.name: p for p in parse_cell(source, check_defaults=check_defaults)}
    found = []
    for number, comment in full_line_comments(source):
        if _OPENS.match(comment):
            try:
                found.append(_exclusion(comment, known))
                if check_defaults and all(known[name].default == value for name, value in found[-1].values.items()):
                    raise InputError("the defaults themselves are said not to go together")
            except InputError as error:
                raise InputError(f"line {number}: {error}") from None
    return found


def _exclusion(comment: str, known: dict[str, Parameter]) -> Exclusion:
    line = _LINE.fullmatch(comment)
    pairs = [pair.partition("=") for pair in line["pairs"].split(",")] if line else []
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < 2 or len(set(names)) < len(names) or not all(equals for _, equals, _ in pairs):
        raise InputError(f"write `# not together: name=value, name=value; why`, each name once, not: # {cut(comment, 80)}")
    values = {}
    for name, (_, _, text) in zip(names, pairs, strict=True):
        if name not in known:
            raise InputError(f"there is no parameter `{name}`{nearest(name, known)}")
        values[name] = known[name].parse(text.strip())
    return Exclusion(values, (line["why"] if line else "") or "")
