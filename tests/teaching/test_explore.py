"""Sliders over a formula: the value that meets a target, lines to copy, and a table with a figure where nothing can be moved."""

import pytest

import tokcost as tc
from tokcost.parameters.declaration import parse_cell
from tokcost.show.rows import ASKED, STILL

GIVEN = {"rate_usd_per_gpu_h": (0.5, 6), "total_tok_per_s_per_gpu": (50, 20000)}


@pytest.fixture
def seen():
    return tc.explore(tc.total_token_cost_usd_per_mtok, target=0.30, **GIVEN)


def test_the_value_that_meets_the_target_gives_it(seen):
    met = seen.meets("total_tok_per_s_per_gpu")
    assert seen.value(total_tok_per_s_per_gpu=met) == pytest.approx(0.30)
    by_hand = tc.total_tok_per_s_per_gpu(rate_usd_per_gpu_h=seen.values["rate_usd_per_gpu_h"], total_token_cost_usd_per_mtok=0.30)
    assert met == pytest.approx(by_hand)


def test_a_target_that_no_value_in_the_range_meets_is_said_and_not_clamped():
    seen = tc.explore(tc.total_token_cost_usd_per_mtok, rate_usd_per_gpu_h=(0.5, 6), total_tok_per_s_per_gpu=90.0, target=0.30)
    assert seen.meets() is None and "not in this range" in seen.table().text() and "nowhere" in seen.figure().alt


def test_the_lines_to_copy_are_a_parameter_cell(seen):
    parameters = {p.name: p for p in parse_cell(seen.parameters())}
    assert parameters["total_tok_per_s_per_gpu"].default == 1000 and parameters["rate_usd_per_gpu_h"].high == 6


def test_moving_a_slider_moves_figure_and_lines(seen):
    pytest.importorskip("ipywidgets")
    from tokcost.teaching.sliders import panel

    rate, throughput, picture, _, cell = panel(seen).children
    assert (rate.min, rate.max, throughput.description) == (0.5, 6, "Throughput (input + output tokens)")
    before = picture.value
    rate.value = 3.0
    assert picture.value != before and "$0.833 now" in picture.value and "rate_usd_per_gpu_h: float = 3 " in cell.value


def test_in_a_report_it_is_a_table_and_one_figure_and_no_widget(seen, monkeypatch):
    monkeypatch.setenv(ASKED, "1")
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *objects: shown.extend(objects))
    seen._ipython_display_()
    assert [type(one).__name__ for one in shown] == ["Table", "Figure"]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"rate": (1, 2)}, "takes no `rate`; did you mean `rate_usd_per_gpu_h`"),
        ({"rate_usd_per_gpu_h": (6, 1)}, "a range is \\(low, high\\), the lower end first"),
        ({"rate_usd_per_gpu_h": (0.5, 1e9)}, "must be in \\[0.01, 200\\]"),
        ({"rate_usd_per_gpu_h": 1.0, "total_tok_per_s_per_gpu": 90.0}, "nothing to move: give at least one input as a range"),
    ],
)
def test_what_cannot_be_explored_is_refused(inputs, says):
    with pytest.raises(ValueError, match=says):
        tc.explore(tc.total_token_cost_usd_per_mtok, **inputs)


def test_whoever_shows_no_widgets_shows_the_table_and_the_figure_instead(seen, monkeypatch):
    pytest.importorskip("ipywidgets")
    for name in (ASKED, STILL):
        monkeypatch.delenv(name, raising=False)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    seen._ipython_display_()
    (bundle,) = shown
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert "<table" in bundle["text/html"] and "<svg" in bundle["text/html"] and "VBox" not in bundle["text/plain"]
