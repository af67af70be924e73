"""Intervals from few requests hold the truth as often as they say."""

import numpy as np
import pytest
from scipy import signal, stats

from tokcost import doubt
from tokcost.quantities import QuantityError


@pytest.mark.parametrize(("level", "n"), [(0.5, 71), (0.9, 71), (0.99, 1000)])
def test_ninety_per_cent_intervals_of_a_quantile_hold_it_nine_times_in_ten(level, n):
    """At least: ranks are whole, so that the interval can only be a little too wide."""
    truth = stats.lognorm(1.0).ppf(level)
    rng = np.random.default_rng(1)
    found = [doubt.quantile_interval(rng.lognormal(0, 1, n), level) for _ in range(2000)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.88 < held < 0.95


def test_p99_of_71_requests_is_the_slowest_request_and_is_said_to_be():
    times = np.random.default_rng(0).lognormal(0, 1, 71)
    found = doubt.quantile_interval(times, 0.99)
    assert found.value == times.max()
    assert np.isnan(found.high)
    assert found.said.startswith("p99 of 71 requests is the slowest request")
    assert doubt.quantile_interval(times, 0.5).said == "median of 71 requests"


def test_the_smallest_sample_that_bounds_a_percentile_is_that_of_order_statistics():
    """The largest of n observations is above p99 with probability 1 - 0.99^n."""
    needed = int(np.ceil(np.log(0.05) / np.log(0.99)))
    assert np.isnan(doubt.quantile_interval(range(needed - 1), 0.99).high)
    assert doubt.quantile_interval(range(needed), 0.99).high == needed - 1


@pytest.mark.parametrize(
    ("n", "correlation"), [(500, 0.0), (500, 0.6), (500, 0.9), (100, 0.0), (100, 0.8), (100, 0.9), (50, 0.8)]
)
def test_throughput_intervals_hold_the_truth_where_requests_wait_for_each_other(n, correlation):
    """Gaps between ends follow each other (an autoregression); as independent requests they would be thought far surer."""
    rng = np.random.default_rng([n, int(10 * correlation)])
    scores = signal.lfilter([np.sqrt(1 - correlation**2)], [1, -correlation], rng.normal(size=(2500, n + 200)))[:, 200:]
    gaps, truth, held, naive = np.exp(0.5 * scores), np.exp(0.125), [], []
    for run in gaps:
        low, value, high = doubt.throughput_interval(np.cumsum(run), np.full(n, 100.0))
        held.append(low <= 100 / truth <= high)
        naive.append(abs(np.log(value * truth / 100)) <= 1.645 * run.std() / run.mean() / np.sqrt(n))
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)
    if correlation:
        assert np.mean(naive) < 0.75


def test_a_throughput_interval_of_twenty_requests_is_rather_too_wide_than_too_narrow():
    rng = np.random.default_rng(8)
    scores = signal.lfilter([0.6], [1, -0.8], rng.normal(size=(1000, 220)))[:, 200:]
    ends = [doubt.throughput_interval(np.cumsum(run), np.ones(20)) for run in np.exp(0.5 * scores)]
    assert 0.88 < np.mean([low <= np.exp(-0.125) <= high for low, _, high in ends]) < 0.95


def test_throughput_intervals_hold_the_truth_where_lengths_vary_and_memory_is_of_a_slow_wave():
    """A second order memory, and tokens that lengthen their own request: no first-order autoregression."""
    rng = np.random.default_rng(6)
    waves = signal.lfilter([1.0], [1, -1.1, 0.3], rng.normal(size=(2000, 600)))[:, 200:]
    tokens = rng.lognormal(5, 0.6, waves.shape)
    gaps = tokens * np.exp(0.4 * waves / waves.std()) / 100
    truth = tokens.mean() / gaps.mean()
    ends = [doubt.throughput_interval(np.cumsum(gap), given) for gap, given in zip(gaps, tokens, strict=True)]
    assert np.mean([low <= truth <= high for low, _, high in ends]) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: doubt.quantile_interval([]), "needs observations"),
        (lambda: doubt.quantile_interval([1.0, np.nan]), "drop what is not known"),
        (lambda: doubt.quantile_interval([1.0, 2.0], 99), "give a fraction, not a percentage"),
        (lambda: doubt.throughput_interval([1, 2, 3], [1, 2, 3]), "eight finished requests"),
        (lambda: doubt.throughput_interval([1, 2, 3], [1, 2]), "its end and its tokens"),
        (lambda: doubt.throughput_interval(range(9), [0] * 9), "some that are more"),
        (lambda: doubt.throughput_interval(range(9), [1] * 9, confidence=90), "not a percentage"),
        (lambda: doubt.throughput_interval([1.0] * 9, [1.0] * 9), "all requests end at one moment"),
    ],
)
def test_samples_that_say_nothing_are_refused(call, sentence):
    with pytest.raises(QuantityError, match=sentence):
        call()
