"""Charts of speed and of load: one panel an accelerator, the price of a limit, a week, idle cost."""

from __future__ import annotations

import calendar

import numpy as np
import pandas as pd

from tokcost.show import draw, form
from tokcost.show.figure import Figure, chart, drawing, finish
from tokcost.show.labels import label_ends, label_marks
from tokcost.show.numbers import alike, label_text, percent
from tokcost.show.style import ACCELERATOR, BLUE, GRID, INK, MARKERS, MUTED, ORANGE, SEA, SERIES

_HOURS_PER_DAY = 24


@chart
def plot_panels(
    frame: pd.DataFrame, *, x: str, y: str, by: str, alt: str = "", title: str = "", mark: dict[str, float] | None = None
) -> Figure:
    """One small panel for each value of `by`: its own curve in front of all the others in grey. Both axes logarithmic."""
    groups = {name: group.dropna(subset=[y]).sort_values(x) for name, group in frame.groupby(by, sort=False)}
    n_columns = min(2 if form.is_narrow() else 4, len(groups))
    n_rows = -(-len(groups) // n_columns)
    with drawing(n_rows, n_columns, height=1.65 * n_rows + 0.75, sharex=True, sharey=True, squeeze=False) as (fig, axes):
        for ax in axes.flat[len(groups) :]:
            ax.set_visible(False)
        for ax, name in zip(axes.flat, groups, strict=False):
            for other in groups.values():
                coarse = other.iloc[np.unique(np.linspace(0, len(other) - 1, 12).round().astype(int))]
                ax.plot(coarse[x], coarse[y], color=GRID, linewidth=1.1)
            ax.plot(groups[name][x], groups[name][y], color=ACCELERATOR.get(name, BLUE), linewidth=2.2, label=label_text(by, name))
            for at in (mark or {}).values():
                ax.axvline(at, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
            ax.set_title(label_text(by, name), fontsize=9)
            ax.set(xscale="log", yscale="log")
        for ax in axes.flat:
            for axis in (ax.xaxis, ax.yaxis):
                draw.log_axis(axis, 1, 1000)  # whole powers of ten are enough in a small panel
            ax.minorticks_off()
            ax.tick_params(labelsize=8)
        said = "".join(f"; dashed: {text}" for text in mark or {})
        fig.supxlabel(draw.axis_label(x, is_log=True) + said, fontsize=9)
        return finish(fig, alt, title, draw.axis_label(y, is_log=True))


@chart
def plot_steps(
    frame: pd.DataFrame, *, x: str, y: str, by: str, alt: str = "", title: str = "", mark: dict[str, float] | None = None
) -> Figure:
    """A value that falls in steps as a limit is loosened: flat from one measured run to the next. Both axes logarithmic."""
    marks = mark or {}
    last = max(frame[x].max(), *marks.values(), 0) * 1.6
    with drawing(height=3.5) as (fig, ax):
        ends = []
        for i, (name, group) in enumerate(frame.groupby(by, sort=False)):
            group = group.sort_values(x)
            colour = draw.colour_of(name, i)
            steps = {"color": colour, "linestyle": draw.DASHES[i % len(draw.DASHES)], "drawstyle": "steps-post"}
            ax.plot([*group[x], last], [*group[y], group[y].iloc[-1]], label=label_text(by, name), **steps)
            ax.scatter(group[x], group[y], s=18, color=colour, marker=MARKERS[i % len(MARKERS)], zorder=3)
            ends.append((last, group[y].iloc[-1], label_text(by, name), colour))
        ax.set(xscale="log", yscale="log")
        draw.log_axis(ax.xaxis, min(frame[x].min(), *marks.values(), last), last)
        draw.log_axis(ax.yaxis, frame[y].min(), frame[y].max())
        label_marks(ax, marks)
        ax.set_xlabel(draw.axis_label(x, is_log=True))
        draw.title_over_label(ax, title, draw.axis_label(y, is_log=True))
        label_ends(ax, ends)
        return finish(fig, alt)


@chart
def plot_by_category(
    frame: pd.DataFrame, *, x: str, y: str, by: str, alt: str = "", title: str = "", level: dict[str, float] | None = None
) -> Figure:
    """A value at a few rungs (shares near one, evenly spaced), one line for each value of `by`, from zero."""
    rungs = list(dict.fromkeys(frame[x]))
    with drawing(height=3.5) as (fig, ax):
        ends = []
        for i, (name, group) in enumerate(frame.groupby(by, sort=False)):
            colour, places = SERIES[i % len(SERIES)], [rungs.index(rung) for rung in group[x]]
            look = {"linestyle": draw.DASHES[i % len(draw.DASHES)], "marker": MARKERS[i % len(MARKERS)], "label": label_text(by, name)}
            ax.plot(places, group[y], color=colour, **look)
            ends.append((places[-1], group[y].iloc[-1], label_text(by, name), colour))
        draw.horizontal_lines(ax, level, is_name_below=True)
        ax.set_xticks(range(len(rungs)), [percent(rung, 4) for rung in rungs])
        ax.set_ylim(bottom=0)
        ax.set_xlabel(draw.axis_label(x))
        draw.title_over_label(ax, title, draw.axis_label(y))
        label_ends(ax, ends)
        return finish(fig, alt)


@chart
def plot_week(frame: pd.DataFrame, *, by: str, alt: str = "", title: str = "", first_weekday: str = "") -> Figure:
    """Hours of a period, one panel a plan: what is paid (outline), what works (filled), what users send (dashed), in requests/s.

    Days go by their names where the weekday of the first is given, else by their number.
    """
    names = [day[:3] for day in calendar.day_name]
    first = names.index(first_weekday[:3]) if first_weekday else 0
    days = [*names[first:], *names[:first]] if first_weekday else [f"day {number}" for number in range(1, len(names) + 1)]
    plans = list(dict.fromkeys(frame[by]))
    highest = frame[["paid_request_per_s", "offered_request_per_s"]].to_numpy().max()
    with drawing(len(plans), 1, height=1.35 * len(plans) + 1.0, sharex=True, sharey=True, squeeze=False) as (fig, axes):
        for ax, name in zip(axes.flat, plans, strict=True):
            hours = frame[frame[by] == name].sort_values("hour")
            edges = np.append(hours["hour"], hours["hour"].iloc[-1] + 1)
            ax.stairs(hours["paid_request_per_s"], edges, color=SEA, fill=True)
            ax.stairs(hours["delivered_request_per_s"], edges, color=BLUE, alpha=0.75, fill=True)
            ax.stairs(hours["paid_request_per_s"], edges, color=ORANGE, linewidth=1.6, baseline=None)
            ax.stairs(hours["offered_request_per_s"], edges, color=INK, linewidth=1, linestyle=(0, (3, 2)), baseline=None)
            share = hours["delivered_request_per_s"].sum() / hours["paid_request_per_s"].sum()
            ax.set_title(f"{name}: {percent(share)} of what is paid works", fontsize=9)
            ax.set_xlim(edges[0], edges[-1])
            ax.set_ylim(0, highest * 1.05)
            ax.set_xticks(np.arange(edges[0], edges[-1] + 1, _HOURS_PER_DAY))
            if len(hours) == _HOURS_PER_DAY * len(days):
                ax.set_xticks(np.arange(len(days)) * _HOURS_PER_DAY + _HOURS_PER_DAY / 2, days, minor=True)
                ax.tick_params(axis="x", which="major", labelbottom=False)
                ax.tick_params(axis="x", which="minor", length=0)
        handles = [
            axes[0][0].plot([], [], color=ORANGE, linewidth=1.6, label="paid capacity")[0],
            axes[0][0].fill_between([], [], color=BLUE, alpha=0.75, label="busy (delivered)"),
            axes[0][0].fill_between([], [], color=SEA, label="paid and idle"),
            axes[0][0].plot([], [], color=INK, linewidth=1, linestyle=(0, (3, 2)), label="offered")[0],
        ]
        draw.legend(fig, 4, handles=handles)
        return finish(fig, alt, title, "Requests per second")


@chart
def plot_stacked(frame: pd.DataFrame, *, label: str, parts: dict[str, str], x: str, alt: str = "", title: str = "") -> Figure:
    """Bars from zero made of parts (`parts`: column -> name), each part with its number, the sum at the end."""
    with drawing(height=0.4 * len(frame) + 1.35) as (fig, ax):
        sums = frame[list(parts)].sum(axis=1)
        for row, (text, (_, fact)) in enumerate(zip(alike(sums), frame.iterrows(), strict=True)):
            start = 0.0
            for k, column in enumerate(parts):
                ax.barh(row, fact[column], left=start, color=SERIES[k % len(SERIES)], height=0.62)
                start += fact[column]
            if not x.endswith("_frac"):  # shares add up to all of it, which needs no number
                draw.write(ax, (start, row), text, size=9, fontweight="bold")
        draw.row_labels(ax, frame[label])
        ax.set_xlim(0, sums.max() * (1 if x.endswith("_frac") else 1.16))
        ax.set_xlabel(draw.axis_label(x))
        for k, name in enumerate(parts.values()):
            ax.barh([0], [0], color=SERIES[k % len(SERIES)], label=name)
        draw.legend(fig, len(parts))
        return finish(fig, alt, title)
