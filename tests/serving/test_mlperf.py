"""MLPerf: the published rates per accelerator, round by round, and never beside another benchmark."""

import pandas as pd
import pytest

from tokcost.evidence import load_table
from tokcost.quantities import QuantityError
from tokcost.serving.software import BenchmarkResult, mlperf_best, mlperf_progress, mlperf_results, result_ratio

LLAMA2 = {"model": "llama2-70b-99.9", "scenario": "offline", "division": "closed"}


def test_the_best_offline_rates_per_gpu_are_the_published_ones():
    best = mlperf_best(mlperf_results(**LLAMA2)).set_index("accelerator")["output_tok_per_s_per_gpu"]
    assert best[["h100", "h200", "b200"]].round().tolist() == [3902, 4488, pytest.approx(13072, abs=1)]


@pytest.mark.parametrize(
    ("accelerator", "round_", "n_gpus", "published"),
    [
        ("h100", "v4.1", 8, 24524.9),
        ("h100", "v5.1", 32, 124879),
        ("h200", "v6.0", 8, 32004),
        ("b200", "v5.1", 8, 102909),
        ("gb300", "v6.0", 72, 1126850),
    ],
)
def test_system_rates_of_the_rounds_over_their_accelerators(accelerator, round_, n_gpus, published):
    rows = mlperf_results(**LLAMA2, accelerator=accelerator, round=round_, n_gpus=n_gpus)
    best = rows.loc[rows["output_tok_per_s"].idxmax()]
    assert best["output_tok_per_s"] == pytest.approx(published, rel=1e-6)
    assert best["output_tok_per_s_per_gpu"] == pytest.approx(published / n_gpus, rel=1e-6)


def test_every_row_is_its_system_over_its_accelerators():
    rows = load_table("mlperf_inference")
    assert (rows["output_tok_per_s"] / rows["n_gpus"] / rows["output_tok_per_s_per_gpu"] - 1).abs().max() < 1e-6
    assert rows["locator"].str.contains("summary_results.json#", regex=False).all()


def test_tokens_per_joule_of_measured_systems():
    """Power is measured at the system: 8 x H200 held to less power 4.1 tokens/J, 8 x B200 9.9."""
    rows = mlperf_results(**LLAMA2)
    per_joule = (rows["output_tok_per_s"] / rows["system_power_w"]).groupby(rows["accelerator"]).max()
    assert per_joule["h200"] == pytest.approx(4.1, abs=0.05)
    assert per_joule["b200"] == pytest.approx(9.9, abs=0.05)


def test_best_stands_beside_how_many_and_their_median():
    best = mlperf_best(mlperf_results(**LLAMA2), by=("accelerator", "round")).set_index(["accelerator", "round"])
    known = best["median_output_tok_per_s_per_gpu"].notna()
    assert known[("h200", "v5.1")] and (known == (best["n_results"] >= 5)).all(), "of fewer than five there is no median"
    assert (best["median_output_tok_per_s_per_gpu"] <= best["output_tok_per_s_per_gpu"])[known].all()


def test_other_models_scenarios_and_divisions_are_not_ranked_together():
    with pytest.raises(QuantityError, match="compare within one scenario"):
        mlperf_best(mlperf_results(model="llama2-70b-99.9", division="closed"))


@pytest.mark.parametrize(
    ("accelerator", "model", "workload", "ratio"),
    [
        ("b200", "deepseek-r1", "offline, 8 GPUs", 7322.7 / 4172.4),
        ("b200", "llama3.1-405b", "server, 8 GPUs", 123.0 / 159.9),
        ("gb300", "deepseek-r1", "server, 72 GPUs", 7994.2 / 2907.3),
        ("h200", "mixtral-8x7b", "offline, 8 GPUs", 7763.6 / 7416.9),
    ],
)
def test_round_over_round_by_hand(accelerator, model, workload, ratio):
    progress = mlperf_progress(mlperf_results())
    pair = progress[(progress["accelerator"] == accelerator) & (progress["model"] == model) & (progress["workload"] == workload)]
    assert pair["ratio"].tolist() == [pytest.approx(ratio, rel=1e-3)]


def test_the_same_submitter_is_compared_with_itself():
    progress = mlperf_progress(mlperf_results(), is_same_submitter=True)
    submitters = [progress[f"{end}_version"].str.extract(r"\((.*)\)")[0] for end in ("from", "to")]
    assert len(progress) > 40
    pd.testing.assert_series_equal(*submitters)


def test_a_ratio_across_benchmarks_is_refused_with_the_reason():
    mlperf = BenchmarkResult("MLPerf", "llama2-70b-99.9", "closed, offline", 13071.5)
    inferencex = BenchmarkResult("InferenceX", "llama70b", "1024/1024", 9000.0)
    for pair in ((mlperf, inferencex), (inferencex, mlperf)):
        with pytest.raises(QuantityError, match="output tokens.*compare each only with its own kind"):
            result_ratio(*pair)


def test_within_a_benchmark_models_and_rules_must_agree():
    first = BenchmarkResult("MLPerf", "llama2-70b-99.9", "closed, offline", 13071.5)
    assert result_ratio(first, BenchmarkResult("MLPerf", "llama2-70b-99.9", "closed, offline", 3902.469)) == pytest.approx(3.35, abs=0.01)
    with pytest.raises(QuantityError, match="rules .*closed, offline and closed, server.*like with like"):
        result_ratio(first, BenchmarkResult("MLPerf", "llama2-70b-99.9", "closed, server", 4000.0))
    with pytest.raises(QuantityError, match="no known benchmark"):
        BenchmarkResult("MLPref", "m", "r", 1.0)


def test_an_mlperf_column_cannot_enter_a_formula_of_total_tokens():
    from tokcost.formulas import total_token_cost_usd_per_mtok

    rates = mlperf_results(**LLAMA2)["output_tok_per_s_per_gpu"]
    with pytest.raises(QuantityError, match="token class is total in one, output in the other"):
        total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=2.0, total_tok_per_s_per_gpu=rates)
