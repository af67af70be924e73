"""Doubt that anyone reads rightly: dots of equal chance instead of a density curve, and a map of scenarios with its break-even line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tokcost import quantities
from tokcost.show import draw
from tokcost.show.distributions import frame_of_cell
from tokcost.show.figure import Figure, chart, drawing, finish
from tokcost.show.numbers import num, percent
from tokcost.show.style import INK, LOSS, PAPER, SHADES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

#: widths that dots are stacked in, along the whole axis
_STACKS = 30


@chart
def plot_quantile_dots(
    frame: pd.DataFrame, *, x: str, by: str, alt: str = "", title: str = "", reference: dict[str, float] | None = None, log_x: bool = False
) -> Figure:
    """Outcomes as dots of equal chance (`tokcost.doubt.quantile_dots`), stacked where they are close, one row for each of `by`.

    Count the dots on one side of a line, and you have read a chance. The median stands below each row; `reference` draws labelled lines.
    """
    rows = list(frame.groupby(by, sort=False))
    place = np.log(frame[x]) if log_x else frame[x]
    stack = ((place - place.min()) / (np.ptp(place) or 1) * (_STACKS - 1e-9)).astype(int)
    tallest = max(stack.loc[group.index].value_counts().max() for _, group in rows)
    with drawing(height=(0.13 * tallest + 0.3) * len(rows) + 1.2) as (fig, ax):
        for k, (name, group) in enumerate(rows):
            levels = stack.loc[group.index].groupby(stack.loc[group.index]).cumcount()
            colour = draw.colour_of(name, k)
            ax.scatter(group[x], k - (levels + 0.5) * 0.8 / tallest, s=26, color=colour, linewidths=0)
            ax.plot(group[x].median(), k, marker="^", color=INK, markersize=6, linestyle="none", clip_on=False)
            draw.write(ax, (group[x].median(), k), num(group[x].median(), 2), offset=(0, -11), ha="center", fontweight="bold")
        ax.set_yticks(range(len(rows)), [str(name) for name, _ in rows])
        ax.set_ylim(len(rows) - 0.5, -1.0)
        ax.grid(axis="y", visible=False)
        ax.tick_params(axis="y", length=0)
        draw.vertical_lines(ax, reference)
        if log_x:
            ax.set_xscale("log")
            draw.log_axis(ax.xaxis, frame[x].min(), frame[x].max())
        ax.set_xlabel(draw.axis_label(x, is_log=log_x))
        ax.plot([], [], marker="o", color=INK, linestyle="none", label=f"one of {len(rows[0][1])} equally likely outcomes")
        ax.plot([], [], marker="^", color=INK, linestyle="none", label="their median")
        draw.legend(fig, 2)
        return finish(fig, alt, title)


@chart
def plot_scenarios(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    value: str,
    alt: str = "",
    title: str = "",
    break_even: float = 1.0,
    here: tuple[float, float] | None = None,
) -> Figure:
    """A number at every combination of two inputs (`tokcost.doubt.scenarios`), in another colour below `break_even`, with the line there.

    `here` frames the combination (x, y) that is in use, if it is one of them.
    """
    import pandas as pd
    import seaborn

    grid = frame.pivot(index=y, columns=x, values=value).sort_index(ascending=False)
    values = grid.to_numpy(dtype=float)
    above = values[values >= break_even]
    thirds = np.quantile(above, [1 / 3, 2 / 3]) if len(above) else []
    shades = pd.DataFrame(np.where(values < break_even, 0, 1 + np.searchsorted(thirds, values)))
    shades.index, shades.columns = _ticks(y, grid.index), _ticks(x, grid.columns)
    texts = np.array([[num(one, 2) for one in row] for row in values])
    with drawing(height=0.34 * len(grid) + 1.4) as (fig, ax):
        look = {"annot_kws": {"color": INK, "fontsize": 8.5}, "linewidths": 2, "linecolor": PAPER, "cbar": False}
        seaborn.heatmap(shades, annot=texts, fmt="", cmap=[LOSS, *SHADES], vmin=0, vmax=3, ax=ax, **look)
        is_below = values < break_even
        for i, j in zip(*np.nonzero(is_below[:, 1:] != is_below[:, :-1]), strict=True):
            ax.plot([j + 1, j + 1], [i, i + 1], color=INK, linewidth=2.2, solid_capstyle="round")
        for i, j in zip(*np.nonzero(is_below[1:] != is_below[:-1]), strict=True):
            ax.plot([j, j + 1], [i + 1, i + 1], color=INK, linewidth=2.2, solid_capstyle="round")
        if here and here[0] in grid.columns and here[1] in grid.index:
            ax.add_patch(frame_of_cell(grid.index.get_loc(here[1]), grid.columns.get_loc(here[0])))
        ax.set(xlabel=draw.axis_label(x), ylabel=draw.axis_label(y))
        ax.tick_params(length=0, rotation=0)
        ax.plot([], [], color=INK, linewidth=2.2, label=f"where it is {num(break_even)}")
        draw.legend(fig, 1)
        return finish(fig, alt, title, draw.axis_label(value))


def _ticks(name: str, values: Iterable[float]) -> list[str]:
    return [percent(at) if quantities.unit(name) == "frac" else f"{at:g}" for at in values]
