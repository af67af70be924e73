"""Decomposition: parts multiply to the ratio, a split is given only where every order was measured, nothing is filled in."""

import math
from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.evidence import rate
from tokcost.quantities import QuantityError
from tokcost.serving.decomposition import PRICE, NotMeasured, along_path, decompose, decompose_by_speed
from tokcost.serving.pooling import pool

FACTORS = {
    "chip": ({"accelerator": "h200"}, {"accelerator": "gb300"}),
    "precision": ({"precision": "fp8"}, {"precision": "fp4"}),
    "speculative decoding": ({"speculative": "none"}, {"speculative": "mtp"}),
}
NAMES = list(FACTORS)


def grid(throughputs: dict[tuple, float]) -> pd.DataFrame:
    """For each (accelerator, precision, speculative) runs at 10, 50 and 100 tok/s/user, as high as the value at 50."""
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
            for speed, form in ((10, 1.5), (50, 1.0), (100, 0.5))
        ]
    )


CORNERS = list(product(("h200", "gb300"), ("fp8", "fp4"), ("none", "mtp")))


@given(st.lists(st.floats(1, 20_000), min_size=8, max_size=8), st.floats(10, 100))
@settings(max_examples=25)
def test_parts_multiply_to_the_ratio_and_every_order_does(values, speed):
    rows = grid(dict(zip(CORNERS, values, strict=True)))
    found = decompose(rows, FACTORS, tok_per_s_per_user=speed)
    assert found.ratio == pytest.approx(values[-1] / values[0], rel=1e-9)
    assert math.prod(found.parts["ratio"]) == pytest.approx(found.ratio, rel=1e-9)
    assert found.orders["order"].nunique() == 6 and found.is_complete
    for _, order in found.orders.groupby("order"):
        assert math.exp(math.fsum(order["log_contribution"])) == pytest.approx(found.ratio, rel=1e-9)
    ranges = [*found.parts[["low_ratio", "ratio", "high_ratio"]].to_numpy(), (found.low_ratio, found.ratio, found.high_ratio)]
    assert all(low <= value * (1 + 1e-9) <= high * (1 + 2e-9) for low, value, high in ranges)


@given(st.floats(0.2, 5), st.floats(0.2, 5), st.floats(0.2, 5))
@settings(max_examples=15)
def test_independent_changes_are_found_whatever_the_order(chip, precision, speculative):
    rows = grid(
        {
            (a, p, s): 100 * (chip if a == "gb300" else 1) * (precision if p == "fp4" else 1) * (speculative if s == "mtp" else 1)
            for a, p, s in CORNERS
        }
    )
    parts = decompose(rows, FACTORS, tok_per_s_per_user=50).parts.set_index("part")
    for name, gain in zip(NAMES, (chip, precision, speculative), strict=True):
        assert parts.loc[name, ["low_ratio", "ratio", "high_ratio"]].tolist() == pytest.approx([gain] * 3, rel=1e-9)


def test_the_average_over_orders_is_the_shapley_value_worked_by_hand():
    """Alone the chip doubles and FP4 gives a half more; together they give six times."""
    values = {("h200", "fp8"): 100.0, ("h200", "fp4"): 150.0, ("gb300", "fp8"): 200.0, ("gb300", "fp4"): 600.0}
    rows = grid({(*pair, "none"): value for pair, value in values.items()})
    two = {name: FACTORS[name] for name in NAMES[:2]}
    parts = decompose(rows, two, tok_per_s_per_user=50).parts.set_index("part")
    assert parts.loc["chip", "ratio"] == pytest.approx(math.sqrt(2 * 4))
    assert parts.loc["precision", "ratio"] == pytest.approx(math.sqrt(1.5 * 3))


def test_between_two_runs_the_range_is_what_both_allow():
    """At 75 the run at 100 stands for each; the run at 50 has twice its throughput, on either side of the division."""
    rows = grid({("h200", "fp8", "none"): 100.0, ("gb300", "fp8", "none"): 300.0})
    found = decompose(rows, {"chip": FACTORS["chip"]}, tok_per_s_per_user=75)
    assert found.parts.loc[0, ["low_ratio", "ratio", "high_ratio"]].tolist() == pytest.approx([1.5, 3, 6])
    assert (found.low_ratio, found.ratio, found.high_ratio) == pytest.approx((1.5, 3, 6))


def test_what_cannot_be_told_apart_stays_together_and_has_no_number_of_its_own():
    """An H200 has no FP4 arithmetic: chip and precision have one product, and no share of it belongs to either."""
    values = {corner: 100.0 * 2**i for i, corner in enumerate(CORNERS) if corner[:2] != ("h200", "fp4")}
    found = decompose(grid(values), FACTORS, tok_per_s_per_user=50)
    assert found.parts["part"].tolist() == ["chip + precision", "speculative decoding"] and not found.is_complete
    # The product without and with speculative decoding, 2^6 / 2^0 and 2^7 / 2^1; and that alone, on the old chip and on the new.
    assert found.parts["ratio"].tolist() == pytest.approx([64, 2])
    assert math.prod(found.parts["ratio"]) == pytest.approx(found.ratio)
    missing = found.cells.loc[found.cells["is_missing"], "why"].tolist()
    assert missing == ["no measured run is H200, FP4, no MTP", "no measured run is H200, FP4, MTP"]


def test_a_single_change_has_a_range_of_what_was_seen_and_says_beside_what():
    values = {corner: 100.0 * 2**i for i, corner in enumerate(CORNERS) if corner[:2] != ("h200", "fp4")}
    single = decompose(grid(values), FACTORS, tok_per_s_per_user=50).factors.set_index("factor")
    assert "ratio" not in single
    assert single.loc["precision", ["low_ratio", "high_ratio", "n_steps", "only_with"]].tolist() == [4, 4, 2, "GB300"]
    assert single.loc["chip", ["low_ratio", "high_ratio", "n_steps", "only_with"]].tolist() == [16, 16, 2, "FP8"]
    assert single.loc["speculative decoding", ["n_steps", "n_possible_steps", "only_with"]].tolist() == [3, 4, ""]


def test_what_one_accelerator_gains_is_not_carried_to_another():
    """Only the old chip ran undivided: what dividing gains there is no factor between the two chips."""
    rows = grid({("h200", "fp8", "none"): 100.0, ("h200", "fp8", "divided"): 80.0, ("gb300", "fp8", "divided"): 400.0})
    factors = {"chip": FACTORS["chip"], "disaggregation": ({"speculative": "none"}, {"speculative": "divided"})}
    found = decompose(rows, factors, tok_per_s_per_user=50)
    assert found.parts[["part", "ratio"]].values.tolist() == [["chip + disaggregation", pytest.approx(4)]]
    assert found.factors.set_index("factor").loc["disaggregation", ["high_ratio", "only_with"]].tolist() == [pytest.approx(0.8), "H200"]


def test_with_nothing_measured_between_the_ends_there_is_one_product():
    found = decompose(grid({CORNERS[0]: 100.0, CORNERS[-1]: 700.0}), FACTORS, tok_per_s_per_user=50)
    assert found.parts[["part", "ratio"]].values.tolist() == [["chip + precision + speculative decoding", pytest.approx(7)]]
    assert found.factors["n_steps"].tolist() == [0, 0, 0] and found.factors["low_ratio"].isna().all()


def test_beyond_the_measured_range_there_is_no_decomposition():
    """A run far faster is measured too, and would be no run at this speed: neither end of the range is filled in."""
    rows = grid(dict.fromkeys(CORNERS, 100.0))
    for speed in (5, 200):
        with pytest.raises(NotMeasured, match=f"baseline was not measured at {speed} .*from 10 to 100"):
            decompose(rows, FACTORS, tok_per_s_per_user=speed)
    table = decompose_by_speed(rows, FACTORS, tok_per_s_per_user=[50, 200])
    assert table.groupby("tok_per_s_per_user")["ratio"].count().tolist() == [3, 0]


def test_every_combination_names_the_run_that_stands_for_it():
    """The most throughput among the runs at least as fast: its software, its date, its speed."""
    old = grid({CORNERS[0]: 100.0}).assign(image="v1", run_date="2026-01-01")
    new = grid({CORNERS[0]: 90.0, CORNERS[-1]: 300.0}).assign(image="v2", run_date="2026-03-01")
    cells = decompose(pd.concat([old, new]), FACTORS, tok_per_s_per_user=60).cells.set_index("configuration")
    named = ["total_tok_per_s_per_gpu", "tok_per_s_per_user", "image", "run_date"]
    assert cells.loc["H200, FP8, no MTP", named].tolist() == [50, 100, "v1", "2026-01-01"]
    assert cells.loc["GB300, FP4, MTP", named].tolist() == [150, 100, "v2", "2026-03-01"]
    assert cells.loc["H200, FP4, MTP", named].isna().all()


def test_two_factors_that_change_one_column_are_refused():
    with pytest.raises(QuantityError, match="chip and generation both change `accelerator`"):
        decompose(grid({}), FACTORS | {"generation": FACTORS["chip"]}, tok_per_s_per_user=50)


def test_a_more_expensive_hour_is_a_part_of_the_cost_ratio():
    rows = grid(dict(zip(CORNERS, [100.0] * 4 + [400.0] * 4, strict=True)))
    rates = [rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-03") for name in ("h200", "gb300")]
    found = decompose(rows, FACTORS, tok_per_s_per_user=50, baseline_rate=rates[0], candidate_rate=rates[1])
    assert found.of == "cost"
    assert found.parts.iloc[-1][["part", "ratio"]].tolist() == [PRICE, pytest.approx(1.41 / 2.652)]
    assert found.ratio == pytest.approx(4 * 1.41 / 2.652)
    rented = rate(accelerator="gb300", price_basis="rental_3yr", rate_vintage="2026-03")
    with pytest.raises(QuantityError, match="price_basis is rental_3yr.*take both on one basis"):
        decompose(rows, FACTORS, tok_per_s_per_user=50, baseline_rate=rates[0], candidate_rate=rented)


def test_hopper_to_blackwell_is_split_only_where_it_was_measured():
    """DeepSeek-R1: no H200 computes in FP4 and no GB300 ran undivided, so three changes have one product."""
    factors = FACTORS | {"disaggregation": ({"deployment": "aggregated"}, {"deployment": "disaggregated"})}
    for isl in (1024, 8192):
        found = decompose(pool(model="dsr1", isl=isl, osl=1024).rows, factors, tok_per_s_per_user=70)
        assert found.parts["part"].tolist() == ["chip + precision + disaggregation", "speculative decoding"]
        assert found.factors.set_index("factor")["only_with"].to_dict() == {
            "chip": "FP8, disaggregated",
            "precision": "GB300, disaggregated",
            "speculative decoding": "",
            "disaggregation": "H200, FP8",
        }


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
