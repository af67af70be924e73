"""The rows behind what is shown: given back with every digit, and handed over only where a report asks for them."""

import pandas as pd
import pytest

import tokcost as tc
from tokcost.show.rows import ASKED

FRAME = pd.DataFrame({"label": ["a", "b"], "cost_usd": [1 / 3, 2.0], "series": "s"})


def test_a_table_gives_its_frame_back():
    pd.testing.assert_frame_equal(tc.table(FRAME, "Costs").frame, FRAME)


def test_rows_go_along_only_where_a_report_asks(monkeypatch):
    shown = [tc.table(FRAME, "Costs"), tc.plot_bars(FRAME, value="cost_usd", alt="b costs six times as much.")]
    assert not any("text/csv" in each._repr_mimebundle_() for each in shown)
    monkeypatch.setenv(ASKED, "1")
    rows = "label,cost_usd,series\na,{},s\nb,2,s\n"
    assert [each._repr_mimebundle_()["text/csv"] for each in shown] == [rows.format("0.3333333333"), rows.format("0.333333")]


def test_a_figure_of_curves_and_runs_says_which_row_is_which():
    curve = pd.DataFrame({"tok_per_s_per_user": [10.0, 20.0], "ratio": [1.0, 2.0], "series": "s", "note": "not drawn"})
    figure = tc.plot_curves(curve, x="tok_per_s_per_user", y="ratio", by="series", points=curve.head(1), alt="It doubles.")
    assert figure.frame is not None
    assert figure.frame.index.tolist() == ["frame", "frame", "points"]
    assert figure.frame.columns.tolist() == ["series", "tok_per_s_per_user", "ratio"]


@pytest.mark.parametrize("word", ["TTFT", "ttft", "time to first token", "Utilization", "wacc_frac"])
def test_a_term_is_found_by_any_of_its_forms(word):
    assert tc.glossary(word).definition.endswith(".")
