"""AIPerf's log of single requests, `profile_export.jsonl`: streamed, so that its size does not matter.

The log is read in blocks of whole lines, and only the fields that a point needs are decoded.
What stays in memory is five numbers (40 bytes) a request, three for exact percentiles and two to
know a record that stands twice: a fiftieth of the log or less.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import msgspec
import numpy as np

from tokcost.importers.documents import BOM, LARGEST_LINE_BYTES, Cut, open_bytes
from tokcost.importers.fields import LARGEST, SECONDS, seconds_per, statistics
from tokcost.importers.point import LATENCIES, MS_PER_S, ImportProblem, Point

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


@dataclass
class _Log(Point):
    """A point and whether its log ends in the middle of a record."""

    cut: str = ""


_COUNTS = {
    "isl": "input_sequence_length",
    "osl": "output_sequence_length",
    "usage_isl": "usage_prompt_tokens",
    "usage_osl": "usage_completion_tokens",
    "cached": "usage_prompt_cache_read_tokens",
}
_TIMES: dict[str, str] = dict(zip(LATENCIES, ("time_to_first_token", "inter_token_latency", "request_latency"), strict=True))


def points(path: Path) -> Iterator[Point]:
    """The one operating point of a log."""
    point = _Log("aiperf", token_source="client")
    tokens, counted = dict.fromkeys(_COUNTS, 0.0), dict.fromkeys(_COUNTS, 0)
    latencies = {name: array("d") for name in LATENCIES}
    starts, ends, n_requests, n_failed = array("q"), array("q"), 0, 0
    for measured in _measured(path, point):
        starts.extend([record.metadata.request_start_ns for record in measured])
        ends.extend([record.metadata.request_end_ns for record in measured])
        succeeded = [record.metrics for record in measured if record.error is None and record.metrics is not None]
        n_requests += len(succeeded)
        n_failed += len(measured) - len(succeeded)
        for name, key in _COUNTS.items():
            values = [found.value for found in map(attrgetter(key), succeeded) if found is not None and found.value is not None]
            tokens[name] += _sound(values, key)
            counted[name] += len(values)
        for name, key in _TIMES.items():
            found = [time for time in map(attrgetter(key), succeeded) if time is not None and time.value is not None]
            scales = {unit: SECONDS.get(unit) or seconds_per(unit, key) for unit in {time.unit for time in found}}
            latencies[name].extend([time.value * scales[time.unit] for time in found])
    if not starts:
        raise ImportProblem("the log holds no request of the profiling phase")
    begun, ended = np.frombuffer(starts, dtype=np.int64), np.frombuffer(ends, dtype=np.int64)
    if begun.min() <= 0:
        raise ImportProblem("a request of the log has no start (`request_start_ns` is 0), so there is no duration; the log is damaged")
    n_twice = len(begun) - len(np.unique(begun * 1_000_003 + ended))  # a key of both, which may wrap around
    if n_twice:
        point.note(f"{n_twice} records stand twice, with the same start and end, and count twice; were two logs joined?")
    point.n_requests, point.n_failed = float(n_requests), float(n_failed)
    point.duration_s = float(ended.max() - begun.min()) / NS_PER_S
    if counted["usage_osl"] == counted["usage_isl"] == n_requests > 0:
        point.input_tok, point.output_tok, point.token_source = tokens["usage_isl"], tokens["usage_osl"], "server usage"
    elif counted["isl"] == counted["osl"] == n_requests:
        point.input_tok, point.output_tok = tokens["isl"], tokens["osl"]
    else:
        raise ImportProblem("some successful requests of the log have no token counts, without which there is no throughput")
    if counted["osl"] == n_requests:
        point.counts["client"], point.is_tpot_by_client = tokens["osl"], True
    point.cached_input_tok = tokens["cached"] or None
    point.latency_s = _statistics(latencies)
    point.note("read from the log of single requests, which names neither model nor concurrency")
    if point.cut:
        point.note(point.cut)
    yield point
    if point.cut:
        raise ImportProblem(f"{point.cut}; copy the log again")


def single_requests(path: Path) -> Iterator[tuple[float | None, float | None, float | None, bool]]:
    """TTFT and request time in seconds, output tokens, and whether it failed, of every request of the log."""
    point = _Log("aiperf")
    for measured in _measured(path, point):
        for record in measured:
            if record.error is not None or record.metrics is None:
                yield None, None, None, True
                continue
            ttft_s, e2e_s = (_seconds(getattr(record.metrics, key), key) for key in ("time_to_first_token", "request_latency"))
            tokens = record.metrics.usage_completion_tokens or record.metrics.output_sequence_length
            yield ttft_s, e2e_s, tokens.value if tokens else None, False
    if point.cut:
        raise ImportProblem(f"{point.cut}; copy the log again")


def _seconds(time: _Time | None, key: str) -> float | None:
    return None if time is None or time.value is None else time.value * seconds_per(time.unit, key)


def _measured(path: Path, point: _Log) -> Iterator[list[_Record]]:
    """The records of the profiling phase, block by block; warm-up is in the log too."""
    for records in _blocks(path, point):
        measured = [record for record in records if record.metadata.benchmark_phase == "profiling"]
        if measured:
            yield measured


def _blocks(path: Path, point: _Log) -> Iterator[list[_Record]]:
    """The log's records, some hundred at a time. A last record that is cut off is excluded and said."""
    decoder = msgspec.json.Decoder(_Record)
    buffer, filled, n_read = bytearray(BLOCK_BYTES), 0, 0
    with open_bytes(path) as file:
        while True:
            if filled == len(buffer):
                if filled > LARGEST_LINE_BYTES:
                    raise ImportProblem(f"record {n_read + 1} of the log is longer than any record; the log is damaged")
                buffer.extend(bytes(len(buffer)))  # a line longer than the buffer
            try:
                count = file.readinto(memoryview(buffer)[filled:])
            except Cut:
                point.cut = _CUT.format(n_read + 1)
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


def _sound(values: list[float], key: str) -> float:
    """Their sum; a negative number or one that is none voids the log."""
    if not values:
        return 0.0
    total = sum(values)
    if not min(values) >= 0 or not total < LARGEST:
        raise ImportProblem(f"a record's `{key}` is negative or no number; the log is damaged")
    return total


def _one_by_one(decoder, lines: bytes, n_read: int, is_last: bool, point: _Log) -> list[_Record]:
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
            point.cut = _CUT.format(bad)
            return records
    raise ImportProblem(f"record {bad} of the log is damaged and others follow it; copy the log again")


def _statistics(latencies: dict[str, array]) -> dict[str, float]:
    found = {}
    for name, seconds in latencies.items():
        if not seconds:
            continue
        values = np.frombuffer(seconds)
        if not values.min() >= 0:  # nor is a number that is none
            raise ImportProblem(f"a record's `{_TIMES[name]}` is negative or no number; the log is damaged")
        found |= statistics(name, values)
    return found
