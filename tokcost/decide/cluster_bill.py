"""A cluster of so many GPUs: its bill, its tokens at the load, what a token costs, and how much room is left.

GPUs serve in whole replicas, the size that was measured; what is left over of the last one is paid and serves nobody. Replicas kept
for failures are paid and idle on purpose. Demand is met up to what the serving replicas can do in its peak hours.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from tokcost.load.profiles import LoadProfile
from tokcost.quantities import (
    HOURS_PER_MONTH,
    KW_PER_MW,
    SECONDS_PER_HOUR,
    TOK_PER_MTOK,
    Numbers,
    QuantityError,
    check_value,
    check_whole,
)


@dataclass(frozen=True)
class Cluster:
    """What `cluster` found; numbers, or arrays where an input was one.

    `n_replicas` are whole ones, of which `needed_replicas` carry the peak and `spare_replicas` the rest; `leftover_gpus` make no
    whole replica. `headroom_ratio` is what the serving replicas could do over the peak demand: below 1 something is not served.
    `utilization_frac` is of the GPUs that are paid. NaN: nothing is delivered, so a token has no cost.
    """

    n_gpus: Numbers
    n_replicas: Numbers
    needed_replicas: Numbers
    spare_replicas: Numbers
    leftover_gpus: Numbers
    cost_usd_per_month: Numbers
    capacity_mtok_per_month: Numbers
    delivered_mtok_per_month: Numbers
    unserved_mtok_per_month: Numbers
    headroom_ratio: Numbers
    utilization_frac: Numbers
    total_token_cost_usd_per_mtok: Numbers

    def summary(self) -> dict[str, Numbers]:
        """Quantity to value, for a table."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def cluster(
    *,
    gpus_per_replica: Numbers,
    rate_usd_per_gpu_h: Numbers,
    total_tok_per_s_per_gpu: Numbers,
    demand_mtok_per_month: Numbers,
    profile: LoadProfile,
    kept_spare_replicas: Numbers,
    n_gpus: Numbers | None = None,
    power_mw: Numbers | None = None,
    provisioned_kw_per_gpu: Numbers | None = None,
) -> Cluster:
    """A month of a cluster whose size is given by its GPUs, or by the power that there is for them.

    Parameters
    ----------
    n_gpus : accelerators that are paid; or
    power_mw, provisioned_kw_per_gpu : utility power that there is, and what must be built for one GPU: as many as that feeds
    gpus_per_replica, total_tok_per_s_per_gpu : of the measured run that serves
    demand_mtok_per_month : million tokens (input + output) that users ask for
    profile : how demand spreads over the hours (`tc.load.recorded_profile`, `tc.load.profile_from_csv`); only its shape counts here
    kept_spare_replicas : whole replicas held back for failures and maintenance, idle on purpose

    Capacity is throughput, without a reserve for chance: what keeps a service level is up to `tc.load.plan`.

    Raises: QuantityError for both or neither way to give the size, and for a cluster too small for one replica.

    >>> month = {"gpus_per_replica": 8, "rate_usd_per_gpu_h": 2.0, "total_tok_per_s_per_gpu": 1000.0}
    >>> day = tc.load.hourly_profile([1, 1, 4], isl=1000, osl=1000)
    >>> found = cluster(n_gpus=64, demand_mtok_per_month=60_000, profile=day, kept_spare_replicas=1, **month)
    >>> found.cost_usd_per_month, found.n_replicas, found.needed_replicas, found.spare_replicas
    (93440.0, 8.0, 6.0, 2.0)
    >>> round(found.total_token_cost_usd_per_mtok, 3), round(found.headroom_ratio, 3)
    (1.557, 1.226)
    """
    if (n_gpus is None) == (power_mw is None) or (power_mw is None) != (provisioned_kw_per_gpu is None):
        raise QuantityError("give the size as `n_gpus`, or as `power_mw` with `provisioned_kw_per_gpu`; one of the two")
    if power_mw is not None:
        n_gpus = _gpus_within(power_mw, provisioned_kw_per_gpu)
    assert n_gpus is not None
    check_whole("n_gpus", n_gpus, low=1)
    check_whole("gpus_per_replica", gpus_per_replica, low=1)
    check_whole("kept_spare_replicas", kept_spare_replicas)
    check_value("demand_mtok_per_month", demand_mtok_per_month)
    check_value("rate_usd_per_gpu_h", rate_usd_per_gpu_h)
    check_value("total_tok_per_s_per_gpu", total_tok_per_s_per_gpu)
    gpus, size, demand, kept, rate, speed = (
        np.asarray(one, dtype=float)
        for one in (n_gpus, gpus_per_replica, demand_mtok_per_month, kept_spare_replicas, rate_usd_per_gpu_h, total_tok_per_s_per_gpu)
    )
    replicas = np.floor(gpus / size)
    serving = replicas - kept
    if np.any(serving < 1):
        raise QuantityError(
            f"{np.min(n_gpus):g} GPUs make {np.min(replicas):g} replicas of {np.max(size):g}, of which {np.max(kept):g} are kept spare: "
            "none is left to serve; take more GPUs, a run on fewer of them, or keep fewer spare"
        )
    each = speed * size * _MTOK_OF_A_MONTH
    capacity, shape = serving * each, profile.hours["offered_request_per_s"].to_numpy(float)
    hours = demand[..., None] * shape / shape.mean()
    unserved = np.maximum(hours - capacity[..., None], 0).mean(axis=-1)
    delivered = np.minimum(hours, capacity[..., None]).mean(axis=-1)
    peak = demand * profile.peak_to_mean_ratio
    bill = gpus * rate * HOURS_PER_MONTH
    used = delivered / (gpus * speed * _MTOK_OF_A_MONTH)
    needed = np.minimum(np.ceil(np.round(peak / each, 9)), serving)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.where(delivered > 0, bill / delivered, np.nan)
        headroom = np.where(peak > 0, capacity / peak, np.inf)
    found = (gpus, replicas, needed, replicas - needed, gpus - replicas * size, bill, capacity, delivered, unserved)
    return Cluster(*(_plain(one) for one in (*found, headroom, used, cost)))


_MTOK_OF_A_MONTH = SECONDS_PER_HOUR * HOURS_PER_MONTH / TOK_PER_MTOK


def _gpus_within(power_mw: Numbers, provisioned_kw_per_gpu: Numbers | None) -> Numbers:
    """Whole GPUs that a budget of utility power feeds."""
    check_value("power_mw", power_mw)
    check_value("provisioned_kw_per_gpu", provisioned_kw_per_gpu)
    return _plain(np.floor(np.asarray(power_mw) * KW_PER_MW / np.asarray(provisioned_kw_per_gpu, dtype=float)))


def _plain(value: Numbers) -> Numbers:
    return float(value) if np.ndim(value) == 0 else np.asarray(value)
