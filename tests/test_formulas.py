"""The headline ratios: hand-worked examples, published numbers, identities."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import formulas
from tokcost import quantities as q

rates = st.floats(0.5, 10)
throughputs = st.floats(50, 50_000)


def cost(rate, throughput):
    return formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=throughput)


def test_the_worked_example_by_hand():
    # 90 tokens a second are 324,000 an hour: 1.41 USD / 0.324 million.
    assert cost(1.41, 90) == pytest.approx(1.41 / 0.324, rel=1e-12)
    assert round(cost(1.41, 90), 2) == 4.35


def test_the_two_measured_rows_of_the_published_table():
    assert round(cost(1.41, 93.15316445766149), 4) == 4.2045
    assert round(cost(2.652, 5970.261463203988), 4) == 0.1234


def test_seconds_in_place_of_hours_are_refused():
    """Leaving out 3,600 is dividing by 1/3,600 of the tokens: the result is far outside anything plausible."""
    with pytest.raises(q.QuantityError, match="check the inputs"):
        cost(1.41, 90 / q.SECONDS_PER_HOUR)


def test_positional_and_unnamed_arguments_are_refused():
    with pytest.raises(TypeError):
        formulas.total_token_cost_usd_per_mtok(1.41, 90)
    with pytest.raises(TypeError, match="did you mean `total_tok_per_s_per_gpu`"):
        formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=1.41, total_tok_per_s=90)
    with pytest.raises(TypeError, match="needs `total_tok_per_s_per_gpu`"):
        formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=1.41)


@given(rates, throughputs)
def test_halving_the_price_and_doubling_the_output_are_the_same_lever(rate, throughput):
    assert cost(rate / 2, throughput) == pytest.approx(cost(rate, throughput * 2), rel=1e-12)


@given(rates, throughputs)
def test_throughput_from_cost_is_the_way_back(rate, throughput):
    back = formulas.total_tok_per_s_per_gpu(rate_usd_per_gpu_h=rate, total_token_cost_usd_per_mtok=cost(rate, throughput))
    assert back == pytest.approx(throughput, rel=1e-12)


@given(rates, throughputs, st.floats(0.05, 1))
def test_utilization_divides_once(rate, throughput, share):
    delivered = formulas.delivered_total_tok_per_s_per_gpu(total_tok_per_s_per_gpu=throughput, utilization_frac=share)
    assert cost(rate, delivered) == pytest.approx(cost(rate, throughput) / share, rel=1e-12)


@given(rates, throughputs, st.floats(0.5, 1))
def test_margin_is_what_revenue_leaves_after_the_hour(rate, throughput, share):
    price = cost(rate, throughput) / share
    revenue = formulas.revenue_usd_per_gpu_h(total_tok_per_s_per_gpu=throughput, price_usd_per_mtok=price)
    margin = formulas.gross_margin_frac(price_usd_per_mtok=price, total_token_cost_usd_per_mtok=cost(rate, throughput))
    assert margin == pytest.approx((revenue - rate) / revenue, abs=1e-9)


def test_formulas_broadcast_over_scalars_arrays_lists_and_series():
    table = pd.DataFrame({"rate_usd_per_gpu_h": [1.41, 2.652], "total_tok_per_s_per_gpu": [90.0, math.nan]})
    series = formulas.total_token_cost_usd_per_mtok(**table)
    assert series.name == "total_token_cost_usd_per_mtok"
    assert series.round(2).tolist()[0] == 4.35
    assert math.isnan(series[1])
    grid = cost(np.array([[1.0], [2.0]]), [10.0, 20.0, 40.0])
    assert grid.shape == (2, 3)
    assert grid[1, 0] == pytest.approx(4 * grid[0, 1])


def test_columns_of_unlike_tables_are_refused_rather_than_aligned():
    """Alignment would invent rows that read "not reached"."""
    speed = pd.Series([90.0, 95.0], index=[1, 2], name="total_tok_per_s_per_gpu")
    with pytest.raises(q.QuantityError, match="do not have one index"):
        formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=pd.Series([1.0, 2.0]), total_tok_per_s_per_gpu=speed)


def test_half_precision_does_not_overflow_on_the_way():
    single = cost(np.float16(2.0), np.array([100.0], dtype=np.float16))
    assert single[0] == pytest.approx(cost(2.0, 100.0))


def test_a_sourced_fact_is_taken_as_its_value_and_only_for_what_it_is():
    from tokcost.evidence import provisioned_power, rate

    h200 = rate(accelerator="h200", price_basis="owning_hyperscaler", rate_vintage="2026-03")
    assert cost(h200, 90) == cost(h200.value, 90)
    with pytest.raises(q.QuantityError, match="unit is usd_per_gpu_h in one, kw_per_gpu in the other"):
        cost(provisioned_power(accelerator="h200", power_vintage="2026-03"), 90)


def test_flops_per_dollar_has_two_meanings_that_differ_by_the_hour():
    inputs = {"peak_tflop_per_s": 1979.0, "rate_usd_per_gpu_h": 1.41}
    rate, count = formulas.peak_tflop_per_s_per_usd_per_h(**inputs), formulas.flop_per_usd(**inputs)
    assert count == pytest.approx(rate * q.FLOP_PER_TFLOP * q.SECONDS_PER_HOUR, rel=1e-12)
