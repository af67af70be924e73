"""What all errors of this project share: one sentence that says what is wrong and what would be right, and no traceback in a notebook."""

from __future__ import annotations

import difflib
import linecache
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType


class SentenceError(Exception):
    """An error whose sentence is all that a reader needs; Jupyter shows it with the line of the cell, and nothing below that."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}", *_line_of_cell(self.__traceback__)]


class InputError(SentenceError, ValueError):
    """A parameter of a notebook is not what its declaration allows, or a report is asked for that cannot be; nothing has run."""


class WrongCall(SentenceError, TypeError):
    """A function was called with arguments that it does not take, or without one that it needs."""


class UnknownName(SentenceError, AttributeError):
    """The package offers no such name."""


def nearest(name: str, known: Iterable[object], *, may_list: bool = True) -> str:
    """The end of an error sentence: the known name that is most like `name`, or what is known.

    Without `may_list` what is known is not listed: words of a file from outside, which may be any file by mistake.

    A slip of the pen comes first, then the shortest name that holds all words of `name` (one word must be in one name only),
    then what is a little like it.

    >>> nearest("h20", ["h200", "gb300"])
    '; did you mean `h200`?'
    >>> nearest("zzz", ["h200", "gb300"]), nearest("deu", ["DEU", "FRA"])
    ('; known: gb300, h200', '; did you mean `DEU`?')
    >>> nearest("total_cost", ["total_token_cost_usd_per_mtok", "split_cost"])
    '; did you mean `total_token_cost_usd_per_mtok`?'
    """
    known = sorted(map(str, known))
    by_lower = {text.lower(): text for text in reversed(known)}
    asked = str(name).lower()
    words = set(asked.split("_"))
    close = difflib.get_close_matches(asked, by_lower, n=1, cutoff=0.85)
    holding = sorted((text for text in by_lower if words <= set(text.split("_"))), key=len)
    close = close or (holding[:1] if len(words) > 1 or len(holding) == 1 else [])
    close = close or difflib.get_close_matches(asked, by_lower, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{by_lower[close[0]]}`?"
    return f"; known: {', '.join(known)}" if may_list and len(known) <= 20 else ""


def _line_of_cell(trace: TracebackType | None) -> list[str]:
    """The line of a notebook's cell that led to an error, as IPython numbers cells; nothing outside of a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return []
    places = []
    for frame, line in traceback.walk_tb(trace):
        file = frame.f_code.co_filename
        if cell := shell.compile.format_code_name(file):
            places.append(f"{' '.join(cell)}, line {line}: {linecache.getline(file, line).strip()}")
    return places[-1:]
