"""From what a file states to one row of the table: throughput from counts and durations, and the cross-checks.

    output tokens/s = output tokens of successful requests / duration
    per GPU         = that / GPUs

The throughput that the tool printed is kept next to it and compared. Units are converted by the
readers; here three identities catch a file whose units are not what its keys say.
"""

from __future__ import annotations

from tokcost.importers.checks import (
    FASTEST_TOK_PER_S_PER_USER,
    RECORDED_TOLERANCE_FRAC,
    check_duration,
    check_gpus,
    check_latencies,
    check_sum,
    replace_tpot,
)
from tokcost.importers.counts import require_counts, settle
from tokcost.importers.point import LATENCIES, SEPARATOR, STATISTICS, ImportProblem, Point, all_known, per_request


def row(point: Point, n_gpus: float | None = None, accelerator: str | None = None) -> dict[str, object]:
    """The table's row for one point; `n_gpus` and `accelerator` are what the analyst gave.

    >>> row(Point("demo", duration_s=2.0, n_requests=4.0, input_tok=400.0, output_tok=100.0), n_gpus=2)["output_tok_per_s_per_gpu"]
    25.0
    """
    require_counts(point)
    if point.concurrency is not None and point.concurrency < 1:
        point.note(f"a concurrency of {point.concurrency:g} cannot be and is left empty")
        point.concurrency = None
    check_gpus(point)
    check_sum(point)
    check_duration(point)
    settle(point)
    if point.is_tpot_wrong:
        replace_tpot(point, "the tool's TPOT is by the other count")
    check_latencies(point)
    throughputs = _throughputs(point)
    gpus = _gpus(point, n_gpus)
    differs = _recorded(point, throughputs)
    if point.n_requests == 0:
        point.note("no request succeeded: the throughput is zero and there are no latencies")
        point.latency_s.clear()
    values = {
        "tool": point.tool,
        "run": point.run or None,
        "tool_version": point.tool_version,
        "started": point.started,
        "model": point.model,
        "accelerator": accelerator or point.accelerator,
        "n_gpus": gpus,
        "n_prefill_gpus": point.n_prefill_gpus,
        "n_decode_gpus": point.n_decode_gpus,
        "precision": point.precision,
        "framework": point.framework,
        "speculative": point.speculative,
        "deployment": point.deployment,
        "concurrency": point.concurrency,
        "isl": point.isl or per_request(point.input_tok, point.n_requests),
        "osl": point.osl or per_request(point.output_tok, point.n_requests),
        "duration_s": point.duration_s,
        "n_requests": point.n_requests,
        "n_failed": point.n_failed,
        "input_tok": point.input_tok,
        "output_tok": point.output_tok,
        "cached_input_tok": point.cached_input_tok,
        "token_source": point.token_source,
        "tok_per_s_per_user": _per_user(point),
        "recorded_output_tok_per_s": point.recorded_output_tok_per_s,
        "recorded_total_tok_per_s": point.recorded_total_tok_per_s,
        "recorded_differs_frac": differs,
        **_energy(point, gpus),
    }
    for tokens, tok_per_s in throughputs.items():
        values[f"{tokens}_tok_per_s"] = tok_per_s
        values[f"{tokens}_tok_per_s_per_gpu"] = tok_per_s / gpus if gpus and tok_per_s is not None else None
    for statistic in STATISTICS:
        for latency in LATENCIES:
            values[f"{statistic}_{latency}_s"] = point.latency_s.get(f"{statistic}_{latency}_s")
    values["notes"] = SEPARATOR.join(point.notes) or None
    return values


def _per_user(point: Point) -> float | None:
    """1 / median TPOT, unless the answers came in one piece and no stream was measured."""
    median_tpot_s = point.latency_s.get("median_tpot_s")
    if median_tpot_s and 1 / median_tpot_s > FASTEST_TOK_PER_S_PER_USER:
        point.note(
            f"1 / median TPOT is {1 / median_tpot_s:.4g} tokens/s per user, faster than any stream: "
            "the answers came in one piece, so that interactivity is left empty"
        )
        return None
    return 1 / median_tpot_s if median_tpot_s else None


def _throughputs(point: Point) -> dict[str, float | None]:
    """Tokens per second of the whole deployment, by token class."""
    counted = {"total": point.total_tok, "output": point.output_tok, "input": point.input_tok}
    both = all_known(point.input_tok, point.output_tok)
    if counted["total"] is None and both:
        counted["total"] = sum(both)
    stated = {"total": point.stated_total_tok_per_s, "output": point.stated_output_tok_per_s, "input": point.stated_input_tok_per_s}
    found = {
        name: tokens / point.duration_s if tokens is not None and point.duration_s else stated[name] for name, tokens in counted.items()
    }
    if found["total"] is None and found["output"] is None and not point.is_throughput_empty:
        raise ImportProblem("the file has neither a throughput nor a count of tokens with a duration, so it is no operating point")
    return found


def _gpus(point: Point, given: float | None) -> float | None:
    """GPUs of the deployment: what the file says of a throughput that it divided itself, else what was given, else what the file says."""
    if given is None or given == point.n_gpus:
        return point.n_gpus
    if point.is_for_its_own_gpus:
        point.note(f"the file's result is for its own {point.n_gpus:g} GPUs; the {given:g} that were given were not used")
        return point.n_gpus
    if point.n_gpus is not None:
        point.note(f"the file says {point.n_gpus:g} GPUs and {given:g} were given; the given number was used")
    return float(given)


def _recorded(point: Point, throughputs: dict[str, float | None]) -> float | None:
    """How far the tool's own printed throughput is from tokens / duration, as a fraction of the latter."""
    for name, recorded in (("output", point.recorded_output_tok_per_s), ("total", point.recorded_total_tok_per_s)):
        tok_per_s = throughputs[name]
        if recorded is None or not tok_per_s:
            continue
        differs = recorded / tok_per_s - 1
        if abs(differs) > RECORDED_TOLERANCE_FRAC and not point.is_tpot_wrong:  # then the counts were compared already
            point.note(
                f"the tool printed {recorded:.6g} {name} tokens/s, which is {differs:+.1%} from successful tokens / duration"
                f" = {tok_per_s:.6g}; the latter was used"
            )
        return differs
    return None


def _energy(point: Point, gpus: float | None) -> dict[str, float | None]:
    """Joules of the boards by the tool's own telemetry, and tokens per joule, if they are the boards that served."""
    per_joule = {"total": point.stated_total_tok_per_joule, "output": point.stated_output_tok_per_joule}
    if point.energy_joule:
        both = all_known(point.input_tok, point.output_tok)
        tokens = {"total": sum(both) if both else None, "output": point.output_tok}
        per_joule = {name: per_joule[name] or per_request(count, point.energy_joule) for name, count in tokens.items()}
    if point.energy_gpus and gpus and point.energy_gpus != gpus:
        point.note(f"the tool's energy is of {point.energy_gpus:g} GPUs and the deployment has {gpus:g}: tokens per joule are left empty")
        per_joule = dict.fromkeys(per_joule)
    return {"gpu_energy_joule": point.energy_joule, **{f"{name}_tok_per_joule": value for name, value in per_joule.items()}}
