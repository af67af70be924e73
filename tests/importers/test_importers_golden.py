"""Every sample imports to tokens, durations and rates that another program worked out from the same file."""

import json
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from tokcost import importers

SAMPLES = Path(__file__).parents[1] / "samples"
GOLDEN = defaultdict(list)
for _key, _entry in json.loads((SAMPLES / "golden_values.json").read_text()).items():
    GOLDEN[_key.partition("#")[0]].append(_entry)

#: column -> key of the golden entry, by tool; a golden null means that the file does not say
SHARED = {"duration_s": "duration_s", "concurrency": "conc", "n_requests": "completed", "n_failed": "failed"}
RATES = {
    "input_tok": "in_tok",
    "output_tok": "out_tok",
    "output_tok_per_s": "out_tps",
    "input_tok_per_s": "in_tps",
    "total_tok_per_s": "tot_tps",
}
RECORDED = {"recorded_output_tok_per_s": "recorded_out", "recorded_total_tok_per_s": "recorded_total"}
BY_TOOL = {
    "vllm-bench-serve": SHARED | RATES | RECORDED | {"model": "model"},
    "vllm-bench-throughput": {"duration_s": "duration_s", "total_tok_per_s": "tot_tps"},
    "sglang": SHARED | RATES | RECORDED,
    "genai-perf": {"output_tok_per_s": "out_tps", "input_tok_per_s": "in_tps"},
    "guidellm": {"duration_s": "duration_s", "concurrency": "streams", "output_tok_per_s": "recomputed_out_succ"}
    | {"recorded_output_tok_per_s": "out_tps_successful"},
    "inference-perf": SHARED | {"n_requests": "count", "recorded_output_tok_per_s": "out_tps", "mean_ttft_s": "ttft_mean_s"},
    "genai-bench": SHARED
    | {"output_tok_per_s": "out_tps_from_individual", "input_tok_per_s": "in_tps_from_individual"}
    | {"recorded_output_tok_per_s": "recorded_out"},
    "llmperf": SHARED | {"duration_s": "duration_s_derived", "output_tok_per_s": "out_tps", "input_tok_per_s": "in_tps"},
}  # fmt: skip
USAGE = {"input_tok": "in_tok_usage", "output_tok": "out_tok_usage", "output_tok_per_s": "out_tps_usage", "cached_input_tok": "cached_in"}
CLIENT = {"input_tok": "in_tok_client", "output_tok": "out_tok_client", "output_tok_per_s": "out_tps_client"}
#: the file says no such thing, while the other program left the key out
MAY_BE_MORE_THAN_GOLDEN = {"n_failed"}


def _expected(entry: dict) -> dict:
    if entry["tool"] == "aiperf":
        columns = SHARED | {"recorded_output_tok_per_s": "recorded_out"} | (USAGE if entry["out_tok_usage"] is not None else CLIENT)
    else:
        columns = BY_TOOL[entry["tool"]]
    return {column: entry[key] for column, key in columns.items() if key in entry}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_sample_imports_to_the_recomputed_values(name):
    found = importers.benchmarks([SAMPLES / name])
    assert not found.problems
    if "rows" in GOLDEN[name][0]:
        assert len(found.points) == GOLDEN[name][0]["rows"]
        return
    assert len(found.points) == len(GOLDEN[name])
    order = found.points["run"].str.extract(r"(\d+)")[0].astype(float).argsort() if len(found.points) > 1 else [0]
    for (_, point), entry in zip(found.points.iloc[order].iterrows(), GOLDEN[name], strict=True):
        assert point["tool"] == entry["tool"]
        for column, value in _expected(entry).items():
            if value is None:
                assert column in MAY_BE_MORE_THAN_GOLDEN or pd.isna(point[column]), column
            elif isinstance(value, str):
                assert point[column] == value
            else:
                assert point[column] == pytest.approx(value, rel=2e-6, abs=1e-6), column


def test_rates_are_successful_tokens_over_duration_over_gpus():
    """The identity that everything rests on, for every sample and for 4 GPUs."""
    points = importers.benchmarks([SAMPLES / name for name in GOLDEN], n_gpus=4).points
    counted = points[points.duration_s.notna() & points.output_tok.notna() & (points.n_gpus == 4)]
    assert len(counted) > 60
    rate = counted.output_tok / counted.duration_s / 4
    assert counted.output_tok_per_s_per_gpu.tolist() == pytest.approx(rate.tolist(), rel=1e-12)
    total = (counted.input_tok + counted.output_tok) / counted.duration_s / 4
    known = total.notna()
    assert counted.total_tok_per_s_per_gpu[known].tolist() == pytest.approx(total[known].tolist(), rel=1e-12)


def test_a_printed_rate_that_is_off_is_said_and_kept():
    """GuideLLM 0.5.4 at 16 streams printed 1,439 tokens/s for 768 tokens in 0.599 s (1,282 tokens/s)."""
    points = importers.benchmarks([SAMPLES / "guidellm-0.5.4/benchmarks.json.gz"]).points
    point = points[points.concurrency == 16].iloc[0]
    assert point.output_tok_per_s == pytest.approx(768 / 0.598936, rel=1e-5)
    assert point.recorded_output_tok_per_s == pytest.approx(1439.24, abs=0.01)
    assert point.recorded_differs_frac == pytest.approx(0.1224, abs=0.0001)
    assert "+12.2% from successful tokens / duration" in point.notes
    off = points.recorded_differs_frac.abs() > 0.02
    assert (points.notes.str.contains("the tool printed", na=False) == off).all()
