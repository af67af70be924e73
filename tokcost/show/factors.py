"""A ratio as the product of its factors: steps on a logarithmic axis, where equal lengths are equal factors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tokcost.show.charts import axis_label, log_axis
from tokcost.show.figure import Figure, drawing, finish
from tokcost.show.numbers import times
from tokcost.show.style import BLUE, INK, MUTED, ORANGE

if TYPE_CHECKING:
    import pandas as pd


def plot_factors(
    frame: pd.DataFrame,
    *,
    label: str,
    ratio: str,
    alt: str,
    x: str,
    low: str | None = None,
    high: str | None = None,
    title: str = "",
    whole: str = "Together",
) -> Figure:
    """Each factor a bar that begins where the one before it ends, so that they lead from 1 to the whole ratio.

    A factor below 1 runs back, in another colour. `low` and `high` name columns with the range of a factor, drawn as a
    bracket from its own start. A factor that is not known leaves the rest without a start: they are named and not drawn.
    """
    ratios = frame[ratio].to_numpy(dtype=float)
    ends = np.cumprod(ratios)
    starts = np.concatenate([[1.0], ends[:-1]])
    ranges = frame[[low, high]].to_numpy(dtype=float) * starts[:, None] if low and high else np.column_stack([ends, ends])
    known = np.concatenate([[1.0], ends, ranges.ravel()])
    known = known[np.isfinite(known)]
    with drawing(figsize=(5.8, 0.42 * (len(frame) + 1) + 1.1)) as (fig, ax):
        ax.set_xscale("log")
        ax.set_xlim(known.min() / 1.25, known.max() * 1.7)
        ax.axvline(1, color=MUTED, linewidth=1)
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if not np.isfinite(end):
                _beside(ax, start if np.isfinite(start) else 1.0, row, "not measured", MUTED)
                continue
            ax.barh(row, end - start, left=start, height=0.56, color=BLUE if end >= start else ORANGE)
            ax.plot([end, end], [row, row + 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
            if low and high:
                ax.plot(ranges[row], [row, row], color=INK, linewidth=1.2, marker="|", markersize=8)
            _beside(ax, max(start, end, *ranges[row]), row, times(ratios[row]), INK)
        if np.isfinite(ends[-1]):
            ax.barh(len(frame), ends[-1] - 1, left=1, height=0.56, color=INK)
            _beside(ax, max(ends[-1], 1.0), len(frame), times(ends[-1]), INK, weight="bold")
        else:
            _beside(ax, 1.0, len(frame), "not measured", MUTED)
        ax.set_yticks(range(len(frame) + 1), [*frame[label], whole])
        ax.set_ylim(len(frame) + 0.6, -0.6)
        ax.grid(axis="y", visible=False)
        log_axis(ax.xaxis, *ax.get_xlim())
        ax.set_xlabel(axis_label(x) + ", log scale")
        if title:
            fig.suptitle(title, fontsize=10.5, fontweight="bold", x=0.01, ha="left")
        return finish(fig, alt)


def _beside(ax, at: float, row: int, text: str, colour: str, weight: str = "normal") -> None:
    ax.annotate(
        text, (at, row), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9, color=colour, fontweight=weight
    )  # fmt: skip
