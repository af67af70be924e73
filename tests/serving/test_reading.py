"""A reading off a frontier lies between the runs on either side, says so, and never prices a system above a run that is as fast."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import evidence
from tokcost.serving.compare import ratio_at
from tokcost.serving.pareto_frontier import cost_at, frontier
from tokcost.serving.reading import BETWEEN, MEASURED, NEXT_RUN, NOT_REACHED

fronts = st.lists(st.tuples(st.floats(5, 300), st.floats(10, 30_000)), min_size=1, max_size=12, unique_by=lambda point: point[0])


def curve_of(points, accelerator="h200"):
    speed, throughput = zip(*points, strict=True)
    labels = {"model": "m", "accelerator": accelerator, "isl": 1024, "osl": 1024}
    return frontier(pd.DataFrame({**labels, "tok_per_s_per_user": speed, "total_tok_per_s_per_gpu": throughput}))


@given(fronts, st.floats(5, 300))
def test_a_reading_lies_between_its_bounds_and_agrees_with_the_array(points, speed):
    curve = curve_of(points)
    read = curve.at(tok_per_s_per_user=speed)
    assert float(read) == pytest.approx(curve.at(tok_per_s_per_user=np.array([speed]))[0], nan_ok=True)
    if read.bracket.basis == NOT_REACHED:
        assert math.isnan(read) and not curve.reach[0] <= speed <= curve.reach[1]
    else:
        assert read.low * (1 - 1e-9) <= read <= read.high * (1 + 1e-9)
        assert read.bracket.slower_tok_per_s_per_user <= speed <= read.bracket.faster_tok_per_s_per_user


@given(fronts, st.floats(5, 300))
def test_no_cost_is_above_that_of_a_measured_run_at_least_as_fast(points, speed):
    curve = curve_of(points)
    run, cost = curve.run_at(tok_per_s_per_user=speed), cost_at(curve, 2.0, tok_per_s_per_user=speed)
    if run is None:
        assert math.isnan(cost)
    elif not math.isnan(cost):
        at_run = cost_at(curve, 2.0, tok_per_s_per_user=run["tok_per_s_per_user"])
        assert cost <= at_run * (1 + 1e-9) and cost.high == pytest.approx(at_run)
        assert run["tok_per_s_per_user"] >= speed


def test_in_a_hole_the_next_faster_run_stands():
    """Runs at 21 and at 100 tokens/s, throughput 49.5 times apart: at 60 the spline says 416, which nobody measured."""
    curve = curve_of([(21, 990), (100, 20)])
    read = curve.at(tok_per_s_per_user=60)
    assert (float(read), read.low, read.high, read.bracket.basis) == (20, 20, 990, NEXT_RUN)
    assert curve.at(tok_per_s_per_user=60, max_fall_ratio=math.inf) > 20
    assert curve.curve(tok_per_s_per_user=[21, 60, 100])["is_hole"].tolist() == [False, True, False]


def test_at_a_run_there_is_no_doubt_of_reading():
    read = curve_of([(20, 900), (40, 500), (80, 300)]).at(tok_per_s_per_user=40)
    assert (float(read), read.low, read.high, read.bracket.basis, read.bracket.fall_ratio) == (500, 500, 500, MEASURED, 1)


def test_the_cost_turns_the_bounds_round():
    read = cost_at(curve_of([(20, 1000), (40, 500)]), 3.6, tok_per_s_per_user=30)
    assert (read.low, read.high) == pytest.approx((1.0, 2.0)) and read.bracket.basis == BETWEEN


def test_a_ratio_is_bounded_by_the_runs_of_both_sides():
    new, old = curve_of([(20, 8000), (40, 4000)], "gb300"), curve_of([(10, 900), (50, 300)])
    read = ratio_at(new, old, tok_per_s_per_user=30, of="throughput")
    assert (read.low, read.high) == pytest.approx((4000 / 900, 8000 / 300)) and read.low < read < read.high


def test_the_truth_at_a_measured_run_left_out_lies_in_the_bounds_of_its_reading():
    """Leave each inner run of every accelerator's frontier out: on a frontier its throughput must lie between its neighbours'."""
    rows = evidence.measured(model="dsr1", isl=1024, osl=1024)
    for accelerator in rows["accelerator"].unique():
        front = frontier(rows, accelerator=accelerator).front
        for i in range(1, len(front) - 1):
            read = frontier(front.drop(index=i)).at(tok_per_s_per_user=front["tok_per_s_per_user"][i])
            assert read.low <= front["total_tok_per_s_per_gpu"][i] <= read.high
