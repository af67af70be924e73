"""ray-project/llmperf: `<model>_<in>_<out>_summary.json`, with `..._individual_responses.json` next to it.

All latencies are seconds. Its inter-token latency is request time / tokens, which includes
the time to first token; TPOT is worked out here per request, or for the mean if the single
responses are missing. The clock is not in the file: it is requests / requests per minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.fields import Fields, as_number, as_text, statistics
from tokcost.importers.point import S_PER_MINUTE, STATISTICS, ImportProblem, Point, all_known, per_request

_STATISTICS = {"mean": "mean", "median": "quantiles_p50", **{s: f"quantiles_{s}" for s in STATISTICS if s.startswith("p")}}


def matches(content: Mapping) -> bool:
    """Is this an llmperf summary?"""
    return "results_num_completed_requests_per_min" in content or "results_mean_output_throughput_token_per_s" in content


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a summary."""
    point = Point("llmperf", token_source="client", model=as_text(content.get("model")), tool_version=as_text(content.get("version")))
    fields = Fields(content, point)
    point.concurrency = fields.number("num_concurrent_requests")
    point.is_closed_loop = True
    n_requests = fields.required("results_num_completed_requests", why="it is not known how many requests succeeded")
    point.n_requests = n_requests
    per_minute = fields.required("results_num_completed_requests_per_min", why="there is no throughput")
    if per_minute == 0:
        raise ImportProblem("no request completed, so that llmperf's file holds no duration and no throughput")
    point.n_failed = fields.number("results_number_errors")
    point.duration_s = n_requests * S_PER_MINUTE / per_minute
    point.input_tok, point.output_tok = (
        round(fields.required(f"results_number_{name}_tokens_mean", why="there is no throughput") * n_requests, 6)
        for name in ("input", "output")
    )
    point.recorded_output_tok_per_s = fields.number("results_mean_output_throughput_token_per_s")
    for name, key in {"ttft": "ttft", "e2e": "end_to_end_latency"}.items():
        for statistic, theirs in _STATISTICS.items():
            fields.latency(f"{statistic}_{name}_s", f"results_{key}_s_{theirs}")
    _tpot(point, path)
    started = fields.number("results_num_requests_started")
    if started is not None and started < n_requests + (point.n_failed or 0):
        point.note("fewer requests were started than completed; the file contradicts itself")
    point.note(
        "llmperf counts tokens with a Llama tokenizer whatever the model, and a failed request silently ends one of its clients: "
        "compare n_requests with what was planned"
    )
    fields.finish()
    yield point


def _tpot(point: Point, path: Path) -> None:
    """(request time - TTFT) / (tokens - 1), per request where the single responses are at hand."""
    seconds = _single_tpots(documents.companion(path, path.name.replace("_summary.json", "_individual_responses.json")))
    if seconds:
        point.latency_s |= statistics("tpot", seconds)
        return
    ttft_s, e2e_s = point.latency_s.get("mean_ttft_s"), point.latency_s.get("mean_e2e_s")
    osl = per_request(point.output_tok, point.n_requests) or 0
    if ttft_s is not None and e2e_s is not None and osl > 1:
        point.latency_s["mean_tpot_s"] = (e2e_s - ttft_s) / (osl - 1)
    point.note("the single responses are not next to the summary, so that only the mean TPOT is known")


def _single_tpots(responses) -> list[float]:
    seconds = []
    for response in responses if isinstance(responses, list) else []:
        if not isinstance(response, Mapping) or response.get("error_code") is not None:
            continue
        known = all_known(*(as_number(response.get(key)) for key in ("end_to_end_latency_s", "ttft_s", "number_output_tokens")))
        if known and known[2] > 1:
            e2e_s, ttft_s, output_tok = known
            seconds.append((e2e_s - ttft_s) / (output_tok - 1))
    return seconds
