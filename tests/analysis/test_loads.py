"""One load served in several ways: the parts add up, tokens are kept, promises and rhythms move the cost the right way."""

import pytest

from tokcost.analysis import loads
from tokcost.load.capacity import OperatingPoint
from tokcost.load.profiles import named_profile

NODE = OperatingPoint("h200", "m", 1000, 1000, 64, 8, 500.0, 50.0, 0.5, 0.02, "2026-01-01", "fp8, none, aggregated, sglang")
SLOW = OperatingPoint("h200", "m", 1000, 1000, 256, 8, 1500.0, 30.0, 2.0, 0.04, "2026-01-01", "fp8, mtp, aggregated, trt")
LEVEL = {"service_level_frac": 0.99, "wait_limit_s": 1.0}
LOAD = {"offered_request_per_s": 40, "isl": 1000, "osl": 1000, "rate_usd_per_gpu_h": 2.0}


@pytest.fixture(scope="module")
def plans():
    week = named_profile("business_hours", offered_request_per_s=40, isl=1000, osl=1000)
    return loads.ways_to_serve(week, NODE, SLOW, rate_usd_per_gpu_h=2.0, **LEVEL, min_replicas=2, scale_up_delay_h=0.25, deadline_h=24)


def test_usage_and_idle_add_up_and_utilization_is_their_ratio(plans):
    table = loads.usage_and_idle(plans)
    parts = table["usage_token_cost_usd_per_mtok"] + table["idle_token_cost_usd_per_mtok"]
    assert parts.tolist() == pytest.approx(table["allocation_token_cost_usd_per_mtok"].tolist())
    assert (table["usage_token_cost_usd_per_mtok"] / parts).tolist() == pytest.approx(table["utilization_frac"].tolist())
    assert (table["idle_token_cost_usd_per_mtok"] >= 0).all()


def test_full_load_costs_what_the_headline_formula_says(plans):
    table = loads.usage_and_idle(plans).set_index("plan")["usage_token_cost_usd_per_mtok"]
    assert table["fixed"] == pytest.approx(2.0 / (500 * 3600) * 1e6)
    assert table["batch, slower"] == pytest.approx(table["fixed"] / 3)


def test_every_hour_of_every_plan_is_there_and_nobody_works_beyond_what_is_paid(plans):
    hours = loads.hours_of(plans)
    assert len(hours) == 168 * len(plans)
    assert (hours["delivered_request_per_s"] <= hours["paid_request_per_s"] * (1 + 1e-9)).all()
    sums = hours.groupby("plan")[["offered_request_per_s", "delivered_request_per_s"]].sum()
    assert sums["delivered_request_per_s"].tolist() == pytest.approx(sums["offered_request_per_s"].tolist())


def test_utilization_by_two_routes(plans):
    for plan in plans.values():
        assert loads.offered_over_paid_frac(plan) == pytest.approx(plan.utilization_frac)


def test_waiting_saves_and_following_the_load_saves(plans):
    paid = {name: planned.paid_gpu_h for name, planned in plans.items()}
    assert paid["autoscaled"] < paid["fixed"] and paid["batch, slower"] < paid["batch"] < paid["fixed"]


def test_a_stricter_promise_never_costs_less_in_any_shape():
    table = loads.shapes_by_service_level(NODE, **LOAD, wait_limit_s=1.0, service_levels_frac=[0.5, 0.9, 0.99, 0.9999])
    assert table["profile"].nunique() == 4
    assert (table.groupby("profile")["allocation_token_cost_usd_per_mtok"].diff().dropna() >= 0).all()
    week = named_profile("flat", offered_request_per_s=40, isl=1000, osl=1000)
    waits = loads.by_service_level(week, NODE, rate_usd_per_gpu_h=2.0, wait_limits_s=[0.0, 1.0, 30.0], service_levels_frac=[0.99])
    assert (waits["n_gpus"].diff().dropna() <= 0).all(), "who may wait longer needs no more GPUs"


def test_the_flattest_shape_is_the_cheapest():
    table = loads.by_shape(NODE, **LOAD, **LEVEL).set_index("profile")
    assert table["allocation_token_cost_usd_per_mtok"].idxmin() == "flat" == table["peak_to_mean_ratio"].idxmin()


def test_points_are_described_for_people():
    table = loads.points_described({"interactive": NODE, "slow": SLOW}, isl=1000, osl=1000)
    assert table["label"].tolist() == ["FP8, no MTP, aggregated, sglang", "FP8, MTP, aggregated, trt"]
    assert table["capacity_request_per_s"].tolist() == [2.0, 6.0]
