"""What a notebook says follows from its numbers, at inputs far from its own."""

OWN = "09-your-own-benchmark"


def test_a_single_run_lies_at_one_speed(run_cells):
    names = run_cells(OWN, benchmark_path="tests/samples/guidellm-0.2.1", stated_gpus=1)
    assert names["yours"] == "you have no point; yours lie at 335 tokens/s"
    assert names["known"].set_index("what").loc["Speed per user", "value"] == "335 tokens/s"
