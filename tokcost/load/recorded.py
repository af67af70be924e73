"""Recorded requests, one row each: those of the public traces in data/traffic, and a log of one's own."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.importers import documents
from tokcost.importers.point import UNEXPECTED, ImportProblem, as_problem
from tokcost.load.profiles import HOURS_PER_WEEK, LoadProfile, hourly_profile
from tokcost.load.queueing import measured_arrival_cv
from tokcost.quantities import SECONDS_PER_HOUR, QuantityError, nearest

#: the peak within an hour is its busiest minute: a fleet cannot grow faster, and a burst does not last longer
PEAK_WINDOW_S = 60.0
#: more requests are not held in memory; a day of a large service is enough to plan with
MOST_REQUESTS = 5_000_000
#: a count of tokens beyond any context window, and the year 2100 in seconds
_MOST_TOK, _LATEST_S = 1e8, 4.1e9
_REQUIRED, _OPTIONAL = ("arrival_s", "prompt_tok", "output_tok"), "cached_input_tok"
_COLUMNS = (*_REQUIRED, _OPTIONAL)
_MAY_MISS = ("arrival_s", "timestamp", _OPTIONAL)


@dataclass(frozen=True, eq=False)
class Trace:
    """Requests in the order of their arrival: `arrival_s` from the first one on, `prompt_tok` (cached ones included),
    `output_tok` and `cached_input_tok` (0 where the log has no such column; `states_cache` says so)."""

    name: str
    requests: pd.DataFrame
    states_cache: bool

    @property
    def span_s(self) -> float:
        """Seconds from the first request to the last."""
        return float(self.requests["arrival_s"].iloc[-1])

    @property
    def isl(self) -> float:
        return float(self.requests["prompt_tok"].mean())

    @property
    def osl(self) -> float:
        return float(self.requests["output_tok"].mean())

    @property
    def total_tok(self) -> float:
        return float(self.requests[["prompt_tok", "output_tok"]].to_numpy().sum())

    @property
    def prompt_to_output_ratio(self) -> float:
        return self.isl / self.osl if self.osl else np.nan

    @property
    def cached_input_frac(self) -> float:
        """Share of prompt tokens taken from a cache; NaN where the log does not say."""
        prompts = self.requests["prompt_tok"].sum()
        return float(self.requests["cached_input_tok"].sum() / prompts) if self.states_cache and prompts else np.nan

    @property
    def gap_cv(self) -> float:
        """Standard deviation over mean of the gaps between requests."""
        gaps = np.diff(self.requests["arrival_s"])
        return float(gaps.std() / gaps.mean())

    def arrival_cv(self, *, service_time_s: float) -> float:
        """How bursty arrivals are over the time of an answer (`measured_arrival_cv`)."""
        return measured_arrival_cv(self.requests["arrival_s"].to_numpy(), service_time_s=service_time_s)

    def quantiles(self, levels: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)) -> pd.DataFrame:
        """Quantiles of the lengths of requests; columns `quantile_frac`, `isl`, `osl`, and `cached_input_tok` where it is stated.

        >>> recorded_trace("azure_2023_code").quantiles((0.5,))[["isl", "osl"]].iloc[0].tolist()
        [1469.0, 13.0]
        """
        names = {"prompt_tok": "isl", "output_tok": "osl"} | ({_OPTIONAL: _OPTIONAL} if self.states_cache else {})
        found = self.requests[[*names]].quantile(list(levels)).rename(columns=names)
        return found.rename_axis("quantile_frac").reset_index()

    def week(self) -> LoadProfile:
        """The trace as a week that repeats: its first seven days, or its whole days (its whole hours, where it has no day) over and over.

        >>> week = recorded_trace("azure_2023_conv").week()
        >>> week.n_hours, round(float(week.hours["offered_request_per_s"].mean()), 2)
        (168, 5.55)
        """
        hours = self.profile()
        n_kept = min(hours.n_hours, HOURS_PER_WEEK) // 24 * 24 or hours.n_hours
        kept = hours.hours.iloc[:n_kept]
        mean, peak = (np.resize(kept[f"{which}offered_request_per_s"].to_numpy(), HOURS_PER_WEEK) for which in ("", "peak_"))
        return hourly_profile(mean, isl=hours.isl, osl=hours.osl, peak_offered_request_per_s=peak, name=self.name)

    def profile(self) -> LoadProfile:
        """The trace as a load profile, hour by hour from its first request; what is left over of the last hour is not in it.

        A trace of less than an hour counts as one, at its own rate.

        >>> profile = recorded_trace("azure_2023_conv").profile()
        >>> profile.n_hours, round(profile.peak_to_mean_ratio, 2)
        (1, 1.52)
        """
        at, n_hours = self.requests["arrival_s"].to_numpy(), max(1, int(self.span_s // SECONDS_PER_HOUR))
        span_s = min(self.span_s, n_hours * SECONDS_PER_HOUR)
        if span_s < 2 * PEAK_WINDOW_S:
            raise QuantityError(f"{self.name} covers {self.span_s:g} s; a load profile needs two minutes at least")
        per_hour = int(SECONDS_PER_HOUR / PEAK_WINDOW_S)
        minutes = np.histogram(at[at < span_s], bins=np.arange(int(span_s // PEAK_WINDOW_S) + 1) * PEAK_WINDOW_S)[0] / PEAK_WINDOW_S
        hours = [minutes[start : start + per_hour] for start in range(0, per_hour * n_hours, per_hour)]
        kept = self.requests[at < span_s]
        isl, osl = float(kept["prompt_tok"].mean()), float(kept["output_tok"].mean())
        peaks = [hour.max() for hour in hours]
        return hourly_profile([hour.mean() for hour in hours], isl=isl, osl=osl, peak_offered_request_per_s=peaks, name=self.name)


def recorded_trace(name: str) -> Trace:
    """A public trace of data/traffic by its name: `azure_2023_conv`, `azure_2023_code`, `mooncake_conversation`.

    Raises: QuantityError for a name that is not there, with the nearest that is.

    >>> trace_of_chats = recorded_trace("azure_2023_conv")
    >>> len(trace_of_chats.requests), round(trace_of_chats.prompt_to_output_ratio, 1)
    (19366, 5.5)
    """
    files = {path.name.removesuffix(".csv.gz"): path for path in sorted((evidence.data_dir() / "traffic").glob("*.csv.gz"))}
    if name not in files:
        raise QuantityError(f"data/traffic has no trace `{name}`{nearest(name, list(files))}; for a file of your own use tc.load.trace")
    found = trace(files[name])
    return Trace(name, found.requests, found.states_cache)


def trace(path: str | Path) -> Trace:
    """A log of requests from a file, gzipped or not: CSV with a header, or JSONL (one object a line).

    Columns: `arrival_s` (seconds from any start, or since 1970) or `timestamp` (ISO 8601); `prompt_tok` (the whole prompt);
    `output_tok`; and, where it is known, `cached_input_tok` (the part of the prompt that a cache gave). Others are ignored.
    Rows may stand in any order. The file streams: in memory are four numbers a request, of five million requests at most.

    Raises: QuantityError for a file that cannot be read, a missing column, a wrong value (with its line), or fewer than two requests.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = path.write_text("arrival_s,prompt_tok,output_tok\\n5,900,9\\n0,100,1\\n")
    ...     trace(path).requests["prompt_tok"].tolist()
    [100.0, 900.0]
    """
    if not isinstance(path, str | Path):
        raise QuantityError(f"a trace is named by its path, got {type(path).__name__}")
    path = Path(path)
    try:
        columns, states_cache = _read(path)
    except OSError as problem:
        raise QuantityError(f"{path.name[:80]}: it cannot be read ({problem.strerror}); check its path") from None
    except UNEXPECTED as problem:
        raise QuantityError(f"{path.name}: {as_problem(problem)}") from None
    requests = pd.DataFrame({name: np.frombuffer(column) for name, column in columns.items()})
    requests = requests.sort_values("arrival_s", kind="stable", ignore_index=True)
    requests["arrival_s"] -= requests["arrival_s"].iloc[0]
    if not requests["arrival_s"].iloc[-1] > 0:
        raise QuantityError(f"{path.name}: all requests arrive at one moment; `arrival_s` must be in seconds, with their fractions")
    return Trace(path.name, requests, states_cache)


def _read(path: Path) -> tuple[dict[str, array], bool]:
    columns = {name: array("d") for name in _COLUMNS}
    known: set[str] = set()  # of the columns that may be missing, those of the first request: the others must have the same
    for line, row in _rows(path):
        stated = {name for name in _MAY_MISS if row.get(name) is not None}
        known = known or stated
        if stated != known:
            other = min(stated ^ known)
            raise ImportProblem(f"line {line} {'has' if other in stated else 'lacks'} `{other}` and the lines before do not agree; mend it")
        if "arrival_s" not in row and "timestamp" in row:
            row = {**row, "arrival_s": _since_1970(row["timestamp"], line)}
        for name in _REQUIRED:
            if name not in row:
                also = " (or `timestamp`)" if name == "arrival_s" else ""
                near = nearest(name, row, may_list=False)
                raise ImportProblem(f"line {line} has no `{name}`{also}{near}; a trace needs {', '.join(_REQUIRED)}")
            columns[name].append(_number(name, row[name], line))
        columns[_OPTIONAL].append(_number(_OPTIONAL, row[_OPTIONAL], line) if _OPTIONAL in known else 0.0)
        if columns[_OPTIONAL][-1] > columns["prompt_tok"][-1]:
            cached, whole = columns[_OPTIONAL][-1], columns["prompt_tok"][-1]
            raise ImportProblem(f"line {line}: {cached:g} cached tokens of a prompt of {whole:g}; `prompt_tok` must be the whole prompt")
        if len(columns[_OPTIONAL]) > MOST_REQUESTS:
            raise ImportProblem(f"it holds more than {MOST_REQUESTS:,} requests; give a part of it, such as a day")
    if len(columns[_OPTIONAL]) < 2:
        raise ImportProblem(f"it holds {len(columns[_OPTIONAL])} requests; a trace needs two at least")
    if not any(columns["prompt_tok"]) and not any(columns["output_tok"]):
        raise ImportProblem("no request has a token; `prompt_tok` and `output_tok` count them")
    return columns, _OPTIONAL in known


def _rows(path: Path) -> Iterator[tuple[int, dict]]:
    start = documents.head(path)
    if start.startswith(documents.UTF_16):
        raise ImportProblem("it is text in UTF-16, as some shells and spreadsheets write it; save it in UTF-8")
    if start.lstrip()[:1] == b"[":
        raise ImportProblem("it is a list in JSON; write one object a line (JSONL), without brackets around them")
    if start.lstrip()[:1] != b"{":
        yield from documents.table(path)
        return
    for line, text in enumerate(documents.lines(path), 1):
        if text.strip():
            try:
                row = json.loads(text, object_pairs_hook=documents.unambiguous)
            except (json.JSONDecodeError, RecursionError):
                raise ImportProblem(f"line {line} is not valid JSON; a JSONL trace has one whole object on every line") from None
            if not isinstance(row, dict):
                raise ImportProblem(f"line {line} is no object; a JSONL trace has one on every line")
            yield line, row


def _number(name: str, cell: object, line: int) -> float:
    try:
        if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
            raise ValueError
        value = float(cell)
    except (ValueError, OverflowError):
        raise ImportProblem(f"line {line}: `{name}` must be a number, got {str(cell)[:40]!r}") from None
    most = _LATEST_S if name == "arrival_s" else _MOST_TOK
    if not 0 <= value <= most:
        fix = "; are these milliseconds?" if name == "arrival_s" and value > most else ""
        raise ImportProblem(f"line {line}: `{name}` is {value:g} and must be 0 to {most:g}{fix}")
    return value


def _since_1970(cell: object, line: int) -> float:
    at = pd.to_datetime(str(cell), utc=True, format="ISO8601", errors="coerce")
    if pd.isna(at):
        raise ImportProblem(f"line {line}: `timestamp` must be ISO 8601, got {str(cell)[:40]!r}; for seconds name it `arrival_s`")
    return at.timestamp()
