"""TensorRT-LLM's `trtllm-bench throughput` and `latency` with `--report_json`: an engine driven in one process.

There is no server and no network in its times. Tokens are the engine's own. The tool stops when all requests are done
and reports no warm-up requests. Joules (1.3 and newer) are of the boards of its world, from their counters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, dig
from tokcost.importers.point import MS_PER_S, STATISTICS, Point

_PERCENTILES = {"mean": "average", "median": "p50", **{s: s for s in STATISTICS if s.startswith("p")}}
#: latency column -> where its percentiles stand, in milliseconds
_LATENCIES = {
    "ttft": ("streaming_metrics", "ttft_percentiles"),
    "tpot": ("streaming_metrics", "tpot_percentiles"),
    "e2e": ("performance", "request_latency_percentiles_ms"),
}
_ENERGY = re.compile(r"total_(?:gpu_)?energy(?:_j|_joules?)?", re.IGNORECASE)


def matches(content: Mapping) -> bool:
    """Is this a report of trtllm-bench?"""
    return {"engine", "world_info", "request_info", "performance"} <= set(content)


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a report."""
    point = Point("trtllm-bench", token_source="server usage")
    fields = Fields(content, point)
    point.model, point.tool_version = fields.text("engine", "model"), fields.text("engine", "version")
    point.framework = " ".join(filter(None, ("TensorRT-LLM", fields.text("engine", "backend"))))
    point.precision = fields.text("engine", "quantization") or fields.text("engine", "dtype")
    point.accelerator, point.speculative = fields.text("machine", "name"), fields.text("decoding_stats", "mode")
    point.n_gpus = fields.number("world_info", "world_size")
    point.duration_s = fields.required("performance", "total_latency_ms", why="there is no throughput") / MS_PER_S
    point.n_requests = fields.required("request_info", "num_requests", why="it is not known how many requests succeeded")
    for name, key in (("input_tok", "avg_input_length"), ("output_tok", "avg_output_length")):
        setattr(point, name, round(fields.required("request_info", key, why="there is no throughput") * point.n_requests, 6))
    point.recorded_output_tok_per_s = fields.number("performance", "system_output_throughput_tok_s")
    point.recorded_total_tok_per_s = fields.number("performance", "system_total_throughput_tok_s")
    for name, where in _LATENCIES.items():
        for statistic, theirs in _PERCENTILES.items():
            fields.latency(f"{statistic}_{name}_s", *where, theirs, scale=1 / MS_PER_S)
    point.concurrency = fields.number("request_info", "avg_num_concurrent_requests")
    point.note("the engine was driven in one process, without a server; the concurrency is the mean of requests in flight")
    sections = [(name, part) for name in ("performance", "energy", "energy_metrics") if isinstance(part := dig(content, name), Mapping)]
    found = next(((name, key) for name, part in sections for key in part if _ENERGY.fullmatch(str(key))), None)
    if found:
        point.energy_joule, point.energy_gpus = fields.number(*found), point.n_gpus
    fields.finish()
    yield point
