"""What a notebook says follows from its numbers, at inputs far from its own."""

import pytest

HOUR, WATT, LOAD = "04-what-is-in-a-gpu-hour", "05-tokens-per-watt", "07-what-utilisation-does"
OWN, SPEED, GAIN = "09-your-own-benchmark", "06-how-fast-for-whom", "08-where-does-the-gain-come-from"


def test_the_largest_part_of_the_hour_is_named_whichever_it_is(run_cells):
    """Ten years at 2 % and 0.40 USD per kWh: electricity costs more than the machine."""
    names = run_cells(HOUR, operator="neocloud", economic_life_yr=10.0, wacc_frac=0.02, electricity_usd_per_kwh=0.4)
    assert names["share"]["Electricity"] > names["share"].iloc[0] and names["lead"] == "The largest part goes to electricity"


def test_an_input_of_ones_own_may_still_be_the_road_to_the_published_hour(run_cells):
    names = run_cells(HOUR, economic_life_yr=2.0, wacc_frac=0.02, electricity_usd_per_kwh=0.02)
    assert all("economic life" in road for road in names["said"].values())
    assert [float(life) for _, life in names["found"].values()] == pytest.approx([5.7, 3.5], abs=0.1)


def test_electricity_is_that_of_the_stated_load_pue_and_price(run_cells):
    names = run_cells(WATT, pue=2.5, average_load_frac=1.0)
    node = names["candidate"]
    assert names["mine"] == pytest.approx(node.critical_kw_per_gpu * 2.5 * 0.08 / node.availability_frac / node.owned_rate_usd_per_gpu_h)
    assert names["own"].max() < names["mine"] and names["way"] == "less"
    # 558 kg of running against 128 to 318 kg of making
    assert names["clean"] > names["made"]["max"] and names["weighs"] == "running still decides"


def test_a_fleet_that_scales_down_to_more_than_it_needs_costs_more(run_cells):
    names = run_cells(LOAD, accelerator="gb300", offered_request_per_s=20.0, min_replicas=100, deadline_h=1.0)
    autoscaled, batch = names["said"]
    assert "costs 100× the fixed fleet" in autoscaled and "takes the same 22 GPUs" in batch


def test_a_flat_load_has_no_valley_to_fill(run_cells):
    names = run_cells(LOAD, profile="flat", offered_request_per_s=2000.0, service_level_frac=0.99999, wait_limit_s=0.0)
    assert "saves nothing" in names["said"][0] and "needs no reserve for chance" in names["said"][1]


def test_a_fleet_of_one_large_replica_never_shrinks(run_cells):
    names = run_cells(LOAD, accelerator="gb200", tok_per_s_per_user=20.0, offered_request_per_s=20.0, min_replicas=0, scale_up_delay_h=0.0)
    assert names["said"][0] == "Autoscaling saves nothing here: every hour needs 48 GPUs."


def test_a_run_that_contradicts_itself_is_passed_over_and_named(run_cells):
    """H100 at 30 tokens/s per user: 182 tokens/s per GPU by its throughput, and latencies that say otherwise."""
    names = run_cells(LOAD, accelerator="h100", tok_per_s_per_user=30.0)
    assert [round(run.total_tok_per_s_per_gpu) for run in names["passed"]][0] == 182
    assert names["more"] == ["; with them this accelerator would not deliver much more at that speed"]


def test_where_no_configuration_is_known_no_range_is_given(run_cells):
    names = run_cells(SPEED, isl=8192, tok_per_s_per_user=15.0)
    assert names["ends"] == [] and names["range_note"] == "no single configuration is known there"
    assert names["absent"] == ["the frontier of B200 begins at 31.7 tokens/s, where a faster answer costs no more"]


def test_the_order_of_changes_has_a_range_only_where_it_was_varied(run_cells):
    assert run_cells(GAIN, tok_per_s_per_user=36.0)["span"].startswith("what the order does to it is not known")
    assert run_cells(GAIN)["span"] == "1.9× to 20×"


def test_a_single_run_lies_at_one_speed(displayed):
    shown = displayed(OWN, benchmark_path="tests/samples/guidellm-0.2.1", stated_gpus=1)
    answer = next(one.data for one in shown if getattr(one, "data", None) and one.data["kind"] == "answer")
    assert "you have no point; yours lie at 335 tokens/s; " in answer["text"]
    known = next(one for one in shown if getattr(one, "caption", "") == "What the comparison rests on")
    assert ["Speed per user", "335 tokens/s"] in [row[:2] for row in known.rows]
