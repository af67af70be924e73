"""vLLM `bench throughput`: all requests at once, no clients and no latencies. `bench latency` says too little to import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, as_text
from tokcost.importers.point import ImportProblem, Point

_THROUGHPUT = {"elapsed_time", "num_requests", "total_num_tokens", "requests_per_second", "tokens_per_second"}
_LATENCY = {"avg_latency", "latencies", "percentiles"}


def matches(content: Mapping) -> bool:
    """Is this a result of `vllm bench throughput` or `vllm bench latency`?"""
    return len(set(content) & _THROUGHPUT) >= 4 or set(content) >= _LATENCY


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of an offline run."""
    if set(content) >= _LATENCY:
        raise ImportProblem(
            "vLLM `bench latency` records neither batch size nor lengths, so that its latency gives no throughput; use `vllm bench serve`"
        )
    point = Point("vllm-bench-throughput", model=as_text(content.get("model_id")), token_source="server usage")
    fields = Fields(content, point)
    point.duration_s = fields.required("elapsed_time", why="there is no throughput")
    point.total_tok = fields.required("total_num_tokens", why="there is no throughput")
    point.n_requests = fields.number("num_requests")
    point.recorded_total_tok_per_s = fields.number("tokens_per_second")
    point.note("`bench throughput` does not split input from output tokens: only the total throughput is known, at no stated concurrency")
    fields.finish()
    yield point
