"""How many requests wait, and how many replicas a load needs so that enough requests start in time.

Each replica serves up to `concurrency` requests at once; each request holds one of these places for the service time of the
measured operating point. All replicas share one queue, first come first served: G/G/c with c = replicas x concurrency places
and a = requests per second x service time of them held on average. Two coefficients of variation say how uneven it is:

    arrival_cv    gaps between arrivals; 1: each user by chance (Poisson), more: bursts (`measured_arrival_cv` of a record)
    service_cv    service times; 0: all answers of one length, 1: exponential, more: a longer tail

    share that waits        C(c / z, a / z)   Erlang C, with the peakedness z = 1 + (arrival_cv**2 - 1) / 2**service_cv
    waits longer than t     C x exp(-(c - a) x t / (v x service time)), with v = (arrival_cv**2 + service_cv**2) / 2

With both at 1 this is Erlang C, which is exact for M/M/c. Bursts make a fleet act like one of z times fewer places. Real traffic
is not kinder than Poisson: two chat services have an `arrival_cv` of about 1.5, a coding service 9 (data/traffic.csv).

How far to trust it: of simulated queues (64 to 2,160 places, Gamma gaps with an `arrival_cv` of 1 to 3, exponential service)
98.6 to 99.0 % start in time where 99 % is stated, and 88.3 to 90.4 % where 90 % is; with a `service_cv` of 0 to 2 it is 98.2 to
99.4 and 86 to 93 %, with bursts that are whole batches at least 97.9 and 87 %. With few places and strong bursts it is too kind
(16 places and a CV of 3: 97.7 % for 99 %, in batches 93 %): check such a fleet by simulation. It holds in the long run, for a
rate that stays. A partly filled replica answers faster than at its measured concurrency; that gain is not counted.
Sources: A. K. Erlang (1917); A. O. Allen, "Probability, Statistics, and Queueing Theory" (1978); A. A. Fredericks, "Congestion in
blocking systems" (1980), for the peakedness; W. Whitt, "A diffusion approximation for the G/GI/n/m queue" (2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tokcost.quantities import QuantityError, check_value

#: slower changes than within five minutes belong to the load profile
_STEADY_S = 300.0


def measured_arrival_cv(arrival_s: ArrayLike, *, service_time_s: float) -> float:
    """The `arrival_cv` of recorded requests, from the second in which each arrived.

    The root of variance over mean of the requests counted in windows as long as a service time, averaged over stretches of
    five minutes. Where gaps do not depend on each other it is their coefficient of variation.

    Raises: QuantityError for fewer than two windows in five minutes, for times that are not known, and for less than five minutes.

    >>> one_by_one = np.random.default_rng(1).uniform(0, 86_400, 100_000)
    >>> [round(measured_arrival_cv(np.repeat(one_by_one, batch), service_time_s=15), 1) for batch in (1, 4)]
    [1.0, 2.0]
    """
    check_value("service_time_s", service_time_s)
    at = np.sort(np.asarray(arrival_s, dtype=float))
    per_stretch = int(_STEADY_S // service_time_s)
    if per_stretch < 2:
        raise QuantityError(f"a service time of {service_time_s:g} s leaves no two windows in five minutes: bursts are the load profile's")
    if not np.isfinite(at).all():
        raise QuantityError("an arrival has no time; remove it or fill it in, in seconds")
    n_stretches = int((at[-1] - at[0]) // _STEADY_S) if at.size else 0
    if n_stretches < 1:
        raise QuantityError(f"{at.size} requests within less than five minutes say nothing about bursts; give a longer record")
    starts = at[0] + _STEADY_S * np.arange(n_stretches)[:, None]
    counts = np.diff(np.searchsorted(at, starts + service_time_s * np.arange(per_stretch + 1)), axis=1)
    counts = counts[counts.any(axis=1)]
    return float(np.sqrt((counts.var(axis=1, ddof=1) / counts.mean(axis=1)).mean()))


def erlang_c(*, servers: ArrayLike, erlangs: ArrayLike) -> np.ndarray:
    """Share of arrivals that find every place taken (M/M/c); 1 where the load is more than the places can do.

    The number of places may have a fraction: the formula is continued between whole numbers.

    >>> round(float(erlang_c(servers=1, erlangs=0.5)), 12), round(float(erlang_c(servers=2, erlangs=1)), 6)
    (0.5, 0.333333)
    """
    from scipy.special import gammaincc, gammaln, xlogy

    servers, erlangs = np.asarray(servers, dtype=float), np.asarray(erlangs, dtype=float)
    is_stable = erlangs < servers
    places, load = np.where(is_stable, servers, 1.0), np.where(is_stable, erlangs, 0.0)
    blocked = np.exp(xlogy(places, load) - load - gammaln(places + 1)) / gammaincc(places + 1, load)
    return np.where(is_stable, blocked / (1 - load / places * (1 - blocked)), 1.0)


def in_time_frac(
    *,
    offered_request_per_s: ArrayLike,
    service_time_s: float,
    servers: ArrayLike,
    wait_limit_s: float,
    arrival_cv: float = 1.0,
    service_cv: float = 1.0,
) -> np.ndarray:
    """Share of requests that start within the wait limit; 0 where the queue grows without end.

    >>> queue = {"offered_request_per_s": 9, "service_time_s": 10, "servers": 110, "wait_limit_s": 1}
    >>> [round(float(in_time_frac(**queue, arrival_cv=cv)), 3) for cv in (1, 2, 3)]
    [0.996, 0.938, 0.814]
    """
    servers, erlangs = np.asarray(servers, dtype=float), np.asarray(offered_request_per_s, dtype=float) * service_time_s
    peakedness = 1 + (arrival_cv**2 - 1) / 2**service_cv
    variability = (arrival_cv**2 + service_cv**2) / 2
    spare = servers - erlangs
    with np.errstate(over="ignore"):
        falls = np.exp(-np.maximum(spare, 0) * wait_limit_s / (variability * service_time_s))
    late = erlang_c(servers=servers / peakedness, erlangs=erlangs / peakedness) * falls
    return np.where(spare > 0, 1 - late, np.where(erlangs > 0, 0.0, 1.0))


def replicas_needed(
    *,
    offered_request_per_s: ArrayLike,
    service_time_s: float,
    concurrency: float,
    wait_limit_s: float,
    service_level_frac: float,
    arrival_cv: float = 1.0,
    service_cv: float = 1.0,
) -> np.ndarray:
    """The fewest whole replicas with which enough requests start in time, for each of the offered requests per second.

    No request needs no replica. More replicas never lower the share in time, so a bisection finds the fewest.
    Without the two coefficients of variation: Poisson arrivals and exponential service times.

    Raises: QuantityError for an hour whose requests are not known.

    >>> level = {"service_time_s": 10, "concurrency": 16, "wait_limit_s": 0.5, "service_level_frac": 0.95}
    >>> replicas_needed(offered_request_per_s=[0, 1, 10], **level).tolist()
    [0, 1, 8]
    >>> replicas_needed(offered_request_per_s=[0, 1, 10], **level, arrival_cv=3).tolist()
    [0, 2, 9]
    """
    for name, value in (
        ("offered_request_per_s", offered_request_per_s),
        ("service_time_s", service_time_s),
        ("concurrency", concurrency),
        ("wait_limit_s", wait_limit_s),
        ("service_level_frac", service_level_frac),
        ("arrival_cv", arrival_cv),
        ("service_cv", service_cv),
    ):
        check_value(name, value)
    offered = np.asarray(offered_request_per_s, dtype=float)
    if np.isnan(offered).any():
        raise QuantityError("an hour without known requests per second has no capacity; fill the gap or exclude the hour")
    places = round(concurrency)
    queue = {"service_time_s": service_time_s, "wait_limit_s": wait_limit_s, "arrival_cv": arrival_cv, "service_cv": service_cv}

    def is_enough(replicas):
        share = in_time_frac(offered_request_per_s=offered, servers=replicas * places, **queue)
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
