"""AIPerf's log of single requests, `profile_export.jsonl`: streamed, so that its size does not matter.

The log is read in blocks of whole lines, and only the fields that a point needs are decoded.
What stays in memory is three numbers (24 bytes) a request, for exact percentiles: a
hundredth of the log or less.
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
BLOCK_BYTES = 2**19


class _Count(msgspec.Struct, gc=False):
    value: float | None = None


class _Time(msgspec.Struct, gc=False):
    value: float | None = None
    unit: str = ""


class _Metrics(msgspec.Struct, gc=False):
    time_to_first_token: _Time | None = None
    inter_token_latency: _Time | None = None
    request_latency: _Time | None = None
    input_sequence_length: _Count | None = None
    output_sequence_length: _Count | None = None
    usage_prompt_tokens: _Count | None = None
    usage_completion_tokens: _Count | None = None
    usage_prompt_cache_read_tokens: _Count | None = None


class _About(msgspec.Struct, gc=False):
    request_start_ns: int
    request_end_ns: int
    benchmark_phase: str = "profiling"


class _Record(msgspec.Struct, gc=False):
    metadata: _About
    metrics: _Metrics | None = None
    error: dict | None = None


_COUNTS = {
    "isl": "input_sequence_length",
    "osl": "output_sequence_length",
    "usage_isl": "usage_prompt_tokens",
    "usage_osl": "usage_completion_tokens",
    "cached": "usage_prompt_cache_read_tokens",
}
_TIMES = dict(zip(LATENCIES, ("time_to_first_token", "inter_token_latency", "request_latency"), strict=True))


def points(path: Path) -> Iterator[Point]:
    """The one operating point of a log."""
    point = Point("aiperf", token_source="client")
    tokens, counted = dict.fromkeys(_COUNTS, 0.0), dict.fromkeys(_COUNTS, 0)
    latencies = {name: array("d") for name in LATENCIES}
    starts, ends, n_requests, n_failed = [], [], 0, 0
    for records in _blocks(path, point):
        measured = [record for record in records if record.metadata.benchmark_phase == "profiling"]
        if not measured:
            continue
        starts.append(min([record.metadata.request_start_ns for record in measured]))
        ends.append(max([record.metadata.request_end_ns for record in measured]))
        succeeded = [record.metrics for record in measured if record.error is None and record.metrics is not None]
        n_requests += len(succeeded)
        n_failed += len(measured) - len(succeeded)
        for name, key in _COUNTS.items():
            values = [found.value for metrics in succeeded if (found := getattr(metrics, key)) is not None and found.value is not None]
            tokens[name] += sum(values)
            counted[name] += len(values)
        for name, key in _TIMES.items():
            found = [value for metrics in succeeded if (value := getattr(metrics, key)) is not None and value.value]
            latencies[name].extend([value.value * (SECONDS.get(value.unit) or seconds_per(value.unit, key)) for value in found])
    if not starts:
        raise ImportProblem("the log holds no request of the profiling phase")
    point.n_requests, point.n_failed = float(n_requests), float(n_failed)
    point.duration_s = (max(ends) - min(starts)) / NS_PER_S
    if counted["usage_osl"] == counted["usage_isl"] == n_requests > 0:
        point.input_tok, point.output_tok, point.token_source = tokens["usage_isl"], tokens["usage_osl"], "server usage"
    elif counted["isl"] == counted["osl"] == n_requests:
        point.input_tok, point.output_tok = tokens["isl"], tokens["osl"]
    else:
        raise ImportProblem("some successful requests of the log have no token counts, without which there is no rate")
    point.cached_input_tok = tokens["cached"] or None
    point.latency_s = _statistics(latencies)
    point.note("read from the log of single requests, which names neither model nor concurrency")
    yield point


def _blocks(path: Path, point: Point) -> Iterator[list[_Record]]:
    """The log's records, some hundred at a time. A last record that is cut off is left out and said."""
    decoder = msgspec.json.Decoder(_Record)
    buffer, filled, n_read = bytearray(BLOCK_BYTES), 0, 0
    with open_bytes(path) as file:
        while True:
            if filled == len(buffer):
                buffer.extend(bytes(len(buffer)))  # a line longer than the buffer
            try:
                count = file.readinto(memoryview(buffer)[filled:])
            except (EOFError, zlib.error, gzip.BadGzipFile):
                point.note(_CUT.format(n_read + 1))
                return
            filled += count
            end = buffer.rfind(b"\n", 0, filled) + 1 if count else filled
            begin = len(BOM) if n_read == 0 and buffer.startswith(BOM) else 0
            if end > begin:
                try:
                    records = decoder.decode_lines(memoryview(buffer)[begin:end])
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    records = _one_by_one(decoder, bytes(buffer[begin:end]), n_read, is_last=not count, point=point)
                n_read += len(records)
                yield records
            if not count:
                return
            buffer[: filled - end] = buffer[end:filled]
            filled -= end


_CUT = "the log is truncated: record {} is cut off and the whole ones before it were read"


def _one_by_one(decoder, lines: bytes, n_read: int, is_last: bool, point: Point) -> list[_Record]:
    """A block with a bad line: only as the very last line of the log is it a truncation."""
    records, bad = [], 0
    for line in filter(bytes.strip, lines.split(b"\n")):
        if bad:
            break
        try:
            records.append(decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            bad = n_read + len(records) + 1
    else:
        if is_last:
            point.note(_CUT.format(bad))
            return records
    raise ImportProblem(f"record {bad} of the log is damaged and others follow it; copy the log again")


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
