"""Load profiles from one's own traffic: a CSV of requests, or the answer of a Prometheus range query."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost.load.profiles import LoadProfile, hourly_profile
from tokcost.quantities import SECONDS_PER_HOUR, QuantityError, nearest

#: the peak within an hour is the busiest window of this length: shorter ones hold noise, longer ones hide a burst
PEAK_WINDOW_S = 300.0
_WINDOWS_PER_HOUR = round(SECONDS_PER_HOUR / PEAK_WINDOW_S)
_COUNTER_ENDS = ("_total", "_count")
#: the year 2100: what is later was not given in seconds
_LATEST_S = 4.1e9


def profile_from_csv(path: str | Path, *, isl: float | None = None, osl: float | None = None) -> LoadProfile:
    """A profile from a CSV of one's own traffic, over the whole hours that it covers.

    Either one row an interval (`timestamp` of its start, `requests`), evenly spaced and without a gap, or
    one row a request (`timestamp`). Optional `input_tok` and `output_tok` (sums of the row) give the lengths;
    a file without them needs `isl` and `osl`. Timestamps are ISO 8601 or seconds since 1970; hours are UTC.

    Raises: QuantityError for a file that cannot be read, has a gap or a wrong value (with its row), or covers no whole hour.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "traffic.csv")
    ...     _ = path.write_text("timestamp,requests\\n2026-01-05T00:00Z,3600\\n2026-01-05T01:00Z,7200\\n")
    ...     profile_from_csv(path, isl=1000, osl=500).hours["offered_request_per_s"].tolist()
    [1.0, 2.0]
    """
    file, rows = Path(path).name, _csv(path)
    if "timestamp" not in rows:
        raise QuantityError(f"{file} has no column `timestamp`{nearest('timestamp', rows.columns, may_list=False)}")
    if rows.empty:
        raise QuantityError(f"{file} has no rows")
    at = _seconds(rows["timestamp"], file)
    rows = rows.assign(at=at).sort_values("at", kind="stable")
    if "requests" in rows:
        steps = np.diff(rows["at"])
        if not len(steps):
            raise QuantityError(f"{file} has one interval, which does not say how long it is; give at least two")
        step = steps.min()
        if step == 0:
            twice = rows["at"].iloc[int(np.argmin(steps))]
            raise QuantityError(f"{file} has two rows for {_stamp(twice)}; give every interval one row")
        if not np.allclose(steps, step):
            odd = int(np.argmax(~np.isclose(steps, step))) + 1
            fix = "give every interval one row, also those without requests"
            raise QuantityError(f"{file}: intervals are not even at data row {odd + 1}; {fix}")
        if step > SECONDS_PER_HOUR:
            raise QuantityError(f"{file}: an interval lasts {step:g} s; a load profile needs one row an hour or more often")
        edges = np.append(rows["at"], rows["at"].iloc[-1] + step)
        counts = _numbers(rows["requests"], file).to_numpy(float)
        rows["requests"] = counts
    else:
        first, last = rows["at"].iloc[0] // PEAK_WINDOW_S, np.ceil((rows["at"].iloc[-1] + 1) / PEAK_WINDOW_S)
        edges = np.arange(first, last + 1) * PEAK_WINDOW_S
        counts = np.histogram(rows["at"], bins=edges)[0].astype(float)
    if not (np.isfinite(counts) & (counts >= 0)).all():
        raise QuantityError(f"{file}: column `requests` must hold a count of 0 or more in every row")
    mean, peak, start = _by_hour([(edges, np.concatenate([[0.0], np.cumsum(counts)]))], file)
    inside = rows[(rows["at"] >= start) & (rows["at"] < start + len(mean) * SECONDS_PER_HOUR)]
    n_requests = inside["requests"].sum() if "requests" in rows else len(inside)
    if not n_requests:
        raise QuantityError(f"{file} has no request in a whole hour of the clock")
    lengths = {
        name: _length(inside, column, given, n_requests, name, file)
        for name, column, given in (("isl", "input_tok", isl), ("osl", "output_tok", osl))
    }
    return hourly_profile(mean, peak_offered_request_per_s=peak, name=file, start=_stamp(start), **lengths)


def profile_from_prometheus(path: str | Path, *, isl: float, osl: float) -> LoadProfile:
    """A profile from the JSON of a Prometheus `query_range`: a counter of requests, or requests per second.

    A metric that counts requests (its name ends in `_total` or `_count`) is a counter: a fall is a restart, and what it
    gained over a gap is spread over the gap. An expression without a name is requests per second: a series that is absent
    while others are there had no requests (its server was gone). Series are added up.

    Raises: QuantityError for gauges, sums, buckets and counters of tokens, which do not say how many users asked; for several
    metrics, which may count the same requests; for steps longer than an hour; and for a time that no series covers.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, series = Path(folder, "answer.json"), {"metric": {}, "values": [[0, "1"], [3600, "2"], [7200, "4"]]}
    ...     _ = path.write_text(json.dumps({"data": {"resultType": "matrix", "result": [series]}}))
    ...     profile_from_prometheus(path, isl=1000, osl=500).hours["offered_request_per_s"].tolist()
    [2.0, 4.0]
    """
    file = Path(path).name
    series = [(name, at, value) for name, at, value in _matrix(path) if len(at)]
    if not series:
        raise QuantityError(f"{file} holds no value; check the query and the time range")
    names = sorted({name for name, _, _ in series})
    wrong = [name for name in names if name and not _counts_requests(name)]
    if wrong:
        raise QuantityError(f"{file}: `{wrong[0]}` does not count requests; query a counter of them, for vLLM vllm:request_success_total")
    if len(names) > 1:
        said = ", ".join(name or "an expression without a name" for name in names)
        raise QuantityError(f"{file} holds several metrics ({said}), which may count the same requests; query one of them")
    is_counter = bool(names[0])
    start, step = _one_grid([at for _, at, _ in series], file, is_bridged=is_counter)
    curves = [(at, _so_far(_rise(value))) for _, at, value in series] if is_counter else [_requests_so_far(series, start, step)]
    mean, peak, start = _by_hour(curves, file)
    return hourly_profile(mean, isl=isl, osl=osl, peak_offered_request_per_s=peak, name=file, start=_stamp(start))


def _matrix(path) -> list:
    """The series of a query_range answer as (name, times, values), without the times that have no value."""
    try:
        answer = json.loads(Path(path).read_text(encoding="utf-8"))
        data = answer["data"]
        if data["resultType"] != "matrix" or not data["result"]:
            raise ValueError("no range with data")
        found = []
        for series in data["result"]:
            at, value = np.array(sorted(series.get("values") or []), dtype=float).reshape(-1, 2).T
            known = ~np.isnan(value)
            found.append(((series.get("metric") or {}).get("__name__", ""), at[known], value[known]))
    except OSError as problem:
        raise QuantityError(f"{path} cannot be read: {problem.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise QuantityError(f"{Path(path).name} is no query_range answer with data (resultType matrix); export it again") from None
    for _, at, value in found:
        if np.isinf(value).any():
            raise QuantityError(f"{Path(path).name} holds an infinite value at {_stamp(at[np.isinf(value)][0])}; mend the query")
    return found


def _counts_requests(name: str) -> bool:
    """Whether a metric is a counter of requests: the count of a histogram is one, whatever the histogram measures."""
    is_other = name.endswith("_total") and any(word in name for word in ("token", "second", "bytes"))
    return "request" in name and name.endswith(_COUNTER_ENDS) and not is_other


def _one_grid(times: list, file: str, *, is_bridged: bool) -> tuple[float, float]:
    """Start and step of the one grid on which a query_range puts all series; `is_bridged`: a series says what happened over its gaps."""
    grid = np.unique(np.concatenate(times))
    own_steps = [np.diff(at).min() for at in times if len(at) > 1]
    step = round(min(own_steps, default=np.inf), 3)  # Prometheus writes milliseconds
    places = (grid - grid[0]) / step
    if np.abs(places - places.round()).max() > 0.01 or max(own_steps, default=step) > 1.5 * step:
        raise QuantityError(f"{file}: its series stand at different times; export them with one query_range, which has one step")
    if np.isfinite(step) and step > SECONDS_PER_HOUR:
        raise QuantityError(f"{file}: its step is {step:g} s; a load profile needs one value an hour or more often")
    for first in np.flatnonzero(np.diff(places) > 1.5):
        begin, end = grid[first], grid[first + 1]
        if not (is_bridged and any(at[0] <= begin and at[-1] >= end for at in times)):
            gap = f"{_stamp(begin)} to {_stamp(end)}"
            raise QuantityError(f"{file} has no value from {gap}: how many asked then is not known; export a range without a gap")
    return float(grid[0]), float(step)


def _requests_so_far(series: list, start: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Requests so far from requests per second on one grid of times: each value holds since the time before it."""
    if not np.isfinite(step):  # a single time
        return np.array([start]), np.zeros(1)
    places = [np.round((at - start) / step).astype(int) for _, at, _ in series]
    total = np.zeros(max(place.max() for place in places) + 1)
    for place, (_, _, value) in zip(places, series, strict=True):
        total[place] += value
    return start + np.arange(len(total)) * step, _so_far(total[1:] * step)


def _rise(counter: np.ndarray) -> np.ndarray:
    """What a counter gained from each time to the next; after a restart it counts from 0."""
    step = np.diff(counter)
    return np.where(step < 0, counter[1:], step)


def _so_far(rise: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(rise)])


def _by_hour(curves, file: str):
    """Average and peak requests per second of every whole hour, from curves of (time, requests so far); and the start of the first."""
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
        at = pd.to_datetime(timestamps, utc=True, format="ISO8601", errors="coerce")
        odd = at.isna() & timestamps.notna()
        if odd.any():
            where = f"data row {int(np.argmax(odd)) + 1} has {timestamps[odd].iloc[0]!r}"
            raise QuantityError(f"{file}: column `timestamp` must be ISO 8601 or seconds since 1970; {where}")
        at = ((at - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy(float)
    if np.isnan(at).any():
        raise QuantityError(f"{file}: column `timestamp` is empty in data row {int(np.argmax(np.isnan(at))) + 1}; every row needs one")
    if np.abs(at).max() > _LATEST_S:
        raise QuantityError(
            f"{file}: column `timestamp` holds {at[np.argmax(np.abs(at))]:.0f}, which is no second since 1970; are these ms?"
        )
    return at


def _length(rows, column, given, n_requests, name, file) -> float:
    if column in rows and given is not None:
        raise QuantityError(f"{file} has `{column}`, so `{name}` follows from it; do not give both")
    if column in rows:
        tokens = _numbers(rows[column], file)
        if tokens.isna().any():
            fix = f"fill it in, or remove the column and give `{name}`"
            where = f"data row {tokens.index[tokens.isna()][0] + 1}"
            raise QuantityError(f"{file}: column `{column}` is empty in {where}, and an average over the others is a guess; {fix}")
        return float(tokens.sum() / n_requests)
    if given is None:
        raise QuantityError(f"{file} has no column `{column}`; give `{name}`, the average length of a request")
    return given


def _csv(path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except OSError as problem:
        raise QuantityError(f"{path} cannot be read: {problem.strerror}") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as problem:
        raise QuantityError(f"{Path(path).name} is no CSV with a header: {problem}") from None


def _numbers(column: pd.Series, file: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    odd = numbers.isna() & column.notna()
    if odd.any():
        raise QuantityError(
            f"{file}: column `{column.name}` must hold numbers; data row {odd.index[odd][0] + 1} has {column[odd].iloc[0]!r}"
        )
    return numbers


def _stamp(seconds: float) -> str:
    return pd.Timestamp(seconds, unit="s", tz="UTC").strftime("%Y-%m-%dT%H:%MZ")
