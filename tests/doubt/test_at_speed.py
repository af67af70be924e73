"""What a token costs at a speed and how many times less elsewhere: what is shared cancels, what one states is known."""

import numpy as np
import pandas as pd
import pytest

from tokcost import doubt, evidence, show
from tokcost.hour import reference_deployment
from tokcost.serving import frontier

SPEED = {"tok_per_s_per_user": 70.0}


@pytest.fixture(scope="module")
def curves():
    rows = evidence.measured(model="dsr1", isl=1024, osl=1024)
    return {name: frontier(rows, accelerator=name) for name in ("h200", "gb300")}


def listed(name: str):
    return evidence.rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-09")


def width(found) -> float:
    return found.high / found.low


def test_a_throughput_of_ones_own_is_as_sure_as_a_repeat():
    found = doubt.headline(lambda speed: 1000 / speed, readings={"speed": 50.0})
    assert found.value == 20.0 and set(found.shares) == {"repeat runs"}
    assert width(found) == pytest.approx(width(doubt.headline(lambda speed: speed, readings={"speed": 1.0})), rel=0.01)


def test_a_stated_value_stands_where_its_distribution_has_another_median():
    skewed = doubt.pert(1.0, 1.4, 3.0)
    found = doubt.headline(lambda rate: 2 * rate, others={"rate": skewed}, given={"rate": 1.4})
    assert found.value == 2.8 and skewed.median() > 1.4
    assert (found.low, found.high) == pytest.approx(tuple(2 * skewed.ppf([0.05, 0.95])), rel=0.005)


def test_the_price_of_one_accelerator_cancels_between_two_of_its_configurations(curves):
    rows = evidence.measured(model="dsr1", isl=1024, osl=1024, accelerator="gb300")
    two = [frontier(rows, precision=one) for one in ("fp8", "fp4")]
    found = doubt.times_cheaper(*two, rates={"gb300": listed("gb300")}, **SPEED)
    assert found.shares["the price list"] == pytest.approx(0, abs=1e-9)
    both = doubt.times_cheaper(*curves.values(), rates={name: listed(name) for name in curves}, **SPEED)
    assert both.shares["the price list"] > 0.05


def test_what_an_operator_pays_cancels_between_two_own_hours(curves):
    """Life, which decides most of an hour, decides next to nothing of a ratio of two."""
    hours = doubt.OwnedHours({name: reference_deployment(name, "hyperscaler") for name in curves}, "hyperscaler")
    alone, ratio = hours.headline("h200"), doubt.times_cheaper(*curves.values(), rates=hours, **SPEED)
    assert alone.shares["life"] > 0.4 and ratio.shares["life"] < 0.01
    assert alone.value == pytest.approx(reference_deployment("h200", "hyperscaler").owned_rate_usd_per_gpu_h)
    assert ratio.numerator["baseline_rate_usd_per_gpu_h"] == pytest.approx(alone.value)


def test_an_input_of_ones_own_is_in_no_doubt():
    node = reference_deployment("h200", "hyperscaler").with_inputs(economic_life_yr=4.25)
    mine = doubt.OwnedHours({"h200": node}, "hyperscaler")
    assert "economic_life_yr" not in mine.inputs and "h200_system_price_usd" in mine.inputs


def test_a_further_doubt_widens_the_interval_and_leaves_the_value(curves):
    rates = dict.fromkeys(curves, 2.0)
    plain = doubt.times_cheaper(*curves.values(), rates=rates, **SPEED)
    doubted = doubt.times_cheaper(*curves.values(), rates=rates, factors={"quality": doubt.discrete([0.2, 1.0], [0.5, 0.5])}, **SPEED)
    assert doubted.value == plain.value and doubted.low < 0.3 * plain.low and doubted.made_of.startswith("nearly all of it is quality")


def test_a_load_is_a_doubt_of_the_cost_and_divides_it(curves):
    full, half = (doubt.token_cost(curves["gb300"], 2.0, utilization_frac=used, **SPEED) for used in (1.0, 0.5))
    assert half.value == pytest.approx(2 * full.value) and half.shares["utilization"] > 0.5
    assert half.denominator["utilization_frac"] == 0.5 and "utilization_frac" not in full.denominator


def test_a_speed_below_all_runs_is_served_by_the_slowest_and_one_above_by_none(curves):
    slow, fast = (doubt.token_cost(curves["h200"], 2.0, tok_per_s_per_user=speed) for speed in (5.0, 1000.0))
    made = curves["h200"].front["total_tok_per_s_per_gpu"].iloc[0]
    assert slow.value == pytest.approx(2.0 / made / 3600 * 1e6) and set(slow.shares) == {"repeat runs"}
    assert np.isnan([fast.value, fast.low, fast.high]).all() and not fast.denominator


def test_a_result_takes_all_that_a_headline_knows(curves):
    found = doubt.token_cost(curves["gb300"], listed("gb300"), **SPEED)
    data = show.result("total_token_cost_usd_per_mtok", found, note="measured").data
    assert (data["value"], data["low"], data["high"]) == pytest.approx((found.value, found.low, found.high))
    assert data["shares"] == pytest.approx(found.shares) and data["numerator"] == {"rate_usd_per_gpu_h": 2.31}
    assert data["note"] == f"measured; range: nine times in ten; {found.made_of}"
    gone = show.result("total_token_cost_usd_per_mtok", doubt.token_cost(curves["h200"], 2.0, tok_per_s_per_user=1000.0)).data
    assert gone["value"] is gone["low"] is None and "shares" not in gone and "numerator" not in gone


def test_a_run_of_ones_own_that_does_not_say_how_it_was_deployed_is_like_any():
    assert doubt.spreads.repeat_group(pd.Series({"n_gpus": 8.0})) == "any"
