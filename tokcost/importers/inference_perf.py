"""inference-perf: `stage_N_lifecycle_metrics.json`, one load stage each, everything in seconds.

The model stands only in `config.yaml` next to it. The printed token throughput uses the client's
count; where the server's count is there (0.7), that is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.fields import Fields, as_text, dig
from tokcost.importers.point import STATISTICS, ImportProblem, Point

_STATISTICS = {"mean": "mean", "median": "median", **{s: s for s in STATISTICS if s.startswith("p")}}


def matches(content: Mapping) -> bool:
    """Is this a stage (or the summary) of inference-perf?"""
    return isinstance(content.get("load_summary"), Mapping) and isinstance(content.get("successes"), Mapping)


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a stage."""
    point = Point("inference-perf", token_source="client", run=as_text(path.name.partition("_lifecycle")[0]) or "")
    fields = Fields(content, point)
    _about(point, path)
    point.concurrency = fields.number("load_summary", "concurrency")
    point.is_closed_loop = point.concurrency is not None
    n_requests = fields.required("successes", "count", why="it is not known how many requests succeeded")
    point.n_requests = n_requests
    point.n_failed = fields.number("failures", "count")
    _duration(point, fields, n_requests)
    _tokens(point, fields, n_requests)
    point.recorded_output_tok_per_s = fields.number("successes", "throughput", "output_tokens_per_sec")
    for name, key in {"ttft": "time_to_first_token", "tpot": "time_per_output_token", "e2e": "request_latency"}.items():
        for statistic, theirs in _STATISTICS.items():
            fields.latency(f"{statistic}_{name}_s", "successes", "latency", key, theirs)
    if point.run == "summary":
        point.note("the summary mixes all load stages of the run; import the stages instead")
    fields.finish()
    yield point


def _duration(point: Point, fields: Fields, n_requests: float) -> None:
    if "benchmark_time_seconds" in fields.content:
        point.duration_s = fields.required("benchmark_time_seconds", why="there is no throughput")
        return
    requests_per_s = fields.number("successes", "throughput", "requests_per_sec")
    if not requests_per_s:
        raise ImportProblem("the file has no duration, and no request succeeded from whose throughput it would follow")
    point.duration_s = n_requests / requests_per_s
    point.note("this version writes no duration; it is requests / request rate")


def _tokens(point: Point, fields: Fields, n_requests: float) -> None:
    server, client = "output_tokens", "output_len"
    if isinstance(dig(fields.content, "successes", server), Mapping):
        point.token_source = "server usage"
        point.output_tok = fields.number("successes", server, "total")
        point.cached_input_tok = fields.number("successes", "prompt_tokens", "cached")
        key = server
    else:
        key = client
    prompts = "prompt_tokens" if isinstance(dig(fields.content, "successes", "prompt_tokens"), Mapping) else "prompt_len"
    point.input_tok = fields.number("successes", prompts, "total")
    for name, where in (("input_tok", prompts), ("output_tok", key)):
        mean = fields.number("successes", where, "mean")
        if getattr(point, name) is None and mean is not None:
            setattr(point, name, round(mean * n_requests, 6))
    if point.output_tok is None and n_requests == 0:
        point.input_tok = point.output_tok = 0.0
    if point.output_tok is None:
        raise ImportProblem(f"the file has no `successes.{client}`, without which there is no output throughput")
    mean = fields.number("successes", client, "mean")
    point.counts["client"] = mean * n_requests if mean is not None else None
    if "benchmark_time_seconds" in fields.content:  # before, blank lines of the stream were chunks too
        point.chunk_gap_s = fields.number("successes", "latency", "inter_token_latency", "mean")


def _about(point: Point, path: Path) -> None:
    point.model = as_text(dig(documents.companion(path, "config.yaml"), "server", "model_name"))
    if point.model is None:
        point.note("no `config.yaml` next to the file names the model; it is left empty")
