"""Joint cost, its split and the cost of a task: parts add up exactly, closed forms agree with simulated tasks."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import formulas
from tokcost import quantities as q
from tokcost.serving import tokens
from tokcost.serving.tokens import (
    TokenUse,
    expected_attempts,
    price_weights,
    processing_time_weights,
    request_cost_usd,
    solved_task_cost_usd,
    split_cost,
    started_task_cost_usd,
    task_success_frac,
    token_weights,
)

FOUR_TO_ONE = price_weights(input_price_usd_per_mtok=1, cached_input_price_usd_per_mtok=0.1, output_price_usd_per_mtok=4)
RULES = (
    token_weights(),
    FOUR_TO_ONE,
    processing_time_weights(isl=1000, concurrency=8, median_ttft_s=0.3, median_tpot_s=0.017, cached_to_fresh_ratio=0.05),
)
counts = st.floats(1, 1e12)


@given(st.floats(1e-6, 1e9), counts, counts, counts, counts, st.sampled_from(RULES))
def test_the_parts_add_up_to_the_joint_cost_to_the_last_digit(cost, fresh, cached, answer, reasoning, rule):
    parts = split_cost(TokenUse(fresh, cached, answer, reasoning), rule, cost_usd=cost)["cost_usd"].tolist()
    assert sum(parts) == cost == sum(reversed(parts))
    assert min(parts) >= 0


def test_a_four_fold_premium_on_8_to_1_lengths_makes_a_ninth_of_the_tokens_a_third_of_the_cost():
    by_price = split_cost(TokenUse(8000, 0, 1000, 0), FOUR_TO_ONE, cost_usd=3.0)
    assert by_price["cost_usd"].tolist() == pytest.approx([2, 0, 1])
    even = split_cost(TokenUse(8000, 0, 1000, 0), token_weights(), cost_usd=3.0)
    assert even["share_frac"].tolist() == pytest.approx([8 / 9, 0, 1 / 9])


def test_by_tokens_every_class_costs_the_total_cost_per_million():
    rate, throughput = 3.6, 1000.0
    each = split_cost(TokenUse(2.4e6, 0.2e6, 0.7e6, 0.3e6), token_weights(), cost_usd=rate)["allocated_cost_usd_per_mtok"]
    total = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=throughput)
    assert each.tolist() == pytest.approx([total] * 3)


def test_by_processing_time_a_request_is_split_as_its_seconds_of_machine_are():
    """1,000 prompt tokens in 0.5 s, 250 answer tokens at 0.02 s: 0.5 against 5 seconds, if it has the machine to itself."""
    times = {"isl": 1000, "median_ttft_s": 0.5, "median_tpot_s": 0.02, "cached_to_fresh_ratio": 0}
    alone = split_cost(TokenUse(1000, 0, 250, 0), processing_time_weights(concurrency=1, **times), cost_usd=1.0)["share_frac"]
    assert alone.tolist() == pytest.approx([0.5 / 5.5, 0, 5 / 5.5])
    # ten answers share each step: half a second of machine for the prompt, half a second for the answer
    shared = split_cost(TokenUse(1000, 0, 250, 0), processing_time_weights(concurrency=10, **times), cost_usd=1.0)["share_frac"]
    assert shared.tolist() == pytest.approx([0.5, 0, 0.5])


def test_reasoning_tokens_are_output():
    with_reasoning = split_cost(TokenUse(1000, 0, 200, 800), FOUR_TO_ONE, cost_usd=1.0)
    plain = split_cost(TokenUse(1000, 0, 1000, 0), FOUR_TO_ONE, cost_usd=1.0)
    assert with_reasoning["cost_usd"].tolist() == plain["cost_usd"].tolist()


def test_cached_prompts_charged_as_fresh_overstate_the_cost_manyfold():
    """Agentic traffic, 133 prompt tokens for each answer token, 92 % of them from the cache."""
    price = {
        "input_token_allocated_cost_usd_per_mtok": 1.0,
        "cached_input_token_allocated_cost_usd_per_mtok": 0.1,
        "output_token_allocated_cost_usd_per_mtok": 4.0,
    }
    right = request_cost_usd(input_tok=0.08 * 133_000, cached_input_tok=0.92 * 133_000, output_tok=1000, **price)
    wrong = request_cost_usd(input_tok=133_000, cached_input_tok=0, output_tok=1000, **price)
    assert 4 < wrong / right < 10


@given(counts, counts, counts, st.sampled_from(RULES), st.integers(1, 50))
def test_the_requests_of_a_bill_cost_what_the_bill_says(fresh, cached, output, rule, n_requests):
    bill = split_cost(TokenUse(fresh, cached, output, 0), rule, cost_usd=100.0).set_index("token_class")["allocated_cost_usd_per_mtok"]
    each = request_cost_usd(
        input_tok=fresh / n_requests,
        cached_input_tok=cached / n_requests,
        output_tok=output / n_requests,
        **{f"{name}_token_allocated_cost_usd_per_mtok": min(bill[name], 1e5) for name in tokens.CLASSES},
    )
    if bill.max() < 1e5:
        assert each * n_requests == pytest.approx(100.0, rel=1e-9)


def test_a_class_without_tokens_has_no_cost_per_million():
    table = split_cost(TokenUse(1e6, 0, 1e6, 0), FOUR_TO_ONE, cost_usd=1.0)
    assert np.isnan(table["allocated_cost_usd_per_mtok"][1])


def test_half_a_retry_is_refused():
    for formula, inputs in ((expected_attempts, {}), (task_success_frac, {})):
        with pytest.raises(q.QuantityError, match="`max_retries` must be a whole number, got 1.5"):
            formula(success_frac=0.5, max_retries=1.5, **inputs)


def test_tokens_that_no_rule_weighs_cannot_carry_a_cost():
    nothing = processing_time_weights(isl=1000, concurrency=8, median_ttft_s=0.5, median_tpot_s=0.02, cached_to_fresh_ratio=0)
    with pytest.raises(q.QuantityError, match="nothing can carry the cost"):
        split_cost(TokenUse(0, 5000, 0, 0), nothing, cost_usd=1.0)


@pytest.mark.parametrize(("success", "retries"), [(0.3, 0), (0.3, 4), (0.85, 2), (1.0, 3)])
def test_closed_forms_of_a_task_agree_with_simulated_tasks(success, retries):
    draw, n = random.Random(7), 40_000
    attempts = solved = 0
    for _ in range(n):
        for _ in range(retries + 1):
            attempts += 1
            if draw.random() < success:
                solved += 1
                break
    assert expected_attempts(success_frac=success, max_retries=retries) == pytest.approx(attempts / n, rel=0.02)
    assert task_success_frac(success_frac=success, max_retries=retries) == pytest.approx(solved / n, rel=0.02)
    per_solved = solved_task_cost_usd(request_cost_usd=0.02, requests_per_task=3, success_frac=success)
    assert per_solved == pytest.approx(0.06 * attempts / solved, rel=0.03)


@given(st.floats(0.01, 1), st.integers(0, 50), st.floats(1e-6, 10), st.floats(0.1, 100))
def test_a_solved_task_costs_the_begun_ones_over_the_share_that_is_solved(success, retries, cost, requests):
    begun = started_task_cost_usd(request_cost_usd=cost, requests_per_task=requests, success_frac=success, max_retries=retries)
    share = task_success_frac(success_frac=success, max_retries=retries)
    solved = solved_task_cost_usd(request_cost_usd=cost, requests_per_task=requests, success_frac=success)
    assert begun / share == pytest.approx(solved, rel=1e-9)
    attempts = expected_attempts(success_frac=success, max_retries=retries)
    assert begun == pytest.approx(cost * requests * attempts, rel=1e-9)


def test_a_success_rate_of_nothing_is_refused():
    with pytest.raises(q.QuantityError, match="`success_frac` must be in"):
        expected_attempts(success_frac=0, max_retries=3)


def test_a_price_list_may_give_cached_input_away_and_hold_several_prices():
    free = price_weights(input_price_usd_per_mtok=1, cached_input_price_usd_per_mtok=0, output_price_usd_per_mtok=4)
    assert free.cached_input_weight_ratio == 0
    both = {"input_price_usd_per_mtok": np.array([1.0, 2.0]), "output_price_usd_per_mtok": np.array([4.0, 4.0])}
    assert price_weights(cached_input_price_usd_per_mtok=np.array([0.5, 0.0]), **both).output_weight_ratio.tolist() == [4, 2]
    with pytest.raises(q.QuantityError, match="price_usd_per_mtok"):
        price_weights(input_price_usd_per_mtok=1, cached_input_price_usd_per_mtok=-0.1, output_price_usd_per_mtok=4)
