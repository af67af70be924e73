"""Numbers as people write them: one number of digits a column, shares as per cent, a unit once."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import quantities
from tokcost.show import draw, numbers, tables
from tokcost.show.figure import drawing

measured = st.lists(st.floats(1e-4, 1e7), min_size=1, max_size=8)


@given(measured, st.integers(2, 5))
def test_a_column_has_one_number_of_digits_and_each_number_is_true_to_them(digits_of, values, digits):
    texts = numbers.alike(values, digits)
    for text, value in zip(texts, values, strict=True):
        assert float(text.replace(",", "")) == pytest.approx(value, rel=0.5 * 10 ** (1 - digits) * 1.0000001)
    if not all(value.is_integer() for value in values):
        common = set.intersection(*map(digits_of, texts))
        assert common and min(common) <= digits


@given(st.lists(st.floats(0.0001, 1 - 1e-9) | st.just(1.0), min_size=1, max_size=8))
def test_a_column_of_shares_is_all_in_per_cent_and_none_short_of_all_reads_as_all(digits_of, shares):
    texts = numbers.percents(shares)
    assert all(text.endswith("%") for text in texts)
    assert [share == 1 for share in shares] == [float(text.rstrip("%")) == 100 for text in texts]
    assert set.intersection(*(digits_of(text.rstrip("%")) for text in texts)) or all(text.rstrip("%").isdigit() for text in texts)


def test_digits_that_no_number_needs_are_not_written():
    assert numbers.alike([1.73, 1.37], 4) == ["1.73", "1.37"]
    assert numbers.alike([0.1 + 0.2, 0.5]) == ["0.3", "0.5"]


def test_a_table_of_several_quantities_has_one_number_of_digits_in_a_row():
    frame = pd.DataFrame({"input": ["a", "b", "c"], "low": [0.0015, 3.0, 2.0], "high": [0.125, 5.5, 8.0]})
    rows = tables.table(frame, "Inputs", rows_are=["spares_frac", "economic_life_yr", "n_gpus"]).rows
    assert rows == [["a", "0.150%", "12.5%"], ["b", "3.0", "5.5"], ["c", "2", "8"]]


def test_rungs_that_name_the_rows_stand_as_they_are():
    frame = pd.DataFrame({"service_level_frac": [0.5, 0.99, 0.999], "in_time_frac": [0.5, 0.987, 1.0]})
    assert tables.table(frame, "Levels").rows == [["50%", "50.0%"], ["99%", "98.7%"], ["99.9%", "100%"]]


@pytest.mark.parametrize("name", quantities.QUANTITIES)
def test_an_axis_says_its_unit_once_in_one_bracket(name):
    text = numbers.label_with_unit(name)
    assert text.count("(") <= 1
    label, unit = numbers.label_and_unit(name)
    per = re.split(r" per |/(?!s\b)", unit)[1:]
    assert not [word for word in per if re.search(rf"\b{word}\b", label.replace("megawatt", "MW"))]


def test_an_axis_of_shares_counts_in_per_cent_and_no_other():
    with drawing(height=2) as (fig, ax):
        draw.shares_in_percent(ax.xaxis, "utilization_frac")
        draw.shares_in_percent(ax.yaxis, "rate_usd_per_gpu_h")
        assert ax.xaxis.get_major_formatter()(0.2, 0) == "20%"
        assert "%" not in ax.yaxis.get_major_formatter()(0.2, 0)
