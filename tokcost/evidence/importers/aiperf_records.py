"""AIPerf's log of single requests, `profile_export.jsonl`: streamed, so that its size does not matter.

Only the fields that a point needs are decoded, line by line. What stays in memory is three
numbers (24 bytes) a request, for exact percentiles: a hundredth of the log or less.
"""

from __future__ import annotations

import gzip
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from tokcost.evidence.importers.documents import BOM, open_bytes
from tokcost.evidence.importers.fields import SECONDS, seconds_per
from tokcost.evidence.importers.point import LATENCIES, MS_PER_S, STATISTICS, ImportProblem, Point

NS_PER_S = MS_PER_S**3


class _Value(msgspec.Struct):
    value: float | None = None
    unit: str = ""


class _Metrics(msgspec.Struct):
    time_to_first_token: _Value | None = None
    inter_token_latency: _Value | None = None
    request_latency: _Value | None = None
    input_sequence_length: _Value | None = None
    output_sequence_length: _Value | None = None
    usage_prompt_tokens: _Value | None = None
    usage_completion_tokens: _Value | None = None
    usage_prompt_cache_read_tokens: _Value | None = None


class _About(msgspec.Struct):
    request_start_ns: int
    request_end_ns: int
    benchmark_phase: str = "profiling"


class _Record(msgspec.Struct):
    metadata: _About
    metrics: _Metrics | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


def points(path: Path) -> Iterator[Point]:
    """The one operating point of a log."""
    point = Point("aiperf", token_source="client")
    sums = dict.fromkeys(("isl", "osl", "usage_isl", "usage_osl", "cached"), 0.0)
    latencies = {name: array("d") for name in LATENCIES}
    first_ns, last_ns, succeeded, failed, with_usage = None, None, 0, 0, 0
    for record in _records(path, point):
        about = record.metadata
        if about.benchmark_phase != "profiling":
            continue
        first_ns = about.request_start_ns if first_ns is None else min(first_ns, about.request_start_ns)
        last_ns = about.request_end_ns if last_ns is None else max(last_ns, about.request_end_ns)
        if record.metrics is None or bytes(record.error) != b"null":
            failed += 1
            continue
        succeeded += 1
        metrics = record.metrics
        sums["isl"] += _tokens(metrics.input_sequence_length)
        sums["osl"] += _tokens(metrics.output_sequence_length)
        if metrics.usage_completion_tokens is not None:
            with_usage += 1
            sums["usage_isl"] += _tokens(metrics.usage_prompt_tokens)
            sums["usage_osl"] += _tokens(metrics.usage_completion_tokens)
            sums["cached"] += _tokens(metrics.usage_prompt_cache_read_tokens)
        for name, measured in zip(
            LATENCIES, (metrics.time_to_first_token, metrics.inter_token_latency, metrics.request_latency), strict=True
        ):
            if measured is not None and measured.value:
                scale = SECONDS.get(measured.unit) or seconds_per(measured.unit, name)
                latencies[name].append(measured.value * scale)
    if first_ns is None:
        raise ImportProblem("the log holds no request of the profiling phase")
    point.n_requests, point.n_failed = float(succeeded), float(failed)
    point.duration_s = (last_ns - first_ns) / NS_PER_S
    has_usage = with_usage == succeeded and succeeded > 0
    point.input_tok, point.output_tok = (sums["usage_isl"], sums["usage_osl"]) if has_usage else (sums["isl"], sums["osl"])
    point.token_source = "server usage" if has_usage else "client"
    point.cached_input_tok = sums["cached"] or None
    point.latency_s = _statistics(latencies)
    point.note("read from the log of single requests, which names neither model nor concurrency")
    yield point


def _tokens(value: _Value | None) -> float:
    return value.value or 0.0 if value is not None else 0.0


def _records(path: Path, point: Point) -> Iterator[_Record]:
    decode = msgspec.json.Decoder(_Record).decode
    number, cut = 0, None
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                if cut is not None:
                    raise ImportProblem(f"line {cut} is no request record; the log is damaged in the middle, copy it again")
                line = line.removeprefix(BOM).strip()
                if not line:
                    continue
                try:
                    yield decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    cut = number
    except (EOFError, zlib.error, gzip.BadGzipFile):
        cut = number + 1
    if cut is not None:
        point.note(f"the log is truncated: line {cut} is cut off and the whole lines before it were read")


def _statistics(latencies: dict[str, array]) -> dict[str, float]:
    found = {}
    for name, seconds in latencies.items():
        if not seconds:
            continue
        values = np.frombuffer(seconds)
        found[f"mean_{name}_s"] = float(values.mean())
        ranks = {"median": 50.0, **{s: float(s[1:]) for s in STATISTICS if s.startswith("p")}}
        found |= {f"{s}_{name}_s": float(v) for s, v in zip(ranks, np.percentile(values, list(ranks.values())), strict=True)}
    return found
