"""What one input must be for a result to reach a target: "what must throughput be for $0.30?"."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from tokcost.quantities import QuantityError, find

#: places between the ends of the span at which the formula is tried before a root is looked for
_TRIES = 97
#: a span over so many times is tried by factors, down to this share of its upper end
_WIDE, _SMALLEST_SHARE = 100, 1e-12
#: an answer leaves this share of the distance to the target that the places beside it have, at most
_NEAR_SHARE = 1e-6
#: so far from a place that is hit exactly, as a share of the way to the next, it is seen to which side the result goes on
_NEAR_PLACE = 1e-3
#: a result that turns back this near the target, as a share of it and of the distances beside, touches it
_TOUCH_SHARE = 1e-12


@dataclass(frozen=True)
class BreakEven:
    """What an input must be for a result to equal the target, or that no value does it (`value` is NaN then).

    `others` are further values that do it as well, where the result rises and falls. `low` and `high` are the span searched,
    `lowest` and `highest` what the result reaches in it.
    """

    input_name: str
    target: float
    value: float
    others: tuple[float, ...]
    low: float
    high: float
    lowest: float
    highest: float

    @property
    def is_reachable(self) -> bool:
        return not math.isnan(self.value)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        if self.is_reachable:
            also = "".join(f" or {other:.6g}" for other in self.others)
            return f"{self.input_name} = {self.value:.6g}{also} gives {self.target:.6g}"
        reach = (
            f"the result reaches {self.lowest:.6g} to {self.highest:.6g}" if self.lowest <= self.highest else "the result exists nowhere"
        )
        return f"no value of {self.input_name} from {self.low:.6g} to {self.high:.6g} gives {self.target:.6g}: {reach} there"


def break_even(
    formula: Callable[..., Any],
    *,
    solve_for: str,
    target: float = 0.0,
    low: float | None = None,
    high: float | None = None,
    **inputs: Any,
) -> BreakEven:
    """The value of one input of any formula, all others as given, at which its result equals the target.

    Parameters
    ----------
    formula : function of keyword arguments that returns one number: one of `tc.formulas`, or your own
    solve_for : name of the input to solve for
    target : what the result shall be; 0 where two things shall be equal and the formula returns their difference
    low, high : where to look; the plausible range of the input where nothing is said

    The span is tried at places that are evenly spread (by factors, where it spans several powers of ten), and each change of sign is
    narrowed down by Brent's method. Where the formula refuses a value, as implausible, that value counts as no answer.

    Where the result turns back on one side of the target, its turning point is looked for: it may touch the target there, or cross it
    twice. Only a dip and a rise that both lie between two neighbouring places are missed. Where the result jumps over the target
    there is no answer.

    Raises: QuantityError for an input without a known range whose span is not stated, or that is given as well, and for a span or
    a target that is no finite number.

    >>> print(break_even(tc.total_token_cost_usd_per_mtok, solve_for="total_tok_per_s_per_gpu", target=0.30, rate_usd_per_gpu_h=2.70))
    total_tok_per_s_per_gpu = 2500 gives 0.3
    >>> margin = tc.formulas.gross_margin_frac
    >>> print(break_even(margin, solve_for="total_token_cost_usd_per_mtok", target=1.2, price_usd_per_mtok=1.0))
    no value of total_token_cost_usd_per_mtok from 1e-05 to 10000 gives 1.2: the result reaches -9999 to 0.99999 there
    """
    if solve_for in inputs:
        raise QuantityError(f"`{solve_for}` is what to solve for; do not give it as well")
    if low is None or high is None:
        known = find(solve_for)
        if known is None:
            raise QuantityError(f"`{solve_for}` has no known range; say where to look: low=..., high=...")
        low, high = known.low if low is None else low, known.high if high is None else high
    start, stop, target = (_finite(name, value) for name, value in (("low", low), ("high", high), ("target", target)))
    if not start < stop:
        raise QuantityError(f"the span to search must rise, got low={start:.6g}, high={stop:.6g}")

    def distance(value: float) -> float:
        try:
            return float(formula(**inputs, **{solve_for: value})) - target
        except (ValueError, ArithmeticError):  # a QuantityError is one, and so is what a formula of one's own cannot work out
            return math.nan

    first = max(start, stop * _SMALLEST_SHARE)
    by_factors = start >= 0 and stop > first * _WIDE
    places = np.geomspace(first, stop, _TRIES) if by_factors else np.linspace(start, stop, _TRIES)
    places = np.unique([start, *places[1:-1], stop])
    off = np.array([distance(place) for place in places.tolist()])
    if np.isnan(off).all():
        formula(**inputs, **{solve_for: float(places[len(places) // 2])})  # what it refuses is not this input: let it say so
    hits = np.flatnonzero(off == 0)
    found = places[hits].tolist()
    spans = [(places[i], places[i + 1]) for i in np.flatnonzero(np.sign(off[:-1]) * np.sign(off[1:]) < 0)]
    for hit, other in [(places[i], j) for i in hits for j in (i - 1, i + 1) if 0 <= j < len(off)]:
        near = float(hit + _NEAR_PLACE * (places[other] - hit))  # past a place that is hit exactly, a second one may follow
        if distance(near) * off[other] < 0:
            spans.append((min(near, places[other]), max(near, places[other])))
    turns = (np.sign(off[:-2]) * off[1:-1] > 0) & (np.sign(off[2:]) * off[1:-1] > 0)
    for i in 1 + np.flatnonzero(turns & (np.abs(off[1:-1]) < np.minimum(np.abs(off[:-2]), np.abs(off[2:])))):
        turn = _turning_point(distance, places[i - 1], places[i + 1], np.sign(off[i]))
        beside = np.abs(off[[i - 1, i + 1]])
        if abs(distance(turn)) <= _TOUCH_SHARE * (abs(target) + beside[np.isfinite(beside)].max(initial=0)):
            found.append(turn)
        elif distance(turn) * off[i] < 0:
            spans += [(places[i - 1], turn), (turn, places[i + 1])]
    for start_of, end_of in spans:
        root: Any = optimize.brentq(distance, start_of, end_of, xtol=1e-14, rtol=np.float64(1e-14), disp=False)
        ends = np.abs([distance(float(start_of)), distance(float(end_of))])
        # At a pole or a step the sign changes too, but nothing gives the target there.
        if abs(distance(float(root))) <= _NEAR_SHARE * ends[np.isfinite(ends)].max(initial=0):
            found.append(float(root))
    first, *others = sorted(found) or [math.nan]
    reached = off[~np.isnan(off)] + target
    ends = (float(reached.min()), float(reached.max())) if reached.size else (math.inf, -math.inf)
    return BreakEven(solve_for, target, first, tuple(others), start, stop, *ends)


def _turning_point(distance: Callable[[float], float], low: float, high: float, side: float) -> float:
    """Where the distance to the target is least between two places, on that side of it."""
    options = {"xatol": 1e-12 * max(abs(low), abs(high))}
    best: Any = optimize.minimize_scalar(lambda value: side * distance(float(value)), bounds=(low, high), method="bounded", options=options)
    return float(best.x)


def _finite(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise QuantityError(f"`{name}` must be a finite number, got {str(value)[:40]!r}")
    return number
