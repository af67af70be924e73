"""How far off a headline can be: all doubt that is in the dataset in one range, which says of what it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import SPEED, Frontier

#: nine of ten repeats of one configuration in the same software are within this many times of each other
REPEAT_RUNS_RATIO = 1.05
#: a run this near a speed was made at it: the median repeat differs as much in speed
SAME_SPEED_FRAC = 0.01


class Range(NamedTuple):
    """The least and the most that a figure can be, and the doubts behind it in words."""

    low: float
    high: float
    made_of: str


def range_of(value: float, doubts: Mapping[str, Iterable[float]]) -> Range:
    """All doubts about a positive figure in one range, each on its side, as independent ones: squares add on a logarithmic scale.

    `doubts` says for each, in words, what the figure would be if that alone were otherwise. One that moves nothing is not named;
    numbers that are not known (NaN) move nothing. Why not the envelope: it hides all doubts but the largest. Why not the
    product: it has everything go wrong at once and in one direction. The range holds every one of the figures given.

    Raises: QuantityError for a figure that is not above 0.

    >>> range_of(20.0, {"the next slower runs": [16.0], "price lists": [20.0, 25.0], "repeat runs": [19.0, 21.0]}).made_of
    'the next slower runs, price lists and repeat runs'
    >>> [round(end, 1) for end in range_of(20.0, {"the next slower runs": [16.0], "repeat runs": [19.0, 21.0]})[:2]]
    [15.9, 21.0]
    """
    if np.isnan(value):
        return Range(np.nan, np.nan, "")
    found = {what: np.array([value, *figures], dtype=float) for what, figures in doubts.items()}
    if any((figures <= 0).any() for figures in found.values()):
        raise QuantityError(f"a range on a logarithmic scale needs figures above 0, got {value:g} with {dict(doubts)}")
    ends = {what: (np.log(np.nanmin(figures) / value), np.log(np.nanmax(figures) / value)) for what, figures in found.items()}
    words = [what.replace(" and ", ", ") for what, end in ends.items() if not np.allclose(end, 0)]  # a range may be a doubt of another
    made_of = " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
    low, high = (float(np.hypot.reduce([0.0, *(end[side] for end in ends.values())])) for side in (0, 1))
    return Range(float(value * np.exp(-low)), float(value * np.exp(high)), made_of)


def run_doubts(*, over: Frontier | None = None, under: Frontier | None = None, tok_per_s_per_user: float) -> dict[str, list[float]]:
    """By how many times a figure may be off because of its runs, as `range_of` takes it for a figure of 1.

    The figure is that of the cheapest measured run at least as fast: the throughput of `over` divided by that of `under`, either
    of which may be missing. At the speed itself a system can deliver as much as its next slower run, never less than the run;
    and a run made again gives another number.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    >>> h200 = tc.frontier(rows, accelerator="h200", precision="fp8")
    >>> {what: np.round(ends, 2).tolist() for what, ends in run_doubts(under=h200, tok_per_s_per_user=60).items()}
    {'the next slower runs': [0.62], 'repeat runs': [0.95, 1.05]}
    """
    more = [_slower_to_run(over, tok_per_s_per_user)] if over else []
    less = [1 / _slower_to_run(under, tok_per_s_per_user)] if under else []
    again = REPEAT_RUNS_RATIO ** np.sqrt(len(more) + len(less))
    return {"the next slower runs": less + more, "repeat runs": [1 / again, again]}


def _slower_to_run(curve: Frontier, speed: float) -> float:
    """Throughput of the next slower run over that of the run at least as fast; 1 where none is slower.

    Where the faster one was made at the speed, a slower one counts only if it was made at the speed too.
    """
    speeds, throughput = (curve.front[name].to_numpy(float) for name in (SPEED, curve.throughput))
    fast_enough = np.searchsorted(speeds, speed)
    if fast_enough == len(speeds):
        return np.nan
    is_made_at_it = speeds[fast_enough] <= speed * (1 + SAME_SPEED_FRAC)
    slower = max(0, fast_enough - 1)
    if is_made_at_it and speeds[slower] < speed * (1 - SAME_SPEED_FRAC):
        return 1.0
    return float(throughput[slower] / throughput[fast_enough])
