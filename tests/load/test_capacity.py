"""Capacity: Erlang's formulas against known values, a recursion and a simulated queue; more service never needs less."""

import dataclasses
import math
import random

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.evidence import measured
from tokcost.load.capacity import OperatingPoint, operating_point
from tokcost.load.erlang import erlang_c, in_time_frac, replicas_needed
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


def waits(servers: int, offered: float, service_time_s: float, is_exponential: bool, n: int, seed: int) -> np.ndarray:
    """Waiting times of a simulated queue: Poisson arrivals, one queue, `servers` places."""
    draw, env, waited = random.Random(seed), simpy.Environment(), []
    places = simpy.Resource(env, capacity=servers)

    def request():
        arrived = env.now
        with places.request() as place:
            yield place
            waited.append(env.now - arrived)
            yield env.timeout(draw.expovariate(1 / service_time_s) if is_exponential else service_time_s)

    def arrivals():
        for _ in range(n):
            yield env.timeout(draw.expovariate(offered))
            env.process(request())

    env.process(arrivals())
    env.run()
    return np.array(waited[n // 10 :])


@pytest.mark.parametrize(("servers", "load", "wait_limit_s"), [(4, 0.8, 0.0), (16, 0.9, 2.0), (48, 0.88, 0.5)])
def test_a_simulated_queue_starts_the_stated_share_in_time(servers, load, wait_limit_s):
    service_time_s = 10.0
    offered = servers * load / service_time_s
    stated = float(in_time_frac(offered_request_per_s=offered, service_time_s=service_time_s, servers=servers, wait_limit_s=wait_limit_s))
    runs = [np.mean(waits(servers, offered, service_time_s, True, 12_000, seed) <= wait_limit_s) for seed in range(6)]
    error = np.std(runs, ddof=1) / math.sqrt(len(runs))
    assert abs(np.mean(runs) - stated) < max(4 * error, 0.01)
    assert error < 0.03


def test_the_stated_capacity_holds_in_simulation_and_one_replica_less_does_not():
    """Replicas for 95 % within a second; with one fewer the simulated queue misses the level."""
    offered, concurrency, service_time_s = 9.0, 8, 10.0
    n = int(
        replicas_needed(
            offered_request_per_s=offered, service_time_s=service_time_s, concurrency=concurrency, wait_limit_s=1, service_level_frac=0.95
        )
    )

    def simulated(replicas):
        return np.mean([np.mean(waits(replicas * concurrency, offered, service_time_s, True, 12_000, seed) <= 1) for seed in range(3)])

    assert simulated(n) >= 0.94
    assert simulated(n - 1) < 0.95


def test_answers_of_equal_length_wait_less_than_stated():
    stated = float(in_time_frac(offered_request_per_s=1.44, service_time_s=10.0, servers=16, wait_limit_s=1.0))
    assert np.mean(waits(16, 1.44, 10.0, False, 20_000, 1) <= 1.0) > stated


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
