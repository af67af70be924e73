"""A formula with sliders: its curve, where it meets a target, and the parameter cell to copy; in a report a table and a figure."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tokcost import quantities
from tokcost.errors import InputError, nearest
from tokcost.show.numbers import inline, num, usd
from tokcost.show.rows import ASKED, STILL

if TYPE_CHECKING:
    from tokcost.show.figure import Figure
    from tokcost.show.tables import Table

#: points of the curve; a redraw takes a small part of a tenth of a second
N_POINTS = 60
#: from this ratio of its ends on a range is walked in equal factors, and drawn on a log axis
LOG_FROM = 30


class Explorer:
    """A formula, the ranges of its inputs, and where they stand now."""

    def __init__(self, formula: Callable[..., Any], ranges: dict[str, tuple[float, float]], fixed: dict[str, float], target: float | None):
        self.formula, self.ranges, self.fixed, self.target = formula, ranges, fixed, target
        self.values = {name: _start(*ends) for name, ends in ranges.items()}

    @property
    def result(self) -> str:
        """The quantity that the formula gives, which it is named for."""
        return self.formula.__name__

    @property
    def across(self) -> str:
        """The input that the curve is drawn over: the first with a range."""
        return next(iter(self.ranges))

    def value(self, **changed: float) -> float:
        """What the formula gives where the sliders stand, but for what is `changed`."""
        return float(self.formula(**self.fixed | self.values | changed))

    def meets(self, name: str | None = None) -> float | None:
        """The value of an input, the first by default, at which the formula gives the target; None where none in its range does."""
        from tokcost.decide import break_even

        if self.target is None:
            return None
        name = name or self.across
        low, high = self.ranges[name]
        others = {other: value for other, value in (self.fixed | self.values).items() if other != name}
        found = break_even(self.formula, solve_for=name, target=self.target, low=low, high=high, **others)
        return found.value if found.is_reachable else None

    def table(self) -> Table:
        """Each input with its range and unit, where it stands, and what it must be for the target."""
        import pandas as pd

        from tokcost.show.tables import table

        labels = {"input": "Input", "now": "Now", "low": "From", "high": "To", "meets": f"For {self._said(self.target)}"}
        rows = [
            {"input": _label(name), "now": num(self.values[name]), "low": num(low), "high": num(high), "meets": self._met(name)}
            for name, (low, high) in self.ranges.items()
        ]
        frame = pd.DataFrame(rows, columns=list(labels))
        if self.target is None:
            frame, labels = frame.drop(columns="meets"), {key: label for key, label in labels.items() if key != "meets"}
        return table(frame, f"{_label(self.result)}: {self._said(self.value())}", labels=labels)

    def figure(self) -> Figure:
        """The curve over the first input, with the target and where the sliders stand."""
        import numpy as np
        import pandas as pd

        from tokcost.show.charts import plot_curves

        low, high = self.ranges[self.across]
        is_log = high / low >= LOG_FROM if low > 0 else False
        at = np.geomspace(low, high, N_POINTS) if is_log else np.linspace(low, high, N_POINTS)
        curve = pd.DataFrame({self.across: at, self.result: [self.value(**{self.across: one}) for one in at]})
        met = self.meets()
        found = "" if self.target is None else f"; {self._said(self.target)} {f'at {num(met)}' if met else 'nowhere'}"
        return plot_curves(
            curve, x=self.across, y=self.result, log_x=is_log, log_y=is_log,
            mark={"now": self.values[self.across]} | ({"target met": met} if met else {}),
            level={} if self.target is None else {f"target: {self._said(self.target)}": self.target},
            title=f"{self._said(self.value())} now{found}",
            alt=f"{_label(self.result)} over {inline(_label(self.across))}, from {self._said(curve[self.result].iloc[0])} at {num(low)} "
            f"to {self._said(curve[self.result].iloc[-1])} at {num(high)}; "
            f"{self._said(self.value())} at {num(self.values[self.across])} now{found}.",
        )  # fmt: skip

    def parameters(self) -> str:
        """Lines for a parameter cell, with the values at which the sliders stand.

        >>> print(tc.explore(tc.total_token_cost_usd_per_mtok, rate_usd_per_gpu_h=(0.5, 6), total_tok_per_s_per_gpu=90.0).parameters())
        rate_usd_per_gpu_h: float = 1.73  # Price of a GPU-hour, USD per GPU-hour, 0.5 to 6
        total_tok_per_s_per_gpu: float = 90  # Throughput (input + output tokens), tokens/s per GPU, 0.01 to 200000
        """
        ranges = self.ranges | {name: _plausible(name) for name in self.fixed}
        return "\n".join(
            f"{name}: float = {(self.values | self.fixed)[name]:.6g}  # {_label(name)}, {low:.10g} to {high:.10g}"
            for name, (low, high) in ranges.items()
        )

    def _said(self, value: float | None) -> str:
        return "" if value is None else usd(value) if (quantities.unit(self.result) or "").startswith("usd") else num(value)

    def _met(self, name: str) -> str:
        met = self.meets(name)
        return "not in this range" if met is None else num(met)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if not {ASKED, STILL} & set(os.environ) and importlib.util.find_spec("ipywidgets"):
            from tokcost.teaching.sliders import panel

            still = {"text/html": f"{self.table().html()}{self.figure().svg}", "text/plain": self.table().text()}
            display(panel(self)._repr_mimebundle_() | still, raw=True)  # whoever shows no widgets shows the other
        else:
            display(self.table(), self.figure())


def explore(formula: Callable[..., Any], /, *, target: float | None = None, **inputs: float | tuple[float, float]) -> Explorer:
    """Move the inputs of a formula and see what becomes of it: sliders in JupyterLab, a table and a figure in a report.

    An input is a range `(low, high)`, which becomes a slider, or a number, which stays. One that is not named has the plausible
    range of the vocabulary. The curve is drawn over the first input with a range; `target` marks a value of the result, and which
    value of the first input gives it.

    Raises: InputError for an input that the formula does not take, or a range that is none; QuantityError for a value outside of
    what is plausible.

    >>> seen = tc.explore(tc.total_token_cost_usd_per_mtok, rate_usd_per_gpu_h=(0.5, 6), total_tok_per_s_per_gpu=2000.0, target=0.30)
    >>> round(seen.meets(), 2)  # 0.30 USD for each of 7.2 million tokens
    2.16
    """
    taken = [name for name, one in inspect.signature(formula).parameters.items() if one.kind is not one.VAR_KEYWORD]
    for name in inputs:
        if name not in taken:
            raise InputError(f"`{formula.__name__}` takes no `{name}`{nearest(name, taken)}")
    given = {name: inputs[name] if name in inputs else _plausible(name) for name in [*inputs, *taken]}
    ranges = {name: _range(name, one) for name, one in given.items() if isinstance(one, tuple | list)}
    fixed = {name: float(one) for name, one in given.items() if not isinstance(one, tuple | list)}
    for name, value in fixed.items():
        quantities.check_value(name, value)
    if not ranges:
        raise InputError("nothing to move: give at least one input as a range, such as rate_usd_per_gpu_h=(0.5, 6)")
    return Explorer(formula, ranges, fixed, target)


def _plausible(name: str) -> tuple[float, float]:
    quantity = quantities.of(name)
    return quantity.low, quantity.high


def _range(name: str, ends: tuple[float, float] | list[float]) -> tuple[float, float]:
    if len(ends) != 2 or not float(ends[0]) < float(ends[1]):
        raise InputError(f"`{name}`: a range is (low, high), the lower end first; got {tuple(ends)}")
    low, high = map(float, ends)
    for end in (low, high):
        quantities.check_value(name, end)
    return low, high


def _start(low: float, high: float) -> float:
    """Halfway: in equal factors where the ends are far apart or the lower one is positive."""
    return float(f"{(low * high) ** 0.5 if low > 0 else (low + high) / 2:.3g}")


def _label(name: str) -> str:
    quantity = quantities.of(name)
    return ", ".join(filter(None, [quantity.label, quantity.unit_label]))
