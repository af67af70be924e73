"""Charts of tidy tables. Each takes a frame, the names of its columns and the alt text; none computes economics.

Axes take their labels from the vocabulary; series carry their names at their ends, and differ by
marker or dash as well as by colour.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost.show import draw, form
from tokcost.show.figure import Figure, chart, drawing, finish
from tokcost.show.labels import label_ends, label_marks
from tokcost.show.numbers import alike, label_text
from tokcost.show.style import BLUE, MARKERS, MUTED, ORANGE, PAPER, SERIES


@chart
def plot_curves(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    alt: str = "",
    by: str | None = None,
    title: str = "",
    points: pd.DataFrame | None = None,
    log_x: bool = False,
    log_y: bool = True,
    mark: dict[str, float] | None = None,
    level: dict[str, float] | None = None,
    band: tuple[str, str] | None = None,
) -> Figure:
    """Curves of `y` over `x`, one for each value of `by`, or a single one without a name; NaN is a gap, never a bridge.

    Where a column `is_hole` is true the line is thin and dotted: the measured runs on either side lie too far apart to be
    read between, or nothing was measured at all. `band` names two columns between which it is shaded. `points` (same columns)
    adds the measured points; `mark` draws labelled vertical lines, `level` labelled horizontal ones. Log axes say so in their label.
    """
    with drawing(height=3.7) as (fig, ax):
        ends = []
        for i, (name, group) in enumerate(frame.groupby(by, sort=False) if by else [("", frame)]):
            colour = draw.colour_of(name, i)
            group = group.sort_values(x)
            hole = group["is_hole"] if "is_hole" in group else pd.Series(False, index=group.index)
            ax.plot(group[x], group[y].mask(hole), color=colour, linestyle=draw.DASHES[i % len(draw.DASHES)], label=str(name))
            if band:
                ax.fill_between(group[x], group[band[0]], group[band[1]], color=colour, alpha=0.13, linewidth=0)
            if hole.any():
                edges = hole | hole.shift(-1, fill_value=False) | hole.shift(fill_value=False)
                ax.plot(group[x], group[y].where(edges), color=colour, linewidth=0.8, linestyle=(0, (1, 3)))
            reached = group.dropna(subset=[y])
            if len(reached) and by:
                ends.append((reached[x].iloc[-1], reached[y].iloc[-1], str(name), colour))
            if points is not None:
                dots = points[points[by] == name] if by else points
                ax.scatter(dots[x], dots[y], s=14, color=colour, marker=MARKERS[i % len(MARKERS)], alpha=0.55, linewidths=0)
        if log_x:
            ax.set_xscale("log")
            draw.log_axis(ax.xaxis, frame[x].min(), frame[x].max())
        if log_y:
            ax.set_yscale("log")
            shown = frame[[y, *(band or ())]].stack()
            draw.log_axis(ax.yaxis, shown.min(), shown.max())
        else:
            ax.set_ylim(bottom=0)
        draw.shares_in_percent(ax.xaxis, x)
        draw.shares_in_percent(ax.yaxis, y)
        ax.set_xlabel(draw.axis_label(x, is_log=log_x))
        draw.title_over_label(ax, title, draw.axis_label(y, is_log=log_y))
        if mark:  # head-room, so that no curve runs through its label
            ax.set_ylim(top=ax.get_ylim()[1] * (1.5 if log_y else 1.1))
        label_marks(ax, mark or {})
        draw.horizontal_lines(ax, level)
        if ends:
            label_ends(ax, ends)
        return finish(fig, alt)


@chart
def plot_ranges(
    frame: pd.DataFrame,
    *,
    alt: str = "",
    label: str = "label",
    low: str = "low",
    high: str = "high",
    value: str | None = None,
    group: str | None = None,
    x: str = "ratio",
    reference: dict[str, float] | None = None,
    title: str = "",
    log_x: bool = False,
    from_zero: bool = True,
    around: tuple[str, str] | None = None,
) -> Figure:
    """Ranges as horizontal bars, one row each, with the value marked where there is one.

    `group` names a column whose values differ by colour and marker; `reference` draws labelled vertical lines.
    `from_zero=False` only where distance from a reference is what is shown. `around` names two more columns: a wider range,
    drawn as a thin bracket (say, everything that rounds to a printed figure).
    """
    kinds = list(dict.fromkeys(frame[group])) if group else [None]
    lines = max(str(text).count("\n") + 1 for text in frame[label])
    height = (0.2 + 0.16 * lines) * len(frame) + 1.1 + (0.25 if title else 0)
    middles = frame[value] if value else (frame[low] + frame[high]) / 2
    texts = alike(middles)
    with drawing(height=height) as (fig, ax):
        for row, (_, fact) in enumerate(frame.iterrows()):
            k = kinds.index(fact[group]) if group else 0
            if around:
                ax.plot([fact[around[0]], fact[around[1]]], [row, row], color=MUTED, linewidth=1.2, marker="|", markersize=9)
            if fact[high] > fact[low]:
                draw.bar_of_range(ax, fact[low], fact[high], row, SERIES[k % len(SERIES)], alpha=0.45)
            middle = middles.iloc[row]
            if not np.isnan(middle):
                ax.plot(middle, row, **draw.marker(k, markersize=6))
                end = max(fact[high], middle, fact[around[1]] if around else middle)
                draw.write(ax, (end, row), texts[row], offset=(7, 0))
        draw.row_labels(ax, frame[label], with_ticks=True)
        if log_x:
            ax.set_xscale("log")
            draw.log_axis(ax.xaxis, frame[low].min(), frame[high].max())
        ax.margins(x=0.12)
        if from_zero and not log_x:
            ax.set_xlim(left=0)
        draw.vertical_lines(ax, reference)
        ax.set_xlabel(draw.axis_label(x, is_log=log_x))
        draw.heading(fig, title)
        if group:
            draw.legend_of_markers(fig, ax, kinds, min(3, len(kinds)))
        return finish(fig, alt)


@chart
def plot_bars(
    frame: pd.DataFrame,
    *,
    value: str | dict[str, str],
    alt: str = "",
    label: str = "label",
    title: str = "",
    highlight: str | list[str] | None = None,
) -> Figure:
    """Horizontal bars from zero, each with its number; `highlight` names the row, or the rows, set off.

    Several values (what the axis says -> column) stand in panels side by side, on the same rows.
    """
    set_off = [highlight] if isinstance(highlight, str) else highlight
    colours = [BLUE if not set_off or name in set_off else ORANGE for name in frame[label]]
    panels = value if isinstance(value, dict) else {draw.axis_label(value): value}
    with drawing(1, len(panels), height=0.36 * len(frame) + 1.0, sharey=True, squeeze=False) as (fig, axes):
        for ax, (says, column) in zip(axes.flat, panels.items(), strict=True):
            bars = ax.barh(frame[label], frame[column], color=colours, height=0.62)
            for bar, text in zip(bars, alike(frame[column]), strict=True):
                draw.write(ax, (max(bar.get_width(), 0), bar.get_y() + bar.get_height() / 2), text, offset=(4, 0), size=9)
            ax.margins(x=0.14 * len(panels))
            ax.set_xlim(left=min(0, frame[column].min()))
            ax.grid(axis="y", visible=False)
            ax.set_xlabel(says)
        axes.flat[0].invert_yaxis()
        return finish(fig, alt, title)


@chart
def plot_slope(frame: pd.DataFrame, *, by: str, rankings: dict[str, str], best: dict[str, str], alt: str = "", title: str = "") -> Figure:
    """Rankings side by side: one line an accelerator, crossing where two metrics disagree.

    `rankings` maps a heading to the column that it ranks by; `best` says "high" or "low" for each heading. Where a column
    between the first and the last is NaN, the line has no point and no bridge over it; the others are ranked without it.
    """
    columns = list(rankings)
    n = len(frame)
    with drawing(height=0.36 * n + 1.3) as (fig, ax):
        ranks = {h: frame[c].rank(ascending=best[h] == "low", method="first") for h, c in rankings.items()}
        texts = {h: alike(frame[c]) for h, c in rankings.items()}
        for i, (index, fact) in enumerate(frame.iterrows()):
            heights = [ranks[h][index] for h in columns]
            line = {"marker": MARKERS[i % len(MARKERS)], "linestyle": draw.DASHES[i % len(draw.DASHES)]}
            ax.plot(range(len(columns)), heights, color=draw.colour_of(fact[by], i), zorder=3, **line)
            name, first, last = label_text(by, fact[by]), texts[columns[0]][i], texts[columns[-1]][i]
            draw.write(ax, (0, heights[0]), f"{name}  {first}", offset=(-8, 0), size=9, ha="right")
            draw.write(ax, (len(columns) - 1, heights[-1]), f"{last}  {name}", offset=(8, 0), size=9)
            for k, says in enumerate(columns[1:-1], start=1):
                if np.isnan(heights[k]):
                    continue
                box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
                draw.write(ax, (k, heights[k]), texts[says][i], offset=(0, 6), size=8, va="bottom", ha="center", bbox=box)
        room = 1.15 if form.is_narrow() else 0.75  # for the names beside the lines
        ax.set(xlim=(-room, len(columns) - 1 + room), ylim=(n + 0.5, 0.4))
        ax.set_xticks(range(len(columns)), [form.folded(says, form.RANKING) for says in columns])
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.set_yticks([])
        ax.grid(axis="y", visible=False)
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.set_title(title)
        ax.text(-room, 0.55, "best ↑", fontsize=8.5, color=MUTED)
        return finish(fig, alt)


@chart
def plot_parity(frame: pd.DataFrame, *, x: dict[str, str], y: str, alt: str = "", by: str | None = None, title: str = "") -> Figure:
    """Predicted against observed, one panel for each predictor (`x`: heading -> column), with the line of agreement."""
    kinds = list(dict.fromkeys(frame[by])) if by else [None]
    with drawing(1, len(x), height=3.3, sharey=True, sharex=True, squeeze=False) as (fig, axes):
        numbers = frame[[*x.values(), y]].to_numpy(dtype=float)
        low, high = np.nanmin(numbers) * 0.85, np.nanmax(numbers) * 1.18
        for ax, (says, column) in zip(axes.flat, x.items(), strict=True):
            ax.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
            for k, kind in enumerate(kinds):
                group = frame if by is None else frame[frame[by] == kind]
                look = {"color": SERIES[k % len(SERIES)], "marker": MARKERS[k % len(MARKERS)]}
                ax.scatter(group[column], group[y], s=15, alpha=0.7, linewidths=0, label=kind, **look)
            ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), xlabel=says)
            for axis in (ax.xaxis, ax.yaxis):
                draw.log_axis(axis, low, high)
        for row in axes:
            row[0].set_ylabel(draw.axis_label(y))
        draw.heading(fig, title)
        if by:
            handles, labels = axes.flat[0].get_legend_handles_labels()
            draw.legend(fig, min(4, len(kinds)), handles=handles, labels=labels)
        return finish(fig, alt)
