"""The reference deployments: no fit to any chip, and yet they hold what was published."""

import math

import pytest

from tokcost import evidence
from tokcost.hour import against_published, inputs_in_use, reference_deployment, reference_deployments
from tokcost.hour.deployment import numeric_inputs
from tokcost.quantities import QuantityError


@pytest.fixture(scope="module")
def table():
    """The build-up beside every published owner constant, made once."""
    rates = evidence.load_table("hourly_rates")
    wanted = rates["accelerator"].isin(["h100", "h200", "b200", "gb200", "gb300"]) & rates["price_basis"].str.startswith("owning_")
    return against_published(reference_deployments(), rates[wanted & (rates["quantity"] == "rate_usd_per_gpu_h")])


def test_the_build_up_brackets_every_published_owner_constant(table):
    """H100 to GB300, hyperscaler and neocloud, all vintages: sourced ranges hold the constant, though they are wide."""
    assert set(table["accelerator"]) == {"h100", "h200", "b200", "gb200", "gb300"}
    assert set(table["price_basis"]) == {"owning_hyperscaler", "owning_neocloud"}
    assert table["is_bracketed"].all(), table[~table["is_bracketed"]]


def test_the_build_up_is_no_fit(table):
    """Nothing is tuned: central values stay within half of the first constants, and on both sides of them."""
    first = table[table["rate_vintage"] == "2026-03"]
    assert first["residual_ratio"].abs().max() < 0.5
    assert first["residual_usd_per_gpu_h"].min() < 0 < first["residual_usd_per_gpu_h"].max()


def test_chips_differ_by_price_and_power_alone():
    """An operator's inputs are the same numbers for every chip."""
    own = {"name", "accelerator", "n_gpus", "system_price_usd", "critical_kw_per_gpu", "ranges"}
    first, second = reference_deployment("h100", "neocloud"), reference_deployment("gb300", "neocloud")
    for name in {*numeric_inputs(), "money"} - own:
        assert getattr(first, name) == getattr(second, name), name


def test_an_unknown_chip_or_operator_is_answered_with_the_nearest():
    with pytest.raises(QuantityError, match="did you mean `gb300`"):
        reference_deployment("gb30", "neocloud")
    with pytest.raises(QuantityError, match="did you mean `hyperscaler`"):
        reference_deployment("gb300", "hyperscale")


@pytest.mark.parametrize("wacc, life", [(0.02, 2), (0.12, 5), (0.2, 10)])
def test_an_input_of_ones_own_has_no_range_and_says_so(wacc, life):
    node = reference_deployment("h200", "hyperscaler")
    mine = node.with_inputs(wacc_frac=wacc, economic_life_yr=life)
    table = inputs_in_use(mine, "hyperscaler").set_index("quantity")
    for name, value in (("wacc_frac", wacc), ("economic_life_yr", life)):
        changed = value != getattr(node, name)
        assert table.loc[name, "value"] == value
        assert (table.loc[name, "kind"] == "your input") == changed == math.isnan(table.loc[name, "low"])
        assert (name not in mine.ranges) == changed
    assert (table.drop(["wacc_frac", "economic_life_yr"])["kind"] != "your input").all()


def test_nothing_changed_keeps_every_range_and_a_slip_is_answered():
    node = reference_deployment("h200", "hyperscaler")
    assert node.with_inputs(wacc_frac=node.wacc_frac).ranges == node.ranges
    with pytest.raises(QuantityError, match="did you mean `wacc_frac`"):
        node.with_inputs(wac_frac=0.1)
