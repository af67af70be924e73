"""Draws of uncertain inputs through any formula that takes arrays, and how far off the estimate itself is.

Scrambled Sobol points fill the space of inputs evenly, so that the same error takes far fewer of them than random draws. The points
are drawn in several independent scrambles: what these disagree by is the estimate's own error. Each scramble is one stream that is
worked through in chunks of the processor's cache, so that results are the same to the last byte for any chunk and number of cores.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from tokcost.doubt.asked import numbers, require_power_of_2
from tokcost.doubt.correlation import RankTable, score_correlation
from tokcost.doubt.distributions import Inputs, checked, is_known, quantile_function
from tokcost.quantities import QuantityError, nearest

#: gives the next points of a scramble, a row for each input
_Stream: TypeAlias = Callable[[int], np.ndarray]

METHODS = ("sobol", "latin_hypercube", "monte_carlo")
#: draws at which a second core begins to pay for its start
_WORTH_THREADS = 2**17
_MOST_DRAWS = 2**24
#: levels whose errors `precision` speaks of
LEVELS = (0.05, 0.5, 0.95)
#: half the distance of two Sobol points: keeps a share from being exactly 0
_HALF_STEP = 2.0**-31


class Estimate(NamedTuple):
    """A number from draws, and its standard error: what independent scrambles disagree by."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class Draws:
    """Results of a formula by label, each an array of (scramble, draw); draws of one place share their inputs across labels."""

    values: dict[str, np.ndarray]

    def __getitem__(self, label: str) -> np.ndarray:
        if label not in self.values:
            raise QuantityError(f"there is no result `{label}`{nearest(label, self.values)}")
        return self.values[label]

    def estimate(self, statistic: Callable[[np.ndarray], Any], *labels: str) -> Estimate:
        """A statistic of one or more results (arrays of draws), over all scrambles, with the error that they show."""
        arrays = [self[label] for label in labels]
        replicates = [float(statistic(*columns)) for columns in zip(*arrays, strict=True)]
        value = float(statistic(*(array.ravel() for array in arrays)))
        return Estimate(value, float(np.std(replicates, ddof=1) / np.sqrt(len(replicates))))

    def quantile(self, level: float, label: str | None = None) -> Estimate:
        """The value that this share of the draws stays below."""
        if not 0 <= level <= 1:
            raise QuantityError(f"`level` must be from 0 to 1, got {level:g}; give a fraction, not a percentage")
        return self.estimate(lambda drawn: np.quantile(drawn, level), label or self._only())

    def interval(self, label: str | None = None) -> tuple[float, float, float]:
        """The 5 % quantile, the median and the 95 % quantile."""
        low, median, high = np.quantile(self[label or self._only()], LEVELS)
        return float(low), float(median), float(high)

    def _only(self) -> str:
        if len(self.values) > 1:
            raise QuantityError(f"there are results for {', '.join(self.values)}; name one")
        return next(iter(self.values))


def draw(
    function: Callable[..., Any],
    inputs: Inputs,
    *,
    n_draws: int = 2**14,
    precision: float | None = None,
    correlation: RankTable | None = None,
    method: str = "sobol",
    n_replicates: int = 8,
    seed: int = 0,
    chunk: int = 2**13,
    n_threads: int | None = None,
) -> Draws:
    """Draws of the inputs through a function of keyword arguments, which returns an array or arrays by label.

    `n_draws` counts those of all scrambles (`n_replicates`) together, a power of 2 in each, as Sobol points must be. With `precision`
    draws are doubled until the error of the 5, 50 and 95 % quantiles is below that share of each. `correlation` is a table of
    rank correlations, {(input, input): rank}. `chunk` and `n_threads` change the time and nothing else.

    Raises: QuantityError for an input that the function does not take, a distribution out of range, correlations that cannot be,
    numbers of draws that are no powers of 2, a precision that is not met, and results that are not numbers.

    >>> from tokcost.doubt import lognormal
    >>> cost = draw(lambda rate, speed: rate / speed, {"rate": lognormal(2.0, 8.0), "speed": 2.0})
    >>> [round(end, 2) for end in cost.interval()]
    [1.0, 2.0, 4.0]
    """
    checked(function, inputs)
    if method not in METHODS:
        raise QuantityError(f"there is no sampling method `{method}`{nearest(method, METHODS)}")
    if n_replicates < 2:
        raise QuantityError(f"`n_replicates` must be 2 or more, got {n_replicates}: one scramble shows no error")
    require_power_of_2("n_draws", n_draws, parts=n_replicates)
    require_power_of_2("chunk", chunk)
    if n_draws > _MOST_DRAWS:
        raise QuantityError(f"`n_draws` must be {_MOST_DRAWS:,} at most, got {n_draws:,}; ask for a precision instead")
    if n_threads is not None and not n_threads > 0:
        raise QuantityError(f"`n_threads` must be 1 or more, got {n_threads}")
    if precision is not None and (method == "latin_hypercube" or not numbers("`precision`", precision) > 0):
        raise QuantityError("`precision` is a share above 0, and needs draws that can be added to: sobol or monte_carlo")
    names = [name for name, value in inputs.items() if not is_known(value)]
    if not names:
        raise QuantityError("no input is uncertain: all are plain numbers, and so is the result")
    known = {name: float(value) for name, value in inputs.items() if is_known(value)}
    scores = score_correlation(names, correlation)
    values = _values({name: quantile_function(inputs[name]) for name in names}, np.linalg.cholesky(scores) if correlation else None)
    streams = [
        _shares(method, len(names), np.random.default_rng(source), n_draws // n_replicates)
        for source in np.random.SeedSequence(seed).spawn(n_replicates)
    ]
    draws = _Drawn(lambda shares: by_label(function(**known, **values(shares))), streams, chunk, n_threads)
    draws.add(n_draws // n_replicates)
    if precision is None:
        return draws.so_far()
    while (worst := _worst_error(found := draws.so_far())) > precision:
        if 2 * n_draws > _MOST_DRAWS:
            raise QuantityError(f"the precision {precision:g} is not met by {n_draws:,} draws, which give {worst:.2g}; ask for less")
        draws.add(n_draws // n_replicates)
        n_draws *= 2
    return found


def _worst_error(draws: Draws) -> float:
    errors = [draws.quantile(level, label) for label in draws.values for level in LEVELS]
    return max(one.error / abs(one.value) if one.value else np.inf for one in errors)


class _Drawn:
    """Results that grow: for each addition, label -> array of (scramble, draw)."""

    def __init__(self, work: Callable[[np.ndarray], Mapping[str, Any]], streams: list[_Stream], chunk: int, n_threads: int | None):
        self.work, self.streams, self.chunk, self.n_threads = work, streams, chunk, n_threads
        self.parts: list[dict[str, np.ndarray]] = []

    def add(self, n: int) -> None:
        shape = len(self.streams), n
        if n * len(self.streams) <= self.chunk:
            drawn = self.work(np.hstack([stream(n) for stream in self.streams]))
            results = {label: _each(label, one, shape[0] * n).reshape(shape) for label, one in drawn.items()}
        else:
            results = self._in_chunks(shape)
        self.parts.append(_finite(results))

    def _in_chunks(self, shape: tuple[int, int]) -> dict[str, np.ndarray]:
        results: dict[str, np.ndarray] = {}

        def work_through(row: int) -> None:
            for start in range(0, shape[1], self.chunk):
                size = min(self.chunk, shape[1] - start)
                for label, drawn in self.work(self.streams[row](size)).items():
                    if label not in results:
                        results.setdefault(label, np.empty(shape))  # the first thread's array stays
                    results[label][row, start : start + size] = _each(label, drawn, size)

        n_threads = self.n_threads or (2 if shape[0] * shape[1] >= _WORTH_THREADS else 1)
        if n_threads == 1:
            for row in range(shape[0]):
                work_through(row)
        else:
            with ThreadPoolExecutor(n_threads) as pool:
                list(pool.map(work_through, range(shape[0])))
        return results

    def so_far(self) -> Draws:
        if len(self.parts) > 1:
            self.parts = [{label: np.concatenate([part[label] for part in self.parts], axis=1) for label in self.parts[0]}]
        return Draws(self.parts[0])


def _values(functions: dict[str, Callable], factor: np.ndarray | None) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """From shares (a row for each input) to values by name; `factor` is the Cholesky factor of correlated scores."""

    def values(shares: np.ndarray) -> dict[str, np.ndarray]:
        rows = shares if factor is None else ndtr(factor @ ndtri(shares))
        return {name: quantile(row) for (name, quantile), row in zip(functions.items(), rows, strict=True)}

    return values


def _shares(method: str, n_inputs: int, generator: np.random.Generator, n_first: int) -> _Stream:
    """The next points as rows, one for each input, all within (0, 1)."""
    if method == "sobol":
        sobol = qmc.Sobol(n_inputs, scramble=True, rng=generator)
        return lambda n: np.ascontiguousarray(sobol.random(n).T) + _HALF_STEP
    if method == "latin_hypercube":
        points, at = np.ascontiguousarray(qmc.LatinHypercube(n_inputs, rng=generator).random(n_first).T), itertools.count()
        return lambda n: points[:, (start := n * next(at)) : start + n]  # chunks are equally long
    return lambda n: np.ascontiguousarray(generator.random((n, n_inputs)).T)


def read_ahead() -> None:
    """Have SciPy read its directions of Sobol points, in a process that others are copied from."""
    qmc.Sobol(1)


def by_label(result: Any) -> Mapping[str, np.ndarray]:
    """What a function returned, by label: one result without a name is the `value`."""
    return result if isinstance(result, Mapping) else {"value": result}


def _each(label: str, drawn: Any, n: int) -> np.ndarray:
    """A result of each draw; one number is that of all."""
    found = numbers(f"draws of `{label}`", drawn)
    if found.shape not in ((), (n,)):
        raise QuantityError(f"the function must return one `{label}` for each draw, {n} of them; got the shape {found.shape}")
    return np.array(np.broadcast_to(found, n))


def _finite(results: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for label, drawn in results.items():
        if not np.isfinite(drawn).all():
            n = int((~np.isfinite(drawn)).sum())
            raise QuantityError(f"{n} of {drawn.size:,} draws of `{label}` are no finite numbers; check which inputs make the formula fail")
    return results
