"""How to cite a report: who, what, when, from which data and with which version, for people and for BibTeX."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from html import escape

AUTHORS = "The tokcost developers"
_SPECIAL = {character: f"\\{character}" for character in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}"}


@dataclass(frozen=True)
class Citation:
    """One report as others refer to it; the template sets its dates apart, for nothing else differs between two runs."""

    name: str
    title: str
    version: str
    data: str
    made: datetime

    @property
    def work(self) -> str:
        """Version and data, by which a number can be found again."""
        return f"tokcost {self.version}" + (f", data {self.data}" if self.data else "")

    @property
    def key(self) -> str:
        return "tokcost-" + (re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "report")

    @property
    def bibtex(self) -> str:
        """The entry as HTML: every special character stands for itself, in BibTeX as on the page, and dates are marked as such."""
        day = self.made.date()
        return f"""@misc{{{self.key},
  author = {{{{{AUTHORS}}}}},
  title = {{{{{escape(_as_tex(self.title))}}}}},
  year = {{<time>{day.year}</time>}},
  note = {{{escape(_as_tex(self.work))}, <time>{day.isoformat()}</time>}}
}}"""


def _as_tex(text: str) -> str:
    r"""
    >>> _as_tex("50% of H200_x?")
    '50\\% of H200\\_x?'
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


def data_fingerprint(tables: list[dict]) -> str:
    """Twelve digits that change when a byte of any table behind the report does; nothing where there is no table.

    >>> data_fingerprint([{"file": "data/a.csv", "sha256": "00"}]), data_fingerprint([])
    ('110d59eaff17', '')
    """
    lines = sorted(f"{table['file']} {table['sha256']}\n" for table in tables)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:12] if lines else ""
