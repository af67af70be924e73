"""How figures look: one palette, safe for colour-blind readers, and its counterpart for dark pages.

Figures are drawn in the light colours; a report swaps each for its dark counterpart where the
reader prefers dark. So every colour in a figure must be one of `DARK`'s keys.
"""

from __future__ import annotations

INK, MUTED, GRID, PAPER = "#1f2328", "#59636e", "#d1d9e0", "#ffffff"
BLUE, ORANGE, GREEN, PURPLE, RED, TEAL = "#0b5cad", "#b35900", "#1a7f37", "#7a43c9", "#c11f2b", "#0f7673"
SKY, SEA, DEEP, ICE = "#f2f7fc", "#cfe3f7", "#9cc3ea", "#fbfdff"
#: from small to large, and what is below the reference: fields that carry ink
SHADES, LOSS = ("#e6f0fa", "#c3dbf3", "#93bde8"), "#fbe3cd"

#: colour on a light page -> colour on a dark page
DARK = {
    INK: "#e6edf3",
    MUTED: "#9ba5af",
    GRID: "#3a424b",
    PAPER: "#11161c",
    BLUE: "#6cb2ff",
    ORANGE: "#f5a04c",
    GREEN: "#56d07a",
    PURPLE: "#c8a3ff",
    RED: "#ff8a84",
    TEAL: "#4fd1cd",
    SKY: "#151d26",
    SEA: "#16304b",
    DEEP: "#0f2237",
    ICE: "#22364c",
    **dict(zip(SHADES, ("#182534", "#1d3d5e", "#2a5a8a"), strict=True)),
    LOSS: "#452b12",
}

#: in the order that series take them, each with a marker of its own (never colour alone)
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED, TEAL)
MARKERS = ("o", "s", "^", "D", "v", "P")

#: one colour per accelerator in every figure of the suite
ACCELERATOR = {
    "h100": MUTED, "h200": ORANGE, "b200": TEAL, "b300": PURPLE, "gb200": GREEN, "gb300": BLUE,
    "mi300x": RED, "mi325x": RED, "mi355x": RED,
}  # fmt: skip

#: for a page and a screen, and for a phone, which shows it a little larger than drawn
WIDTH_IN, NARROW_IN = 5.8, 3.3

RC = {
    "figure.figsize": (WIDTH_IN, 3.5),
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": PAPER,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": f"cycler('color', {list(SERIES)!r})",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "text.parse_math": False,  # a dollar is a dollar
    "lines.linewidth": 2.0,
    "lines.markersize": 5,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "tokcost",
}
