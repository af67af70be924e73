"""Erlang C: how many requests wait, and how many replicas a load needs so that enough requests start in time.

Each replica serves up to `concurrency` requests at once; each request holds one of these places for
the service time of the measured operating point. All replicas share one queue. That is M/M/c with
c = replicas x concurrency places: Poisson arrivals, exponential service times, first come first served.

    share that waits         C(c, a)   Erlang C, with a = arrivals per second x service time
    waits longer than t      C(c, a) x exp(-(c - a) x t / service time)

Real traffic is no kinder than this: answer lengths are exponential or longer-tailed and arrivals come in bursts
(ServeGen, arXiv 2505.09999). Give the peak requests per second within the hour; for bursts within that, more is needed.
A partly filled replica answers faster than at its measured concurrency; that gain is not counted.
Source: A. K. Erlang (1917); W. Whitt, "Understanding the efficiency of multi-server service systems" (1992).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tokcost.quantities import QuantityError, check_value


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
