"""What each broken or odd file must do: give one clear sentence, or import with a stated, correct reading."""

import json
from pathlib import Path

import pytest

from tokcost import importers

MALFORMED = Path(__file__).parents[1] / "samples/_malformed"
#: what serve_c4.json of vLLM 0.32.0 says; most files here are that one with one fault
RIGHT = {"output_tok_per_s": 1191.566727, "median_ttft_s": 0.0206068, "median_tpot_s": 0.00296979, "concurrency": 4.0}

REFUSED = {
    "vllm_empty.json": "the file is empty",
    "vllm_list.json": "an empty list, not a benchmark result",
    "vllm_null.json": "no JSON object or list",
    "vllm_truncated.json": "it is truncated",
    "vllm_duplicate_keys.json": "key `duration` stands twice with different values",
    "vllm_missing_completed.json": "has no `completed`",
    "vllm_missing_duration.json": "has no `duration`",
    "vllm_missing_total_output_tokens.json": "has no `total_output_tokens`",
    "vllm_negative_duration.json": "`duration` is -1.5, which cannot be negative",
    "vllm_negative_tokens.json": "`total_output_tokens` is -5, which cannot be negative",
    "vllm_zero_duration.json": "the duration is 0 s",
    "aiperf_null_duration.json": "has no `benchmark_duration.avg`",
    "guidellm_no_benchmarks.json": "holds no benchmarks",
}
#: file -> (rows, what the notes say or None, columns that must be empty)
READ = {
    "vllm_bom.json": (1, None, ()),
    "vllm_crlf.json": (1, None, ()),
    "vllm_old_goodput_colon_key.json": (1, None, ()),
    "vllm_numbers_as_strings.json": (1, "written as text and were read as numbers", ()),
    "vllm_nan_infinity.json": (1, "left empty: `output_throughput`, `mean_ttft_ms`", ("recorded_output_tok_per_s", "mean_ttft_s")),
    "vllm_missing_model_id.json": (1, "the file has no `model_id`", ("model",)),
    "vllm_max_concurrency_null.json": (1, "the concurrency is left empty", ("concurrency",)),
    "vllm_missing_max_concurrency.json": (1, "the concurrency is left empty", ("concurrency",)),
    "vllm_missing_total_input_tokens.json": (1, "total and input throughput are left empty", ("total_tok_per_s", "input_tok_per_s", "isl")),
    "vllm_inconsistent_throughput.json": (1, "+100.0% from successful tokens / duration", ()),
    "vllm_unit_confusion_duration_in_ms.json": (1, "the duration of 1289.06 was read as milliseconds", ()),
    "vllm_unit_confusion_seconds_in_ms_keys.json": (1, "the latencies were read as seconds", ()),
}  # fmt: skip
AIPERF = {
    "aiperf_future_schema.json": "schema 9.0 is newer than 1.4",
    "aiperf_incomplete.json": "was cancelled or is incomplete (record stall)",
    "aiperf_ttft_unit_sec.json": "TTFT was read as milliseconds",
    "aiperf_wrong_unit.json": "-98.2% from successful tokens / duration",
}
SGLANG = {"sglang_blank_lines.jsonl": 3, "sglang_concatenated_no_newline.jsonl": 3}


def test_every_malformed_file_is_in_a_table_here():
    named = {*REFUSED, *READ, *AIPERF, *SGLANG, *POWER, "sglang_truncated_last_line.jsonl", "aiperf_records_truncated.jsonl"}
    assert {path.name for path in MALFORMED.iterdir()} == named | {"guidellm_future_version.json", "prom_truncated.prom"}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_sentence(name):
    found = importers.benchmarks([MALFORMED / name])
    assert len(found.points) == 0
    assert [problem.source_file for problem in found.problems] == [str(MALFORMED / name)]
    assert REFUSED[name] in found.problems[0].sentence
    assert "\n" not in found.problems[0].sentence


@pytest.mark.parametrize("name", READ)
def test_read_correctly_and_said(name):
    rows, said, empty = READ[name]
    found = importers.benchmarks([MALFORMED / name])
    assert not found.problems and len(found.points) == rows
    point = found.points.iloc[0]
    assert said is None and point.isna()["notes"] or said in point["notes"]
    assert point[list(empty)].isna().all()
    for column, value in RIGHT.items():
        assert column in empty or point[column] == pytest.approx(value, rel=1e-5), column


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"duration": 1e-300}, "the duration is 1e-300 s, shorter than any run"),
        ({"duration": 0.002}, "in flight at concurrency 4, and the throughput that the tool printed does not fit either"),
        ({"duration": 0.02, "output_throughput": 76800.0}, "requests were in flight at concurrency 4, which cannot be"),
        ({"completed": 15.5}, "n_requests comes to 15.5, but requests are whole"),
        ({"failed": 0.25}, "n_failed comes to 0.25, but requests are whole"),
    ],
)
def test_what_no_run_can_have_given_is_refused_in_one_sentence(change, says, tmp_path):
    result = json.loads((MALFORMED.parent / "vllm-0.32.0/bench_serve/serve_c4.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps({**result, **change}))
    found = importers.benchmarks([tmp_path])
    assert len(found.points) == 0 and len(found.problems) == 1
    assert says in found.problems[0].sentence


@pytest.mark.parametrize("name", AIPERF)
def test_aiperf_is_read_correctly_and_said(name):
    point = importers.benchmarks([MALFORMED / name]).points.iloc[0]
    assert AIPERF[name] in point["notes"]
    assert point["output_tok_per_s"] == pytest.approx(1536 / 3.57417856)
    assert point["median_ttft_s"] == pytest.approx(0.036092929)


@pytest.mark.parametrize("name", SGLANG)
def test_sglang_lines_however_they_are_separated(name):
    found = importers.benchmarks([MALFORMED / name])
    assert not found.problems and found.points.concurrency.tolist() == [1, 4, 16][: SGLANG[name]]


def test_a_truncated_last_line_loses_that_line_only():
    found = importers.benchmarks([MALFORMED / "sglang_truncated_last_line.jsonl"])
    assert found.points.concurrency.tolist() == [1, 4]
    assert "starts at line 3 ends in the middle: it is truncated" in found.problems[0].sentence


def test_a_truncated_request_log_gives_its_whole_lines():
    found = importers.benchmarks([MALFORMED / "aiperf_records_truncated.jsonl"])
    point = found.points.iloc[0]
    assert "record 6 is cut off" in found.problems[0].sentence
    assert point["n_requests"] + point["n_failed"] <= 5
    assert "record 6 is cut off" in point["notes"]


def test_a_newer_report_layout_imports_and_says_so():
    point = importers.benchmarks([MALFORMED / "guidellm_future_version.json"]).points.iloc[0]
    assert "report layout 99 is newer than 2" in point["notes"]
    assert point["output_tok_per_s"] == pytest.approx(point["output_tok"] / point["duration_s"])


def test_a_truncated_scrape_is_refused():
    scrape = MALFORMED / "prom_truncated.prom"
    found = importers.server_metrics([scrape, scrape], seconds=5)
    assert "the scrape is truncated" in found.problems[0].sentence


#: nvidia-smi log -> (rows, sentence)
POWER = {
    "nvidia_smi_synthetic_ok.csv": (2, None),
    "nvidia_smi_nounits.csv": (2, None),
    "nvidia_smi_repeated_header.csv": (2, None),
    "nvidia_smi_na_values.csv": (2, "3 samples of the log say [N/A]"),
    "nvidia_smi_truncated_last_row.csv": (2, "1 lines of the log are cut off"),
    "nvidia_smi_gap_10s.csv": (2, "a gap of 11 s (usual interval 1 s)"),
    "nvidia_smi_noheader.csv": (0, "no header with timestamp and power.draw"),
    "nvidia_smi_milliwatts.csv": (0, "power is in 'power.draw [mW]'"),
}


@pytest.mark.parametrize("name", POWER)
def test_power_logs(name):
    rows, said = POWER[name]
    found = importers.power_logs([MALFORMED / name])
    assert len(found.points) == rows
    if rows == 0:
        assert said in found.problems[0].sentence
        return
    assert found.points["average_w"].tolist() == pytest.approx([514.5, 524.5], abs=0.6)
    assert said is None or found.points["notes"].str.contains(said, regex=False).all()


def test_one_bad_file_does_not_stop_the_others():
    found = importers.benchmarks([MALFORMED])
    assert {Path(p.source_file).name for p in found.problems} == {*REFUSED, "sglang_truncated_last_line.jsonl"}
    assert {"vllm-bench-serve", "aiperf", "guidellm", "sglang"} == set(found.points["tool"])
