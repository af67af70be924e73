"""vLLM `bench serve` (also benchmark_serving.py and InferenceX's fork of it) and SGLang `bench_serving`.

Both count output tokens as the server reports them, over the wall clock from the first
request to the last answer. Latencies are milliseconds, where the key ends in `_ms`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, as_number, as_text
from tokcost.importers.point import MS_PER_S, STATISTICS, Point

_SHARED = {
    "backend", "date", "request_rate", "max_concurrency", "duration", "completed", "num_prompts", "total_input_tokens",
    "total_output_tokens", "request_throughput", "output_throughput",
    "mean_ttft_ms", "median_ttft_ms", "mean_tpot_ms", "median_tpot_ms", "median_ttft", "median_tpot",
}  # fmt: skip
_VLLM = {"model_id", "tokenizer_id", "endpoint_type", "burstiness", "total_token_throughput", "request_goodput", "request_goodput:"}
_SGLANG = {
    "total_throughput",
    "total_output_tokens_retokenized",
    "random_range_ratio",
    "sharegpt_output_len",
    "accept_length",
    "server_info",
}
#: columns' name -> the name in these files' keys
_LATENCIES = {"ttft": "ttft", "tpot": "tpot", "e2e": "e2el"}


def matches(content: Mapping) -> bool:
    """Is this a result of `vllm bench serve` or `sglang.bench_serving`?"""
    keys = set(content)
    return len(keys & _SHARED) >= 7 and bool(keys & (_VLLM | _SGLANG))


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a result."""
    yield _sglang(content) if len(set(content) & _SGLANG) >= 2 else _vllm(content)


def _vllm(content) -> Point:
    point = Point("vllm-bench-serve", token_source="server usage", model=as_text(content.get("model_id")))
    fields = Fields(content, point)
    _counts(point, fields)
    point.n_failed = fields.number("failed")
    _load(point, fields)
    point.recorded_total_tok_per_s = fields.number("total_token_throughput")
    if "model_id" not in content:
        point.note("the file has no `model_id`; the model is left empty")
    if point.n_failed is None:
        point.note("this version of vLLM does not say how many requests failed")
    scale, suffix = (1.0, "") if "median_ttft" in content else (1 / MS_PER_S, "_ms")
    for name, key in _LATENCIES.items():
        _latencies(fields, name, key, scale, suffix)
    fields.finish()
    return point


def _sglang(content) -> Point:
    point = Point("sglang", token_source="server usage")
    fields = Fields(content, point)
    _counts(point, fields)
    point.recorded_total_tok_per_s = fields.number("total_throughput")
    point.counts["client"] = fields.number("total_output_tokens_retokenized")
    point.chunk_tok = fields.number("accept_length") or 1.0
    point.note("SGLang's file names no model and no failures, and counts input tokens as the client sent them")
    for name, key in {**_LATENCIES, "e2e": "e2e_latency"}.items():
        _latencies(fields, name, key, 1 / MS_PER_S, "_ms")
    fields.finish()
    return point


def _counts(point: Point, fields: Fields) -> None:
    content = fields.content
    point.started = as_text(content.get("date"))
    point.duration_s = fields.required("duration", why="there is no throughput")
    point.n_requests = fields.required("completed", why="it is not known how many requests succeeded")
    point.output_tok = fields.required("total_output_tokens", why="there is no output throughput")
    point.input_tok = fields.number("total_input_tokens")
    if point.input_tok is None:
        point.note("the file has no `total_input_tokens`; total and input throughput are left empty")
    point.recorded_output_tok_per_s = fields.number("output_throughput")
    point.concurrency = fields.number("max_concurrency")
    if point.concurrency is None:
        point.note("no `max_concurrency` was set; the concurrency is left empty")
    chunk_gap = fields.number("mean_itl_ms")
    point.chunk_gap_s = chunk_gap / MS_PER_S if chunk_gap else None
    request_rate = as_number(content.get("request_rate"))
    point.is_closed_loop = request_rate is not None and request_rate == float("inf")


def _load(point: Point, fields: Fields) -> None:
    """A load that rises during the run: its throughput is a mean over all of it."""
    strategy = fields.text("ramp_up_strategy")
    if strategy:
        start, end = (fields.number(f"ramp_up_{end}_rps") for end in ("start", "end"))
        span = f" from {start:g} to {end:g} requests/s" if None not in (start, end) else ""
        point.note(f"the load rose during the run ({strategy} ramp-up{span}): the throughput is a mean over a rising load, no steady state")
        point.is_closed_loop = False


def _latencies(fields: Fields, name: str, key: str, scale: float, suffix: str) -> None:
    for statistic in STATISTICS:
        fields.latency(f"{statistic}_{name}_s", f"{statistic}_{key}{suffix}", scale=scale)
