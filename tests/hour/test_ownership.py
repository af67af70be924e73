"""The closed form: annuities as everybody computes them, published examples, and how cost moves with its inputs."""

import math

import numpy as np
import numpy_financial as npf
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from tokcost import evidence
from tokcost import quantities as q
from tokcost.hour import cashflow, lcot, ownership

waccs = st.floats(0.001, 0.3)
lives = st.floats(0.5, 30)


def charge(**changes):
    inputs = {"capital_usd_per_gpu": 40_000.0, "wacc_frac": 0.1, "life_yr": 5.0, "residual_frac": 0.1, "install_delay_yr": 0.25}
    return ownership.capital_cost_usd_per_gpu_yr(**{**inputs, "tax_frac": 0.0, "tax_gross_up_ratio": 1.0, **changes})


@given(waccs, st.integers(1, 30))
def test_a_year_end_annuity_is_numpy_financials_payment(wacc, life):
    ours = ownership.year_end_capital_recovery_per_yr(wacc_frac=wacc, life_yr=life)
    assert ours == pytest.approx(-npf.pmt(wacc, life, 1.0), rel=1e-9)


@given(waccs, st.integers(1, 30))
def test_a_quoted_loan_rate_is_numpy_financials_monthly_payment(rate, life):
    ours = ownership.loan_capital_recovery_per_yr(discount_frac=rate, life_yr=life)
    assert ours == pytest.approx(-12 * npf.pmt(rate / 12, life * 12, 1.0), rel=1e-9)


@given(waccs, st.integers(3, 120))
def test_a_monthly_annuity_at_an_effective_rate_is_numpy_financials(wacc, months):
    ours = ownership.capital_recovery_per_yr(wacc_frac=wacc, life_yr=months / 12)
    assert ours == pytest.approx(-12 * npf.pmt((1 + wacc) ** (1 / 12) - 1, months, 1.0), rel=1e-9)


def test_without_cost_of_capital_the_charge_is_straight_line():
    assert charge(wacc_frac=0.0, install_delay_yr=0.0) == pytest.approx(40_000 * 0.9 / 5, rel=1e-12)


def test_a_tiny_rate_approaches_no_rate():
    assert charge(wacc_frac=1e-9) == pytest.approx(charge(wacc_frac=0.0), rel=1e-7)


@given(waccs, lives, st.floats(0.01, 5))
def test_cost_falls_with_life(wacc, life, more):
    assert charge(wacc_frac=wacc, life_yr=life + more) < charge(wacc_frac=wacc, life_yr=life)


@given(waccs, lives, st.floats(0.001, 0.1))
def test_cost_rises_with_the_cost_of_capital(wacc, life, more):
    assert charge(wacc_frac=wacc + more, life_yr=life) > charge(wacc_frac=wacc, life_yr=life)


@given(waccs, lives, st.floats(1, 4))
def test_cost_is_proportional_to_capital(wacc, life, factor):
    once = charge(wacc_frac=wacc, life_yr=life)
    assert charge(wacc_frac=wacc, life_yr=life, capital_usd_per_gpu=40_000 * factor) == pytest.approx(once * factor, rel=1e-12)


def test_formulas_broadcast_and_series_keep_their_rows():
    lives = pd.Series([3.0, 5.0, math.nan], index=["short", "long", "unknown"])
    recovery = ownership.capital_recovery_per_yr(wacc_frac=0.1, life_yr=lives)
    assert list(recovery.index) == ["short", "long", "unknown"]
    assert recovery["short"] > recovery["long"] and math.isnan(recovery["unknown"])
    grid = charge(wacc_frac=np.array([[0.05], [0.15]]), life_yr=np.array([3.0, 4.0, 6.0]))
    assert grid.shape == (2, 3)
    assert grid[0, 2] == pytest.approx(charge(wacc_frac=0.05, life_yr=6.0), rel=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [{"wacc_frac": 10}, {"life_yr": 60}, {"residual_frac": 10}, {"capital_usd_per_gpu": 4e6}, {"install_delay_yr": 6}, {"life_yr": 0}],
    ids=["percent", "months", "percent of price", "the whole rack", "months of delay", "no life"],
)
def test_one_wrong_unit_is_refused(wrong):
    with pytest.raises(q.QuantityError, match=next(iter(wrong))):
        charge(**wrong)


def example(name):
    table = evidence.load_table("levelised_cost_examples")
    rows = table[table["example"] == name]
    return dict(zip(rows["item"], rows["value"], strict=True))


def levelised_by_cash_flow(*, capital_usd, recovery_per_yr, running_cost_usd_per_yr, energy_kwh, years):
    """Cost per kilowatt-hour of a plant as a cash flow, at the rate whose recovery factor is the published one.

    The kilowatt-hours stand in place of tokens.
    """
    rate = optimize.brentq(
        lambda wacc: ownership.capital_recovery_per_yr(wacc_frac=wacc, life_yr=years) - recovery_per_yr, 0.01, 0.2, xtol=1e-15
    )
    cost = cashflow.owner_cash_flow(
        capital_usd=capital_usd,
        life_yr=years,
        residual_frac=0,
        install_delay_yr=0,
        running_cost_usd_per_yr=running_cost_usd_per_yr,
        money="real",
    )
    months = q.MONTHS_PER_YEAR * years
    return lcot.levelised_token_cost_usd_per_mtok(
        cost=cost,
        mtok_by_month=[energy_kwh / q.MONTHS_PER_YEAR] * months,
        discount_rate=cashflow.Real(rate),
        install_delay_yr=0,
        price_decline_frac=0,
    )


@pytest.mark.parametrize("name", ["sam_wind", "sam_biopower"])
def test_nrels_simple_levelised_cost_comes_out_of_our_cash_flow(name):
    """LCOE = (fixed charge rate x capital + fixed operation) / output + variable operation.

    Formula: sam.nrel.gov, "LCOE Calculator"; inputs and result: NREL's own test files of SAM.
    """
    nrel = example(name)
    levelised = levelised_by_cash_flow(
        capital_usd=nrel["capital"],
        recovery_per_yr=nrel["fixed charge rate"],
        running_cost_usd_per_yr=nrel["fixed operation"],
        energy_kwh=nrel["output"],
        years=25,
    )
    assert levelised + nrel["variable operation"] == pytest.approx(nrel["levelised cost"], rel=1e-9)


def test_the_annual_technology_baselines_levelised_cost_is_reproduced_to_its_printed_digits():
    """LCOE = (CRF x ProFinFactor x CAPEX + fixed operation) / (capacity factor x 8760), without fuel and tax credit.

    Formula: atb.nrel.gov/electricity/2024, "Equations and Variables"; inputs and result: NREL's reference tables of the
    2024 baseline, land-based wind of its default class, moderate, 2030, research case, recovered over 30 years with the
    5-year MACRS schedule. Per kilowatt; once in closed form, once out of our cash flow.
    """
    atb = example("atb_wind_2030")
    years = int(atb["capital recovery period"])
    depreciation = cashflow.depreciation_value_frac(shares=cashflow.MACRS_5, wacc_frac=atb["WACC, nominal"], life_yr=years)
    gross_up = ownership.tax_gross_up_ratio(tax_frac=atb["tax"], depreciation_value_frac=depreciation)
    fixed_charge = gross_up * ownership.year_end_capital_recovery_per_yr(wacc_frac=atb["WACC, real"], life_yr=years)
    energy_kwh = atb["capacity factor"] * q.HOURS_PER_YEAR
    levelised = (fixed_charge * atb["capital"] + atb["fixed operation"]) / energy_kwh
    assert levelised == pytest.approx(atb["levelised cost"], rel=1e-14)
    assert atb["levelised cost"] == pytest.approx(
        levelised_by_cash_flow(
            capital_usd=atb["capital"],
            recovery_per_yr=fixed_charge,
            running_cost_usd_per_yr=atb["fixed operation"],
            energy_kwh=energy_kwh,
            years=years,
        ),
        rel=1e-9,
    )


@pytest.mark.parametrize("name", ["atb_nuclear_market_2030", "atb_wind_2030"])
def test_the_annual_technology_baselines_cost_of_capital_is_reproduced(name):
    """Nominal WACC from debt, equity and tax; its real twin by (1 + nominal) / (1 + inflation) - 1: NREL ATB-calc."""
    atb = example(name)
    debt, tax = atb["debt share"], atb["tax"]
    nominal = debt * atb["interest, nominal"] * (1 - tax) + (1 - debt) * atb["return on equity, nominal"]
    assert nominal == pytest.approx(atb["WACC, nominal"], rel=1e-12)
    for kind in ("interest", "return on equity", "WACC"):
        real = cashflow.real_wacc_frac(wacc_frac=atb[f"{kind}, nominal"], inflation_frac=atb["inflation"])
        assert real == pytest.approx(atb[f"{kind}, real"], rel=1e-12)
        back = cashflow.nominal_wacc_frac(wacc_frac=real, inflation_frac=atb["inflation"])
        assert back == pytest.approx(atb[f"{kind}, nominal"], rel=1e-12)


def test_the_tax_gross_up_is_the_baselines_project_finance_factor():
    """ProFinFactor = (1 - tax x PV of depreciation) / (1 - tax), with the baseline's nuclear schedule (MACRS, 15-year property)."""
    macrs_15 = [0.05, 0.095, 0.0855, 0.077, 0.0693, 0.0623, 0.059, 0.059, 0.0591, 0.059, 0.0591, 0.059, 0.0591, 0.059, 0.0591, 0.0295]
    atb = example("atb_nuclear_market_2030")
    value = cashflow.depreciation_value_frac(shares=macrs_15, wacc_frac=atb["WACC, nominal"], life_yr=40)
    by_hand = sum(share / (1 + atb["WACC, nominal"]) ** year for year, share in enumerate(macrs_15, start=1))
    assert value == pytest.approx(by_hand, rel=1e-12)
    ours = ownership.tax_gross_up_ratio(tax_frac=atb["tax"], depreciation_value_frac=value)
    assert ours == pytest.approx((1 - atb["tax"] * by_hand) / (1 - atb["tax"]), rel=1e-12)
    assert 1.1 < ours < 1.2
