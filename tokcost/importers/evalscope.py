"""EvalScope `perf`: `benchmark_summary.json`, with `benchmark_percentile.json` and `benchmark_args.json` next to it.

The unit of each number stands in its key. Tokens are the server's usage where it sends one, else the client's
tokenizer's. Only requests that succeeded count; the time is that of the whole test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.fields import Fields, as_number, as_text, dig, seconds_per
from tokcost.importers.point import STATISTICS, Point

#: what -> its keys, of 1.x and before
_KEYS = {
    "duration": ("Test Duration", "Time taken for tests"),
    "concurrency": ("Concurrency", "Number of concurrency"),
    "succeeded": ("Success Requests", "Succeed requests"),
    "failed": ("Failed Requests", "Failed requests"),
    "input": ("Avg Input Tokens", "Average input tokens per request"),
    "output": ("Avg Output Tokens", "Average output tokens per request"),
    "output_tok_per_s": ("Output Throughput", "Output token throughput"),
    "total_tok_per_s": ("Total Throughput", "Total token throughput"),
    "ttft": ("Avg TTFT", "Average time to first token"),
    "tpot": ("Avg TPOT", "Average time per output token"),
    "e2e": ("Avg Latency", "Average latency"),
    "chunk_gap": ("Avg ITL", "Average inter-token latency"),
}
_PERCENTILES = {"ttft": "TTFT", "tpot": "TPOT", "e2e": "Latency"}


def matches(content: Mapping) -> bool:
    """Is this a summary of EvalScope perf?"""
    found = {what for what in ("duration", "succeeded", "input", "e2e") if _key(content, *_KEYS[what])}
    return len(found) == 4


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a summary."""
    about = documents.companion(path, "benchmark_args.json")
    point = Point("evalscope", model=as_text(dig(about, "model")))
    fields = Fields(content, point)
    point.duration_s = fields.required(_key(content, *_KEYS["duration"]) or _KEYS["duration"][0], why="there is no throughput")
    succeeded = _key(content, *_KEYS["succeeded"]) or _KEYS["succeeded"][0]
    n_requests = fields.required(succeeded, why="it is not known how many requests succeeded")
    point.n_requests = n_requests
    point.n_failed = _number(fields, "failed")
    concurrency = as_number(content.get(_key(content, *_KEYS["concurrency"])))
    point.concurrency = concurrency if concurrency and concurrency > 0 else None
    request_rate = as_number(content.get("Request Rate (req/s)") or dig(about, "rate"))
    point.is_closed_loop = point.concurrency is not None and (request_rate is None or request_rate <= 0)
    for name in ("input", "output"):
        mean = _number(fields, name)
        setattr(point, f"{name}_tok", None if mean is None else round(mean * n_requests, 6))
    point.recorded_output_tok_per_s = _number(fields, "output_tok_per_s")
    point.recorded_total_tok_per_s = _number(fields, "total_tok_per_s")
    for name in ("ttft", "tpot", "e2e"):
        _latency(fields, f"mean_{name}_s", _key(content, *_KEYS[name]))
    gap = _key(content, *_KEYS["chunk_gap"])
    point.chunk_gap_s = (fields.number(gap) or 0.0) * _scale(gap) or None if gap else None
    _percentiles(point, documents.companion(path, "benchmark_percentile.json"))
    point.note("EvalScope takes the server's usage where it sends one and else counts itself; the file does not say which")
    seconds = as_number(dig(about, "duration"))
    if seconds:
        point.note(f"the run ended by time ({seconds:g} s): requests in flight then are in no count")
    if point.model is None:
        point.note("no `benchmark_args.json` next to the file names the model; it is left empty")
    fields.finish()
    yield point


def _key(content, *names: str) -> str | None:
    """The key of a number, which ends in its unit: `Avg TTFT (ms)`."""
    return next((key for name in names for key in content if key == name or str(key).startswith(f"{name} (")), None)


def _number(fields: Fields, what: str) -> float | None:
    key = _key(fields.content, *_KEYS[what])
    return fields.number(key) if key else None


def _scale(key: str) -> float:
    return seconds_per(key.rpartition("(")[2].rstrip(")"), key)


def _latency(fields: Fields, name: str, key: str | None) -> None:
    if key:
        fields.latency(name, key, scale=_scale(key))


def _percentiles(point: Point, rows) -> None:
    """A table with a row a percentile, or (before 1.0) with a column a metric."""
    if isinstance(rows, Mapping) and isinstance(rows.get("Percentiles"), list):
        rows = [{key: dig(values, i) for key, values in rows.items()} for i in range(len(rows["Percentiles"]))]
    if not isinstance(rows, list):
        point.note("no `benchmark_percentile.json` is next to the file: only means are known")
        return
    ranks = {"median": "50%", **{s: f"{s[1:]}%" for s in STATISTICS if s.startswith("p")}}
    for statistic, rank in ranks.items():
        row = next((row for row in rows if dig(row, "Percentiles") == rank), None)
        if not isinstance(row, Mapping):
            continue
        for name, theirs in _PERCENTILES.items():
            _latency(Fields(row, point), f"{statistic}_{name}_s", _key(row, theirs))
