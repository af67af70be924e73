"""What notebooks 06, 07 and 08 say follows from their numbers, at inputs far from their own."""

import pytest

LOAD, SPEED, GAIN = "07-what-utilisation-does", "06-how-fast-for-whom", "08-where-does-the-gain-come-from"


@pytest.fixture
def said(displayed):
    """All sentences of a notebook in one text, and its results by name."""

    def run(stem: str, **parameters) -> tuple[str, dict]:
        shown = [one for one in displayed(stem, **parameters) if hasattr(one, "markdown")]
        data = [one.data for one in shown if one.data]
        return "\n".join(one.markdown for one in shown), {one["name"]: one for one in data if one["kind"] == "result"}

    return run


def test_a_fleet_that_scales_down_to_more_than_it_needs_costs_more(said):
    """One replica is enough in every hour, autoscaling may not go below a hundred."""
    text, results = said(LOAD, accelerator="gb300", offered_request_per_s=20.0, min_replicas=100, deadline_h=1.0)
    assert "autoscaling saves -9,900% on the price basis" in text and "batch work saves 0%" in text
    fixed, scaled = (results[f"{which}allocation_token_cost_usd_per_mtok"]["value"] for which in ("", "scaled_"))
    assert scaled == pytest.approx(100 * fixed)


@pytest.mark.parametrize("price_basis", ["owning_hyperscaler", "rental_3yr"])
def test_released_hours_that_are_paid_save_nothing(said, price_basis):
    """An owned GPU, or one rented for three years, is paid when it is released: only what it earns elsewhere is saved."""
    text, results = said(LOAD, price_basis=price_basis)
    fixed, scaled = (results[f"{which}allocation_token_cost_usd_per_mtok"] for which in ("", "scaled_"))
    assert scaled["value"] == scaled["high"] == fixed["value"] > scaled["low"]
    assert f"saves 0% on the price basis {price_basis.replace('_', ' ')}" in text


def test_a_flat_load_has_no_valley_to_cut_away(said):
    text, results = said(LOAD, profile="flat", offered_request_per_s=2000.0, service_level_frac=0.99999, wait_limit_s=0.0)
    assert "autoscaling saves 0%" in text
    assert results["allocation_token_cost_usd_per_mtok"]["value"] == results["allocation_token_cost_usd_per_mtok"]["low"]
    assert results["scaled_allocation_token_cost_usd_per_mtok"]["low"] == results["scaled_allocation_token_cost_usd_per_mtok"]["high"]


def test_a_run_that_contradicts_itself_is_passed_over_and_named(said):
    """H100 at 30 tokens/s per user: 182 tokens/s per GPU by its throughput, and latencies that say otherwise."""
    text, _ = said(LOAD, accelerator="h100", tok_per_s_per_user=30.0)
    assert "contradict each other by more than a quarter: 182 tokens/s per GPU" in text
    assert "gives 182 tokens/s per GPU, the run used 66.8" in text


def test_a_speed_before_the_frontier_begins_is_served_by_its_first_run_and_no_slower_one_is_in_its_range(said):
    _, results = said(SPEED, isl=8192, tok_per_s_per_user=10.0, candidate_accelerator="b200", ttft_limit_s=100.0)
    cost = results["candidate_total_token_cost_usd_per_mtok"]
    assert cost["low"] < cost["value"] < cost["high"] and "range: repeat runs" in cost["note"]


def test_runs_that_state_no_start_are_counted_and_what_they_change_is_told(said):
    """The fastest GB300 runs of April 2026 state no time to first token, so they cannot show that they start in time."""
    text, results = said(SPEED, tok_per_s_per_user=100.0)
    assert "GB300 $0.107 instead of $4.34" in text.replace("\\$", "$")
    limited, cost = (results[f"{which}_total_token_cost_usd_per_mtok"]["value"] for which in ("limited", "candidate"))
    assert limited is None or limited > cost


def test_the_order_of_changes_has_a_range_only_where_it_was_varied(said):
    text, results = said(GAIN, tok_per_s_per_user=36.0)
    assert results["chip_ratio"]["low"] is None and "by the order of the changes, not varied" in text
    varied = said(GAIN)[1]["chip_ratio"]
    assert varied["low"] < varied["value"] < varied["high"]
