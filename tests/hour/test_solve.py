"""What would make the hour meet a published number: every solution is one, and its verdict is where it lies."""

import math

import pytest

from tokcost.hour import reference_deployment, solutions

NODE = reference_deployment("h200", "hyperscaler")


@pytest.mark.parametrize("target", [1.2, 1.8, 3.0])
def test_every_solution_gives_the_target_and_its_verdict_is_where_it_lies(target):
    for row in solutions(NODE, target, ranges=NODE.ranges).itertuples():
        if math.isnan(row.needed):
            assert row.verdict == "no value does it"
        else:
            there = NODE.without_ranges(**{row.quantity: row.needed}).owned_rate_usd_per_gpu_h
            assert there == pytest.approx(target, rel=1e-9)
            assert (row.verdict == "in its sourced range") == (row.low <= row.needed <= row.high)


def test_no_single_sourced_input_brings_the_h200_to_the_published_figure_and_a_sourced_price_brings_the_gb300_there():
    table = solutions(NODE, 1.41, ranges=NODE.ranges).set_index("quantity")
    assert "in its sourced range" not in set(table["verdict"])
    assert table.loc["economic_life_yr", "needed"] > NODE.ranges["economic_life_yr"][1]
    gb300 = reference_deployment("gb300", "hyperscaler")
    rack = solutions(gb300, 2.652, ranges=gb300.ranges)
    found = rack.loc[rack["verdict"] == "in its sourced range", "quantity"]
    assert {"system_price_usd"} <= set(found) == set(rack["quantity"].head(len(found)))


def test_an_input_of_ones_own_is_solved_for_too_and_judged_by_the_sources():
    """A life of two years is mine; what would make the hour cheaper is a life within the three to six years in the dataset."""
    mine = NODE.with_inputs(economic_life_yr=2, wacc_frac=0.02, electricity_usd_per_kwh=0.02)
    life = solutions(mine, 1.41, ranges=NODE.ranges).set_index("quantity").loc["economic_life_yr"]
    assert 3 < life["needed"] < 6 and life["verdict"] == "in its sourced range" and life["value"] == 2
