"""What a CSV says is not run by a spreadsheet, and is read back as it was."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.spreadsheet import guarded, read_csv, to_csv, unguarded

RUNS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://a")', "-", "+"]


@pytest.mark.parametrize("text", RUNS)
def test_a_cell_that_would_run_begins_with_an_apostrophe(text):
    assert guarded(text) == f"'{text}" and unguarded(guarded(text)) == text


@pytest.mark.parametrize("value", [-1.5, "-1.5", "+3", "h200", "'tis", "", None, float("nan"), True])
def test_numbers_and_words_stay_as_they_are(value):
    assert guarded(value) is value


@given(st.text())
def test_any_text_is_read_back_as_it_was(text):
    assert unguarded(guarded(text)) == text


def test_a_table_is_read_back_as_it_was():
    table = pd.DataFrame({"model": RUNS, "watts": [-1.5] * len(RUNS)})
    written = to_csv(table, lineterminator="\n")
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert all(row["model"].startswith("'") and float(row["watts"]) == -1.5 for row in rows)
    pd.testing.assert_frame_equal(read_csv(io.StringIO(written)), table)
