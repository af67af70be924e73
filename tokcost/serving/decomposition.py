"""Where a gain comes from: the ratio of two configurations as a product of factors, each between measured curves.

    ratio  =  chip  x  precision  x  speculative decoding  x  disaggregation  x  price of the hour

Every factor is a step from one measured frontier to the next at one interactivity. Its size depends on
what was changed before it, so the order matters: the table gives the average over all orders whose every
cell was measured (over all orders at all: the Shapley value of the logarithms) and the range over them.
A cell that nobody measured is named and never filled in.
Source of the averaging: L. S. Shapley, "A value for n-person games" (1953).
"""

from __future__ import annotations

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

#: the factor that the two rates of a cost ratio add
PRICE = "price of the hour"

#: factor -> (what the baseline has, what the candidate has), as column values of measured rows
Factors = dict[str, tuple[dict, dict]]


class NotMeasured(QuantityError):
    """A configuration that the decomposition cannot do without was not measured at this interactivity."""


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A ratio and its factors.

    `factors`: one row a factor with its `ratio` (average over the measured orders), the `low_ratio` and
    `high_ratio` that the order makes of it (NaN where every measured order changes the same things before it: what the
    order does is then not known), `log_contribution` and its `log_share_ratio`, its share of the whole logarithm.
    `cells`: every combination, what it was measured on, or why it is missing. `orders`: one row an order and factor, with
    the factors changed before it (`after`).
    """

    tok_per_s_per_user: float
    of: str
    ratio: float
    factors: pd.DataFrame
    cells: pd.DataFrame
    orders: pd.DataFrame
    n_orders: int
    n_possible_orders: int

    @property
    def is_complete(self) -> bool:
        """Whether every order was measured, so that no choice of order is in the averages."""
        return self.n_orders == self.n_possible_orders

    @property
    def missing(self) -> pd.DataFrame:
        """The combinations that were not measured at this interactivity, and why."""
        return self.cells[self.cells["is_missing"]].reset_index(drop=True)


def decompose(
    rows: pd.DataFrame,
    factors: Factors,
    *,
    tok_per_s_per_user: float,
    throughput: str = "total_tok_per_s_per_gpu",
    baseline_rate: Fact | float | None = None,
    candidate_rate: Fact | float | None = None,
) -> Decomposition:
    """The throughput ratio of two configurations at one interactivity as a product of factors; with two rates, the cost ratio.

    The baseline has the first side of every factor, the candidate the second. Rows must otherwise be alike:
    choose one model, one pair of lengths and one campaign before. A cost ratio is baseline over candidate,
    so that every factor above 1 is a gain; a more expensive hour is a factor below 1.

    Raises: NotMeasured where an end, or some cell of every order, was not measured at this speed.

    >>> cells = [("a", "fp8", 100.0), ("a", "fp4", 150.0), ("b", "fp8", 200.0), ("b", "fp4", 600.0)]
    >>> rows = pd.DataFrame([
    ...     {"model": "m", "accelerator": a, "isl": 1, "osl": 1, "precision": p, "tok_per_s_per_user": s, "total_tok_per_s_per_gpu": t / s}
    ...     for a, p, t in cells for s in (10, 100)])
    >>> both = decompose(rows, {"chip": ({"accelerator": "a"}, {"accelerator": "b"}),
    ...                         "precision": ({"precision": "fp8"}, {"precision": "fp4"})}, tok_per_s_per_user=50)
    >>> round(both.ratio, 9), both.factors["ratio"].round(3).tolist(), both.factors["high_ratio"].round(3).tolist()
    (6.0, [2.828, 2.121], [4.0, 3.0])
    """
    check_value(SPEED, tok_per_s_per_user)
    names = list(factors)
    _require_separate(factors)
    measured = {
        changed: _cell(rows, factors, changed, tok_per_s_per_user, throughput)
        for size in range(len(names) + 1)
        for changed in map(frozenset, combinations(names, size))
    }
    cells = pd.DataFrame([{name: name in changed for name in names} | cell.row for changed, cell in measured.items()])
    for side, changed in (("baseline", frozenset()), ("candidate", frozenset(names))):
        if measured[changed].why:
            raise NotMeasured(f"the {side} was not measured at {tok_per_s_per_user:g} tok/s/user: {measured[changed].why}")
    orders = _orders(names, measured, throughput)
    if orders.empty:
        missing = "; ".join(cell.why for cell in measured.values() if cell.why)
        raise NotMeasured(f"no order of {', '.join(names)} is measured throughout at {tok_per_s_per_user:g} tok/s/user; missing: {missing}")
    table = _averages(orders, names)
    of = throughput
    if (baseline_rate is None) != (candidate_rate is None):
        raise QuantityError("a cost ratio needs both rates, `baseline_rate` and `candidate_rate`")
    if baseline_rate is not None:
        ends: list[Any] = [measured[changed].curve for changed in (frozenset(), frozenset(names))]
        log = -np.log(_rate_ratio(ends, (baseline_rate, candidate_rate)))
        table.loc[len(table)] = [PRICE, np.exp(log), np.exp(log), np.exp(log), log]
        of = "cost"
    whole = table["log_contribution"].sum()
    table["log_share_ratio"] = table["log_contribution"] / whole if whole else np.nan
    n_possible = len(list(permutations(names)))
    n_orders = orders["order"].nunique()
    return Decomposition(float(tok_per_s_per_user), of, float(np.exp(whole)), table, cells, orders, n_orders, n_possible)


def decompose_by_speed(rows: pd.DataFrame, factors: Factors, *, tok_per_s_per_user: ArrayLike, **how: Any) -> pd.DataFrame:
    """The factors at each of several interactivities, and how many orders are behind them; NaN where not measured.

    Columns: those of `Decomposition.factors`, `n_orders`, `n_possible_orders`, `whole_ratio`, the speed, and `why` where not measured.

    >>> rows = pd.DataFrame({"model": "m", "accelerator": ["a", "a", "b", "b"], "isl": 1, "osl": 1,
    ...                      "tok_per_s_per_user": [10, 50] * 2, "total_tok_per_s_per_gpu": [9.0, 3.0, 18.0, 6.0]})
    >>> chip = {"chip": ({"accelerator": "a"}, {"accelerator": "b"})}
    >>> decompose_by_speed(rows, chip, tok_per_s_per_user=[20, 90])[["ratio", "n_orders"]].values.tolist()
    [[2.0, 1.0], [nan, 0.0]]
    """
    tables = []
    for speed in np.atleast_1d(np.asarray(tok_per_s_per_user, dtype=float)):
        try:
            found = decompose(rows, factors, tok_per_s_per_user=float(speed), **how)
            table = found.factors.assign(n_orders=found.n_orders, n_possible_orders=found.n_possible_orders, whole_ratio=found.ratio)
        except NotMeasured as reason:
            table = pd.DataFrame({"factor": list(factors), "ratio": np.nan, "n_orders": 0, "why": str(reason)})
        tables.append(table.assign(**{SPEED: speed}))
    return pd.concat(tables, ignore_index=True)


def along_path(
    rows: pd.DataFrame, steps: dict[str, dict], *, tok_per_s_per_user: float, throughput: str = "total_tok_per_s_per_gpu"
) -> pd.DataFrame:
    """One path of measured configurations, each step named: throughput, its ratio to the step before and to the first.

    For changes with more than two stages, as one chip, the next and a larger scale-up domain. NaN where a
    configuration does not reach the interactivity; the steps to and from it are then not known either.

    Columns: `step`, the throughput, its runs (`n_points`, `first_date`, `last_date`), `is_missing` and `why`, `ratio` to the step
    before, its logarithm `log_contribution`, and `cumulative_ratio` to the first step.
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
    cells = [_measure(rows, where, tok_per_s_per_user, throughput) for where in steps.values()]
    value = np.array([cell.value for cell in cells])
    log = np.concatenate([[np.nan], np.diff(np.log(value))])
    facts = pd.DataFrame([cell.row for cell in cells]).rename(columns={"throughput": throughput})
    facts.insert(0, "step", list(steps))
    return facts.assign(ratio=np.exp(log), log_contribution=log, cumulative_ratio=value / value[0])


@dataclass(frozen=True, eq=False)
class _Cell:
    value: float
    why: str
    curve: Frontier | None

    @property
    def row(self) -> dict:
        curve = self.curve
        about = {name: getattr(curve, name) if curve else None for name in ("n_points", "first_date", "last_date")}
        return {"throughput": self.value} | about | {"is_missing": bool(self.why), "why": self.why}


def _cell(rows, factors: Factors, changed: frozenset, speed: float, throughput: str) -> _Cell:
    where = {}
    for name, sides in factors.items():
        where |= sides[name in changed]
    return _measure(rows, where, speed, throughput)


def _measure(rows: pd.DataFrame, where: dict, speed: float, throughput: str) -> _Cell:
    said = configuration_label(where)
    try:
        kept = rows_where(rows, where)
    except NoSuchRow:
        return _Cell(np.nan, f"no measured run is {said}", None)
    curve = frontier(kept, throughput=throughput)
    value = float(curve.at(tok_per_s_per_user=speed))
    low, high = curve.reach
    return _Cell(value, "" if np.isfinite(value) else f"{said} was measured from {low:.4g} to {high:.4g} tok/s/user only", curve)


def _orders(names: list[str], measured: dict, throughput: str) -> pd.DataFrame:
    """Log contribution of every factor in every order whose cells were all measured."""
    found = []
    for order in permutations(names):
        stations = [frozenset(order[:n]) for n in range(len(order) + 1)]
        if any(measured[station].why for station in stations):
            continue
        for name, (before, after) in zip(order, pairwise(stations), strict=True):
            gain = np.log(measured[after].value / measured[before].value)
            found.append({"order": " > ".join(order), "factor": name, "after": " + ".join(sorted(before)), "log_contribution": gain})
    return pd.DataFrame(found, columns=["order", "factor", "after", "log_contribution"])


def _averages(orders: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    by_factor = orders.groupby("factor")
    each = by_factor["log_contribution"].agg(["mean", "min", "max"]).loc[names]
    if len(names) > 1:  # a single factor has a single order
        each.loc[by_factor["after"].nunique().loc[names] == 1, ["min", "max"]] = np.nan
    return pd.DataFrame(
        {
            "factor": names,
            "ratio": np.exp(each["mean"].to_numpy()),
            "low_ratio": np.exp(each["min"].to_numpy()),
            "high_ratio": np.exp(each["max"].to_numpy()),
            "log_contribution": each["mean"].to_numpy(),
        }
    )


def _rate_ratio(ends: list[Frontier], rates: tuple) -> float:
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
