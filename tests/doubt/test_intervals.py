"""The interval by smoothing: closed forms, the same as counting, and counting where it does not apply."""

import numpy as np
import pytest
from scipy import stats

from tokcost import doubt
from tokcost.doubt.sampling import LEVELS
from tokcost.quantities import QuantityError

RATE, SPEED = doubt.lognormal(1.0, 4.0), doubt.lognormal(50.0, 300.0)


def ends(table) -> list[float]:
    return table[["low", "median", "high"]].to_numpy()[0].tolist()


def test_products_and_ratios_of_lognormals_are_the_closed_form():
    spread = np.hypot(np.log(4), np.log(6)) / 2 / stats.norm.ppf(0.95)
    found = doubt.interval(lambda rate, speed: {"ratio": rate / speed, "product": rate * speed}, {"rate": RATE, "speed": SPEED}, n_draws=64)
    for row, scale in zip(found.itertuples(), (2 / np.sqrt(15000), 2 * np.sqrt(15000)), strict=True):
        assert [row.low, row.median, row.high] == pytest.approx(stats.lognorm(spread, scale=scale).ppf(LEVELS).tolist(), rel=1e-4)
        assert not row.is_counted


def test_a_sum_of_correlated_normals_is_exact():
    found = doubt.interval(
        lambda a, b: a + b, {"a": doubt.normal(10, 3), "b": doubt.normal(20, 4)}, correlation={("a", "b"): 0.6}, n_draws=64
    )
    sd = np.sqrt(9 + 16 + 24 * 2 * np.sin(np.pi * 0.6 / 6))
    assert ends(found) == pytest.approx(stats.norm(30, sd).ppf(LEVELS).tolist(), rel=1e-6)


MIX = {
    "price": doubt.pert(1.0, 2.0, 5.0), "life": doubt.uniform(3.0, 6.0), "speed": SPEED,
    "busy": doubt.triangular(0.2, 0.6, 0.9), "power": doubt.from_quantiles([0, 0.5, 1], [0.5, 1.0, 1.2]),
}  # fmt: skip


def mixed(price, life, speed, busy, power):
    return (price / life + 0.1 * power) / (speed * busy)


def test_it_is_what_counting_many_draws_gives_and_says_how_far_off_it_may_be():
    counted = doubt.draw(mixed, MIX, n_draws=2**19)
    found = [doubt.interval(mixed, MIX, seed=seed) for seed in range(5)]
    assert ends(found[0]) == pytest.approx(list(counted.interval()), rel=2e-3)
    spread = np.std([ends(one) for one in found], axis=0) / np.mean([ends(one) for one in found], axis=0)
    assert spread.max() < 5 * np.mean([one["error_frac"] for one in found])
    assert spread.max() < 1e-3


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (lambda a, b: a + 5 * b, {"a": doubt.normal(0, 1), "b": doubt.discrete([0.0, 1.0], [0.5, 0.5])}),
        (lambda a, b: a**2 + 0.2 * a + b, {"a": doubt.normal(0, 1), "b": doubt.uniform(1, 2)}),
        (lambda a: 0 * a + a.clip(0.2, None), {"a": doubt.uniform(0, 1)}),
    ],
)
def test_where_a_result_does_not_rise_steadily_draws_are_counted(function, inputs):
    found = doubt.interval(function, inputs)
    assert found["is_counted"].all()
    assert ends(found) == pytest.approx(list(doubt.draw(function, inputs, n_draws=2**17).interval()), abs=0.02)


def test_a_result_that_does_not_vary_is_refused():
    with pytest.raises(QuantityError, match="`value` does not vary"):
        doubt.interval(lambda a: 0 * a + 1, {"a": doubt.uniform(0, 1)})
