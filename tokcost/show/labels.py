"""Names beside curves and marks: moved apart, in the open, and never over what they name."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from tokcost.show import form
from tokcost.show.style import MUTED, PAPER
from tokcost.show.ticks import remembered_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: between the names of two curves, and of a line of the names of marks
_GAP_POINTS, _LINE_POINTS = 12, 11
#: text that a curve may run under stays readable
_BEHIND = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8, "alpha": 0.85}


def spread(positions: ArrayLike, gap: float) -> np.ndarray:
    """Positions moved apart so that labels `gap` wide do not overlap, in order, as little as possible.

    >>> spread([1.0, 1.1, 3.0], 0.5).round(2).tolist()
    [0.8, 1.3, 3.0]
    """
    wanted = np.asarray(positions, dtype=float)
    order = np.argsort(wanted, kind="stable")
    groups: list[list[float]] = []  # each group: sum of (wanted - offset), count
    for index in order:
        groups.append([float(wanted[index]), 1])
        while len(groups) > 1 and _centre(groups[-2]) + gap * (groups[-2][1] + groups[-1][1]) / 2 > _centre(groups[-1]):
            last = groups.pop()
            groups[-1] = [groups[-1][0] + last[0], groups[-1][1] + last[1]]
    placed = np.concatenate([_centre(g) + gap * (np.arange(g[1]) - (g[1] - 1) / 2) for g in groups])
    result = np.empty_like(wanted)
    result[order] = placed
    return result


def _centre(group) -> float:
    return group[0] / group[1]


#: where the name of a curve that ends early may stand: shift in points, and what of the text is placed there
_AROUND = (((0, 5), "right", "bottom"), ((6, 0), "left", "center"), ((0, -5), "center", "top"), ((0, -5), "right", "top"))


def _drawn(ax) -> np.ndarray:
    """Pixels that curves and dots of the axes cover, in steps finer than a letter."""
    pixels = [ax.transData.transform(dots.get_offsets()) for dots in ax.collections]
    for line in ax.get_lines():
        path = line.get_transform().transform_path(line.get_path()).vertices
        path = path[np.isfinite(path).all(axis=1)]
        for start, end in itertools.pairwise(path):
            n = int(np.hypot(*(end - start)) // 4) + 2
            pixels.append(start + np.linspace(0, 1, n)[:, None] * (end - start))
    return np.concatenate([np.empty((0, 2)), *pixels])


def _label_in_the_open(ax, end: tuple[float, float, str, str], drawn: np.ndarray) -> None:
    """The name of a series at its last point, at the place inside the axes that covers least of what is drawn."""
    x, y, text, colour = end
    label = ax.annotate(text, (x, y), xytext=(0, 0), textcoords="offset points", color=colour, fontsize=9, fontweight="bold", bbox=_BEHIND)
    inside = ax.get_window_extent()
    covered = []
    for shift, across, up in _AROUND:
        label.set(position=shift, ha=across, va=up)
        box = label.get_window_extent()
        is_out = (box.min < inside.min).any() or (box.max > inside.max).any()
        covered.append((is_out, int(((drawn >= box.min) & (drawn <= box.max)).all(axis=1).sum())))
    shift, across, up = _AROUND[covered.index(min(covered))]
    label.set(position=shift, ha=across, va=up)


def _legend_of_lines(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """The names of curves below them, where there is no room beside them."""
    for _, _, text, colour in ends:
        look = next(line for line in ax.get_lines() if line.get_color() == colour)
        ax.plot([], [], color=colour, linestyle=look.get_linestyle(), marker=look.get_marker(), label=text)
    handles = ax.get_lines()[-len(ends) :]
    ax.figure.legend(handles=handles, loc="outside lower left", ncols=1, fontsize=8.5)


def label_ends(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each series' name beside its last point, moved apart where ends are close; one that ends early stands in the open."""
    fig = ax.figure
    if form.is_narrow() and max(len(text) for _, _, text, _ in ends) > form.CURVE:
        return _legend_of_lines(ax, ends)
    with remembered_ticks(fig):
        fig.get_layout_engine().execute(fig)
    early = [end for end in ends if ax.transAxes.inverted().transform(ax.transData.transform(end[:2]))[0] < 0.7]
    drawn = _drawn(ax) if early else np.empty((0, 2))
    for end in early:
        _label_in_the_open(ax, end, drawn)
    ends = [end for end in ends if end not in early]
    if not ends:
        return
    pixels = np.array([ax.transData.transform((x, y)) for x, y, _, _ in ends])
    heights = spread(pixels[:, 1], _GAP_POINTS * fig.dpi / 72)
    to_the_right = ax.transData + ScaledTranslation(6 / 72, 0, fig.dpi_scale_trans)
    for (x, _, text, colour), across, height in zip(ends, pixels[:, 0], heights, strict=True):
        y = ax.transData.inverted().transform((across, height))[1]
        ax.text(x, y, text, color=colour, va="center", fontsize=9, fontweight="bold", transform=to_the_right, bbox=_BEHIND)


def label_marks(ax: Axes, marks: dict[str, float]) -> None:
    """Dashed vertical lines with their names at the top; a name that would run into another stands a line lower."""
    free_from: list[float] = []  # right end of the last name in each line, as a share of the width
    character = 5 / (ax.figure.get_figwidth() * 72 * ax.get_position().width)
    for text, at in sorted(marks.items(), key=lambda item: item[1]):
        ax.axvline(at, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
        start = ax.transAxes.inverted().transform(ax.transData.transform((at, ax.get_ylim()[1])))[0]
        side = "right" if form.is_narrow() and start + character * len(text) > 1 else "left"
        start -= character * (len(text) + 2) if side == "right" else 0
        line = next((i for i, end in enumerate(free_from) if end <= start), len(free_from))
        free_from[line : line + 1] = [start + character * (len(text) + 2)]
        shift = (-3 if side == "right" else 3, -2 - _LINE_POINTS * line)
        place = {"xycoords": ("data", "axes fraction"), "xytext": shift, "textcoords": "offset points"}
        ax.annotate(text, (at, 1), **place, fontsize=8.5, color=MUTED, va="top", ha=side)
