"""The two forms of a figure: wide for a page or a screen, narrow for a phone, where long words stand in several lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from matplotlib.category import StrCategoryFormatter
from matplotlib.ticker import FixedLocator, FuncFormatter

from tokcost.show.style import NARROW_IN, WIDTH_IN

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

#: characters of a line in the narrow form: of a heading, of the title of a panel, of an axis beside numbers, of an axis beside
#: named rows, of the names of rows, of steps along an axis, of rankings side by side, of notes, and of curves
HEADING, PANEL, AXIS, AXIS_OF_ROWS, ROW, STEP, RANKING, NOTE, CURVE = 36, 30, 34, 24, 20, 12, 7, 16, 8
_LINE_IN = 0.15

_is_narrow = False


@contextmanager
def narrow() -> Iterator[None]:
    """Draw what follows for a phone."""
    global _is_narrow
    _is_narrow, before = True, _is_narrow
    try:
        yield
    finally:
        _is_narrow = before


def is_narrow() -> bool:
    return _is_narrow


def width_in() -> float:
    return NARROW_IN if _is_narrow else WIDTH_IN


def folded(text: str, characters: int) -> str:
    """`text` in lines of at most so many characters, in the narrow form; as it is in the wide one.

    >>> with narrow():
    ...     print(folded("Cost per million tokens", 12))
    Cost per
    million
    tokens
    """
    if not _is_narrow:
        return text
    return "\n".join(textwrap.fill(line, characters, break_long_words=False) for line in text.split("\n"))


def is_named(axis: Axis) -> bool:
    """Whether an axis has names at its steps, and not numbers."""
    formatter = axis.get_major_formatter()
    has_own_labels = isinstance(axis.get_major_locator(), FixedLocator) and isinstance(formatter, FuncFormatter)
    return has_own_labels or isinstance(formatter, StrCategoryFormatter)


def names_of(axis: Axis) -> list[str]:
    """The names at the steps of an axis, also where a panel beside it shows them; empty where it has numbers."""
    return axis.get_major_formatter().format_ticks(axis.get_majorticklocs()) if is_named(axis) else []


def fold(fig: Figure) -> None:
    """Break the long words of a finished figure in the narrow form, and give its rows the height that they then need."""
    if not _is_narrow:
        return
    added = 0.0
    for ax in fig.axes:
        ax.set_xlabel(folded(ax.get_xlabel(), AXIS_OF_ROWS if is_named(ax.yaxis) else AXIS))
        ax.set_title(folded(ax.get_title("left"), PANEL), fontsize=ax.title.get_fontsize())
        if names := names_of(ax.yaxis):
            rows = [folded(name, ROW) for name in names]
            ax.set_yticks(ax.get_yticks(), rows)
            added += _LINE_IN * len(rows) * (max(row.count("\n") for row in rows) - max(name.count("\n") for name in names))
        if steps := [folded(name, STEP) for name in names_of(ax.xaxis)]:
            ax.set_xticks(ax.get_xticks(), steps)
    if fig.get_supxlabel():
        fig.supxlabel(folded(fig.get_supxlabel(), AXIS), fontsize=9)
    fig.set_figheight(fig.get_figheight() + added)
    if layout := fig.get_layout_engine():
        layout.set(w_pad=0.1)  # a phone's own letters may be wider than those that were measured
