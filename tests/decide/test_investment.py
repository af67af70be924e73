"""Money over time: numpy-financial's numbers, worked examples by hand, and answers where none exists."""

import math

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.decide import appraise, implied_rent_decline_frac, rent_path_usd_per_gpu_h
from tokcost.hour import capital_recovery_per_yr
from tokcost.quantities import QuantityError

amounts = st.lists(st.integers(-1000, 1000), min_size=2, max_size=40)


@given(usd=amounts, wacc=st.floats(0, 0.5))
@settings(max_examples=40)
def test_npv_is_that_of_numpy_financial(usd, wacc):
    assert appraise(usd, wacc_frac=wacc).npv_usd == pytest.approx(npf.npv((1 + wacc) ** (1 / 12) - 1, usd), rel=1e-9, abs=1e-9)


@given(price=st.floats(100, 1000), monthly=st.floats(20, 200))
@settings(max_examples=25)
def test_the_irr_put_back_leaves_nothing_and_is_that_of_numpy_financial(price, monthly):
    flow = [-price] + [monthly] * 24
    found = appraise(flow, wacc_frac=0.1)
    assert (1 + found.irr_frac) ** (1 / 12) - 1 == pytest.approx(npf.irr(flow), rel=1e-6, abs=1e-9)
    if 0 <= found.irr_frac <= 0.5:
        assert appraise(flow, wacc_frac=found.irr_frac).npv_usd == pytest.approx(0, abs=1e-6 * price)


@given(wacc=st.floats(0.001, 0.4), years=st.integers(1, 12))
@settings(max_examples=25)
def test_the_annuity_of_an_owned_hour_is_that_of_numpy_financial(wacc, years):
    monthly = (1 + wacc) ** (1 / 12) - 1
    assert capital_recovery_per_yr(wacc_frac=wacc, life_yr=years) == pytest.approx(-12 * npf.pmt(monthly, 12 * years, 1), rel=1e-9)


def test_payback_by_hand():
    # 1,200 are out; 200 a month come back: 6 months. At 1 % a month the first six are worth 1,159.10, the seventh 186.54.
    found = appraise([-1200.0] + [200.0] * 12, wacc_frac=1.01**12 - 1)
    assert found.payback_yr == pytest.approx(0.5)
    assert found.discounted_payback_yr == pytest.approx((6 + (1200 - 1159.10) / 186.54) / 12, abs=1e-4)


def test_where_there_is_no_answer_it_is_nan_and_not_a_number():
    lost = appraise([-1000.0, 10.0, 10.0], wacc_frac=0.1)
    assert math.isnan(lost.payback_yr) and math.isnan(lost.discounted_payback_yr)
    grown = appraise([-100.0, 60.0, -20.0, 90.0, 90.0], wacc_frac=0.0)  # a second purchase, but one running sum: one rate
    assert npf.npv((1 + grown.irr_frac) ** (1 / 12) - 1, [-100.0, 60.0, -20.0, 90.0, 90.0]) == pytest.approx(0, abs=1e-9)
    twice = appraise([-100.0, 230.0, -132.0], wacc_frac=0.1)  # 10 % and 20 % a month both leave nothing
    assert math.isnan(twice.irr_frac)
    assert appraise([5.0, 5.0], wacc_frac=0.1).payback_yr == 0


def test_a_loan_has_no_rate_of_return_for_a_high_one_would_look_good():
    # 1,200 come in and 12 times 110 go out: 19.5 % a year is what it costs, and at 10 % it loses what the opposite deal gains.
    loan, deal = (appraise([side * 1200.0] + [-side * 110.0] * 12, wacc_frac=0.1) for side in (1, -1))
    assert math.isnan(loan.irr_frac) and deal.irr_frac == pytest.approx(0.195, abs=5e-4)
    assert loan.npv_usd == pytest.approx(-deal.npv_usd) and loan.npv_usd < 0


@pytest.mark.parametrize("amounts", [["a", "b"], None, [], [1.0], [1.0, math.nan], [[1.0, 2.0]]])
def test_what_are_no_amounts_is_refused_in_one_sentence(amounts):
    with pytest.raises(QuantityError, match="must be one row of two months or more, all finite"):
        appraise(amounts, wacc_frac=0.1)


def test_a_published_own_or_rent_analysis_from_its_inputs():
    """Accelerator ROI Console (legitlads.com, seen 2026-11): 64 accelerators at 30,000 USD, 70 % used, against 2 USD an hour, 4 years."""
    hours = 64 * 8760 * 4 * 0.7
    rented, capital, running = hours * 2.0, 64 * 30_000, 728_681
    assert rented == pytest.approx(3_139_584)
    assert rented - capital - running == pytest.approx(490_903)
    assert (capital + running) / (rented / 0.7) == pytest.approx(0.59, abs=0.005)  # break-even utilization
    yearly = (rented - running) / 4
    assert appraise(np.repeat([-capital, *[yearly / 12] * 48], 1), wacc_frac=0.1).payback_yr == pytest.approx(3.2, abs=0.05)
    # Printed: an NPV of -9.44 thousand at 10 %. That takes each year's saving at its end ...
    at_year_ends = np.zeros(49)
    at_year_ends[0], at_year_ends[12::12] = -capital, yearly
    assert appraise(at_year_ends, wacc_frac=0.1).npv_usd == pytest.approx(-9_440, abs=5)
    # ... while rent is saved month by month: on that footing the same purchase is worth 78 thousand, and its verdict turns.
    assert appraise([-capital] + [yearly / 12] * 48, wacc_frac=0.1).npv_usd == pytest.approx(76_900, rel=0.02)


@given(short=st.floats(1, 8), share=st.floats(0.5, 1.2), wacc=st.floats(0, 0.3))
@settings(max_examples=25)
def test_renewing_at_the_implied_fall_costs_what_the_long_contract_does(short, share, wacc):
    long = short * share
    decline = implied_rent_decline_frac(
        short_term_yr=1, short_rate_usd_per_gpu_h=short, long_term_yr=3, long_rate_usd_per_gpu_h=long, wacc_frac=wacc
    )
    monthly = (1 + wacc) ** (1 / 12) - 1
    path = rent_path_usd_per_gpu_h(short, decline, n_months=36)
    assert npf.npv(monthly, [0, *path]) == pytest.approx(npf.npv(monthly, [0, *[long] * 36]), rel=1e-6)


def test_a_rent_that_nothing_explains_is_refused():
    with pytest.raises(QuantityError, match="no yearly change explains 4 USD per GPU-hour for 1 and 1 for 3 years"):
        implied_rent_decline_frac(short_term_yr=1, short_rate_usd_per_gpu_h=4.0, long_term_yr=3, long_rate_usd_per_gpu_h=1.0, wacc_frac=0.0)
    with pytest.raises(QuantityError, match="the long term must be longer"):
        implied_rent_decline_frac(short_term_yr=3, short_rate_usd_per_gpu_h=4.0, long_term_yr=1, long_rate_usd_per_gpu_h=3.0, wacc_frac=0.0)
