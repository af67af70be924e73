"""What an input may be: distributions under the vocabulary's names, each a frozen distribution of `scipy.stats`.

A plain number stays a number: it is known. Every distribution of a named quantity is checked against the range of that name,
so that no share of a draw is above 1 and no price below 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.interpolate import CubicSpline
from scipy.special import ndtr, ndtri

from tokcost.doubt.asked import numbers, require_taken
from tokcost.quantities import QuantityError, find

if TYPE_CHECKING:
    from scipy.stats.distributions import rv_frozen

#: an input: known, or a distribution
Input: TypeAlias = "float | rv_frozen"
#: name -> input
Inputs: TypeAlias = Mapping[str, Input]

#: a mode counts this much against each end in a PERT distribution
PERT_WEIGHT = 4.0
#: a distribution is compared with the range of its quantity this far out: one draw in a million lies beyond
_FAR_OUT = 1e-6
#: standard scores at which a smooth quantile function is tabulated; none of 2^52 draws lies beyond
_SCORES = np.linspace(-8.3, 8.3, 1025)


def _require_rising(what: str, *given: float) -> None:
    values = numbers(what, given)
    if not np.isfinite(values).all():
        raise QuantityError(f"{what} needs finite numbers, got {', '.join(f'{value:g}' for value in values)}")
    if any(first > second for first, second in zip(values, values[1:], strict=False)) or values[0] == values[-1]:
        said = ", ".join(f"{value:g}" for value in values)
        raise QuantityError(f"{what} must rise, got {said}; give the low end first, a plain number for what is known")


def pert(low: float, value: float, high: float) -> rv_frozen:
    """A likeliest value between two ends: the PERT distribution, a beta whose mean is (low + 4 value + high) / 6.

    Raises: QuantityError where low, value and high do not rise.

    >>> round(float(pert(1.0, 2.0, 5.0).mean()), 4)
    2.3333
    >>> pert(5.0, 2.0, 1.0)
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: low, value and high must rise, got 5, 2, 1; give the low end first, a plain number for what is known
    """
    _require_rising("low, value and high", low, value, high)
    span = high - low
    return _beta(1 + PERT_WEIGHT * (value - low) / span, 1 + PERT_WEIGHT * (high - value) / span, low, span)


@lru_cache(maxsize=256)
def _beta(a: float, b: float, low: float, span: float) -> rv_frozen:
    """Kept: to freeze a distribution takes longer than to draw from it."""
    return stats.beta(a, b, loc=low, scale=span)


def triangular(low: float, value: float, high: float) -> rv_frozen:
    """A likeliest value between two ends, with straight sides: more weight on the ends than PERT.

    Raises: QuantityError where low, value and high do not rise.

    >>> float(triangular(0.0, 1.0, 2.0).ppf(0.5))
    1.0
    """
    _require_rising("low, value and high", low, value, high)
    return stats.triang((value - low) / (high - low), loc=low, scale=high - low)


def uniform(low: float, high: float) -> rv_frozen:
    """Anything between two ends, nothing likelier than the rest.

    Raises: QuantityError where low and high do not rise.

    >>> float(uniform(2.0, 4.0).mean())
    3.0
    """
    _require_rising("low and high", low, high)
    return stats.uniform(low, high - low)


def normal(mean: float, sd: float) -> rv_frozen:
    """A mean and a standard deviation.

    Raises: QuantityError for a standard deviation that is not above 0.

    >>> round(float(normal(10.0, 1.0).ppf(0.95)), 3)
    11.645
    """
    if not np.isfinite(numbers("mean and standard deviation", (mean, sd))).all() or not sd > 0:
        raise QuantityError(
            f"the mean must be finite and the standard deviation above 0, got {mean:g} and {sd:g}; give a plain number for what is known"
        )
    return stats.norm(mean, sd)


def lognormal(low: float, high: float, *, between: tuple[float, float] = (0.05, 0.95)) -> rv_frozen:
    """A factor rather than a span is in doubt: the lognormal with these two quantiles, the 5 and 95 % ones if not said otherwise.

    Raises: QuantityError for ends that are not above 0 or do not rise, and for levels that are no rising shares.

    >>> lognormal(2.0, 8.0).ppf([0.05, 0.5, 0.95]).round(6).tolist()
    [2.0, 4.0, 8.0]
    """
    _require_rising("low and high", low, high)
    if low <= 0:
        raise QuantityError(f"a lognormal is above 0, got a low end of {low:g}; use normal or uniform where 0 is possible")
    require_levels(between)
    if len(between) != 2:
        raise QuantityError(f"a lognormal is known by two quantiles, got levels for {len(between)}; see from_quantiles for more")
    first, last = ndtri(np.asarray(between, dtype=float))
    sd = np.log(high / low) / (last - first)
    return stats.lognorm(sd, scale=np.exp(np.log(low) - first * sd))


def discrete(values: ArrayLike, shares: ArrayLike) -> rv_frozen:
    """One of a few values, each with its share: a price list or another.

    Raises: QuantityError where there is not one share for each value, or the shares do not add up to 1.

    >>> float(discrete([1.0, 3.0], [0.75, 0.25]).mean())
    1.5
    """
    values, shares = np.atleast_1d(numbers("values", values)), np.atleast_1d(numbers("shares", shares))
    if values.shape != shares.shape or not values.size or not np.isfinite(values).all():
        raise QuantityError(f"each value needs its share, got {values.size} finite values and {shares.size} shares")
    if (shares < 0).any() or not np.isclose(shares.sum(), 1, rtol=0, atol=1e-9):
        raise QuantityError(f"shares must be at least 0 and add up to 1, got {', '.join(f'{s:g}' for s in shares)} (sum {shares.sum():g})")
    unique, which = np.unique(values, return_inverse=True)
    return stats.rv_discrete(values=(unique, np.bincount(which, weights=shares)))()


def empirical(values: ArrayLike) -> rv_frozen:
    """What was seen, each as likely as the others: measured rows, dated prices.

    Raises: QuantityError where there are none, or one is not known.

    >>> float(empirical([1.2, 1.4, 1.9]).median())
    1.4
    """
    seen = numbers("observations", values).ravel()
    if not seen.size or not np.isfinite(seen).all():
        raise QuantityError(f"an empirical distribution needs observations, all finite; got {seen.size}; drop what is not known first")
    unique, counts = np.unique(seen, return_counts=True)
    return discrete(unique, counts / counts.sum())


def from_quantiles(levels: Sequence[float], values: Sequence[float]) -> rv_frozen:
    """Quoted quantiles from the level 0 to 1, straight lines between: no shape is assumed.

    Raises: QuantityError where the levels do not go from 0 to 1 or the values fall.

    >>> from_quantiles([0, 0.5, 1], [1.0, 2.0, 6.0]).ppf([0.25, 0.75]).tolist()
    [1.5, 4.0]
    """
    levels, values = numbers("levels", levels).tolist(), numbers("quantiles", values).tolist()
    if len(levels) != len(values) or len(levels) < 2 or levels[0] != 0 or levels[-1] != 1 or any(np.diff(levels) <= 0):
        raise QuantityError("the levels of quantiles must rise from 0 to 1, with one value each")
    if not np.isfinite(values).all() or any(np.diff(values) < 0) or values[0] == values[-1]:
        raise QuantityError(f"quantiles must be finite and rise with their levels, got {', '.join(f'{value:g}' for value in values)}")
    edges, first = np.unique(values, return_index=True)
    last = np.append(first[1:], len(values)) - 1
    upto = (np.array(levels)[first] + np.array(levels)[last]) / 2  # a value with a share of its own has half of it on either side
    upto[[0, -1]] = 0.0, 1.0
    return stats.rv_histogram((np.diff(upto), edges), density=False)()


def require_levels(levels: Sequence[float]) -> None:
    """Refuse what are no rising shares between 0 and 1."""
    if len(levels) < 2 or any(not 0 < level < 1 for level in numbers("levels", levels)) or any(np.diff(levels) <= 0):
        raise QuantityError(f"levels of quantiles must be rising shares between 0 and 1, got {', '.join(f'{v:g}' for v in levels)}")


def is_known(value: Any) -> TypeGuard[float]:
    """Whether an input is a number and not a distribution."""
    return not hasattr(value, "ppf")


def checked(function: Callable[..., Any], inputs: Inputs) -> Inputs:
    """The inputs, if the function takes them and each is a number or a distribution in the plausible range of its quantity.

    A name that is no quantity has no range.
    """
    require_taken(function, inputs)
    value: Any
    for name, value in inputs.items():
        quantity = find(name)
        if is_known(value):
            if value is None or isinstance(value, (str, bool)) or np.ndim(value) or not np.isfinite(float(value)):
                raise QuantityError(f"the input `{name}` must be a number or a distribution, got {value!r}")
            ends = np.array([value, value], dtype=float)
        else:
            ends = np.asarray(value.ppf([_FAR_OUT, 1 - _FAR_OUT]), dtype=float)
        if not np.isfinite(ends).all():
            raise QuantityError(f"the distribution of `{name}` has no finite quantiles; check its parameters")
        if quantity and (ends[0] < quantity.low * (1 - 1e-12) or ends[1] > quantity.high * (1 + 1e-12)):
            wrong = ends[0] if ends[0] < quantity.low else ends[1]
            hint = "; give a fraction, not a percentage" if quantity.unit == "frac" and wrong > 1 else "; cut the distribution there"
            raise QuantityError(f"`{name}` must be in [{quantity.low:g}, {quantity.high:g}], its distribution reaches {wrong:.4g}{hint}")
    return inputs


def quantile_function(value: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A fast function from shares to values: smooth distributions by a spline over standard scores, those with a corner as they are.

    The spline is right to ten digits; `scipy.stats` itself takes about a microsecond for each beta quantile.
    """
    if is_known(value):
        return lambda share: np.full(share.shape, float(value))
    family: Any = value.dist
    if hasattr(family, "xk"):
        points, upto = np.asarray(family.xk), np.asarray(family.qvals)
        return lambda share: points[np.searchsorted(upto, share).clip(max=len(points) - 1)]
    if isinstance(family, stats.rv_histogram) and not (value.args or value.kwds):
        # what its own `ppf` does, many times as slowly
        return lambda share: np.interp(share, family._hcdf, family._hbins)
    if isinstance(family, stats.rv_histogram) or family.name == "triang":
        return value.ppf
    if family.name == "uniform":
        low, span = value.ppf(0.0), value.ppf(1.0) - value.ppf(0.0)
        return lambda share: low + span * share
    spline = _spline(value)
    return lambda share: spline(ndtri(share))


def score_function(value: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A fast function from standard scores to values, for what is drawn as scores."""
    if _is_smooth(value):
        return _spline(value)
    quantile = quantile_function(value)
    return lambda score: quantile(ndtr(score))


def _is_smooth(value: Any) -> bool:
    """Whether the quantile function has no step and no corner."""
    return not (
        is_known(value) or isinstance(value.dist, stats.rv_histogram | stats.rv_discrete) or value.dist.name in ("triang", "uniform")
    )


def _spline(value: Any) -> Callable[[np.ndarray], np.ndarray]:
    family = getattr(stats, value.dist.name, None)
    if type(value.dist) is not type(family):  # one's own
        return _through(value.ppf, value.isf)
    return _spline_of(family, *map(float, value.args), **{name: float(one) for name, one in value.kwds.items()})


@lru_cache(maxsize=256)
def _spline_of(family: Any, *args: float, **kwds: float) -> Callable[[np.ndarray], np.ndarray]:
    """Kept: the headlines of one report share most of their inputs."""
    return _through(lambda share: family.ppf(share, *args, **kwds), lambda share: family.isf(share, *args, **kwds))


def _through(ppf: Callable, isf: Callable) -> Callable[[np.ndarray], np.ndarray]:
    # in the upper half by the survival function: there a share is 1 to the last bit long before the value is at its end
    half = len(_SCORES) // 2
    c3, c2, c1, c0 = CubicSpline(_SCORES, np.concatenate([ppf(ndtr(_SCORES[:half])), isf(ndtr(-_SCORES[half:]))])).c
    per_score = 1 / (_SCORES[1] - _SCORES[0])

    def at(score: np.ndarray) -> np.ndarray:
        # the pieces are equally wide: to divide is several times faster than the search of `CubicSpline`, and the result its own
        k = ((score - _SCORES[0]) * per_score).astype(np.intp).clip(0, len(c0) - 1)
        x = score - _SCORES[k]
        power = x * x
        found = c0[k] + c1[k] * x
        found += c2[k] * power
        power *= x
        found += c3[k] * power
        return found

    return at
