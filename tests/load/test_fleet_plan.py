"""Load plans: closed forms for flat loads, tokens conserved, two bases of cost, batch and autoscaling."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost import formulas
from tokcost.evidence import rate
from tokcost.load.capacity import OperatingPoint
from tokcost.load.fleet_plan import Autoscaling, batch_request_per_s, fill_valleys, plan, plan_batch
from tokcost.load.profiles import hourly_profile, recorded_profile
from tokcost.quantities import QuantityError

NODE = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02)
LEVEL = {"rate_usd_per_gpu_h": 2.0, "service_level_frac": 0.95, "wait_limit_s": 1.0}

days = st.lists(st.floats(0, 60), min_size=1, max_size=48).filter(lambda offered: max(offered) > 0.5)


def day_of(offered):
    return hourly_profile(offered, isl=1000, osl=1000)


def test_a_flat_load_has_closed_forms():
    """2 requests/s a replica; 7 requests/s on 4 replicas run at 7/8, whatever the number of hours."""
    planned = plan(day_of([7.0] * 24), NODE, rate_usd_per_gpu_h=2.0, service_level_frac=0.5, wait_limit_s=1.0)
    n = planned.hours["paid_replicas"].iloc[0]
    assert n == 4
    assert planned.utilization_frac == pytest.approx(7 / 8)
    assert planned.allocation_frac == 1
    assert planned.paid_gpu_h == 24 * 4 * 8
    assert planned.cost_usd == 24 * 4 * 8 * 2
    # 32 GPUs at 2 USD are 64 USD an hour; 7 x 2,000 tokens/s are 50.4 million an hour
    assert planned.allocation_token_cost_usd_per_mtok == pytest.approx(64 / 50.4)
    assert planned.usage_token_cost_usd_per_mtok == pytest.approx(64 / 50.4 * 7 / 8)
    assert planned.idle_cost_usd == pytest.approx(planned.cost_usd / 8)


@given(days)
@settings(max_examples=50, deadline=None)
def test_no_token_is_lost_or_made(offered):
    for fleet in ({}, {"autoscaling": Autoscaling(1, 0.5)}, {"n_replicas": 3}):
        planned = plan(day_of(offered), NODE, **LEVEL, **fleet)
        assert planned.delivered_total_tok + planned.unserved_total_tok == pytest.approx(planned.offered_total_tok, rel=1e-9)
        if "n_replicas" not in fleet:
            assert planned.unserved_total_tok == 0
        assert (planned.hours["busy_gpu_h"] <= planned.hours["paid_gpu_h"] + 1e-9).all()


@given(days)
@settings(max_examples=50, deadline=None)
def test_both_bases_by_a_second_route(offered):
    """Dollars over tokens give the same as utilization applied once to tokens; usage + idle = all that is paid."""
    planned = plan(day_of(offered), NODE, **LEVEL)
    assert planned.allocation_token_cost_usd_per_mtok == pytest.approx(planned.cost_usd / planned.delivered_total_tok * 1e6, rel=1e-9)
    assert planned.usage_token_cost_usd_per_mtok == pytest.approx(planned.usage_cost_usd / planned.delivered_total_tok * 1e6, rel=1e-9)
    assert planned.usage_cost_usd + planned.idle_cost_usd == pytest.approx(planned.cost_usd, rel=1e-12)
    assert planned.allocation_token_cost_usd_per_mtok >= planned.usage_token_cost_usd_per_mtok


@given(days, st.floats(0, 0.999), st.floats(0, 0.999), st.floats(0, 20), st.floats(0, 20))
@settings(max_examples=60, deadline=None)
def test_more_service_never_costs_less(offered, level, other_level, wait, other_wait):
    for autoscaling in (None, Autoscaling(0, 1.5)):
        (less, more), (long, short) = sorted((level, other_level)), sorted((wait, other_wait), reverse=True)
        costs = [
            plan(day_of(offered), NODE, rate_usd_per_gpu_h=2.0, service_level_frac=x, wait_limit_s=w, autoscaling=autoscaling).cost_usd
            for x, w in ((less, long), (more, long), (more, short))
        ]
        assert costs == sorted(costs)


@given(days, st.floats(0, 30), st.floats(0, 30))
@settings(max_examples=50, deadline=None)
def test_autoscaling_costs_between_what_is_needed_and_a_fixed_fleet_and_delay_never_saves(offered, delay, other):
    fixed = plan(day_of(offered), NODE, **LEVEL)
    quick, slow = (plan(day_of(offered), NODE, **LEVEL, autoscaling=Autoscaling(0, x)) for x in sorted((delay, other)))
    needed = fixed.hours["needed_replicas"].sum() * NODE.n_gpus
    assert needed - 1e-6 <= quick.paid_gpu_h <= slow.paid_gpu_h + 1e-6 <= fixed.paid_gpu_h + 2e-6
    assert quick.in_time_frac >= LEVEL["service_level_frac"]


def test_autoscaling_that_may_not_go_below_more_than_is_needed_costs_more_than_a_fixed_fleet():
    """One replica is enough in every hour, autoscaling keeps a hundred."""
    fixed, scaled = (plan(day_of([0.5] * 24), NODE, **LEVEL, autoscaling=each) for each in (None, Autoscaling(100, 0.25)))
    assert scaled.cost_usd == pytest.approx(100 * fixed.cost_usd)


@given(days, st.floats(1, 8), st.floats(1, 8))
@settings(max_examples=30, deadline=None)
def test_bursts_never_make_a_fleet_cheaper_and_leave_its_tokens_as_they_are(offered, arrival_cv, other):
    even, uneven = (plan(day_of(offered), NODE, **LEVEL, arrival_cv=cv) for cv in sorted((arrival_cv, other)))
    assert even.cost_usd <= uneven.cost_usd and even.delivered_total_tok == uneven.delivered_total_tok
    assert uneven.hours["in_time_frac"].min() >= LEVEL["service_level_frac"]


def test_starting_replicas_are_paid_ahead_of_need_by_a_walk_through_the_minutes():
    needed, delay_minutes = np.array([1, 5, 2, 0, 0, 3]), 95
    by_minute = np.repeat(needed, 60)
    walked = [max(np.roll(by_minute, -m)[: delay_minutes + 1]) for m in range(len(by_minute))]
    # at the exact end of the delay the next hour has begun, so a minute grid sees it one minute early or late
    paid = Autoscaling(0, delay_minutes / 60).paid(needed)
    assert paid == pytest.approx(np.reshape(walked, (-1, 60)).mean(axis=1), abs=5 / 60)


def test_a_fleet_that_is_too_small_says_what_it_does_not_serve():
    planned = plan(day_of([1, 9]), NODE, **LEVEL, n_replicas=2)
    assert planned.hours["unserved_request_per_s"].tolist() == [0, 5]
    assert planned.hours["in_time_frac"].iloc[1] == 0
    assert planned.hours["offered_load_frac"].iloc[1] == pytest.approx(2.25)
    assert planned.utilization_frac == pytest.approx(5 / 8)


def test_capacity_follows_the_peak_within_the_hour_and_tokens_its_average():
    calm = day_of([4.0])
    bursty = hourly_profile([4.0], isl=1000, osl=1000, peak_offered_request_per_s=[12.0])
    plans = [plan(day, NODE, **LEVEL) for day in (calm, bursty)]
    assert plans[0].delivered_total_tok == plans[1].delivered_total_tok
    assert plans[1].n_gpus > 2 * plans[0].n_gpus


def test_the_more_a_week_swings_the_more_a_delivered_token_costs():
    weeks = [
        recorded_profile(name, offered_request_per_s=40, isl=1000, osl=1000) for name in ("flat", "azure_2024_conv", "azure_2024_code")
    ]
    costs = [plan(week, NODE, **LEVEL).allocation_token_cost_usd_per_mtok for week in weeks]
    assert costs == sorted(costs) and costs[-1] > 3 * costs[0]


@given(days, st.floats(1, 48))
@settings(max_examples=30, deadline=None)
def test_batch_work_in_the_valleys_takes_only_what_is_free_and_adds_its_own_tokens(offered, deadline_h):
    fixed = plan(day_of(offered), NODE, **LEVEL)
    free = np.maximum(fixed.hours["serving_replicas"] - fixed.hours["needed_replicas"], 0) * NODE.capacity_request_per_s()
    if not free.any():
        with pytest.raises(QuantityError, match="there is no valley to fill"):
            fill_valleys(fixed, deadline_h=deadline_h)
        return
    filled = fill_valleys(fixed, deadline_h=deadline_h)
    added = (filled.hours["delivered_request_per_s"] - fixed.hours["delivered_request_per_s"]).to_numpy()
    assert (added <= free + 1e-9).all() and added.sum() <= free.sum() + 1e-9
    assert filled.cost_usd == fixed.cost_usd
    assert filled.delivered_total_tok == pytest.approx(filled.offered_total_tok - filled.unserved_total_tok, rel=1e-9)


@given(days, st.floats(0, 48), st.floats(0, 48))
@settings(max_examples=50, deadline=None)
def test_batch_work_that_may_wait_longer_needs_no_more_and_never_less_than_the_average(offered, deadline, other):
    soon, late = (batch_request_per_s(offered, deadline_h=x) for x in sorted((deadline, other)))
    assert np.mean(offered) * (1 - 1e-9) <= late <= soon * (1 + 1e-9) <= max(offered) * (1 + 2e-9)
    batch = plan_batch(day_of(offered), NODE, rate_usd_per_gpu_h=2.0, deadline_h=max(deadline, other))
    assert batch.delivered_total_tok == pytest.approx(batch.offered_total_tok, rel=1e-9)
    assert batch.cost_usd <= plan(day_of(offered), NODE, **LEVEL).cost_usd


def test_batch_meets_its_deadline_when_the_backlog_is_followed_and_not_with_less():
    """Work of the first hour comes first: it is late if the queue ahead of it outlasts the deadline."""
    offered, deadline = np.array([10, 0, 4, 0, 0, 2.0]), 2
    needed = batch_request_per_s(offered, deadline_h=deadline)

    def longest_wait(capacity):
        backlog, longest, step = 0.0, 0.0, 1e-3
        for arriving in np.repeat(np.tile(offered, 3), round(1 / step)):
            backlog = max(0.0, backlog + (arriving - capacity) * step)
            longest = max(longest, backlog / capacity)
        return longest

    assert longest_wait(needed) == pytest.approx(deadline, rel=0.01)
    assert longest_wait(0.95 * needed) > deadline


def test_a_batch_fleet_that_cannot_meet_the_deadline_is_refused():
    with pytest.raises(QuantityError, match="cannot finish .* within 1 h; the fewest .* 3"):
        plan_batch(day_of([9, 0, 0]), NODE, rate_usd_per_gpu_h=2.0, deadline_h=1, n_replicas=1)


def test_a_fleet_is_fixed_or_autoscaled_not_both():
    with pytest.raises(QuantityError, match="give one of the two"):
        plan(day_of([1]), NODE, **LEVEL, autoscaling=Autoscaling(1, 1), n_replicas=2)


def test_the_rate_of_another_accelerator_is_refused():
    other = rate(accelerator="gb300", price_basis="owning_hyperscaler", rate_vintage="2026-03")
    with pytest.raises(QuantityError, match="rate is one of gb300"):
        plan(day_of([1]), NODE, rate_usd_per_gpu_h=other, service_level_frac=0.9, wait_limit_s=1)


def test_the_summary_names_both_bases():
    planned = plan(day_of([1, 5]), NODE, **LEVEL)
    assert planned.summary()["allocation_token_cost_usd_per_mtok"] == planned.allocation_token_cost_usd_per_mtok
    full = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=2.0, total_tok_per_s_per_gpu=500.0)
    assert planned.summary()["usage_token_cost_usd_per_mtok"] == full
    assert plan(day_of([1, 5]), NODE, **LEVEL, n_replicas=5).summary()["cost_usd"] > planned.summary()["cost_usd"]


def test_half_a_replica_serves_nobody():
    with pytest.raises(QuantityError, match="`min_replicas` must be a whole number, got 1.5"):
        Autoscaling(min_replicas=1.5, scale_up_delay_h=0)
    with pytest.raises(QuantityError, match="`n_replicas` must be a whole number, got 1.5"):
        plan(day_of([1.0]), NODE, **LEVEL, n_replicas=1.5)
    for wrong, sentence in ((2.5, "must be a whole number, got 2.5"), (math.nan, "must be a finite number")):
        with pytest.raises(QuantityError, match=f"`n_replicas` {sentence}"):
            plan_batch(day_of([1.0]), NODE, rate_usd_per_gpu_h=2.0, deadline_h=1, n_replicas=wrong)


def test_a_load_that_nearly_vanishes_has_no_cost_per_token():
    with pytest.raises(QuantityError, match="too little for a cost per token to mean anything"):
        _ = plan(day_of([1e-6] * 3), NODE, **LEVEL).allocation_token_cost_usd_per_mtok
