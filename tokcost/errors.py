"""What all errors of this project share: one sentence that says what is wrong and what would be right, and no traceback in a notebook."""

from __future__ import annotations

import linecache
import sys
import traceback
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
