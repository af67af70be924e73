"""From what a file states to one row of the table: rates from counts and durations, and the cross-checks.

    output tokens/s = output tokens of successful requests / duration
    per GPU         = that / GPUs

The rate that the tool printed is kept beside it and compared. Units are converted by the
readers; here three identities catch a file whose units are not what its keys say.
"""

from __future__ import annotations

from tokcost.importers.point import LATENCIES, MS_PER_S, SEPARATOR, STATISTICS, ImportProblem, Point
from tokcost.quantities import of

#: a printed rate that differs by more than this from tokens / duration is said
RECORDED_TOLERANCE_FRAC = 0.02
#: faster than any stream that was ever measured (tokens/s per user)
FASTEST_TOK_PER_S_PER_USER = 5000.0
#: shorter than any run
SHORTEST_S = 1e-3
#: more requests in flight than this share of the concurrency is no matter of start and end: a number is wrong
IN_FLIGHT_NOTED, IN_FLIGHT_REFUSED = 2.0, 10.0
#: beyond any count of tokens or requests, or any time in seconds
LARGEST = 1e18
#: more than any deployment has
MOST_GPUS = of("n_gpus").high
#: half of the requests cannot wait longer than this many times the run for their first token
LONGEST_WAIT = 2.0
#: how far two honest counts of the same tokens (client, server) were seen apart
TOKEN_COUNT_SPREAD_FRAC = 0.2


def row(point: Point, n_gpus: float | None = None, accelerator: str | None = None) -> dict[str, object]:
    """The table's row for one point; `n_gpus` and `accelerator` are what the analyst gave.

    >>> row(Point("demo", duration_s=2.0, n_requests=4.0, input_tok=400.0, output_tok=100.0), n_gpus=2)["output_tok_per_s_per_gpu"]
    25.0
    """
    _check_counts(point)
    _check_duration(point)
    _check_latencies(point)
    rates = _rates(point)
    gpus = _gpus(point, n_gpus)
    differs = _recorded(point, rates)
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
        "isl": point.isl or _per_request(point.input_tok, point.n_requests),
        "osl": point.osl or _per_request(point.output_tok, point.n_requests),
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
    }
    for tokens, rate in rates.items():
        values[f"{tokens}_tok_per_s"] = rate
        values[f"{tokens}_tok_per_s_per_gpu"] = rate / gpus if gpus and rate is not None else None
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


def _per_request(tokens: float | None, requests: float | None) -> float | None:
    return tokens / requests if tokens is not None and requests else None


def _rates(point: Point) -> dict[str, float | None]:
    """Tokens per second of the whole deployment, by token class."""
    counted = {"total": point.total_tok, "output": point.output_tok, "input": point.input_tok}
    if counted["total"] is None and point.input_tok is not None and point.output_tok is not None:
        counted["total"] = point.input_tok + point.output_tok
    stated = {"total": point.stated_total_tok_per_s, "output": point.stated_output_tok_per_s, "input": point.stated_input_tok_per_s}
    rates = {
        name: tokens / point.duration_s if tokens is not None and point.duration_s else stated[name] for name, tokens in counted.items()
    }
    if rates["total"] is None and rates["output"] is None:
        raise ImportProblem("the file says neither how many tokens were delivered in what time nor a rate, so it is no operating point")
    return rates


def _gpus(point: Point, given: float | None) -> float | None:
    """GPUs of the deployment: what the file says of a rate it divided itself, else what was given, else what the file says."""
    if given is None or given == point.n_gpus:
        return point.n_gpus
    if point.is_for_its_own_gpus:
        point.note(f"the file's result is for its own {point.n_gpus:g} GPUs; the {given:g} that were given were not used")
        return point.n_gpus
    if point.n_gpus is not None:
        point.note(f"the file says {point.n_gpus:g} GPUs and {given:g} were given; the given number was used")
    return float(given)


def _recorded(point: Point, rates: dict[str, float | None]) -> float | None:
    """How far the tool's own printed rate is from tokens / duration, as a fraction of the latter."""
    for name, recorded in (("output", point.recorded_output_tok_per_s), ("total", point.recorded_total_tok_per_s)):
        rate = rates[name]
        if recorded is None or not rate:
            continue
        differs = recorded / rate - 1
        if abs(differs) > RECORDED_TOLERANCE_FRAC:
            point.note(
                f"the tool printed {recorded:.6g} {name} tokens/s, which is {differs:+.1%} from successful tokens / duration"
                f" = {rate:.6g}; the latter was used"
            )
        return differs
    return None


def _check_counts(point: Point) -> None:
    """Counts and times are finite and not negative, and requests whole, whichever way a reader came by them."""
    for name in ("duration_s", "n_requests", "n_failed", "input_tok", "output_tok", "total_tok", "cached_input_tok"):
        value = getattr(point, name)
        if value is not None and not 0 <= value < LARGEST:
            raise ImportProblem(f"{name} comes to {value:g}, which cannot be; a number in the file is damaged")
        if value is not None and name in ("n_requests", "n_failed") and abs(value - round(value)) > 0.01:
            raise ImportProblem(f"{name} comes to {value:g}, but requests are whole; a number in the file is damaged")
    if point.n_requests == 0 and point.output_tok:
        raise ImportProblem(f"no request succeeded, yet {point.output_tok:g} output tokens are counted; a number in the file is damaged")
    if point.concurrency is not None and point.concurrency < 1:
        point.note(f"a concurrency of {point.concurrency:g} cannot be and is left empty")
        point.concurrency = None
    _check_gpus(point)
    _check_sum(point)


def _check_gpus(point: Point) -> None:
    """Accelerators are whole. A count that cannot be is not used; a published result per GPU is void with it."""
    for name in ("n_prefill_gpus", "n_decode_gpus", "n_gpus"):
        value = getattr(point, name)
        if value is None or (1 <= value <= MOST_GPUS and value == round(value)):
            continue
        if point.is_for_its_own_gpus:
            raise ImportProblem(f"{name} comes to {value:g}, which is no number of GPUs; the row is damaged")
        point.note(f"the file says {value:g} GPUs, which cannot be; its count is left empty")
        setattr(point, name, None)


def _check_sum(point: Point) -> None:
    """Input and output are the total, of counts as of rates."""
    for parts, total, what in (
        ((point.input_tok, point.output_tok), point.total_tok, "tokens"),
        ((point.stated_input_tok_per_s, point.stated_output_tok_per_s), point.stated_total_tok_per_s, "tokens/s"),
    ):
        if None not in (*parts, total) and abs(sum(parts) - total) > RECORDED_TOLERANCE_FRAC * total:
            point.note(f"input and output make {sum(parts):.6g} {what}, the file states {total:.6g} in all; check which one holds")


def _check_duration(point: Point) -> None:
    """A run takes time; milliseconds under a key of seconds: the tool's own rate is a thousand times tokens / duration."""
    if point.duration_s == 0:
        raise ImportProblem("the duration is 0 s, so there is no rate; the run ended before it began, run it again")
    if point.duration_s is not None and point.duration_s < SHORTEST_S:
        raise ImportProblem(f"the duration is {point.duration_s:g} s, shorter than any run; a number in the file is damaged")
    ratio = _printed_over_counted(point)
    if ratio is not None and 1 - TOKEN_COUNT_SPREAD_FRAC < ratio / MS_PER_S < 1 + TOKEN_COUNT_SPREAD_FRAC:
        point.note(f"the duration of {point.duration_s:g} was read as milliseconds: only so does it give the rate that the tool printed")
        point.duration_s /= MS_PER_S


def _printed_over_counted(point: Point) -> float | None:
    """The tool's own output rate over output tokens / duration."""
    if not point.duration_s or not point.recorded_output_tok_per_s or not point.output_tok:
        return None
    return point.recorded_output_tok_per_s * point.duration_s / point.output_tok


def _check_latencies(point: Point) -> None:
    """Seconds under keys of milliseconds, or the reverse, in one latency or in all."""
    _check_request_time(point)
    tpot_s = point.latency_s.get("median_tpot_s") or point.latency_s.get("mean_tpot_s")
    is_too_fast = tpot_s is not None and 1 / tpot_s > FASTEST_TOK_PER_S_PER_USER
    in_flight = _in_flight(point)
    if in_flight is None or not point.concurrency:
        _check_wait(point)
        return
    # a concurrency beyond all the requests was never reached
    share = in_flight / min(point.concurrency, point.n_requests + (point.n_failed or 0))
    said = f"by Little's law {in_flight:.3g} requests were in flight at concurrency {point.concurrency:g}"
    is_off = not 1 / IN_FLIGHT_REFUSED < share < IN_FLIGHT_REFUSED
    if is_off and not 1 / IN_FLIGHT_REFUSED < (_printed_over_counted(point) or 1.0) < IN_FLIGHT_REFUSED:
        raise ImportProblem(f"{said}, and the rate that the tool printed does not fit either; the duration or a count is damaged")
    is_possible = in_flight * MS_PER_S <= LONGEST_WAIT * point.n_requests  # no request takes longer than the run
    if 0.3 < share * MS_PER_S < 3 and (is_too_fast or point.is_closed_loop) and is_possible:
        _rescale(point, MS_PER_S, said)
    elif 0.3 < share / MS_PER_S < 3:
        _rescale(point, 1 / MS_PER_S, said)
    elif share > IN_FLIGHT_REFUSED:
        raise ImportProblem(f"{said}, which cannot be; the duration, a count or the latencies in the file are damaged")
    elif share > IN_FLIGHT_NOTED:
        point.note(f"{said}; check duration and latencies")
    _check_wait(point)


def _check_wait(point: Point) -> None:
    wait_s = point.latency_s.get("median_ttft_s")
    if wait_s and point.duration_s and wait_s > LONGEST_WAIT * point.duration_s:
        raise ImportProblem(f"half of the requests waited {wait_s:g} s or more in a run of {point.duration_s:g} s, which cannot be")


def _rescale(point: Point, factor: float, why: str) -> None:
    """Read every latency as a thousand times more or less, and say so."""
    unit = "seconds" if factor > 1 else "milliseconds"
    point.latency_s = {name: value * factor for name, value in point.latency_s.items()}
    point.note(f"the latencies were read as {unit}, not as their keys say: {why}")


def _in_flight(point: Point) -> float | None:
    """Mean requests in flight by Little's law: requests x mean time of one / duration."""
    request_s = point.latency_s.get("mean_e2e_s") or _answer_time(point, "mean")
    if request_s is None or not point.duration_s or not point.n_requests:
        return None
    return point.n_requests * request_s / point.duration_s


def _answer_time(point: Point, statistic: str) -> float | None:
    """TTFT + TPOT x (OSL - 1)."""
    ttft_s, tpot_s = (point.latency_s.get(f"{statistic}_{name}_s") for name in ("ttft", "tpot"))
    osl = point.osl or _per_request(point.output_tok, point.n_requests)
    if ttft_s is None or tpot_s is None or osl is None:
        return None
    return ttft_s + tpot_s * max(osl - 1, 0)


def _check_request_time(point: Point) -> None:
    """TTFT + TPOT x (OSL - 1) must be near the request's time; if one of the three is off by 1000, say which and read it so."""
    statistic = next((s for s in ("mean", "median") if f"{s}_e2e_s" in point.latency_s), None)
    if statistic is None or _answer_time(point, statistic) is None:
        return
    if _is_near(point, statistic):
        _check_tpot(point, statistic)
        return
    for name in LATENCIES:
        for factor in (MS_PER_S, 1 / MS_PER_S):
            before = dict(point.latency_s)
            point.latency_s.update({key: value * factor for key, value in before.items() if f"_{name}_" in key})
            if _is_near(point, statistic):
                unit = "seconds" if factor > 1 else "milliseconds"
                point.note(
                    f"{name.upper()} was read as {unit}, not as the file says: only so is TTFT + TPOT x (OSL - 1) the request's time"
                )
                return
            point.latency_s = before
    point.latency_s.clear()
    point.note("TTFT, TPOT and request time contradict each other (TTFT + TPOT x (OSL - 1) is not the request's time); they are left empty")


def _is_near(point: Point, statistic: str, factor: float = 3.0) -> bool:
    built = _answer_time(point, statistic)
    request_s = point.latency_s[f"{statistic}_e2e_s"]
    return 1 / factor < built / request_s < factor and point.latency_s[f"{statistic}_ttft_s"] <= factor * request_s


def _check_tpot(point: Point, statistic: str) -> None:
    """A TPOT that counts something else than tokens (stream lines, chunks) is replaced by what the other two say."""
    if _is_near(point, statistic, factor=1.5):
        return
    ttft_s, e2e_s = point.latency_s[f"{statistic}_ttft_s"], point.latency_s[f"{statistic}_e2e_s"]
    osl = point.osl or _per_request(point.output_tok, point.n_requests)
    theirs = point.latency_s[f"{statistic}_tpot_s"]
    point.latency_s = {name: value for name, value in point.latency_s.items() if "_tpot_" not in name}
    if osl > 1 and e2e_s > ttft_s:
        point.latency_s[f"{statistic}_tpot_s"] = (e2e_s - ttft_s) / (osl - 1)
        point.note(
            f"the tool's {statistic} TPOT of {theirs:.4g} s does not explain its own request time; "
            f"(request time - TTFT) / (OSL - 1) = {point.latency_s[f'{statistic}_tpot_s']:.4g} s stands in its place"
        )
