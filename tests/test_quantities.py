"""The vocabulary keeps its promises: names carry units, ranges are sane, mixing is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import quantities as q

#: names that carry no unit suffix, because the field never writes one
BARE = {"isl", "osl", "concurrency", "pue", "ratio"}


@pytest.mark.parametrize("name", q.QUANTITIES)
def test_a_quantity_ends_in_its_unit_and_says_what_it_means(name):
    quantity = q.QUANTITIES[name]
    if quantity.unit not in ("count", "ratio"):
        assert name == quantity.unit or name.endswith(f"_{quantity.unit}") or name in BARE
        assert q.unit(name) == quantity.unit
    assert quantity.unit in q.UNITS
    assert quantity.low < quantity.high
    assert quantity.label and quantity.meaning
    assert not quantity.meaning.endswith(".")


def test_bare_flops_and_tokens_per_watt_are_not_words_of_the_vocabulary():
    assert not [n for n in q.QUANTITIES if "flops" in n or "per_w" in n.split("_per_w_")[0][-5:]]


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ("total_tok_per_s_per_gpu", "output_tok_per_s_per_gpu", "token class"),
        ("output_tok_per_s_per_decode_gpu", "output_tok_per_s_per_gpu", "unit"),
        ("owning_hyperscaler_usd_per_gpu_h", "rental_3yr_usd_per_gpu_h", "price basis"),
        ("total_token_cost_usd_per_mtok", "total_tok_per_s_per_gpu", "unit"),
    ],
)
def test_unlike_things_are_not_put_side_by_side(first, second, what):
    with pytest.raises(q.QuantityError, match=f"do not mix: {what}"):
        q.require_alike(first, second)


def test_a_column_that_says_it_is_something_else_is_refused_by_a_formula():
    from tokcost.formulas import total_token_cost_usd_per_mtok

    output_only = pd.Series([45.0, 60.0], name="output_tok_per_s_per_gpu")
    with pytest.raises(q.QuantityError, match="token class is total in one, output in the other"):
        total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=1.41, total_tok_per_s_per_gpu=output_only)


@pytest.mark.parametrize("value", [True, "90", None, math.nan, math.inf, -1.0, 0.0, 1e9, [1.0, math.inf]])
def test_what_is_no_plausible_throughput_is_refused(value):
    with pytest.raises(q.QuantityError, match="`total_tok_per_s_per_gpu` must be"):
        q.check_value("total_tok_per_s_per_gpu", value)


def test_not_reached_passes_through_arrays_as_nan():
    kept = q.check_value("total_tok_per_s_per_gpu", np.array([90.0, math.nan]))
    assert math.isnan(kept[1])


def test_a_percentage_is_answered_with_the_likely_fix():
    with pytest.raises(q.QuantityError, match="give a fraction, not a percentage"):
        q.check_value("utilization_frac", 45)


@given(st.sampled_from(sorted(q.QUANTITIES)), st.text(alphabet="abcdefgh_", min_size=1, max_size=12))
def test_a_longer_name_inherits_its_quantity(name, prefix):
    found = q.find(f"{prefix}_{name}")
    assert found is not None
    assert f"{prefix}_{name}".endswith(found.name)
    assert len(found.name) >= len(name)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (pd.Series([324_000.0], name="total_tok_per_h_per_gpu"), "unit is not in the vocabulary"),
        (pd.Series([45.0], name="output_throughput"), "token class is total in one, output in the other"),
        (pd.DataFrame({"a": [1.0]}), "one column"),
        (np.ma.masked_array([90.0, 1.0], mask=[False, True]), "a mask would be lost"),
        (np.array([True]), "must be a number"),
        (["90"], "must be a number"),
        (90 * 3600, "must be in"),
    ],
)
def test_what_says_or_shows_that_it_is_something_else_is_refused(value, why):
    with pytest.raises(q.QuantityError, match=why):
        q.check_value("total_tok_per_s_per_gpu", value)


def test_a_bound_is_met_to_the_last_bits():
    assert q.check_value("utilization_frac", 1 + 2e-16) == 1 + 2e-16
    with pytest.raises(q.QuantityError):
        q.check_value("utilization_frac", 1 + 1e-9)
