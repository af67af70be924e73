"""When users ask: requests per second, hour by hour; named shapes, and traffic of one's own.

A profile is one period that repeats (a week for the named shapes). For every hour it holds the average requests
per second, which decide the tokens, and those of the busiest five minutes, which decide the capacity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost import evidence
from tokcost.quantities import SECONDS_PER_HOUR, QuantityError, check_value, nearest

_DAYS = ("weekday",) * 5 + ("weekend",) * 2


@dataclass(frozen=True, eq=False)
class LoadProfile:
    """Requests by hour over one repeating period, and the length of the average request."""

    name: str
    #: `hour` (0, 1, ...), `offered_request_per_s`, `peak_offered_request_per_s`
    hours: pd.DataFrame
    isl: float
    osl: float
    start: str = ""

    @property
    def n_hours(self) -> int:
        return len(self.hours)

    @property
    def n_requests(self) -> float:
        return float(self.hours["offered_request_per_s"].sum() * SECONDS_PER_HOUR)

    @property
    def offered_total_tok_per_s(self) -> pd.Series:
        """Prompt and answer tokens per second that users ask for, by hour."""
        return (self.hours["offered_request_per_s"] * (self.isl + self.osl)).rename("offered_total_tok_per_s")

    @property
    def peak_to_mean_ratio(self) -> float:
        """How far the busiest five minutes stand above the average hour."""
        return float(self.hours["peak_offered_request_per_s"].max() / self.hours["offered_request_per_s"].mean())

    def scaled(self, factor: float) -> LoadProfile:
        """The same shape with the requests of every hour multiplied.

        >>> hourly_profile([1, 3], isl=100, osl=100).scaled(2).hours["offered_request_per_s"].tolist()
        [2.0, 6.0]
        """
        if not (np.isfinite(factor) and factor > 0):
            raise QuantityError(f"a load is scaled by a number above 0, got {factor:g}")
        names = ["offered_request_per_s", "peak_offered_request_per_s"]
        return replace(self, hours=self.hours.assign(**{name: self.hours[name] * factor for name in names}))


def hourly_profile(
    offered_request_per_s: ArrayLike,
    *,
    isl: float,
    osl: float,
    peak_offered_request_per_s: ArrayLike | None = None,
    name: str = "own",
    start: str = "",
) -> LoadProfile:
    """A profile from the requests per second of each hour; without peaks they are taken as steady within an hour.

    Raises: QuantityError for an hour that is not known, a peak below its average, or no request at all.

    >>> hourly_profile([1, 3], isl=1000, osl=500).n_requests
    14400.0
    """
    mean = np.atleast_1d(np.asarray(offered_request_per_s, dtype=float))
    peak = mean if peak_offered_request_per_s is None else np.asarray(peak_offered_request_per_s, dtype=float)
    if mean.ndim != 1 or peak.ndim > 1 or (peak.ndim and len(peak) != len(mean)):
        raise QuantityError(f"a load profile is one number for each hour: got {mean.shape} averages and {peak.shape} peaks")
    peak = np.broadcast_to(peak, mean.shape)
    for quantity, value in (("isl", isl), ("osl", osl), ("offered_request_per_s", mean), ("offered_request_per_s", peak)):
        check_value(quantity, value)
    if not mean.size or np.isnan(mean).any() or np.isnan(peak).any() or not mean.any():
        raise QuantityError("a load profile needs known requests per second for every hour and at least one request")
    if (peak < mean * (1 - 1e-9)).any():
        hour = int(np.argmax(peak < mean * (1 - 1e-9)))
        raise QuantityError(
            f"hour {hour}: the peak of {peak[hour]:.4g} requests/s is below the average of {mean[hour]:.4g}; are they swapped?"
        )
    hours = pd.DataFrame(
        {"hour": np.arange(len(mean)), "offered_request_per_s": mean, "peak_offered_request_per_s": np.maximum(peak, mean)}
    )
    return LoadProfile(name, hours, float(isl), float(osl), start)


def named_profile(shape: str, *, offered_request_per_s: float, isl: float, osl: float) -> LoadProfile:
    """A week of a named shape of the catalog with these average requests per second.

    The shapes are assumptions, to be replaced by one's own traffic: `flat`, `business_hours`, `diurnal_weekend`, `bursty`.

    Raises: QuantityError for a shape that is not in the dataset, with the nearest that is.

    >>> week = named_profile("business_hours", offered_request_per_s=2, isl=1000, osl=500)
    >>> week.n_hours, round(week.n_requests)
    (168, 1209600)
    """
    shapes = evidence.load_table("load_profiles")
    if shape not in set(shapes["profile"]):
        raise QuantityError(f"there is no load shape `{shape}`{nearest(shape, shapes['profile'].unique())}")
    rows = shapes[shapes["profile"] == shape].set_index(["day_type", "hour_of_day"]).sort_index()
    week = pd.concat([rows.loc[day] for day in _DAYS], ignore_index=True)
    mean = week["relative_rate_ratio"].to_numpy(float)
    mean = mean / mean.mean() * offered_request_per_s
    return hourly_profile(
        mean, isl=isl, osl=osl, peak_offered_request_per_s=mean * week["within_hour_peak_ratio"].to_numpy(float), name=shape
    )
