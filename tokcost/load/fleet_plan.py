"""From a load and a service level to replicas, utilization, idle cost and the cost of a delivered token.

    offered load        what users send, as a share of what the paid capacity could do
    allocation          paid GPU-hours, as a share of a fleet that holds the peak in every hour
    utilization         delivered tokens, as a share of what the paid GPU-hours could deliver

Three names for three things; busy time (what nvidia-smi shows) and MFU are two more, and neither enters
here: the measured throughput already contains them. Utilization is applied once, to tokens: idle hours are paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost import formulas
from tokcost.evidence.catalog import Fact
from tokcost.load.capacity import OperatingPoint
from tokcost.load.profiles import LoadProfile
from tokcost.load.queueing import in_time_frac, replicas_needed
from tokcost.quantities import SECONDS_PER_HOUR, QuantityError, check_value, check_whole, of
from tokcost.serving.pareto_frontier import require_fact_of

#: what `LoadPlan.summary` tells
SUMMARY = """
n_gpus paid_gpu_h busy_gpu_h utilization_frac allocation_frac in_time_frac offered_total_tok delivered_total_tok unserved_total_tok
cost_usd idle_cost_usd allocation_token_cost_usd_per_mtok usage_token_cost_usd_per_mtok
"""


@dataclass(frozen=True)
class Autoscaling:
    """Replicas follow the load: never fewer than the minimum, each paid for while it starts.

    Replicas are started `scale_up_delay_h` before the hour that needs them, so that the service level
    holds in every hour; the delay costs money instead. Suits loads that can be foreseen, as that of a working day can.
    """

    min_replicas: int
    scale_up_delay_h: float

    def __post_init__(self):
        check_whole("min_replicas", self.min_replicas)
        check_value("scale_up_delay_h", self.scale_up_delay_h)

    def serving(self, needed: np.ndarray) -> np.ndarray:
        """Replicas that answer in each hour."""
        return np.maximum(needed, self.min_replicas)

    def paid(self, needed: np.ndarray) -> np.ndarray:
        """Replicas paid in each hour, starting ones included (the period repeats, along the last axis).

        At every moment that is the most which any hour within the delay ahead needs.

        >>> Autoscaling(min_replicas=1, scale_up_delay_h=0.25).paid(np.array([0, 4, 0, 0])).tolist()
        [1.75, 4.0, 1.0, 1.0]
        """
        serving = self.serving(needed).astype(float)
        whole, part = divmod(self.scale_up_delay_h, 1)
        near = np.max([np.roll(serving, -ahead, axis=-1) for ahead in range(int(whole) + 1)], axis=0)
        next_too = np.maximum(near, np.roll(serving, -int(whole) - 1, axis=-1))
        return (1 - part) * near + part * next_too


@dataclass(frozen=True, eq=False)
class LoadPlan:
    """What serving a load takes, hour by hour, and what a delivered token then costs.

    `hours`: offered and delivered requests per second, requests that found no capacity, replicas needed, serving and paid,
    requests per second that the paid ones can complete, `offered_load_frac`, `in_time_frac`, paid and busy GPU-hours.
    NaN: not stated by this kind of plan.
    """

    profile: LoadProfile
    point: OperatingPoint
    rate_usd_per_gpu_h: float
    hours: pd.DataFrame

    def _tokens(self, column: str) -> float:
        return float(self.hours[column].sum() * SECONDS_PER_HOUR * (self.profile.isl + self.profile.osl))

    @property
    def offered_total_tok(self) -> float:
        return self._tokens("offered_request_per_s")

    @property
    def delivered_total_tok(self) -> float:
        return self._tokens("delivered_request_per_s")

    @property
    def unserved_total_tok(self) -> float:
        return self._tokens("unserved_request_per_s")

    @property
    def n_gpus(self) -> float:
        """GPUs in the hour that pays for most."""
        return float(self.hours["paid_replicas"].max() * self.point.n_gpus)

    @property
    def paid_gpu_h(self) -> float:
        return float(self.hours["paid_gpu_h"].sum())

    @property
    def busy_gpu_h(self) -> float:
        """GPU-hours that the delivered tokens take at the measured throughput."""
        return float(self.hours["busy_gpu_h"].sum())

    @property
    def utilization_frac(self) -> float:
        """Delivered tokens over what the paid GPU-hours could have delivered at the measured operating point."""
        return self.busy_gpu_h / self.paid_gpu_h

    @property
    def allocation_frac(self) -> float:
        """Paid GPU-hours over those of a fleet of peak size that is paid in every hour."""
        return self.paid_gpu_h / (self.n_gpus * len(self.hours))

    @property
    def in_time_frac(self) -> float:
        """Share of all requests that start within the wait limit."""
        return float(np.average(self.hours["in_time_frac"], weights=self.hours["offered_request_per_s"]))

    @property
    def cost_usd(self) -> float:
        return self.paid_gpu_h * self.rate_usd_per_gpu_h

    @property
    def usage_cost_usd(self) -> float:
        """Usage basis: what the busy GPU-hours alone cost."""
        return self.busy_gpu_h * self.rate_usd_per_gpu_h

    @property
    def idle_cost_usd(self) -> float:
        """Paid and not used: the difference of the two bases."""
        return self.cost_usd - self.usage_cost_usd

    @property
    def allocation_token_cost_usd_per_mtok(self) -> float:
        """Cost per million delivered tokens (input + output) when all paid hours count. Decide on this one."""
        if self.utilization_frac < of("utilization_frac").low:
            raise QuantityError(
                f"the load uses {self.utilization_frac:.1g} of the {self.n_gpus:g} GPUs that it is given: too little for a cost per token "
                "to mean anything; offer more requests, or plan with a smaller replica"
            )
        delivered = formulas.delivered_total_tok_per_s_per_gpu(
            total_tok_per_s_per_gpu=self.point.total_tok_per_s_per_gpu, utilization_frac=self.utilization_frac
        )
        return formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=self.rate_usd_per_gpu_h, total_tok_per_s_per_gpu=delivered)

    @property
    def usage_token_cost_usd_per_mtok(self) -> float:
        """Cost per million delivered tokens when only busy hours count: what a benchmark at full load shows."""
        return formulas.total_token_cost_usd_per_mtok(
            rate_usd_per_gpu_h=self.rate_usd_per_gpu_h, total_tok_per_s_per_gpu=self.point.total_tok_per_s_per_gpu
        )

    def summary(self) -> pd.Series:
        """The plan in one row, for a table or a comparison of plans."""
        return pd.Series({name: getattr(self, name) for name in SUMMARY.split()}, name=self.profile.name)


def plan(
    profile: LoadProfile,
    point: OperatingPoint,
    *,
    rate_usd_per_gpu_h: Fact | float,
    service_level_frac: float,
    wait_limit_s: float,
    autoscaling: Autoscaling | None = None,
    n_replicas: int | None = None,
    arrival_cv: float = 1.0,
    service_cv: float = 1.0,
) -> LoadPlan:
    """The replicas with which `service_level_frac` of the requests start within the wait limit in every hour, and their cost.

    Without autoscaling the fleet has the size of the busiest hour, always. `n_replicas` fixes the fleet instead:
    what it cannot do in an hour is not served, and shown. Capacity follows the peak within the hour, tokens its average.
    `arrival_cv` and `service_cv` say how uneven arrivals and service times are within that peak (`replicas_needed`).

    Raises: QuantityError for a rate of another accelerator, lengths that the point was not measured at, or a fleet both fixed and
    autoscaled.

    >>> node = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
    >>> day = tc.load.hourly_profile([1, 5, 1, 1], isl=1000, osl=1000)
    >>> plan = plan(day, node, rate_usd_per_gpu_h=2.0, service_level_frac=0.95, wait_limit_s=1)
    >>> plan.n_gpus, round(plan.utilization_frac, 4), round(plan.allocation_token_cost_usd_per_mtok, 2)
    (24.0, 0.3333, 3.33)
    """
    rate = rate_of(point, rate_usd_per_gpu_h)
    lengths = {"isl": profile.isl, "osl": profile.osl}
    queue = {"service_time_s": point.service_time_s(**lengths), "wait_limit_s": wait_limit_s}
    queue |= {"arrival_cv": arrival_cv, "service_cv": service_cv}
    mean, peak = (profile.hours[name].to_numpy(float) for name in ("offered_request_per_s", "peak_offered_request_per_s"))
    needed = replicas_needed(offered_request_per_s=peak, concurrency=point.concurrency, service_level_frac=service_level_frac, **queue)
    if n_replicas is not None and autoscaling is not None:
        raise QuantityError("a plan has either a fixed number of replicas or autoscaling; give one of the two")
    if autoscaling is not None:
        serving, paid = autoscaling.serving(needed), autoscaling.paid(needed)
    else:
        fixed = needed.max() if n_replicas is None else check_whole("n_replicas", n_replicas, low=1)
        serving = paid = np.full(len(mean), fixed)
    capacity = serving * point.capacity_request_per_s(**lengths)
    delivered = np.minimum(mean, capacity)
    in_time = in_time_frac(offered_request_per_s=peak, servers=serving * round(point.concurrency), **queue)
    return _plan(profile, point, rate, delivered, unserved=mean - delivered, needed=needed, serving=serving, paid=paid, in_time=in_time)


def batch_request_per_s(offered_request_per_s: ArrayLike, *, deadline_h: float) -> float:
    """The steady requests per second with which everything is done within the deadline of its arrival, first come first served.

    The most that any window of hours asks for, over that window and the deadline together; never below the average.

    >>> batch_request_per_s([0, 6, 0, 0, 0, 0], deadline_h=0), batch_request_per_s([0, 6, 0, 0, 0, 0], deadline_h=2)
    (6.0, 2.0)
    """
    check_value("deadline_h", deadline_h)
    offered = np.asarray(offered_request_per_s, dtype=float)
    so_far = np.concatenate([[0.0], np.cumsum(np.tile(offered, 2))])
    n = len(offered)
    most = [(so_far[length : length + n] - so_far[:n]).max() / (length + deadline_h) for length in range(1, n + 1)]
    return float(max(*most, offered.mean()))


def plan_batch(
    profile: LoadProfile, point: OperatingPoint, *, rate_usd_per_gpu_h: Fact | float, deadline_h: float, n_replicas: int | None = None
) -> LoadPlan:
    """The same load as batch work: it may wait up to the deadline, so a smaller fleet works through it evenly.

    A flow, not a queue of single requests: fit for deadlines far longer than one answer takes.

    Raises: QuantityError for fewer replicas than the deadline needs, and where `plan` raises for the rate and the lengths.

    >>> node = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
    >>> plan_batch(tc.load.hourly_profile([1, 5, 1, 1], isl=1000, osl=1000), node, rate_usd_per_gpu_h=2.0, deadline_h=4).n_gpus
    8.0
    """
    rate = rate_of(point, rate_usd_per_gpu_h)
    offered = profile.hours["offered_request_per_s"].to_numpy(float)
    each = point.capacity_request_per_s(isl=profile.isl, osl=profile.osl)
    # Rounded before it is raised: 3.0000000000000004 replicas are three.
    needed = int(np.ceil(round(batch_request_per_s(offered, deadline_h=deadline_h) / each, 9)))
    fixed = needed if n_replicas is None else check_whole("n_replicas", n_replicas, low=1)
    if fixed < needed:
        raise QuantityError(f"{fixed} replicas cannot finish every hour's work within {deadline_h:g} h; the fewest that can are {needed}")
    delivered = _worked_through(offered, fixed * each)
    full = np.full(len(offered), fixed)
    return _plan(profile, point, rate, delivered, unserved=0.0 * offered, needed=np.full(len(offered), needed), serving=full, paid=full)


def fill_valleys(plan: LoadPlan, *, deadline_h: float) -> LoadPlan:
    """The same fleet with batch work of the same kind on the replicas that an hour does not need for its service level.

    As much as arrives evenly and is always done within the deadline. Both kinds count as delivered; the paid hours stay.
    Raises: QuantityError where no replica is ever free.

    >>> node = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
    >>> level = {"rate_usd_per_gpu_h": 2.0, "service_level_frac": 0.95, "wait_limit_s": 1}
    >>> filled = fill_valleys(tc.load.plan(tc.load.hourly_profile([1, 5, 1, 1], isl=1000, osl=1000), node, **level), deadline_h=4)
    >>> filled.n_gpus, round(filled.utilization_frac, 2)
    (24.0, 0.83)
    """
    check_value("deadline_h", deadline_h)
    hours, n = plan.hours, len(plan.hours)
    each = plan.point.capacity_request_per_s(isl=plan.profile.isl, osl=plan.profile.osl)
    free = np.maximum(hours["serving_replicas"] - hours["needed_replicas"], 0).to_numpy(float) * each
    length = min(max(int(deadline_h), 1), n)
    so_far = np.concatenate([[0.0], np.cumsum(np.tile(free, 2))])
    steady = float((so_far[length : length + n] - so_far[:n]).min() / length)
    if not free.any():
        raise QuantityError("no hour of this plan leaves a whole replica free; there is no valley to fill")
    named = {name: hours[name] + steady for name in ("offered_request_per_s", "peak_offered_request_per_s")}
    profile = replace(plan.profile, hours=plan.profile.hours.assign(**named))
    columns = {name: hours[f"{name}_replicas"].to_numpy() for name in ("needed", "serving", "paid")}
    delivered = hours["delivered_request_per_s"].to_numpy() + _worked_through(np.full(n, steady), free)
    unserved, in_time = hours["unserved_request_per_s"].to_numpy(), hours["in_time_frac"].to_numpy()
    return _plan(profile, plan.point, plan.rate_usd_per_gpu_h, delivered, unserved=unserved, in_time=in_time, **columns)


def _worked_through(offered: np.ndarray, capacity: float | np.ndarray) -> np.ndarray:
    """Requests per second done in each hour of a period that repeats: the second round starts with what the first left."""
    delivered, backlog = np.zeros(len(offered)), 0.0
    capacities = np.broadcast_to(capacity, len(offered))
    for _ in range(2):
        for hour, arriving in enumerate(offered):
            delivered[hour] = min(backlog + arriving, capacities[hour])
            backlog += arriving - delivered[hour]
    return delivered


def _plan(
    profile: LoadProfile, point: OperatingPoint, rate: float, delivered, *, unserved, needed, serving, paid, in_time: ArrayLike = np.nan
) -> LoadPlan:
    each = point.capacity_request_per_s(isl=profile.isl, osl=profile.osl)
    offered = profile.hours["offered_request_per_s"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        offered_load = np.where(serving > 0, offered / (serving * each), 0.0)
    hours = profile.hours.assign(
        delivered_request_per_s=delivered,
        unserved_request_per_s=unserved,
        needed_replicas=needed,
        serving_replicas=serving,
        paid_replicas=paid,
        paid_request_per_s=paid * each,
        offered_load_frac=offered_load,
        in_time_frac=in_time,
        paid_gpu_h=paid * point.n_gpus,
        busy_gpu_h=delivered / each * point.n_gpus,
    )
    return LoadPlan(profile, point, rate, hours)


def rate_of(point: OperatingPoint, rate: Fact | float) -> float:
    """The price of a GPU-hour as a number; refused where it is of another accelerator than the point."""
    require_fact_of(point, rate, "rate")
    return float(check_value("rate_usd_per_gpu_h", rate))
