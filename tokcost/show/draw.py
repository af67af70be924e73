"""What charts share: axes that name their quantity, headings, rows, and words next to what they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from tokcost import quantities
from tokcost.show import form
from tokcost.show.numbers import label_with_unit, percent
from tokcost.show.style import ACCELERATOR, INK, MARKERS, MUTED, SERIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

#: in the order that series take them, so that no two differ by colour alone
DASHES = ("-", (0, (5, 2)), (0, (1.2, 1.4)), (0, (6, 2, 1.2, 2)))
_SHORT_DASH = (0, (2, 2))
#: an end of an axis is itself in sight, to many more digits than are drawn
_JUST_BELOW_ONE = 1 - 1e-6


def axis_label(name: str, *, is_log: bool = False) -> str:
    """What an axis says: label and unit of the quantity, or `name` itself, and whether its scale is logarithmic."""
    label = label_with_unit(name) if quantities.find(name) else name[:1].upper() + name[1:]
    return label + (", log scale" if is_log else "")


class _Shares(PercentFormatter):
    """Ticks as people write them: 5%, not 5.0%."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return percent(x)


def shares_in_percent(axis: Axis, name: str) -> None:
    """Where the axis counts a share, its ticks are in per cent, as in the tables."""
    if quantities.unit(name) == "frac":
        axis.set_major_formatter(_Shares(1))


class _InSight(LogLocator):
    """Those ticks that the axis shows: Matplotlib makes more beyond its ends, lays them all out, and then draws none of them."""

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        places = np.asarray(super().tick_values(vmin, vmax))
        low, high = sorted((vmin, vmax))
        return places[(places >= low * _JUST_BELOW_ONE) & (places <= high / _JUST_BELOW_ONE)]


def log_axis(axis: Axis, low: float, high: float) -> None:
    """Plain numbers on a logarithmic axis, at 1-2-5 steps where the range is short."""
    subs = (1.0, 2.0, 5.0) if high / low < (20 if form.is_narrow() else 500) else (1.0,)
    axis.set_major_locator(_InSight(subs=subs, numticks=5 if form.is_narrow() else 20))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}" if v >= 1 else f"{v:.10f}".rstrip("0")))
    axis.set_minor_locator(_InSight(subs=None))
    axis.set_minor_formatter(NullFormatter())


def colour_of(series: object, place: int) -> str:
    """A series named after an accelerator ("H200 FP8") has its colour in every figure; others take theirs in order."""
    return ACCELERATOR.get(str(series).lower().partition(" ")[0], SERIES[place % len(SERIES)])


def marker(place: int, **options: Any) -> dict[str, Any]:
    """The look of a single mark of the series in this place: colour and shape, no line."""
    return {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)], "linestyle": "none", **options}


def heading(fig: Figure, text: str, below: str = "") -> None:
    """A bold line at the left edge, where long row labels do not push it out, and below it what the vertical axes count."""
    text, below = form.folded(text, form.HEADING), form.folded(below, form.HEADING)
    if text or below:
        room = "\n" * (below.count("\n") + 1) if below else ""
        fig.suptitle(text + room, fontsize=10.5, fontweight="bold", x=0.01, ha="left")
    if below:
        top = 0.08 + 0.18 * (text.count("\n") + 1)
        fig.text(0.01, 1 - top / fig.get_figheight(), below, fontsize=9, color=MUTED, va="top", label="measure")


def title_over_label(ax: Axes, title: str, label: str) -> None:
    """The title, and under it the vertical label lying flat: nobody should tilt a head to read it."""
    if form.is_narrow():  # from the edge of the figure, or a line is too short
        return heading(ax.figure, title, label)
    ax.set_title(f"{title}\n" if title else "")
    ax.text(0, 1.02, label, transform=ax.transAxes, fontsize=9, color=MUTED, va="bottom", label="measure")


def write(ax: Axes, at: tuple[float, float], text: str, *, offset: tuple[float, float] = (5, 0), size: float = 8.5, **options: Any) -> None:
    """Words a few points away from what they belong to."""
    ax.annotate(text, at, xytext=offset, textcoords="offset points", fontsize=size, **{"va": "center", "color": INK, **options})


def row_labels(ax: Axes, labels: Sequence[str], *, with_ticks: bool = False) -> None:
    """Rows from the top down, with no lines between them."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    if not with_ticks:
        ax.tick_params(axis="y", length=0)


def bar_of_range(ax: Axes, low: float, high: float, row: float, colour: str, *, alpha: float, width: float = 6) -> None:
    """A range as a broad, pale bar in its row."""
    ax.plot([low, high], [row, row], color=colour, linewidth=width, alpha=alpha, solid_capstyle="butt")


def vertical_lines(ax: Axes, lines: dict[str, float] | None) -> None:
    """Labelled dashed lines at values of the horizontal axis, their names at the foot."""
    for text, at in (lines or {}).items():
        ax.axvline(at, color=INK, linewidth=1, linestyle=_SHORT_DASH)
        write(ax, (at, 0), form.folded(text, form.STEP), offset=(3, 3), va="baseline", xycoords=("data", "axes fraction"))


def horizontal_lines(ax: Axes, lines: dict[str, float] | None, *, is_name_below: bool = False) -> None:
    """Labelled dashed lines at values of the vertical axis, their names at the left."""
    where = {"offset": (4, -3), "va": "top"} if is_name_below else {"offset": (4, 3), "va": "baseline"}
    for text, at in (lines or {}).items():
        ax.axhline(at, color=INK, linewidth=1, linestyle=_SHORT_DASH)
        write(ax, (0, at), text, xycoords=("axes fraction", "data"), **where)


def legend(fig: Figure, n_columns: int, **options: Any) -> None:
    """One legend for all panels, below them."""
    if form.is_narrow():
        handles = options.get("handles") or [handle for ax in fig.axes for handle in ax.get_legend_handles_labels()[0]]
        n_columns = 1 if any(len(str(handle.get_label())) > form.NOTE for handle in handles) else min(n_columns, 2)
    fig.legend(loc="outside lower center", ncols=n_columns, fontsize=8.5, **options)


def legend_of_markers(fig: Figure, ax: Axes, names: Iterable[object], n_columns: int) -> None:
    """`legend` of series that differ by colour and marker, in their order."""
    for place, name in enumerate(names):
        ax.plot([], [], **marker(place, label=str(name)))
    legend(fig, n_columns)
