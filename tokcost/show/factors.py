"""A ratio as the product of its factors: steps on a logarithmic axis, where equal lengths are equal factors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost.show import draw
from tokcost.show.figure import Figure, chart, drawing, finish
from tokcost.show.numbers import alike
from tokcost.show.style import BLUE, INK, MUTED, ORANGE


@chart
def plot_factors(
    frame: pd.DataFrame,
    *,
    label: str,
    ratio: str,
    alt: str = "",
    x: str,
    low: str | None = None,
    high: str | None = None,
    title: str = "",
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
    texts = [f"{text}×" for text in alike([*ratios, ends[-1] if len(ends) else np.nan], 2)]
    known, near = known[np.isfinite(known)], {"offset": (6, 0), "size": 9}
    with drawing(height=0.42 * (len(frame) + 1) + 1.1) as (fig, ax):
        ax.set_xscale("log")
        ax.set_xlim(known.min() / 1.25, known.max() * 1.7)
        ax.axvline(1, color=MUTED, linewidth=1)
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if not np.isfinite(end):
                draw.write(ax, (start if np.isfinite(start) else 1.0, row), "not measured", color=MUTED, **near)
                continue
            ax.barh(row, end - start, left=start, height=0.56, color=BLUE if end >= start else ORANGE)
            ax.plot([end, end], [row, row + 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
            if low and high:
                ax.plot(ranges[row], [row, row], color=INK, linewidth=1.2, marker="|", markersize=8)
            draw.write(ax, (max(start, end, *ranges[row]), row), texts[row], **near)
        if np.isfinite(ends[-1]):
            ax.barh(len(frame), ends[-1] - 1, left=1, height=0.56, color=INK)
            draw.write(ax, (max(ends[-1], 1.0), len(frame)), texts[-1], fontweight="bold", **near)
        else:
            draw.write(ax, (1.0, len(frame)), "not measured", color=MUTED, **near)
        draw.row_labels(ax, [*frame[label], "Together"], with_ticks=True)
        draw.log_axis(ax.xaxis, *ax.get_xlim())
        ax.set_xlabel(draw.axis_label(x, is_log=True))
        return finish(fig, alt, title)
