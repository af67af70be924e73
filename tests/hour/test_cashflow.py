"""The same cost by two routes, in two kinds of money that never mix."""

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.hour import ownership
from tokcost.hour.cashflow import (
    DEPRECIATION,
    MoneyError,
    Nominal,
    NominalCashFlow,
    Real,
    RealCashFlow,
    depreciation_schedule,
    depreciation_value_frac,
    owner_cash_flow,
)
from tokcost.quantities import QuantityError

waccs = st.floats(0.0, 0.25)
months = st.integers(6, 120)
delays = st.integers(0, 18)
residuals = st.floats(0, 0.6)
inflations = st.floats(-0.01, 0.1)


def closed_form_usd_per_yr(wacc, life, delay, residual, running, tax=0.0, gross_up=1.0):
    capital = ownership.capital_cost_usd_per_gpu_yr(
        capital_usd_per_gpu=40_000,
        wacc_frac=wacc,
        life_yr=life / 12,
        residual_frac=residual,
        install_delay_yr=delay / 12,
        tax_frac=tax,
        tax_gross_up_ratio=gross_up,
    )
    return capital + running


def level_usd_per_yr(flow, rate, life, delay, tax=0.0):
    """The level yearly payment over the months of service, before tax, that pays for the flow."""
    discounts = (1 + rate.per_month) ** -np.arange(delay + 1, delay + life + 1)
    return 12 * flow.present_value_usd(rate) / discounts.sum() / (1 - tax)


@given(waccs, months, delays, residuals, st.floats(0, 5_000))
def test_closed_form_and_cash_flow_agree_to_a_billionth(wacc, life, delay, residual, running):
    flow = owner_cash_flow(
        capital_usd=40_000,
        life_yr=life / 12,
        residual_frac=residual,
        install_delay_yr=delay / 12,
        running_cost_usd_per_yr=running,
        money="real",
    )
    # the closed form charges the delay on capital to the day that service starts
    level = level_usd_per_yr(flow, Real(wacc), life, delay)
    assert closed_form_usd_per_yr(wacc, life, delay, residual, running) == pytest.approx(level, rel=1e-9)


@given(st.floats(0.01, 0.25), months, residuals, st.floats(0.05, 0.4), st.sampled_from(DEPRECIATION), st.integers(1, 8), delays)
def test_they_agree_after_tax_with_every_depreciation_schedule(wacc, life, residual, tax, kind, book_life, delay):
    flow = owner_cash_flow(
        capital_usd=40_000,
        life_yr=life / 12,
        residual_frac=residual,
        install_delay_yr=delay / 12,
        running_cost_usd_per_yr=1_000,
        money="nominal",
        tax_frac=tax,
        depreciation=kind,
        book_life_yr=book_life,
    )
    value = depreciation_value_frac(shares=depreciation_schedule(kind, book_life_yr=book_life), wacc_frac=wacc, life_yr=life / 12)
    gross_up = ownership.tax_gross_up_ratio(tax_frac=tax, depreciation_value_frac=value)
    level = level_usd_per_yr(flow, Nominal(wacc), life, delay, tax)
    assert closed_form_usd_per_yr(wacc, life, delay, residual, 1_000, tax, gross_up) == pytest.approx(level, rel=1e-9)


@given(waccs, months, residuals, inflations)
def test_real_and_nominal_paths_are_worth_the_same_in_money_of_the_purchase(wacc, life, residual, inflation):
    real = owner_cash_flow(
        capital_usd=40_000, life_yr=life / 12, residual_frac=residual, install_delay_yr=0, running_cost_usd_per_yr=900, money="real"
    )
    nominal, rate = real.to_nominal(inflation_frac=inflation), Real(wacc)
    if (1 + wacc) * (1 + inflation) - 1 >= 0:
        worth = nominal.present_value_usd(rate.to_nominal(inflation_frac=inflation))
        assert worth == pytest.approx(real.present_value_usd(rate), rel=1e-9)
        assert nominal.to_real(inflation_frac=inflation).usd == pytest.approx(real.usd, rel=1e-12)


def test_real_and_nominal_never_mix():
    real, nominal = RealCashFlow([100, 10, 10]), NominalCashFlow([100, 10, 10])
    with pytest.raises(MoneyError, match="needs a real discount rate"):
        real.present_value_usd(Nominal(0.1))
    with pytest.raises(MoneyError, match="needs a nominal discount rate"):
        nominal.level_payment_usd(Real(0.1))
    with pytest.raises(MoneyError):
        nominal.present_value_usd(0.1)


def test_depreciation_belongs_to_nominal_money():
    with pytest.raises(MoneyError, match="must be nominal"):
        owner_cash_flow(
            capital_usd=1,
            life_yr=5,
            residual_frac=0,
            install_delay_yr=0,
            running_cost_usd_per_yr=0,
            money="real",
            tax_frac=0.25,
            depreciation="macrs_5",
        )


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=60), st.floats(0.001, 0.4))
def test_present_value_is_numpy_financials(payments, wacc):
    rate = Nominal(wacc)
    assert NominalCashFlow(payments).present_value_usd(rate) == pytest.approx(npf.npv(rate.per_month, payments), rel=1e-9, abs=1e-6)


@given(st.lists(st.floats(10, 1000), min_size=12, max_size=60))
def test_internal_return_is_numpy_financials(income):
    flow = NominalCashFlow([-0.8 * sum(income), *income])
    assert flow.internal_return_frac() == pytest.approx((1 + npf.irr(flow.usd)) ** 12 - 1, rel=1e-6)


@pytest.mark.parametrize(
    "payments", [[100, 10, 10], [-100, 150, -60, 20], [-100, 1, 1]], ids=["never paid", "two turns", "never earned back"]
)
def test_a_flow_without_one_internal_return_says_so(payments):
    with pytest.raises(QuantityError, match="no single internal rate of return"):
        NominalCashFlow(payments).internal_return_frac()


@pytest.mark.parametrize("kind", DEPRECIATION)
@pytest.mark.parametrize("book_life", [1, 4, 5.5, 6])
def test_every_schedule_deducts_the_whole_price_once(kind, book_life):
    assert depreciation_schedule(kind, book_life_yr=book_life).sum() == pytest.approx(1, rel=1e-12)


@given(st.floats(0.01, 0.3))
def test_earlier_deductions_are_worth_more(wacc):
    worth = [
        depreciation_value_frac(shares=depreciation_schedule(kind, book_life_yr=6), wacc_frac=wacc, life_yr=6)
        for kind in ("bonus_100", "macrs_5", "straight_line")
    ]
    assert worth == sorted(worth, reverse=True)


def test_what_the_books_still_hold_when_the_thing_is_sold_is_deducted_with_the_sale():
    """Six years in the books, sold after five: the last sixth of 1,200 dollars is deducted in month 60, and nothing after it."""
    flow = owner_cash_flow(
        **{"capital_usd": 1200, "life_yr": 5, "residual_frac": 0.1, "install_delay_yr": 0.25, "running_cost_usd_per_yr": 0},
        **{"money": "nominal", "tax_frac": 0.25, "depreciation": "straight_line", "book_life_yr": 6},
    )
    assert flow.usd.size == 3 + 60 + 1
    assert flow.usd[[3 + 48, 3 + 60]].tolist() == pytest.approx([-0.25 * 200, -0.25 * 400 - 0.75 * 120])
    worth = depreciation_value_frac(shares=depreciation_schedule("straight_line", book_life_yr=6), wacc_frac=0.08, life_yr=5)
    by_hand = (1 / 1.08 + 1 / 1.08**2 + 1 / 1.08**3 + 1 / 1.08**4 + 2 / 1.08**5) / 6
    assert worth == pytest.approx(by_hand, rel=1e-12)


def test_an_unknown_schedule_and_a_part_of_a_month_are_refused():
    with pytest.raises(QuantityError, match="straight_line, macrs_5, bonus_100"):
        depreciation_schedule("macrs")
    with pytest.raises(QuantityError, match="whole months"):
        owner_cash_flow(capital_usd=1, life_yr=4.99, residual_frac=0, install_delay_yr=0, running_cost_usd_per_yr=0, money="real")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tax_frac": 21, "depreciation": "macrs_5"}, "`tax_frac` must be in"),
        ({"tax_frac": -0.2, "depreciation": "macrs_5"}, "`tax_frac` must be in"),
        ({"tax_frac": np.array([0.2, 0.3]), "depreciation": "macrs_5"}, "one rate for a cash flow"),
        ({"depreciation": "macrs_5"}, "has no effect"),
        ({"capital_usd": -1000}, "`capital_usd` must be in"),
        ({"running_cost_usd_per_yr": -5}, "`cost_usd_per_yr` must be in"),
        ({"money": "Real"}, "`money` must be real or nominal, got 'Real'"),
    ],
)
def test_what_no_owner_pays_is_refused(wrong, sentence):
    sound = {"capital_usd": 40e3, "life_yr": 5, "residual_frac": 0, "install_delay_yr": 0, "running_cost_usd_per_yr": 0}
    with pytest.raises(QuantityError, match=sentence):
        owner_cash_flow(**{**sound, "money": "nominal", **wrong})


@pytest.mark.parametrize("shares", [[20, 32, 48], [1, 1], [-0.5, 1.5]])
def test_a_schedule_that_is_not_the_price_once_is_refused(shares):
    with pytest.raises(QuantityError, match="add up to 1"):
        depreciation_value_frac(shares=shares, wacc_frac=0.1, life_yr=5)


@pytest.mark.parametrize("tax", [25, 1.0, -0.1])
def test_a_tax_rate_that_leaves_nothing_is_refused(tax):
    with pytest.raises(QuantityError, match="`tax_frac`"):
        NominalCashFlow([100.0, 2, 3], tax_frac=tax)


def test_cash_flows_broadcast_over_cases():
    """Three purchase prices and four rates are a table of twelve present values."""
    inputs = {"life_yr": 5, "residual_frac": 0.1, "install_delay_yr": 0, "running_cost_usd_per_yr": 900, "money": "real"}
    flows = owner_cash_flow(capital_usd=np.array([[30e3], [40e3], [50e3]]), **inputs)
    table = flows.present_value_usd(Real(np.array([0.0, 0.05, 0.1, 0.2])))
    assert table.shape == (3, 4)
    assert table[1, 2] == pytest.approx(owner_cash_flow(capital_usd=40e3, **inputs).present_value_usd(Real(0.1)), rel=1e-12)
