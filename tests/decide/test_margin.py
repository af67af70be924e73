"""What is left of a price: by hand, by identities, and moving the right way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcost as tc
from tokcost import formulas
from tokcost.decide import margin_by_class, unit_economics
from tokcost.quantities import QuantityError

CASE = {
    "rate_usd_per_gpu_h": 2.0,
    "total_tok_per_s_per_gpu": 1000.0,
    "utilization_frac": 0.5,
    "sold_frac": 0.8,
    "input_tok": 1000.0,
    "cached_input_tok": 1000.0,
    "output_tok": 1000.0,
    "cached_to_fresh_ratio": 0.0,
    "input_price_usd_per_mtok": 0.5,
    "cached_input_price_usd_per_mtok": 0.25,
    "output_price_usd_per_mtok": 2.0,
    "licence_fee_frac": 0.2,
    "requests_per_session": 5.0,
    "requests_per_task": 3.0,
    "success_frac": 0.6,
    "provisioned_kw_per_gpu": 2.0,
}


def test_the_worked_example_by_hand():
    # 1,000 tok/s x 0.5 x 0.8 x 3,600 s = 1.44 million sold tokens an hour, 2,000 of them to a request: 720 requests.
    # A request costs 2.0 / 720 and sells for (0.5 + 0.25 + 2.0) / 1,000 = 0.00275, of which a fifth is the licence.
    found = unit_economics(**CASE)
    assert found["requests_per_gpu_h"] == pytest.approx(720)
    assert found["request_cost_usd"] == pytest.approx(2 / 720)
    assert found["request_profit_usd"] == pytest.approx(0.0022 - 2 / 720)
    assert found["session_profit_usd"] == pytest.approx(5 * (0.0022 - 2 / 720))
    assert found["solved_task_profit_usd"] == pytest.approx(5 * (0.0022 - 2 / 720))  # 3 requests / 0.6
    assert found["revenue_usd_per_gpu_h"] == pytest.approx(1.98)
    assert found["profit_usd_per_gpu_h"] == pytest.approx(1.98 * 0.8 - 2.0)
    assert found["revenue_usd_per_mw_yr"] == pytest.approx(1.98 * 8760 * 500)  # 500 GPUs of 2 kW
    assert found["profit_usd_per_gw_yr"] == pytest.approx((1.98 * 0.8 - 2.0) * 8760 * 500_000)


shares = st.floats(0.05, 1)
CHANGES = {
    "rate_usd_per_gpu_h": -1,
    "total_tok_per_s_per_gpu": 1,
    "utilization_frac": 1,
    "sold_frac": 1,
    "cached_to_fresh_ratio": -1,
    "input_price_usd_per_mtok": 1,
    "cached_input_price_usd_per_mtok": 1,
    "output_price_usd_per_mtok": 1,
    "licence_fee_frac": -1,
}


@given(name=st.sampled_from(sorted(CHANGES)), least=shares, more=shares)
@settings(max_examples=60)
def test_what_is_left_moves_the_right_way_with_every_input(name, least, more):
    low, high = sorted((least * CASE[name] or least / 2, more * CASE[name] or more / 2))
    for what in ("request_profit_usd", "profit_usd_per_gpu_h", "profit_usd_per_gw_yr", "gross_margin_frac"):
        before, after = (unit_economics(**CASE | {name: value})[what] for value in (low, high))
        assert (after - before) * CHANGES[name] >= -1e-9 * abs(before)


@given(throughput=st.floats(20, 50_000), load=shares, sold=shares, licence=st.floats(0, 0.9))
@settings(max_examples=30)
def test_the_margin_of_a_request_is_that_of_the_hour(throughput, load, sold, licence):
    changed = {"total_tok_per_s_per_gpu": throughput, "utilization_frac": load, "sold_frac": sold, "licence_fee_frac": licence}
    found = unit_economics(**CASE | changed)
    assert found["requests_per_gpu_h"] * found["request_profit_usd"] == pytest.approx(found["profit_usd_per_gpu_h"], rel=1e-9, abs=1e-9)
    assert found["gross_margin_frac"] == pytest.approx(found["profit_usd_per_gpu_h"] / found["revenue_usd_per_gpu_h"], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("rule", [tc.serving.token_weights(), tc.serving.processing_time_weights(
    isl=1000, concurrency=50, median_ttft_s=0.5, median_tpot_s=0.02, cached_to_fresh_ratio=0.1)])  # fmt: skip
def test_a_rule_moves_margin_between_classes_and_makes_none(rule):
    use = tc.serving.TokenUse(input_tok=1000, cached_input_tok=1000, answer_tok=800, reasoning_tok=200)
    found = unit_economics(**CASE)
    prices = {name: CASE[name] for name in CASE if "_price_" in name}
    table = margin_by_class(use, rule, request_cost_usd=found["request_cost_usd"], **prices)
    assert table["request_profit_usd"].sum() == pytest.approx(found["request_revenue_usd"] - found["request_cost_usd"])


def demand(price, elasticity, cap=1e12):
    return formulas.demand_mtok_per_month(
        base_demand_mtok_per_month=100.0,
        base_price_usd_per_mtok=2.0,
        price_usd_per_mtok=price,
        price_elasticity_ratio=elasticity,
        highest_demand_mtok_per_month=cap,
    )


@given(price=st.floats(0.01, 1.9), elasticity=st.floats(0, 3))
@settings(max_examples=40)
def test_a_lower_price_brings_more_revenue_above_an_elasticity_of_one_and_less_below(price, elasticity):
    """Jevons: which of the two it is decides the sign, so no value may be assumed in silence."""
    gain = demand(price, elasticity) * price - 100 * 2.0
    assert abs(elasticity - 1) < 1e-6 or (gain > 0) == (elasticity > 1)


def test_demand_stops_at_its_cap_and_stands_at_its_base():
    assert demand(2.0, 1.7) == pytest.approx(100)
    assert demand(0.001, 2.0, cap=500.0) == 500


def test_a_share_in_percent_is_refused():
    with pytest.raises(QuantityError, match="licence_fee_frac.*give a fraction"):
        unit_economics(**CASE | {"licence_fee_frac": 30})


@pytest.mark.parametrize("name", ["input_price_usd_per_mtok", "output_price_usd_per_mtok", "utilization_frac", "rate_usd_per_gpu_h"])
def test_a_break_even_of_any_input_leaves_nothing(name):
    def left(**inputs):
        return tc.decide.unit_economics(**inputs)["profit_usd_per_gpu_h"]

    others = {key: value for key, value in CASE.items() if key != name}
    found = tc.break_even(left, solve_for=name, **others)
    assert left(**others, **{name: found.value}) == pytest.approx(0, abs=1e-9)
