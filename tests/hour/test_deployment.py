"""A deployment: its parts, its ranges, what it refuses, what it would take to meet a published number."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.hour import (
    Deployment,
    one_at_a_time,
    owner_cash_flow,
    reference_deployment,
    solve_for,
)
from tokcost.hour.cashflow import DEPRECIATION, Nominal, Real
from tokcost.hour.deployment import LOWERS_COST, numeric_inputs
from tokcost.quantities import HOURS_PER_YEAR, QuantityError

INPUTS = {
    "name": "8-GPU node",
    "accelerator": "h200",
    "n_gpus": 8,
    "system_price_usd": 320_000,
    "networking_frac": 0.2,
    "storage_frac": 0.03,
    "cpu_nodes_frac": 0.02,
    "critical_kw_per_gpu": 1.275,
    "average_load_frac": 0.76,
    "idle_load_frac": 0.25,
    "utilization_frac": 0.7,
    "pue": 1.15,
    "electricity_usd_per_kwh": 0.07,
    "construction_usd_per_kw": 11_700,
    "facility_life_yr": 15,
    "colocation_usd_per_kw_month": None,
    "maintenance_frac": 0.02,
    "staff_cost_usd_per_gpu_yr": 200,
    "software_cost_usd_per_gpu_yr": 0,
    "insurance_frac": 0.003,
    "property_tax_frac": 0.005,
    "wacc_frac": 0.085,
    "money": "nominal",
    "economic_life_yr": 5,
    "book_life_yr": 6,
    "residual_frac": 0.1,
    "install_delay_yr": 0.25,
    "availability_frac": 0.98,
}
COLOCATED = {"construction_usd_per_kw": None, "facility_life_yr": None, "colocation_usd_per_kw_month": 195.0}


def deployment(**changes):
    return Deployment(**{**INPUTS, **changes})


spans = st.fixed_dictionaries(
    {
        "system_price_usd": st.floats(50_000, 900_000),
        "networking_frac": st.floats(0, 0.5),
        "pue": st.floats(1.01, 2),
        "wacc_frac": st.just(0.0) | st.floats(1e-4, 0.25),  # below, the hour does not move by a last digit
        "economic_life_yr": st.floats(1, 10),
        "residual_frac": st.floats(0, 0.6),
        "availability_frac": st.floats(0.7, 1),
        "average_load_frac": st.floats(0.1, 1),
    }
)


@given(spans, st.booleans())
def test_parts_add_up_to_the_hour_exactly(changes, built):
    here = deployment(**changes, **({} if built else COLOCATED))
    table = here.breakdown()
    assert math.fsum(table["usd_per_gpu_h"]) == here.owned_rate_usd_per_gpu_h
    assert math.fsum(table["share_frac"]) == pytest.approx(1, rel=1e-12)
    assert table["component"].is_unique


def test_the_hour_by_hand():
    """Every line worked out with other words: 40,000 USD of server, level monthly payments, 8,584.8 available hours a year."""
    here = deployment()
    per_month = 1.085 ** (1 / 12) - 1
    annuity = sum((1 + per_month) ** -month for month in range(1, 61))
    server = 40_000 * (1.085**0.25 - 0.1 * 1.085**-5) / annuity * 12 / (8760 * 0.98)
    table = here.breakdown().set_index("component")["usd_per_gpu_h"]
    assert table["Accelerator server or rack"] == pytest.approx(server, rel=1e-12)
    assert table["Networking"] == pytest.approx(0.2 * server, rel=1e-12)
    assert table["Electricity"] == pytest.approx(1.275 * (0.7 * 0.76 + 0.3 * 0.25) * 1.15 * 0.07 / 0.98, rel=1e-12)
    assert table["Maintenance and support"] == pytest.approx(40_000 * 1.25 * 0.02 / 8760 / 0.98, rel=1e-12)
    assert table["Insurance"] == pytest.approx((40_000 * 1.25 + 1.275 * 11_700) * 0.003 / 8760 / 0.98, rel=1e-12)
    rent = deployment(**COLOCATED).breakdown().set_index("component")["usd_per_gpu_h"]["Colocation"]
    assert rent == pytest.approx(1.275 * 195 * 12 / 8760 / 0.98, rel=1e-12)


@pytest.mark.parametrize("depreciation", [None, *DEPRECIATION])
def test_the_whole_hour_agrees_with_a_cash_flow_of_its_server(depreciation):
    """With nothing but the server, the deployment is one cash flow; tax and schedule included."""
    bare = dict.fromkeys(["networking_frac", "storage_frac", "cpu_nodes_frac", "insurance_frac", "property_tax_frac"], 0)
    tax = {} if depreciation is None else {"tax_frac": 0.25, "depreciation": depreciation}
    here = deployment(**bare, **tax, staff_cost_usd_per_gpu_yr=0)
    table = here.breakdown().set_index("component")["usd_per_gpu_h"]
    flow = owner_cash_flow(
        capital_usd=40_000,
        life_yr=5,
        residual_frac=0.1,
        install_delay_yr=0.25,
        running_cost_usd_per_yr=800,
        money="nominal",
        **tax,
        book_life_yr=6,
    )
    discounts = (1 + Nominal(0.085).per_month) ** -np.arange(4, 64)
    level = 12 * flow.present_value_usd(Nominal(0.085)) / discounts.sum() / (1 - tax.get("tax_frac", 0))
    ours = (table["Accelerator server or rack"] + table["Maintenance and support"]) * HOURS_PER_YEAR * 0.98
    assert ours == pytest.approx(level, rel=1e-9)


def test_lives_may_be_arrays_under_every_schedule_and_lists_are_arrays():
    for depreciation in ("straight_line", "macrs_5", "bonus_100"):
        taxed = {"tax_frac": 0.25, "depreciation": depreciation}
        together = deployment(facility_life_yr=np.array([10.0, 15.0]), book_life_yr=[4, 6.5], **taxed).owned_rate_usd_per_gpu_h
        alone = [deployment(facility_life_yr=f, book_life_yr=b, **taxed).owned_rate_usd_per_gpu_h for f, b in ((10, 4), (15, 6.5))]
        assert together.tolist() == pytest.approx(alone, rel=1e-12)
    assert deployment(system_price_usd=[300_000, 320_000]).owned_rate_usd_per_gpu_h.shape == (2,)


def test_what_every_deployment_has_must_be_stated():
    with pytest.raises(QuantityError, match="needs `critical_kw_per_gpu`.*state it"):
        deployment(critical_kw_per_gpu=None)
    with pytest.raises(QuantityError, match="`n_gpus` counts .* has no range"):
        deployment(ranges={"n_gpus": (4, 16)})


def test_a_real_and_a_nominal_deployment_pay_the_same_tax_relief_in_real_money():
    """Depreciation is nominal: a real deployment needs the inflation, and gets the relief that the nominal rate gives."""
    with pytest.raises(QuantityError, match="inflation_frac"):
        deployment(money="real", tax_frac=0.25, depreciation="macrs_5")
    real = deployment(money="real", wacc_frac=0.06, tax_frac=0.25, depreciation="macrs_5", inflation_frac=0.0)
    nominal = deployment(money="nominal", wacc_frac=0.06, tax_frac=0.25, depreciation="macrs_5")
    assert real.owned_rate_usd_per_gpu_h == pytest.approx(nominal.owned_rate_usd_per_gpu_h, rel=1e-12)
    inflated = real.replace(inflation_frac=0.03)
    assert inflated.owned_rate_usd_per_gpu_h > real.owned_rate_usd_per_gpu_h


@pytest.mark.parametrize("depreciation", DEPRECIATION)
def test_what_is_deducted_loses_its_worth_from_the_day_of_the_invoice(depreciation):
    """In real money, service two years late: the invoice is deducted in dollars of its own day. By a cash flow in nominal money."""
    real = Real(0.05)
    here = deployment(
        **{"money": "real", "wacc_frac": 0.05, "inflation_frac": 0.05, "tax_frac": 0.25, "depreciation": depreciation},
        **{"install_delay_yr": 2, "residual_frac": 0},
    )
    terms = {"capital_usd": 40_000, "life_yr": 5, "residual_frac": 0, "install_delay_yr": 2, "running_cost_usd_per_yr": 0}
    flow = owner_cash_flow(**terms, money="nominal", tax_frac=0.25, depreciation=depreciation, book_life_yr=6)
    paid = flow.present_value_usd(real.to_nominal(inflation_frac=0.05))
    level = 12 * paid / real.discounts(np.arange(25, 85)).sum() / 0.75
    assert here.components()["Accelerator server or rack"] * HOURS_PER_YEAR * 0.98 == pytest.approx(level, rel=1e-9)


def test_arrays_that_do_not_fit_together_are_named():
    with pytest.raises(QuantityError, match=r"`pue` \(2,\), `wacc_frac` \(3,\)"):
        deployment(pue=np.array([1.1, 1.2]), wacc_frac=np.array([0.05, 0.06, 0.07]))


def test_book_life_is_not_economic_life():
    """Without tax the books do not touch the cost; with straight-line tax depreciation a shorter book life lowers it."""
    assert deployment(book_life_yr=3).owned_rate_usd_per_gpu_h == deployment(book_life_yr=6).owned_rate_usd_per_gpu_h
    taxed = {"tax_frac": 0.25, "depreciation": "straight_line"}
    assert deployment(book_life_yr=3, **taxed).owned_rate_usd_per_gpu_h < deployment(book_life_yr=6, **taxed).owned_rate_usd_per_gpu_h


@given(spans, st.sampled_from(["wacc_frac", "system_price_usd", "pue", "networking_frac", "average_load_frac", *LOWERS_COST]))
def test_cost_moves_the_way_that_ranges_assume(changes, name):
    here = deployment(**changes)
    value = getattr(here, name)
    nudged = here.replace(**{name: max(value * 0.97, 1.0) if name == "pue" else value * 0.97})
    change = nudged.owned_rate_usd_per_gpu_h - here.owned_rate_usd_per_gpu_h
    rounding = 1e-12 * here.owned_rate_usd_per_gpu_h
    assert change >= -rounding if name in LOWERS_COST else change <= rounding
    assert change != 0 or value * 0.03 < 1e-9


@given(spans)
def test_doubling_the_gpus_doubles_the_cost(changes):
    here = deployment(**changes)
    assert here.fleet_cost_usd_per_h(n_gpus=2_000) == pytest.approx(2 * here.fleet_cost_usd_per_h(n_gpus=1_000), rel=1e-12)
    twin = here.replace(n_gpus=16, system_price_usd=2 * here.system_price_usd)
    assert twin.owned_rate_usd_per_gpu_h == pytest.approx(here.owned_rate_usd_per_gpu_h, rel=1e-12)


def test_financing_is_shown_and_vanishes_with_the_cost_of_capital():
    table = deployment().breakdown().set_index("component")
    assert 0 < table.loc["Accelerator server or rack", "financing_usd_per_gpu_h"] < table.loc["Accelerator server or rack", "usd_per_gpu_h"]
    assert table.loc["Electricity", "financing_usd_per_gpu_h"] == 0
    free = deployment(wacc_frac=0.0).breakdown()
    assert free["financing_usd_per_gpu_h"].abs().max() < 1e-12


def test_every_input_broadcasts():
    waccs = pd.Series([0.05, 0.10, 0.15], index=["low", "mid", "high"])
    swept = deployment(wacc_frac=waccs)
    rates = swept.owned_rate_usd_per_gpu_h
    assert list(rates.index) == ["low", "mid", "high"]
    for name, wacc in waccs.items():
        assert rates[name] == deployment(wacc_frac=wacc).owned_rate_usd_per_gpu_h
    grid = deployment(wacc_frac=np.linspace(0.02, 0.2, 5), economic_life_yr=np.array([[3.0], [6.0]]))
    assert grid.owned_rate_usd_per_gpu_h.shape == (2, 5)
    with pytest.raises(QuantityError, match="use `components\\(\\)`"):
        swept.breakdown()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("wacc_frac", 8.5),
        ("availability_frac", 98),
        ("electricity_usd_per_kwh", 7.25),
        ("electricity_usd_per_kwh", 72.5),
        ("construction_usd_per_kw", 11.7),
        ("construction_usd_per_kw", 11_700_000),
        ("critical_kw_per_gpu", 1275),
        ("pue", 0.15),
        ("pue", 115),
        ("economic_life_yr", 60),
        ("residual_frac", 25),
        ("install_delay_yr", 90),
        ("system_price_usd", 320),
        ("networking_frac", 20),
        ("n_gpus", 0),
        ("n_gpus", 8.5),
        ("maintenance_frac", 2),
        ("average_load_frac", 76),
        ("system_price_usd", True),
        ("system_price_usd", "320000"),
        ("wacc_frac", math.nan),
    ],
)
def test_one_wrong_unit_anywhere_is_refused(name, wrong):
    with pytest.raises(QuantityError, match=f"`{name}` must be"):
        deployment(**{name: wrong})


def test_every_number_of_the_description_is_checked():
    for name in numeric_inputs():
        extra = {"tax_frac": 0.2, "depreciation": "macrs_5"} if name == "tax_frac" else {}
        extra |= COLOCATED if name == "colocation_usd_per_kw_month" else {}
        with pytest.raises(QuantityError):
            deployment(**extra | {name: -1.0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colocation_usd_per_kw_month": 195.0}, "either `construction_usd_per_kw`"),
        ({"construction_usd_per_kw": None, "facility_life_yr": None}, "either `construction_usd_per_kw`"),
        ({"facility_life_yr": None}, "`facility_life_yr` belongs to a built data center"),
        ({"money": "constant"}, "`money` must be real or nominal"),
        ({"tax_frac": 0.2}, "straight_line, macrs_5, bonus_100"),
        ({"depreciation": "macrs_5"}, "without `tax_frac`"),
        ({"ranges": {"wacc": (0.05, 0.1)}}, "did you mean `wacc_frac`"),
        ({"ranges": {"wacc_frac": (0.10, 0.15)}}, "must hold its value"),
        ({"ranges": {"wacc_frac": (0.05, 15)}}, "`wacc_frac` must be in"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(QuantityError, match=message):
        deployment(**changes)


def test_a_description_is_frozen_and_has_no_defaults_for_what_is_disputed():
    with pytest.raises(AttributeError):
        deployment().wacc_frac = 0.05
    for name in set(INPUTS):
        with pytest.raises(TypeError, match=name):
            Deployment(**{k: v for k, v in INPUTS.items() if k != name})
    with pytest.raises(QuantityError, match="did you mean `economic_life_yr`"):
        deployment().replace(economic_life=4)


def test_ranges_span_the_hour_and_its_parts():
    ranges = {"wacc_frac": (0.06, 0.12), "economic_life_yr": (3, 6), "system_price_usd": (250_000, 400_000), "pue": (1.1, 1.3)}
    here = deployment(ranges=ranges)
    low, high = here.interval_usd_per_gpu_h()
    table = here.breakdown()
    assert low < here.owned_rate_usd_per_gpu_h < high
    assert math.fsum(table["low_usd_per_gpu_h"]) == low and math.fsum(table["high_usd_per_gpu_h"]) == high
    assert (table["low_usd_per_gpu_h"] <= table["usd_per_gpu_h"]).all() and (table["usd_per_gpu_h"] <= table["high_usd_per_gpu_h"]).all()
    cheap = here.without_ranges(wacc_frac=0.06, economic_life_yr=6, system_price_usd=250_000, pue=1.1)
    assert low == cheap.owned_rate_usd_per_gpu_h


@settings(max_examples=30)
@given(spans, st.sampled_from(["wacc_frac", "economic_life_yr", "system_price_usd", "pue"]))
def test_solving_is_the_way_back(changes, name):
    here = deployment(**changes)
    value = getattr(here, name)
    low, high = (1.0, 3.0) if name == "pue" else (value * 0.5, value * 1.5 + 0.01)
    found = solve_for(here, here.owned_rate_usd_per_gpu_h, name, low, high)
    assert found.is_reachable
    at = here.replace(**{name: found.value}).owned_rate_usd_per_gpu_h
    assert at == pytest.approx(here.owned_rate_usd_per_gpu_h, rel=1e-9)


def test_what_cannot_be_reached_is_said_and_not_clamped():
    found = solve_for(deployment(), 0.20, "wacc_frac", 0.01, 0.2)
    assert not found.is_reachable and math.isnan(found.value)
    assert "not reachable with wacc_frac within [0.01, 0.2]" in str(found)
    with pytest.raises(QuantityError, match="did you mean `wacc_frac`"):
        solve_for(deployment(), 1.41, "wacc", 0.01, 0.2)
    with pytest.raises(QuantityError, match="no input `colocation_usd_per_kw_month`"):
        solve_for(deployment(), 1.41, "colocation_usd_per_kw_month", 100, 200)


def test_swings_are_single_and_sorted():
    here = reference_deployment("gb300", "hyperscaler")
    table = one_at_a_time(here)
    assert set(table["input_name"]) == set(here.ranges)
    assert table["swing_usd_per_gpu_h"].is_monotonic_decreasing
    row = table.set_index("input_name").loc["wacc_frac"]
    assert row["rate_at_high_usd_per_gpu_h"] == here.without_ranges(wacc_frac=row["high"]).owned_rate_usd_per_gpu_h
