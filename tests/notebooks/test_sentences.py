"""What a notebook says follows from its numbers, at inputs far from its own."""

LOAD = "07-what-utilisation-does"
OWN, SPEED, GAIN = "09-your-own-benchmark", "06-how-fast-for-whom", "08-where-does-the-gain-come-from"


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


def test_a_single_run_lies_at_one_speed(run_cells):
    names = run_cells(OWN, benchmark_path="tests/samples/guidellm-0.2.1", stated_gpus=1)
    assert names["yours"] == "you have no point; yours lie at 335 tokens/s"
    assert names["known"].set_index("what").loc["Speed per user", "value"] == "335 tokens/s"
