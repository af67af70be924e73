"""From a row of evidence to a distribution: its own range where it states one, else how far its kind of evidence may be off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.doubt.distributions import Input, lognormal, pert
from tokcost.evidence import Fact
from tokcost.hour.reference import YOUR_INPUT
from tokcost.quantities import QuantityError, nearest, of


def from_value(quantity: str, value: float, *, low: float | None = None, high: float | None = None, kind: str) -> Input:
    """A figure as an uncertain input: between its own low and high (PERT), or as wide as data/evidence_widths.csv says of its kind.

    Without a range, the figure is a median and the width a factor (lognormal); a share, and a quantity whose plausible range the
    lognormal would leave, lies between ends that stay inside (PERT). A value of 0 without a range is known.

    Raises: QuantityError for a kind without a width.

    >>> from_value("accelerator_price_usd", 30_000.0, kind="estimate").ppf([0.05, 0.95]).round().tolist()
    [20000.0, 45000.0]
    >>> [float(end) for end in from_value("pue", 1.2, low=1.1, high=1.5, kind="measured").support()]
    [1.1, 1.5]
    """
    if isinstance(value, str) or np.ndim(value) or not np.isfinite(value):
        raise QuantityError(f"`{quantity}` must be a finite number, got {value!r}")
    ends = [end for end in (low, high) if end is not None and not pd.isna(end)]
    if len(ends) == 1:
        raise QuantityError(f"the range of `{quantity}` has one end, {ends[0]:g}; give a low and a high, or neither")
    is_given = len(ends) == 2
    if is_given and ends[0] != ends[1]:
        return pert(float(ends[0]), float(value), float(ends[1]))
    if is_given or value == 0:
        return float(value)
    widths = evidence.load_table("evidence_widths").set_index("evidence_kind")["spread_ratio"]
    if kind not in widths:
        raise QuantityError(f"data/evidence_widths.csv has no kind `{kind}`{nearest(kind, widths.index)}; state a low and a high instead")
    spread, limits = float(widths[kind]), of(quantity)
    if spread == 1:
        return float(value)
    if limits.unit == "frac" and 0 < value <= 1:
        return pert(max(value / spread, limits.low), float(value), min(1 - (1 - value) / spread, limits.high))
    around = lognormal(value / spread, value * spread)
    if limits.low <= around.ppf(1e-6) and around.ppf(1 - 1e-6) <= limits.high:
        return around
    return pert(max(value / spread, limits.low), float(value), min(value * spread, limits.high))


def from_fact(fact: Fact) -> Input:
    """A fact of the catalog as an uncertain input, by its own range or its kind.

    >>> rate = tc.rate(accelerator="h200", price_basis="owning_hyperscaler", rate_vintage="2026-09")
    >>> from_fact(rate).ppf([0.05, 0.5, 0.95]).round(3).tolist()
    [1.017, 1.22, 1.464]
    """
    return from_value(fact.quantity, fact.value, low=fact.low, high=fact.high, kind=fact.kind)


def from_rows(rows: pd.DataFrame) -> dict[str, Any]:
    """Rows of sourced inputs (`quantity`, `value`, `low`, `high`, `kind`) as uncertain inputs by name; `your input` is known.

    >>> inputs = from_rows(tc.hour.reference_inputs("h200", "hyperscaler"))
    >>> inputs["n_gpus"], round(float(inputs["economic_life_yr"].median()), 1)
    (8.0, 4.9)
    """
    return {row.quantity: from_row(row) for row in rows.itertuples()}


def from_row(row: Any) -> Input:
    """One such row, with its columns as attributes."""
    if row.kind == YOUR_INPUT or of(row.quantity).unit == "count":
        return float(row.value)
    return from_value(row.quantity, float(row.value), low=row.low, high=row.high, kind=row.kind)
