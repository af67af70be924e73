"""Where a gain comes from: the ratio of two configurations as a product of factors, each between measured runs.

    ratio  =  (chip and precision)  x  speculative decoding  x  disaggregation  x  price of the hour

A combination of changes is measured at a speed where runs of it lie on either side; the one with the most throughput among
those at least as fast stands for it, so that every station has a name, software and a date. What one change brings depends on
what was changed before it. A split is therefore given only where every order was measured: changes that cannot be told apart,
because one of their combinations was never run, stay together in one part. A part's ratio is the average over all orders of the
parts (the Shapley value of the logarithms). What a single change was seen to bring, and beside what, is said as a range and
never carried to where it was not seen.
Source of the averaging: L. S. Shapley, "A value for n-person games" (1953).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost.evidence import Fact, NoSuchRow, rows_where
from tokcost.quantities import QuantityError, check_value
from tokcost.serving.configuration import configuration_label
from tokcost.serving.pareto_frontier import SPEED, Frontier, frontier, require_fact_of

#: the part that the two rates of a cost ratio add
PRICE = "price of the hour"
#: between the names of the changes of one part
WITH = " + "

#: factor -> (what the baseline has, what the candidate has), as column values of measured rows
Factors = dict[str, tuple[dict, dict]]
#: what names the run behind a combination
_RUN = (SPEED, "framework", "image", "run_date", "concurrency", "n_gpus")


class NotMeasured(QuantityError):
    """The baseline or the candidate of a decomposition was not measured at this interactivity."""


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A ratio, its parts, and what was measured of each change.

    `low_ratio`, `high_ratio`: what the runs on either side of the speed allow.
    `parts`: one row a `part`, which is a change or several that cannot be told apart, with its `ratio` (average over all orders
    of the parts), the range that the orders and the runs on either side make of it, `log_contribution` and `log_share_ratio`, its
    share of the whole logarithm. `factors`: one row a change by itself, with the `low_ratio` and `high_ratio` of the pairs of
    combinations that differ in nothing else, how many of these were measured (`n_steps` of `n_possible_steps`), and `only_with`,
    what was the same in all of them. `cells`: every combination, the run behind it, or `why` there is none. `orders`: one row an
    order and part, with the parts changed before it (`after`).
    """

    tok_per_s_per_user: float
    of: str
    ratio: float
    low_ratio: float
    high_ratio: float
    parts: pd.DataFrame
    factors: pd.DataFrame
    cells: pd.DataFrame
    orders: pd.DataFrame

    @property
    def is_complete(self) -> bool:
        """Whether every combination was measured, so that each change is a part of its own."""
        return not self.cells["is_missing"].any()


def decompose(
    rows: pd.DataFrame,
    factors: Factors,
    *,
    tok_per_s_per_user: float,
    throughput: str = "total_tok_per_s_per_gpu",
    baseline_rate: Fact | float | None = None,
    candidate_rate: Fact | float | None = None,
) -> Decomposition:
    """The throughput ratio of two configurations at one interactivity as a product of parts; with two rates, the cost ratio.

    The baseline has the first side of every factor, the candidate the second. Rows must otherwise be alike: choose one model and
    one pair of lengths before. A cost ratio is baseline over candidate, so that every part above 1 is a gain; a more expensive
    hour is a part below 1. Changes are kept apart as far as every order of the parts was measured; of several ways to do so the
    one with the most parts is taken, and among these the one that sets an earlier factor apart.

    Raises: NotMeasured where the baseline or the candidate was not measured at this speed.

    >>> cells = [("a", "fp8", 100.0), ("a", "fp4", 150.0), ("b", "fp8", 200.0), ("b", "fp4", 600.0)]
    >>> rows = pd.DataFrame([
    ...     {"model": "m", "accelerator": a, "isl": 1, "osl": 1, "precision": p, "tok_per_s_per_user": 50, "total_tok_per_s_per_gpu": t}
    ...     for a, p, t in cells])
    >>> pair = {"chip": ({"accelerator": "a"}, {"accelerator": "b"}), "FP4": ({"precision": "fp8"}, {"precision": "fp4"})}
    >>> both = decompose(rows, pair, tok_per_s_per_user=50)
    >>> round(both.ratio, 9), both.parts["ratio"].round(3).tolist(), both.parts["high_ratio"].round(3).tolist()
    (6.0, [2.828, 2.121], [4.0, 3.0])
    >>> decompose(rows.drop(1), pair, tok_per_s_per_user=50).parts[["part", "ratio"]].values.tolist()
    [['chip + FP4', 6.0]]
    """
    check_value(SPEED, tok_per_s_per_user)
    rates = {"baseline_rate": baseline_rate, "candidate_rate": candidate_rate}
    return _Combinations(rows, factors, throughput=throughput, **rates).at(float(tok_per_s_per_user))


class _Combinations:
    """The curve of every combination of changes, built once, to be taken apart at any interactivity."""

    def __init__(
        self,
        rows: pd.DataFrame,
        factors: Factors,
        *,
        throughput: str = "total_tok_per_s_per_gpu",
        baseline_rate: Fact | float | None = None,
        candidate_rate: Fact | float | None = None,
    ):
        _require_separate(factors)
        if (baseline_rate is None) != (candidate_rate is None):
            raise QuantityError("a cost ratio needs both rates, `baseline_rate` and `candidate_rate`")
        self.factors, self.throughput, self.rates = factors, throughput, (baseline_rate, candidate_rate)
        changes = _subsets(list(factors))
        self.curves = {changed: _curve(rows, _configuration(factors, changed), throughput) for changed in changes}

    def at(self, speed: float) -> Decomposition:
        names, throughput = list(self.factors), self.throughput
        measured = {changed: _cell(*curve, speed) for changed, curve in self.curves.items()}
        cells = pd.DataFrame([{name: name in changed for name in names} | cell.row(throughput) for changed, cell in measured.items()])
        first, last = measured[frozenset()], measured[frozenset(names)]
        for side, cell in (("baseline", first), ("candidate", last)):
            if cell.why:
                raise NotMeasured(f"the {side} was not measured at {speed:g} tok/s/user: {cell.why}")
        orders = _orders(_parts(names, measured), measured)
        table, of, price = _averages(orders), throughput, 1.0
        if self.rates[0] is not None:
            price, of = 1 / _rate_ratio([first.curve, last.curve], self.rates), "cost"
            table.loc[len(table)] = [PRICE, price, price, price, math.log(price)]
        whole = table["log_contribution"].sum()
        table["log_share_ratio"] = table["log_contribution"] / whole if whole else np.nan
        ratio, low, high = (float(gain * price) for gain in last.over(first))
        return Decomposition(speed, of, ratio, low, high, table, _singly(self.factors, measured), cells, orders)


def decompose_by_speed(rows: pd.DataFrame, factors: Factors, *, tok_per_s_per_user: ArrayLike, **how: Any) -> pd.DataFrame:
    """The parts at each of several interactivities; one row without a part where an end was not measured.

    Columns: those of `Decomposition.parts`, `is_complete`, `whole_ratio`, the speed, and `why` where not measured.

    >>> rows = pd.DataFrame({"model": "m", "accelerator": ["a", "a", "b", "b"], "isl": 1, "osl": 1,
    ...                      "tok_per_s_per_user": [10, 50] * 2, "total_tok_per_s_per_gpu": [9.0, 3.0, 18.0, 6.0]})
    >>> chip = {"chip": ({"accelerator": "a"}, {"accelerator": "b"})}
    >>> decompose_by_speed(rows, chip, tok_per_s_per_user=[20, 90])[["part", "ratio"]].values.tolist()
    [['chip', 2.0], ['', nan]]
    """
    speeds = np.atleast_1d(np.asarray(tok_per_s_per_user, dtype=float))
    check_value(SPEED, speeds)
    of = _Combinations(rows, factors, **how)
    tables = []
    for speed in speeds:
        try:
            found = of.at(float(speed))
            table = found.parts.assign(is_complete=found.is_complete, whole_ratio=found.ratio, why="")
        except NotMeasured as reason:
            table = pd.DataFrame({"part": [""], "ratio": np.nan, "is_complete": False, "whole_ratio": np.nan, "why": str(reason)})
        tables.append(table.assign(**{SPEED: speed}))
    return pd.concat(tables, ignore_index=True)


def along_path(
    rows: pd.DataFrame, steps: dict[str, dict], *, tok_per_s_per_user: float, throughput: str = "total_tok_per_s_per_gpu"
) -> pd.DataFrame:
    """One path of measured configurations, each step named: throughput, its ratio to the step before and to the first.

    For changes with more than two stages, as one chip, the next and a larger scale-up domain. NaN where a
    configuration does not reach the interactivity; the steps to and from it are then not known either.

    Columns: `step`, its `configuration`, the throughput and the run that it is of (its speed, framework, image, date, concurrency,
    GPUs), `is_missing` and `why`, `ratio` to the step before, `low_ratio` and `high_ratio` (what the runs on either side of the
    speed allow), and `cumulative_ratio` to the first step.
    Raises: QuantityError where no step is given.

    >>> rows = pd.DataFrame({"model": "m", "accelerator": ["a", "b", "c"], "isl": 1, "osl": 1,
    ...                      "tok_per_s_per_user": 50, "total_tok_per_s_per_gpu": [3.0, 6.0, 12.0]})
    >>> steps = {"today": {"accelerator": "a"}, "next": {"accelerator": "b"}, "later": {"accelerator": "c"}}
    >>> along_path(rows, steps, tok_per_s_per_user=50)["cumulative_ratio"].tolist()
    [1.0, 2.0, 4.0]
    """
    check_value(SPEED, tok_per_s_per_user)
    if not steps:
        raise QuantityError("a path needs at least one step, got none")
    cells = [_cell(*_curve(rows, where, throughput), tok_per_s_per_user) for where in steps.values()]
    facts = pd.DataFrame([cell.row(throughput) for cell in cells])
    facts.insert(0, "step", list(steps))
    gains = [(np.nan,) * 3, *(after.over(before) for before, after in pairwise(cells))]
    facts[["ratio", "low_ratio", "high_ratio"]] = gains
    return facts.assign(cumulative_ratio=facts[throughput] / facts[throughput].iloc[0])


@dataclass(frozen=True, eq=False)
class _Cell:
    """A combination: the throughput of its run, which is the least that the runs on either side allow, and the most."""

    configuration: str
    value: float = np.nan
    high: float = np.nan
    run: Any = None
    curve: Frontier | None = None
    why: str = ""

    def row(self, throughput: str) -> dict:
        run = {name: None if self.run is None else self.run.get(name) for name in _RUN}
        return {"configuration": self.configuration, throughput: self.value} | run | {"is_missing": bool(self.why), "why": self.why}

    def over(self, before: _Cell) -> tuple[float, float, float]:
        """The ratio of the two runs, and the least and the most that the runs on either side of the speed allow."""
        return self.value / before.value, self.value / before.high, self.high / before.value


def _subsets(names: list[str]) -> list[frozenset]:
    return [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]


def _configuration(factors: Factors, changed: frozenset) -> dict:
    where = {}
    for name, sides in factors.items():
        where |= sides[name in changed]
    return where


def _curve(rows: pd.DataFrame, where: dict, throughput: str) -> tuple[str, Frontier | None]:
    """A configuration in words, and the curve of its runs, or None where there are none."""
    try:
        return configuration_label(where), frontier(rows_where(rows, where), throughput=throughput)
    except NoSuchRow:
        return configuration_label(where), None


def _cell(said: str, curve: Frontier | None, speed: float) -> _Cell:
    if curve is None:
        return _Cell(said, why=f"no measured run is {said}")
    low, high = curve.reach
    if not low <= speed <= high:  # a run twice as fast would be measured too, and tell of another speed
        return _Cell(said, why=f"{said} was measured from {low:.4g} to {high:.4g} tok/s/user only")
    read: Any = curve.at(tok_per_s_per_user=speed)  # between the run at least as fast, which delivers the least, and the slower one
    return _Cell(said, read.low, read.high, curve.run_at(tok_per_s_per_user=speed), curve)


def _parts(names: list[str], measured: dict) -> list[tuple[str, ...]]:
    """The finest way to part the changes of which every combination of parts was measured."""
    ways = [way for way in _partitions(names) if not any(measured[frozenset().union(*some)].why for some in _subsets(way))]
    return max(ways, key=len)  # the first of several: factors that come first stand alone


def _partitions(names: list) -> Iterator[list]:
    """All ways to put names in groups; those in which the first name stands alone come first."""
    if not names:
        yield []
        return
    first, *rest = names
    for size in range(len(rest) + 1):
        for others in combinations(rest, size):
            for more in _partitions([name for name in rest if name not in others]):
                yield [(first, *others), *more]


def _orders(parts: list[tuple[str, ...]], measured: dict) -> pd.DataFrame:
    """What every part brings in every order of the parts; each of their combinations was measured."""
    found = []
    for order in permutations(parts):
        stations = [frozenset().union(*order[:n]) for n in range(len(order) + 1)]
        said = [WITH.join(part) for part in order]
        for n, (before, after) in enumerate(pairwise(stations)):
            ratio, low, high = measured[after].over(measured[before])
            place = {"order": " > ".join(said), "part": said[n], "after": ", ".join(sorted(said[:n]))}
            found.append(place | {"low_ratio": low, "high_ratio": high, "log_contribution": math.log(ratio)})
    return pd.DataFrame(found)


def _averages(orders: pd.DataFrame) -> pd.DataFrame:
    by_part = orders.groupby("part", sort=False)  # the first order is that in which the factors were given
    found = by_part.agg(low_ratio=("low_ratio", "min"), high_ratio=("high_ratio", "max"), log_contribution=("log_contribution", "mean"))
    found.insert(0, "ratio", np.exp(found["log_contribution"]))
    return found.reset_index()


def _singly(factors: Factors, measured: dict) -> pd.DataFrame:
    """What each change by itself was seen to bring, over all pairs of combinations that differ in it alone."""
    found = []
    for name in factors:
        before = [changed for changed in measured if name not in changed]
        seen = [changed for changed in before if not measured[changed].why and not measured[changed | {name}].why]
        gains = np.array([measured[changed | {name}].over(measured[changed])[1:] for changed in seen]).reshape(-1, 2)
        always = {}
        for other, sides in factors.items():
            if other != name and len({other in changed for changed in seen}) == 1:
                always |= sides[other in seen[0]]
        low, high = (gains[:, 0].min(), gains[:, 1].max()) if seen else (np.nan, np.nan)
        about = {"n_steps": len(seen), "n_possible_steps": len(before), "only_with": configuration_label(always)}
        found.append({"factor": name, "low_ratio": low, "high_ratio": high} | about)
    return pd.DataFrame(found)


def _rate_ratio(ends: list[Frontier | None], rates: tuple) -> float:
    """Candidate over baseline price of the hour, of one basis and one vintage where the rates say theirs."""
    for curve, rate in zip(ends, rates, strict=True):
        require_fact_of(curve, rate, "rate")
    for name in ("price_basis", "rate_vintage"):
        baseline, candidate = (getattr(rate, name, None) for rate in rates)
        if baseline != candidate:
            raise QuantityError(f"{name} is {candidate} for the candidate and {baseline} for the baseline; take both on one basis")
    baseline, candidate = (float(check_value("rate_usd_per_gpu_h", rate)) for rate in rates)
    return candidate / baseline


def _require_separate(factors: Factors) -> None:
    owner: dict[str, str] = {}
    for name, sides in factors.items():
        for column in set(sides[0]) | set(sides[1]):
            if owner.setdefault(column, name) != name:
                raise QuantityError(f"the factors {owner[column]} and {name} both change `{column}`; a column belongs to one factor")
