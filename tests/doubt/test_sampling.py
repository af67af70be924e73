"""Draws through a formula: closed forms, bad inputs, and bytes that do not depend on how the work is cut."""

import numpy as np
import pytest
from scipy import stats

from tokcost import doubt
from tokcost.quantities import QuantityError

RATE, SPEED = doubt.lognormal(1.0, 4.0), doubt.lognormal(50.0, 300.0)
#: sd of the logarithm of those two
SD = [np.log(4) / 2 / stats.norm.ppf(0.95), np.log(6) / 2 / stats.norm.ppf(0.95)]


def cost(rate, speed):
    return rate / speed


def test_a_ratio_of_lognormals_has_the_quantiles_of_the_closed_form():
    drawn = doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=2**16)
    exact = stats.lognorm(np.hypot(*SD), scale=2.0 / np.sqrt(50 * 300))
    for level in (0.05, 0.5, 0.95):
        found = drawn.quantile(level)
        assert found.value == pytest.approx(exact.ppf(level), rel=2e-3)
        assert abs(found.value - exact.ppf(level)) < 5 * found.error


def test_a_sum_of_normals_with_a_rank_correlation_has_the_spread_of_the_closed_form():
    rank = 0.6
    inputs = {"a": doubt.normal(1.0, 3.0), "b": doubt.normal(2.0, 4.0)}
    drawn = doubt.draw(lambda a, b: a + b, inputs, correlation={("a", "b"): rank}, n_draws=2**16)["value"]
    assert drawn.std() == pytest.approx(np.sqrt(9 + 16 + 24 * 2 * np.sin(np.pi * rank / 6)), rel=1e-3)
    pair = doubt.draw(lambda a, b: {"a": a, "b": b}, inputs, correlation={("a", "b"): rank})
    assert stats.spearmanr(pair["a"].ravel(), pair["b"].ravel()).statistic == pytest.approx(rank, abs=0.005)


@pytest.mark.parametrize("method", ["sobol", "monte_carlo", "latin_hypercube"])
def test_bytes_do_not_depend_on_chunks_and_cores(method):
    inputs = {"rate": doubt.pert(1.0, 2.0, 5.0), "speed": SPEED}
    asked = {"correlation": {("rate", "speed"): 0.3}, "method": method, "n_draws": 2**13}
    first = doubt.draw(cost, inputs, chunk=2**13, n_threads=1, **asked)["value"]
    for chunk, n_threads in ((2**5, 1), (2**7, 2), (2**10, 3)):
        assert doubt.draw(cost, inputs, chunk=chunk, n_threads=n_threads, **asked)["value"].tobytes() == first.tobytes()


def test_sobol_points_are_far_nearer_than_as_many_random_draws():
    exact = 2.0 / np.sqrt(50 * 300)

    def off(method):
        medians = [
            doubt.draw(cost, {"rate": RATE, "speed": SPEED}, method=method, seed=seed, n_draws=2**15).interval()[1] for seed in range(8)
        ]
        return np.sqrt(np.mean((np.array(medians) / exact - 1) ** 2))

    assert off("sobol") < off("monte_carlo") / 5
    assert off("sobol") < off("latin_hypercube")


def test_precision_adds_draws_until_the_error_is_below_it_and_says_so_where_it_cannot():
    rough = doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=2**8, precision=0.05)
    fine = doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=2**8, precision=0.002)
    assert fine["value"].size > rough["value"].size
    assert all(fine.quantile(level).error <= 0.002 * fine.quantile(level).value for level in (0.05, 0.5, 0.95))
    again = doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=fine["value"].size)
    assert np.array_equal(np.sort(again["value"].ravel()), np.sort(fine["value"].ravel()))


def test_the_error_that_is_said_is_the_error_that_is_made():
    """Nine of ten estimates lie within 1.9 of their own errors (Student's t with 7 degrees of freedom)."""
    exact = stats.lognorm(np.hypot(*SD), scale=2.0 / np.sqrt(50 * 300)).ppf(0.95)
    drawn = [
        doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=2**9, seed=seed, method="monte_carlo").quantile(0.95)
        for seed in range(200)
    ]
    inside = np.mean([abs(one.value - exact) < 1.895 * one.error for one in drawn])
    assert inside == pytest.approx(0.9, abs=0.05)


def test_a_known_input_stays_a_number():
    seen = []
    doubt.draw(lambda rate, speed: seen.append(speed) or rate / speed, {"rate": RATE, "speed": 2})
    assert set(seen) == {2.0}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: doubt.pert(3, 2, 1), "low, value and high must rise, got 3, 2, 1"),
        (lambda: doubt.triangular(1, 5, 2), "must rise"),
        (lambda: doubt.uniform(2, 2), "a plain number for what is known"),
        (lambda: doubt.uniform(0, np.inf), "needs finite numbers"),
        (lambda: doubt.lognormal(0, 2), "a lognormal is above 0"),
        (lambda: doubt.lognormal(1, 2, between=(0.9, 0.1)), "rising shares"),
        (lambda: doubt.normal(1, -1), "standard deviation above 0"),
        (lambda: doubt.discrete([1, 2], [0.5, 0.6]), "add up to 1"),
        (lambda: doubt.discrete([1, 2], [1.0]), "each value needs its share"),
        (lambda: doubt.empirical([]), "needs observations"),
        (lambda: doubt.empirical([1, np.nan]), "drop what is not known"),
        (lambda: doubt.from_quantiles([0, 0.5], [1, 2]), "from 0 to 1"),
        (lambda: doubt.from_quantiles([0, 0.5, 1], [1, 3, 2]), "rise with their levels"),
        (lambda: doubt.draw(cost, {"rate": RATE, "sped": SPEED}), "there is no input `sped`; did you mean `speed`"),
        (lambda: doubt.draw(cost, {"rate": 1.0, "speed": 2.0}), "no input is uncertain"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": "fast"}), "must be a number or a distribution"),
        (lambda: doubt.draw(lambda **of: of["utilization_frac"], {"utilization_frac": doubt.uniform(0.5, 1.2)}), "not a percentage"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=1000), "each of the 8 scrambles, got 1000; take 1024"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=8), "got 8; take 16"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, method="sobel"), "did you mean `sobol`"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, method="latin_hypercube", precision=0.1), "can be added to"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, correlation={("rate", "sped"): 0.5}), "did you mean `speed`"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, correlation={("rate", "speed"): 1.5}), "in \\(-1, 1\\)"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED})["valu"], "did you mean `value`"),
        (lambda: doubt.draw(lambda rate: np.where(rate > 2, np.nan, rate), {"rate": RATE}), "no finite numbers"),
        (lambda: doubt.pert(1, "two", 3), "must be numbers"),
        (lambda: doubt.empirical(["cheap"]), "must be numbers"),
        (lambda: doubt.draw(cost, {"rate": RATE}), "needs the input `speed`"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": None}), "must be a number or a distribution"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=1e4), "must be a whole number"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_draws=2**40), "ask for a precision instead"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, n_threads=0), "must be 1 or more"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}, correlation={("rate", "speed"): "high"}), "must be numbers"),
        (lambda: doubt.draw(lambda rate: rate[:3], {"rate": RATE}), "one `value` for each draw"),
        (lambda: doubt.draw(cost, {"rate": RATE, "speed": SPEED}).quantile(95), "not a percentage"),
    ],
)
def test_wrong_distributions_give_one_sentence(call, sentence):
    with pytest.raises(QuantityError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_correlations_that_no_inputs_can_have_are_refused():
    inputs = {name: doubt.normal(0, 1) for name in "abc"}
    table = {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9}
    with pytest.raises(QuantityError, match="not positive definite.*a with b 0.9.*lower one"):
        doubt.draw(lambda a, b, c: a + b + c, inputs, correlation=table)


@pytest.mark.parametrize(
    "drawn",
    [
        doubt.pert(1.0, 1.0, 4.0), doubt.triangular(0.0, 1.0, 4.0), doubt.uniform(1.0, 3.0), doubt.normal(0.0, 2.0),
        doubt.lognormal(1.0, 9.0), doubt.discrete([3.0, 1.0], [0.25, 0.75]), doubt.empirical([1, 1, 2, 7]),
        doubt.from_quantiles([0, 0.2, 0.9, 1], [0.0, 1.0, 4.0, 9.0]), doubt.from_quantiles([0, 0.5, 1], [1.0, 1.0, 2.0]),
    ],
    ids=["pert", "triangular", "uniform", "normal", "lognormal", "discrete", "empirical", "quantiles", "quantiles with a step"],
)  # fmt: skip
def test_draws_follow_their_distribution(drawn):
    found = np.sort(doubt.draw(lambda x: x, {"x": drawn})["value"].ravel())
    shares = (np.arange(len(found)) + 0.5) / len(found)
    assert np.abs(found - drawn.ppf(shares)).mean() < 2e-3 * np.ptp(found)
