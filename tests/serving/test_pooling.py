"""One pool: every run of every campaign counts, once, unless a figure needs what it does not state, and then it is counted."""

import pandas as pd
import pytest

from tokcost.paths import DATA
from tokcost.quantities import QuantityError
from tokcost.serving.pooling import pool

RUNS = pd.read_csv(DATA / "inference.csv")
QUESTION = {"model": "dsr1", "isl": 1024, "osl": 1024}
ASKED = RUNS[(RUNS["model"] == "dsr1") & (RUNS["isl"] == 1024) & (RUNS["osl"] == 1024)]


@pytest.mark.parametrize("accelerator", sorted(ASKED["accelerator"].unique()))
def test_no_campaign_holds_a_run_that_beats_the_pool(accelerator):
    rows = pool(**QUESTION, accelerator=accelerator).rows
    own = ASKED[ASKED["accelerator"] == accelerator]
    assert set(rows["campaign"]) <= set(own["campaign"])
    for speed in (20, 35, 50, 75, 100):
        best, pooled = (each[each["tok_per_s_per_user"] >= speed]["total_tok_per_s_per_gpu"].max() for each in (own, rows))
        assert pooled == pytest.approx(best, rel=1e-5, nan_ok=True)


def test_a_measurement_in_two_campaigns_counts_once_by_the_row_that_states_more():
    """The GB300 run of 11,997 tokens/s per GPU stands in two campaigns; one of them says when its answers start."""
    rows = pool(**QUESTION, accelerator="gb300").rows
    same = rows[(rows["total_tok_per_s_per_gpu"] / 11997.3 - 1).abs() < 1e-5]
    assert same["campaign"].tolist() == ["inferencex_api_2026_06"] and same["median_ttft_s"].notna().all()


def test_repeat_measurements_of_one_campaign_all_count():
    """A configuration that one campaign measured several times was measured several times."""
    rows = pool(**QUESTION).rows
    own = ASKED[ASKED["campaign"] == "inferencex_runs_2025_12"]
    assert len(rows[rows["campaign"] == "inferencex_runs_2025_12"]) == len(own)


@pytest.mark.parametrize("needs", [("median_ttft_s",), ("n_gpus",), ("median_ttft_s", "n_gpus")])
def test_what_a_figure_needs_splits_the_pool_and_nothing_is_lost(needs):
    whole, split = pool(**QUESTION), pool(**QUESTION, needs=needs)
    assert split.rows[list(needs)].notna().all(axis=None)
    assert split.excluded[list(needs)].isna().any(axis=1).all() and len(split.excluded)
    pd.testing.assert_frame_equal(split.without_needs, whole.rows)


def test_every_campaign_says_how_far_it_compares():
    table = pool(**QUESTION, needs=["median_ttft_s"]).campaigns().set_index("campaign")
    assert table["comparability_note"].str.contains("no prefix cache").all()
    assert table.loc["inferencex_dsr1_2026_04", "n_runs"] == 0 and table.loc["inferencex_dsr1_2026_04", "n_excluded"] > 0


def test_a_need_that_no_run_can_meet_says_so():
    with pytest.raises(QuantityError, match="no column `median_tft_s`; did you mean `median_ttft_s`"):
        pool(**QUESTION, needs=["median_tft_s"])
    with pytest.raises(QuantityError, match="none of .* states tensor_parallel"):
        pool(**QUESTION, accelerator="h100", needs=["tensor_parallel", "n_prefill_gpus"])
    with pytest.raises(QuantityError, match="did you mean `gb300`"):
        pool(**QUESTION, accelerator="gb30")
