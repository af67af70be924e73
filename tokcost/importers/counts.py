"""Whose count of output tokens holds, where a file has several, and what a count cannot be.

Two right counts of the same tokens (the server's, the client's tokenizer) differ by a few per cent. Where they differ
by more than a fifth, one is wrong: a server that counts one token a request or always the most that was asked for, a
tokenizer that misses reasoning or degenerate text. What the file knows of the stream decides:

    tokens of a request = 1 + (request time - TTFT) / gap between chunks x tokens a chunk

or the length that every answer was told to have. Where nothing decides, there is no output throughput.
"""

from __future__ import annotations

from tokcost.importers.fields import LARGEST
from tokcost.importers.point import ImportProblem, Point

#: how far two right counts of the same tokens (client, server) were seen apart
TOKEN_COUNT_SPREAD_FRAC = 0.2
#: a smaller difference is said as well
DIFFERENCE_NOTED_FRAC = 0.02
_WHO = {"server usage": "the server", "client": "the client", "requested": "the length that was asked for"}


def settle(point: Point) -> None:
    """Choose among the counts of a point, and empty what no count can be."""
    n_requests, chunks = point.n_requests, _chunks(point)
    if not n_requests:
        return
    counts = {who: tokens for who, tokens in point.counts.items() if tokens is not None}
    if point.output_tok is not None and point.token_source:
        counts = {point.token_source: point.output_tok, **counts}
    if len(counts) > 1:
        _compare(point, counts, n_requests)
    elif point.output_tok and chunks and chunks > (1 + TOKEN_COUNT_SPREAD_FRAC) * point.output_tok / n_requests + 2:
        point.note(
            f"{point.output_tok / n_requests:.4g} output tokens a request are counted, while about {chunks:.4g} chunks of "
            "one token or more were streamed: the count misses tokens, and the output throughput is left empty"
        )
        _empty(point)
    for name in ("input", "output"):
        if getattr(point, f"{name}_tok") == 0:
            point.note(
                f"{n_requests:g} requests succeeded and no {name} token is counted: a count that failed, not a throughput of zero; "
                f"{name} and total throughput are left empty"
            )
            setattr(point, f"{name}_tok", None)
            point.is_throughput_empty = True


def _compare(point: Point, counts: dict[str, float], n_requests: float) -> None:
    used, mine = next(iter(counts.items()))  # the point's own, where it has one
    others = {who: tokens for who, tokens in counts.items() if who != used}
    if not any(_is_apart(mine, theirs) for theirs in others.values()):
        far = {who: tokens for who, tokens in others.items() if abs(tokens - mine) > DIFFERENCE_NOTED_FRAC * mine}
        for who, tokens in far.items():
            point.note(
                f"{_WHO[who]} counted {tokens:.0f} output tokens, {_WHO[used]} {mine:.0f}; the latter's count was used"
                + (", while TPOT is by the former's count" if point.is_tpot_by_client and who == "client" else "")
            )
        return
    said = ", ".join(
        f"{_WHO[who]} {tokens:.0f} output tokens" + (f" = {tokens / point.duration_s:.4g} tokens/s" if point.duration_s else "")
        for who, tokens in counts.items()
    )
    holding = [who for who, tokens in counts.items() if _holds(point, tokens / n_requests, who)]
    if holding and not any(_is_apart(counts[who], counts[holding[0]]) for who in holding):
        point.token_source, point.output_tok = holding[0], counts[holding[0]]
        point.note(f"the counts contradict each other ({said}); {_WHO[holding[0]]} is right by {_evidence(point)}")
        point.is_tpot_wrong = True
    else:
        point.note(f"the counts contradict each other ({said}) and nothing in the file decides: the output throughput is left empty")
        _empty(point)


def _is_apart(one: float, other: float) -> bool:
    return abs(one - other) > TOKEN_COUNT_SPREAD_FRAC * max(one, other)


def _holds(point: Point, each: float, who: str) -> bool:
    """Does all that the file knows of the stream allow so many tokens a request? What was asked for is no proof of itself."""
    answers = []
    chunks = _chunks(point)
    if chunks is not None and point.chunk_gap_s:
        # from the tokens after the first alone up to those of the whole request, which a tokenizer may not have seen all
        most = 1 + point.latency_s["mean_e2e_s"] / point.chunk_gap_s * point.chunk_tok
        answers.append((1 - TOKEN_COUNT_SPREAD_FRAC) * chunks <= each <= (1 + TOKEN_COUNT_SPREAD_FRAC) * most)
    if point.told_osl is not None and who != "requested":
        answers.append(not _is_apart(each, point.told_osl))
    return bool(answers) and all(answers)


def _chunks(point: Point) -> float | None:
    """Tokens of a mean request by its times and the gap between chunks."""
    ttft_s, e2e_s = point.latency_s.get("mean_ttft_s"), point.latency_s.get("mean_e2e_s")
    if not point.chunk_gap_s or ttft_s is None or e2e_s is None or e2e_s < ttft_s:
        return None
    return 1 + (e2e_s - ttft_s) / point.chunk_gap_s * point.chunk_tok


def _evidence(point: Point) -> str:
    found = []
    if _chunks(point) is not None:
        found.append(f"the gap of {point.chunk_gap_s:.4g} s between chunks")
    if point.told_osl is not None:
        found.append(f"the {point.told_osl:g} tokens that each answer was told to have")
    return " and ".join(found)


def _empty(point: Point) -> None:
    point.output_tok = point.osl = point.token_source = None
    point.is_throughput_empty = True
    point.stated_output_tok_per_s = point.stated_total_tok_per_s = None
    point.latency_s = {name: value for name, value in point.latency_s.items() if "_tpot_" not in name}


def require_counts(point: Point) -> None:
    """Counts and times are finite and not negative, and requests whole, whichever way a reader came by them."""
    for name in ("duration_s", "n_requests", "n_failed", "input_tok", "output_tok", "total_tok", "cached_input_tok", "energy_joule"):
        value = getattr(point, name)
        is_part = name.endswith("_tok") and value is not None and 0 < value < 0.5
        if is_part or value is not None and not 0 <= value < LARGEST:
            raise ImportProblem(f"{name} comes to {value:g}, which cannot be; a number in the file is damaged")
        if value is not None and name in ("n_requests", "n_failed") and abs(value - round(value)) > 0.01:
            raise ImportProblem(f"{name} comes to {value:g}, but requests are whole; a number in the file is damaged")
    if point.n_requests == 0 and point.output_tok:
        raise ImportProblem(f"no request succeeded, yet {point.output_tok:g} output tokens are counted; a number in the file is damaged")
