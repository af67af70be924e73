"""Single requests of real files give back what the tools themselves printed, and their goodput."""

import gzip
import json
from pathlib import Path

import pytest

from tokcost import importers
from tokcost.importers import ImportProblem
from tokcost.serving.service_limits import goodput, latency_frontier

SAMPLES = Path(__file__).parents[1] / "samples"
VLLM = SAMPLES / "vllm-0.32.0" / "bench_serve"
AIPERF = SAMPLES / "aiperf-0.13.0" / "fail30"


@pytest.mark.parametrize("name", ["serve_errors30.json", "serve_chunk4.json"])
def test_vllm_requests_give_its_own_medians(name):
    printed = json.loads((VLLM / name).read_text())
    requests = importers.requests(VLLM / name)
    assert len(requests) == printed["num_prompts"]
    assert requests["is_failed"].sum() == printed["failed"]
    assert requests["ttft_s"].median() * 1e3 == pytest.approx(printed["median_ttft_ms"], rel=1e-9)
    assert requests["tpot_s"].median() * 1e3 == pytest.approx(printed["median_tpot_ms"], rel=1e-6)


def test_aiperf_requests_give_its_own_medians():
    printed = json.loads((AIPERF / "profile_export_aiperf.json").read_text())
    requests = importers.requests(AIPERF / "profile_export.jsonl.gz")
    assert (~requests["is_failed"]).sum() == printed["request_count"]["avg"]
    assert requests["ttft_s"].median() * 1e3 == pytest.approx(printed["time_to_first_token"]["p50"], rel=1e-6)
    assert requests["tpot_s"].median() * 1e3 == pytest.approx(printed["inter_token_latency"]["p50"], rel=1e-6)


def test_goodput_of_a_real_run_counts_its_failures():
    requests = importers.requests(VLLM / "serve_errors30.json")
    loose = goodput(requests, ttft_limit_s=10, tpot_limit_s=10).iloc[0]
    assert loose["n_good"] == 25 and loose["goodput_frac"] == pytest.approx(25 / 32)
    half = goodput(requests, ttft_limit_s=float(requests["ttft_s"].median()), tpot_limit_s=10).iloc[0]
    assert half["n_good"] == 13


def test_files_without_single_requests_say_how_to_get_them(tmp_path):
    with pytest.raises(ImportProblem, match="add --save-detailed"):
        importers.requests(VLLM / "serve_c16.json")
    cut = tmp_path / "log.jsonl"
    cut.write_bytes(gzip.decompress((AIPERF / "profile_export.jsonl.gz").read_bytes())[:-500])
    with pytest.raises(ImportProblem, match="is cut off .*copy the log again"):
        importers.requests(cut)
    empty = tmp_path / "warm.jsonl"
    empty.write_text('{"metadata": {"request_start_ns": 1, "request_end_ns": 2, "benchmark_phase": "warmup"}}\n')
    with pytest.raises(ImportProblem, match="no request of the profiling phase"):
        importers.requests(empty)


def test_a_sweep_becomes_a_front_against_the_slowest_hundredth_of_its_requests():
    found = importers.benchmarks([SAMPLES / "aiperf-0.13.0" / "sweep_concurrency"], n_gpus=1)
    points = found.points
    curve = latency_frontier(points, "p99_e2e_s", throughput="output_tok_per_s_per_gpu")
    assert curve.n_points == len(points) > 1
    assert curve.at(curve.reach[1]) == pytest.approx(points["output_tok_per_s_per_gpu"].max())
