"""Shares of the variance where inputs move together: what two correlated inputs explain in common is divided between them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from tokcost.doubt.asked import require_power_of_2
from tokcost.doubt.correlation import RankTable, score_correlation
from tokcost.doubt.distributions import Inputs, checked, quantile_function
from tokcost.doubt.drivers import one_result, uncertain
from tokcost.quantities import QuantityError

#: every subset of the inputs is worked out; more inputs than this are too many
MOST_INPUTS = 10


def shapley_effects(
    function: Callable[..., Any],
    inputs: Inputs,
    *,
    correlation: RankTable | None = None,
    n_draws: int = 2**12,
    n_replicates: int = 4,
    seed: int = 0,
    label: str | None = None,
) -> pd.DataFrame:
    """Which share of the variance each input explains, where inputs are correlated; the shares add up to one.

    What a subset of inputs explains is the variance of the expectation that it fixes; an input gets what it adds to a subset, on
    average over all orders. Source: A. Owen, "Sobol' indices and Shapley value", SIAM/ASA Journal on Uncertainty Quantification 2
    (2014); correlated inputs by a Gaussian copula. `n_draws` is a power of 2, for each subset and each scramble.

    Columns: `input_name`, `shapley_frac`, `shapley_error` (standard error, from independent scrambles); the largest first.
    Raises: QuantityError for more than ten uncertain inputs, or a result that does not vary.

    >>> from tokcost.doubt import normal
    >>> inputs = {"a": normal(0, 1), "b": normal(0, 1)}
    >>> shapley_effects(lambda a, b: a + b, inputs, correlation={("a", "b"): 0.8})["shapley_frac"].round(2).tolist()
    [0.5, 0.5]
    """
    checked(function, inputs)
    require_power_of_2("n_draws", n_draws)
    names, result = uncertain(inputs), one_result(function, inputs, label)
    if len(names) > MOST_INPUTS:
        raise QuantityError(f"Shapley effects of {len(names)} inputs need too many subsets; fix all but {MOST_INPUTS} (see `tornado`)")
    scores = score_correlation(names, correlation)
    functions = {name: quantile_function(inputs[name]) for name in names}

    def at(z: np.ndarray) -> np.ndarray:
        shares = ndtr(z)
        return result(**{name: quantile(row) for (name, quantile), row in zip(functions.items(), shares, strict=True)})

    sources = np.random.SeedSequence(seed).spawn(n_replicates)
    effects = np.array([_effects(at, scores, n_draws, np.random.default_rng(source)) for source in sources])
    if not np.isfinite(effects).all():
        raise QuantityError("the result does not vary with any uncertain input; there is no variance to share")
    table = pd.DataFrame(
        {
            "input_name": names,
            "shapley_frac": effects.mean(axis=0),
            "shapley_error": effects.std(axis=0, ddof=1) / np.sqrt(n_replicates),
        }
    )
    return table.sort_values("shapley_frac", ascending=False, kind="stable", ignore_index=True)


def _effects(at: Callable[[np.ndarray], np.ndarray], scores: np.ndarray, n_draws: int, generator: np.random.Generator) -> np.ndarray:
    n = len(scores)
    fresh = ndtri(qmc.Sobol(2 * n, rng=generator).random(n_draws).T + 2.0**-31)
    drawn = np.linalg.cholesky(scores) @ fresh[:n]
    here = at(drawn)
    explained = {(): 0.0, tuple(range(n)): float(np.var(here))}
    for size in range(1, n):
        for fixed in combinations(range(n), size):
            there = at(_again(drawn, scores, list(fixed), fresh[n : 2 * n - size]))
            both = (here.mean() + there.mean()) / 2
            explained[fixed] = float(np.mean((here - both) * (there - both)))
    effects = np.zeros(n)
    for subset, variance in explained.items():
        for one in set(range(n)) - set(subset):
            effects[one] += (explained[tuple(sorted((*subset, one)))] - variance) / comb(n - 1, len(subset)) / n
    with np.errstate(invalid="ignore"):
        return effects / np.var(here)


def _again(drawn: np.ndarray, scores: np.ndarray, fixed: list[int], fresh: np.ndarray) -> np.ndarray:
    """Scores with some inputs as they were drawn and the others drawn anew, given those."""
    free = [k for k in range(len(scores)) if k not in fixed]
    slope = np.linalg.solve(scores[np.ix_(fixed, fixed)], scores[np.ix_(fixed, free)]).T
    left = scores[np.ix_(free, free)] - slope @ scores[np.ix_(fixed, free)]
    again = drawn.copy()
    again[free] = slope @ drawn[fixed] + np.linalg.cholesky(left) @ fresh
    return again
