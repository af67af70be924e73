"""Whatever the file: a table and sentences, never a traceback; whatever its size: the same answer in bounded memory."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokcost import importers
from tokcost.importers import aiperf_records, documents, recognise
from tokcost.importers.normalise import row
from tokcost.importers.point import ImportProblem, Point

SAMPLES = Path(__file__).parents[1] / "samples"
SMALL = [
    "vllm-0.32.0/bench_serve/serve_c4.json",
    "sglang-0.5.23/bench_serving_chunk4.jsonl",
    "aiperf-0.11.0/c4/profile_export_aiperf.json",
    "genai-bench-0.0.5/run_s/D128_32_text-to-text_num_concurrency_4_time_1s.json",
    "llmperf-f1d6bed/c4/tiny-llama_150_32_summary.json",
    "inference-perf-0.7.0/concurrent/stage_1_lifecycle_metrics.json",
    "inferencex/agg_disaggregated.json",
    "_malformed/guidellm_future_version.json",
]
ODD = [None, "", "x", "12", -1, 0, 1e308, float("nan"), float("inf"), True, [], {}, [None], [{}], {"unit": "ms"}]
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", SMALL)
@quick
@given(cut=st.floats(0, 1))
def test_truncation_never_raises(name, cut, tmp_path):
    content = (SAMPLES / name).read_bytes()
    path = tmp_path / "cut.json"
    path.write_bytes(content[: int(cut * len(content))])
    found = importers.benchmarks([path])
    assert found.problems or len(found.points)
    assert all("\n" not in problem.sentence and "laid out differently" not in problem.sentence for problem in found.problems)


def _swap(content, data, depth=0):
    """The content with one value, at any depth, replaced by an odd one."""
    if isinstance(content, dict) and content and (depth < 1 or data.draw(st.booleans())):
        key = data.draw(st.sampled_from(sorted(content)))
        return {**content, key: _swap(content[key], data, depth + 1)}
    if isinstance(content, list) and content and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(content) - 1))
        return [*content[:index], _swap(content[index], data, depth + 1), *content[index + 1 :]]
    return data.draw(st.sampled_from(ODD))


@pytest.mark.parametrize("name", SMALL)
@quick
@given(data=st.data())
def test_readers_raise_nothing_but_the_problem(name, data, tmp_path):
    """Below the net that `importers.benchmarks` spans: readers themselves answer odd values with a sentence."""
    content = _swap(json.loads((SAMPLES / name).read_text()), data)
    reader = recognise.reader(content)
    recognise.companion(content), recognise.other_kind(content)
    if reader is None:
        return
    try:
        for point in reader.points(content, tmp_path / "a.json"):
            if isinstance(point, ImportProblem):
                assert "\n" not in str(point) and "laid out differently" not in str(point)
                continue
            values = row(point, n_gpus=8)
            assert all(values[name] is None or values[name] >= 0 for name in ("output_tok_per_s", "total_tok_per_s", "tok_per_s_per_user"))
    except ImportProblem as problem:
        assert "\n" not in str(problem)


@quick
@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_sentence(content, tmp_path):
    path = tmp_path / "any"
    path.write_bytes(content)
    found = importers.benchmarks([path])
    assert len(found.points) == 0 and len(found.problems) == 1


def _log(path: Path, copies: int) -> Path:
    lines = (SAMPLES / "aiperf-0.13.0/c4/profile_export.jsonl").read_bytes()
    path.write_bytes(lines * copies)
    return path


def test_a_log_streams_in_bounded_memory(tmp_path):
    """40 times the log (3.5 MB to 35 MB) may cost 24 bytes a request more, not the log's own size."""
    peaks = []
    for copies in (40, 400):
        log = _log(tmp_path / f"{copies}.jsonl", copies)
        tracemalloc.start()
        point = next(aiperf_records.points(log))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert point.n_requests == 24 * copies
    growth = peaks[1] - peaks[0]
    assert growth < 100 * 24 * 360, peaks
    assert peaks[1] < log.stat().st_size / 8


def test_block_borders_do_not_matter(tmp_path, monkeypatch):
    log = _log(tmp_path / "log.jsonl", 3)
    whole = next(aiperf_records.points(log))
    for block_bytes in (100, 4096, 10_000):
        monkeypatch.setattr(aiperf_records, "BLOCK_BYTES", block_bytes)
        assert next(aiperf_records.points(log)) == whole


@pytest.mark.parametrize("name", [name for name in SMALL if name.endswith(".json")])
def test_a_large_document_is_read_on_demand_with_the_same_result(name):
    small, large = documents.read(SAMPLES / name), documents.read(SAMPLES / name, large_bytes=0)
    assert isinstance(large.content, documents.LazyObject)
    reader = recognise.reader(large.content)
    path = SAMPLES / name
    rows = [[row(point) for point in reader.points(document.content, path)] for document in (small, large)]
    assert rows[0] == rows[1]


latency = st.floats(0.002, 0.05)


@given(ttft_s=st.floats(0.01, 2.0), tpot_s=latency, osl=st.integers(2, 2000), n=st.integers(50, 500), concurrency=st.integers(1, 64))
def test_seconds_under_keys_of_milliseconds_are_found(ttft_s, tpot_s, osl, n, concurrency):
    """A closed loop at a known concurrency: if all latencies are 1000 too small, they are read back and said."""
    e2e_s = ttft_s + tpot_s * (osl - 1)

    def point(scale):
        return Point(
            "demo", concurrency=concurrency, is_closed_loop=True, n_requests=n, output_tok=n * osl, duration_s=n * e2e_s / concurrency,
            latency_s={
                "mean_ttft_s": ttft_s * scale, "mean_tpot_s": tpot_s * scale, "median_tpot_s": tpot_s * scale, "mean_e2e_s": e2e_s * scale,
            },
        )  # fmt: skip

    right = row(point(1))
    assert right["notes"] is None
    for scale in (1e-3, 1e3):
        read = row(point(scale))
        assert "the latencies were read as" in read["notes"]
        assert read["median_tpot_s"] == pytest.approx(tpot_s) and read["tok_per_s_per_user"] == pytest.approx(right["tok_per_s_per_user"])


@given(
    output_tok=st.integers(1, 10**9), input_tok=st.integers(1, 10**9), duration_s=st.floats(0.01, 1e6), n_gpus=st.integers(1, 1000)
)  # fmt: skip
def test_rate_times_gpus_times_time_is_the_tokens(output_tok, input_tok, duration_s, n_gpus):
    values = row(Point("demo", n_requests=1, output_tok=output_tok, input_tok=input_tok, duration_s=duration_s), n_gpus=n_gpus)
    assert values["output_tok_per_s_per_gpu"] * n_gpus * duration_s == pytest.approx(output_tok)
    assert values["total_tok_per_s_per_gpu"] == pytest.approx(values["output_tok_per_s_per_gpu"] + values["input_tok_per_s_per_gpu"])


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "result.json")
    for read in (importers.benchmarks, importers.power_logs):
        (problem,) = read([tmp_path / "result.json"]).problems
        assert "a pipe or a device; save the result to a file first" in problem.sentence


def test_text_of_another_shell_is_named(tmp_path):
    (tmp_path / "result.json").write_text('{"duration": 1.0}', encoding="utf-16")
    (problem,) = importers.benchmarks([tmp_path]).problems
    assert "text in UTF-16" in problem.sentence and "save it in UTF-8" in problem.sentence
