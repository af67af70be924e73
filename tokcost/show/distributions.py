"""Distributions, drawn with seaborn: every value as a mark, by category, with the median of each."""

from __future__ import annotations

import pandas as pd
import seaborn as sns

from tokcost.show.charts import axis_label
from tokcost.show.figure import Figure, drawing, finish
from tokcost.show.style import ACCELERATOR, MARKERS, SERIES


def plot_strip(frame: pd.DataFrame, *, x: str, y: str, by: str, alt: str, title: str = "") -> Figure:
    """Each row a mark at its category `x` and value `y`, a line through the medians; `by` has a colour and a marker each.

    Categories stand in sorted order. Marks are not spread at random, so the picture is the same each time.

    >>> rows = pd.DataFrame({"month": ["2026-01", "2026-02"] * 2, "rate_usd_per_gpu_h": [2.0, 3, 4, 5], "accelerator": ["h200"] * 4})
    >>> plot_strip(rows, x="month", y="rate_usd_per_gpu_h", by="accelerator", alt="Prices rise.").alt
    'Prices rise.'
    """
    order = sorted(frame[x].unique())
    with drawing(figsize=(5.8, 4.2)) as (fig, ax):
        for k, (name, rows) in enumerate(frame.groupby(by, sort=False)):
            colour, marker = ACCELERATOR.get(name, SERIES[k % len(SERIES)]), MARKERS[k % len(MARKERS)]
            look = {"color": colour, "marker": marker, "size": 5, "alpha": 0.55, "jitter": False, "legend": False}
            sns.stripplot(rows, x=x, y=y, order=order, ax=ax, **look)
            medians = rows.groupby(x)[y].median().reindex(order).dropna()
            ax.plot([order.index(one) for one in medians.index], medians, color=colour, linewidth=1.2, marker=marker, label=name.upper())
        ax.set_ylim(bottom=0)
        ax.set_ylabel(axis_label(y))
        ax.set_xlabel("")
        ax.tick_params(axis="x", rotation=45)
        fig.legend(loc="outside lower center", ncols=frame[by].nunique(), title="line: median", title_fontsize=8.5, fontsize=8.5)
        fig.suptitle(title, fontsize=10.5, fontweight="bold", x=0.01, ha="left")
        return finish(fig, alt)
