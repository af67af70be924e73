"""TensorRT-LLM, EvalScope, llm-d, llama-bench, LMBenchmark, vLLM's conversations, InferenceX's newer artefacts, and energy.

EvalScope's files are of a real run; the others follow the tools' sources, with numbers of their own.
"""

import json
import zipfile
from pathlib import Path

import pytest

from tokcost import importers

SAMPLES = Path(__file__).parents[1] / "samples"


def only(path, **given):
    found = importers.benchmarks([path], **given)
    assert not found.problems, found.problems
    assert len(found.points) == 1, found.points.run.tolist()
    return found.points.iloc[0]


def imported(tmp_path, content, name="result.json", **given):
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return only(tmp_path / name, **given)


def trtllm(**performance):
    times = {"average": 5000.0, "p50": 4900.0, "p90": 6000.0, "p95": 6100.0, "p99": 6200.0, "minimum": 4000.0, "maximum": 6300.0}
    return {
        "engine": {"model": "org/model", "version": "1.3", "backend": "Pytorch", "dtype": "bfloat16", "quantization": "FP8"},
        "machine": {"name": "NVIDIA B200"}, "world_info": {"tp_size": 4, "pp_size": 1, "world_size": 4},
        "request_info": {"num_requests": 1000, "avg_num_concurrent_requests": 50.0, "avg_input_length": 2048.0, "avg_output_length": 512.0},
        "performance": {"total_latency_ms": 100_000.0, "system_output_throughput_tok_s": 5120.0, "request_latency_percentiles_ms": times}
        | performance,
        "streaming_metrics": {
            "ttft_percentiles": {name: value / 10 for name, value in times.items()},
            "tpot_percentiles": {name: value * 0.9 / 511 for name, value in times.items()},
        },
    }  # fmt: skip


def test_trtllm_bench(tmp_path):
    """1000 x 512 tokens in 100 s on 4 GPUs."""
    point = imported(tmp_path, trtllm())
    assert (point.output_tok_per_s, point.output_tok_per_s_per_gpu, point.input_tok_per_s) == (5120, 1280, 20480)
    assert (point.model, point.precision, point.n_gpus, point.median_ttft_s) == ("org/model", "FP8", 4, 0.49)
    assert point.tok_per_s_per_user == pytest.approx(511 / 0.9 / 4.9) and point.mean_e2e_s == 5.0


@pytest.mark.parametrize("where", ["performance", "energy_metrics"])
def test_trtllm_bench_energy(tmp_path, where):
    """320 kJ for 512,000 output and 2,560,000 tokens in all: 1.6 and 8 tokens a joule."""
    content = trtllm()
    content.setdefault(where, {})["total_energy_j"] = 320_000.0
    point = imported(tmp_path, content)
    assert (point.gpu_energy_joule, point.output_tok_per_joule, point.total_tok_per_joule) == (320_000, 1.6, 8.0)


def test_evalscope():
    """A real run: 12 requests of 64 and 32 tokens in 1.1218 s, two at a time."""
    folder = SAMPLES / "evalscope-1.14.1/parallel_2"
    point = only(folder)
    assert (point.tool, point.model, point.concurrency, point.n_requests) == ("evalscope", "tiny", 2, 12)
    assert point.output_tok_per_s == pytest.approx(12 * 32 / 1.1218)
    assert point.mean_ttft_s == pytest.approx(0.02235) and point.median_tpot_s == pytest.approx(0.0053, rel=0.01)


def test_evalscope_before_1_0_in_seconds(tmp_path):
    (tmp_path / "benchmark_percentile.json").write_text(
        json.dumps({"Percentiles": ["50%", "99%"], "TTFT (s)": [0.2, 0.4], "TPOT (s)": [0.02, 0.03]})
    )
    content = {
        "Time taken for tests (s)": 50.0, "Number of concurrency": 4, "Total requests": 21, "Succeed requests": 20, "Failed requests": 1,
        "Output token throughput (tok/s)": 40.0, "Total token throughput (tok/s)": 440.0, "Average latency (s)": 2.2,
        "Average time to first token (s)": 0.22, "Average time per output token (s)": 0.02, "Average input tokens per request": 1000.0,
        "Average output tokens per request": 100.0,
    }  # fmt: skip
    point = imported(tmp_path, content, "benchmark_summary.json")
    assert (point.output_tok_per_s, point.n_failed, point.median_ttft_s, point.tok_per_s_per_user) == (40, 1, 0.2, 50)


def test_llmd_report_is_read_alone_and_dropped_beside_the_exact_stage():
    folder = SAMPLES / "inference-perf-0.7.0/concurrent"
    report = folder / "inference-perf.partial.stage_0.yaml"
    alone = only(report)
    assert (
        alone.tool == "llm-d"
        and alone.duration_s == pytest.approx(1.4912, rel=1e-3)
        and alone.mean_ttft_s == pytest.approx(0.01559, rel=1e-3)
    )
    assert set(importers.benchmarks([folder]).points.tool) == {"inference-perf"}


LLMD = """
version: '0.2'
run: {time: {duration: PT1M40S}}
scenario:
  stack:
    - standardized: {kind: inference_engine, role: prefill, replicas: 2, model: {name: org/m}, accelerator: {model: H100, count: 2}}
    - standardized: {kind: inference_engine, role: decode, replicas: 1, model: {name: org/m}, accelerator: {model: H100, count: 4}}
results:
  request_performance:
    aggregate:
      requests: {total: 110, failures: 10, incomplete: 3, input_length: {mean: 1000.0}, output_length: {mean: 200.0}}
      latency: {time_to_first_token: {units: ms, mean: 300.0, p50: 290.0}, time_per_output_token: {units: ms/token, mean: 20.0, p50: 20.0}}
      throughput: {RATE}
"""


@pytest.mark.parametrize(("rate", "seconds"), [("request_rate: {units: queries/s, mean: 2.0}", 50), ("total_token_rate: {mean: 1.0}", 100)])
def test_llmd_report_of_a_split_stack(tmp_path, rate, seconds):
    """2 x 2 + 1 x 4 GPUs; 100 requests that did not fail, at 2 a second, or in the run's 100 s where the rate is missing."""
    point = imported(tmp_path, LLMD.replace("{RATE}", "{" + rate + "}"), "report.yaml")
    assert (point.n_gpus, point.model, point.n_requests, point.duration_s) == (8, "org/m", 100, seconds)
    assert (point.output_tok_per_s, point.median_ttft_s, point.tok_per_s_per_user) == (20_000 / seconds, 0.29, 50)
    assert "3 requests were cut off" in point.notes


def test_llama_bench(tmp_path):
    about = {
        "build_commit": "abc", "build_number": 5000, "model_type": "llama 8B Q4", "gpu_info": "NVIDIA H100 PCIe", "n_gpu_layers": 99,
        "backends": "CUDA",
    }  # fmt: skip
    tests = [
        about | {"n_prompt": 512, "n_gen": 0, "avg_ns": 64e6, "avg_ts": 8000.0},
        about | {"n_prompt": 0, "n_gen": 128, "avg_ns": 1e9, "avg_ts": 128.0},
        about | {"n_prompt": 512, "n_gen": 128, "avg_ns": 1.064e9, "avg_ts": 640 / 1.064},
    ]
    (tmp_path / "bench.json").write_text(json.dumps(tests))
    (tmp_path / "bench.jsonl").write_text("\n".join(map(json.dumps, tests)))
    for name in ("bench.json", "bench.jsonl"):
        points = importers.benchmarks([tmp_path / name]).points.set_index("run")
        assert points.index.tolist() == ["pp512", "tg128", "pp512+tg128"] and set(points.n_gpus) == {1}
        assert points.input_tok_per_s["pp512"] == 8000 and points.output_tok_per_s.isna()["pp512"]
        assert points.output_tok_per_s["tg128"] == points.tok_per_s_per_user["tg128"] == 128
        assert points.output_tok_per_s["pp512+tg128"] == pytest.approx(128 / 1.064)


LMBENCH = """prompt_tokens,generation_tokens,ttft,generation_time,user_id,question_id,launch_time,finish_time
1000,101,0.5,2.0,1,1,1000.0,1002.5
1200,101,0.3,2.0,2,1,1001.0,1003.3
1100,101,0.4,2.0,1,2,1007.6,1010.0
"""


def test_lmbenchmark_table(tmp_path):
    """303 tokens from second 1000 to 1010; 2 s for the 100 tokens after the first."""
    point = imported(tmp_path, LMBENCH, "summary.csv")
    assert (point.duration_s, point.n_requests, point.output_tok_per_s, point.input_tok_per_s) == (10, 3, 30.3, 330)
    assert point.median_tpot_s == pytest.approx(0.02) and point.median_ttft_s == 0.4


@pytest.mark.parametrize(("cell", "sentence"), [("", "has '' for `ttft`"), ("-0.5", "negative"), ("x", "has 'x' for `ttft`")])
def test_a_damaged_table_of_requests_is_a_problem(tmp_path, cell, sentence):
    (tmp_path / "summary.csv").write_text(LMBENCH.replace("1000,101,0.5", f"1000,101,{cell}"))
    found = importers.benchmarks([tmp_path / "summary.csv"])
    assert found.points.empty and sentence in found.problems[0].sentence


def test_lmbenchmark_without_a_clock(tmp_path):
    """Two clients, each with 5 s of requests one after the other."""
    result = {"latency": 2.5, "ttft": 0.5, "generation_time": 2.0, "prompt_tokens": 1000, "completion_tokens": 101, "status": "success"}
    point = imported(tmp_path, {"params": {"concurrent": 2, "model": "org/m"}, "results": [result] * 4})
    assert (point.duration_s, point.concurrency, point.output_tok_per_s, point.model) == (5, 2, 80.8, "org/m")


VLLM_TURNS = [
    "ttft_ms,tpot_ms,latency_ms,start_time_ms,input_num_turns,input_num_tokens,output_num_tokens,client_id".split(","),
    [100.0, 20.0, 2100.0, 5000.0, 1, 500, 101, 0],
    [50.0, 20.0, 2050.0, 5500.0, 1, 500, 101, 1],
    [60.0, 20.0, 2060.0, 7940.0, 3, 700, 101, 0],
]


def workbook(path, rows):
    """A workbook as xlsxwriter lays it out: texts shared, numbers in place, two sheets."""
    texts = rows[0]
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ids = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    cells = [
        "".join(
            f'<c r="{chr(65 + i)}{n}" t="s"><v>{texts.index(value)}</v></c>'
            if isinstance(value, str)
            else f'<c r="{chr(65 + i)}{n}"><v>{value}</v></c>'
            for i, value in enumerate(row)
        )
        for n, row in enumerate(rows, start=1)
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {main} {ids}><sheets><sheet name="Summary" r:id="a"/><sheet name="Raw data" r:id="b"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="b" Target="worksheets/sheet2.xml"/></Relationships>'
        )
        archive.writestr("xl/sharedStrings.xml", f"<sst {main}>{''.join(f'<si><t>{text}</t></si>' for text in texts)}</sst>")
        archive.writestr(
            "xl/worksheets/sheet2.xml", f"<worksheet {main}><sheetData>{''.join(f'<row>{c}</row>' for c in cells)}</sheetData></worksheet>"
        )


@pytest.mark.parametrize("name", ["raw.csv", "statistics.xlsx"])
def test_vllm_conversations(tmp_path, name):
    """303 tokens from 5.0 to 10.0 s by two clients."""
    path = tmp_path / name
    if name.endswith("csv"):
        path.write_text("\n".join(",".join(map(str, row)) for row in VLLM_TURNS))
    else:
        workbook(path, VLLM_TURNS)
    for given in (path, tmp_path):
        point = only(given)
        assert (point.tool, point.duration_s, point.output_tok_per_s, point.concurrency) == ("vllm-multi-turn", 5, 60.6, 2)
        assert point.tok_per_s_per_user == pytest.approx(50) and point.median_ttft_s == pytest.approx(0.06)


def test_a_workbook_that_is_none_or_hostile_is_one_sentence(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 no archive")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY x "y">]><workbook>&x;</workbook>')
    for name in ("a.xlsx", "b.xlsx"):
        found = importers.benchmarks([tmp_path / name])
        assert found.points.empty and len(found.problems) == 1


def test_aiperf_energy_of_its_own_telemetry():
    """3602.02 J of two boards for 1536 output and 4848 tokens in all."""
    path = SAMPLES / "aiperf-0.13.0/c4/profile_export_aiperf.json"
    point = only(path, n_gpus=2)
    assert point.gpu_energy_joule == pytest.approx(3602.02)
    assert point.output_tok_per_joule == pytest.approx(1536 / 3602.02) and point.total_tok_per_joule == pytest.approx(4848 / 3602.02)
    other = only(path, n_gpus=8)
    assert other.gpu_energy_joule == pytest.approx(3602.02) and other[["output_tok_per_joule", "total_tok_per_joule"]].isna().all()
    assert "of 2 GPUs and the deployment has 8" in other.notes


def test_a_board_that_two_endpoints_report_is_not_counted_twice(tmp_path):
    content = json.loads((SAMPLES / "aiperf-0.13.0/c4/profile_export_aiperf.json").read_text())
    endpoints = content["telemetry_data"]["endpoints"]
    endpoints["other:9400"] = next(iter(endpoints.values()))
    point = imported(tmp_path, content, n_gpus=2)
    assert point[["gpu_energy_joule"]].isna().all() and "counts 2 of them twice" in point.notes


def inferencex(**change):
    return {
        "hw": "gb200", "conc": 256, "model": "org/m", "framework": "dynamo-trt", "disagg": False, "isl": 1024, "osl": 1024,
        "is_multinode": True, "prefill_tp": 8, "prefill_num_workers": 2, "decode_tp": 0, "decode_num_workers": 0, "num_prefill_gpu": 16,
        "num_decode_gpu": 0, "tput_per_gpu": 2000.0, "output_tput_per_gpu": 1000.0, "input_tput_per_gpu": 1000.0, "median_tpot": 0.0155,
        "median_intvty": 64.516, **change,
    }  # fmt: skip


@pytest.mark.parametrize("disagg", [False, True, "true"])
def test_inferencex_workers_that_prefill_and_decode(tmp_path, disagg):
    point = imported(tmp_path, inferencex(disagg=disagg))
    assert (point.n_gpus, point.total_tok_per_s, point.output_tok_per_s, point.input_tok_per_s) == (16, 32000, 16000, 16000)
    assert point.deployment == "aggregated" and point[["n_decode_gpus"]].isna().all()
    content = inferencex(disagg=disagg)
    del content["num_prefill_gpu"], content["num_decode_gpu"]
    assert imported(tmp_path, content).n_gpus == 2 * 8


def test_inferencex_split_rates_are_of_their_pools_unless_they_add_up(tmp_path):
    """8 + 24 GPUs: input 800 a prefill GPU, output 400 a decode GPU: 6400 + 9600 = 500 x 32."""
    split = {"disagg": True, "num_prefill_gpu": 8, "num_decode_gpu": 24, "tput_per_gpu": 500.0}
    point = imported(tmp_path, inferencex(**split, output_tput_per_gpu=400.0, input_tput_per_gpu=800.0))
    assert (point.input_tok_per_s, point.output_tok_per_s, point.total_tok_per_s) == (6400, 9600, 16000)
    point = imported(tmp_path, inferencex(**split, output_tput_per_gpu=300.0, input_tput_per_gpu=200.0))
    assert (point.input_tok_per_s, point.output_tok_per_s, point.total_tok_per_s) == (6400, 9600, 16000)


def agentic(is_nested):
    about = {
        "hw": "b300", "conc": 32, "model": "org/m", "framework": "vllm", "disagg": False, "scenario_type": "agentic-coding",
        "is_multinode": False, "tp": 8, "pp": 1, "pcp_size": 1, "num_requests_successful": 100,
    }  # fmt: skip
    if not is_nested:
        return about | {
            "total_tput_tps": 50500.0, "output_tput_tps": 500.0, "input_tput_tps": 50000.0, "duration_seconds": 100.0,
            "mean_input_tokens": 50_000.0, "mean_output_tokens_actual": 500.0, "p50_ttft": 2.0, "p50_tpot": 0.02, "p50_intvty": 50.0,
        }  # fmt: skip
    return about | {
        "request_metrics": {
            "latency": {"ttft": {"p50": 2.0}, "tpot": {"p50": 0.02}, "intvty": {"p50": 50.0}},
            "tokens": {"input": {"mean": 50_000.0}, "output_actual": {"mean": 500.0}},
            "throughput": {
                "input": {"tokens_per_second": 50000.0}, "output": {"tokens_per_second": 500.0}, "total": {"tokens_per_second": 50500.0},
                "duration_seconds": 100.0, "per_gpu": {"total_tput_tps": 6312.5},
            },
        },
        "server_metrics": {"cache": {"gpu_cache_hit_rate": 0.97}},
    }  # fmt: skip


@pytest.mark.parametrize("is_nested", [True, False])
def test_inferencex_agentic_artefacts(tmp_path, is_nested):
    point = imported(tmp_path, agentic(is_nested))
    assert (point.n_gpus, point.duration_s, point.n_requests) == (8, 100, 100)
    assert (point.input_tok_per_s, point.output_tok_per_s) == (50_000, 500)
    assert (point.median_ttft_s, point.tok_per_s_per_user) == (2, 50)


@pytest.mark.parametrize(
    "mark",
    [{"metrics_gap_filled": True}, {"cache_backfill_id": "run-1"}, {"run_url": "https://github.com/x/actions/runs/31633154542/attempts/1"}],
)
def test_cache_hits_of_another_system_are_said(tmp_path, mark):
    row = inferencex(server_gpu_cache_hit_rate=0.97)
    assert "filled in from another system" in imported(tmp_path, row | mark).notes
    assert "filled in" not in imported(tmp_path, row).notes


@pytest.mark.parametrize(("is_valid", "expected"), [(1, 0.5), (0, None)])
def test_inferencex_energy_that_it_found_valid(tmp_path, is_valid, expected):
    point = imported(
        tmp_path, inferencex(power_valid=is_valid, joules_per_output_token=2.0, joules_per_total_token=1.0, total_gpu_energy_j=1e5)
    )
    assert point.output_tok_per_joule == expected if expected else point[["output_tok_per_joule", "gpu_energy_joule"]].isna().all()
