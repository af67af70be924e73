"""vLLM's own counters as an operating point: two scrapes of `/metrics`, or Prometheus ranges of its token counters.

    rate = (counter after - counter before) / (time after - time before)

The server counts everything that it did in that time, warm-up and other clients included,
and idle time between the two scrapes lowers the rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.collect import Imported, canonical
from tokcost.importers.exposition import Scrape, read_range, read_scrape
from tokcost.importers.normalise import row
from tokcost.importers.point import ImportProblem, Point, Problem
from tokcost.importers.table import frame
from tokcost.quantities import QuantityError

INPUT, OUTPUT, CACHED = "vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:prompt_tokens_cached_total"
_HISTOGRAMS = {"ttft": "time_to_first_token", "tpot": "request_time_per_output_token", "e2e": "e2e_request_latency"}
_FAILED = ("abort", "error")


def import_server_metrics(
    paths: Iterable[str | Path], *, seconds: float | None = None, n_gpus: float | None = None, accelerator: str | None = None
) -> Imported:
    """One operating point from a server's counters.

    `paths` are two scrapes of vLLM's `/metrics`, before and after (their times from a
    `.time` file of the same name with seconds since 1970, or `seconds` between them), or
    Prometheus query_range answers for vllm:prompt_tokens_total and
    vllm:generation_tokens_total. Means of TTFT, TPOT and request time come with the scrapes;
    medians do not, because histogram buckets are too coarse for them.
    Raises QuantityError for a wrong call; what a file lacks is a problem of the result.
    """
    paths = [Path(path) for path in paths]
    try:
        is_range = [documents.head(path).lstrip()[:1] == b"{" for path in paths]
        if all(is_range):
            point, source = _from_ranges(paths), paths[-1]
        elif len(paths) == 2 and not any(is_range):
            point, source = _from_scrapes(read_scrape(paths[0]), read_scrape(paths[1]), seconds), paths[1]
        else:
            raise QuantityError("server metrics are two scrapes (before, after) or query_range answers, not a mix of them")
        values = {"source_file": str(source), "source_sha256": documents.sha256(source), **row(point, n_gpus, canonical(accelerator))}
    except ImportProblem as problem:
        return Imported(frame([]), [Problem(" and ".join(map(str, paths)), str(problem))])
    return Imported(frame([values]))


def _from_scrapes(before: Scrape, after: Scrape, seconds: float | None) -> Point:
    point = Point("vllm-metrics", token_source="server usage", model=after.label(OUTPUT, "model_name"))
    if seconds is None:
        if before.at_s is None or after.at_s is None:
            raise ImportProblem(
                "a scrape does not say when it was made; put a .time file with seconds since 1970 beside each, or give the seconds"
            )
        seconds = after.at_s - before.at_s
    if seconds <= 0:
        raise ImportProblem(f"the second scrape was made {-seconds:g} s before the first; give them as before, after")
    point.duration_s = seconds
    point.input_tok, point.output_tok = _grown(before, after, INPUT), _grown(before, after, OUTPUT)
    if point.output_tok is None:
        raise ImportProblem(f"the scrapes have no `{OUTPUT}`; scrape the serving vLLM itself")
    point.cached_input_tok = _grown(before, after, CACHED)
    reasons = {labels.get("finished_reason") for name, labels, _ in after.samples if name == "vllm:request_success_total"}
    ended = {reason: _grown(before, after, "vllm:request_success_total", finished_reason=reason) or 0.0 for reason in reasons if reason}
    point.n_failed = sum(count for reason, count in ended.items() if reason in _FAILED)
    point.n_requests = sum(ended.values()) - point.n_failed
    for name, metric in _HISTOGRAMS.items():
        total_s, count = (_grown(before, after, f"vllm:{metric}_seconds_{part}") for part in ("sum", "count"))
        if total_s and count:
            point.latency_s[f"mean_{name}_s"] = total_s / count
    point.note("counted by the server: warm-up, other clients and idle time between the scrapes are in it")
    return point


def _grown(before: Scrape, after: Scrape, name: str, **labels: str) -> float | None:
    """How much a counter grew; a counter that fell was reset."""
    start, end = before.total(name, **labels), after.total(name, **labels)
    if end is None:
        return None
    grown = end - (start or 0.0)
    if grown < 0:
        raise ImportProblem(f"`{name}` fell by {-grown:g} between the scrapes: the server was restarted, so that the pair measures nothing")
    return grown


def _from_ranges(paths: list[Path]) -> Point:
    point = Point("vllm-metrics", token_source="server usage")
    windows = []
    for path in paths:
        for labels, values in read_range(path):
            name = labels.get("__name__")
            if name not in (INPUT, OUTPUT) or len(values) < 2:
                raise ImportProblem(
                    f"a range must hold at least two samples of `{INPUT}` or `{OUTPUT}`, {path.name} holds {len(values)} of {name!r}"
                )
            if any(b[1] < a[1] for a, b in zip(values, values[1:], strict=False)):
                raise ImportProblem(f"`{name}` falls within the range: the server was restarted; choose a range after it")
            grown = values[-1][1] - values[0][1]
            kind = "input_tok" if name == INPUT else "output_tok"
            setattr(point, kind, (getattr(point, kind) or 0.0) + grown)
            point.model = point.model or labels.get("model_name")
            windows.append((values[0][0], values[-1][0]))
    if point.output_tok is None:
        raise ImportProblem(f"no range of `{OUTPUT}` was given, without which there is no output rate")
    if len(set(windows)) > 1:
        raise ImportProblem("the ranges do not cover the same time; ask Prometheus for the same start and end")
    point.duration_s = windows[0][1] - windows[0][0]
    point.note("counted by the server over the whole range: idle time and other clients are in it")
    return point
