"""Decomposition: factors multiply to the ratio, orders are averaged only where measured, nothing is filled in."""

import math
from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.evidence import measured, rate
from tokcost.quantities import QuantityError
from tokcost.serving.decomposition import PRICE, NotMeasured, along_path, decompose, decompose_by_speed
from tokcost.serving.pareto_frontier import frontier

FACTORS = {
    "chip": ({"accelerator": "h200"}, {"accelerator": "gb300"}),
    "precision": ({"precision": "fp8"}, {"precision": "fp4"}),
    "speculative decoding": ({"speculative": "none"}, {"speculative": "mtp"}),
}
NAMES = list(FACTORS)


def grid(throughputs: dict[tuple, float]) -> pd.DataFrame:
    """For each (accelerator, precision, speculative) a curve of one form from 10 to 100 tok/s/user, as high as the value."""
    return pd.DataFrame(
        [
            {
                "model": "m",
                "accelerator": a,
                "isl": 1024,
                "osl": 1024,
                "precision": p,
                "speculative": s,
                "tok_per_s_per_user": speed,
                "total_tok_per_s_per_gpu": value * form,
            }
            for (a, p, s), value in throughputs.items()
            for speed, form in ((10, 1.5), (100, 0.5))
        ]
    )


CORNERS = list(product(("h200", "gb300"), ("fp8", "fp4"), ("none", "mtp")))


@given(st.lists(st.floats(1, 20_000), min_size=8, max_size=8))
@settings(max_examples=25)
def test_factors_multiply_to_the_ratio_and_every_order_does(values):
    rows = grid(dict(zip(CORNERS, values, strict=True)))
    found = decompose(rows, FACTORS, tok_per_s_per_user=50)
    assert found.ratio == pytest.approx(values[-1] / values[0], rel=1e-9)
    assert math.prod(found.factors["ratio"]) == pytest.approx(found.ratio, rel=1e-9)
    for _, order in found.orders.groupby("order"):
        assert math.exp(math.fsum(order["log_contribution"])) == pytest.approx(found.ratio, rel=1e-9)
    assert (found.n_orders, found.is_complete) == (6, True)
    assert (found.factors["low_ratio"] <= found.factors["ratio"] * (1 + 1e-12)).all()
    assert (found.factors["ratio"] <= found.factors["high_ratio"] * (1 + 1e-12)).all()


@given(st.floats(0.2, 5), st.floats(0.2, 5), st.floats(0.2, 5))
@settings(max_examples=15)
def test_independent_factors_are_found_whatever_the_order(chip, precision, speculative):
    rows = grid(
        {
            (a, p, s): 100 * (chip if a == "gb300" else 1) * (precision if p == "fp4" else 1) * (speculative if s == "mtp" else 1)
            for a, p, s in CORNERS
        }
    )
    factors = decompose(rows, FACTORS, tok_per_s_per_user=20).factors.set_index("factor")
    for name, gain in zip(NAMES, (chip, precision, speculative), strict=True):
        assert factors.loc[name, ["low_ratio", "ratio", "high_ratio"]].tolist() == pytest.approx([gain] * 3, rel=1e-9)


def test_the_average_over_orders_is_the_shapley_value_worked_by_hand():
    """Alone the chip doubles and FP4 gives a half more; together they give six times."""
    values = {("h200", "fp8"): 100.0, ("h200", "fp4"): 150.0, ("gb300", "fp8"): 200.0, ("gb300", "fp4"): 600.0}
    rows = grid({(*pair, "none"): value for pair, value in values.items()})
    two = {name: FACTORS[name] for name in NAMES[:2]}
    factors = decompose(rows, two, tok_per_s_per_user=50).factors.set_index("factor")
    assert factors.loc["chip", "ratio"] == pytest.approx(math.sqrt(2 * 4))
    assert factors.loc["precision", "ratio"] == pytest.approx(math.sqrt(1.5 * 3))


def test_a_cell_that_nobody_measured_leaves_out_its_orders_and_is_named():
    """An H200 has no FP4 arithmetic: precision can only change after the chip."""
    rows = grid({corner: 100.0 + i for i, corner in enumerate(CORNERS) if corner[:2] != ("h200", "fp4")})
    found = decompose(rows, FACTORS, tok_per_s_per_user=50)
    assert (found.n_orders, found.n_possible_orders, found.is_complete) == (3, 6, False)
    assert found.missing["why"].tolist() == ["no measured run is H200, FP4, no MTP", "no measured run is H200, FP4, MTP"]
    assert not found.orders["order"].str.startswith("precision").any()
    assert math.prod(found.factors["ratio"]) == pytest.approx(found.ratio)


def test_without_any_measured_order_there_is_no_decomposition():
    rows = grid(dict.fromkeys((CORNERS[0], CORNERS[-1]), 100.0))
    with pytest.raises(NotMeasured, match="no order .*is measured throughout.*missing: "):
        decompose(rows, FACTORS, tok_per_s_per_user=50)


def test_beyond_the_measured_range_there_is_no_decomposition():
    rows = grid(dict.fromkeys(CORNERS, 100.0))
    with pytest.raises(NotMeasured, match="baseline was not measured at 200.*from 10 to 100"):
        decompose(rows, FACTORS, tok_per_s_per_user=200)
    table = decompose_by_speed(rows, FACTORS, tok_per_s_per_user=[50, 200])
    assert table.groupby("tok_per_s_per_user")["ratio"].count().tolist() == [3, 0]


def test_two_factors_that_change_one_column_are_refused():
    with pytest.raises(QuantityError, match="chip and generation both change `accelerator`"):
        decompose(grid({}), FACTORS | {"generation": FACTORS["chip"]}, tok_per_s_per_user=50)


def test_a_more_expensive_hour_is_a_factor_of_the_cost_ratio():
    rows = grid(dict(zip(CORNERS, [100.0] * 4 + [400.0] * 4, strict=True)))
    rates = [rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-03") for name in ("h200", "gb300")]
    found = decompose(rows, FACTORS, tok_per_s_per_user=50, baseline_rate=rates[0], candidate_rate=rates[1])
    assert found.of == "cost"
    assert found.factors.iloc[-1][["factor", "ratio"]].tolist() == [PRICE, pytest.approx(1.41 / 2.652)]
    assert found.ratio == pytest.approx(4 * 1.41 / 2.652)
    rented = rate(accelerator="gb300", price_basis="rental_3yr", rate_vintage="2026-03")
    with pytest.raises(QuantityError, match="price_basis is rental_3yr.*take both on one basis"):
        decompose(rows, FACTORS, tok_per_s_per_user=50, baseline_rate=rates[0], candidate_rate=rented)


def test_the_measured_h200_to_gb300_ratio_at_100_tokens_a_second():
    """DeepSeek-R1 1k/1k: four orders are measured; FP4 and the chip cannot be told apart before the chip is there."""
    rows = measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    factors = FACTORS | {"disaggregation": ({"deployment": "aggregated"}, {"deployment": "disaggregated"})}
    found = decompose(rows, factors, tok_per_s_per_user=100)
    assert (found.n_orders, found.n_possible_orders) == (4, 24)
    ranges = found.factors.set_index("factor")[["low_ratio", "high_ratio"]]
    assert ranges.notna().all(axis=1).tolist() == (found.orders.groupby("factor")["after"].nunique().loc[ranges.index] > 1).tolist()
    ends = [
        frontier(rows, accelerator="gb300", precision="fp4", speculative="mtp", deployment="disaggregated"),
        frontier(rows, accelerator="h200", precision="fp8", speculative="none", deployment="aggregated"),
    ]
    candidate, baseline = (curve.at(tok_per_s_per_user=100.0) for curve in ends)
    assert found.ratio == pytest.approx(candidate / baseline)
    assert found.missing["why"].str.contains("H200, FP4").any()


def test_one_path_of_several_chips_multiplies_to_its_end():
    corners = {
        ("h200", "fp8", "none"): 100.0,
        ("b200", "fp8", "none"): 250.0,
        ("gb300", "fp8", "none"): 300.0,
        ("gb300", "fp4", "none"): 900.0,
    }
    steps = {f"{a} {p}": {"accelerator": a, "precision": p} for a, p, _ in corners} | {
        "mtp": {"accelerator": "gb300", "speculative": "mtp"}
    }
    path = along_path(grid(corners), steps, tok_per_s_per_user=50)
    assert path["ratio"].tolist()[1:4] == pytest.approx([2.5, 1.2, 3.0])
    assert path["cumulative_ratio"].iloc[3] == pytest.approx(9)
    assert math.isnan(path["ratio"].iloc[4]) and path["why"].iloc[4] == "no measured run is GB300, MTP"
