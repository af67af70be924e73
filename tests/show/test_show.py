"""What notebooks say and show: rounded, labelled, readable by machines too, honest about what is missing."""

import contextlib
import math
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.quantities import QuantityError
from tokcost.show import charts, draw, figure, iceberg, inputs_answer, labels, numbers, sentences, style, tables
from tokcost.show.figure import drawing, finish


@given(st.floats(1e-4, 1e9), st.integers(2, 6))
def test_a_shown_number_is_within_half_a_unit_of_its_last_digit(value, digits):
    shown = float(numbers.num(value, digits).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.5 * 10 ** (1 - digits) * 1.0000001)


@given(st.floats(0.001, 9e5))  # above, millions are written in words
def test_dollars_round_to_cents_or_better(value):
    shown = float(numbers.usd(value).replace("$", "").replace(",", ""))
    assert shown == pytest.approx(value, rel=0.005, abs=0.005 if value >= 1 else 1e-9)


def test_what_was_not_measured_reads_not_reached():
    assert {f(math.nan) for f in (numbers.num, numbers.usd, numbers.times, numbers.percent)} == {"not reached"}


def test_two_dollar_signs_in_a_sentence_are_not_a_formula():
    shown = sentences.say("Between $4.11 and $4.62.").markdown
    assert re.findall(r"(?<!\\)\$", shown) == []


def test_a_check_that_fails_stops_and_shows_both_sides():
    with pytest.raises(sentences.CheckFailed, match=r"parts add up: 1\.0 is not 1\.1"):
        sentences.check("parts add up", 1.0, 1.1)
    with pytest.raises(sentences.CheckFailed):
        sentences.check("parts add up", math.nan, math.nan)
    with pytest.raises(sentences.CheckFailed):
        sentences.check("within", 1.0, 2.1, factor=2)
    assert sentences.check("within", 1.0, 1.9, factor=2).data["passed"] is True


def test_a_result_is_named_from_the_vocabulary_and_in_its_range():
    with pytest.raises(QuantityError, match="did you mean"):
        sentences.result("total_token_cost_usd_per_mtk", 1.0)
    with pytest.raises(QuantityError, match="must be in"):
        sentences.result("total_token_cost_usd_per_mtok", 15_667)
    assert sentences.result("total_token_cost_usd_per_mtok", math.nan).data["value"] is None


def test_an_answer_carries_the_inputs_that_decide_it():
    shown = inputs_answer.answer("It costs $4.35.", interval="$4.11 to $4.62", rate_usd_per_gpu_h=1.41, accelerator="h200")
    assert [(i["name"], i["value"], i["unit"]) for i in shown.data["inputs"]] == [
        ("rate_usd_per_gpu_h", 1.41, "USD per GPU-hour"),
        ("accelerator", "h200", ""),
    ]
    with pytest.raises(QuantityError, match="unknown input `hourly_price`"):
        inputs_answer.answer("x", hourly_price=1.0)


def test_a_table_labels_rounds_and_escapes():
    frame = pd.DataFrame({"note": ["<h200>"], "total_tok_per_s_per_gpu": [93.15316445766149], "utilization_frac": [0.456], "kind": [None]})
    html = tables.table(frame, "Measured & kept").html()
    assert "&lt;h200&gt;" in html and "<h200>" not in html
    assert "Measured &amp; kept" in html
    assert ">93.2<" in html and "93.153" not in html
    assert ">45.6%<" in html
    assert html.count('scope="col"') == 4 and html.count('scope="row"') == 1


def test_words_in_a_table_on_its_side_may_break_on_a_narrow_page():
    rows = pd.DataFrame({"point": ["fast", "slow"], "label": ["FP8, no MTP, single-node"] * 2, "n_gpus": [8, 16]})
    html = tables.table(rows, "Replica", upright=False).html()
    assert html.count('<td style="text-align:right;white-space:normal">FP8') == 2
    assert html.count('<td class="number" style="text-align:right">') == 2, "only the two counts"


@given(st.floats(0.5, 1 - 1e-6))
def test_a_share_short_of_all_never_reads_as_all(share):
    assert numbers.percent(share) != "100%" == numbers.percent(1.0)


def test_a_column_that_does_not_exist_cannot_be_labelled():
    with pytest.raises(KeyError, match="did you mean `accelerator`"):
        tables.table(pd.DataFrame({"accelerator": ["h200"]}), "x", labels={"acelerator": "GPU"})


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0.1, 10))
def test_labels_are_moved_apart_and_keep_their_order(positions, gap):
    placed = labels.spread(positions, gap)
    order = sorted(range(len(positions)), key=lambda i: (positions[i], i))
    for below, above in zip(order, order[1:], strict=False):
        assert placed[above] - placed[below] >= gap * (1 - 1e-9) - 1e-9


@pytest.mark.parametrize("values", [[1.0, 3, 9, 27], [27.0, 9, 3, 1], [9.0, 9, 9, 9]])
def test_the_name_of_a_curve_that_ends_early_covers_nothing(values):
    """Rising, falling or level: a name at the middle of the figure hides neither its own curve nor another."""
    with drawing(height=3.7) as (_, ax):
        ax.plot([1, 2, 3, 4], values)
        ax.plot([1, 10], [40, 40])
        labels.label_ends(ax, [(4, values[-1], "H200", style.BLUE), (10, 40, "GB300", style.ORANGE)])
        box = next(label for label in ax.texts if label.get_text() == "H200").get_window_extent()
        for line in ax.get_lines():
            assert not line.get_path().transformed(line.get_transform()).intersects_bbox(box, filled=False)


CURVES = pd.DataFrame(
    {
        "tok_per_s_per_user": [20.0, 60, 100, 20, 60, 100],
        "total_token_cost_usd_per_mtok": [0.3, 1, 3, 0.05, 0.06, math.nan],
        "accelerator": ["h200"] * 3 + ["gb300"] * 3,
    }
)
RANKED = pd.DataFrame({"accelerator": ["h100", "h200", "gb300"], "a": [1.0, 2, 3], "b": [3.0, 2, 1], "ratio": [1.0, 2, 3]})
FIGURES = {
    "curves": lambda: charts.plot_curves(
        CURVES, x="tok_per_s_per_user", y="total_token_cost_usd_per_mtok", by="accelerator", alt="a", mark={"m": 50}, level={"l": 1}
    ),
    "ranges": lambda: charts.plot_ranges(
        RANKED, label="accelerator", low="a", high="ratio", value="a", group="accelerator", alt="a", reference={"r": 2}
    ),
    "bars": lambda: charts.plot_bars(RANKED, label="accelerator", value="ratio", alt="a", highlight="h200"),
    "slope": lambda: charts.plot_slope(RANKED, by="accelerator", rankings={"A": "a", "B": "b"}, best={"A": "low", "B": "high"}, alt="a"),
    "against": lambda: charts.plot_parity(RANKED, x={"A": "a", "B": "b"}, y="ratio", by="accelerator", alt="a"),
    "iceberg": lambda: iceberg.plot_iceberg(["up"], ["down", "deeper"], alt="a"),
    "bars in panels": lambda: charts.plot_bars(RANKED, label="accelerator", value={"A": "a", "B": "b"}, alt="a"),
    "one curve": lambda: charts.plot_curves(RANKED, x="ratio", y="a", alt="a", points=RANKED),
}


def test_a_ranking_that_an_accelerator_has_no_place_in_is_neither_bridged_nor_counted():
    """H200 has no figure in the middle: its line has no segment, and the other two are ranked first and second."""
    missing = RANKED.assign(b=[3.0, math.nan, 1.0])
    three = {"rankings": {"A": "a", "B": "b", "C": "ratio"}, "best": {"A": "low", "B": "high", "C": "low"}}
    full, partial = (charts.plot_slope(frame, by="accelerator", alt="a", **three).svg for frame in (RANKED, missing))
    assert "nan" not in partial and "not reached" not in partial
    assert partial.count("H200") == full.count("H200") > 0
    assert partial != full and len(partial) < len(full)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_bytes_twice_and_small_and_closed(name):
    import matplotlib.pyplot as plt

    first, second = FIGURES[name](), FIGURES[name]()
    assert first.svg == second.svg
    assert len(first.svg) < 60_000
    assert plt.get_fignums() == []
    assert "<text" in first.svg, "text stays text"


def test_a_figure_is_the_same_bytes_where_the_last_bit_of_a_float_differs():
    """Processors differ in that bit, and Matplotlib names clip paths and markers after it."""
    svgs = set()
    for left in (0.1, math.nextafter(0.1, 1)):
        with drawing(height=3.5) as (fig, ax):
            fig.set_layout_engine("none")
            ax.set_position([left, 0.1, 0.8, 0.8])
            ax.plot([0, 1], [left, 1], color="#0b5cad")
            svgs.add(finish(fig, "a line").svg)
    (svg,) = svgs
    named, used = (set(re.findall(pattern, svg)) for pattern in (r'\bid="(s\w{8}_\d+)"', r'(?:url\(|href=")#([^")]+)'))
    assert named == used and len(used) > 2, "a clip path and the ticks' markers"


@pytest.mark.parametrize("name", ["curves", "against", "bars"])
def test_ticks_that_are_remembered_are_those_that_are_made_anew(name, monkeypatch):
    remembered = FIGURES[name]().svg
    for module in (figure, labels):
        monkeypatch.setattr(module, "remembered_ticks", contextlib.nullcontext)
    assert FIGURES[name]().svg == remembered


def test_ticks_that_change_after_a_figure_is_finished_are_seen_in_the_next():
    with drawing(height=3.5) as (fig, ax):
        ax.plot([0, 1], color="#0b5cad")
        before = finish(fig, "a line").svg
        ax.set_xticks([0.125])
        assert ">0.125<" in finish(fig, "a line").svg and ">0.125<" not in before


@pytest.mark.parametrize("ends", [(1, 1000), (1000, 1), (0.3, 7), (2, 5), (1e-4, 2e6)])
def test_a_logarithmic_axis_shows_all_ticks_between_its_ends_and_those_at_them(ends, monkeypatch):
    def drawn() -> str:
        with drawing(height=3.5) as (fig, ax):
            ax.set(xscale="log", xlim=ends)
            draw.log_axis(ax.xaxis, min(ends), max(ends))
            return finish(fig, "an axis").svg

    svg = drawn()
    monkeypatch.delattr(draw._InSight, "tick_values")  # as Matplotlib makes them
    assert drawn() == svg
    assert all(f">{end:,}<" in svg for end in ends if end in (1, 1000, 2, 5))


@pytest.mark.parametrize("name", FIGURES)
def test_every_colour_of_a_figure_has_a_counterpart_for_dark_pages(name):
    assert set(re.findall(r"#[0-9a-fA-F]{6}\b", FIGURES[name]().svg)) <= set(style.DARK)


def test_a_sketch_takes_a_frame_and_two_columns_and_has_no_words_of_its_own():
    frame = pd.DataFrame({"batch": [1, 2, 4], "seen": [3.0, 5.0, 6.0]})
    bundle = charts.plot_curves(frame, x="batch", y="seen")._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml"} and "Seen, log scale" in bundle["image/svg+xml"]


def test_a_figure_with_a_foreign_colour_is_refused():
    with drawing(height=3.5) as (fig, ax), pytest.raises(ValueError, match="#ff00ff is not in"):
        ax.plot([0, 1], color="#ff00ff")
        finish(fig, "a line")


def test_not_reached_is_a_gap_not_a_bridge():
    """The candidate's curve ends at its last measured speed: its label stands there, not at the right edge."""
    svg = FIGURES["curves"]().svg
    x = {name: float(re.search(r'x="([\d.]+)"[^>]*>' + name + "<", svg).group(1)) for name in ("h200", "gb300")}
    assert x["gb300"] < x["h200"]


def _contrast(first: str, second: str) -> float:
    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [style.INK, style.MUTED, *style.SERIES])
def test_text_and_lines_stand_out_on_light_and_dark_paper(colour):
    """WCAG AA for text: a contrast of at least 4.5."""
    assert _contrast(colour, style.PAPER) >= 4.5
    assert _contrast(style.DARK[colour], style.DARK[style.PAPER]) >= 4.5


def test_the_numbers_in_a_figure_keep_every_digit():
    """Coordinates are rounded to a hundredth; a label that says 0.0447 must not become 0.04."""
    frame = pd.DataFrame({"label": ["GB300", "H200"], "total_token_cost_usd_per_mtok": [0.0447, 1.98765]})
    shown = charts.plot_bars(frame, value="total_token_cost_usd_per_mtok", alt="Two costs.").svg
    assert ">0.0447<" in shown and ">1.99<" in shown
    assert not re.search(r'd="[^"]*\d\.\d{3}', shown)


def test_a_series_named_after_an_accelerator_has_its_colour_everywhere():
    frame = pd.DataFrame({"series": ["H200 FP8"] * 2 + ["GB300 FP4"] * 2, "tok_per_s_per_user": [20, 40] * 2, "ratio": [1, 2, 3, 4]})
    shown = charts.plot_curves(frame, x="tok_per_s_per_user", y="ratio", by="series", alt="Two curves.").svg
    assert style.ACCELERATOR["h200"] in shown and style.ACCELERATOR["gb300"] in shown


def test_stretches_of_a_scale_show_in_words():
    frame = pd.DataFrame({"series": ["1k/1k", "8k/1k"], "rounds to 35x": [((102.1, 110.6), (154.0, 154.0)), ()]})
    text = tables.table(frame, "Where").text()
    assert "102 to 111 and 154" in text and "nowhere" in text


def test_a_result_can_be_named_for_its_reader():
    data = sentences.result("wrong_order_frac", 0.5, label="FLOPS per dollar picks the more expensive token").data
    assert (data["name"], data["label"]) == ("wrong_order_frac", "FLOPS per dollar picks the more expensive token")


def test_a_hole_between_far_runs_is_drawn_dotted():
    curve = pd.DataFrame({"tok_per_s_per_user": [20.0, 40, 60, 80], "total_token_cost_usd_per_mtok": [1.0, 2, 20, 40]})
    drawn = [
        charts.plot_curves(curve.assign(is_hole=hole), x="tok_per_s_per_user", y="total_token_cost_usd_per_mtok", alt="Cost rises.").svg
        for hole in ([False] * 4, [False, True, True, False])
    ]
    assert "stroke-dasharray:0.8,2.4" in drawn[1] and "stroke-dasharray: 0.8,2.4" not in drawn[0]


def test_a_result_names_what_it_is_a_ratio_of_in_words_of_the_vocabulary():
    inputs = {"numerator": {"rate_usd_per_gpu_h": 1.41}, "denominator": {"total_tok_per_s_per_gpu": 90}}
    data = sentences.result("total_token_cost_usd_per_mtok", 4.35, **inputs).data
    assert {side: data[side] for side in inputs} == inputs
    assert "numerator" not in sentences.result("total_token_cost_usd_per_mtok", 4.35).data
    with pytest.raises(QuantityError, match="unknown quantity `rate`"):
        sentences.result("total_token_cost_usd_per_mtok", 4.35, numerator={"rate": 1.41})
