"""A fleet for a recorded trace: its requests replayed one by one, with their own times and lengths.

No distribution is assumed: bursts, rhythm and long requests are those of the record. Each request holds one of the places of
a replica for as long as its work takes there; who finds all taken waits, first come first served.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from tokcost.evidence.catalog import Fact
from tokcost.load.capacity import OperatingPoint
from tokcost.load.fleet_plan import rate_of
from tokcost.load.recorded import Trace
from tokcost.quantities import SECONDS_PER_HOUR, TOK_PER_MTOK, QuantityError, check_value
from tokcost.serving.tokens import SplitRule


@dataclass(frozen=True)
class TracePlan:
    """The fewest replicas that keep the service level on a trace, and what its tokens then cost."""

    trace: str
    n_replicas: int
    n_gpus: float
    in_time_frac: float
    utilization_frac: float
    delivered_total_tok: float
    cost_usd: float

    @property
    def total_token_cost_usd_per_mtok(self) -> float:
        """Cost of a million delivered tokens (input + output) over the time of the trace."""
        return self.cost_usd / self.delivered_total_tok * TOK_PER_MTOK


def service_times_s(trace: Trace, point: OperatingPoint, rule: SplitRule) -> np.ndarray:
    """Seconds that each request holds its place: the service time of the point, by how the request's work compares with its own.

    >>> node = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
    >>> chats = tc.load.recorded_trace("azure_2023_conv")
    >>> bool(abs(service_times_s(chats, node, tc.serving.token_weights()).mean() - 32 * (chats.isl + chats.osl) / 2000) < 1e-9)
    True
    """
    requests = trace.requests
    work = rule.work(requests["prompt_tok"] - requests["cached_input_tok"], requests["cached_input_tok"], requests["output_tok"])
    return np.asarray(work, dtype=float) / rule.work(point.isl, 0.0, point.osl) * point.service_time_s()


def waits_s(arrival_s: np.ndarray, service_s: np.ndarray, *, places: int) -> np.ndarray:
    """Seconds that each request waits for one of the places, first come first served.

    >>> waits_s(np.array([0.0, 0.0, 1.0]), np.array([2.0, 3.0, 1.0]), places=2).tolist()
    [0.0, 0.0, 1.0]
    """
    free = [0.0] * places  # when each place is free again, as a heap
    waits = np.empty(len(arrival_s))
    for i, (at, held) in enumerate(zip(arrival_s.tolist(), service_s.tolist(), strict=True)):
        start = max(at, free[0])
        heapq.heapreplace(free, start + held)
        waits[i] = start - at
    return waits


def plan_trace(
    trace: Trace,
    point: OperatingPoint,
    rule: SplitRule,
    *,
    rate_usd_per_gpu_h: Fact | float,
    service_level_frac: float,
    wait_limit_s: float,
    n_replicas: int | None = None,
) -> TracePlan:
    """The fewest replicas with which this share of the requests starts within the wait limit when the trace is replayed.

    `rule` says what a fresh, a cached and an output token count (`tc.serving.workload_weights`); `n_replicas` fixes the fleet.
    Raises: QuantityError for a rate of another accelerator, and where a share or a limit is out of range.

    >>> node = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
    >>> level = {"rate_usd_per_gpu_h": 2.0, "service_level_frac": 0.99, "wait_limit_s": 1.0}
    >>> found = plan_trace(tc.load.recorded_trace("azure_2023_conv"), node, tc.serving.token_weights(), **level)
    >>> found.n_replicas, found.in_time_frac >= 0.99
    (4, True)
    """
    rate = rate_of(point, rate_usd_per_gpu_h)
    check_value("service_level_frac", service_level_frac)
    check_value("wait_limit_s", wait_limit_s)
    held, at = service_times_s(trace, point, rule), trace.requests["arrival_s"].to_numpy()

    def in_time(replicas: int) -> float:
        return float((waits_s(at, held, places=replicas * round(point.concurrency)) <= wait_limit_s).mean())

    if n_replicas is None:
        n_replicas = 1
        while in_time(n_replicas) < service_level_frac:
            n_replicas *= 2
        too_few = n_replicas // 2
        while n_replicas - too_few > 1:  # more places never make anyone wait longer, so a bisection finds the fewest
            middle = (n_replicas + too_few) // 2
            n_replicas, too_few = (middle, too_few) if in_time(middle) >= service_level_frac else (n_replicas, middle)
    elif n_replicas < 1:
        raise QuantityError(f"a fleet has one replica at least, got {n_replicas}")
    n_gpus, busy = n_replicas * point.n_gpus, held.sum() / (n_replicas * round(point.concurrency) * trace.span_s)
    return TracePlan(
        trace=trace.name,
        n_replicas=n_replicas,
        n_gpus=n_gpus,
        in_time_frac=in_time(n_replicas),
        utilization_frac=float(busy),
        delivered_total_tok=trace.total_tok,
        cost_usd=n_gpus * trace.span_s / SECONDS_PER_HOUR * rate,
    )
