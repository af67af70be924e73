"""NVIDIA AIPerf: the summary of one run, `profile_export_aiperf.json` of any version, and genai-perf before it.

Every metric carries its unit. AIPerf counts tokens with the client's tokenizer; where the
server's own counts stand next to them (`total_usage_*`), those are used, unless they contradict (see `counts`).

Warm-up phases are not in the summary. Requests in flight when a run ends by time are in no count: a note says how many
at most. Joules are of the boards that the tool watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.counts import TOKEN_COUNT_SPREAD_FRAC
from tokcost.importers.fields import Fields, as_number, as_text, dig, note_if_newer, seconds_per
from tokcost.importers.point import STATISTICS, ImportProblem, Point, per_request

NEWEST_SCHEMA = "1.4"
NEWEST_AIPERF = "0.13"
#: latency column -> metric, by version
_LATENCIES = {"ttft": ("time_to_first_token", "ttft"), "tpot": ("inter_token_latency",), "e2e": ("request_latency",)}
_STATISTICS = {"mean": "avg", "median": "p50", **{s: s for s in STATISTICS if s.startswith("p")}}


def matches(content: Mapping) -> bool:
    """Is this an AIPerf or genai-perf summary?"""
    records = content.get("records")
    metrics = records if isinstance(records, Mapping) else content
    named = {"request_throughput", "request_latency", "output_token_throughput", "output_sequence_length", "input_sequence_length"}
    return "input_config" in content and len(named & set(metrics)) >= 3


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a summary."""
    point = Point("genai-perf" if _is_genai_perf(content) else "aiperf", token_source="client")
    fields = Fields(content, point)
    metrics = Fields(content["records"], point) if isinstance(content.get("records"), Mapping) else fields
    _about(point, content, path)
    _counts(point, metrics)
    for name, keys in _LATENCIES.items():
        key = next((k for k in keys if isinstance(metrics.content.get(k), Mapping)), None)
        if key:
            scale = seconds_per(dig(metrics.content, key, "unit"), key)
            for statistic, theirs in _STATISTICS.items():
                metrics.latency(f"{statistic}_{name}_s", key, theirs, scale=scale)
    gap_s = metrics.number("inter_chunk_latency", "avg")
    point.chunk_gap_s = gap_s * seconds_per(dig(metrics.content, "inter_chunk_latency", "unit"), "inter_chunk_latency") if gap_s else None
    _asked(point, metrics, content["input_config"])
    _ends(point, content["input_config"])
    _telemetry(point, metrics, content)
    if content.get("was_cancelled") is True or content.get("is_complete") is False:
        reason = as_text(content.get("incomplete_reason"))
        point.note(f"the run was cancelled or is incomplete{f' ({reason})' if reason else ''}; it is no steady state")
    fields.finish()
    yield point


def _is_genai_perf(content) -> bool:
    marks = {"perf_analyzer", "service_kind", "formatted_model_name"}
    config = content["input_config"]
    return "telemetry_stats" in content or isinstance(config, Mapping) and bool(marks & set(config))


def _about(point: Point, content, path: Path) -> None:
    config = content.get("input_config")
    point.tool_version = as_text(content.get("aiperf_version"))
    point.started = as_text(content.get("start_time"))
    point.model = (
        as_text(dig(config, "models", "items", 0, "name"))
        or as_text(dig(config, "endpoint", "model_names", 0))
        or as_text(dig(config, "model_names", 0))
        or as_text(dig(config, "model", 0))
        or as_text(dig(config, "model"))
    )
    phases = dig(config, "phases") if isinstance(dig(config, "phases"), list) else []
    profiling = next((phase for phase in phases if dig(phase, "name") == "profiling"), dig(phases, len(phases) - 1) if phases else None)
    for where in (profiling, dig(config, "loadgen"), dig(config, "perf_analyzer", "stimulus"), config):
        point.concurrency = Fields(where, point).number("concurrency") if isinstance(where, Mapping) and "concurrency" in where else None
        if point.concurrency is not None:
            break
    else:
        point.note("the file states no concurrency (a request rate was set); it is left empty")
    point.is_closed_loop = point.concurrency is not None and not (isinstance(profiling, Mapping) and "rate" in profiling)
    note_if_newer(point, "schema", content.get("schema_version"), NEWEST_SCHEMA)
    note_if_newer(point, "AIPerf", point.tool_version, NEWEST_AIPERF)
    if path.parent.name == "warmup":
        point.note("this is the warm-up phase of a run, not its measurement")


def _counts(point: Point, metrics: Fields) -> None:
    """Requests, duration and tokens; each in the way that this version states it."""
    point.n_requests = metrics.number("request_count", "avg")
    request_rate = metrics.number("request_throughput", "avg")
    if isinstance(metrics.content.get("benchmark_duration"), Mapping):
        scale = seconds_per(dig(metrics.content, "benchmark_duration", "unit"), "benchmark_duration")
        point.duration_s = metrics.required("benchmark_duration", "avg", why="there is no throughput") * scale
    elif point.n_requests is not None and request_rate:
        point.duration_s = point.n_requests / request_rate
        point.note("the file has no duration; it is requests / request rate")
    point.n_failed = metrics.number("error_request_count", "avg")
    if point.n_failed is None and point.tool == "aiperf" and metrics.number("completed_request_count", "avg") == point.n_requests:
        point.n_failed = 0.0
    point.input_tok, point.output_tok = (_tokens(metrics, short, long, point.n_requests) for short, long in _TOKENS)
    point.counts["client"], point.is_tpot_by_client = point.output_tok, True
    usage = [metrics.number(f"total_usage_{name}_tokens", "avg") for name in ("prompt", "completion")]
    told = metrics.number("usage_completion_tokens", "count")
    if told is not None and point.n_requests is not None and told < point.n_requests and None not in usage:
        point.note(f"the server counted the tokens of {told:g} of {point.n_requests:g} requests only; the client's count was used")
    elif None not in usage:
        point.input_tok, point.output_tok = usage
        point.token_source = "server usage"
    point.cached_input_tok = metrics.number("total_usage_prompt_cache_read_tokens", "avg") or metrics.number(
        "usage_prompt_cache_read_tokens", "sum"
    )
    point.recorded_output_tok_per_s = _recorded(metrics, "output_token_throughput")
    if point.duration_s is None:
        _state_throughputs(point, metrics, request_rate)


_TOKENS = (("total_isl", "input_sequence_length"), ("total_osl", "output_sequence_length"))


def _tokens(metrics: Fields, total: str, each: str, requests: float | None) -> float | None:
    """Tokens of all successful requests: the total, or mean x requests where no total is given."""
    counted = metrics.number(total, "avg")
    mean = metrics.number(each, "avg")
    if counted is None and mean is not None and requests is not None:
        counted = float(round(mean * requests, 6))
    return counted


def _recorded(metrics: Fields, key: str) -> float | None:
    recorded = metrics.number(key, "avg")
    unit = as_text(dig(metrics.content, key, "unit"))
    if recorded is None or unit is None or "/" not in unit:
        return recorded
    per = unit.split("/")[1]
    return recorded / seconds_per(per, key)


def _state_throughputs(point: Point, metrics: Fields, request_rate: float | None) -> None:
    """genai-perf 0.0.9 gives neither requests nor duration: only throughput and mean lengths."""
    point.stated_output_tok_per_s = _recorded(metrics, "output_token_throughput")
    point.isl, point.osl = metrics.number("input_sequence_length", "avg"), metrics.number("output_sequence_length", "avg")
    if point.stated_output_tok_per_s is None:
        raise ImportProblem("the file has neither a duration nor an output token throughput, so there is no operating point")
    if request_rate is not None and point.isl is not None:
        point.stated_input_tok_per_s = request_rate * point.isl
        point.stated_total_tok_per_s = point.stated_input_tok_per_s + point.stated_output_tok_per_s
    point.note("the file has no counts and no duration; the throughput is as the tool printed them")


def _asked(point: Point, metrics: Fields, config) -> None:
    """The length that was asked for. Told to go on to the end (`ignore_eos`, `min_tokens`), every answer has it."""
    asked = as_number(dig(config, "datasets", 0, "prompts", "osl", "mean") or dig(config, "input", "prompt", "output_tokens", "mean"))
    extra = dig(config, "endpoint", "extra") or dig(config, "input", "extra")
    extra = dict(extra) if isinstance(extra, Mapping) or (isinstance(extra, list) and all(len(pair) == 2 for pair in extra)) else {}
    counted = per_request(point.output_tok, point.n_requests)
    if not asked or counted is None or not point.n_requests:
        return
    if extra.get("ignore_eos") is True or (as_number(extra.get("min_tokens")) or 0.0) >= asked:
        point.told_osl = asked
        point.counts["requested"] = asked * point.n_requests
    n_other = metrics.number("osl_mismatch_count", "avg")
    if n_other and abs(counted / asked - 1) > TOKEN_COUNT_SPREAD_FRAC:
        point.note(
            f"AIPerf found {n_other:g} of {point.n_requests:g} answers not as long as asked for (osl_mismatch_count): "
            f"requested {asked:g} tokens, counted {counted:.4g}"
        )


def _ends(point: Point, config) -> None:
    """A load that rises, and requests that the end of the run cut off: they are in no count."""
    phase = next((p for p in dig(config, "phases") or [] if dig(p, "name") == "profiling"), dig(config, "loadgen"))
    if not isinstance(phase, Mapping):
        return
    rising = [name for name in phase if "ramp" in name and phase[name]]
    if rising:
        point.note(f"the load rose during the run ({', '.join(rising)}): the throughput is a mean over a rising load, no steady state")
    seconds = as_number(phase.get("duration") or phase.get("benchmark_duration"))
    grace_s = as_number(phase.get("grace_period") or phase.get("benchmark_grace_period")) or 0.0
    if seconds and point.concurrency and point.n_requests and grace_s < (point.latency_s.get("mean_e2e_s") or 0.0):
        point.note(
            f"the run ended by time: requests in flight then are in no count; they are at most {point.concurrency:g}, "
            f"which would add less than {point.concurrency / point.n_requests:.0%} to the {point.n_requests:g} that ended"
        )


def _telemetry(point: Point, metrics: Fields, content) -> None:
    """The boards that AIPerf watched, and their joules; a board that two endpoints report is in its sum twice."""
    seen = [gpu for endpoint in _values(dig(content, "telemetry_data", "endpoints")) for gpu in _values(dig(endpoint, "gpus"))]
    if not seen:
        return
    boards = {str(dig(gpu, "gpu_uuid")): str(as_text(dig(gpu, "gpu_name"))) for gpu in seen}
    point.note(f"telemetry saw {len(boards)} x {', '.join(sorted(set(boards.values())))}, which need not be the GPUs that served")
    joules = [metrics.number(f"{vendor}total_gpu_energy", "avg") for vendor in ("nvidia_", "amd_", "")]
    if not any(joules):
        return
    if len(seen) > len(boards):
        point.note(
            f"two endpoints report the same boards: AIPerf's energy counts {len(seen) - len(boards)} of them twice; it is left empty"
        )
        return
    point.energy_joule, point.energy_gpus = sum(filter(None, joules)), float(len(boards))


def _values(content) -> list:
    return list(content.values()) if isinstance(content, Mapping) else []
