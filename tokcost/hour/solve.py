"""Which assumption would make the build-up meet a published number, and how far the build-up is from all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from tokcost import quantities
from tokcost.hour.deployment import Deployment, numeric_inputs
from tokcost.quantities import QuantityError, check_value, nearest

#: how far beyond the sourced range a solution is looked for
SEARCH_FACTOR = 5


@dataclass(frozen=True)
class Solution:
    """What one input would have to be, or that no value in the span does it (`value` is NaN then)."""

    input_name: str
    target_usd_per_gpu_h: float
    value: float
    low: float
    high: float
    rate_at_low_usd_per_gpu_h: float
    rate_at_high_usd_per_gpu_h: float

    @property
    def is_reachable(self) -> bool:
        return not math.isnan(self.value)

    def __str__(self):
        span = f"[{self.low:.6g}, {self.high:.6g}]"
        if self.is_reachable:
            return f"{self.input_name} = {self.value:.4g} gives {self.target_usd_per_gpu_h:.3f} USD per GPU-hour"
        ends = f"{self.rate_at_low_usd_per_gpu_h:.3f} to {self.rate_at_high_usd_per_gpu_h:.3f}"
        return f"{self.target_usd_per_gpu_h:.3f} USD per GPU-hour is not reachable with {self.input_name} within {span}: that spans {ends}"


def solve_for(deployment: Deployment, target_usd_per_gpu_h: float, input_name: str, low: float, high: float) -> Solution:
    """The value of one input, all others as they stand, at which the GPU-hour costs the target.

    Searches [low, high] only; the cost is monotone in every input, so one value at most does it.

    Raises: QuantityError for an input that the deployment does not have, or a span that does not rise.

    >>> node = tc.reference_deployment("h200", "hyperscaler")
    >>> print(solve_for(node, 1.75, "wacc_frac", 0.02, 0.20))
    wacc_frac = 0.09152 gives 1.750 USD per GPU-hour
    >>> print(solve_for(node, 0.50, "wacc_frac", 0.02, 0.20))
    0.500 USD per GPU-hour is not reachable with wacc_frac within [0.02, 0.2]: that spans 1.387 to 2.353
    """
    if input_name not in numeric_inputs() or getattr(deployment, input_name) is None:
        raise QuantityError(f"this deployment has no input `{input_name}` to solve for{nearest(input_name, numeric_inputs())}")
    if not low < high:
        raise QuantityError(f"the span to search must rise, got low={low:.6g}, high={high:.6g}")
    target = float(check_value("rate_usd_per_gpu_h", target_usd_per_gpu_h))

    def distance(value):
        return float(deployment.without_ranges(**{input_name: value}).owned_rate_usd_per_gpu_h) - target

    at_low, at_high = distance(low), distance(high)
    value: Any = math.nan if at_low * at_high > 0 else optimize.brentq(distance, low, high, xtol=1e-12, rtol=np.float64(1e-14))
    return Solution(input_name, target, value, float(low), float(high), at_low + target, at_high + target)


def solutions(deployment: Deployment, target_usd_per_gpu_h: float, *, ranges: dict) -> pd.DataFrame:
    """What each ranged input, alone, would have to be for the GPU-hour to cost the target; those that can do it within their range first.

    `ranges` are the sourced spans to judge by, {input: (low, high)}: those in the dataset, whatever value the deployment takes.

    Columns: quantity, input (the same in words), value (in use), low, high (sourced range), needed (NaN if no value up to
    `SEARCH_FACTOR` times beyond the range does it), verdict ("in its sourced range", "outside its range", "no value does it").

    >>> node = tc.reference_deployment("h200", "hyperscaler")
    >>> table = solutions(node, 1.75, ranges=node.ranges).set_index("quantity")
    >>> print(table.loc["economic_life_yr", "needed"].round(2), table.loc["economic_life_yr", "verdict"])
    4.82 in its sourced range
    """
    verdicts = ["in its sourced range", "outside its range", "no value does it"]
    rows = []
    for name, (low, high) in ranges.items():
        known = quantities.of(name)
        span = max(known.low, low / SEARCH_FACTOR), min(known.high, high * SEARCH_FACTOR)
        needed = solve_for(deployment, target_usd_per_gpu_h, name, *span).value
        verdict = verdicts[2] if math.isnan(needed) else verdicts[0] if low <= needed <= high else verdicts[1]
        rows.append((name, quantities.phrase(name), float(getattr(deployment, name)), low, high, needed, verdict))
    table = pd.DataFrame(rows, columns=["quantity", "input", "value", "low", "high", "needed", "verdict"])
    return table.sort_values("verdict", key=lambda verdict: verdict.map(verdicts.index), kind="stable", ignore_index=True)


def one_at_a_time(deployment: Deployment) -> pd.DataFrame:
    """What each ranged input does to the GPU-hour alone, all others as they stand; the widest first.

    Columns: input_name, value, low, high, rate_at_low_usd_per_gpu_h, rate_at_high_usd_per_gpu_h, swing_usd_per_gpu_h.

    >>> one_at_a_time(tc.reference_deployment("h200", "hyperscaler"))["input_name"].head(2).tolist()
    ['economic_life_yr', 'system_price_usd']
    """
    rows = []
    for name, (low, high) in (deployment.ranges or {}).items():
        ends = [float(deployment.without_ranges(**{name: end}).owned_rate_usd_per_gpu_h) for end in (low, high)]
        rows.append((name, float(getattr(deployment, name)), low, high, *ends, abs(ends[1] - ends[0])))
    columns = ["input_name", "value", "low", "high", "rate_at_low_usd_per_gpu_h", "rate_at_high_usd_per_gpu_h", "swing_usd_per_gpu_h"]
    return pd.DataFrame(rows, columns=columns).sort_values("swing_usd_per_gpu_h", ascending=False, ignore_index=True)


def against_published(
    deployments: Mapping[tuple[str, str], Deployment], rates: pd.DataFrame, intervals: Mapping[tuple[str, str], tuple[float, float]]
) -> pd.DataFrame:
    """The build-up compared with published ownership constants, one row for each constant that has a deployment.

    `deployments` maps (accelerator, price_basis) to a deployment; `rates` are published constants in USD per GPU-hour, with
    accelerator, price_basis, rate_vintage and value; `intervals` hold the hour of each deployment nine times in ten
    (`doubt.reference_intervals`).

    Columns: accelerator, price_basis, rate_vintage, published_usd_per_gpu_h, built_usd_per_gpu_h, low_usd_per_gpu_h,
    high_usd_per_gpu_h (all ranges at one end together), likely_low_usd_per_gpu_h, likely_high_usd_per_gpu_h
    (its interval), residual_usd_per_gpu_h (built - published), residual_ratio (built / published - 1), is_likely (inside the
    narrower interval). Whether a constant lies in the wider one is no test: that interval is too wide to miss one.

    >>> printed = {"accelerator": "h200", "price_basis": "owning_hyperscaler", "rate_vintage": "2026-03", "value": 1.41}
    >>> against = against_published(tc.hour.reference_deployments(), pd.DataFrame([printed]), tc.doubt.reference_intervals())
    >>> against[["residual_ratio", "is_likely"]].round(2).values.tolist()
    [[0.21, False]]
    """
    rows = []
    for (accelerator, price_basis), node in deployments.items():
        span = (float(end) for end in node.interval_usd_per_gpu_h())
        hour = float(node.owned_rate_usd_per_gpu_h)
        rows.append((accelerator, price_basis, hour, *span, *intervals[accelerator, price_basis]))
    ends = ["low_usd_per_gpu_h", "high_usd_per_gpu_h", "likely_low_usd_per_gpu_h", "likely_high_usd_per_gpu_h"]
    built = pd.DataFrame(rows, columns=["accelerator", "price_basis", "built_usd_per_gpu_h", *ends])
    constants = rates.rename(columns={"value": "published_usd_per_gpu_h"}).dropna(subset=["published_usd_per_gpu_h"])
    constants = constants[["accelerator", "price_basis", "rate_vintage", "published_usd_per_gpu_h"]]
    table = constants.merge(built, on=["accelerator", "price_basis"])
    published = table["published_usd_per_gpu_h"]
    return table.assign(
        residual_usd_per_gpu_h=table["built_usd_per_gpu_h"] - published,
        residual_ratio=table["built_usd_per_gpu_h"] / published - 1,
        is_likely=published.between(table["likely_low_usd_per_gpu_h"], table["likely_high_usd_per_gpu_h"]),
    )
