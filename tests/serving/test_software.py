"""Software over time: dated pairs on the same accelerator, a yearly gain with its spread, short spans left out."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.evidence import measured
from tokcost.quantities import QuantityError
from tokcost.serving.software import annualised_ratio, published_progress, run_progress, versions_at, yearly_gain

API = ["inferencex_api_2026_06", "inferencex_api_history"]


def pairs(*found):
    columns = ["evidence_class", "ratio", "elapsed_yr"]
    return pd.DataFrame([dict(zip(columns, row, strict=True)) for row in found])


def test_a_gain_over_two_years_is_its_root_in_one():
    assert annualised_ratio(ratio=4, elapsed_yr=2) == 2
    assert annualised_ratio(ratio=1.1, elapsed_yr=0.5) == pytest.approx(1.21)


def test_the_yearly_gain_has_its_spread_and_pools_all_gains_over_all_years():
    five = [("a", 1.0, 1.0)] * 2 + [("a", 4.0, 2.0)] + [("a", 3.0, 1.0)] * 2
    found = yearly_gain(pairs(*five, ("a", 9.0, 0.01)), min_elapsed_yr=0.25).iloc[0]
    assert (found["n_pairs"], found["n_too_short"], found["n_slower"]) == (5, 1, 0)
    assert found["median_annualised_ratio"] == pytest.approx(2)
    assert (found["low_annualised_ratio"], found["high_annualised_ratio"]) == pytest.approx((1, 3))
    assert found["pooled_annualised_ratio"] == pytest.approx(36 ** (1 / 6))


def test_only_short_spans_give_no_yearly_gain():
    found = yearly_gain(pairs(("a", 9.0, 0.01)), min_elapsed_yr=0.25).iloc[0]
    assert found["n_pairs"] == 0 and pd.isna(found["median_annualised_ratio"]) and pd.isna(found["pooled_annualised_ratio"])


def test_published_pairs_keep_their_class_of_evidence_apart():
    """First days of a model on a chip and changes of configuration are not the pace of mature software."""
    progress = published_progress()
    # vLLM states 1.38 times the throughput and 1.13 times the interactivity: one pair of throughput, the other is no throughput
    assert progress.query("evidence_class == 'project_statement' and model == 'gpt-oss-120b'")["ratio"].tolist() == [1.38]
    early = progress[progress["evidence_class"] == "first_days"]
    assert len(early) and (early["elapsed_yr"] < 0.1).all() and early["ratio"].max() > 10
    gains = yearly_gain(progress, min_elapsed_yr=0.25).set_index("evidence_class")
    assert gains.loc["first_days", "n_pairs"] == 0
    statements = gains.loc["vendor_statement"]
    assert statements["low_annualised_ratio"] < statements["pooled_annualised_ratio"] < statements["high_annualised_ratio"]


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=9))
def test_a_median_is_of_five_pairs_or_more(gains):
    found = yearly_gain(pairs(*[("a", gain, 1.0) for gain in gains]), min_elapsed_yr=0.25).iloc[0]
    middle = found[["median_annualised_ratio", "p25_annualised_ratio", "p75_annualised_ratio"]]
    assert middle.notna().all() if len(gains) >= 5 else middle.isna().all()


def test_a_run_is_compared_with_itself_only():
    rows = measured(campaign=API)
    progress = run_progress(rows)
    assert len(progress) > 50 and (progress["elapsed_yr"] > 0).all()
    # most repeated runs are close to each other: without new software nothing happens
    assert 0.95 < progress["ratio"].median() < 1.15


def test_two_runs_at_other_concurrency_are_no_pair():
    rows = measured(campaign=API).iloc[[0, 0]].reset_index(drop=True)
    rows["run_date"], rows["total_tok_per_s_per_gpu"] = ["2026-01-01", "2026-07-02"], [100.0, 150.0]
    assert run_progress(rows)["ratio"].tolist() == [1.5]
    rows.loc[1, "concurrency"] *= 2
    assert run_progress(rows).empty


def test_versions_are_read_at_one_interactivity_and_say_where_they_do_not_reach():
    rows = pd.DataFrame(
        {
            "model": "m",
            "accelerator": "h200",
            "isl": 1,
            "osl": 1,
            "image": ["v1", "v1", "v2", "v2", "v3"],
            "run_date": ["2026-01-01"] * 2 + ["2026-03-01"] * 2 + ["2026-05-01"],
            "tok_per_s_per_user": [10, 100, 10, 100, 10],
            "total_tok_per_s_per_gpu": [1000.0, 100.0, 3000.0, 300.0, 5000.0],
        }
    )
    table = versions_at(rows, tok_per_s_per_user=40)
    assert table["image"].tolist() == ["v1", "v2", "v3"]
    assert table["ratio"].tolist()[:2] == pytest.approx([1, 3]) and pd.isna(table["ratio"].iloc[2])


def test_a_span_of_no_time_is_refused():
    with pytest.raises(QuantityError, match="elapsed_yr"):
        annualised_ratio(ratio=1.2, elapsed_yr=0)
