"""What notebook 17 says of a session, against the files alone and at inputs far from its own."""

import numpy as np
import pytest

from tokcost import evidence, serving

SESSION = "17-what-does-a-session-cost"
#: DeepSeek-R1: bytes of a cached token, and operations of a prompt token by itself and for each one before it
KV_BYTES, ALONE, EACH = 61 * (512 + 64) * 2, 2 * 37e9, 2 * 128 * (192 + 128) * 61


@pytest.fixture(scope="module")
def said(displayed):
    def run(**parameters) -> dict:
        data = [one.data for one in displayed(SESSION, **parameters) if getattr(one, "data", None)]
        return {one["name"]: one for one in data if one["kind"] == "result"}

    return run


def by_hand(accelerator, speed, requests, prompt, output, cached, gb_per_s, busy, usd_per_h):
    """Dollars of a session, from readings at that speed: new prompt tokens, cached ones, answer tokens and what a long context adds."""
    read = [
        float(serving.frontier(serving.pool(model="dsr1", isl=isl, osl=1024, accelerator=accelerator).rows).at(tok_per_s_per_user=speed))
        for isl in (1024, 8192)
    ]
    short_s, long_s = 2048 / read[0], 9216 / read[1]
    prompt_s = (long_s - short_s) / 7168
    answer_s = short_s / 1024 - prompt_s
    fresh, context = prompt * (1 - cached), prompt * cached + prompt * (1 - cached) / 2
    longer = max(1, (ALONE + EACH * context) / (ALONE + EACH * 4096))
    hbm = evidence.accelerators().loc[accelerator, "memory_bandwidth_gb_per_s"] * 1e9
    seconds = fresh * prompt_s * longer + prompt * cached * min(KV_BYTES / gb_per_s / 1e9, prompt_s)
    seconds += output * (answer_s + max(0, prompt + output / 2 - 8192) * KV_BYTES / hbm)
    return requests * seconds * usd_per_h / 3600 / busy


def test_a_session_costs_what_its_parts_do(said):
    price = evidence.rate(accelerator="gb200", price_basis="rental_3yr", rate_vintage="2026-09").value
    asked = {"requests_per_session": 12.0, "prompt_tok": 30_000, "output_tok": 400, "kv_read_gb_per_s": 10.0, "utilization_frac": 0.5}
    asked |= {"cached_input_frac": 0.6, "accelerator": "gb200", "price_basis": "rental_3yr", "tok_per_s_per_user": 50.0}
    found = said(**asked, success_frac=0.25)
    hand = [by_hand("gb200", 50.0, 12.0, 30_000, 400, cached, 10.0, 0.5, price) for cached in (0.6, 0.0)]
    assert found["session_cost_usd"]["value"] == pytest.approx(hand[0], rel=0.01)
    assert found["no_cache_session_cost_usd"]["value"] == pytest.approx(hand[1], rel=0.01)
    assert found["solved_task_cost_usd"]["value"] == pytest.approx(4 * hand[0], rel=0.01)
    assert found["session_cost_usd"]["low"] < hand[0] < found["session_cost_usd"]["high"]


def test_a_cache_so_slow_that_reading_anew_is_quicker_saves_only_its_context(said):
    """At half a gigabyte a second a cached token takes longer than a fresh one, so it costs as much as a fresh one and not more."""
    found = said(kv_read_gb_per_s=0.5, cached_input_frac=0.9)
    assert found["session_cost_usd"]["value"] <= found["no_cache_session_cost_usd"]["value"]
    assert np.isfinite(found["session_cost_usd"]["high"])
