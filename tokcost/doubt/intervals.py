"""The interval of a smooth result from few draws: the direction in which the result rises is integrated exactly.

A quantile counts draws on one side of a line, and counting converges slowly. Most models rise steadily in one direction of their
inputs (dearer, slower, idler). Along that direction the place where the result crosses the line is found by root finding, and the
chance to lie below it is known; only the other directions, in which the result hardly changes, are left to draws. Source: Griewank,
Kuo, Leövey and Sloan, "High dimensional integration of kinks and jumps: smoothing by preintegration", J. Comput. Appl. Math. 344 (2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from tokcost.doubt.asked import require_power_of_2
from tokcost.doubt.correlation import RankTable, score_correlation
from tokcost.doubt.distributions import Inputs, checked, is_known, score_function
from tokcost.doubt.drivers import uncertain
from tokcost.doubt.sampling import LEVELS, by_label, draw
from tokcost.quantities import QuantityError

#: a crossing is found when the result is this near its line, as a share of it
_NEAR = 1e-7
_MOST_STEPS = 15
_DENSITY = 1 / np.sqrt(2 * np.pi)


def interval(
    function: Callable[..., Any],
    inputs: Inputs,
    *,
    correlation: RankTable | None = None,
    n_draws: int = 2**11,
    n_replicates: int = 4,
    seed: int = 0,
) -> pd.DataFrame:
    """The 5 % quantile, the median and the 95 % quantile of each result, and how far off they may be.

    For results that rise or fall steadily with their inputs this takes far fewer draws than counting (`draw`), which does the work
    where they do not: where an input is one of a few values, or the result turns round. `n_draws` and `n_replicates` are powers of 2.

    Columns: `label`, `low`, `median`, `high`, `error_frac` (the largest of the three standard errors, as a share of its quantile),
    `is_counted` (whether draws were counted after all).
    Raises: QuantityError as `draw` does, and for a result that does not vary.

    >>> from tokcost.doubt import lognormal
    >>> found = interval(lambda rate, speed: rate / speed, {"rate": lognormal(2.0, 8.0), "speed": lognormal(1.0, 4.0)})
    >>> found[["low", "median", "high"]].round(3).values.tolist()
    [[0.75, 2.0, 5.33]]
    """
    checked(function, inputs)
    for what, number in (("n_replicates", n_replicates), ("n_draws", n_draws)):
        require_power_of_2(what, number)
    names = uncertain(inputs)
    known = {name: float(value) for name, value in inputs.items() if is_known(value)}
    factor = np.linalg.cholesky(score_correlation(names, correlation))
    functions = [score_function(inputs[name]) for name in names]

    def at(scores: np.ndarray) -> dict[str, np.ndarray]:
        rows = factor @ scores if correlation else scores
        results = by_label(function(**known, **{name: f(row) for name, f, row in zip(names, functions, rows, strict=True)}))
        return {label: np.broadcast_to(np.asarray(one, dtype=float), scores.shape[1:]) for label, one in results.items()}

    sources = np.random.SeedSequence(seed).spawn(n_replicates)
    n = n_draws // n_replicates
    across = len(names) - 1
    fresh = np.zeros((n_replicates, 0, n))
    if across:
        fresh = np.stack([ndtri(qmc.Sobol(across, rng=np.random.default_rng(s)).random(n).T + 2.0**-31) for s in sources])
    quantiles = _crossings(at, len(names), fresh)
    if quantiles is None:
        counted = draw(function, inputs, correlation=correlation, n_draws=16 * n_draws, seed=seed)
        rows = [(label, [counted.quantile(level, label) for level in LEVELS]) for label in counted.values]
        table = [(label, *(one.value for one in three), _worst(*zip(*three, strict=True)), True) for label, three in rows]
    else:
        error = {label: each.std(axis=1, ddof=1) / np.sqrt(n_replicates) for label, each in quantiles.items()}
        table = [(label, *each.mean(axis=1), _worst(each.mean(axis=1), error[label]), False) for label, each in quantiles.items()]
    return pd.DataFrame(table, columns=["label", "low", "median", "high", "error_frac", "is_counted"])


def _worst(values, errors) -> float:
    return float(np.max(np.asarray(errors) / np.abs(values)))


def _crossings(at: Callable[[np.ndarray], dict], n_inputs: int, fresh: np.ndarray) -> dict[str, np.ndarray] | None:
    """Label -> quantiles by (level, scramble); None where a result does not cross its lines steadily."""
    unit = np.eye(n_inputs)
    steps = at(np.hstack([unit, -unit]))
    labels, blocks, directions = list(steps), [], []
    for label, result in steps.items():
        slope = result[:n_inputs] - result[n_inputs:]
        if not np.any(slope):
            raise QuantityError(f"`{label}` does not vary with any uncertain input, or not steadily; look at `draw`")
        direction = slope / np.linalg.norm(slope)
        # columns across the direction: a reflection that takes the axis of the steepest input to it, the next steepest first
        axes = np.argsort(-np.abs(direction), kind="stable")
        mirror = direction + np.copysign(unit[axes[0]], direction[axes[0]])
        rest = (unit - 2 * np.outer(mirror, mirror) / (mirror @ mirror))[:, axes[1:]]
        blocks.append(np.einsum("ij,rjn->irn", rest, fresh))
        directions.append(direction)
    n_labels, (n_replicates, _, n) = len(labels), fresh.shape
    across = np.stack(blocks, axis=1)[:, :, None]  # input, label, level, scramble, draw
    along = np.stack(directions, axis=1)[:, :, None, None, None]
    shape = (n_labels, len(LEVELS), n_replicates, n)

    def results(t: np.ndarray) -> np.ndarray:
        found = at((across + along * t).reshape(n_inputs, -1))
        return np.stack([found[label].reshape(shape)[k] for k, label in enumerate(labels)])

    goal = np.array(LEVELS)[:, None]
    t = np.broadcast_to(ndtri(np.array(LEVELS))[:, None, None], shape)
    y = results(t)
    slope = (results(t + 0.1) - y) / 0.1
    line = np.median(y, axis=-1)
    for _ in range(_MOST_STEPS):
        if not (np.isfinite(y).all() and (slope > 0).all()):
            return None
        line = _line(t, y, slope, line, goal)
        step = ((line[..., None] - y) / slope).clip(-1, 1)
        there = results(t + step)
        moved = np.abs(step) > 1e-9
        slope = np.where(moved, (there - y) / np.where(moved, step, 1.0), slope)
        t, y = t + step, there
        if np.max(np.abs(y - line[..., None]) / np.abs(line[..., None])) < _NEAR:
            return {label: line[k] for k, label in enumerate(labels)}
    return None


def _line(t: np.ndarray, y: np.ndarray, slope: np.ndarray, line: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The lines below which the chance is the goal, where results are straight around their last places."""
    for _ in range(20):
        crossing = t + (line[..., None] - y) / slope
        off = ndtr(crossing).mean(axis=-1) - goal
        line = line - off / (_DENSITY * np.exp(-(crossing**2) / 2) / slope).mean(axis=-1)
        if np.abs(off).max() < 1e-12:
            break
    return line
