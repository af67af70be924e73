"""Which values of a notebook's parameters do not go together, as its parameters cell says in full-line comments.

`# not together: name=value, name=value; why` is checked before a run, like a range. `# together in hourly_rates.csv: price_basis,
rate_vintage` asks for a row of a data table that has all the values at once (`price_basis = owning_{operator}` where a column is named
otherwise, `model = base case` where it is the base case's): which go together follows from the data. Several such lines may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tokcost.errors import InputError
from tokcost.parameters.choices import meant, rows_of
from tokcost.parameters.declaration import Parameter, full_line_comments, parse_cell
from tokcost.parameters.hints import cut
from tokcost.quantities import nearest

_OPENS = re.compile(r"(not )?together\b", re.I)
_TABLE = re.compile(r"together in (?P<table>\w+\.csv):\s*(?P<items>[^,]+(?:,[^,]+)+)")
_LINE = re.compile(r"not together:\s*(?P<pairs>[^;]+?)\s*(?:;\s*(?P<why>.+?)[\s.]*)?")


@dataclass(frozen=True)
class Exclusion:
    """Values that do not go together, and why."""

    values: dict
    why: str = ""

    def __str__(self) -> str:
        return (
            "not together: " + ", ".join(f"{name}={value}" for name, value in self.values.items()) + (f" ({self.why})" if self.why else "")
        )

    @property
    def names(self) -> list[str]:
        """The parameters that it speaks of."""
        return list(self.values)

    def excludes(self, chosen: Mapping) -> bool:
        """Whether these values of the parameters have all of its own."""
        return all(chosen.get(name) == value for name, value in self.values.items())

    def check(self, settings) -> None:
        """Refuse settings that have all these values at once."""
        if self.excludes({s.parameter.name: s.value for s in settings}):
            raise InputError(f"{_pairs(self.names, settings)} do not go together{': ' + self.why if self.why else ''}; change one of them")


@dataclass(frozen=True)
class Together:
    """What must stand together in a row of a data table: column -> text, in which `{name}` is the value of a parameter."""

    table: str
    columns: dict[str, str]
    names: list[str]

    def __str__(self) -> str:
        return f"together in a row of {self.table}: {', '.join(self.names)}"

    def excludes(self, chosen: Mapping) -> bool:
        """Whether no row has these values of the parameters; a value that the table does not have at all is another's business."""
        return not self._fitting(self._asked(chosen))

    def check(self, settings) -> None:
        """Refuse settings that no row of the table has at once."""
        asked = self._asked({s.parameter.name: s.value for s in settings})
        if not self._fitting(asked):
            *others, last = asked
            fits = sorted({row[last] for row in self._fitting({column: asked[column] for column in others})})
            there = f"with the rest there is {last} {', '.join(fits)}" if fits else "change one of them"
            raise InputError(f"{_pairs(self.names, settings)} stand in no row of {self.table} together; {there}")

    def _asked(self, chosen: Mapping) -> dict[str, str]:
        written = {name: value if isinstance(value, str) else f"{value:g}" for name, value in chosen.items()}
        asked = {column: text.format_map(written) for column, text in self.columns.items()}
        return {column: text for column, text in asked.items() if any(row[column] == text for row in rows_of(self.table))}

    def _fitting(self, asked: dict[str, str]) -> list[dict[str, str]]:
        return [row for row in rows_of(self.table) if all(row[column] == text for column, text in asked.items())]


def _pairs(names: list[str], settings) -> str:
    return " and ".join(f"{s.parameter.name}={s.value} ({s.origin})" for s in settings if s.parameter.name in names)


def parse_exclusions(source: str, *, check_defaults: bool = True) -> list[Exclusion | Together]:
    """The exclusions of a parameters cell; with `check_defaults` its own values must not be among them.

    >>> cell = 'basis = "own"  # one of: own, rent\\nyear = 2025  # one of: 2025, 2026\\n'
    >>> print(*parse_exclusions(cell + "# not together: basis=rent, year=2025; nobody lists it"))
    not together: basis=rent, year=2025 (nobody lists it)
    """
    known = {p.name: p for p in parse_cell(source, check_defaults=check_defaults)}
    found = []
    for number, comment in full_line_comments(source):
        if _OPENS.match(comment):
            try:
                found.append(_exclusion(comment, known))
                if check_defaults and found[-1].excludes({name: p.default for name, p in known.items()}):
                    raise InputError("the defaults themselves are said not to go together")
            except InputError as error:
                raise InputError(f"line {number}: {error}") from None
    return found


def _exclusion(comment: str, known: dict[str, Parameter]) -> Exclusion | Together:
    if comment[:4].lower() != "not ":
        return _together(comment, known)
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


def _together(comment: str, known: dict[str, Parameter]) -> Together:
    line = _TABLE.fullmatch(comment)
    if line is None:
        raise InputError(f"write `# together in TABLE.csv: name, name` or `column = text with {{name}}`, not: # {cut(comment, 80)}")
    rows = rows_of(line["table"])
    columns, names = {}, []
    for item in line["items"].split(","):
        column, equals, text = (part.strip() for part in item.partition("="))
        named = re.findall(r"\{(\w+)\}", text) if equals else [column]
        for name in named:
            if name not in known:
                raise InputError(f"there is no parameter `{name}`{nearest(name, known)}")
        names += named
        columns[_column_of(column, rows[0] if rows else {}, line["table"])] = meant(column, text) if equals else f"{{{column}}}"
    return Together(line["table"], columns, names)


def _column_of(name: str, row: Mapping[str, str], table: str) -> str:
    """The longest column that a name ends in."""
    found = max((column for column in row if name == column or name.endswith(f"_{column}")), key=len, default=None)
    if found is None:
        raise InputError(f"{table} has no column that `{name}` could be{nearest(name, row)}")
    return found
