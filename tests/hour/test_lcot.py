"""Levelised cost of tokens: discounted cost over discounted tokens, equal to the hour where nothing changes over the life."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import formulas
from tokcost.hour import (
    MoneyError,
    Nominal,
    Real,
    RealCashFlow,
    capital_recovery_per_yr,
    levelised_token_cost_usd_per_mtok,
    output_by_month,
    owner_cash_flow,
)
from tokcost.quantities import HOURS_PER_YEAR, QuantityError

STEADY = {
    "total_tok_per_s_per_gpu": 1000.0,
    "utilization_frac": 0.5,
    "availability_frac": 1.0,
    "life_yr": 5.0,
    "ramp_up_yr": 0.0,
    "output_growth_frac": 0.0,
}
PLAIN = {"install_delay_yr": 0, "price_decline_frac": 0}


def cost(money="real", life_yr=5.0, delay_yr=0.0):
    return owner_cash_flow(
        capital_usd=40_000, life_yr=life_yr, residual_frac=0, install_delay_yr=delay_yr, running_cost_usd_per_yr=3_000, money=money
    )


@given(st.floats(0, 0.25), st.floats(100, 50_000), st.floats(0.05, 1), st.integers(2, 8))
def test_with_steady_output_it_is_the_hour_over_the_tokens(wacc, throughput, share, life):
    yearly = 40_000 * capital_recovery_per_yr(wacc_frac=wacc, life_yr=life) + 3_000
    hour = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=yearly / HOURS_PER_YEAR, total_tok_per_s_per_gpu=throughput * share)
    tokens = output_by_month(**STEADY | {"total_tok_per_s_per_gpu": throughput, "utilization_frac": share, "life_yr": life})
    levelised = levelised_token_cost_usd_per_mtok(cost=cost(life_yr=life), mtok_by_month=tokens, discount_rate=Real(wacc), **PLAIN)
    assert levelised == pytest.approx(hour, rel=1e-9)


def test_tokens_are_discounted_too():
    """Cost over undiscounted tokens understates what a token must earn, by a fifth at 10 % over five years."""
    tokens = output_by_month(**STEADY)
    levelised = levelised_token_cost_usd_per_mtok(cost=cost(), mtok_by_month=tokens, discount_rate=Real(0.1), **PLAIN)
    undiscounted = cost().present_value_usd(Real(0.1)) / tokens.sum()
    assert undiscounted < 0.85 * levelised


def levelised(**changes):
    money = {k: changes.pop(k) for k in list(changes) if k in PLAIN}
    flow = cost(delay_yr=money.get("install_delay_yr", 0))
    return levelised_token_cost_usd_per_mtok(
        cost=flow, mtok_by_month=output_by_month(**STEADY | changes), discount_rate=Real(0.1), **PLAIN | money
    )


@given(st.floats(0.1, 4), st.floats(0.01, 1))
def test_ramp_up_raises_it_and_software_lowers_it(ramp, growth):
    assert levelised(ramp_up_yr=ramp) > levelised()
    assert levelised(output_growth_frac=growth) < levelised()


@given(st.floats(0.01, 0.9))
def test_a_falling_price_must_start_higher(decline):
    assert levelised(price_decline_frac=decline) > levelised()


def test_a_delay_raises_it_by_the_return_on_the_capital_that_waits():
    assert levelised(install_delay_yr=1.0) == pytest.approx(
        (40_000 * 1.1 * capital_recovery_per_yr(wacc_frac=0.1, life_yr=5) + 3_000) / (500 * 3600 * 8760 / 1e6), rel=1e-9
    )


def test_a_fall_of_price_equal_to_the_growth_of_output_cancels():
    """Output up by 25 % a year and prices down by 20 %: each month earns the same."""
    assert levelised(output_growth_frac=0.25, price_decline_frac=0.2) == pytest.approx(levelised(), rel=0.01)


def test_real_and_nominal_costs_give_the_same_price_in_money_of_the_start():
    """A nominal price that rises with inflation is a constant real one: decline of -inflation turns one path into the other."""
    tokens, inflation = output_by_month(**STEADY), 0.03
    real = levelised_token_cost_usd_per_mtok(cost=cost(), mtok_by_month=tokens, discount_rate=Real(0.07), **PLAIN)
    nominal = levelised_token_cost_usd_per_mtok(
        cost=cost().to_nominal(inflation_frac=inflation),
        mtok_by_month=tokens,
        discount_rate=Real(0.07).to_nominal(inflation_frac=inflation),
        install_delay_yr=0,
        price_decline_frac=-inflation,
    )
    assert nominal == pytest.approx(real, rel=1e-9)


def test_with_tax_the_price_is_the_one_whose_taxed_revenue_just_pays():
    """Money is earned at the price, taxed at the rate of the cost, and nothing is left over or missing in month 0."""
    flow = owner_cash_flow(
        capital_usd=40_000, life_yr=5, residual_frac=0.1, install_delay_yr=0.5, running_cost_usd_per_yr=1_200, money="nominal",
        tax_frac=0.25, depreciation="macrs_5",
    )  # fmt: skip
    mtok = output_by_month(**STEADY)
    price = levelised_token_cost_usd_per_mtok(
        cost=flow, mtok_by_month=mtok, discount_rate=Nominal(0.1), install_delay_yr=0.5, price_decline_frac=0
    )
    earned = np.zeros(flow.usd.size)
    earned[7 : 7 + mtok.size] = price * mtok * (1 - 0.25)
    discounts = 1.1 ** -(np.arange(flow.usd.size) / 12)
    assert ((earned - flow.usd) * discounts).sum() == pytest.approx(0, abs=1e-6)
    assert flow.to_real(inflation_frac=0.02).to_nominal(inflation_frac=0.02).tax_frac == 0.25


def test_kinds_of_money_do_not_mix_and_no_tokens_is_no_price():
    with pytest.raises(MoneyError, match="a real cost needs a real discount rate, got Nominal"):
        levelised_token_cost_usd_per_mtok(cost=cost(), mtok_by_month=[1.0] * 60, discount_rate=Nominal(0.1), **PLAIN)
    for tokens in ([0.0] * 60, [1.0, math.nan], [-1.0, 2.0], 5.0):
        with pytest.raises(QuantityError, match="rows of tokens"):
            levelised_token_cost_usd_per_mtok(cost=cost(), mtok_by_month=tokens, discount_rate=Real(0.1), **PLAIN)
    with pytest.raises(QuantityError, match="give a fraction"):
        output_by_month(**STEADY | {"utilization_frac": 45})


def test_an_hour_that_is_not_available_makes_no_tokens():
    """The same cost by the hour: a yearly cost over the hours that are available, over the tokens of a used one."""
    yearly = 40_000 * capital_recovery_per_yr(wacc_frac=0.1, life_yr=5) + 3_000
    hour = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=yearly / HOURS_PER_YEAR / 0.9, total_tok_per_s_per_gpu=500)
    assert levelised(availability_frac=0.9) == pytest.approx(hour, rel=1e-9)


@given(st.floats(0.0, 5.0))
def test_a_ramp_of_any_length_delivers_the_area_under_it(ramp):
    """A straight climb over `ramp` years and full output after it: five years less half of the ramp."""
    full_year = 1000 * 0.5 * 3600 * HOURS_PER_YEAR / 1e6
    assert output_by_month(**STEADY | {"ramp_up_yr": ramp}).sum() == pytest.approx(full_year * (5 - ramp / 2), rel=1e-9)


def test_cost_and_tokens_must_be_of_one_life():
    tokens, ten_years = output_by_month(**STEADY), output_by_month(**STEADY | {"life_yr": 10})
    late = cost(delay_yr=0.5)
    with pytest.raises(QuantityError, match="`install_delay_yr` is 0 .* and 6 in the cash flow"):
        levelised_token_cost_usd_per_mtok(cost=late, mtok_by_month=tokens, discount_rate=Real(0.1), **PLAIN)
    with pytest.raises(QuantityError, match="120 months.* 48; give both the same `life_yr`"):
        levelised_token_cost_usd_per_mtok(cost=cost(life_yr=4), mtok_by_month=ten_years, discount_rate=Real(0.1), **PLAIN)
    inflated = late.to_nominal(inflation_frac=0.02)
    with pytest.raises(QuantityError, match="give both the same delay"):
        levelised_token_cost_usd_per_mtok(cost=inflated, mtok_by_month=tokens, discount_rate=Nominal(0.1), **PLAIN)
    by_hand = RealCashFlow([40_000.0] + [250.0] * 60)
    assert levelised_token_cost_usd_per_mtok(cost=by_hand, mtok_by_month=tokens, discount_rate=Real(0.1), **PLAIN) == pytest.approx(
        levelised()
    )
    with pytest.raises(QuantityError, match="has 60 months after month 0, the tokens need 120"):
        levelised_token_cost_usd_per_mtok(cost=by_hand, mtok_by_month=ten_years, discount_rate=Real(0.1), **PLAIN)


def test_it_broadcasts_over_output_rate_and_decline():
    tokens = output_by_month(**STEADY | {"total_tok_per_s_per_gpu": np.array([500.0, 1000.0])})
    table = levelised_token_cost_usd_per_mtok(
        cost=cost(), mtok_by_month=tokens, discount_rate=Real(0.1), install_delay_yr=0, price_decline_frac=0.0
    )
    assert table[0] == pytest.approx(2 * table[1], rel=1e-12)
    assert table[1] == pytest.approx(levelised(), rel=1e-12)
    ramps = output_by_month(**STEADY | {"ramp_up_yr": np.array([0.0, 1.0])})
    assert ramps.shape == (2, 60) and (ramps[0] == output_by_month(**STEADY)).all() and ramps[1, 0] < ramps[0, 0]
    swept = levelised_token_cost_usd_per_mtok(
        cost=cost(), mtok_by_month=tokens[1], discount_rate=Real(np.array([0.05, 0.1])), install_delay_yr=0, price_decline_frac=0.0
    )
    assert swept[1] == pytest.approx(levelised(), rel=1e-12)
