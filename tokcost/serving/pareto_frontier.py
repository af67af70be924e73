"""Throughput against interactivity: the best measured points and the curve through them.

Throughput is splined, cost is derived from it. Cost is its reciprocal and bends far more between
two points; splining it breaks the identity between the two. Outside the measured range nothing is
known and the answer is NaN, "not reached".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost import formulas
from tokcost.evidence import Fact, rows_where
from tokcost.quantities import Numbers, QuantityError, check_value, find, nearest, token_class, unit
from tokcost.serving.reading import BETWEEN, MEASURED, NEXT_RUN, NOT_REACHED, Bracket, Reading, Readings
from tokcost.serving.spline import MAX_FALL_RATIO, at_least_as_fast, fall_between, guarded

SPEED = "tok_per_s_per_user"

#: what all rows of one curve must share: a curve over two models answers no question
ONE_OF = ("model", "accelerator", "isl", "osl")
#: what tells one served configuration from another, for people; concurrency and GPUs move along its curve
CONFIGURATION = ("accelerator", "precision", "speculative", "deployment", "framework")
#: what one curve may pool (the best of several configurations), and then says so
POOLED = ("precision", "speculative", "deployment", "framework", "campaign")

#: how far an output throughput may be from its share of the lengths before it must be divided by other GPUs
SHARE_TOLERANCE = 0.15

#: unit of the facts that a curve is combined with
_UNIT_OF = {"rate": "usd_per_gpu_h", "provisioned kW": "kw_per_gpu"}

COST: dict[str | None, Callable] = {
    "total": formulas.total_token_cost_usd_per_mtok,
    "output": formulas.output_token_cost_usd_per_mtok,
    "input": formulas.input_token_cost_usd_per_mtok,
}


def is_on_front(speed: ArrayLike, throughput: ArrayLike) -> np.ndarray:
    """Which points no other point beats: as fast for the user and with at least that throughput.

    A point of which either is not known (NaN) beats none and is not on the front.

    >>> is_on_front([10, 20, 20, 30], [900, 400, 500, 600]).tolist()
    [True, False, False, True]
    >>> is_on_front([10, 20, 30], [900, np.nan, 500]).tolist()
    [True, False, True]
    """
    speed, throughput = np.asarray(speed, dtype=float), np.asarray(throughput, dtype=float)
    throughput = np.where(np.isnan(speed) | np.isnan(throughput), -np.inf, throughput)
    order = np.lexsort((-throughput, -speed))
    best_so_far = np.concatenate([[-np.inf], np.maximum.accumulate(throughput[order])[:-1]])
    on_front = np.zeros(len(speed), dtype=bool)
    on_front[order] = throughput[order] > best_so_far
    return on_front


@dataclass(frozen=True, eq=False)
class Frontier:
    """The best measured throughput at every interactivity, with what it was measured on.

    `points` holds all rows by rising interactivity; `is_on_front` marks those that no other beats.
    A pooled label (two precisions, with and without speculative decoding) lists what it pools.
    """

    model: str
    accelerator: str
    isl: int
    osl: int
    precision: str
    speculative: str
    deployment: str
    framework: str
    campaign: str
    first_date: str
    last_date: str
    throughput: str
    points: pd.DataFrame
    n_excluded: int

    @property
    def front(self) -> pd.DataFrame:
        """The rows that no other row beats, by rising interactivity."""
        return self.points[self.points["is_on_front"]].reset_index(drop=True)

    @property
    def n_points(self) -> int:
        return len(self.points)

    @property
    def n_on_front(self) -> int:
        return int(self.points["is_on_front"].sum())

    @property
    def reach(self) -> tuple[float, float]:
        """Slowest and fastest interactivity on the front; nothing is known beyond."""
        speed = self._front[0]
        return float(speed[0]), float(speed[-1])

    @property
    def label(self) -> str:
        """Accelerator, precision and lengths, for a legend."""
        return f"{self.accelerator.upper()} {self.precision.upper()}, {self.isl}/{self.osl}"

    def at(self, *, tok_per_s_per_user: ArrayLike, max_fall_ratio: float = MAX_FALL_RATIO) -> Readings:
        """Throughput at an interactivity: a `Reading` of one speed, plain numbers of an array or Series; NaN where not reached.

        Between two runs the spline is read where the throughput falls no more than `max_fall_ratio` times from one to the
        other; in a wider hole the next faster run stands: that was measured, and is fast enough. `math.inf` reads every hole,
        as published dashboards do.
        """
        check_value(SPEED, tok_per_s_per_user)
        if np.ndim(tok_per_s_per_user) == 0:
            return self._reading(float(np.asarray(tok_per_s_per_user, dtype=float)), max_fall_ratio)
        read = guarded(*self._front, tok_per_s_per_user, max_fall_ratio=max_fall_ratio)
        given: Any = tok_per_s_per_user
        return pd.Series(read, index=given.index, name=self.throughput) if isinstance(given, pd.Series) else read

    @cached_property
    def _front(self) -> tuple[np.ndarray, np.ndarray]:
        front = self.points[self.points["is_on_front"]]
        return front[SPEED].to_numpy(float), front[self.throughput].to_numpy(float)

    def _reading(self, speed: float, max_fall_ratio: float) -> Reading:
        speeds, throughput = self._front
        right = int(np.searchsorted(speeds, speed, side="left"))
        left = int(np.searchsorted(speeds, speed, side="right")) - 1
        if left < 0 or right == len(speeds):
            return Reading(np.nan, np.nan, np.nan, Bracket(np.nan, np.nan, np.nan, self.n_points, NOT_REACHED))
        fall = float(throughput[left] / throughput[right])
        basis = MEASURED if left == right else BETWEEN if fall <= max_fall_ratio else NEXT_RUN
        value = float(guarded(speeds, throughput, np.array([speed]), max_fall_ratio=max_fall_ratio)[0])
        bracket = Bracket(float(speeds[left]), float(speeds[right]), fall, self.n_points, basis)
        return Reading(value, throughput[right], throughput[left], bracket)

    def run_at(self, *, tok_per_s_per_user: float) -> pd.Series | None:
        """The measured run with the most throughput among those at least as fast, which is the cheapest at any price; or None.

        What a headline rests on first: somebody ran it. A reading between runs comes second.
        """
        check_value(SPEED, tok_per_s_per_user)
        speeds, _ = self._front
        first = int(np.searchsorted(speeds, float(tok_per_s_per_user)))
        return None if first == len(speeds) else self.front.iloc[first]

    def measured_at(self, *, tok_per_s_per_user: ArrayLike) -> Numbers:
        """Throughput of the run of `run_at`, at one speed or at many; NaN where no run is that fast.

        What a table compares: one configuration then has one cost in all of them, and never more than a measured run that serves.
        """
        check_value(SPEED, tok_per_s_per_user)
        measured = at_least_as_fast(*self._front, np.asarray(tok_per_s_per_user, dtype=float))
        return float(measured) if measured.ndim == 0 else measured

    def fall_at(self, *, tok_per_s_per_user: ArrayLike) -> np.ndarray:
        """How many times the throughput falls between the points around each speed; 1 at a point, NaN where not reached."""
        return fall_between(*self._front, tok_per_s_per_user)

    def curve(self, rate: Fact | float | None = None, *, tok_per_s_per_user: ArrayLike | None = None) -> pd.DataFrame:
        """The curve as a tidy table: `tok_per_s_per_user`, throughput, with a `rate` also its cost, `is_hole` and `series`.

        Without speeds of your own: 200 of them, evenly spaced in their logarithm over the measured range, and those of the
        runs. `is_hole`: the runs on either side lie too far apart to be read between; a figure dashes the curve there.
        """
        own = tok_per_s_per_user is None
        speed = np.union1d(np.geomspace(*self.reach, 200).clip(*self.reach), self._front[0]) if own else tok_per_s_per_user
        table = pd.DataFrame({SPEED: np.atleast_1d(np.asarray(speed, dtype=float))})
        table[self.throughput] = self.at(tok_per_s_per_user=table[SPEED], max_fall_ratio=np.inf)
        if rate is not None:
            cost: Any = cost_at(self, rate, tok_per_s_per_user=table[SPEED], max_fall_ratio=np.inf)
            table[cost.name] = cost
        return table.assign(is_hole=self.fall_at(tok_per_s_per_user=table[SPEED]) > MAX_FALL_RATIO, series=self.label)


def cost_at(frontier: Frontier, rate: Fact | Numbers, *, tok_per_s_per_user: ArrayLike, max_fall_ratio: float = MAX_FALL_RATIO) -> Readings:
    """Cost per million tokens at an interactivity: the rate over the throughput read there, NaN where not reached.

    `rate` is a labelled rate of the evidence catalog, or USD per GPU-hour as a number or array. One speed at one rate gives
    a `Reading` with the costs of the runs on either side; in a hole of the curve the next faster run stands (`Frontier.at`).
    The tokens counted are those of the frontier's throughput.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04")
    >>> h200 = frontier(rows, accelerator="h200", precision="fp8", isl=1024, osl=1024)
    >>> cost = cost_at(h200, 1.41, tok_per_s_per_user=60)
    >>> round(cost, 3), round(cost.low, 3), round(cost.high, 3)
    (0.753, 0.599, 0.972)
    """
    require_fact_of(frontier, rate, "rate")
    cost = COST[token_class(frontier.throughput)]
    where = {"tok_per_s_per_user": tok_per_s_per_user, "max_fall_ratio": max_fall_ratio}
    return metric_at(frontier, cost, **where, rate_usd_per_gpu_h=rate)


def metric_at(
    frontier: Frontier, metric: Callable, *, tok_per_s_per_user: ArrayLike, max_fall_ratio: float = MAX_FALL_RATIO, **others: Any
) -> Readings:
    """A headline metric of the throughput at an interactivity, NaN where not reached. Columns beside each other have one index."""
    throughput = frontier.at(tok_per_s_per_user=tok_per_s_per_user, max_fall_ratio=max_fall_ratio)
    if not isinstance(throughput, Reading):
        return metric(**{frontier.throughput: throughput}, **others)
    longest = max((np.shape(value) for value in others.values()), key=len, default=())
    if longest:  # One speed beside columns: a column of it, as long as they are.
        return metric(**{frontier.throughput: np.full(longest, float(throughput))}, **others)
    # One speed, which may be not reached: a formula takes NaN in a column only.
    return throughput.map(lambda value: metric(**{frontier.throughput: np.array([value])}, **others)[0])


def require_fact_of(frontier: Any, fact: Any, what: str) -> None:
    """Refuse another accelerator's fact, and a fact that is no rate where a rate is asked (no power where power is)."""
    quantity = getattr(fact, "quantity", None)
    if quantity and unit(quantity) != _UNIT_OF[what]:
        raise QuantityError(f"the {what} must be in {_UNIT_OF[what]}, got a fact of {quantity}")
    accelerator = getattr(fact, "accelerator", frontier.accelerator)
    if accelerator != frontier.accelerator:
        raise QuantityError(
            f"the {what} is one of {accelerator}, the curve one of {frontier.accelerator}; give that of {frontier.accelerator}"
        )


def frontier(rows: pd.DataFrame, *, throughput: str = "total_tok_per_s_per_gpu", **where: object) -> Frontier:
    """The frontier of measured rows, after keeping those where each named column has the value (or one of the values) given.

    Rows without an interactivity or a throughput are excluded and counted (`n_excluded`).

    Raises: QuantityError for rows of more than one model, accelerator or pair of lengths, none with both values, or an output
    throughput divided by fewer than all GPUs.

    >>> rows = pd.DataFrame({"model": "m", "accelerator": "h200", "isl": 1024, "osl": 1024, "precision": ["fp8", "fp8", "fp4"],
    ...                      "tok_per_s_per_user": [20, 40, 30], "total_tok_per_s_per_gpu": [900.0, 500.0, 800.0]})
    >>> best = frontier(rows, precision="fp8")
    >>> best.at(tok_per_s_per_user=[20, 30, 50]).tolist(), best.reach
    ([900.0, 700.0, nan], (20.0, 40.0))
    """
    quantity = find(throughput)
    if quantity is None or quantity.unit != "tok_per_s_per_gpu" or token_class(throughput) not in COST:
        known = [f"{tokens}_tok_per_s_per_gpu" for tokens in COST]
        raise QuantityError(f"a frontier needs a throughput per all GPUs, got `{throughput}`{nearest(throughput, known)}")
    rows = rows_where(rows, where)
    missing = [name for name in (*ONE_OF, SPEED, throughput) if name not in rows]
    if missing:
        raise QuantityError(f"the rows have no column `{missing[0]}`{nearest(missing[0], rows.columns)}")
    _require_one_of_each(rows)
    _require_all_gpus(rows)
    known = rows[SPEED].notna() & rows[throughput].notna()
    if not known.any():
        raise QuantityError(f"none of the {len(rows)} rows has both `{SPEED}` and `{throughput}`; a frontier needs at least one")
    points = rows[known].sort_values([SPEED, throughput], kind="stable").reset_index(drop=True)
    for name in (SPEED, throughput):
        check_value(name, points[name])
    points["is_on_front"] = is_on_front(points[SPEED], points[throughput])
    if {"concurrency", "n_gpus"} <= set(points):
        points["users_per_gpu"] = points["concurrency"] / points["n_gpus"]
    dates = [date for date in _words(points, "run_date") if date]
    first = points.iloc[0]
    labels: dict[str, Any] = {name: first[name] if isinstance(first[name], str) else int(first[name]) for name in ONE_OF}
    labels |= {name: " + ".join(_words(points, name)) for name in POOLED}
    return Frontier(
        **labels,
        first_date=dates[0] if dates else "",
        last_date=dates[-1] if dates else "",
        throughput=throughput,
        points=points,
        n_excluded=int((~known).sum()),
    )


def _words(points: pd.DataFrame, name: str) -> list[str]:
    """What a column says, each once, in order; nothing where there is no such column."""
    return sorted({str(word) for word in points[name].unique() if not pd.isna(word)}) if name in points else []


def _require_one_of_each(rows: pd.DataFrame) -> None:
    if rows.empty:
        raise QuantityError("a frontier needs measured rows, got none; check the filter")
    names = [*ONE_OF, *(name for name in ("token_class", "gpu_denominator") if name in rows)]
    for name in names:
        values = rows[name].unique()
        if len(values) > 1 or pd.isna(values[0]):
            shown = ", ".join(str(value) for value in values[:4])
            fix = f"choose one: frontier(rows, {name}={values[0]!r})"
            raise QuantityError(f"a frontier holds one {name}, these {len(rows)} rows hold {shown}; {fix}")


def _require_all_gpus(rows: pd.DataFrame) -> None:
    """The output throughput must be its share of the total; if not, one is divided by decode GPUs alone."""
    pair = ["output_tok_per_s_per_gpu", "total_tok_per_s_per_gpu"]
    if not set(pair) <= set(rows):
        return
    output, total, isl, osl = (rows[name].to_numpy(float) for name in (*pair, "isl", "osl"))
    with np.errstate(divide="ignore", invalid="ignore"):
        share, expected = output / total, osl / (isl + osl)
        off = np.abs(share / expected - 1) > SHARE_TOLERANCE
    if off.any():
        raise QuantityError(
            f"{off.sum()} of {len(rows)} rows have an output throughput of {share[off][0]:.2f} of the total where the lengths say "
            f"{expected[off][0]:.2f}: not divided by all GPUs of the deployment; recompute both per all GPUs or leave these rows out"
        )
