"""Drivers and decisions against closed forms and published values."""

import numpy as np
import pytest
from scipy import stats

from tokcost import doubt
from tokcost.quantities import QuantityError

ANGLES = {name: doubt.uniform(-np.pi, np.pi) for name in ("x1", "x2", "x3")}


def ishigami(x1, x2, x3):
    return np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)


def by_name(table, column):
    return table.set_index("input_name")[column]


def test_ishigami_indices_are_the_published_values():
    """T. Ishigami and T. Homma (1990), with a = 7 and b = 0.1."""
    found = doubt.sobol_indices(ishigami, ANGLES, n_draws=2**13)
    for column, values in (("first_frac", (0.3139, 0.4424, 0.0)), ("total_frac", (0.5576, 0.4424, 0.2437))):
        assert by_name(found, column)[["x1", "x2", "x3"]].tolist() == pytest.approx(values, abs=0.01)
    assert (found[["first_error", "total_error"]] < 0.05).all().all()


def test_indices_and_their_errors_are_the_same_every_time():
    first, second = (doubt.sobol_indices(ishigami, ANGLES, n_draws=2**8) for _ in range(2))
    assert first.equals(second)


def test_indices_of_the_g_function_are_its_closed_form_with_twenty_inputs():
    """Sobol's g-function: V_i = 1 / (3 (1 + a_i)^2), the total by the product of 1 + V_j."""
    a = np.array([0, 1, 4.5, 9, *[99] * 16])
    names = [f"x{k}" for k in range(20)]

    def g(**x):
        return np.prod([(np.abs(4 * x[name] - 2) + one) / (1 + one) for name, one in zip(names, a, strict=True)], axis=0)

    found = doubt.sobol_indices(g, {name: doubt.uniform(0, 1) for name in names}, n_draws=2**12)
    alone = 1 / (3 * (1 + a) ** 2)
    variance = np.prod(1 + alone) - 1
    total = alone * np.prod(1 + alone) / (1 + alone) / variance
    assert by_name(found, "first_frac")[names].tolist() == pytest.approx((alone / variance).tolist(), abs=0.02)
    assert by_name(found, "total_frac")[names].tolist() == pytest.approx(total.tolist(), abs=0.02)


def test_shapley_effects_of_a_linear_model_are_the_closed_form_with_correlation():
    """For a linear model of normals the explained variance of a subset is known: b' S_J S_JJ^-1 S_J' b."""
    names, slopes, rank = ["a", "b", "c"], np.array([1.0, 2.0, 0.5]), 0.7
    score = 2 * np.sin(np.pi * rank / 6)
    cov = np.array([[1, score, 0], [score, 1, 0], [0, 0, 1.0]])

    def explained(subset):
        j = list(subset)
        return slopes @ cov[:, j] @ np.linalg.solve(cov[np.ix_(j, j)], cov[j] @ slopes) if j else 0.0

    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    gains = np.array([[explained(o[: o.index(k) + 1]) - explained(o[: o.index(k)]) for k in range(3)] for o in orders])
    exact = gains.mean(axis=0) / (slopes @ cov @ slopes)
    inputs = {name: doubt.normal(0, 1) for name in names}
    found = doubt.shapley_effects(lambda a, b, c: a + 2 * b + 0.5 * c, inputs, correlation={("a", "b"): rank})
    assert by_name(found, "shapley_frac")[names].tolist() == pytest.approx(exact.tolist(), abs=0.01)
    assert found["shapley_frac"].sum() == pytest.approx(1)


def test_without_correlation_a_shapley_effect_lies_between_the_first_and_the_total_index():
    shares = by_name(doubt.shapley_effects(ishigami, ANGLES, n_draws=2**13), "shapley_frac")
    assert shares[["x1", "x2", "x3"]].tolist() == pytest.approx([0.4357, 0.4424, 0.1218], abs=0.015)


def test_a_tornado_moves_all_inputs_between_the_same_percentiles():
    inputs = {"rate": doubt.pert(1.0, 2.0, 4.0), "speed": doubt.lognormal(80.0, 120.0), "hours": 2.0}
    table = doubt.tornado(lambda rate, speed, hours: hours * rate / speed, inputs).set_index("input_name")
    assert list(table.index) == ["rate", "speed"]
    for name in table.index:
        assert table.loc[name, ["low", "value", "high"]].tolist() == pytest.approx(inputs[name].ppf([0.05, 0.5, 0.95]).tolist())
    assert table["at_value"].nunique() == 1
    assert table.loc["speed", "at_low"] > table.loc["speed", "at_high"]


def test_the_mean_of_ratios_is_high_by_one_plus_the_squared_variation_and_the_pooled_ratio_is_not():
    tokens = doubt.lognormal(50.0, 300.0)
    spent = doubt.draw(
        lambda usd, mtok: {"usd": usd, "mtok": mtok, "each": usd / mtok}, {"usd": doubt.uniform(1, 3), "mtok": tokens}, n_draws=2**17
    )
    variation = tokens.std() / tokens.mean()
    found = doubt.ratio(spent, "usd", "mtok")
    assert found.pooled == pytest.approx(2 / tokens.mean(), rel=1e-3)
    assert spent["each"].mean() / found.pooled == pytest.approx(1 + variation**2, rel=0.01)
    assert found.low < found.median < found.high


def test_the_chance_that_one_is_cheaper_is_the_closed_form_and_what_both_share_cancels():
    inputs = {"old": doubt.lognormal(1.0, 2.0), "new": doubt.lognormal(0.8, 1.8), "hour": doubt.lognormal(0.2, 20.0)}
    drawn = doubt.draw(lambda old, new, hour: {"old": old * hour, "new": new * hour}, inputs, n_draws=2**16)
    found = doubt.chance(drawn, np.less, "new", "old")
    spread = np.hypot(np.log(2), np.log(1.8 / 0.8)) / 2 / stats.norm.ppf(0.95)
    exact = stats.norm.cdf(np.log(np.sqrt(2) / np.sqrt(0.8 * 1.8)) / spread)
    assert found.value == pytest.approx(exact, abs=3e-3)
    assert found.error < 3e-3
    assert doubt.chance(drawn, lambda old: old > 0, "old").value == 1


def test_the_value_of_knowing_is_the_closed_form():
    """Two options, one of them the other plus a normal: knowing it is worth its standard deviation times the density at 0."""

    def costs(a, b):
        return {"keep": 0 * a, "change": 3 * a + 1 * b}

    found = doubt.value_of_knowing(costs, {"a": doubt.normal(0, 1), "b": doubt.normal(0, 1)}, n_draws=2**17)
    assert found["input_name"].tolist() == ["a", "b", "all"]
    exact = np.array([3, 1, np.sqrt(10)]) * stats.norm.pdf(0)
    assert found["value_of_knowing"].tolist() == pytest.approx(exact.tolist(), abs=0.02)
    assert found["changes_choice_frac"].tolist() == pytest.approx([0.5] * 3, abs=0.02)


def test_scenarios_are_every_combination():
    table = doubt.scenarios(
        lambda rate, speed, load: rate / speed / load, {"load": 0.5}, rate=[1, 2], speed=[4.0, 8.0, 16.0], result="cost"
    )
    assert table.columns.tolist() == ["rate", "speed", "cost"]
    assert len(table) == 6
    assert np.allclose(table["cost"], table["rate"] / table["speed"] / 0.5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: doubt.tornado(lambda a: a, {"a": 1.0}), "no input is uncertain"),
        (lambda: doubt.sobol_indices(lambda a: 0 * a, {"a": doubt.uniform(0, 1)}), "does not vary"),
        (lambda: doubt.sobol_indices(lambda a: a, {"a": doubt.uniform(0, 1)}, n_draws=100), "power of 2"),
        (lambda: doubt.shapley_effects(lambda a: 0 * a, {"a": doubt.uniform(0, 1)}), "does not vary"),
        (lambda: doubt.shapley_effects(lambda **x: x["x1"], {f"x{k}": doubt.uniform(0, 1) for k in range(11)}), "too many subsets"),
        (lambda: doubt.value_of_knowing(lambda a: a, {"a": doubt.uniform(0, 1)}), "two options or more"),
        (lambda: doubt.tornado(lambda a: {"one": a, "two": a}, {"a": doubt.uniform(0, 1)}), "say which with label"),
        (lambda: doubt.scenarios(lambda **x: 1.0, {}, a=[1], b=[1], c=[1]), "one or two inputs"),
        (lambda: doubt.scenarios(lambda a: a, {"a": 1.0}, a=[1]), "both known and varied"),
        (lambda: doubt.scenarios(lambda a: a, {}, b=[1]), "there is no input `b`"),
        (lambda: doubt.tornado(lambda price: price, {"prise": doubt.uniform(0, 1)}), "did you mean `price`"),
        (lambda: doubt.tornado(lambda a: a, {"a": doubt.uniform(0, 1)}, levels=(5, 95)), "rising shares between 0 and 1"),
        (lambda: doubt.sobol_indices(lambda price: price, {"prise": doubt.uniform(0, 1)}), "did you mean `price`"),
        (lambda: doubt.shapley_effects(lambda price: price, {"prise": doubt.uniform(0, 1)}), "did you mean `price`"),
        (lambda: doubt.interval(lambda price: price, {"prise": doubt.uniform(0, 1)}), "did you mean `price`"),
        (lambda: doubt.interval(lambda a: a, {"a": doubt.uniform(0, 1)}, n_draws=1000), "got 1000; take 1024"),
        (lambda: doubt.value_of_knowing(lambda price: {"x": price}, {"prise": doubt.uniform(0, 1)}), "did you mean `price`"),
    ],
)
def test_what_has_no_answer_is_said_in_one_sentence(call, sentence):
    with pytest.raises(QuantityError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
