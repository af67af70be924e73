"""What is particular to each tool, with numbers that can be checked by hand."""

import gzip
import json
from pathlib import Path

import pytest

from tokcost import importers

SAMPLES = Path(__file__).parents[1] / "samples"


def points(*names, **given):
    found = importers.benchmarks([SAMPLES / name for name in names], **given)
    assert not found.problems, found.problems
    return found.points


def test_a_sweep_directory_becomes_a_curve():
    """vLLM's sweep: three levels, two runs each; its summaries repeat the runs and add no row."""
    found = importers.benchmarks([SAMPLES / "vllm-0.32.0/bench_sweep"])
    assert found.points.concurrency.tolist() == [1, 1, 4, 4, 16, 16]
    assert sum("the same measurement" in item.sentence for item in found.skipped) == 6


def test_aiperf_sweep_gives_one_row_per_run():
    curve = points("aiperf-0.13.0/sweep_concurrency")
    assert sorted(curve.concurrency) == [1, 1, 4, 4, 16, 16]


def test_aiperf_copies_per_phase_and_companions_are_not_imported_again():
    found = importers.benchmarks([SAMPLES / "aiperf-0.13.0/c4"])
    assert len(found.points) == 1 and not found.problems
    said = {Path(item.source_file).name: item.sentence for item in found.skipped}
    assert "single requests" in said["profile_export.jsonl"]
    assert "power log" in said["gpu_telemetry_export.jsonl"]
    assert "rounded CSV" in said["profile_export_aiperf.csv"]
    assert "prompts" in said["inputs.json"]


def test_aiperf_log_of_requests_agrees_with_its_summary():
    """The same run by two routes: 24 requests without the two of the warm-up."""
    log, summary = points("aiperf-0.13.0/c4/profile_export.jsonl").iloc[0], points("aiperf-0.13.0/c4/profile_export_aiperf.json").iloc[0]
    assert (
        (log.n_requests, log.input_tok, log.output_tok) == (24, 3312, 1536) == (summary.n_requests, summary.input_tok, summary.output_tok)
    )
    assert log.duration_s == pytest.approx(summary.duration_s, rel=1e-3)
    for column in ("mean_ttft_s", "median_ttft_s", "p99_ttft_s", "median_tpot_s", "p90_tpot_s", "median_e2e_s", "p95_e2e_s"):
        assert log[column] == pytest.approx(summary[column], rel=1e-9), column


def test_aiperf_failures_are_no_output():
    """60 requests, 21 failed: 39 x 32 output tokens in 0.4988 s."""
    summary = points("aiperf-0.13.0/fail30/profile_export_aiperf.json").iloc[0]
    log = points("aiperf-0.13.0/fail30/profile_export.jsonl.gz").iloc[0]
    for point in (summary, log):
        assert (point.n_requests, point.n_failed, point.output_tok) == (39, 21, 39 * 32)
    assert summary.output_tok_per_s == pytest.approx(39 * 32 / 0.498769, rel=1e-5)


def test_a_run_that_failed_altogether_delivers_nothing():
    """AIPerf then writes the request log alone, vLLM a file of zeros."""
    for name in (
        "aiperf-0.13.0/allfail",
        "vllm-0.32.0/bench_serve/serve_all_failed.json",
        "guidellm-0.8.1/allfail",
        "inference-perf-0.7.0/allfail",
    ):
        point = points(name, n_gpus=2).iloc[0]
        assert point.n_requests == 0 and point.n_failed > 0
        assert point.output_tok_per_s_per_gpu == 0
        assert point[["median_ttft_s", "median_tpot_s", "tok_per_s_per_user", "isl", "osl"]].isna().all()
        assert "no request succeeded" in point.notes


def test_aiperf_prefers_the_servers_count():
    point = points("aiperf-0.13.0/c16/profile_export_aiperf.json").iloc[0]
    assert (point.output_tok, point.token_source) == (6144, "server usage")
    assert "the client counted 6583 output tokens, the server 6144" in point.notes
    assert points("aiperf-0.13.0/nousage/profile_export_aiperf.json").iloc[0].token_source == "client"


def test_cached_prompt_tokens_are_kept_apart():
    point = points("aiperf-0.13.0/cached75_servertokens/profile_export_aiperf.json").iloc[0]
    assert (point.input_tok, point.cached_input_tok) == (3019, 2244)


def test_aiperf_unit_belongs_to_each_metric(tmp_path):
    """A newer version that writes TTFT in seconds is read by its unit, not by habit."""
    content = json.loads((SAMPLES / "aiperf-0.13.0/c4/profile_export_aiperf.json").read_text())
    was = points("aiperf-0.13.0/c4/profile_export_aiperf.json").iloc[0].median_ttft_s
    for key, value in content["time_to_first_token"].items():
        content["time_to_first_token"][key] = "sec" if key == "unit" else value / 1000
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert importers.benchmarks([tmp_path / "a.json"]).points.median_ttft_s[0] == pytest.approx(was)
    content["time_to_first_token"]["unit"] = "fortnights"
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert "'fortnights', which is no unit of time" in importers.benchmarks([tmp_path / "a.json"]).problems[0].sentence


def test_vllm_appended_results_are_rows():
    assert points("vllm-0.32.0/bench_serve/serve_append.json").concurrency.tolist() == [2, 8]


def test_vllm_offline():
    """12,292 tokens in 1.792 s; the split into input and output is not in the file."""
    point = points("vllm-0.32.0/bench_throughput/throughput_64.json", n_gpus=2).iloc[0]
    assert point.total_tok_per_s_per_gpu == pytest.approx(12292 / 1.7924556 / 2)
    assert point[["output_tok_per_s", "concurrency", "median_tpot_s"]].isna().all()
    found = importers.benchmarks([SAMPLES / "vllm-0.32.0/bench_latency/latency_b4.json"])
    assert "records neither batch size nor lengths" in found.problems[0].sentence


def test_a_stream_that_came_in_one_piece_has_no_interactivity():
    point = points("vllm-0.32.0/bench_sweep/20261123_172226/BENCH--max_concurrency=1-num_prompts=8/run=1.json").iloc[0]
    assert str(point.tok_per_s_per_user) == "nan" and "faster than any stream" in point.notes


def test_guidellm_json_and_yaml_are_one_measurement():
    found = importers.benchmarks([SAMPLES / "guidellm-0.8.1/concurrent"])
    assert found.points.concurrency.tolist() == [1, 4, 16]
    alone = importers.benchmarks([SAMPLES / "guidellm-0.8.1/concurrent/benchmarks.yaml.gz"])
    assert alone.points.output_tok_per_s.tolist() == found.points.output_tok_per_s.tolist()


def test_guidellm_counts_successes_only():
    point = points("guidellm-0.8.1/errors30/benchmarks.json.gz").iloc[0]
    assert (point.n_requests, point.n_failed, point.input_tok, point.output_tok) == (19, 11, 1069, 304)


def test_inference_perf_stages_not_their_mix():
    found = importers.benchmarks([SAMPLES / "inference-perf-0.7.0/concurrent"])
    assert found.points.concurrency.tolist() == [1, 4, 16]
    assert any("mix of all load stages" in item.sentence for item in found.skipped)
    assert set(found.points.model) == {"tiny-llama"}
    stage = found.points.iloc[1]
    assert stage.output_tok_per_s == pytest.approx(1024 / 1.28135, rel=1e-5)
    assert stage.recorded_differs_frac == pytest.approx(958.364 / (1024 / 1.28135) - 1, rel=1e-4)


def test_a_tpot_of_stream_lines_is_not_believed():
    """inference-perf 0.2 times every line of the stream, blank ones too: its TPOT is about half of (E2E - TTFT) / (OSL - 1)."""
    point = points("inference-perf-0.2.0/constant/stage_0_lifecycle_metrics.json").iloc[0]
    assert point.mean_tpot_s == pytest.approx((0.0957909 - 0.0144084) / (33.15 - 1), rel=1e-5)
    assert point[["median_tpot_s", "tok_per_s_per_user"]].isna().all()
    assert "does not explain its own request time" in point.notes


def test_genai_bench_seconds_and_milliseconds():
    """Two runs of one server, one in s, one in ms: both land in the same decade of seconds."""
    s, ms = points("genai-bench-0.0.5/run_s"), points("genai-bench-0.0.5/run_ms")
    assert s.concurrency.tolist() == ms.concurrency.tolist() == [1, 4, 16]
    assert (s.median_ttft_s / ms.median_ttft_s).between(0.3, 3).all()
    assert set(s.accelerator) == {"H100"} and set(s.n_gpus) == {2}
    first = ms.iloc[1]
    assert first.output_tok_per_s_per_gpu == pytest.approx(24 * 32 / 1.01144957 / 2)
    assert first.median_ttft_s == pytest.approx(0.0317183582)


def test_llmperf_tpot_leaves_the_first_token_out():
    """First response of c4: (82.53 ms - 19.93 ms) / 29 = 2.16 ms, where llmperf prints 2.73 ms."""
    point = points("llmperf-f1d6bed/c4/tiny-llama_150_32_summary.json").iloc[0]
    responses = json.loads((SAMPLES / "llmperf-f1d6bed/c4/tiny-llama_150_32_individual_responses.json").read_text())
    tpots = sorted((r["end_to_end_latency_s"] - r["ttft_s"]) / (r["number_output_tokens"] - 1) for r in responses)
    assert point.median_tpot_s == pytest.approx((tpots[11] + tpots[12]) / 2)


def test_inferencex_disaggregated_rates_are_brought_to_all_gpus():
    """4 prefill + 8 decode GPUs: 240 x 8 / 12 = 160 out, 1020 x 4 / 12 = 340 in, 500 in all."""
    point = points("inferencex/agg_disaggregated.json", n_gpus=1).iloc[0]
    assert (point.n_gpus, point.output_tok_per_s_per_gpu, point.input_tok_per_s_per_gpu, point.total_tok_per_s_per_gpu) == (
        12,
        160,
        340,
        500,
    )
    assert point.output_tok_per_s_per_gpu + point.input_tok_per_s_per_gpu == point.total_tok_per_s_per_gpu
    assert "the 1 that were given were not used" in point.notes


def test_inferencex_gpus_are_tp_times_pp():
    assert points("inferencex/agg_single_node.json").n_gpus[0] == 4 * 2


def test_inferencex_header_says_ms_and_numbers_decide():
    seconds, milliseconds = points("inferencex/dashboard_export.csv").iloc[0], points("inferencex/dashboard_export_in_ms.csv").iloc[0]
    assert seconds.median_tpot_s == milliseconds.median_tpot_s == 0.004
    assert seconds.median_ttft_s == milliseconds.median_ttft_s == 0.04
    assert seconds.tok_per_s_per_user == 250


def test_an_export_saved_twice_counts_once(tmp_path):
    """InferenceX has no durations: all its numbers together tell a measurement."""
    export = (SAMPLES / "inferencex/dashboard_export.csv").read_text()
    (tmp_path / "by_latency.csv").write_text(export)
    (tmp_path / "by_speed.csv").write_text(export)
    found = importers.benchmarks([tmp_path])
    assert len(found.points) == len(importers.benchmarks([tmp_path / "by_latency.csv"]).points)
    assert {item.sentence for item in found.skipped} == {f"the same measurement as in {tmp_path / 'by_latency.csv'}"}


def test_inferencex_api_rows():
    rows = points("inferencex/api_rows.json")
    assert rows.n_gpus.tolist() == [8, 8] and rows.tok_per_s_per_user.tolist() == [100, 80] and set(rows.speculative) == {"mtp"}


def test_mlperf_per_accelerator():
    """4,488 output tokens/s per H200 is the published best of llama2-70b Offline; 72 GPUs are 18 nodes of 4."""
    rows = points("mlperf/summary_results.json")
    assert len(rows) == 4
    by_run = rows.set_index("run")
    assert by_run.loc["closed Demo 72xDEMO Server", ["n_gpus", "output_tok_per_s_per_gpu"]].tolist() == [72, 1000]
    assert set(rows.output_tok_per_s_per_gpu.dropna()) == {4488, 1000}
    assert by_run.loc[["closed Demo mixed Offline"], "n_gpus"].isna().all()
    assert rows.total_tok_per_s_per_gpu.isna().all()
    assert rows.notes.str.contains("output tokens only").all()
    assert rows.notes.str.contains("v9.0 is newer than 6.0").sum() == 1


def test_a_file_is_recognised_by_content_not_by_name(tmp_path):
    plain, packed = tmp_path / "notes.txt", tmp_path / "b"
    content = (SAMPLES / "vllm-0.21.0/bench_serve/serve_c16.json").read_bytes()
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    for path in (plain, packed):
        assert importers.benchmarks([path]).points.tool.tolist() == ["vllm-bench-serve"]


def test_gpus_are_given_never_guessed():
    """Telemetry saw two GPUs; that is said, but it does not fill the column."""
    name = "aiperf-0.13.0/c4/profile_export_aiperf.json"
    unknown = points(name).iloc[0]
    assert str(unknown.n_gpus) == "nan" and str(unknown.output_tok_per_s_per_gpu) == "nan" and unknown.output_tok_per_s > 0
    assert "telemetry saw 2 x NVIDIA H100 80GB HBM3" in unknown.notes
    known = points(name, n_gpus=8, accelerator="H200").iloc[0]
    assert known.output_tok_per_s_per_gpu == pytest.approx(unknown.output_tok_per_s / 8)
    assert known.accelerator == "h200"
