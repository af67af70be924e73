"""Break-evens: put back they give the target; where no value does it, that is the answer."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcost as tc
from tokcost import formulas
from tokcost.quantities import QuantityError


@given(rate=st.floats(0.2, 10), target=st.floats(0.05, 50))
@settings(max_examples=30)
def test_a_break_even_put_back_gives_the_target(rate, target):
    found = tc.break_even(
        formulas.total_token_cost_usd_per_mtok, solve_for="total_tok_per_s_per_gpu", target=target, rate_usd_per_gpu_h=rate
    )
    # The headline formula solved by hand: rate / target x 1e6 / 3,600.
    assert found.value == pytest.approx(rate / target * 1e6 / 3600, rel=1e-9)
    assert formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=found.value) == pytest.approx(target)


def test_no_value_does_it_says_what_is_reached():
    margin = formulas.gross_margin_frac
    found = tc.break_even(margin, solve_for="price_usd_per_mtok", target=1.0, total_token_cost_usd_per_mtok=1.0)
    assert not found.is_reachable and found.highest == pytest.approx(0.9999)
    assert "no value of price_usd_per_mtok from 0.0001 to 10000 gives 1" in str(found)


def test_a_result_that_rises_and_falls_has_two_answers():
    found = tc.break_even(
        lambda price_usd_per_mtok: (price_usd_per_mtok - 1) * (price_usd_per_mtok - 9), solve_for="price_usd_per_mtok", high=20
    )
    assert [found.value, *found.others] == pytest.approx([1, 9])


@pytest.mark.parametrize(
    "jumps",
    [
        lambda speed: 1 / (speed - 2.0001),  # a pole: plus and minus infinity on its two sides
        lambda speed: math.tan(speed),
        lambda speed: 1.0 if speed > 2 else -1.0,  # a step, such as one more node
        lambda speed: math.inf if speed < 2 else -1.0,
    ],
)
def test_where_the_result_jumps_over_the_target_nothing_gives_it(jumps):
    found = tc.break_even(jumps, solve_for="speed", low=1, high=3)
    assert not found.is_reachable and not found.others


def test_what_a_formula_of_ones_own_cannot_work_out_is_no_answer():
    found = tc.break_even(lambda speed: math.log(speed - 1), solve_for="speed", low=0, high=5)
    assert found.value == pytest.approx(2)
    assert tc.break_even(lambda speed: 1 / speed - 2, solve_for="speed", low=0, high=5).value == pytest.approx(0.5)


@pytest.mark.parametrize("span", [{"high": math.inf}, {"high": 5, "target": math.nan}, {"high": "a"}, {"high": 5, "target": [1, 2]}])
def test_a_span_or_a_target_that_is_no_number_is_refused(span):
    with pytest.raises(QuantityError, match="`(high|target)` must be a finite number, got"):
        tc.break_even(lambda speed: speed - 3, solve_for="speed", low=0, **span)


def test_what_cannot_be_asked_is_refused():
    cost = formulas.total_token_cost_usd_per_mtok
    with pytest.raises(QuantityError, match="do not give it as well"):
        tc.break_even(cost, solve_for="rate_usd_per_gpu_h", rate_usd_per_gpu_h=2)
    with pytest.raises(QuantityError, match="`luck` has no known range; say where to look"):
        tc.break_even(lambda luck: luck, solve_for="luck")
    with pytest.raises(QuantityError, match="must be in"):  # another input is the wrong one, and it says so
        tc.break_even(cost, solve_for="rate_usd_per_gpu_h", total_tok_per_s_per_gpu=-1)


@pytest.mark.parametrize("where", [0.37, 2.0, 71.3])
def test_a_result_that_only_touches_the_target_is_an_answer(where):
    found = tc.break_even(lambda speed: 5 - (speed - where) ** 2, solve_for="speed", target=5, low=0.01, high=100)
    assert found.value == pytest.approx(where, rel=1e-6) and not found.others
    assert not tc.break_even(lambda speed: 1e-6 + (speed - where) ** 2, solve_for="speed", low=0.01, high=100).is_reachable


def test_two_answers_between_two_places_that_are_tried_are_both_found():
    found = tc.break_even(lambda speed: (speed - 50.1) * (speed - 50.11), solve_for="speed", low=10, high=90)
    assert [found.value, *found.others] == pytest.approx([50.1, 50.11], rel=1e-9)


@pytest.mark.parametrize("second", [0.003, -0.004, 0.1])
def test_beside_a_place_that_is_hit_exactly_a_second_answer_is_found(second):
    """0 is a place that is tried; x (x - second) is 0 there and at `second`, which lies before the next place or after it."""
    found = tc.break_even(lambda x: x * (x - second), solve_for="x", low=-1, high=1)
    assert [found.value, *found.others] == pytest.approx(sorted([0, second]), abs=1e-9)
