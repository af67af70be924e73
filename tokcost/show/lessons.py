"""The two figures that teach the argument itself: the inference iceberg, and the two levers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Polygon

from tokcost.show.charts import axis_label
from tokcost.show.figure import Figure, drawing, finish
from tokcost.show.numbers import num, usd
from tokcost.show.style import BLUE, DEEP, GREEN, ICE, INK, MUTED, ORANGE, SEA, SKY

if TYPE_CHECKING:
    import pandas as pd


def plot_iceberg(above: list[str], below: list[str], *, alt: str) -> Figure:
    """What a buyer sees (above the water) and what decides the cost of a token (below it)."""
    with drawing(figsize=(5.8, 5.0)) as (fig, ax):
        ax.set(xlim=(0, 10), ylim=(-6.6, 4.2))
        ax.axis("off")
        ax.axhspan(0, 4.2, color=SKY, linewidth=0)
        ax.axhspan(-6.6, 0, color=SEA, linewidth=0)
        ax.add_patch(
            Polygon(
                [(1.9, 0), (2.7, 1.5), (3.9, 2.4), (4.7, 3.4), (5.6, 2.9), (6.4, 1.9), (7.4, 1.4), (8.0, 0)],
                facecolor=ICE,
                edgecolor=MUTED,
                linewidth=1,
            )
        )
        ax.add_patch(
            Polygon(
                [(1.9, 0), (0.7, -1.0), (0.2, -3.2), (1.2, -5.5), (4.8, -6.5), (8.6, -5.6), (9.8, -3.1), (9.2, -0.9), (8.0, 0)],
                facecolor=DEEP,
                edgecolor=MUTED,
                linewidth=1,
            )
        )
        ax.plot([0, 10], [0, 0], color=BLUE, linewidth=1.5)
        ax.text(0.15, 3.75, "What the price list shows: inputs", fontweight="bold", fontsize=10)
        ax.text(5.0, -0.55, "What decides the cost of a token: output", fontweight="bold", fontsize=10, ha="center", va="center")
        for i, text in enumerate(above):
            ax.text(5.0, 0.3 + (len(above) - 1 - i) * 0.58, text, ha="center", fontsize=9.5)
        for y, text in zip(np.linspace(-1.3, -5.8, len(below)), below, strict=True):
            ax.text(5.0, y, text, ha="center", va="center", fontsize=9.5)
        return finish(fig, alt)


def plot_levers(frame: pd.DataFrame, *, label: str, cost: str, revenue: str, rate: str, alt: str) -> Figure:
    """The same fall in token cost from halving the price or doubling the output, and what each does to an hour's profit.

    One row a lever: its cost per million tokens, its revenue per GPU-hour and its price per GPU-hour.
    """
    with drawing(1, 2, figsize=(5.8, 2.7), width_ratios=(1, 1.15)) as (fig, (left, right)):
        rows = np.arange(len(frame))
        left.barh(rows, frame[cost], color=BLUE, height=0.58)
        for row, value in zip(rows, frame[cost], strict=True):
            left.annotate(usd(value), (value, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
        left.set_title("Cost per million tokens", fontsize=9.5)
        right.barh(rows, frame[rate], color=ORANGE, height=0.58, label="cost of the hour")
        profit = frame[revenue] - frame[rate]
        right.barh(
            rows,
            profit.clip(lower=0),
            left=frame[rate],
            color=GREEN,
            height=0.58,
            label="left over",
            hatch="///",
            edgecolor=INK,
            linewidth=0,
        )
        for row, (hour, value) in enumerate(zip(frame[revenue], profit, strict=True)):
            right.annotate(
                f"{'+' if value >= 0 else ''}{num(value)}",
                (max(hour, frame[rate].iloc[row]), row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        right.set_title("One GPU-hour sells for (USD)", fontsize=9.5)
        for ax in (left, right):
            ax.invert_yaxis()
            ax.margins(x=0.28)
            ax.set_xlim(left=0)
            ax.grid(axis="y", visible=False)
        left.set_yticks(rows, frame[label])
        right.set_yticks(rows, [""] * len(rows))
        left.set_xlabel("USD per million tokens")
        right.set_xlabel(axis_label(rate).split(" (")[-1].rstrip(")"))
        fig.legend(loc="outside lower center", ncols=2, fontsize=8.5)
        return finish(fig, alt)
