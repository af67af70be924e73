"""Memory bandwidth predicts a throughput ratio better than peak arithmetic does, on the measured rows."""

import pandas as pd
import pytest

from tokcost import evidence
from tokcost.quantities import QuantityError
from tokcost.serving.datasheet_prediction import EQUAL, matched_pairs


@pytest.fixture(scope="module")
def pairs():
    return matched_pairs(evidence.measured())


def two(**changes):
    base = {"model": "m", "precision": "fp8", "isl": 1024, "osl": 1024, "framework": "f", "speculative": "none", "deployment": "aggregated"}
    base |= {"n_gpus": 8, "tensor_parallel": 8, "expert_parallel": 1, "concurrency": 16}
    rows = pd.DataFrame({**base, "accelerator": ["h200", "b200"], "output_tok_per_s_per_gpu": [100.0, 150.0]})
    return rows.assign(**changes)


def test_a_worked_pair():
    """B200 over H200: 1.5 measured; 4,500 / 1,979 rated FP8; 8,000 / 4,800 GB/s rated bandwidth."""
    pair = matched_pairs(two()).iloc[0]
    assert (pair["slower"], pair["faster"], pair["throughput_ratio"]) == ("h200", "b200", 1.5)
    assert pair["peak_flop_ratio"] == pytest.approx(4500 / 1979, rel=0.01)
    assert pair["bandwidth_ratio"] == pytest.approx(8000 / 4800, rel=0.05)


@pytest.mark.parametrize("column", [name for name in EQUAL if name not in ("deployment", "precision")])
def test_what_was_not_measured_alike_makes_no_pair(column):
    assert matched_pairs(two(**{column: [1, 2]})).empty


@pytest.mark.parametrize("changes", [{"deployment": "disaggregated"}, {"n_gpus": None}, {"output_tok_per_s_per_gpu": [100.0, None]}])
def test_rows_that_cannot_be_matched_make_no_pair(changes):
    assert matched_pairs(two(**changes)).empty


def test_a_chip_without_the_arithmetic_has_no_prediction_from_it():
    pair = matched_pairs(two(precision="fp4")).iloc[0]
    assert pd.isna(pair["peak_flop_ratio"]) and pair["bandwidth_ratio"] > 1


def test_the_slower_one_first_whatever_the_data_sheet_says():
    pair = matched_pairs(two(output_tok_per_s_per_gpu=[150.0, 100.0])).iloc[0]
    assert pair["throughput_ratio"] == 1.5 and pair["peak_flop_ratio"] < 1 and pair["bandwidth_ratio"] < 1


def test_missing_columns_are_named():
    with pytest.raises(QuantityError, match="no column `tensor_parallel`"):
        matched_pairs(two().drop(columns="tensor_parallel"))


def test_bandwidth_beats_peak_arithmetic_on_all_measured_pairs(pairs):
    rated = pairs[["peak_flop_ratio", "bandwidth_ratio"]]
    peak, bandwidth = (rated.div(pairs["throughput_ratio"], axis=0) - 1).abs().median()
    assert 0.2 < bandwidth < 0.3 < 0.35 < peak < 0.6
    wrong_peak, wrong_bandwidth = (rated < 1).sum() / rated.count()
    assert wrong_bandwidth < wrong_peak < 0.2


def test_bandwidth_beats_peak_arithmetic_on_the_same_pairs_too(pairs):
    rated = pairs.dropna(subset=["peak_flop_ratio"]).set_index("throughput_ratio")[["peak_flop_ratio", "bandwidth_ratio"]]
    peak, bandwidth = (rated.div(rated.index, axis=0) - 1).abs().median()
    assert bandwidth < peak


def test_from_hopper_to_blackwell_peak_arithmetic_promises_far_too_much(pairs):
    step = pairs[pairs["slower"].isin(["h100", "h200"]) & (pairs["faster"] == "b200") & (pairs["precision"] == "fp8")]
    assert len(step) > 200
    assert step["peak_flop_ratio"].median() > 1.5 * step["throughput_ratio"].median()
