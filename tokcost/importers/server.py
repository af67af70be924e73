"""vLLM's own counters as an operating point: two scrapes of `/metrics`, or Prometheus ranges of its token counters.

    tokens/s = (counter after - counter before) / (time after - time before)

Each server counts everything that it did in that time, warm-up and other clients included, and idle time between the
two scrapes lowers the throughput. What several servers count of one request is counted once:
- of a split deployment, prompts count where they are prefilled and answers where they are decoded; a decoding server is
  known by its name, or because nearly all its prompt tokens came from another one (`prompt_tokens_by_source`), a
  prefilling one also because it writes one token a request;
- a router or proxy that counts what its servers count is excluded; one counter that is scraped twice counts once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.collect import Imported, canonical, require_gpus
from tokcost.importers.exposition import Scrape, read_range, read_scrape
from tokcost.importers.fields import LARGEST
from tokcost.importers.normalise import row
from tokcost.importers.point import UNEXPECTED, ImportProblem, Point, Problem, as_problem
from tokcost.importers.roles import BY_SOURCE, ENDED, OUTPUT, PROMPT, Growth, tell_apart
from tokcost.importers.table import frame
from tokcost.quantities import QuantityError

CACHED = "vllm:prompt_tokens_cached_total"
_HISTOGRAMS = {"ttft": "time_to_first_token", "tpot": "request_time_per_output_token", "e2e": "e2e_request_latency"}
_FAILED = ("abort", "error")


def server_metrics(
    paths: Iterable[str | Path], *, seconds: float | None = None, n_gpus: float | None = None, accelerator: str | None = None
) -> Imported:
    """One operating point from the counters of a deployment's servers.

    `paths` are two scrapes of vLLM's `/metrics`, before and after (their times from a
    `.time` file of the same name with seconds since 1970, or `seconds` between them), or
    Prometheus query_range answers for vllm:prompt_tokens_total and
    vllm:generation_tokens_total. Means of TTFT, TPOT and request time come with the scrapes;
    medians do not, because histogram buckets are too coarse for them.

    Returns `Imported`: `points` has one row with the columns of `benchmarks`; what a file lacks is a problem.
    Raises: QuantityError for a wrong call: a number of seconds that is none, scrapes mixed with ranges.

    >>> scrapes = [f"tests/samples/vllm-0.32.0/metrics/metrics_{when}_c4.prom" for when in ("before", "after")]
    >>> round(float(server_metrics(scrapes).points.output_tok_per_s[0]), 1)
    40.4
    """
    require_gpus(n_gpus)
    paths = [Path(path) for path in paths]
    if seconds is not None and not 0 < seconds < LARGEST:
        raise QuantityError(f"`seconds` must be a number of seconds above 0, got {seconds}")
    try:
        is_range = [documents.head(path).lstrip()[:1] == b"{" for path in paths]
        if paths and all(is_range):
            point, source = _from_ranges(paths), paths[-1]
        elif len(paths) == 2 and not any(is_range):
            point, source = _from_scrapes(read_scrape(paths[0]), read_scrape(paths[1]), seconds), paths[1]
        else:
            raise QuantityError("server metrics are two scrapes (before, after) or query_range answers, not a mix of them")
        values = {"source_file": str(source), "source_sha256": documents.sha256(source), **row(point, n_gpus, canonical(accelerator))}
    except UNEXPECTED as error:
        if isinstance(error, QuantityError) and not isinstance(error, ImportProblem):
            raise
        return Imported(frame([]), [Problem(" and ".join(map(str, paths)), str(as_problem(error)))])
    return Imported(frame([values]))


@dataclass
class _Sums:
    """Growths of a deployment, summed over the servers that count each."""

    growths: list[Growth]

    def of(self, name: str, keep: Callable[[Growth], bool] = lambda growth: True) -> float | None:
        found = [growth.grown for growth in self.growths if growth.name == name and keep(growth)]
        return math.fsum(found) if found else None


def _point(growths: list[Growth], duration_s: float) -> Point:
    """Tokens and requests, each counted by the servers whose count of it holds."""
    point = Point("vllm-metrics", token_source="server usage", duration_s=duration_s)
    if not any(growth.name == OUTPUT for growth in growths):
        raise ImportProblem(f"there is no `{OUTPUT}`, without which there is no output throughput; scrape the serving vLLM itself")
    roles = tell_apart(growths, point)
    sums = _Sums(growths)
    models = dict.fromkeys(growth.labels["model_name"] for growth in growths if "model_name" in growth.labels)
    point.model = next(iter(models), None)
    if len(models) > 1:
        point.note(f"the servers hold {len(models)} models ({', '.join(models)}); their tokens are summed")
    point.input_tok, point.output_tok = sums.of(PROMPT, roles.reads_prompts), sums.of(OUTPUT, roles.gives_answers)
    point.cached_input_tok = sums.of(CACHED, roles.reads_prompts)
    ended = [growth for growth in growths if growth.name == ENDED and roles.gives_answers(growth)]
    if ended:
        failed = [growth.labels.get("finished_reason") in _FAILED for growth in ended]
        point.n_failed = math.fsum(growth.grown for growth, is_failed in zip(ended, failed, strict=True) if is_failed)
        point.n_requests = math.fsum(growth.grown for growth in ended) - point.n_failed
    for name, metric in _HISTOGRAMS.items():
        total_s, count = (sums.of(f"vllm:{metric}_seconds_{part}", roles.gives_answers) for part in ("sum", "count"))
        if total_s and count and (name == "tpot" or not roles.is_split):
            point.latency_s[f"mean_{name}_s"] = total_s / count
    return point


def _from_scrapes(before: Scrape, after: Scrape, seconds: float | None) -> Point:
    if seconds is None:
        if before.at_s is None or after.at_s is None:
            raise ImportProblem(
                "a scrape does not say when it was made; put a .time file with seconds since 1970 next to each, or give the seconds"
            )
        seconds = after.at_s - before.at_s
    if seconds <= 0:
        raise ImportProblem(f"the second scrape was made {-seconds:g} s before the first; give them as before, after")
    if not any(name == OUTPUT for name, _, _ in after.samples):
        raise ImportProblem(f"the scrapes have no `{OUTPUT}`; scrape the serving vLLM itself")
    start = {(name, tuple(sorted(labels.items()))): value for name, labels, value in before.samples}
    read = {OUTPUT, PROMPT, CACHED, ENDED, BY_SOURCE}
    read |= {f"vllm:{metric}_seconds_{part}" for metric in _HISTOGRAMS.values() for part in ("sum", "count")}
    growths = [
        _grown(name, labels, start.get((name, tuple(sorted(labels.items()))), 0.0), value)
        for name, labels, value in after.samples
        if name in read and math.isfinite(value)
    ]
    point = _point(growths, seconds)
    point.note("counted by the server: warm-up, other clients and idle time between the scrapes are in it")
    return point


def _grown(name: str, labels: dict[str, str], start: float, end: float) -> Growth:
    """How much a counter grew; a counter that fell was reset."""
    if end < start:
        raise ImportProblem(
            f"`{name}` fell by {start - end:g} between the scrapes: the server was restarted, so that the pair measures nothing"
        )
    return Growth(name, labels, end - start)


def _from_ranges(paths: list[Path]) -> Point:
    growths, windows = [], []
    for path in paths:
        for labels, values in read_range(path):
            name = labels.get("__name__")
            if name not in (PROMPT, OUTPUT, BY_SOURCE) or len(values) < 2:
                raise ImportProblem(
                    f"a range must hold at least two samples of `{PROMPT}` or `{OUTPUT}`, {path.name} holds {len(values)} of {name!r}"
                )
            if any(b[1] < a[1] for a, b in zip(values, values[1:], strict=False)):
                raise ImportProblem(f"`{name}` falls within the range: the server was restarted; choose a range after it")
            growths.append(Growth(name, labels, values[-1][1] - values[0][1]))
            windows.append((values[0][0], values[-1][0]))
    if not any(growth.name == OUTPUT for growth in growths):
        raise ImportProblem(f"no range of `{OUTPUT}` was given, without which there is no output throughput")
    if len(set(windows)) > 1:
        raise ImportProblem("the ranges do not cover the same time; ask Prometheus for the same start and end")
    point = _point(growths, windows[0][1] - windows[0][0])
    point.note("counted by the server over the whole range: idle time and other clients are in it")
    return point
