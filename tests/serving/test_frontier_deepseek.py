"""DeepSeek-R1 on H200 and GB300, rows to April 2026: the table of costs and ratios by interactivity comes out of data/."""

import numpy as np
import pandas as pd
import pytest

from tokcost import evidence
from tokcost.quantities import QuantityError
from tokcost.serving.compare import leave_one_out, ratio_at
from tokcost.serving.pareto_frontier import SPEED, cost_at, frontier
from tokcost.serving.service_limits import winners

SPEEDS = np.array([35, 50, 75, 100, 116.7, 150])
CURVES = [("h200", "fp8"), ("gb300", "fp4"), ("gb300", "fp8")]


@pytest.fixture(scope="module")
def rows():
    return evidence.measured(campaign="inferencex_dsr1_2026_04")


def rate(accelerator, price_basis="owning_hyperscaler", rate_vintage="2026-03"):
    return evidence.rate(accelerator=accelerator, price_basis=price_basis, rate_vintage=rate_vintage)


def cost_ratio(rows, precision, isl, speeds=SPEEDS, **labels):
    """GB300 at a precision against H200 FP8, every framework, with and without speculative decoding."""
    candidate, baseline = (
        frontier(rows, accelerator=a, precision=p, isl=isl, osl=1024) for a, p in (("gb300", precision), ("h200", "fp8"))
    )
    facts = {"candidate_fact": rate("gb300", **labels), "baseline_fact": rate("h200", **labels)}
    return ratio_at(candidate, baseline, tok_per_s_per_user=speeds, differing=("precision",), max_fall_ratio=np.inf, **facts)


@pytest.mark.parametrize(
    ("accelerator", "precision", "usd_per_mtok"),
    [("h200", "fp8", "0.383 0.528 1.57 3.14 4.20 10.3"), ("gb300", "fp4", "0.046 0.051 0.065 0.092 0.123 0.263")],
)
def test_the_cost_at_each_speed_on_1k_1k(rows, accelerator, precision, usd_per_mtok):
    curve = frontier(rows, accelerator=accelerator, precision=precision, isl=1024, osl=1024)
    for cost, text in zip(cost_at(curve, rate(accelerator), tok_per_s_per_user=SPEEDS), usd_per_mtok.split(), strict=True):
        assert f"{cost:.{len(text.partition('.')[2])}f}" == text


@pytest.mark.parametrize(
    ("precision", "isl", "printed"),
    [
        ("fp4", 1024, "8 10 24 34 34 39"),
        ("fp8", 1024, "3.2 3.7 9.8 10 7.6 5"),
        ("fp4", 8192, "5 5 9 12 14 18"),
        ("fp8", 8192, "2.5 2.8 5.2 7.0 8.9 8.8"),
    ],
)
def test_the_cost_ratio_at_each_speed(rows, precision, isl, printed):
    for ratio, text in zip(cost_ratio(rows, precision, isl), printed.split(), strict=True):
        assert f"{ratio:.{len(text.partition('.')[2])}f}" == text


def test_just_beyond_the_edge_of_the_h200_curve_the_throughput_ratio_jumps(rows):
    candidate, baseline = (frontier(rows, accelerator=a, precision=p, isl=1024) for a, p in (("gb300", "fp4"), ("h200", "fp8")))
    ratio = ratio_at(candidate, baseline, tok_per_s_per_user=np.array([116.7, 117.3]), of="throughput", differing=("precision",))
    assert ratio.round(0).tolist() == [64, 141]


def test_that_jump_is_a_row_of_another_framework_at_the_edge(rows):
    """With the Dynamo-TRT rows alone no point lies just beyond 116.7, and the curve runs on to 173.9 without a step."""
    candidate, baseline = (
        frontier(rows, accelerator=a, precision=p, isl=1024, framework="dynamo-trt") for a, p in (("gb300", "fp4"), ("h200", "fp8"))
    )
    ratio = ratio_at(candidate, baseline, tok_per_s_per_user=np.array([116.7, 117.3]), of="throughput", differing=("precision",))
    assert ratio.round(0).tolist() == [64, 64]


@pytest.mark.parametrize(("accelerator", "precision", "users"), [("h200", "fp8", 0.46), ("gb300", "fp4", 32.3)])
def test_at_the_published_point_h200_serves_half_a_user_per_gpu_and_gb300_thirty_two(rows, accelerator, precision, users):
    front = frontier(rows, accelerator=accelerator, precision=precision, isl=1024).front
    at_the_point = front[front[SPEED].between(116.7, 116.9)]
    assert at_the_point["users_per_gpu"].tolist() == [pytest.approx(users, abs=0.05)]


def test_other_rates_move_the_ratio_of_the_two_rows_little(rows):
    at = {"speeds": 116.7}
    assert cost_ratio(rows, "fp4", 1024, **at) == pytest.approx(34.1, abs=0.1)
    assert cost_ratio(rows, "fp4", 1024, rate_vintage="2026-07", **at) == pytest.approx(33.8, abs=0.2)
    assert cost_ratio(rows, "fp4", 1024, price_basis="rental_3yr", rate_vintage="2026-09", **at) == pytest.approx(37, abs=0.5)


@pytest.mark.parametrize(("vintage", "times"), [("2026-03", 52.8), ("2026-07", 41.4)])
def test_tokens_per_mw_by_the_vintage_of_the_power_figures(rows, vintage, times):
    candidate, baseline = (frontier(rows, accelerator=a, precision=p, isl=1024) for a, p in CURVES[1::-1])
    facts = {
        f"{side}_fact": evidence.provisioned_power(accelerator=accelerator, power_vintage=vintage)
        for side, accelerator in (("candidate", "gb300"), ("baseline", "h200"))
    }
    ratio = ratio_at(candidate, baseline, tok_per_s_per_user=116.7, of="per_mw", differing=("precision",), **facts)
    assert ratio == pytest.approx(times, rel=0.005)


def test_owning_is_not_compared_with_renting(rows):
    candidate, baseline = (frontier(rows, accelerator=a, precision="fp8", isl=1024) for a in ("gb300", "h200"))
    facts = {"candidate_fact": rate("gb300"), "baseline_fact": rate("h200", "rental_3yr")}
    with pytest.raises(QuantityError, match="price_basis is owning_hyperscaler .* rental_3yr.*one basis"):
        ratio_at(candidate, baseline, tok_per_s_per_user=100, **facts)


def test_a_curve_over_both_lengths_is_refused(rows):
    with pytest.raises(QuantityError, match="one isl.* hold 1024, 8192; choose one"):
        frontier(rows, accelerator="h200")


def test_deriving_the_cost_predicts_left_out_points_better_than_splining_it(rows):
    errors = pd.concat([leave_one_out(frontier(rows, accelerator=a, precision=p, isl=isl)) for a, p in CURVES for isl in (1024, 8192)])
    assert len(errors) > 40
    derived, splined = errors["derived_cost_error_frac"], errors["splined_cost_error_frac"]
    assert 0.1 < derived.mean() < 0.85 * splined.mean()
    assert derived.max() < splined.max()


def test_the_median_configuration_is_far_from_the_best_where_the_claim_was_made(rows):
    won = winners(rows.query("accelerator == 'gb300' and isl == 1024"), tok_per_s_per_user=100).iloc[0]
    assert won["n_near"] >= 5
    assert won["median_total_tok_per_s_per_gpu"] / won["best_total_tok_per_s_per_gpu"] < 0.1


def test_nothing_is_known_outside_what_was_measured(rows):
    curve = frontier(rows, accelerator="h200", precision="fp8", isl=1024)
    low, high = curve.reach
    assert (round(low, 1), round(high, 1)) == (20.3, 173.9)
    assert np.isnan(cost_at(curve, rate("h200"), tok_per_s_per_user=np.array([20, 174]))).all()
    assert curve.curve()[SPEED].between(low, high).all()
