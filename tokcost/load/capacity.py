"""What one replica can do: a measured row as an operating point, with its capacity and the time that a request takes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tokcost.quantities import QuantityError, check_value
from tokcost.serving.best_basis import best_basis
from tokcost.serving.configuration import configuration_label
from tokcost.serving.pareto_frontier import CONFIGURATION, SPEED, Frontier
from tokcost.serving.tokens import SplitRule

#: lengths of the load may be this far from those of the measured point: throughput is known there only
LENGTH_TOLERANCE = 0.25
#: where the latencies and the throughput disagree more on the service time, the row is not one operating point
SERVICE_TIME_TOLERANCE = 0.25
#: what a row must state as well as lengths, interactivity and throughput
STATED = ("concurrency", "n_gpus", "median_ttft_s", "median_tpot_s")


@dataclass(frozen=True)
class OperatingPoint:
    """One measured way to run a replica: its size, its throughput and what its users see."""

    accelerator: str
    model: str
    isl: float
    osl: float
    concurrency: float
    n_gpus: float
    total_tok_per_s_per_gpu: float
    tok_per_s_per_user: float
    median_ttft_s: float
    median_tpot_s: float
    date: str = ""
    label: str = ""

    def __post_init__(self):
        for name in ("isl", "osl", "concurrency", "n_gpus", "total_tok_per_s_per_gpu", "tok_per_s_per_user"):
            check_value(name, getattr(self, name))
        for name in ("median_ttft_s", "median_tpot_s"):
            if not np.isnan(getattr(self, name)):  # a row need not say its latencies
                check_value(name, getattr(self, name))

    def capacity_request_per_s(self, *, isl: float | None = None, osl: float | None = None) -> float:
        """Requests per second that one replica completes: its measured tokens/s over the tokens of a request.

        >>> node = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
        >>> node.capacity_request_per_s()
        2.0
        """
        isl, osl = self.isl if isl is None else isl, self.osl if osl is None else osl
        for name, own, asked in (("isl", self.isl, isl), ("osl", self.osl, osl)):
            check_value(name, asked)
            if abs(asked / own - 1) > LENGTH_TOLERANCE:
                raise QuantityError(
                    f"the load has {name} {asked:g}, the operating point was measured at {own:g}: its throughput is not known there; "
                    f"choose a point measured within {LENGTH_TOLERANCE:.0%} of the load's lengths"
                )
        return self.total_tok_per_s_per_gpu * self.n_gpus / (isl + osl)

    def service_time_s(self, **lengths: float) -> float:
        """Seconds that a request holds its place: concurrency over completed requests per second (Little's law).

        >>> OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02).service_time_s()
        32.0
        """
        return self.concurrency / self.capacity_request_per_s(**lengths)

    def carrying(self, rule: SplitRule, *, isl: float, osl: float, cached_input_frac: float = 0.0) -> OperatingPoint:
        """The same replica under requests of other lengths, with a part of each prompt from a cache: as much work a second.

        `rule` says what a fresh, a cached and an output token count; `tc.serving.workload_weights` has it from two measured
        workloads. Latencies are not known there (NaN). The throughput counts the whole prompt, cached tokens too.

        >>> node = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
        >>> rule = tc.serving.SplitRule("mine", input_weight_ratio=1.0, cached_input_weight_ratio=0.0, output_weight_ratio=3.0)
        >>> agent = node.carrying(rule, isl=10_000, osl=100, cached_input_frac=0.9)
        >>> round(agent.capacity_request_per_s() / node.capacity_request_per_s(), 2)
        3.08
        """
        check_value("cached_input_frac", cached_input_frac)
        own, asked = rule.work(self.isl, 0.0, self.osl), rule.work(isl * (1 - cached_input_frac), isl * cached_input_frac, osl)
        total = self.capacity_request_per_s() * own / asked * (isl + osl) / self.n_gpus
        return replace(self, isl=isl, osl=osl, total_tok_per_s_per_gpu=total, median_ttft_s=np.nan, median_tpot_s=np.nan)

    @property
    def latency_service_time_s(self) -> float:
        """The same by another route: time to first token and then the rest of the answer, token by token."""
        return self.median_ttft_s + (self.osl - 1) * self.median_tpot_s

    @property
    def is_contradictory(self) -> bool:
        """Whether throughput and latencies disagree on the service time; False where a latency is not known."""
        return abs(self.latency_service_time_s / self.service_time_s() - 1) > SERVICE_TIME_TOLERANCE


def operating_point(frontier: Frontier, *, tok_per_s_per_user: float, ttft_limit_s: float | None = None) -> OperatingPoint:
    """The measured row of highest throughput that is at least this fast for a user (and starts within the TTFT limit).

    A measured row and no interpolation: a replica has a size and a concurrency, which lie on no curve.
    With a TTFT limit, rows that do not say their TTFT do not qualify. Nor do rows whose throughput and
    latencies contradict each other by more than a quarter (`skipped_runs`): they are not one operating point.

    Raises: QuantityError where no row is that fast, or none of them qualifies.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", accelerator="h200", precision="fp8", isl=1024)
    >>> node = operating_point(tc.frontier(rows), tok_per_s_per_user=50)
    >>> node.concurrency, node.n_gpus, round(node.tok_per_s_per_user)
    (352.0, 96.0, 63)
    """
    fast, points = _fast_enough(frontier, tok_per_s_per_user, ttft_limit_s)
    sound = [point for point in points if not point.is_contradictory]
    if not sound:
        within = "" if ttft_limit_s is None else f" with a median TTFT within {ttft_limit_s:g} s"
        raise QuantityError(
            f"{frontier.label} has no usable row at {tok_per_s_per_user:g} tok/s/user or faster{within}; its front reaches "
            f"{frontier.reach[1]:.4g}" + (f", and none of the {len(fast)} rows that fast qualifies" if len(fast) else "")
        )
    return sound[0]


def estimated_point(estimates: pd.DataFrame, *, tok_per_s_per_user: float) -> OperatingPoint:
    """The operating point of a chip without runs: of `tc.serving.estimate`, the row with the most throughput that is fast enough.

    Its label says that it is an estimate and what that rests on; no plan shows it as a run. Its time to first token is not known.

    Raises: QuantityError where no estimate is that fast.

    >>> rows = tc.serving.estimate("llama70b", "b300", "fp8", batch=[8, 16, 32], isl=1024, osl=1024, tensor_parallel=4)
    >>> estimated_point(rows, tok_per_s_per_user=70).label
    'estimate, calibrated, dense model'
    """
    check_value(SPEED, tok_per_s_per_user)
    fast = estimates[estimates[SPEED] >= tok_per_s_per_user]
    if fast.empty:
        raise QuantityError(f"no estimate reaches {tok_per_s_per_user:g} tok/s/user; the fastest has {estimates[SPEED].max():.2g}")
    row = fast.loc[fast["total_tok_per_s_per_gpu"].idxmax()]
    own: dict[str, Any] = {name: float(row[name]) for name in ("isl", "osl", "n_gpus", SPEED, "total_tok_per_s_per_gpu")}
    latencies = {"median_ttft_s": math.nan, "median_tpot_s": 1 / own[SPEED]}
    said = {"accelerator": str(row["accelerator"]), "model": str(row["model"]), "label": f"estimate, {row['basis']}"}
    return OperatingPoint(**said, concurrency=float(row["batch"]), **own, **latencies)


def best_point(
    measured: Frontier | None, estimates: pd.DataFrame, *, tok_per_s_per_user: float, ttft_limit_s: float | None = None
) -> OperatingPoint:
    """The operating point on the best basis there is: a measured row where a run is that fast, else an estimate, whose label says so.

    `estimates` may rest on several bases, as `tc.serving.best_basis` orders them. Where runs are that fast and none qualifies, none is
    estimated in its place.

    Raises: QuantityError where neither is that fast, a TTFT limit is asked of an estimate, or estimates are of something else than runs.

    >>> rows = tc.serving.estimate("llama70b", "b300", "fp8", batch=[8, 16, 32], isl=1024, osl=1024, tensor_parallel=4)
    >>> best_point(None, rows, tok_per_s_per_user=70).label
    'estimate, calibrated, dense model'
    """
    best = best_basis(measured, estimates, tok_per_s_per_user=tok_per_s_per_user)
    if isinstance(best, Frontier):
        return operating_point(best, tok_per_s_per_user=tok_per_s_per_user, ttft_limit_s=ttft_limit_s)
    if ttft_limit_s is not None:
        raise QuantityError(f"no run is at {tok_per_s_per_user:g} tok/s/user, and estimates say no TTFT: leave `ttft_limit_s` out")
    return estimated_point(best, tok_per_s_per_user=tok_per_s_per_user)


def skipped_runs(frontier: Frontier, *, tok_per_s_per_user: float, ttft_limit_s: float | None = None) -> list[OperatingPoint]:
    """The rows before `operating_point` in throughput that it passes over because they contradict themselves; most throughput first.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", accelerator="h200", precision="fp8", isl=1024)
    >>> skipped_runs(tc.frontier(rows), tok_per_s_per_user=50)
    []
    """
    _, points = _fast_enough(frontier, tok_per_s_per_user, ttft_limit_s)
    return list(itertools.takewhile(lambda point: point.is_contradictory, points))


def _fast_enough(frontier: Frontier, tok_per_s_per_user: float, ttft_limit_s: float | None):
    """Rows that are fast enough, and those of them that can be an operating point, by falling throughput."""
    check_value(SPEED, tok_per_s_per_user)
    if frontier.throughput != "total_tok_per_s_per_gpu":
        raise QuantityError(f"capacity counts input and output; build the frontier of total_tok_per_s_per_gpu, not {frontier.throughput}")
    missing = [name for name in STATED if name not in frontier.points]
    if missing:
        raise QuantityError(f"the rows have no column `{missing[0]}`; capacity needs {', '.join(STATED)}")
    fast = frontier.points[frontier.points[SPEED] >= tok_per_s_per_user]
    rows = fast.dropna(subset=["concurrency", "n_gpus"])
    if ttft_limit_s is not None:
        check_value("ttft_limit_s", ttft_limit_s)
        rows = rows[rows["median_ttft_s"] <= ttft_limit_s]
    return fast, [_point(row) for _, row in rows.sort_values(frontier.throughput, ascending=False, kind="stable").iterrows()]


def _point(row: pd.Series) -> OperatingPoint:
    return OperatingPoint(
        accelerator=str(row["accelerator"]),
        model=str(row["model"]),
        **{name: float(row[name]) for name in ("isl", "osl", *STATED, SPEED, "total_tok_per_s_per_gpu")},
        date=str(row.get("run_date", "")),
        label=configuration_label({name: row[name] for name in CONFIGURATION[1:] if name in row}),
    )
