"""When users ask: requests per second, hour by hour; the rhythm of recorded services, and traffic of one's own.

A profile is one period that repeats (a week, where that much was recorded). For every hour it holds the average requests
per second, which decide the tokens, and those of its busiest minutes, which decide the capacity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost import evidence
from tokcost.quantities import SECONDS_PER_HOUR, QuantityError, check_value, nearest

#: the load that never changes: a limit and no record
FLAT = "flat"
HOURS_PER_WEEK = 168


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
        """How far the busiest minutes stand above the average hour."""
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


def recorded_profile(name: str, *, offered_request_per_s: float, isl: float | None = None, osl: float | None = None) -> LoadProfile:
    """A week of a recorded service with these average requests per second: its rhythm, by the hour (data/traffic_hours.csv).

    Without lengths its requests are as long as they were on average (data/traffic.csv). Where one day was recorded, the week is
    that day seven times. `flat` has no rhythm and no lengths. `start` is the weekday of the first hour, where that is known.
    Raises: QuantityError for a service that is not in the table, with the nearest that is, and for lengths that are not known.

    >>> week = recorded_profile("azure_2024_code", offered_request_per_s=40)
    >>> week.n_hours, round(week.peak_to_mean_ratio, 1), week.isl
    (168, 3.5, 2560.0)
    """
    hours = evidence.load_table("traffic_hours")
    if name not in {FLAT, *hours["trace"]}:
        raise QuantityError(f"there is no load profile `{name}`{nearest(name, [*hours['trace'].unique(), FLAT])}")
    facts = evidence.load_table("traffic").query("trace == @name").set_index("quantity")["value"]
    lengths = {"isl": facts.get("isl") if isl is None else isl, "osl": facts.get("osl") if osl is None else osl}
    if None in lengths.values():
        raise QuantityError(f"data/traffic.csv does not say how long the requests of `{name}` are; give isl and osl")
    rows = hours[hours["trace"] == name].sort_values("hour")
    relative = rows["relative_rate_ratio"].to_numpy(float) if len(rows) else np.ones(1)
    within = rows["within_hour_peak_ratio"].to_numpy(float) if len(rows) else np.ones(1)
    mean = np.resize(relative / relative.mean() * offered_request_per_s, HOURS_PER_WEEK)
    peak, start = mean * np.resize(within, HOURS_PER_WEEK), str(rows["first_weekday"].iloc[0]) if len(rows) else ""
    return hourly_profile(mean, **lengths, peak_offered_request_per_s=peak, name=name, start=start)  # pyright: ignore[reportArgumentType]


def shared_profile(services: Mapping[str, tuple[LoadProfile, float]], *, name: str = "shared") -> LoadProfile:
    """Several services on one fleet: their work adds up hour by hour. `services`: name -> its profile, and the work of one of its requests.

    Counted in average requests of the mix, so that work and tokens stay what they are; each is a number of its own, such as
    GPU-seconds. Peaks are added as if they fell together, which is the worst case within an hour.

    Raises: QuantityError for no service, or profiles of different length.

    >>> day, night = hourly_profile([3, 1], isl=1000, osl=100), hourly_profile([1, 3], isl=1000, osl=100)
    >>> shared_profile({"a": (day, 1.0), "b": (night, 1.0)}).hours["offered_request_per_s"].tolist()
    [4.0, 4.0]
    """
    profiles, work = [profile for profile, _ in services.values()], [each for _, each in services.values()]
    if len({profile.n_hours for profile in profiles}) != 1:
        raise QuantityError("services on one fleet need profiles of one length; take weeks with weeks")
    requests = np.array([profile.n_requests for profile in profiles])
    of_mix = np.average(work, weights=requests)
    hours = {
        column: sum(profile.hours[column].to_numpy() * each / of_mix for profile, each in zip(profiles, work, strict=True))
        for column in ("offered_request_per_s", "peak_offered_request_per_s")
    }
    isl, osl = (float(np.average([getattr(each, length) for each in profiles], weights=requests)) for length in ("isl", "osl"))
    return hourly_profile(**hours, isl=isl, osl=osl, name=name, start=profiles[0].start)
