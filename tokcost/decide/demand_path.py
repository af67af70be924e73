"""Demand by month turned into replicas: what must stand for the peak, what is paid where a fleet follows the load, what works."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tokcost.load.fleet_plan import Autoscaling
from tokcost.load.profiles import LoadProfile
from tokcost.quantities import HOURS_PER_MONTH, SECONDS_PER_HOUR, TOK_PER_MTOK, QuantityError, check_value, check_whole


@dataclass(frozen=True, eq=False)
class ServedPath:
    """What serving a demand path takes, month by month, in whole replicas of `gpus_per_replica`.

    `peak_replicas` carry the busiest minutes; `paid_replicas` is the average of a fleet that follows the hours, starting replicas
    included; `busy_replicas` is what the tokens take at the measured throughput.
    """

    demand_mtok: np.ndarray
    gpus_per_replica: int
    peak_replicas: np.ndarray
    paid_replicas: np.ndarray
    busy_replicas: np.ndarray

    @property
    def n_months(self) -> int:
        return len(self.demand_mtok)

    @property
    def utilization_frac(self) -> float:
        """Share that works of a fleet which holds the peak of each month."""
        return float(self.busy_replicas.sum() / self.peak_replicas.sum())


def served_path(
    demand_mtok_by_month: ArrayLike,
    *,
    profile: LoadProfile,
    gpus_per_replica: int,
    total_tok_per_s_per_gpu: float,
    scale_up_delay_h: float,
    min_replicas: int = 1,
) -> ServedPath:
    """Whole replicas for a demand by month that spreads over its hours as the profile does.

    Capacity is throughput, without a reserve for chance (`tc.load.plan` has one).

    Raises: QuantityError for a month whose demand is not known.

    >>> day = tc.load.hourly_profile([1, 1, 4], isl=1000, osl=1000)
    >>> path = served_path([0, 60_000], profile=day, gpus_per_replica=8, total_tok_per_s_per_gpu=1000, scale_up_delay_h=0)
    >>> path.peak_replicas.tolist(), path.paid_replicas.round(3).tolist(), path.busy_replicas.round(3).tolist()
    ([1.0, 6.0], [1.0, 3.333], [0.0, 2.854])
    """
    demand = np.atleast_1d(np.asarray(demand_mtok_by_month, dtype=float))
    check_value("demand_mtok_per_month", demand)
    if demand.ndim != 1 or np.isnan(demand).any():
        raise QuantityError("`demand_mtok_by_month` must be one row of known months")
    check_whole("gpus_per_replica", gpus_per_replica, low=1)
    check_value("total_tok_per_s_per_gpu", total_tok_per_s_per_gpu)
    each = float(total_tok_per_s_per_gpu) * gpus_per_replica * SECONDS_PER_HOUR * HOURS_PER_MONTH / TOK_PER_MTOK
    peaks = profile.hours["peak_offered_request_per_s"].to_numpy(float)
    shape = peaks / profile.hours["offered_request_per_s"].mean()
    hours = np.ceil(np.round(demand[:, None] * shape / each, 9))
    follows = Autoscaling(min_replicas=min_replicas, scale_up_delay_h=scale_up_delay_h)
    return ServedPath(
        demand_mtok=demand,
        gpus_per_replica=int(gpus_per_replica),
        peak_replicas=np.maximum(hours.max(axis=1), min_replicas),
        paid_replicas=follows.paid(hours).mean(axis=1),
        busy_replicas=demand / each,
    )
