"""Why a headline moved: contributions add up, depend on no order, and never mix a change of method with one of the world."""

import dataclasses
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tokcost.report.memory.bridge import METHOD, NOT_RECORDED, TOGETHER, bridge, comparable, last_comparable, shares

FACTORS = some.lists(some.floats(0.1, 10), min_size=1, max_size=5)


def labels(found):
    return [step.label for step in found.steps]


@given(some.floats(0.01, 1000), FACTORS)
def test_contributions_add_up(start, factors):
    whole = start * math.prod(factors)
    assert math.isclose(sum(shares(start, factors)), whole - start, rel_tol=1e-9, abs_tol=1e-9 * max(whole, start))


@given(some.floats(0.01, 1000), some.lists(some.floats(0.1, 10), min_size=1, max_size=4))
def test_a_contribution_is_the_average_over_all_orders_of_change(start, factors):
    orders = list(itertools.permutations(range(len(factors))))
    by_hand = [0.0] * len(factors)
    for order in orders:
        value = start
        for index in order:
            by_hand[index] += value * (factors[index] - 1) / len(orders)
            value *= factors[index]
    assert shares(start, factors) == pytest.approx(by_hand, rel=1e-9, abs=1e-9 * start * math.prod(max(f, 1) for f in factors))


def test_an_input_that_did_not_move_contributes_nothing(entry):
    found = bridge(entry(rate=2.0), entry(rate=3.0))
    assert labels(found) == ["Price of a GPU-hour"]
    assert found.steps[0].contribution == pytest.approx(found.change)


def test_the_whole_week_adds_up_with_every_reason_in_its_place(history, entry):
    """Price, throughput from new rows, utilization, method, method and world at once, nothing: day by day from one to the next."""
    week = [
        entry(day=0),
        entry(day=1, rate=2.5, parameters={"rate_usd_per_gpu_h": 2.5, "tok_per_s_per_user": 70.0}),
        entry(day=2, rate=2.5, speed=120.0, data="d2", parameters={"rate_usd_per_gpu_h": 2.5, "tok_per_s_per_user": 70.0}),
        entry(day=3, rate=2.5, speed=120.0, utilization=0.4, data="d3", extra=1.02,
              parameters={"rate_usd_per_gpu_h": 2.5, "tok_per_s_per_user": 70.0}),
        entry(day=4, rate=2.5, speed=130.0, utilization=0.4, data="d3", method="m2",
              parameters={"rate_usd_per_gpu_h": 2.5, "tok_per_s_per_user": 70.0}),
        entry(day=5, rate=2.2, speed=110.0, utilization=0.4, data="d5", method="m3",
              parameters={"rate_usd_per_gpu_h": 2.2, "tok_per_s_per_user": 70.0}),
        entry(day=6, rate=2.2, speed=110.0, utilization=0.4, data="d5", method="m3",
              parameters={"rate_usd_per_gpu_h": 2.2, "tok_per_s_per_user": 70.0}),
    ]  # fmt: skip
    said = []
    for today in week:
        last = last_comparable(history.runs("weekly"), today)
        if last:
            found = bridge(last, today)
            said.append(labels(found))
            assert sum(step.contribution for step in found.steps) == pytest.approx(found.change, abs=1e-9)
        history.record(today, {})
    price, speed, used = "Price of a GPU-hour", "Throughput (input + output tokens)", "Utilization"
    assert said == [[price], [speed], [used, "Data rows"], [METHOD], [price, TOGETHER], []]


def test_a_change_of_method_alone_is_one_step_whatever_inputs_it_moved(entry):
    found = bridge(entry(), entry(method="m2", speed=50.0, extra=1.3))
    assert labels(found) == [METHOD] and found.steps[0].contribution == pytest.approx(found.change)
    assert found.changed_method == ["the code of the package"]


def test_a_price_that_somebody_set_is_known_beside_a_change_of_method(entry):
    after = entry(rate=4.0, method="m2", extra=1.1, parameters={"rate_usd_per_gpu_h": 4.0, "tok_per_s_per_user": 70.0})
    assert labels(bridge(entry(), after)) == ["Price of a GPU-hour", METHOD]


def test_method_and_world_at_once_are_told_apart_by_a_run_that_has_one_of_them(entry):
    before, after = entry(speed=100.0), entry(day=2, speed=150.0, extra=1.2, method="m2", data="d2")
    assert labels(bridge(before, after)) == [TOGETHER]
    for middle in (entry(day=1, speed=100.0, extra=1.2, method="m2"), entry(day=1, speed=150.0, data="d2")):
        found = bridge(before, after, [middle])
        assert sorted(labels(found)) == sorted([METHOD, "Throughput (input + output tokens)"]) and found.through == middle
        assert sum(step.contribution for step in found.steps) == pytest.approx(found.change, abs=1e-9)


def test_what_moves_while_nothing_recorded_did_is_said_to_be_so(entry):
    assert labels(bridge(entry(), entry(extra=1.5))) == [NOT_RECORDED]


def test_a_headline_that_is_no_ratio_of_inputs_still_has_its_cause(entry):
    def bare(run):
        return dataclasses.replace(run, results=(dataclasses.replace(run.results[0], numerator={}, denominator={}),))

    assert labels(bridge(bare(entry()), bare(entry(speed=50, data="d2")))) == ["Data rows"]
    from_zero = dataclasses.replace(entry(), results=(dataclasses.replace(entry().results[0], value=0.0),))
    found = bridge(from_zero, entry(data="d2"))
    assert labels(found) == ["Data rows"] and found.steps[0].contribution == found.change


def test_another_question_is_not_comparable_but_another_price_or_vintage_is(entry):
    def asked(**parameters):
        return entry(parameters={"rate_usd_per_gpu_h": 2.0, "tok_per_s_per_user": 70.0, **parameters})

    assert comparable(entry(), asked(rate_usd_per_gpu_h=3.0)) and comparable(entry(), asked(rate_vintage="2026-12"))
    assert not comparable(entry(), asked(tok_per_s_per_user=35.0))
    assert not comparable(entry(), entry("other"))


def test_a_headline_that_was_not_reached_has_no_bridge(entry):
    missing = dataclasses.replace(entry(), results=(dataclasses.replace(entry().results[0], value=None),))
    assert bridge(missing, entry()) is None and not comparable(missing, entry())
    assert bridge(dataclasses.replace(entry(), results=()), entry()) is None
