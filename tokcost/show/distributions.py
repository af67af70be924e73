"""Distributions and grids of numbers, drawn by seaborn: a heat map of ratios, and single values over their middle half."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost.quantities import FEWEST_OF_MEDIAN, median_of_many
from tokcost.show import draw
from tokcost.show.figure import Figure, chart, drawing, finish
from tokcost.show.numbers import alike, label_text
from tokcost.show.style import BLUE, INK, LOSS, MARKERS, ORANGE, PAPER, SEA, SHADES


@chart
def plot_heatmap(frame: pd.DataFrame, *, row_name: str, column_name: str, alt: str = "", title: str = "") -> Figure:
    """Ratios in a grid (index by columns): those below 1 in another colour, larger ones darker by thirds, a dash where NaN.

    Cells whose row and column have the same value are framed: there both sides are alike.
    """
    import seaborn

    ratios = frame.to_numpy(dtype=float)
    gains = ratios[ratios >= 1]
    thirds = np.quantile(gains, [1 / 3, 2 / 3]) if len(gains) else []
    shades = np.where(np.isnan(ratios), 0, np.where(ratios < 1, 1, 2 + np.searchsorted(thirds, ratios)))
    texts = [text if text == "–" else f"{text}×" for text in alike(ratios.ravel(), 2, missing="–")]
    with drawing(height=0.36 * len(frame) + 1.35) as (fig, ax):
        seaborn.heatmap(
            pd.DataFrame(shades, [f"{at:g}" for at in frame.index], [f"{at:g}" for at in frame.columns]),
            annot=np.reshape(texts, ratios.shape), fmt="",
            annot_kws={"color": INK, "fontsize": 9}, cmap=[PAPER, LOSS, *SHADES], vmin=0, vmax=4,
            linewidths=2, linecolor=PAPER, cbar=False, ax=ax,
        )  # fmt: skip
        for i, j in zip(*np.nonzero(np.equal.outer(frame.index, frame.columns)), strict=True):
            ax.texts[i * len(frame.columns) + j].set_fontweight("bold")
            ax.add_patch(frame_of_cell(i, j))
        ax.set(xlabel=column_name, ylabel=row_name)
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        ax.tick_params(length=0, rotation=0)
        return finish(fig, alt, title)


def frame_of_cell(row: int, column: int):
    """A frame around one cell of a heat map."""
    from matplotlib.patches import Rectangle

    return Rectangle((column + 0.03, row + 0.05), 0.94, 0.9, facecolor="none", edgecolor=ORANGE, linewidth=2, zorder=3)


@chart
def plot_strip(
    frame: pd.DataFrame, *, x: str, by: str, alt: str = "", title: str = "", reference: dict[str, float] | None = None, log_x: bool = False
) -> Figure:
    """Every value as a dot, one row for each value of `by` in the order of the frame, over a bar of its middle half with the median.

    A row of fewer than five values has dots and no bar.
    `reference` draws labelled vertical lines. The dots are spread within their row so that none hides another.
    """
    import seaborn

    known = frame.dropna(subset=[x])
    shown = known.assign(**{by: known[by].map(lambda value: label_text(by, value))})
    n_rows = shown[by].nunique()
    with drawing(height=0.48 * n_rows + 1.3) as (fig, ax):
        rows = shown.groupby(by, sort=False)[x]
        many = np.flatnonzero(rows.size() >= FEWEST_OF_MEDIAN)
        low, median, high = rows.quantile([0.25, 0.5, 0.75]).unstack().to_numpy()[many].T
        ax.barh(many, high - low, left=low, height=0.66, color=SEA)
        ax.vlines(median, many - 0.33, many + 0.33, color=INK, linewidth=1.6)
        state = np.random.get_state()
        np.random.seed(0)  # seaborn takes the spread from the global generator; the picture must be the same every time
        seaborn.stripplot(shown, x=x, y=by, ax=ax, color=BLUE, alpha=0.6, size=3.5, jitter=0.22)
        np.random.set_state(state)
        draw.vertical_lines(ax, reference)
        if log_x:
            ax.set_xscale("log")
            draw.log_axis(ax.xaxis, shown[x].min(), shown[x].max())
        ax.set(xlabel=draw.axis_label(x, is_log=log_x), ylabel="", ylim=(n_rows - 0.4, -0.6))
        ax.grid(axis="y", visible=False)
        return finish(fig, alt, title)


@chart
def plot_monthly_strip(frame: pd.DataFrame, *, x: str, y: str, by: str, alt: str = "", title: str = "") -> Figure:
    """Each row a mark at its month `x` and value `y`, a line through the medians of months with five or more.

    Each of `by` has a colour and a marker.

    Months stand in sorted order. Marks are not spread at random, so the picture is the same each time.

    >>> rows = pd.DataFrame({"month": ["2026-01", "2026-02"] * 2, "rate_usd_per_gpu_h": [2.0, 3, 4, 5], "accelerator": ["h200"] * 4})
    >>> plot_monthly_strip(rows, x="month", y="rate_usd_per_gpu_h", by="accelerator", alt="Prices rise.").alt
    'Prices rise.'
    """
    import seaborn

    order = sorted(frame[x].unique())
    with drawing(height=4.2) as (fig, ax):
        for k, (name, rows) in enumerate(frame.groupby(by, sort=False)):
            colour, marker = draw.colour_of(name, k), MARKERS[k % len(MARKERS)]
            look = {"color": colour, "marker": marker, "size": 5, "alpha": 0.55, "jitter": False, "legend": False}
            seaborn.stripplot(rows, x=x, y=y, order=order, ax=ax, **look)
            medians = rows.groupby(x)[y].agg(median_of_many).reindex(order).dropna()
            ax.plot([order.index(one) for one in medians.index], medians, color=colour, linewidth=1.2, marker=marker, label=name.upper())
        ax.set_ylim(bottom=0)
        ax.set_ylabel(draw.axis_label(y))
        ax.set_xlabel("")
        ax.tick_params(axis="x", rotation=45)
        draw.legend(fig, frame[by].nunique(), title="line: median of five or more", title_fontsize=8.5)
        return finish(fig, alt, title)
