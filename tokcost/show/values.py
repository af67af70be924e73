"""What stands where in a figure, read back from its axes: so that a page can tell a value where a reader points."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import PercentFormatter

from tokcost.show.form import names_of
from tokcost.show.numbers import num, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

#: a curve tells this many of its points, evenly along it
POINTS_OF_A_CURVE = 20


#: what a mark says, and its place as per cent of the width and height of the figure, from the top left
Placed = tuple[str, float, float]


@dataclass(frozen=True)
class Value:
    """A mark of a figure: what it says, and its place."""

    text: str
    ax: Axes
    x: float
    y: float

    def placed(self) -> Placed:
        """The text and the place in the finished figure."""
        across, up = self.ax.transData.transform((self.x, self.y)) / self.ax.figure.bbox.size
        return unescape(self.text), round(100 * float(across), 1), round(100 * (1 - float(up)), 1)


def values_of(fig: Figure) -> list[Value]:
    """The marks that a reader can point at: bars, single marks in a named row, and points of named curves."""
    return [value for ax in fig.axes if ax.get_visible() for value in (*_bars(ax), *_marks(ax))]


def axes_said(fig: Figure) -> str:
    """What the axes of a figure count: "Cost per million tokens (USD) over interactivity"; empty where they count nothing."""
    ax = fig.axes[0]
    across = fig.get_supxlabel() or "; ".join(dict.fromkeys(filter(None, (one.get_xlabel() for one in fig.axes))))
    up = next((text.get_text() for text in (*ax.texts, *fig.texts) if text.get_label() == "measure"), ax.get_ylabel())
    up, across = (text.replace("\n", " ").replace(", log scale", "") for text in (up, across))
    return f"{up} over {_in_a_sentence(across)}" if up and across else up or across


def _in_a_sentence(label: str) -> str:
    """A label with a small first letter, unless it is an abbreviation."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _row(ax: Axes, y: float) -> str:
    """The name of the row at this height; empty where rows have none."""
    return dict(zip(ax.get_yticks(), names_of(ax.yaxis), strict=False)).get(round(y), "").replace("\n", " ")


def _said(axis: Axis, value: float) -> str:
    """A value as its axis counts: shares in per cent."""
    return percent(value, 3) if isinstance(axis.get_major_formatter(), PercentFormatter) else num(value)


def _bars(ax: Axes) -> list[Value]:
    found = []
    for bars in ax.containers:
        for bar in getattr(bars, "patches", []):
            name = _row(ax, bar.get_y() + bar.get_height() / 2)
            if name and bar.get_width() and np.isfinite(bar.get_width()):
                end = bar.get_x() + bar.get_width()
                found.append(Value(f"{name}: {_said(ax.xaxis, bar.get_width())}", ax, end, bar.get_y() + bar.get_height() / 2))
    return found


def _marks(ax: Axes) -> list[Value]:
    found = []
    for line in ax.get_lines():
        points = np.column_stack([np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)])
        points = points[np.isfinite(points).all(axis=1)]
        name = str(line.get_label())
        if line.get_transform() != ax.transData or not len(points):
            continue
        if len(points) == 1 and _row(ax, points[0, 1]):
            found.append(Value(f"{_row(ax, points[0, 1])}: {_said(ax.xaxis, points[0, 0])}", ax, *points[0]))
        elif not name.startswith("_"):
            chosen = points[np.unique(np.linspace(0, len(points) - 1, POINTS_OF_A_CURVE).round().astype(int))]
            found += [Value(f"{name}: {_said(ax.yaxis, y)} at {_said(ax.xaxis, x)}".removeprefix(": "), ax, x, y) for x, y in chosen]
    return found
