"""Prompt and answer tokens told apart by two measured workloads, and what a long context and a cache add."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import serving
from tokcost.quantities import QuantityError

seconds = st.floats(1e-5, 1e-1)


def throughput(isl, osl, prompt_s, answer_s):
    return (isl + osl) / (isl * prompt_s + osl * answer_s)


@given(seconds, seconds, st.integers(1, 100_000), st.integers(1, 10_000))
def test_two_workloads_give_back_the_times_they_were_made_of_and_any_third(prompt_s, answer_s, isl, osl):
    mixes = {"isl": (1024, 8192), "osl": (1024, 1024)}
    speeds = [throughput(*mix, prompt_s, answer_s) for mix in zip(*mixes.values(), strict=True)]
    found = serving.gpu_s_per_tok(**mixes, total_tok_per_s_per_gpu=speeds)
    assert found[0] * isl + found[1] * osl == pytest.approx(isl * prompt_s + osl * answer_s, rel=1e-6)


def test_longer_prompts_that_cost_nothing_more_leave_all_to_the_answer_and_make_no_rule():
    """Noise: 8,192 prompt tokens in less time than 1,024. A prompt token then takes nothing, never less than nothing."""
    mixes = {"isl": (1024, 8192), "osl": (1024, 1024)}
    prompt, answer = serving.gpu_s_per_tok(**mixes, total_tok_per_s_per_gpu=(100.0, 500.0))
    assert prompt == 0 and answer == pytest.approx(2048 / 100 / 1024)
    with pytest.raises(QuantityError, match="18 GPU-seconds a request at 8,192 prompt tokens and 20 .* ask for a lower speed per user"):
        serving.workload_weights(**mixes, total_tok_per_s_per_gpu=(100.0, 500.0))


@pytest.mark.parametrize(
    ("isl", "speeds", "said"),
    [
        ((1024, 1024), (100.0, 90.0), "one ratio of prompt to answer"),
        ((1024, 8192), (100.0, np.nan), "one of the two workloads has no measured run; ask for a lower speed"),
    ],
)
def test_workloads_that_say_nothing_are_refused(isl, speeds, said):
    with pytest.raises(QuantityError, match=said):
        serving.gpu_s_per_tok(isl=isl, osl=(1024, 1024), total_tok_per_s_per_gpu=speeds)


def test_the_rule_splits_a_cost_as_the_times_do():
    """A cached token at a tenth of a fresh one: 800 + 0.1 x 7,200 + 4 x 1,000 parts."""
    rule = serving.workload_weights(isl=(1000, 8000), osl=(1000, 1000), total_tok_per_s_per_gpu=(400.0, 750.0), cached_to_fresh_ratio=0.1)
    parts = serving.split_cost(serving.TokenUse(800, 7200, 1000, 0), rule, cost_usd=5520.0)
    assert parts["cost_usd"].tolist() == pytest.approx([800, 720, 4000])


def test_a_long_context_by_hand():
    """DeepSeek-R1: 37 billion active parameters twice, and 5 million operations for each token before: 2 x 128 heads x 320 x 61 layers."""
    model = serving.architecture("dsr1", "fp8")
    ratio = serving.context_ratio(model, context_tok=pd.Series([4096, 64_000]), measured_context_tok=4096)
    alone, each = 2 * 37e9, 2 * 128 * 320 * 61
    assert ratio.tolist() == pytest.approx([1, (alone + 64_000 * each) / (alone + 4096 * each)], rel=0.02)


def test_holding_costs_as_much_as_reading_anew_when_the_rent_of_its_memory_does():
    """70,272 bytes a token fill 141 GB with two million tokens: each rents that part of a GPU for as long as it is held."""
    held = serving.hold_s(gpu_s_per_tok=300e-6, memory_gb=141, kv_byte_per_tok=70_272)
    assert held * 70_272 / 141e9 == pytest.approx(300e-6)
    assert serving.read_gpu_s_per_tok(kv_byte_per_tok=70_272, kv_read_gb_per_s=63) == pytest.approx(1.115e-6, rel=1e-3)
