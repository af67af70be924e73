"""Charts of a GPU-hour and of its energy: the waterfall of its parts, its doubts, its prices on one footing, regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tokcost import quantities
from tokcost.show import draw, form
from tokcost.show.figure import Figure, chart, drawing, finish
from tokcost.show.numbers import alike, label_and_unit, label_text, num, percents
from tokcost.show.style import BLUE, GRID, INK, MUTED, ORANGE, SERIES, TEAL

if TYPE_CHECKING:
    import pandas as pd

_RATE = "rate_usd_per_gpu_h"
MILLION = 10**6


@chart
def plot_waterfall(parts: pd.DataFrame, *, totals: pd.DataFrame, by: str, alt: str = "", title: str = "") -> Figure:
    """From parts to the price of an hour, one panel for each value of `by`, on one scale.

    `parts` has `component` and `usd_per_gpu_h`, in order, each bar starting where the last one ended; `totals` has one row for
    each panel with `usd_per_gpu_h`, `low` and `high`: the range is drawn on the total.
    """
    panels = list(dict.fromkeys(parts[by]))
    labels = list(dict.fromkeys(parts["component"]))
    totals = totals.set_index(by)
    with drawing(1, len(panels), height=0.27 * (len(labels) + 1) + 1.2, sharey=True, sharex=True, squeeze=False) as (fig, axes):
        for ax, name in zip(axes.flat, panels, strict=True):
            amounts = parts[parts[by] == name].set_index("component")["usd_per_gpu_h"]
            start = 0.0
            for row, label in enumerate(labels):
                amount = amounts.get(label, 0.0)
                ax.barh(row, amount, left=start, color=BLUE, height=0.62)
                start += amount
                ax.plot([start, start], [row, row + 1], color=GRID, linewidth=0.9, zorder=0.5)
                draw.write(ax, (start, row), f"{amount:.2f}" if amount >= 0.005 else "0" if amount == 0 else "<0.01")
            total = totals.loc[name]
            ax.barh(len(labels), total["usd_per_gpu_h"], color=ORANGE, height=0.62)
            ax.plot([total["low"], total["high"]], [len(labels)] * 2, color=INK, linewidth=1.3, marker="|", markersize=8)
            draw.write(ax, (total["high"], len(labels)), f"{total['usd_per_gpu_h']:.2f}", fontweight="bold")
            draw.row_labels(ax, [*labels, "One GPU-hour"])
            ax.set_title(name)
            ax.spines["left"].set_visible(False)
        axes.flat[0].set_xlim(0, totals["high"].max() * 1.22)
        fig.supxlabel(draw.axis_label(_RATE), fontsize=9.5)
        return finish(fig, alt, title)


@chart
def plot_prices(frame: pd.DataFrame, *, by: str, alt: str = "", title: str = "", x: str = _RATE) -> Figure:
    """Prices of different kinds on one axis, one panel for each value of `by`.

    `frame` has `label`, `group`, `value`, `low`, `high`, and a `note` that says why a price is missing.
    """
    groups = list(dict.fromkeys(frame["group"]))
    panels = list(frame.groupby(by, sort=False))
    grid = {"height_ratios": [len(rows) for _, rows in panels], "sharex": True, "squeeze": False}
    with drawing(len(panels), 1, height=0.25 * len(frame) + 0.5 * len(panels) + 0.9, **grid) as (fig, axes):
        for ax, (name, rows) in zip(axes[:, 0], panels, strict=True):
            for row, price in enumerate(rows.itertuples()):
                _price(ax, row, price, groups.index(price.group))
            draw.row_labels(ax, rows["label"])
            ax.set_title(label_text(by, name))
        ax.set_xlim(0, frame["high"].max() * (1.9 if form.is_narrow() else 1.28))
        ax.set_xlabel(draw.axis_label(x))
        draw.legend_of_markers(fig, ax, groups, len(groups))
        return finish(fig, alt, title)


def _price(ax, row, price, k) -> None:
    if np.isnan(price.value):
        return draw.write(ax, (0, row), form.folded(price.note, form.NOTE), color=MUTED, fontstyle="italic")
    if price.high > price.low:
        draw.bar_of_range(ax, price.low, price.high, row, SERIES[k], alpha=0.4)
    ax.plot(price.value, row, **draw.marker(k, markersize=6))
    draw.write(ax, (max(price.high, price.value), row), f"{price.value:.2f}" + (f"  ({price.note})" if price.note else ""), offset=(7, 0))


@chart
def plot_brackets(frame: pd.DataFrame, *, alt: str = "", title: str = "") -> Figure:
    """The build-up against published constants (`hour.against_published`): one row for each accelerator and basis.

    Thin line: all ranges at one end together; thick: errors independent; tick: built up; markers: the constants by vintage.
    """
    built = frame.drop_duplicates(["accelerator", "price_basis"]).reset_index(drop=True)
    labels = built["accelerator"].str.upper() + ", " + built["price_basis"].str.removeprefix("owning_")
    vintages = sorted(frame["rate_vintage"].unique())
    tick = {"marker": "|", "color": BLUE, "markeredgewidth": 2.2, "linestyle": "none"}
    with drawing(height=0.31 * len(built) + 1.4) as (fig, ax):
        for row, here in enumerate(built.itertuples()):
            ax.plot([here.low_usd_per_gpu_h, here.high_usd_per_gpu_h], [row, row], color=MUTED, linewidth=1)
            draw.bar_of_range(ax, here.likely_low_usd_per_gpu_h, here.likely_high_usd_per_gpu_h, row, BLUE, alpha=0.35, width=7)
            ax.plot(here.built_usd_per_gpu_h, row, markersize=13, **tick)
            same = frame[(frame["accelerator"] == here.accelerator) & (frame["price_basis"] == here.price_basis)]
            for constant in same.itertuples():
                k = vintages.index(constant.rate_vintage)
                height = row + (k - (len(vintages) - 1) / 2) * 0.24
                ax.plot(constant.published_usd_per_gpu_h, height, **draw.marker(k, color=SERIES[k + 1], markersize=5))
        draw.row_labels(ax, labels)
        ax.set_xlim(left=0)
        ax.set_xlabel(draw.axis_label(_RATE))
        ax.plot([], [], markersize=11, label="built up", **tick)
        for k, vintage in enumerate(vintages):
            ax.plot([], [], **draw.marker(k, color=SERIES[k + 1], label=vintage))
        draw.legend(fig, len(vintages) + 1, title="Built up from parts, and published in", title_fontsize=8.5)
        return finish(fig, alt, title)


@chart
def plot_tornado(
    frame: pd.DataFrame,
    *,
    here: float,
    alt: str = "",
    title: str = "",
    n: int = 12,
    x: str = _RATE,
    ends: tuple[str, str] = ("rate_at_low_usd_per_gpu_h", "rate_at_high_usd_per_gpu_h"),
) -> Figure:
    """What each input does alone, the widest first: bars from the result as it stands to its ends.

    `frame` has `input_name`, `low` and `high` of the input and the result at both in the columns `ends`
    (`tokcost.hour.one_at_a_time`; `tokcost.doubt.tornado` with `ends=("at_low", "at_high")`); `x` is the quantity of the result.
    The inputs' ends are written beside the bars, so a reader sees which value makes which result.
    """
    shown = frame.head(n)
    low, high = shown[list(ends)].to_numpy().min(), shown[list(ends)].to_numpy().max()
    character = (0.08 if form.is_narrow() else 0.03) * (high - low)
    with drawing(height=0.31 * len(shown) + 1.1) as (fig, ax):
        outermost = [here]
        for row, (_, swing) in enumerate(shown.iterrows()):
            pairs = sorted(zip(swing[list(ends)], _ends(swing["input_name"], [swing["low"], swing["high"]]), strict=True))
            for (result, text), colour, side in zip(pairs, (TEAL, ORANGE), (-1, 1), strict=True):
                ax.barh(row, result - here, left=here, color=colour, height=0.6)
                text = form.folded(text, form.CURVE)
                where = {"offset": (4 * side, 0), "ha": "left" if side > 0 else "right"}
                draw.write(ax, (result, row), text, color=MUTED, **where)
                outermost.append(result + side * character * (1 + max(map(len, text.split("\n")))))
        ax.axvline(here, color=INK, linewidth=1.2)
        units = [label_and_unit(name)[1] for name in shown["input_name"]]
        names = [quantities.phrase(name) + (f", {unit}" if unit else "") for name, unit in zip(shown["input_name"], units, strict=True)]
        draw.row_labels(ax, names)
        ax.set_xlim(min(outermost), max(outermost))
        ax.set_xlabel(draw.axis_label(x))
        draw.write(ax, (here, 1), num(here), offset=(3, 1), va="baseline", xycoords=("data", "axes fraction"))
        return finish(fig, alt, title)


def _ends(name: str, values: list[float]) -> list[str]:
    if quantities.unit(name) == "frac":
        return percents(values)
    if max(values) >= MILLION:
        return [f"{text} million" for text in alike(value / MILLION for value in values)]
    return alike(values)


@chart
def plot_dumbbell(
    frame: pd.DataFrame,
    *,
    label: str,
    first: str,
    second: str,
    x: str,
    alt: str = "",
    title: str = "",
    names: tuple[str, str] = ("first", "second"),
) -> Figure:
    """Two values of each row on one axis, joined by a line: where two ways of counting differ. From zero."""
    texts = np.reshape(alike(frame[[first, second]].to_numpy().ravel(), 2), (len(frame), 2))
    with drawing(height=0.4 * len(frame) + 1.4) as (fig, ax):
        for row, (_, fact) in enumerate(frame.iterrows()):
            ax.plot([fact[first], fact[second]], [row, row], color=GRID, linewidth=2, zorder=1)
            for k, column in enumerate((first, second)):
                if not np.isnan(fact[column]):
                    right = fact[column] >= np.nanmax([fact[first], fact[second]])
                    ax.plot(fact[column], row, **draw.marker(k, markersize=7))
                    where = {"offset": (8, 0), "ha": "left"} if right else {"offset": (-8, 0), "ha": "right"}
                    where = {"offset": (0, 9), "ha": "center"} if form.is_narrow() else where
                    draw.write(ax, (fact[column], row), texts[row, k], **where)
        draw.row_labels(ax, frame[label])
        ax.set_xlim(0, np.nanmax(frame[[first, second]].to_numpy()) * 1.18)
        ax.set_xlabel(draw.axis_label(x))
        draw.legend_of_markers(fig, ax, names, 2)
        return finish(fig, alt, title)


@chart
def plot_sorted(frame: pd.DataFrame, *, label: str, value: str | dict[str, str], group: str, alt: str = "", title: str = "") -> Figure:
    """Bars from zero in the order given, coloured by `group`; a fraction shows as a percentage, a missing value as "not known".

    Several values (column -> what its axis says) stand in panels side by side, on the same rows.
    """
    heads = value if isinstance(value, dict) else {value: ""}
    groups = list(dict.fromkeys(frame[group]))
    with drawing(1, len(heads), height=0.26 * len(frame) + 1.3, sharey=True, squeeze=False) as (fig, axes):
        for ax, (name, head) in zip(axes.flat, heads.items(), strict=True):
            _bars(ax, frame[name], [SERIES[groups.index(one)] for one in frame[group]])
            draw.row_labels(ax, frame[label])
            if head:
                ax.set_xlabel(head)
        if len(groups) > 1:
            for k, name in enumerate(groups):
                axes[0, 0].barh([0], [0], color=SERIES[k], label=str(name))
            draw.legend(fig, min(3, len(groups)))
        return finish(fig, alt, title)


def _bars(ax, values, colours) -> None:
    """One bar a row with its number behind it."""
    texts = percents(values) if quantities.unit(values.name) == "frac" else alike(values)
    for row, (length, text, colour) in enumerate(zip(values, texts, colours, strict=True)):
        if np.isnan(length):
            draw.write(ax, (0, row), "not known", color=MUTED, fontstyle="italic")
            continue
        ax.barh(row, length, color=colour, height=0.64)
        draw.write(ax, (length, row), text)
    ax.set_xlim(0, values.max() * 1.15)
    draw.shares_in_percent(ax.xaxis, values.name)
    ax.set_xlabel(draw.axis_label(values.name))
