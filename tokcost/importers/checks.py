"""Cross-checks of a point: units that are not what their keys say, and numbers that contradict each other.

    tokens/s printed x duration            = tokens
    requests x mean request time / duration = requests in flight (Little's law)
    TTFT + TPOT x (OSL - 1)                = request time

A number that is wrong by a factor of a thousand is read in the other unit, and said; one that contradicts the others
is left empty or replaced, alone; what cannot be at all refuses the point.
"""

from __future__ import annotations

from tokcost.importers.counts import TOKEN_COUNT_SPREAD_FRAC
from tokcost.importers.point import LATENCIES, MS_PER_S, ImportProblem, Point, all_known, per_request
from tokcost.quantities import of

#: a printed throughput that differs by more than this from tokens / duration is said
RECORDED_TOLERANCE_FRAC = 0.02
#: faster than any stream that was ever measured (tokens/s per user)
FASTEST_TOK_PER_S_PER_USER = 5000.0
#: shorter than any run
SHORTEST_S = 1e-3
#: more requests in flight than this share of the concurrency is no matter of start and end: a number is wrong
IN_FLIGHT_NOTED, IN_FLIGHT_REFUSED = 2.0, 10.0
#: more than any deployment has
MOST_GPUS = of("n_gpus").high
#: half of the requests cannot wait longer than this many times the run for their first token
LONGEST_WAIT = 2.0
#: how far means of three times of the same requests may be from their sum; beyond the second it is a matter of units
_MEASURED_WITHIN, _UNIT_WITHIN = 1.5, 3.0
#: median and mean of a time that hardly spreads
_NARROW_FRAC = 0.05


def check_gpus(point: Point) -> None:
    """Accelerators are whole. A count that cannot be is not used; a published result per GPU is void with it."""
    for name in ("n_prefill_gpus", "n_decode_gpus", "n_gpus"):
        value = getattr(point, name)
        if value is None or (1 <= value <= MOST_GPUS and value == round(value)):
            continue
        if point.is_for_its_own_gpus:
            raise ImportProblem(f"{name} comes to {value:g}, which is no number of GPUs; the row is damaged")
        point.note(f"the file says {value:g} GPUs, which cannot be; its count is left empty")
        setattr(point, name, None)


def check_sum(point: Point) -> None:
    """Input and output are the total, of counts as of throughput."""
    for parts, total, what in (
        ((point.input_tok, point.output_tok), point.total_tok, "tokens"),
        ((point.stated_input_tok_per_s, point.stated_output_tok_per_s), point.stated_total_tok_per_s, "tokens/s"),
    ):
        known = all_known(*parts)
        if known is not None and total is not None and abs(sum(known) - total) > RECORDED_TOLERANCE_FRAC * total:
            point.note(f"input and output make {sum(known):.6g} {what}, the file states {total:.6g} in all; check which one holds")


def check_duration(point: Point) -> None:
    """A run takes time; milliseconds under a key of seconds: the tool's own throughput is a thousand times tokens / duration."""
    if point.duration_s == 0:
        raise ImportProblem("the duration is 0 s, so there is no throughput; the run ended before it began, run it again")
    if point.duration_s is not None and point.duration_s < SHORTEST_S:
        raise ImportProblem(f"the duration is {point.duration_s:g} s, shorter than any run; a number in the file is damaged")
    ratio = _printed_over_counted(point)
    if point.duration_s is not None and ratio is not None and 1 - TOKEN_COUNT_SPREAD_FRAC < ratio / MS_PER_S < 1 + TOKEN_COUNT_SPREAD_FRAC:
        point.note(f"the duration of {point.duration_s:g} was read as milliseconds: only so does it give the printed throughput")
        point.duration_s /= MS_PER_S


def _printed_over_counted(point: Point) -> float | None:
    """The tool's own output throughput over output tokens / duration."""
    if not point.duration_s or not point.recorded_output_tok_per_s or not point.output_tok:
        return None
    return point.recorded_output_tok_per_s * point.duration_s / point.output_tok


def check_latencies(point: Point) -> None:
    """Seconds under keys of milliseconds, or the reverse, in one latency or in all."""
    _check_request_time(point)
    tpot_s = point.latency_s.get("median_tpot_s") or point.latency_s.get("mean_tpot_s")
    is_too_fast = tpot_s is not None and 1 / tpot_s > FASTEST_TOK_PER_S_PER_USER
    in_flight = _in_flight(point)
    if in_flight is None or not point.concurrency or not point.n_requests:
        _check_wait(point)
        return
    # a concurrency beyond all the requests was never reached
    share = in_flight / min(point.concurrency, point.n_requests + (point.n_failed or 0))
    said = f"by Little's law {in_flight:.3g} requests were in flight at concurrency {point.concurrency:g}"
    is_off = not 1 / IN_FLIGHT_REFUSED < share < IN_FLIGHT_REFUSED
    if is_off and not 1 / IN_FLIGHT_REFUSED < (_printed_over_counted(point) or 1.0) < IN_FLIGHT_REFUSED:
        raise ImportProblem(f"{said}, and the throughput that the tool printed does not fit either; the duration or a count is damaged")
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


def _osl(point: Point) -> float | None:
    return point.osl or per_request(point.output_tok, point.n_requests)


def _answer_time(point: Point, statistic: str) -> float | None:
    """TTFT + TPOT x (OSL - 1)."""
    ttft_s, tpot_s = (point.latency_s.get(f"{statistic}_{name}_s") for name in ("ttft", "tpot"))
    osl = _osl(point)
    if ttft_s is None or tpot_s is None or osl is None:
        return None
    return ttft_s + tpot_s * max(osl - 1, 0)


def _check_request_time(point: Point) -> None:
    """TTFT + TPOT x (OSL - 1) must be near the request's time; if one of the three is off by 1000, say which and read it so."""
    statistic = next((s for s in ("mean", "median") if f"{s}_e2e_s" in point.latency_s), None)
    if statistic is None or _answer_time(point, statistic) is None:
        return
    if _is_near(point, statistic, _MEASURED_WITHIN):
        return
    if not _is_near(point, statistic, _UNIT_WITHIN) and _is_unit_wrong(point, statistic):
        return
    _drop_wrong(point, statistic)


def _is_unit_wrong(point: Point, statistic: str) -> bool:
    for name in LATENCIES:
        for factor in (MS_PER_S, 1 / MS_PER_S):
            before = dict(point.latency_s)
            point.latency_s.update({key: value * factor for key, value in before.items() if f"_{name}_" in key})
            if _is_near(point, statistic, _UNIT_WITHIN) and (name != "ttft" or _is_rest(point, statistic)):
                unit = "seconds" if factor > 1 else "milliseconds"
                point.note(
                    f"{name.upper()} was read as {unit}, not as the file says: only so is TTFT + TPOT x (OSL - 1) the request's time"
                )
                return True
            point.latency_s = before
    return False


def _is_rest(point: Point, statistic: str) -> bool:
    """A TTFT that the other two hardly feel must be what they leave of the request's time."""
    ttft_s, e2e_s = (point.latency_s[f"{statistic}_{name}_s"] for name in ("ttft", "e2e"))
    answer_s = _answer_time(point, statistic)
    rest_s = 0.0 if answer_s is None else e2e_s - (answer_s - ttft_s)
    return rest_s > 0 and 1 / _UNIT_WITHIN < ttft_s / rest_s < _UNIT_WITHIN


def _is_near(point: Point, statistic: str, factor: float) -> bool:
    request_s, answer_s = point.latency_s[f"{statistic}_e2e_s"], _answer_time(point, statistic)
    is_sum = answer_s is not None and 1 / factor < answer_s / request_s < factor
    return is_sum and point.latency_s[f"{statistic}_ttft_s"] <= factor * request_s


def _drop_wrong(point: Point, statistic: str) -> None:
    """One of three times contradicts the other two: TPOT, which rests on a count of tokens, unless the first token comes after the last."""
    ttft_s, tpot_s, e2e_s = (point.latency_s[f"{statistic}_{name}_s"] for name in LATENCIES)
    if ttft_s <= e2e_s * _MEASURED_WITHIN:
        replace_tpot(point, f"the tool's {statistic} TPOT of {tpot_s:.4g} s does not explain its own request time")
        return
    osl = _osl(point) or 0
    wrong = "ttft" if tpot_s * (osl - 1) <= e2e_s * _MEASURED_WITHIN else "e2e"
    point.latency_s = {name: value for name, value in point.latency_s.items() if f"_{wrong}_" not in name}
    what = {"ttft": "TTFT", "e2e": "the request time"}[wrong]
    point.note(
        f"the first token came after {ttft_s:.4g} s in requests of {e2e_s:.4g} s, which cannot be; "
        f"{what} contradicts the rest and is left empty"
    )


def replace_tpot(point: Point, why: str) -> None:
    """Work TPOT out of TTFT, request time and tokens, where the tool's own counts something else (stream lines, chunks).

    The mean holds exactly for equal answers; a median is worked out only where the times hardly spread.
    """
    osl = _osl(point) or 0
    point.latency_s = {name: value for name, value in point.latency_s.items() if "_tpot_" not in name}
    for statistic in ("mean", "median") if _is_narrow(point) else ("mean",):
        ttft_s, e2e_s = (point.latency_s.get(f"{statistic}_{name}_s") for name in ("ttft", "e2e"))
        if ttft_s is not None and e2e_s is not None and osl > 1 and e2e_s > ttft_s:
            point.latency_s[f"{statistic}_tpot_s"] = (e2e_s - ttft_s) / (osl - 1)
    found = point.latency_s.get("mean_tpot_s")
    instead = f"(request time - TTFT) / (OSL - 1) = {found:.4g} s stands in its place" if found else "TPOT is left empty"
    point.note(f"{why}; {instead}")


def _is_narrow(point: Point) -> bool:
    """Median and mean of request time agree, so that the difference of two medians is near the median of differences."""
    mean_s, median_s = point.latency_s.get("mean_e2e_s"), point.latency_s.get("median_e2e_s")
    return mean_s is not None and median_s is not None and abs(median_s / mean_s - 1) <= _NARROW_FRAC
