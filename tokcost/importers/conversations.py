"""Conversations of several turns, one row a request: LMBenchmark's and vLLM's multi-turn benchmark.

LMBenchmark writes `summary.csv` (requests that ended, times in seconds) or a JSON with `params` and `results`; vLLM's
`benchmark_serving_multi_turn.py` writes a workbook whose sheet `Raw data` (or that sheet as CSV) is read. Later turns
repeat the conversation, so that most of their prompt tokens come from the prefix cache.

    duration = last end - first start of the requests in the file
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokcost.importers import documents, workbook
from tokcost.importers.fields import as_number, as_text, dig, statistics
from tokcost.importers.point import MS_PER_S, ImportProblem, Point

_LMBENCH = {"prompt_tokens", "generation_tokens", "ttft", "generation_time", "launch_time", "finish_time"}
_VLLM = {"ttft_ms", "latency_ms", "start_time_ms", "input_num_tokens", "output_num_tokens"}


@dataclass
class Request:
    """One request, times in seconds."""

    e2e_s: float
    ttft_s: float
    input_tok: float
    output_tok: float


def matches(content: Mapping) -> bool:
    """Is this LMBenchmark's JSON of real conversations?"""
    return isinstance(content.get("params"), Mapping) and {"generation_time", "completion_tokens"} <= set(dig(content, "results", 0) or ())


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a run: its clients send one request after the other, each in turn."""
    point = Point("lmbenchmark", token_source="server usage", model=as_text(dig(content, "params", "model")))
    point.concurrency, point.is_closed_loop = as_number(dig(content, "params", "concurrent")), True
    rows = content["results"]
    ended = [row for row in rows if dig(row, "status") in (None, "success")]
    point.n_failed = float(len(rows) - len(ended))
    names = ("latency", "ttft", "prompt_tokens", "completion_tokens")
    _summarise(point, [Request(*_numbers(row, number, names)) for number, row in enumerate(ended, start=1)])
    if not point.concurrency:
        raise ImportProblem("the file has neither times of day nor `params.concurrent`, so that there is no duration")
    point.duration_s = sum(_numbers(row, 0, ("latency",))[0] for row in ended) / point.concurrency
    point.note("the file has no clock: the duration is the time of all requests / clients, each of which sends one at a time")
    yield point


def matches_text(start: str) -> bool:
    """Is this the table of requests of LMBenchmark or of vLLM's multi-turn benchmark?"""
    header = set(start.split("\n", 1)[0].strip().replace('"', "").split(","))
    return header >= _LMBENCH or header >= _VLLM


def points_from_text(path: Path) -> Iterator[Point]:
    """The one operating point of a table of requests."""
    table = workbook.rows(path, "Raw data") if workbook.is_workbook(path) else csv.DictReader(documents.lines(path))
    rows = [row for row in table if any(row.values())]
    if not rows:
        raise ImportProblem("the table holds no request")
    if set(rows[0]) >= _LMBENCH:
        point = Point("lmbenchmark", token_source="server usage")
        names = ("launch_time", "finish_time", "ttft", "prompt_tokens", "generation_tokens")
        found = [_numbers(row, number, names) for number, row in enumerate(rows, start=1)]
        starts = [start for start, *_ in found]
        requests = [Request(end - start, *rest) for start, end, *rest in found]
        point.note("requests that had not ended when the run did are not in the file; LMBenchmark's users join over the first minutes")
    else:
        point = Point("vllm-multi-turn", token_source="client")
        names = ("start_time_ms", "latency_ms", "ttft_ms", "input_num_tokens", "output_num_tokens")
        found = [_numbers(row, number, names) for number, row in enumerate(rows, start=1)]
        starts = [start / MS_PER_S for start, *_ in found]
        requests = [Request(e2e / MS_PER_S, ttft / MS_PER_S, *rest) for _, e2e, ttft, *rest in found]
        clients = {row.get("client_id") for row in rows} - {None, ""}
        point.concurrency = float(len(clients)) if clients else None
        point.note("the concurrency is the number of clients; each may hold several conversations")
    _summarise(point, requests)
    point.duration_s = max(start + request.e2e_s for start, request in zip(starts, requests, strict=True)) - min(starts)
    yield point


def _numbers(row, number: int, names: Iterable[str]) -> list[float]:
    found = []
    for name in names:
        value = as_number(dig(row, name))
        if value is None or not math.isfinite(value):
            raise ImportProblem(
                f"request {number} has {str(dig(row, name))[:40]!r} for `{name}`; the file is damaged or truncated, copy it again"
            )
        found.append(value)
    return found


def _summarise(point: Point, requests: list[Request]) -> None:
    """Counts, tokens and latencies of single requests."""
    if any(min(r.e2e_s, r.ttft_s, r.input_tok, r.output_tok) < 0 for r in requests):
        raise ImportProblem("a request has a negative time or a negative count; the file is damaged")
    point.n_requests = float(len(requests))
    point.input_tok, point.output_tok = (float(sum(getattr(r, name) for r in requests)) for name in ("input_tok", "output_tok"))
    columns = {
        "ttft": [r.ttft_s for r in requests],
        "tpot": [(r.e2e_s - r.ttft_s) / (r.output_tok - 1) for r in requests if r.output_tok > 1 and r.e2e_s > r.ttft_s],
        "e2e": [r.e2e_s for r in requests],
    }
    for name, seconds in columns.items():
        point.latency_s |= statistics(name, seconds)
