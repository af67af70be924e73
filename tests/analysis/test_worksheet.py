"""Tables beside the GPU-hour: an input of one's own is marked, a solution is a solution, a missing price says why."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.analysis.worksheet import (
    a_tenth_worse,
    compare_with_public_model,
    inputs_in_use,
    parts_and_totals,
    prices_of_an_hour,
    restated,
    solutions,
    two_routes,
)
from tokcost.hour import reference_deployment, reference_inputs
from tokcost.quantities import QuantityError

NODE = reference_deployment("h200", "hyperscaler")


@given(st.floats(0.02, 0.2), st.floats(2, 10))
def test_an_input_of_ones_own_has_no_range_and_says_so(wacc, life):
    mine = restated(NODE, wacc_frac=wacc, economic_life_yr=life)
    table = inputs_in_use(reference_inputs("h200", "hyperscaler"), mine).set_index("quantity")
    for name, value in (("wacc_frac", wacc), ("economic_life_yr", life)):
        assert table.loc[name, "value"] == value
        changed = value != getattr(NODE, name)
        assert (table.loc[name, "kind"] == "your input") == changed
        assert math.isnan(table.loc[name, "low"]) == changed
    assert set(table.index) - {"wacc_frac", "economic_life_yr"} <= set(table[table["kind"] != "your input"].index)


def test_nothing_changed_keeps_every_range():
    assert restated(NODE, wacc_frac=NODE.wacc_frac).ranges == NODE.ranges
    with pytest.raises(QuantityError, match="did you mean `wacc_frac`"):
        restated(NODE, wac_frac=0.1)


@settings(max_examples=15)  # each solves for every input
@given(st.floats(1.0, 4.0))
def test_every_solution_gives_the_target_and_its_verdict_is_where_it_lies(target):
    for row in solutions(NODE, target, ranges=NODE.ranges).itertuples():
        if math.isnan(row.needed):
            assert row.verdict == "no value does it"
        else:
            there = NODE.without_ranges(**{row.quantity: row.needed}).owned_rate_usd_per_gpu_h
            assert there == pytest.approx(target, rel=1e-9)
            assert (row.verdict == "in its sourced range") == (row.low <= row.needed <= row.high)


def test_no_single_sourced_input_brings_the_h200_to_the_published_figure_and_several_bring_the_gb300_there():
    assert "in its sourced range" not in set(solutions(NODE, 1.41, ranges=NODE.ranges)["verdict"])
    table = solutions(NODE, 1.41, ranges=NODE.ranges).set_index("quantity")
    assert table.loc["economic_life_yr", "needed"] == pytest.approx(8.7, abs=0.05)
    gb300 = reference_deployment("gb300", "hyperscaler")
    rack = solutions(gb300, 2.652, ranges=gb300.ranges)
    assert {"system_price_usd", "economic_life_yr"} <= set(rack.loc[rack["verdict"] == "in its sourced range", "quantity"])


def test_an_input_of_ones_own_is_solved_for_too_and_judged_by_the_file():
    """A life of two years is mine; what would make the hour cheaper is a life within the three to six years in the dataset."""
    mine = restated(NODE, economic_life_yr=2, wacc_frac=0.02, electricity_usd_per_kwh=0.02)
    life = solutions(mine, 1.41, ranges=NODE.ranges).set_index("quantity").loc["economic_life_yr"]
    assert 3 < life["needed"] < 6 and life["verdict"] == "in its sourced range" and life["value"] == 2


@given(st.floats(0.05, 1.0))
def test_worse_is_dearer_and_utilization_always_adds_a_ninth(utilization):
    table = a_tenth_worse(NODE, utilization_frac=utilization).set_index("quantity")
    assert (table["added_frac"] > 0).all()
    assert table.loc["utilization_frac", "added_frac"] == pytest.approx(1 / 9)


@given(st.floats(0.02, 0.2), st.floats(1, 10), st.floats(0, 0.1), st.floats(0, 0.5))
def test_closed_form_and_cash_flow_real_and_nominal_agree(wacc, life, inflation, residual):
    if (1 + wacc) / (1 + inflation) - 1 < 0:
        return
    routes = two_routes(restated(NODE, wacc_frac=wacc, economic_life_yr=life, residual_frac=residual), inflation_frac=inflation)
    assert routes["closed_form_usd_per_yr"] == pytest.approx(routes["cash_flow_usd_per_yr"], rel=1e-9)
    assert routes["real_usd"] == pytest.approx(routes["nominal_usd"], rel=1e-9)


def test_parts_add_up_to_their_totals():
    parts, totals = parts_and_totals({"built": NODE, "rented": reference_deployment("h200", "neocloud")})
    for row in totals.itertuples():
        assert math.fsum(parts.loc[parts["series"] == row.series, "usd_per_gpu_h"]) == row.usd_per_gpu_h
        assert row.low < row.usd_per_gpu_h < row.high


def test_prices_stand_side_by_side_and_none_is_invented():
    h200, gb300 = prices_of_an_hour("h200").set_index("label"), prices_of_an_hour("gb300").set_index("label")
    assert math.isnan(h200.loc["Nscale", "value"]) and h200.loc["Nscale", "note"] == "no public GPU-hour price"
    assert math.isnan(gb300.loc["CoreWeave", "value"]) and gb300.loc["CoreWeave", "note"] == "no GB300 price in the dataset"
    assert h200.loc["Owning hyperscaler, 2026-03", "value"] == 1.41
    assert h200.loc[["CoreWeave", "Nebius", "Together AI"], "value"].notna().all()
    assert h200.loc["Built up, hyperscaler", "value"] == float(NODE.owned_rate_usd_per_gpu_h)


def test_a_public_model_of_a_gigawatt_is_met_within_a_tenth_on_its_own_terms():
    """Epoch AI, May 2026: 8.5 billion USD a year for 1 GW of GB200, servers 5.0, energy 0.6, 0.9 of operation in all."""
    table = compare_with_public_model().set_index("item")
    published, built = table["published_usd_per_kw_month"], table["built_usd_per_kw_month"]
    billions = published * 12 / 1000
    assert billions[["all", "servers", "electricity", "other operation"]].round(2).tolist() == [8.5, 5.0, 0.6, 0.3]
    for column in (published, built):
        assert column.drop("all").sum() == pytest.approx(column["all"], abs=0.02)
    # by hand: 3.1 million USD for 72 accelerators of 120 kW over 60 months; 0.76 x 1.15 x 730 h x 0.0725 USD/kWh
    assert built["servers"] == pytest.approx(3.1e6 / 120 / 60)
    assert built["electricity"] == pytest.approx(0.76 * 1.15 * 730 * 0.0725)
    assert table["ratio"]["all"] == pytest.approx(1, abs=0.1) and table["ratio"]["servers"] == pytest.approx(1, abs=0.1)


def test_what_a_public_model_spends_on_operation_lies_in_our_range():
    """0.2 to 0.4 billion USD a year for a gigawatt, after rounding: our low ends together reach it, our middle does not."""
    node = reference_deployment("gb200", "hyperscaler")
    items = ("Maintenance and support", "Staff", "Software licences", "Insurance", "Property tax")
    yearly = {
        end: sum(one.components()[item] for item in items) * one.availability_frac * 8760 / one.critical_kw_per_gpu
        for end, one in {"low": node._corner(True), "in use": node}.items()
    }
    assert yearly["low"] < 400 < yearly["in use"]
