"""What a curve of measured runs says at one speed: a number that knows how well it is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

#: how a reading came about, in words that a table can show
MEASURED, BETWEEN, NEXT_RUN, NOT_REACHED = "measured", "between two runs", "next faster run", "not reached"


@dataclass(frozen=True)
class Bracket:
    """The measured runs around a speed, of a frontier with `n_points` runs.

    `slower_tok_per_s_per_user`, `faster_tok_per_s_per_user`: their speeds (the speed itself where it was measured; NaN where
    the curve does not reach). `fall_ratio`: how many times the throughput falls from the slower to the faster, 1 at a run.
    `basis`: measured, between two runs, next faster run (they lie too far apart to read between) or not reached; or what an estimate
    rests on, and then `steepness` is the power by which its errors are larger than those of a level curve.
    """

    slower_tok_per_s_per_user: float
    faster_tok_per_s_per_user: float
    fall_ratio: float
    n_points: int
    basis: str
    steepness: float = 1.0


class Reading(float):
    """A number read off a frontier; it counts as that number and carries its bounds and the runs that it lies between.

    `low` and `high` are what the runs on either side say: on a frontier the truth at a speed between them lies between them.

    >>> at_50 = Reading(700.0, 500.0, 900.0, Bracket(20.0, 60.0, 1.8, 12, BETWEEN))
    >>> at_50 / 2, at_50.low, at_50.high, at_50.bracket.basis
    (350.0, 500.0, 900.0, 'between two runs')
    """

    low: float
    high: float
    bracket: Bracket

    def __new__(cls, value: float, low: float, high: float, bracket: Bracket) -> Reading:
        reading = super().__new__(cls, value)
        reading.low, reading.high, reading.bracket = float(low), float(high), bracket
        return reading

    def __getnewargs__(self):
        return float(self), self.low, self.high, self.bracket

    @property
    def is_measured(self) -> bool:
        """Whether a run stands behind the number itself, at this speed or at the next faster one."""
        return self.bracket.basis in (MEASURED, NEXT_RUN)

    def map(self, function: Callable[[float], float]) -> Reading:
        """The reading of a monotone function of this quantity, such as a cost of a throughput; falling functions turn the bounds round.

        >>> Reading(4.0, 2.0, 8.0, Bracket(20.0, 60.0, 4.0, 12, BETWEEN)).map(lambda x: 8 / x).high
        4.0
        """
        low, high = sorted((float(function(self.low)), float(function(self.high))))
        return Reading(function(float(self)), low, high, self.bracket)


#: what a curve says at one speed, or at those of an array or a column
Readings: TypeAlias = "Reading | np.ndarray | pd.Series"


def quotient(over: Reading, under: Reading) -> Reading:
    """One reading over another, between the least and the most that both allow; the bracket is that of the less well known.

    >>> one = Bracket(20.0, 60.0, 2.0, 12, BETWEEN)
    >>> ratio = quotient(Reading(8.0, 4.0, 9.0, one), Reading(2.0, 1.0, 4.0, one))
    >>> float(ratio), ratio.low, ratio.high
    (4.0, 1.0, 9.0)
    """
    worse = max((over.bracket, under.bracket), key=lambda bracket: (bracket.basis == NOT_REACHED, bracket.fall_ratio))
    return Reading(float(over) / float(under), over.low / under.high, over.high / under.low, worse)
