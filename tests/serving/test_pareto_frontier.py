"""The curve at equal interactivity: published cells come out, nothing is extrapolated, unlike rows are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tokcost import evidence
from tokcost.quantities import SECONDS_PER_HOUR, TOK_PER_MTOK, QuantityError
from tokcost.serving.compare import leave_one_out, per_mw_at, ratio_at
from tokcost.serving.pareto_frontier import CONFIGURATION, SPEED, cost_at, frontier, is_on_front
from tokcost.serving.spline import MAX_FALL_RATIO, steffen, steffen_slopes

FIXTURES = Path(__file__).parents[1] / "fixtures"
POINTS = pd.read_csv(FIXTURES / "published_points.csv", comment="#")
CELLS = pd.read_csv(FIXTURES / "published_cells.csv", comment="#")
COST = "total_token_cost_usd_per_mtok"
#: the rates, USD per GPU-hour, at which the published cells were computed (April 2026)
RATES = {"h100": 1.30, "h200": 1.41, "b200": 1.95}

GLM5 = [("h200", "fp8"), ("b200", "fp8"), ("b200", "fp4")]
MINIMAX = [("h100", "fp8"), ("b200", "fp4")]


def published(model, accelerator, precision):
    curve = frontier(POINTS, model=model, accelerator=accelerator, precision=precision)
    cells = CELLS.query("model == @model and accelerator == @accelerator and precision == @precision")
    return curve, cells


def rows(**columns):
    base = {"model": "m", "accelerator": "h200", "isl": 1024, "osl": 1024, "precision": "fp8"}
    return pd.DataFrame({**base, SPEED: [20.0, 40.0, 60.0], "total_tok_per_s_per_gpu": [900.0, 500.0, 100.0], **columns})


@pytest.mark.parametrize(("accelerator", "precision"), GLM5)
def test_the_published_glm5_cells_come_out_to_a_cent_unreachable_ones_included(accelerator, precision):
    curve, cells = published("glm5", accelerator, precision)
    ours = cost_at(curve, RATES[accelerator], tok_per_s_per_user=cells[SPEED].to_numpy())
    assert np.isnan(ours).tolist() == cells[COST].isna().tolist()
    assert np.nanmax(np.abs(ours - cells[COST])) < 0.01


def test_all_published_glm5_cells_but_one_are_ours_rounded():
    """H200 at 50 tok/s/user is printed 0.69 and comes out at 0.684; all 26 others agree in the last digit."""
    off = []
    for accelerator, precision in GLM5:
        curve, cells = published("glm5", accelerator, precision)
        reached = cells.dropna(subset=[COST])
        ours = cost_at(curve, RATES[accelerator], tok_per_s_per_user=reached[SPEED].to_numpy())
        wrong = np.round(ours, 2) != reached[COST]
        off += [(accelerator, precision, speed) for speed in reached[SPEED][wrong]]
    assert off == [("h200", "fp8", 50.0)]


def test_the_published_minimax_cells_were_made_by_splining_the_cost_and_are_off_by_up_to_five_percent():
    off = []
    for accelerator, precision in MINIMAX:
        curve, cells = published("minimaxm2.5", accelerator, precision)
        reached = cells.dropna(subset=[COST])
        speed = reached[SPEED].to_numpy()
        cost_of_points = RATES[accelerator] / curve.front["total_tok_per_s_per_gpu"] / SECONDS_PER_HOUR * TOK_PER_MTOK
        digits = 3 if precision == "fp4" else 2
        splined = steffen(curve.front[SPEED], cost_of_points)(speed)
        assert np.round(splined, digits).tolist() == reached[COST].tolist()
        off.append(np.abs(cost_at(curve, RATES[accelerator], tok_per_s_per_user=speed) / splined - 1))
    assert 0.04 < np.concatenate(off).max() < 0.06


def test_cost_times_throughput_is_the_rate_everywhere_on_the_curve():
    curve, _ = published("glm5", "b200", "fp4")
    speed = np.linspace(*curve.reach, 101)
    cost = cost_at(curve, 1.95, tok_per_s_per_user=speed)
    assert cost * curve.at(tok_per_s_per_user=speed) * SECONDS_PER_HOUR / TOK_PER_MTOK == pytest.approx(1.95)


points = st.lists(
    st.tuples(st.floats(1, 500), st.floats(1, 1e5)), min_size=1, max_size=12, unique_by=(lambda p: round(p[0], 1), lambda p: round(p[1], 1))
)


@given(points)
def test_the_curve_falls_passes_through_the_front_and_ends_with_it(measured):
    speed, throughput = map(np.array, zip(*measured, strict=True))
    curve = frontier(
        pd.DataFrame({"model": "m", "accelerator": "h200", "isl": 1, "osl": 1, SPEED: speed, "total_tok_per_s_per_gpu": throughput})
    )
    low, high = curve.reach
    values = curve.at(tok_per_s_per_user=np.linspace(low, high, 300).clip(low, high))
    assert not np.isnan(values).any()
    assert (np.diff(values) <= 1e-9 * throughput.max()).all()
    assert values.max() <= throughput.max() * (1 + 1e-12)
    assert curve.at(tok_per_s_per_user=curve.front[SPEED]).tolist() == pytest.approx(curve.front["total_tok_per_s_per_gpu"].tolist())
    beyond = curve.at(tok_per_s_per_user=np.array([low * 0.999, high * 1.001]))
    assert np.isnan(beyond).all()


@given(points)
def test_no_point_beats_one_on_the_front(measured):
    speed, throughput = map(np.array, zip(*measured, strict=True))
    on_front = is_on_front(speed, throughput)
    for i in range(len(speed)):
        beaten = ((speed >= speed[i]) & (throughput >= throughput[i]) & (np.arange(len(speed)) != i)).any()
        assert on_front[i] != beaten


@given(points, st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_spline_knows_no_units(measured, stretch, scale):
    assume(len(measured) > 1)
    speed, throughput = map(np.array, zip(*sorted(measured), strict=True))
    assert steffen_slopes(speed * stretch, throughput * scale) == pytest.approx(
        steffen_slopes(speed, throughput) * scale / stretch, rel=1e-6, abs=1e-9
    )


def test_a_straight_line_is_given_back_exactly():
    assert steffen([1, 2, 4, 8], [10, 9, 7, 3])([1.5, 3, 7]).tolist() == pytest.approx([9.5, 8, 4])


def test_scalars_arrays_and_series_keep_their_shape():
    curve = frontier(rows())
    assert curve.at(tok_per_s_per_user=40) == 500
    assert np.isnan(curve.at(tok_per_s_per_user=61))
    assert np.isnan(cost_at(curve, 1.41, tok_per_s_per_user=61))
    series = curve.at(tok_per_s_per_user=pd.Series([20.0, 99.0], index=["a", "b"]))
    assert series.name == "total_tok_per_s_per_gpu" and series["a"] == 900 and np.isnan(series["b"])
    assert cost_at(curve, np.array([1.0, 2.0]), tok_per_s_per_user=40.0)[1] == pytest.approx(2 / (500 * 3600) * 1e6)


def test_the_frontier_says_what_it_stands_on():
    curve = frontier(
        rows(speculative=["mtp", "none", "mtp"], run_date=["2026-02-01", "2025-12-03", "2026-01-05"], concurrency=[8, 4, 1], n_gpus=8)
    )
    assert (curve.model, curve.isl, curve.speculative) == ("m", 1024, "mtp + none")
    assert (curve.first_date, curve.last_date) == ("2025-12-03", "2026-02-01")
    assert (curve.n_points, curve.n_on_front, curve.n_excluded) == (3, 3, 0)
    assert curve.front["users_per_gpu"].tolist() == [1, 0.5, 0.125]


def test_rows_without_a_measurement_are_left_out_and_counted_never_filled():
    curve = frontier(rows(total_tok_per_s_per_gpu=[900.0, np.nan, 100.0]))
    assert (curve.n_points, curve.n_excluded) == (2, 1)


@pytest.mark.parametrize("column", ["model", "accelerator", "isl", "osl", "gpu_denominator", "token_class"])
def test_a_curve_over_unlike_rows_is_refused_with_the_filter_that_helps(column):
    mixed = rows(**{column: [1024, 8192, 8192] if column in ("isl", "osl") else ["a", "b", "b"]})
    with pytest.raises(QuantityError, match=rf"one {column}.*choose one: frontier\(rows, {column}="):
        frontier(mixed)


def test_an_output_rate_per_decode_gpu_is_found_out():
    per_decode_gpu = rows(output_tok_per_s_per_gpu=[450.0, 1000.0, 50.0])
    with pytest.raises(QuantityError, match="not divided by all GPUs.*recompute both"):
        frontier(per_decode_gpu)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: frontier(rows(), throughput="output_tok_per_s_per_decode_gpu"),
            "per all GPUs, got .*did you mean `output_tok_per_s_per_gpu`",
        ),
        (lambda: frontier(rows(), throughput="total_tok_per_s"), "a frontier needs a throughput per all GPUs"),
        (
            lambda: frontier(rows(), throughput="output_tok_per_s_per_gpu"),
            "the rows have no column `output_tok_per_s_per_gpu`; did you mean",
        ),
        (lambda: frontier(rows(), accelerator="h20"), "accelerator `h20`; did you mean `h200`"),
        (lambda: frontier(rows(), accelerater="h200"), "no column `accelerater`; did you mean `accelerator`"),
        (lambda: frontier(rows(), accelerator="h200", precision="fp4"), "precision `fp4`; did you mean `fp8`"),
        (lambda: frontier(rows().drop(columns="osl")), "the rows have no column `osl`"),
        (lambda: frontier(rows().head(0)), "needs measured rows, got none"),
        (lambda: frontier(rows(total_tok_per_s_per_gpu=np.nan)), "none of the 3 rows has both"),
        (lambda: frontier(rows()).at(tok_per_s_per_user=0), "must be in"),
        (lambda: frontier(rows(tok_per_s_per_user=[0.0, 1.0, 2.0])), "`tok_per_s_per_user` must be in"),
        (
            lambda: cost_at(frontier(rows()), fact(2.652, accelerator="gb300"), tok_per_s_per_user=40),
            "the rate is one of gb300",
        ),
    ],
)
def test_each_wrong_call_is_answered_in_one_sentence(call, says):
    with pytest.raises(QuantityError, match=says):
        call()


def test_speeds_and_rates_in_columns_go_together_by_their_labels():
    curve = frontier(rows())
    speeds, rates = pd.Series([20.0, 40], index=["slow", "fast"]), pd.Series([1.0, 2], index=["slow", "fast"])
    each = cost_at(curve, rates, tok_per_s_per_user=speeds)
    assert each["fast"] == cost_at(curve, 2.0, tok_per_s_per_user=40) and each.name == COST
    assert cost_at(curve, rates, tok_per_s_per_user=40).index.tolist() == ["slow", "fast"]
    with pytest.raises(QuantityError, match="do not have one index"):
        cost_at(curve, rates[::-1], tok_per_s_per_user=speeds)


def test_left_out_points_come_back_better_from_the_throughput_than_from_the_cost():
    errors = pd.concat([leave_one_out(published("glm5", *which)[0]) for which in GLM5])
    assert len(errors) == 2 + 5 + 5
    assert errors["derived_cost_error_frac"].mean() < errors["splined_cost_error_frac"].mean()


def test_what_is_read_between_two_points_is_as_uncertain_as_the_fall_between_them():
    """Every inner point of every measured configuration left out in turn: the fall around it bounds the error and tells its size."""
    errors = []
    for model in ("dsr1", "gptoss120b", "llama70b", "minimaxm2.5"):
        for _, group in evidence.measured(model=model).groupby(["isl", "osl", "campaign", *CONFIGURATION], dropna=False):
            errors.append(leave_one_out(frontier(group)))
    errors = pd.concat(errors)
    assert (errors["derived_cost_error_frac"] <= errors["fall_ratio"] - 1 + 1e-9).all()
    steps = pd.cut(errors["fall_ratio"], [1, 3, MAX_FALL_RATIO, 10, np.inf])
    median = errors.groupby(steps, observed=True)["derived_cost_error_frac"].median()
    assert median.is_monotonic_increasing and median.iloc[0] < 0.05 and median.iloc[-1] > 0.4


# -- comparisons ----------------------------------------------------------------------------------------------------


def fact(value, quantity="rate_usd_per_gpu_h", **labels):
    return evidence.Fact(value, None, None, quantity, "s", "l", "2026-01-01", "modelled", "", labels)


OWNED = {"price_basis": "owning_hyperscaler", "rate_vintage": "2026-03"}


def two(**changes):
    fast = {"accelerator": "gb300", "total_tok_per_s_per_gpu": [9000.0, 6000.0, 2000.0]}
    return frontier(rows(**fast | changes)), frontier(rows())


def test_a_ratio_above_one_favours_the_candidate_whatever_it_is_of():
    candidate, baseline = two()
    at = {"tok_per_s_per_user": np.array([40.0, 61.0])}
    assert ratio_at(candidate, baseline, of="throughput", **at)[0] == 12
    cost = ratio_at(candidate, baseline, **at, candidate_fact=fact(2.652, accelerator="gb300", **OWNED), baseline_fact=fact(1.41, **OWNED))
    assert cost[0] == pytest.approx(12 * 1.41 / 2.652) and np.isnan(cost[1])
    per_mw = ratio_at(candidate, baseline, of="per_mw", candidate_fact=2.10, baseline_fact=1.73, power_vintage="2026-03", **at)
    assert per_mw[0] == pytest.approx(12 * 1.73 / 2.10) and np.isnan(per_mw[1])
    assert per_mw_at(baseline, 1.73, tok_per_s_per_user=40.0) == pytest.approx(500 / 1.73 * 1000)


@given(st.floats(20, 60), st.floats(0.5, 5), st.floats(0.5, 5))
def test_the_cost_ratio_is_the_throughput_ratio_over_the_rate_ratio_and_turns_over_with_its_sides(speed, candidate_rate, baseline_rate):
    candidate, baseline = two()
    forth = ratio_at(candidate, baseline, tok_per_s_per_user=speed, candidate_fact=candidate_rate, baseline_fact=baseline_rate, **OWNED)
    back = ratio_at(baseline, candidate, tok_per_s_per_user=speed, candidate_fact=baseline_rate, baseline_fact=candidate_rate, **OWNED)
    assert forth * back == pytest.approx(1)
    assert forth == pytest.approx(ratio_at(candidate, baseline, tok_per_s_per_user=speed, of="throughput") * baseline_rate / candidate_rate)


@pytest.mark.parametrize("changes", [{"model": "other"}, {"isl": 8192}, {"osl": 512}])
def test_unequal_work_is_never_compared(changes):
    with pytest.raises(QuantityError, match=f"{next(iter(changes))} is .* compare like with like"):
        ratio_at(*two(**changes), tok_per_s_per_user=40, of="throughput")
    with pytest.raises(QuantityError, match="cannot be allowed to differ"):
        ratio_at(*two(**changes), tok_per_s_per_user=40, of="throughput", differing=tuple(changes))


def test_another_precision_is_compared_when_said():
    with pytest.raises(QuantityError, match=r"precision is fp4.*differing=\('precision',\)"):
        ratio_at(*two(precision="fp4"), tok_per_s_per_user=40, of="throughput")
    assert ratio_at(*two(precision="fp4"), tok_per_s_per_user=40, of="throughput", differing=("precision",)) == 12


def test_total_and_output_tokens_are_never_compared():
    with_output = rows(output_tok_per_s_per_gpu=[450.0, 250.0, 50.0])
    with pytest.raises(QuantityError, match="token class"):
        ratio_at(two()[0], frontier(with_output, throughput="output_tok_per_s_per_gpu"), tok_per_s_per_user=40, of="throughput")


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (
            {"candidate_fact": fact(3.96, price_basis="rental_3yr", rate_vintage="2026-03"), "baseline_fact": fact(1.41, **OWNED)},
            "take both on one basis",
        ),
        (
            {"candidate_fact": fact(2.31, **OWNED | {"rate_vintage": "2026-07"}), "baseline_fact": fact(1.41, **OWNED)},
            r"differing=\('rate_vintage',\)",
        ),
        ({"candidate_fact": 2.652, "baseline_fact": 1.41}, "price_basis of a plain number is not known"),
        ({"candidate_fact": 2.652}, "needs `baseline_fact`: the rate of h200"),
        (
            {"candidate_fact": fact(1.41, accelerator="h200", **OWNED), "baseline_fact": fact(1.41, **OWNED)},
            "the rate is one of h200, the curve one of gb300",
        ),
        ({"of": "per_mw", "candidate_fact": 2.1, "baseline_fact": 1.73}, "power_vintage of a plain number is not known"),
        ({"of": "watts"}, "a ratio can be of cost, throughput or per_mw"),
    ],
)
def test_rates_that_are_not_of_one_kind_are_refused(facts, says):
    with pytest.raises(QuantityError, match=says):
        ratio_at(*two(), tok_per_s_per_user=40, **facts)


def test_a_ratio_over_a_column_of_speeds_is_a_column_named_ratio():
    ratio = ratio_at(*two(), tok_per_s_per_user=pd.Series([40.0, 70.0], index=[3, 4]), of="throughput")
    assert ratio.name == "ratio" and ratio[3] == 12 and np.isnan(ratio[4])


def test_another_vintage_is_compared_when_said():
    facts = {"candidate_fact": fact(2.31, **OWNED | {"rate_vintage": "2026-07"}), "baseline_fact": fact(1.41, **OWNED)}
    assert ratio_at(*two(), tok_per_s_per_user=40, differing=("rate_vintage",), **facts) == pytest.approx(12 * 1.41 / 2.31)
