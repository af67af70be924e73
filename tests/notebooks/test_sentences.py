"""What a notebook says follows from its numbers, at inputs far from its own."""

OWN = "09-your-own-benchmark"


def test_a_single_run_lies_at_one_speed(displayed):
    shown = displayed(OWN, benchmark_path="tests/samples/guidellm-0.2.1", stated_gpus=1)
    answer = next(one.data for one in shown if getattr(one, "data", None) and one.data["kind"] == "answer")
    assert "nothing of yours was measured; your runs lie at 335 tokens/s." in answer["text"]
    assert answer["detail"].startswith("They are not ranked")
    known = next(one for one in shown if getattr(one, "caption", "") == "What the comparison rests on")
    assert ["Speed per user", "335 tokens/s"] in [row[:2] for row in known.rows]
