"""genai-bench: one file per concurrency, with `experiment_metadata.json` next to them.

Latencies are seconds or milliseconds, as the user chose; `_time_unit` says which. The
printed throughput divides tokens without warm-up by the time with it, so that it is too
low; here all successful requests are counted over the whole run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.fields import Fields, as_number, as_text, dig, note_if_newer, seconds_per
from tokcost.importers.point import STATISTICS, ImportProblem, Point, all_known

NEWEST = "0.0.5"
_STATISTICS = {"mean": "mean", "median": "p50", **{s: s for s in STATISTICS if s.startswith("p")}}


def matches(content: Mapping) -> bool:
    """Is this one concurrency level of genai-bench?"""
    return isinstance(content.get("aggregated_metrics"), Mapping) and "stats" in content["aggregated_metrics"]


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a level."""
    point = Point("genai-bench", token_source="server usage")
    fields = Fields(content["aggregated_metrics"], point)
    _about(point, path)
    point.run = as_text(fields.content.get("scenario")) or ""
    point.concurrency = fields.number("num_concurrency")
    point.is_closed_loop = point.concurrency is not None
    point.duration_s = fields.required("run_duration", why="there is no throughput")
    point.n_requests = fields.required("num_completed_requests", why="it is not known how many requests succeeded")
    point.n_failed = fields.number("num_error_requests")
    _tokens(point, content.get("individual_request_metrics"))
    point.recorded_output_tok_per_s = fields.number("mean_output_throughput_tokens_per_s")
    unit = content.get("_time_unit")
    if unit is None:
        point.note("the file has no `_time_unit`, as before 0.0.4; its latencies are seconds")
    scale = seconds_per(unit or "s", "_time_unit")
    for name, key in {"ttft": "ttft", "tpot": "tpot", "e2e": "e2e_latency"}.items():
        for statistic, theirs in _STATISTICS.items():
            fields.latency(f"{statistic}_{name}_s", "stats", key, theirs, scale=scale)
    point.note("latencies are of the requests between warm-up and cool-down, tokens and throughput of the whole run")
    fields.finish()
    yield point


def _tokens(point: Point, requests) -> None:
    """Tokens of every request that succeeded."""
    if not isinstance(requests, list):
        raise ImportProblem("the file has no `individual_request_metrics`, without which only the tool's too low throughput is known")
    succeeded = [r for r in requests if isinstance(r, Mapping) and r.get("error_code") in (None, 200)]
    counts = [[as_number(r.get(key)) for r in succeeded] for key in ("num_input_tokens", "num_output_tokens")]
    known = [all_known(*column) for column in counts]
    point.input_tok, point.output_tok = (None if column is None else sum(column, 0.0) for column in known)
    if point.output_tok is None:
        raise ImportProblem("a successful request has no `num_output_tokens`, without which there is no output throughput")
    if len(succeeded) != point.n_requests:
        point.note(
            f"{len(succeeded)} single requests stand in the file, {point.n_requests:g} were counted by the tool; the former are used"
        )
        point.n_requests = float(len(succeeded))


def _about(point: Point, path: Path) -> None:
    """Model, GPUs and version from the experiment's own description, if it lies next to the file."""
    about = documents.companion(path, "experiment_metadata.json")
    if about is None:
        point.note("no `experiment_metadata.json` that can be read is next to the file; model and GPUs are left empty")
        return
    point.model = as_text(dig(about, "model"))
    point.tool_version = as_text(dig(about, "benchmark_version"))
    point.accelerator = as_text(dig(about, "server_gpu_type"))
    point.framework = " ".join(filter(None, (as_text(dig(about, "server_engine")), as_text(dig(about, "server_version"))))) or None
    point.n_gpus = as_number(dig(about, "server_gpu_count"))
    note_if_newer(point, "genai-bench", point.tool_version, NEWEST)
