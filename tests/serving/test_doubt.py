"""A headline's range holds every doubt that is in the dataset, and no more than all of them at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import evidence
from tokcost.quantities import QuantityError
from tokcost.serving import frontier, range_of, run_doubts
from tokcost.serving.doubt import REPEAT_RUNS_RATIO, SAME_SPEED_FRAC

FACTORS = st.lists(st.floats(0.1, 10), min_size=1, max_size=3)


@given(value=st.floats(0.01, 1000), factors=st.dictionaries(st.sampled_from("abcd"), FACTORS, min_size=1))
def test_a_range_holds_each_doubt_and_is_no_wider_than_all_at_once(value, factors):
    known = range_of(value, {what: [value * one for one in some] for what, some in factors.items()})
    lows, highs = ([end(1, *some) for some in factors.values()] for end in (min, max))
    assert np.prod(lows) * (1 - 1e-9) <= known.low / value <= min(lows) * (1 + 1e-9)
    assert max(highs) * (1 - 1e-9) <= known.high / value <= np.prod(highs) * (1 + 1e-9)


@given(first=FACTORS, second=FACTORS, third=FACTORS)
def test_a_doubt_can_be_added_to_a_range(first, second, third):
    """So that a report may add one of its own to those of the dataset."""
    at_once = range_of(1.0, {"a": first, "b": second, "c": third})
    two = range_of(1.0, {"a": first, "b": second})
    assert range_of(1.0, {"two": [two.low, two.high], "c": third})[:2] == pytest.approx(at_once[:2])


def test_a_doubt_that_moves_nothing_is_not_named():
    assert range_of(2.0, {"price lists": [2.0, np.nan], "repeat runs": [1.9, 2.1]}).made_of == "repeat runs"
    assert range_of(2.0, {"price lists": [2.0]}) == (2.0, 2.0, "")


def test_what_was_not_reached_has_no_range():
    assert all(np.isnan(end) for end in range_of(np.nan, {"repeat runs": [1.0]})[:2])


@pytest.mark.parametrize("figures", [(0.0, [1.0]), (1.0, [-1.0])])
def test_a_figure_that_is_not_above_zero_is_refused(figures):
    with pytest.raises(QuantityError, match="needs figures above 0"):
        range_of(figures[0], {"x": figures[1]})


def curve(accelerator: str, speeds: list[float], throughput: list[float]):
    rows = {"model": "m", "accelerator": accelerator, "isl": 1, "osl": 1, "tok_per_s_per_user": speeds}
    return frontier(pd.DataFrame(rows | {"total_tok_per_s_per_gpu": throughput}))


def test_between_runs_a_system_may_do_as_well_as_its_next_slower_run_and_no_worse_than_the_run():
    old, new = curve("h200", [40, 80], [900.0, 300.0]), curve("gb300", [60, 70.5], [9000.0, 6000.0])
    assert run_doubts(under=old, tok_per_s_per_user=70)["the next slower runs"] == [pytest.approx(1 / 3)]
    assert run_doubts(over=new, under=old, tok_per_s_per_user=65)["the next slower runs"] == pytest.approx([1 / 3, 1.5])
    assert run_doubts(under=new, tok_per_s_per_user=70)["the next slower runs"] == [1.0], "within a hundredth of the speed of a run"
    assert run_doubts(under=old, tok_per_s_per_user=30)["the next slower runs"] == [1.0], "no run is slower"
    assert np.isnan(run_doubts(under=old, tok_per_s_per_user=90)["the next slower runs"]).all()


def test_two_runs_are_less_well_repeated_than_one():
    old = curve("h200", [40.0], [900.0])
    one, two = (run_doubts(over=over, under=old, tok_per_s_per_user=40)["repeat runs"][0] for over in (None, old))
    assert one == pytest.approx(1 / REPEAT_RUNS_RATIO) and np.log(two) == pytest.approx(np.log(one) * 2**0.5)


def test_repeats_in_the_dataset_lie_as_far_apart_as_is_said():
    """The same configuration on the same GPUs in the same image: nine of ten within the ratio, their speeds within the share."""
    runs = evidence.load_table("inference")
    runs = runs[(runs["image"] != "") & runs["n_gpus"].notna()].drop_duplicates(["total_tok_per_s_per_gpu", "tok_per_s_per_user"])
    labels = ["model", "accelerator", "isl", "osl", "precision", "framework", "speculative", "deployment", "concurrency", "image"]
    labels += [name for name in runs if name.startswith("n_") or name.endswith("_parallel")]
    again = runs.groupby(labels, dropna=False).filter(lambda group: len(group) > 1).groupby(labels, dropna=False)
    throughput, speed = (again[name].max() / again[name].min() for name in ("total_tok_per_s_per_gpu", "tok_per_s_per_user"))
    assert 0.85 < (throughput <= REPEAT_RUNS_RATIO).mean() < 0.95
    assert 0.5 * SAME_SPEED_FRAC < speed.median() - 1 < 2 * SAME_SPEED_FRAC
