"""Two counts of the same tokens that contradict each other, counts of zero, requests that were cut off, loads that rise."""

import gzip
import json
from pathlib import Path

import pytest

from tokcost import importers

SAMPLES = Path(__file__).parents[1] / "samples"
RATES = ["output_tok_per_s", "total_tok_per_s"]


def imported(tmp_path, content, name="result.json"):
    (tmp_path / name).write_text(json.dumps(content))
    found = importers.benchmarks([tmp_path / name], n_gpus=8)
    assert not found.problems, found.problems
    return found.points.iloc[0]


def sglang(requests, each, retokenized_each, *, ttft_s, itl_s, e2e_s, duration_s, **more):
    tpot_ms = 1000 * (e2e_s - ttft_s) / (each - 1) if each > 1 else 0.0
    times = {"ttft": 1000 * ttft_s, "itl": 1000 * itl_s, "e2e_latency": 1000 * e2e_s, "tpot": tpot_ms}
    return {
        "backend": "sglang-oai", "request_rate": 1.0, "max_concurrency": 8, "duration": duration_s, "completed": requests,
        "total_input_tokens": 1000 * requests, "total_output_tokens": each * requests,
        "total_output_tokens_retokenized": retokenized_each * requests, "request_throughput": requests / duration_s,
        "output_throughput": each * requests / duration_s, "total_throughput": (1000 + each) * requests / duration_s, "accept_length": None,
        **{f"{statistic}_{name}_ms": value for name, value in times.items() for statistic in ("mean", "median")},
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("each", "retokenized", "e2e_s"),
    [(1, 1000, 10.24), (1024, 205, 2.29)],
    ids=["a split server counts one token a request", "a server that always counts the most that was asked for"],
)
def test_the_stream_tells_which_of_two_counts_holds(tmp_path, each, retokenized, e2e_s):
    """1 + (request time - TTFT) / gap between chunks = 1 + (10.24 - 0.25) / 0.01 = 1000, and 1 + 2.04 / 0.01 = 205."""
    point = imported(tmp_path, sglang(10, each, retokenized, ttft_s=0.25, itl_s=0.01, e2e_s=e2e_s, duration_s=20.0))
    assert point.output_tok == 10 * retokenized and point.token_source == "client"
    assert point.output_tok_per_s == pytest.approx(10 * retokenized / 20)
    assert point.tok_per_s_per_user == pytest.approx(100) and point.median_e2e_s == e2e_s
    assert f"{10 * each / 20:.4g} tokens/s" in point.notes and f"{10 * retokenized / 20:.4g} tokens/s" in point.notes


def test_accepted_drafts_come_several_in_a_chunk(tmp_path):
    """4 tokens a chunk: 250 chunks of 40 ms are the server's 1000 tokens, of which the client's tokenizer missed 700."""
    content = sglang(10, 1000, 300, ttft_s=0.25, itl_s=0.04, e2e_s=10.2, duration_s=20.0, accept_length=4.0)
    assert imported(tmp_path, content).output_tok == 10 * 1000


@pytest.mark.parametrize("drop", ["mean_itl_ms", "mean_e2e_latency_ms", "mean_ttft_ms"])
def test_where_nothing_decides_there_is_no_rate(tmp_path, drop):
    content = sglang(10, 1, 1000, ttft_s=0.25, itl_s=0.01, e2e_s=10.24, duration_s=20.0)
    del content[drop]
    point = imported(tmp_path, content)
    assert point[[*RATES, "tok_per_s_per_user", "osl"]].isna().all() and point.input_tok_per_s == 500
    assert "nothing in the file decides" in point.notes and "500 tokens/s" in point.notes


def test_reasoning_that_the_client_did_not_see_is_not_decided_against_the_server(tmp_path):
    """700 hidden tokens before the first visible one: both counts fit a request of 10.2 s."""
    content = sglang(10, 1000, 300, ttft_s=7.2, itl_s=0.01, e2e_s=10.2, duration_s=20.0)
    assert imported(tmp_path, content)[RATES].isna().all()


@pytest.mark.parametrize("times", [0.85, 1.15])
def test_counts_that_differ_a_little_are_both_honest(tmp_path, times):
    point = imported(tmp_path, sglang(10, 1000, round(1000 * times), ttft_s=0.25, itl_s=0.01, e2e_s=10.24, duration_s=20.0))
    assert point.output_tok == 10_000 and point.token_source == "server usage"


def aiperf(counted, *, server=None, extra=None, chunk_gap_s=None):
    ttft_ms, e2e_ms, n = 107.1, 6470.8, 50

    def times(ms):
        return {"unit": "ms", "avg": ms, "p50": ms}

    content = {
        "schema_version": "1.4", "aiperf_version": "0.13.0", "request_throughput": {"unit": "requests/sec", "avg": n / 323.54},
        "request_count": {"unit": "requests", "avg": n}, "request_latency": times(e2e_ms), "time_to_first_token": times(ttft_ms),
        "inter_token_latency": times((e2e_ms - ttft_ms) / (counted - 1)), "benchmark_duration": {"unit": "sec", "avg": 323.54},
        "output_token_throughput": {"unit": "tokens/sec", "avg": counted * n / 323.54},
        "total_isl": {"unit": "tokens", "avg": 1000 * n}, "total_osl": {"unit": "tokens", "avg": counted * n},
        "osl_mismatch_count": {"unit": "requests", "avg": n},
        "input_config": {
            "endpoint": {"extra": extra or {}}, "datasets": [{"prompts": {"osl": {"mean": 1000.0}}}],
            "phases": [{"name": "profiling", "type": "concurrency", "concurrency": 1}],
        },
    }  # fmt: skip
    if server:
        content |= {f"total_usage_{name}_tokens": {"avg": tokens * n} for name, tokens in (("prompt", 1000), ("completion", server))}
    if chunk_gap_s:
        content["inter_chunk_latency"] = {"unit": "ms", "avg": 1000 * chunk_gap_s}
    return content


TOLD = {"ignore_eos": True, "min_tokens": 1000}


def test_a_tokenizer_that_misses_degenerate_text_does_not_take_the_servers_count(tmp_path):
    """Told to make 1000 tokens, the server counted 1000 and the client 127: 50,000 / 323.54 s; TPOT (6.4708 - 0.1071) / 999."""
    point = imported(tmp_path, aiperf(127, server=1000, extra=TOLD))
    assert point.output_tok_per_s == pytest.approx(154.5, rel=1e-3)
    assert point.median_tpot_s == pytest.approx(6.3637 / 999) and point.tok_per_s_per_user == pytest.approx(157, rel=1e-3)
    assert (point.mean_ttft_s, point.mean_e2e_s) == pytest.approx((0.1071, 6.4708))


def test_answers_not_as_long_as_told_have_no_rate_and_both_are_said(tmp_path):
    point = imported(tmp_path, aiperf(127, extra=TOLD))
    assert point[RATES].isna().all() and point.input_tok_per_s == pytest.approx(50_000 / 323.54)
    assert "osl_mismatch_count" in point.notes and "19.63 tokens/s" in point.notes and "154.5 tokens/s" in point.notes


def test_answers_that_may_end_early_are_as_long_as_they_are(tmp_path):
    point = imported(tmp_path, aiperf(127))
    assert point.output_tok == 127 * 50 and "requested 1000 tokens, counted 127" in point.notes


def test_the_gap_between_chunks_decides_for_aiperf_too(tmp_path):
    assert imported(tmp_path, aiperf(127, extra=TOLD, chunk_gap_s=6.3637 / 999)).token_source == "requested"
    assert imported(tmp_path, aiperf(127, server=600, chunk_gap_s=6.3637 / 126)).token_source == "client"


def vllm(**change):
    content = {
        "date": "20260312-101500", "backend": "vllm", "model_id": "org/model", "tokenizer_id": "org/model", "num_prompts": 100,
        "request_rate": "inf", "max_concurrency": None, "duration": 10.0, "completed": 100, "failed": 0, "total_input_tokens": 12800,
        "total_output_tokens": 6400, "request_throughput": 10.0, "output_throughput": 640.0, "total_token_throughput": 1920.0,
        "mean_ttft_ms": 180.0, "median_ttft_ms": 180.0, "mean_tpot_ms": 30.0, "median_tpot_ms": 30.0,
    }  # fmt: skip
    return content | change


@pytest.mark.parametrize(("name", "other"), [("output", "input"), ("input", "output")])
def test_no_token_in_requests_that_succeeded_is_a_failed_count(tmp_path, name, other):
    point = imported(tmp_path, vllm(**{f"total_{name}_tokens": 0}))
    assert point[[f"{name}_tok_per_s", "total_tok_per_s"]].isna().all() and point[f"{other}_tok_per_s"] > 0
    assert f"100 requests succeeded and no {name} token is counted" in point.notes


def test_no_token_in_no_request_is_a_rate_of_zero(tmp_path):
    point = imported(tmp_path, vllm(completed=0, failed=100, total_input_tokens=0, total_output_tokens=0, output_throughput=0.0))
    assert point.total_tok_per_s == 0 and "no request succeeded" in point.notes


def test_a_count_of_fewer_tokens_than_chunks_gives_no_rate(tmp_path):
    """One token counted in each of 100 requests that streamed for 10 s, a chunk every 10 ms."""
    content = vllm(total_output_tokens=100, mean_tpot_ms=0, median_tpot_ms=0, mean_itl_ms=10.0, mean_e2el_ms=10_180.0, duration=110.0)
    point = imported(tmp_path, content)
    assert point[RATES].isna().all() and "the count misses tokens" in point.notes and point.mean_e2e_s == 10.18


@pytest.mark.parametrize(
    ("change", "kept", "gone"),
    [
        ({"mean_tpot_ms": 400.0, "mean_e2el_ms": 2070.0}, {"mean_ttft_s": 0.18, "mean_e2e_s": 2.07, "mean_tpot_s": 0.03}, "median_tpot_s"),
        ({"mean_ttft_ms": 21_000.0, "mean_e2el_ms": 2070.0}, {"mean_e2e_s": 2.07, "mean_tpot_s": 0.03}, "mean_ttft_s"),
        ({"mean_e2el_ms": 18.0}, {"mean_ttft_s": 0.18, "mean_tpot_s": 0.03}, "mean_e2e_s"),
    ],
    ids=["TPOT", "TTFT", "request time"],
)
def test_one_wrong_time_does_not_take_the_others_with_it(tmp_path, change, kept, gone):
    """TTFT + TPOT x (OSL - 1) = 0.18 + 0.03 x 63 = 2.07 s."""
    point = imported(tmp_path, vllm(duration=100.0, **change))
    assert point[list(kept)].to_dict() == pytest.approx(kept, rel=0.01) and point[[gone]].isna().all()


def test_requests_cut_off_at_the_end_are_not_counted_and_their_size_is_said(tmp_path):
    """16 answers of 32 tokens ended; 8 more were cut off with 16 tokens each: a quarter more in the same time."""
    content = json.loads(gzip.decompress((SAMPLES / "guidellm-0.5.4/benchmarks.json.gz").read_bytes()))
    benchmark = content["benchmarks"][0]
    content["benchmarks"] = [benchmark]
    benchmark["metrics"]["request_totals"] |= {"successful": 16, "incomplete": 8, "total": 24}
    benchmark["metrics"]["output_token_count"]["successful"] |= {"mean": 32.0, "count": 16}
    benchmark["metrics"]["output_token_count"]["incomplete"] = {"mean": 16.0, "count": 8}
    benchmark["warmup_duration"], benchmark["config"]["strategy"]["rampup_duration"] = 2.0, 5.0
    point = imported(tmp_path, content)
    assert point.output_tok == 16 * 32 and "128 output tokens" in point.notes and "(+25%)" in point.notes
    assert "warmup of 2 s is not in the measured time" in point.notes and "rose over the first 5 s" in point.notes


def test_a_run_that_ended_by_time_says_how_many_requests_may_be_missing():
    point = importers.benchmarks([SAMPLES / "aiperf-0.13.0/duration4_grace0/profile_export_aiperf.json"]).points.iloc[0]
    assert "at most 8, which would add less than 50% to the 16" in point.notes


def test_a_load_that_rises_is_said(tmp_path):
    point = imported(tmp_path, vllm(ramp_up_strategy="linear", ramp_up_start_rps=1, ramp_up_end_rps=20))
    assert "linear ramp-up from 1 to 20 requests/s" in point.notes
