"""GuideLLM: `benchmarks.json` or `.yaml`, every layout since 0.2; one point per benchmark in the file.

Only the `successful` bucket counts. The printed throughput of 0.5 and 0.6 is up to 12 % off;
the throughput here is tokens of successful requests / measured duration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, as_text, dig, note_if_newer
from tokcost.importers.point import MS_PER_S, STATISTICS, ImportProblem, Point, one_by_one

NEWEST_LAYOUT = "2"
NEWEST = "0.8"
_LATENCIES = {
    "ttft": ("time_to_first_token_ms", 1 / MS_PER_S),
    #: `time_per_output_token_ms` includes the first token; the mean gap after it is the TPOT
    "tpot": ("inter_token_latency_ms", 1 / MS_PER_S),
    "e2e": ("request_latency", 1.0),
}


def matches(content: Mapping) -> bool:
    """Is this a GuideLLM report, or what is left of one?"""
    first = dig(content, "benchmarks", 0)
    return (
        dig(content, "metadata", "guidellm_version") is not None
        or dig(first, "type_") == "generative_benchmark"
        or isinstance(dig(first, "config"), Mapping)
    )


def points(content: Mapping, path: Path) -> Iterator[Point | ImportProblem]:
    """One point per benchmark (a sweep has several)."""
    benchmarks = content.get("benchmarks")
    if not isinstance(benchmarks, list) or not benchmarks:
        raise ImportProblem("the GuideLLM report holds no benchmarks; the run stopped before the first one ended")
    if isinstance(dig(benchmarks, 0, "config"), Mapping) and "metadata" not in content:
        # layouts with a `config` per benchmark all have it, and YAML has it last
        raise ImportProblem("the GuideLLM report ends before its `metadata`: it is truncated; copy the file again")
    yield from one_by_one(lambda number, benchmark: _point(content, benchmark, number), benchmarks, "benchmarks[{}]")


def _point(content, benchmark, number: int) -> Point:
    version = as_text(dig(content, "metadata", "guidellm_version"))
    point = Point("guidellm", run=f"benchmarks[{number}]", tool_version=version, token_source="server usage")
    note_if_newer(point, "report layout", dig(content, "metadata", "version"), NEWEST_LAYOUT)
    note_if_newer(point, "GuideLLM", version, NEWEST)
    fields = Fields(benchmark, point)
    point.model = _model(content, benchmark)
    strategy = dig(benchmark, "config", "strategy") or dig(benchmark, "args", "strategy")
    point.run += f" {as_text(dig(strategy, 'type_')) or ''}".rstrip()
    if dig(strategy, "type_") == "concurrent":
        point.concurrency = Fields(strategy, point).number("streams")
        point.is_closed_loop = True
    totals = "metrics" if isinstance(dig(benchmark, "metrics", "request_totals"), Mapping) else None
    counted = [fields.number(*filter(None, (totals, "request_totals", name))) for name in ("successful", "errored", "incomplete")]
    if counted[0] is None:
        raise ImportProblem("a benchmark has no `request_totals.successful`, so it is not known how many requests succeeded")
    point.n_requests, point.n_failed = counted[0], counted[1]
    point.duration_s = fields.required("duration", why="there is no throughput")
    point.input_tok, point.output_tok = (_tokens(fields, name, point.n_requests) for name in ("prompt", "output"))
    if point.output_tok is None:
        raise ImportProblem("a benchmark has no `metrics.output_token_count.successful`, without which there is no output throughput")
    _cut_off(point, fields, counted[2])
    _load(point, fields, strategy)
    point.recorded_output_tok_per_s = fields.number("metrics", "output_tokens_per_second", "successful", "mean")
    for name, (key, scale) in _LATENCIES.items():
        for statistic in STATISTICS:
            where = ("percentiles", statistic) if statistic.startswith("p") else (statistic,)
            fields.latency(f"{statistic}_{name}_s", "metrics", key, "successful", *where, scale=scale)
    fields.finish()
    return point


def _cut_off(point: Point, fields: Fields, requests: float | None) -> None:
    """Requests that the end of the run cut off are not counted, as the tool does not; the note says what they would add."""
    if not requests:
        return
    each, count = (fields.number("metrics", "output_token_count", "incomplete", name) for name in ("mean", "count"))
    said = f"{requests:.0f} requests were cut off at the end and are not counted"
    if each and point.duration_s and point.output_tok:
        tokens = each * (requests if count is None else count)
        tok_per_s = (point.output_tok + tokens) / point.duration_s
        change = tokens / point.output_tok
        said += f"; with their {tokens:.0f} output tokens the throughput would be {tok_per_s:.4g} tokens/s ({change:+.0%})"
    point.note(said)


def _load(point: Point, fields: Fields, strategy) -> None:
    """Warm-up and cool-down that are excluded from the measured time, and a load that rises in it."""
    for name in ("warmup", "cooldown"):
        seconds = fields.number(f"{name}_duration")
        if seconds:
            point.note(f"{name} of {seconds:.4g} s is not in the measured time")
    seconds = Fields(strategy, point).number("rampup_duration") if isinstance(strategy, Mapping) else None
    if seconds:
        point.note(f"the load rose over the first {seconds:.4g} s: the throughput is a mean over a rising load")


def _model(content, benchmark) -> str | None:
    places = (
        (content, "config", "spec", "backend", "model"),
        (benchmark, "config", "backend", "model"),
        (content, "args", "model"),
        (content, "args", "backend_kwargs", "model"),
        (benchmark, "worker", "backend_model"),
    )
    return next(filter(None, (as_text(dig(*place)) for place in places)), None)


def _tokens(fields: Fields, name: str, requests: float) -> float | None:
    """Tokens of the successful requests: their sum, or mean x count."""
    bucket = ("metrics", f"{name}_token_count", "successful")
    mean, count = fields.number(*bucket, "mean"), fields.number(*bucket, "count")
    if mean is None:
        return None
    return round(mean * (requests if count is None else count), 6)
