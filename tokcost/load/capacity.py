"""How many replicas a load needs, so that enough requests start in time.

Each replica serves up to `concurrency` requests at once; each request holds one of these places for
the service time of the measured operating point. All replicas share one queue. That is M/M/c with
c = replicas x concurrency places: Poisson arrivals, exponential service times, first come first served.

    share that waits         C(c, a)   Erlang C, with a = arrivals per second x service time
    waits longer than t      C(c, a) x exp(-(c - a) x t / service time)

Real answers vary less in length than an exponential time does, so the queue is a little shorter than
stated: the capacity is on the safe side. Arrivals in bursts are not: give the peak within the hour.
A partly filled replica answers faster than at its measured concurrency; that gain is not counted.
Source: A. K. Erlang (1917); W. Whitt, "Understanding the efficiency of multi-server service systems" (1992).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost.quantities import QuantityError, check_value
from tokcost.serving.configuration import configuration_label
from tokcost.serving.pareto_frontier import CONFIGURATION, SPEED, Frontier

#: lengths of the load may be this far from those of the measured point: throughput is known there only
LENGTH_TOLERANCE = 0.25
#: where the latencies and the throughput disagree more on the service time, the row is not one operating point
SERVICE_TIME_TOLERANCE = 0.25
#: what a row must state beside lengths, interactivity and throughput
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


def erlang_c(*, servers: ArrayLike, erlangs: ArrayLike) -> np.ndarray:
    """Share of arrivals that find every place taken (M/M/c); 1 where the load is more than the places can do.

    >>> round(float(erlang_c(servers=1, erlangs=0.5)), 12), round(float(erlang_c(servers=2, erlangs=1)), 6)
    (0.5, 0.333333)
    """
    from scipy.special import gammaln, pdtr, xlogy

    servers, erlangs = np.asarray(servers, dtype=float), np.asarray(erlangs, dtype=float)
    is_stable = erlangs < servers
    load = np.where(is_stable, erlangs, 0.0)
    blocked = np.exp(xlogy(servers, load) - load - gammaln(servers + 1)) / pdtr(servers, load)
    return np.where(is_stable, blocked / (1 - load / np.maximum(servers, 1) * (1 - blocked)), 1.0)


def in_time_frac(*, offered_request_per_s: ArrayLike, service_time_s: float, servers: ArrayLike, wait_limit_s: float) -> np.ndarray:
    """Share of requests that start within the wait limit; 0 where the queue grows without end.

    >>> round(float(in_time_frac(offered_request_per_s=0.5, service_time_s=1, servers=1, wait_limit_s=0)), 12)
    0.5
    """
    erlangs = np.asarray(offered_request_per_s, dtype=float) * service_time_s
    spare = np.asarray(servers, dtype=float) - erlangs
    with np.errstate(over="ignore"):
        late = erlang_c(servers=servers, erlangs=erlangs) * np.exp(-np.maximum(spare, 0) * wait_limit_s / service_time_s)
    return np.where(spare > 0, 1 - late, np.where(erlangs > 0, 0.0, 1.0))


def replicas_needed(
    *, offered_request_per_s: ArrayLike, service_time_s: float, concurrency: float, wait_limit_s: float, service_level_frac: float
) -> np.ndarray:
    """The fewest whole replicas with which enough requests start in time, for each of the offered requests per second.

    No request needs no replica. More replicas never lower the share in time, so a bisection finds the fewest.

    Raises: QuantityError for an hour whose requests are not known.

    >>> level = {"wait_limit_s": 0.5, "service_level_frac": 0.95}
    >>> replicas_needed(offered_request_per_s=[0, 1, 10], service_time_s=10, concurrency=16, **level).tolist()
    [0, 1, 8]
    """
    for name, value in (
        ("offered_request_per_s", offered_request_per_s),
        ("service_time_s", service_time_s),
        ("concurrency", concurrency),
        ("wait_limit_s", wait_limit_s),
        ("service_level_frac", service_level_frac),
    ):
        check_value(name, value)
    offered = np.asarray(offered_request_per_s, dtype=float)
    if np.isnan(offered).any():
        raise QuantityError("an hour without known requests per second has no capacity; fill the gap or leave the hour out")
    places = round(concurrency)

    def is_enough(replicas):
        share = in_time_frac(
            offered_request_per_s=offered, service_time_s=service_time_s, servers=replicas * places, wait_limit_s=wait_limit_s
        )
        return share >= np.where(offered > 0, np.maximum(service_level_frac, np.finfo(float).tiny), 0.0)

    too_few = np.where(offered > 0, np.floor(offered * service_time_s / places), -1.0)
    enough = too_few + 1
    step = 1.0
    while not (done := is_enough(enough)).all():
        too_few = np.where(done, too_few, enough)
        enough = np.where(done, enough, enough + step)
        step *= 2
    while (gap := enough - too_few).max(initial=1) > 1:
        middle = np.where(gap > 1, too_few + np.floor(gap / 2), enough)
        good = is_enough(middle)
        enough, too_few = np.where(good, middle, enough), np.where(good, too_few, middle)
    return enough.astype(int)
