"""A month of a cluster: by hand, nothing lost between its parts, and moving the right way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcost as tc
from tokcost.quantities import QuantityError

FLAT = tc.load.hourly_profile([1.0], isl=1000, osl=1000)
DAY = tc.load.hourly_profile([1, 1, 4], isl=1000, osl=1000)
SIZE = {"n_gpus": 64, "gpus_per_replica": 8, "rate_usd_per_gpu_h": 2.0, "total_tok_per_s_per_gpu": 1000.0, "kept_spare_replicas": 0}


def test_the_worked_example_by_hand():
    # A replica makes 8,000 tok/s, 21,024 million tokens in a month of 730 hours; the busiest hour asks for twice the average.
    found = tc.cluster(**SIZE, demand_mtok_per_month=60_000, profile=DAY)
    assert found.cost_usd_per_month == 64 * 2.0 * 730
    assert found.capacity_mtok_per_month == pytest.approx(8 * 21_024)
    assert found.needed_replicas == 6  # 120,000 / 21,024 = 5.7
    assert found.delivered_mtok_per_month == pytest.approx(60_000) and found.unserved_mtok_per_month == pytest.approx(0)
    assert found.total_token_cost_usd_per_mtok == pytest.approx(93_440 / 60_000)


def test_what_the_busy_hours_ask_beyond_the_capacity_is_not_served():
    # Capacity for 100,000 at most; the hours ask for 45,000, 45,000 and 180,000 (as a month each).
    found = tc.cluster(**SIZE | {"total_tok_per_s_per_gpu": 100_000 / 64 / 2.628}, demand_mtok_per_month=90_000, profile=DAY)
    assert found.delivered_mtok_per_month == pytest.approx((45_000 + 45_000 + 100_000) / 3)
    assert found.headroom_ratio == pytest.approx(100 / 180)


def test_gpus_that_make_no_whole_replica_are_paid_and_serve_nobody():
    found = tc.cluster(**SIZE | {"n_gpus": 70}, demand_mtok_per_month=60_000, profile=FLAT)
    assert found.leftover_gpus == 6 and found.n_replicas == 8
    assert found.cost_usd_per_month == 70 * 2.0 * 730


def test_a_power_budget_is_so_many_gpus():
    budget = {key: value for key, value in SIZE.items() if key != "n_gpus"} | {"power_mw": 0.1, "provisioned_kw_per_gpu": 1.5}
    assert tc.cluster(**budget, demand_mtok_per_month=1000, profile=FLAT).n_gpus == 66


@given(n_gpus=st.integers(8, 5000), demand=st.floats(1e3, 1e7), kept=st.integers(0, 3), throughput=st.floats(10, 20_000))
@settings(max_examples=50)
def test_nothing_is_lost_between_the_parts(n_gpus, demand, kept, throughput):
    asked = SIZE | {"n_gpus": n_gpus + 8 * kept, "kept_spare_replicas": kept, "total_tok_per_s_per_gpu": throughput}
    found = tc.cluster(**asked, demand_mtok_per_month=demand, profile=DAY)
    assert found.delivered_mtok_per_month + found.unserved_mtok_per_month == pytest.approx(demand)
    assert found.needed_replicas + found.spare_replicas == found.n_replicas
    assert found.n_replicas * 8 + found.leftover_gpus == found.n_gpus
    # The same cost by the headline formula: the price of an hour over what it delivers.
    if found.utilization_frac > 0.01:
        speed = tc.delivered_total_tok_per_s_per_gpu(total_tok_per_s_per_gpu=throughput, utilization_frac=found.utilization_frac)
        cost = tc.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=2.0, total_tok_per_s_per_gpu=speed)
        assert found.total_token_cost_usd_per_mtok == pytest.approx(cost)


@given(name=st.sampled_from(["rate_usd_per_gpu_h", "total_tok_per_s_per_gpu", "demand_mtok_per_month"]), more=st.floats(1.01, 20))
@settings(max_examples=30)
def test_a_token_costs_more_at_a_higher_price_and_less_with_throughput_and_demand(name, more):
    asked = SIZE | {"demand_mtok_per_month": 150_000.0}
    before, after = (tc.cluster(**asked | {name: asked[name] * by}, profile=DAY) for by in (1, more))
    change = after.total_token_cost_usd_per_mtok - before.total_token_cost_usd_per_mtok
    assert change > 0 if name == "rate_usd_per_gpu_h" else change <= 1e-12


def test_what_must_throughput_be_for_thirty_cents():
    def cost(**inputs):
        return tc.cluster(**inputs).total_token_cost_usd_per_mtok

    asked = {key: value for key, value in SIZE.items() if key != "total_tok_per_s_per_gpu"} | {"profile": FLAT}
    found = tc.break_even(cost, solve_for="total_tok_per_s_per_gpu", target=0.30, demand_mtok_per_month=1e9, **asked)
    assert found.value == pytest.approx(2.0 / 0.30 * 1e6 / 3600)
    # With little demand more throughput brings nothing: 93,440 USD over 60,000 million tokens is the least.
    found = tc.break_even(cost, solve_for="total_tok_per_s_per_gpu", target=0.30, demand_mtok_per_month=60_000, **asked)
    assert not found.is_reachable and found.lowest == pytest.approx(93_440 / 60_000)


def test_arrays_of_cases_and_a_demand_of_nothing():
    found = tc.cluster(**SIZE, demand_mtok_per_month=np.array([0.0, 60_000.0]), profile=FLAT)
    assert np.isnan(found.total_token_cost_usd_per_mtok[0]) and found.total_token_cost_usd_per_mtok[1] > 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"n_gpus": 8, "kept_spare_replicas": 1}, "none is left to serve; take more GPUs"),
        ({"n_gpus": 63.5}, "`n_gpus` must be a whole number"),
        ({"power_mw": 1.0, "provisioned_kw_per_gpu": 1.0}, "give the size as `n_gpus`, or as `power_mw`"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(changed, said):
    with pytest.raises(QuantityError, match=said):
        tc.cluster(**SIZE | changed, demand_mtok_per_month=1000, profile=FLAT)
