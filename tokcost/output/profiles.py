"""When users ask: requests per second, hour by hour, from named shapes, from one's own traffic, from Prometheus.

A profile is one period that repeats (a week for the named shapes). For every hour it holds the average
rate, which decides the tokens, and the highest five-minute rate, which decides the capacity.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.quantities import SECONDS_PER_HOUR, QuantityError, check_value, nearest

#: the peak within an hour is the busiest window of this length: shorter ones hold noise, longer ones hide a burst
PEAK_WINDOW_S = 300.0
_WINDOWS_PER_HOUR = round(SECONDS_PER_HOUR / PEAK_WINDOW_S)
_COUNTER_ENDS = ("_total", "_count")
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
        """The same shape with every rate multiplied.

        >>> hourly_profile([1, 3], isl=100, osl=100).scaled(2).hours["offered_request_per_s"].tolist()
        [2.0, 6.0]
        """
        if not (np.isfinite(factor) and factor > 0):
            raise QuantityError(f"a load is scaled by a number above 0, got {factor:g}")
        rates = ["offered_request_per_s", "peak_offered_request_per_s"]
        return replace(self, hours=self.hours.assign(**{name: self.hours[name] * factor for name in rates}))


def hourly_profile(offered_request_per_s, *, isl: float, osl: float, peak_offered_request_per_s=None, name: str = "own", start: str = ""):
    """A profile from one rate for each hour; without peaks the rate within an hour is taken as steady.

    >>> hourly_profile([1, 3], isl=1000, osl=500).n_requests
    14400.0
    """
    mean = np.atleast_1d(np.asarray(offered_request_per_s, dtype=float))
    peak = mean if peak_offered_request_per_s is None else np.broadcast_to(np.asarray(peak_offered_request_per_s, dtype=float), mean.shape)
    for quantity, value in (("isl", isl), ("osl", osl), ("offered_request_per_s", mean), ("offered_request_per_s", peak)):
        check_value(quantity, value)
    if not mean.size or np.isnan(mean).any() or not mean.any():
        raise QuantityError("a load profile needs a known request rate for every hour and at least one request")
    if (peak < mean * (1 - 1e-9)).any():
        hour = int(np.argmax(peak < mean * (1 - 1e-9)))
        raise QuantityError(f"hour {hour}: the peak rate {peak[hour]:.4g} is below the average {mean[hour]:.4g}; are the two swapped?")
    hours = pd.DataFrame(
        {"hour": np.arange(len(mean)), "offered_request_per_s": mean, "peak_offered_request_per_s": np.maximum(peak, mean)}
    )
    return LoadProfile(name, hours, float(isl), float(osl), start)


def shape_profile(shapes: pd.DataFrame, shape: str, *, offered_request_per_s: float, isl: float, osl: float) -> LoadProfile:
    """A week of a named shape (rows of the table load_profiles) with this average request rate.

    The shapes are assumptions, to be replaced by one's own traffic: `flat`, `business_hours`, `diurnal_weekend`, `bursty`.
    """
    if shape not in set(shapes["profile"]):
        raise QuantityError(f"there is no load shape `{shape}`{nearest(shape, shapes['profile'].unique())}")
    rows = shapes[shapes["profile"] == shape].set_index(["day_type", "hour_of_day"]).sort_index()
    week = pd.concat([rows.loc[day] for day in _DAYS], ignore_index=True)
    mean = week["relative_rate_ratio"].to_numpy(float)
    mean = mean / mean.mean() * offered_request_per_s
    return hourly_profile(
        mean, isl=isl, osl=osl, peak_offered_request_per_s=mean * week["within_hour_peak_ratio"].to_numpy(float), name=shape
    )


def named_profile(shape: str, *, offered_request_per_s: float, isl: float, osl: float) -> LoadProfile:
    """A week of a named shape of the catalog with this average request rate (see `shape_profile`).

    >>> week = named_profile("business_hours", offered_request_per_s=2, isl=1000, osl=500)
    >>> week.n_hours, round(week.n_requests)
    (168, 1209600)
    """
    return shape_profile(evidence.load("load_profiles"), shape, offered_request_per_s=offered_request_per_s, isl=isl, osl=osl)


def profile_from_csv(path, *, isl: float | None = None, osl: float | None = None) -> LoadProfile:
    """A profile from a CSV of one's own traffic, over the whole hours that it covers.

    Either one row an interval (`timestamp` of its start, `requests`), evenly spaced and without a gap, or
    one row a request (`timestamp`). Optional `input_tok` and `output_tok` (sums of the row) give the lengths;
    a file without them needs `isl` and `osl`. Timestamps are ISO 8601 or seconds since 1970; hours are UTC.
    """
    rows = pd.read_csv(path)
    if "timestamp" not in rows:
        raise QuantityError(f"{Path(path).name} has no column `timestamp`{nearest('timestamp', rows.columns)}")
    if rows.empty:
        raise QuantityError(f"{Path(path).name} has no rows")
    at = _seconds(rows["timestamp"], Path(path).name)
    rows = rows.assign(at=at).sort_values("at", kind="stable")
    if "requests" in rows:
        steps = np.diff(rows["at"])
        step = steps.min(initial=np.inf)
        if not np.isfinite(step) or step <= 0 or not np.allclose(steps, step):
            odd = int(np.argmax(~np.isclose(steps, step))) + 1 if len(steps) else 1
            fix = "give every interval one row, also those without requests"
            raise QuantityError(f"{Path(path).name}: intervals are not even at data row {odd + 1}; {fix}")
        edges = np.append(rows["at"], rows["at"].iloc[-1] + step)
        counts = rows["requests"].to_numpy(float)
    else:
        first, last = rows["at"].iloc[0] // PEAK_WINDOW_S, np.ceil((rows["at"].iloc[-1] + 1) / PEAK_WINDOW_S)
        edges = np.arange(first, last + 1) * PEAK_WINDOW_S
        counts = np.histogram(rows["at"], bins=edges)[0].astype(float)
    if np.isnan(counts).any() or (counts < 0).any():
        raise QuantityError(f"{Path(path).name}: column `requests` must hold a count of 0 or more in every row")
    mean, peak, start = _by_hour([(edges, np.concatenate([[0.0], np.cumsum(counts)]))], Path(path).name)
    inside = rows[(rows["at"] >= start) & (rows["at"] < start + len(mean) * SECONDS_PER_HOUR)]
    n_requests = inside["requests"].sum() if "requests" in rows else len(inside)
    lengths = {
        name: _length(inside, column, given, n_requests, name, path)
        for name, column, given in (("isl", "input_tok", isl), ("osl", "output_tok", osl))
    }
    return hourly_profile(mean, peak_offered_request_per_s=peak, name=Path(path).name, start=_stamp(start), **lengths)


def profile_from_prometheus(path, *, isl: float, osl: float) -> LoadProfile:
    """A profile from the JSON of a Prometheus `query_range`: a counter of requests, or a rate of requests per second.

    A metric whose name ends in `_total` or `_count` is a counter (a fall is a restart); an expression without
    a name is a rate per second. Series are added up. Counters of tokens are refused: they do not say when users asked.
    """
    answer = json.loads(Path(path).read_text(encoding="utf-8"))
    result = answer.get("data", {}).get("result") if isinstance(answer, dict) else None
    if not result or answer["data"].get("resultType") != "matrix":
        raise QuantityError(f"{Path(path).name} is no query_range answer with data (resultType matrix); export it again")
    curves = []
    for series in result:
        name = series.get("metric", {}).get("__name__", "")
        if name and "request" not in name:
            fix = "query a counter of requests, for vLLM vllm:request_success_total"
            raise QuantityError(f"{Path(path).name}: `{name}` does not count requests; {fix}")
        at, value = np.array(series["values"], dtype=float).T
        known = ~np.isnan(value)
        at, value = at[known], value[known]
        if name.endswith(_COUNTER_ENDS):
            rise = np.diff(value)
            rise = np.where(rise < 0, value[1:], rise)
        else:
            rise = value[1:] * np.diff(at)
        curves.append((at, np.concatenate([[0.0], np.cumsum(rise)])))
    mean, peak, start = _by_hour(curves, Path(path).name)
    return hourly_profile(mean, isl=isl, osl=osl, peak_offered_request_per_s=peak, name=Path(path).name, start=_stamp(start))


def _by_hour(curves, file: str):
    """Average and peak rate of every whole hour, from curves of (time, requests so far); and the start of the first."""
    first, last = min(at[0] for at, _ in curves), max(at[-1] for at, _ in curves)
    begin, end = np.ceil(first / SECONDS_PER_HOUR), np.floor(last / SECONDS_PER_HOUR)
    if end <= begin:
        raise QuantityError(f"{file} covers {last - first:.0f} s and no whole hour of the clock; a load profile needs at least one")
    edges = np.arange(begin * _WINDOWS_PER_HOUR, end * _WINDOWS_PER_HOUR + 1) * PEAK_WINDOW_S
    so_far = sum(np.interp(edges, at, requests) for at, requests in curves)
    windows = (np.diff(so_far) / PEAK_WINDOW_S).reshape(-1, _WINDOWS_PER_HOUR)
    return windows.mean(axis=1), windows.max(axis=1), begin * SECONDS_PER_HOUR


def _seconds(timestamps: pd.Series, file: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(timestamps):
        at = timestamps.to_numpy(float)
    else:
        try:
            at = pd.to_datetime(timestamps, utc=True, format="ISO8601")
        except ValueError:
            first = timestamps.iloc[0]
            raise QuantityError(f"{file}: column `timestamp` must be ISO 8601 or seconds since 1970, its first is {first!r}") from None
        at = ((at - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy(float)
    if np.isnan(at).any():
        raise QuantityError(f"{file}: column `timestamp` is empty in data row {int(np.argmax(np.isnan(at))) + 1}; every row needs one")
    return at


def _length(rows, column, given, n_requests, name, path) -> float:
    if column in rows and given is not None:
        raise QuantityError(f"{Path(path).name} has `{column}`, so `{name}` follows from it; do not give both")
    if column in rows:
        return float(rows[column].sum() / n_requests)
    if given is None:
        raise QuantityError(f"{Path(path).name} has no column `{column}`; give `{name}`, the average length of a request")
    return given


def _stamp(seconds: float) -> str:
    return pd.Timestamp(seconds, unit="s", tz="UTC").strftime("%Y-%m-%dT%H:%MZ")
