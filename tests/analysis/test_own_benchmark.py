"""Your own files beside public runs: nothing guessed, everything accounted for, nothing priced beyond what was measured."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tokcost import evidence
from tokcost.analysis.benchmark_comparison import compare_with_public, differences, is_same_model, price_of_hour
from tokcost.analysis.metric_rankings import COST
from tokcost.analysis.own_benchmark import known_and_missing, own_benchmark
from tokcost.errors import InputError
from tokcost.quantities import QuantityError

SAMPLES = Path(__file__).parents[1] / "samples"
EXAMPLE = "data/benchmark_example"
LIST = {"price_basis": "rental_3yr", "rate_vintage": "2026-09"}


@pytest.fixture(scope="module")
def public():
    return evidence.measured(model="dsr1", isl=1024, osl=1024)


def priced(own, public, speed=100.0, **basis):
    basis = LIST | basis
    rate = price_of_hour(own.label("accelerator"), rate_usd_per_gpu_h=2.5, **basis)
    return compare_with_public(own, public, rate=rate, tok_per_s_per_user=speed, **basis)


def test_every_point_is_in_use_or_set_aside_with_its_reason():
    own = own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200")
    assert (len(own.points), own.n_set_aside, own.n_read) == (3, 2, 5)
    reasons = own.excluded_runs.set_index("source_file")["reason"]
    assert reasons["failed/serve_all_failed.json"] == "no request succeeded, so it has no throughput"
    assert "truncated" in reasons["failed/serve_cut_off.json"]
    assert reasons["single_requests/serve_errors30.json"].startswith("another workload: model tiny-llama")


def test_what_is_left_out_is_listed_once_with_its_reason(tmp_path):
    """Three notes, one broken result and the results themselves: nothing twice or never."""
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / name).write_text("a note")
    (tmp_path / "cut.json").write_text("{")
    shutil.copy(SAMPLES.parents[1] / EXAMPLE / "sweep/benchmarks.json.gz", tmp_path)
    own = own_benchmark(str(tmp_path), stated_gpus=8)
    assert own.excluded_runs["source_file"].tolist() == ["cut.json", "a.md", "b.md", "c.md"]
    assert own.excluded_runs["reason"].nunique() == 2


def test_a_token_costs_what_the_hour_costs_over_what_it_delivered(public):
    """By hand: the point at concurrency 4, 30 requests of 138 + 32 tokens, over its duration and 8 GPUs, at 2.90 an hour."""
    own = own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200")
    point = own.points[own.points["concurrency"] == 4].iloc[0]
    tokens_per_gpu_hour = 30 * (138 + 32) / point["duration_s"] / 8 * 3600
    found = priced(own, public, speed=float(point["tok_per_s_per_user"]))
    assert found.own[COST] == pytest.approx(2.9 / tokens_per_gpu_hour * 1e6)


def test_without_a_gpu_count_there_is_no_cost_and_it_says_so(public):
    own = own_benchmark(EXAMPLE, accelerator="h200")
    found = priced(own, public)
    assert own.points["total_tok_per_s_per_gpu"].isna().all()
    assert found.missing == "neither the files nor you say on how many GPUs they ran"
    assert pd.isna(found.own[COST]) and found.own["status"] == "not priced"
    known = known_and_missing(own, stated_gpus=0, accelerator="h200", rate=2.5).set_index("what")
    assert known.loc["GPUs of the deployment", ["value", "said_by"]].tolist() == ["missing", "nobody"]
    assert "state their number" in known.loc["GPUs of the deployment", "without_it"]


def test_without_an_accelerator_the_cheapest_public_system_stands_beside(public):
    own = own_benchmark(EXAMPLE, stated_gpus=8)
    found = priced(own, public)
    assert found.missing == "neither the files nor you say which accelerator"
    assert found.rival == found.at_speed["system"].iloc[0]


def test_a_gpu_count_in_the_file_is_taken_and_named_as_the_files():
    own = own_benchmark("tests/samples/inferencex/agg_single_node.json")
    known = known_and_missing(own, stated_gpus=0, accelerator="not stated", rate=None).set_index("what")
    assert known.loc["GPUs of the deployment", ["value", "said_by"]].tolist() == ["8", "your files"]


def test_beyond_the_measured_speeds_nothing_is_priced(public):
    own = own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200")
    fastest = own.front.reach[1]
    assert priced(own, public, speed=fastest).own[COST] > 0
    beyond = priced(own, public, speed=fastest * 1.001)
    assert pd.isna(beyond.own[COST]) and beyond.own["status"] == "not reached"
    assert tuple(beyond.own[["reach_from_tok_per_s_per_user", "reach_to_tok_per_s_per_user"]]) == own.front.reach


def test_a_price_of_your_own_prices_public_runs_on_your_accelerator_only(public):
    own = own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200")
    found = priced(own, public, price_basis="own")
    assert sorted(found.systems["system"]) == ["H200 public", "your files"]
    assert set(found.systems["rate_usd_per_gpu_h"]) == {2.5}


def test_twice_the_gpus_is_twice_the_cost(public):
    costs = [priced(own_benchmark(EXAMPLE, stated_gpus=n, accelerator="h200"), public).own[COST] for n in (4, 8)]
    assert costs[1] == pytest.approx(2 * costs[0])


def test_served_in_time_counts_failures_and_both_limits():
    own = own_benchmark(EXAMPLE, stated_gpus=8)
    loose = own.goodput(ttft_limit_s=60, tpot_limit_s=1).set_index("source_file")
    assert loose.loc["single_requests/serve_errors30.json", ["n_requests", "n_good"]].tolist() == [32, 25]
    assert loose.loc["failed/serve_all_failed.json", "n_good"] == 0
    strict = own.goodput(ttft_limit_s=0.01, tpot_limit_s=1)
    assert strict["n_good"].sum() < 25


def test_files_without_single_requests_give_no_goodput():
    own = own_benchmark("tests/samples/guidellm-0.8.1/concurrent", stated_gpus=1)
    assert own.goodput(ttft_limit_s=1, tpot_limit_s=1).empty


def test_logs_beside_a_summary_are_found():
    own = own_benchmark("tests/samples/aiperf-0.3.0", stated_gpus=1)
    assert own.goodput(ttft_limit_s=60, tpot_limit_s=1)["source_file"].tolist() == ["c4/profile_export.jsonl.gz"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nowhere/at/all", "there is no such file or folder in the folder of this project; give the whole path"),
        ("/nowhere/at/all", "'/nowhere/at/all': there is no such file or folder$"),
        (" ", "there is no such file or folder"),
        ("data/hourly_rates.csv", "holds no benchmark result that can be read: hourly_rates.csv: this is not a result"),
        ("tests/samples/_malformed/vllm_truncated.json", "it is truncated; copy the file again"),
        ("tests/samples/_malformed/vllm_empty.json", "the file is empty"),
        ("tests/samples/vllm-0.32.0/bench_serve/serve_all_failed.json", "not one request succeeded"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(path, says):
    with pytest.raises((InputError, QuantityError), match=says):
        own_benchmark(path, stated_gpus=1)


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(QuantityError, match="there is no file in it"):
        own_benchmark(str(tmp_path))


def test_points_of_another_length_or_model_do_not_enter_the_curve(tmp_path):
    original = json.loads((SAMPLES / "vllm-0.32.0/bench_serve/serve_c4.json").read_text())
    for name, change in (("a", {}), ("b", {"duration": 9.0, "max_concurrency": 8}), ("c", {"model_id": "another", "duration": 3.0})):
        (tmp_path / f"{name}.json").write_text(json.dumps(original | change))
    own = own_benchmark(str(tmp_path), stated_gpus=1)
    assert own.label("model") == "tiny-llama" and len(own.points) == 2
    assert own.excluded_runs["reason"].str.contains("model another").sum() == 1


def test_a_ratio_is_only_between_runs_of_one_model():
    """Tokens of two models are not one unit; an alias of the user's own proves nothing."""
    assert is_same_model("openai/gpt-oss-120b", "gptoss120b")
    assert not is_same_model("openai/gpt-oss-20b", "gptoss120b")
    assert not is_same_model("my-model", "dsr1")


def test_a_ratio_needs_the_lengths_of_the_public_runs_as_well_as_their_model():
    public = {"model": "dsr1", "isl": 1024, "osl": 1024}
    own = own_benchmark("data/benchmark_example", stated_gpus=1, accelerator="h200")
    assert "the model tiny-llama, the public runs DeepSeek-R1; your requests have 138/32 tokens" in differences(own, **public)
    named = own.points.assign(model="deepseek-ai/DeepSeek-R1-0528")
    assert differences(replace(own, points=named), **public).startswith("your requests have 138/32 tokens, the public runs 1024/1024")
    assert differences(replace(own, points=named.assign(isl=1060.0, osl=1000.0)), **public) == ""
    assert "do not state their lengths" in differences(replace(own, points=named.assign(isl=float("nan"))), **public)


def same_job(own):
    """The points of the example as if they were of the model and the lengths of the public runs."""
    return replace(own, points=own.points.assign(model="deepseek-ai/DeepSeek-R1-0528", isl=1024.0, osl=1024.0))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model": "tiny-llama"}, "your files name the model tiny-llama, the public runs DeepSeek-R1"),
        ({"osl": 128.0}, "your requests have 1024/128 tokens, the public runs 1024/1024"),
        (
            {"cached_input_tok": 900.0, "input_tok": 1000.0},
            "your server read 90% of the prompt tokens from its cache, the public runs none",
        ),
    ],
)
def test_another_job_stays_out_of_the_ranking_and_off_the_public_curves_and_says_why(public, change, why):
    own = same_job(own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200"))
    alike, other = priced(own, public), priced(replace(own, points=own.points.assign(**change)), public)
    assert "your files" in set(alike.at_speed["system"]) and {"your files", "H200 public"} <= set(alike.curves["series"])
    assert "your files" not in set(other.at_speed["system"]) and len(other.at_speed) == len(alike.at_speed) - 1
    assert other.differs == why and other.status == "not comparable"
    assert set(other.curves["series"]) == set(other.points["series"]) == {"your files"}
    assert other.own[COST] == alike.own[COST]  # it keeps a cost of its own


def test_a_few_cached_prompts_are_the_same_job_and_what_is_not_said_is_listed_as_missing(public):
    own = same_job(own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200"))
    few = replace(own, points=own.points.assign(cached_input_tok=30.0, input_tok=1000.0))
    assert priced(few, public).differs == ""
    known = [known_and_missing(one, stated_gpus=8, accelerator="h200", rate=2.5).set_index("what")["value"] for one in (own, few)]
    assert [one["Prompt tokens from the cache"] for one in known] == ["missing", "3%"]


def test_a_cost_is_that_of_a_measured_run_at_least_as_fast_on_both_sides(public):
    own = own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200")
    found = priced(own, public)
    runs = public[(public["accelerator"] == "h200") & (public["tok_per_s_per_user"] >= 100)]
    points = own.points[own.points["tok_per_s_per_user"] >= 100]
    for row, rows in ((found.public, runs), (found.own, points)):
        assert row[COST] == pytest.approx(2.9 / rows["total_tok_per_s_per_gpu"].max() / 3600 * 1e6)
    assert found.headline.value == pytest.approx(found.own[COST]) and found.headline.low < found.own[COST] < found.headline.high


def test_the_shipped_example_is_known_wherever_it_is_named_from():
    folder = str(SAMPLES.parents[1] / EXAMPLE)
    assert all(own_benchmark(path).is_example for path in (EXAMPLE, f"{EXAMPLE}/sweep", folder, f"{folder}/../benchmark_example"))
    assert not own_benchmark("tests/samples/guidellm-0.8.1/concurrent").is_example


def test_two_costs_are_compared_only_where_the_tokens_are_one_good(public):
    own = own_benchmark(EXAMPLE, stated_gpus=8, accelerator="h200")
    assert priced(own, public).status == "not comparable" and pd.isna(priced(own, public).cost_ratio)
    same = same_job(own)
    found = priced(same, public)
    assert found.status == "cheaper" and found.cost_ratio == pytest.approx(found.public[COST] / found.own[COST]) and found.cost_ratio > 1
    expensive = replace(same, points=same.points.assign(total_tok_per_s_per_gpu=same.points["total_tok_per_s_per_gpu"] / 10))
    assert priced(expensive, public).status == "more expensive"
    assert priced(same, public, speed=1000.0).status == "not reached"
    assert priced(same, public, rate_vintage="2020-01").status == "not priced"
