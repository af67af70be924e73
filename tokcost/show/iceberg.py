"""The inference iceberg: what a price list shows, and what decides the cost of a token."""

from __future__ import annotations

import numpy as np

from tokcost.show.figure import Figure, chart, drawing, finish
from tokcost.show.style import BLUE, DEEP, ICE, MUTED, SEA, SKY

_TIP = [(1.9, 0), (2.7, 1.5), (3.9, 2.4), (4.7, 3.4), (5.6, 2.9), (6.4, 1.9), (7.4, 1.4), (8.0, 0)]
_BODY = [(1.9, 0), (0.7, -1.0), (0.2, -3.2), (1.2, -5.5), (4.8, -6.5), (8.6, -5.6), (9.8, -3.1), (9.2, -0.9), (8.0, 0)]


@chart
def plot_iceberg(above: list[str], below: list[str], *, alt: str = "") -> Figure:
    """What a buyer sees (above the water) and what decides the cost of a token (below it)."""
    with drawing(height=5.0) as (fig, ax):
        ax.set(xlim=(0, 10), ylim=(-6.6, 4.2))
        ax.axis("off")
        for bottom, top, water, ice, shape in ((0, 4.2, SKY, ICE, _TIP), (-6.6, 0, SEA, DEEP, _BODY)):
            ax.axhspan(bottom, top, color=water, linewidth=0)
            ax.fill(*zip(*shape, strict=True), facecolor=ice, edgecolor=MUTED, linewidth=1)
        ax.plot([0, 10], [0, 0], color=BLUE, linewidth=1.5)
        ax.text(0.15, 3.75, "What the price list shows: inputs", fontweight="bold", fontsize=10)
        ax.text(5.0, -0.55, "What decides the cost of a token: output", fontweight="bold", fontsize=10, ha="center", va="center")
        rows = [*np.linspace(0.4 + 0.58 * (len(above) - 1), 0.4, len(above)), *np.linspace(-1.3, -5.8, len(below))]
        for y, text in zip(rows, [*above, *below], strict=True):
            ax.text(5.0, y, text, ha="center", va="center", fontsize=9.5)
        return finish(fig, alt)
