"""Capacity: waiting against known values, a recursion and simulated queues, with and without bursts; more never needs less."""

import dataclasses
import heapq
import math

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.evidence import measured
from tokcost.load.capacity import OperatingPoint, operating_point
from tokcost.load.queueing import erlang_c, in_time_frac, measured_arrival_cv, replicas_needed
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import frontier

NODE = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)


def erlang_c_by_recursion(servers: int, erlangs: float) -> float:
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = erlangs * blocked / (n + erlangs * blocked)
    return blocked / (1 - erlangs / servers * (1 - blocked))


@given(st.integers(1, 3000), st.floats(0.01, 0.999))
@settings(max_examples=60, deadline=None)
def test_erlang_c_equals_the_textbook_recursion(servers, load):
    assert erlang_c(servers=servers, erlangs=servers * load) == pytest.approx(
        erlang_c_by_recursion(servers, servers * load), rel=1e-6, abs=1e-12
    )


def test_one_server_waits_as_often_as_it_is_busy():
    assert erlang_c(servers=1, erlangs=0.7) == pytest.approx(0.7)


def test_a_known_call_centre():
    """10 erlangs on 14 agents: the textbook value of the waiting share is 0.1741."""
    assert erlang_c(servers=14, erlangs=10) == pytest.approx(0.1741, abs=5e-5)


def test_an_overloaded_queue_starts_nobody_in_time():
    share = in_time_frac(offered_request_per_s=[1.0, 2.0, 3.0], service_time_s=10, servers=20, wait_limit_s=1)
    assert share[0] > 0.99 and share[1:].tolist() == [0.0, 0.0]


def waits(servers: int, gaps_s: np.ndarray, services_s: np.ndarray) -> np.ndarray:
    """Waiting times of a queue, first come first served: each request takes the place that is free first. The start does not count."""
    free, waited = [0.0] * servers, []
    for arrives, service in zip(np.cumsum(gaps_s).tolist(), services_s.tolist(), strict=True):
        starts = max(arrives, free[0])
        heapq.heapreplace(free, starts + service)
        waited.append(starts - arrives)
    return np.array(waited[len(waited) // 10 :])


def simulated(servers: int, offered: float, service_time_s: float, wait_limit_s: float, *, n: int, seeds: int = 3, arrival_cv=1.0):
    """Shares in time of simulated queues: Gamma gaps (Poisson arrivals at a CV of 1), exponential service times."""
    shares = []
    for seed in range(seeds):
        draw = np.random.default_rng(seed)
        gaps = draw.gamma(arrival_cv**-2, arrival_cv**2 / offered, n)
        shares.append(np.mean(waits(servers, gaps, draw.exponential(service_time_s, n)) <= wait_limit_s))
    return np.array(shares)


def test_the_simulation_gives_the_waits_of_simpy():
    draw = np.random.default_rng(7)
    gaps, services, waited = draw.gamma(0.25, 4.0, 3000), draw.exponential(7.0, 3000), []
    env = simpy.Environment()
    places = simpy.Resource(env, capacity=8)

    def request(arrived, service):
        with places.request() as place:
            yield place
            waited.append(env.now - arrived)
            yield env.timeout(service)

    def arrivals():
        for gap, service in zip(gaps, services, strict=True):
            yield env.timeout(gap)
            env.process(request(env.now, service))

    env.process(arrivals())
    env.run()
    assert waits(8, gaps, services) == pytest.approx(np.array(waited[300:]), abs=1e-6)


@pytest.mark.parametrize(("servers", "load", "wait_limit_s"), [(4, 0.8, 0.0), (16, 0.9, 2.0), (48, 0.88, 0.5)])
def test_a_simulated_queue_starts_the_stated_share_in_time(servers, load, wait_limit_s):
    queue = {"service_time_s": 10.0, "servers": servers, "wait_limit_s": wait_limit_s}
    offered = servers * load / queue["service_time_s"]
    stated = float(in_time_frac(offered_request_per_s=offered, **queue))
    runs = simulated(offered=offered, n=100_000, seeds=4, **queue)
    assert abs(runs.mean() - stated) < max(4 * np.std(runs, ddof=1) / math.sqrt(len(runs)), 0.01)


@pytest.mark.parametrize("arrival_cv", [1.5, 2, 3])
@pytest.mark.parametrize(("level", "points"), [(0.99, 0.005), (0.9, 0.02)])
def test_with_bursts_the_share_in_time_is_as_right_as_the_module_says(arrival_cv, level, points):
    """64 places: the load at which this share is stated to start within a second, simulated."""
    queue = {"service_time_s": 15.0, "servers": 64, "wait_limit_s": 1.0, "arrival_cv": arrival_cv}
    loads = np.linspace(0.1, 4.2, 4000)
    offered = loads[in_time_frac(offered_request_per_s=loads, **queue) >= level].max()
    assert simulated(offered=offered, n=200_000, **queue).mean() == pytest.approx(level, abs=points)


def test_what_erlang_c_calls_safe_is_not_safe_when_requests_come_in_bursts():
    """2,160 places that start 99 % of Poisson arrivals within a second; at a CV of 2 every eighth request is late, at 3 every third."""
    queue = {"service_time_s": 14.75, "servers": 2160, "wait_limit_s": 1.0}
    offered, stated = 143.3, {}
    for arrival_cv, low, high in ((1, 0.98, 1), (2, 0.8, 0.92), (3, 0.55, 0.78)):
        runs = simulated(offered=offered, n=1_000_000, seeds=1, arrival_cv=arrival_cv, **queue)
        assert low < runs.mean() < high
        stated[arrival_cv] = float(in_time_frac(offered_request_per_s=offered, arrival_cv=arrival_cv, **queue))
        assert stated[arrival_cv] == pytest.approx(runs.mean(), abs=0.06)
    assert stated[1] > 0.99 > 0.9 > stated[2] > 0.75 > stated[3]


def test_the_stated_capacity_holds_in_simulation_and_one_replica_less_does_not():
    """Replicas for 95 % within a second, by chance and in bursts; with one fewer the simulated queue misses the level."""
    offered, concurrency, queue = 9.0, 8, {"service_time_s": 10.0, "wait_limit_s": 1.0}
    for arrival_cv in (1.0, 2.0):
        n = int(
            replicas_needed(offered_request_per_s=offered, concurrency=concurrency, service_level_frac=0.95, arrival_cv=arrival_cv, **queue)
        )
        share, fewer = (
            simulated(servers=replicas * concurrency, offered=offered, n=100_000, arrival_cv=arrival_cv, **queue).mean()
            for replicas in (n, n - 1)
        )
        assert share >= 0.94 and fewer < 0.95


@pytest.mark.parametrize("arrival_cv", [1, 2, 3])
def test_the_burstiness_of_a_record_is_that_of_its_gaps(arrival_cv):
    gaps = np.random.default_rng(3).gamma(arrival_cv**-2, arrival_cv**2 / 20, 400_000)
    assert measured_arrival_cv(np.cumsum(gaps), service_time_s=15) == pytest.approx(arrival_cv, rel=0.05)


def test_the_rhythm_of_the_day_is_no_burst():
    """Requests by chance whose rate doubles over an hour: the load profile holds that, not the burstiness."""
    at = 3600 * (np.sqrt(1 + 3 * np.random.default_rng(4).uniform(size=60_000)) - 1)
    assert measured_arrival_cv(at, service_time_s=15) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("arrival_s", "service_time_s", "sentence"),
    [
        ([0, 400], 200, "200 s leaves no two windows in five minutes"),
        ([0, math.nan, 400], 15, "no time; remove it or fill it in"),
        ([0, 100], 15, "2 requests within less than five minutes.*give a longer record"),
        ([], 15, "0 requests within less than five minutes"),
    ],
)
def test_a_record_that_says_nothing_about_bursts_is_refused(arrival_s, service_time_s, sentence):
    with pytest.raises(QuantityError, match=sentence):
        measured_arrival_cv(arrival_s, service_time_s=service_time_s)


def test_answers_of_equal_length_wait_less_than_exponential_ones():
    queue = {"offered_request_per_s": 1.44, "service_time_s": 10.0, "servers": 16, "wait_limit_s": 1.0}
    equal, exponential = (float(in_time_frac(**queue, service_cv=cv)) for cv in (0, 1))
    gaps = np.random.default_rng(1).exponential(1 / 1.44, 400_000)
    runs = np.mean(waits(16, gaps, np.full(400_000, 10.0)) <= 1.0)
    assert runs > exponential and equal == pytest.approx(runs, abs=0.04)


@given(
    *(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0, 4)),
    *(st.floats(0.01, 500), st.floats(0.5, 100), st.integers(1, 256), st.floats(0, 30), st.floats(0, 0.999)),
)
@settings(max_examples=60, deadline=None)
def test_more_bursts_never_need_fewer_replicas(arrival_cv, other, service_cv, offered, service_time_s, concurrency, wait, level):
    even, uneven = (
        int(
            replicas_needed(
                **{"offered_request_per_s": offered, "service_time_s": service_time_s, "concurrency": concurrency},
                **{"wait_limit_s": wait, "service_level_frac": level, "arrival_cv": cv, "service_cv": service_cv},
            )
        )
        for cv in sorted((arrival_cv, other))
    )
    assert even <= uneven


@given(st.floats(0.01, 500), st.floats(0.5, 100), st.integers(1, 256), st.floats(0, 30), st.floats(0, 0.999), st.floats(0, 0.999))
@settings(deadline=None)
def test_the_fewest_replicas_that_are_enough_and_more_service_never_needs_less(offered, service_time_s, concurrency, wait, level, other):
    queue = {"offered_request_per_s": offered, "service_time_s": service_time_s}
    low, high = (
        int(replicas_needed(**queue, concurrency=concurrency, wait_limit_s=wait, service_level_frac=x)) for x in sorted((level, other))
    )
    assert low <= high

    def share(replicas):
        return in_time_frac(**queue, servers=replicas * concurrency, wait_limit_s=wait)

    assert share(high) >= max(level, other)
    assert share(high - 1) < max(level, other) or share(high - 1) == 0


def test_a_replica_completes_its_measured_tokens():
    """8 GPUs x 500 tok/s over 2,000 tokens are 2 requests a second; 64 places / 2 = 32 s each (Little's law)."""
    assert NODE.capacity_request_per_s() == 2.0
    assert NODE.service_time_s() == 32.0
    assert NODE.capacity_request_per_s(isl=900, osl=1100) == 2.0


def test_lengths_that_were_not_measured_are_refused():
    with pytest.raises(QuantityError, match="isl 8000.*measured at 1000.*choose a point"):
        NODE.capacity_request_per_s(isl=8000)


def test_an_hour_whose_requests_are_not_known_is_refused():
    with pytest.raises(QuantityError, match="without known requests.*fill the gap"):
        replicas_needed(offered_request_per_s=[1, math.nan], service_time_s=1, concurrency=1, wait_limit_s=0, service_level_frac=0.9)


B200 = {"campaign": "inferencex_api_2026_06", "model": "dsr1", "accelerator": "b200", "isl": 8192, "osl": 1024}


@given(st.floats(20, 150))
@settings(max_examples=15, deadline=None)
def test_a_measured_point_is_fast_enough_and_its_service_time_agrees_by_two_routes(speed):
    """Little's law on the throughput, and time to first token plus the rest of the answer."""
    curve = frontier(measured(**B200))
    point = operating_point(curve, tok_per_s_per_user=speed)
    assert point.tok_per_s_per_user >= speed
    assert point.service_time_s() == pytest.approx(point.latency_service_time_s, rel=0.25)
    assert point.total_tok_per_s_per_gpu in set(curve.points["total_tok_per_s_per_gpu"])


def test_a_limit_on_ttft_never_gives_a_better_point():
    curve = frontier(measured(**B200))
    free, limited = operating_point(curve, tok_per_s_per_user=30), operating_point(curve, tok_per_s_per_user=30, ttft_limit_s=0.5)
    assert limited.median_ttft_s <= 0.5
    assert limited.total_tok_per_s_per_gpu <= free.total_tok_per_s_per_gpu


def test_a_speed_that_was_not_measured_has_no_operating_point():
    curve = frontier(measured(**B200))
    with pytest.raises(QuantityError, match="no usable row at 500.*front reaches"):
        operating_point(curve, tok_per_s_per_user=500)
    with pytest.raises(QuantityError, match="with a median TTFT within 0.01 s"):
        operating_point(curve, tok_per_s_per_user=30, ttft_limit_s=0.01)


@pytest.mark.parametrize("wrong", [{"total_tok_per_s_per_gpu": -1.0}, {"total_tok_per_s_per_gpu": math.nan}, {"n_gpus": 0.0}])
def test_a_replica_of_no_size_or_no_output_is_refused(wrong):
    with pytest.raises(QuantityError, match=f"`{next(iter(wrong))}` must be"):
        dataclasses.replace(NODE, **wrong)


def test_throughput_and_latencies_that_contradict_each_other_are_no_operating_point():
    rows = measured(**B200)
    rows["n_gpus"] *= 2
    with pytest.raises(QuantityError, match="no usable row"):
        operating_point(frontier(rows), tok_per_s_per_user=30)
