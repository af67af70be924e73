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

from tokcost import formulas
from tokcost.evidence import rows_where
from tokcost.quantities import QuantityError, check_value, find, nearest, token_class, unit

SPEED = "tok_per_s_per_user"

#: a configuration is read between two of its points only where its throughput falls no more than this from one to the other
MAX_FALL_RATIO = 5.0

#: what all rows of one curve must share: a curve over two models answers no question
ONE_OF = ("model", "accelerator", "isl", "osl")
#: what tells one served configuration from another, for people; concurrency and GPUs move along its curve
CONFIGURATION = ("accelerator", "precision", "speculative", "deployment", "framework")
#: what one curve may pool (the best of several configurations), and then says so
POOLED = ("precision", "speculative", "deployment", "framework", "campaign")

#: how far an output rate may be from its share of the lengths before it must be divided by other GPUs
SHARE_TOLERANCE = 0.15

#: unit of the facts that a curve is combined with
_UNIT_OF = {"rate": "usd_per_gpu_h", "provisioned kW": "kw_per_gpu"}

COST: dict[str | None, Callable] = {
    "total": formulas.total_token_cost_usd_per_mtok,
    "output": formulas.output_token_cost_usd_per_mtok,
    "input": formulas.input_token_cost_usd_per_mtok,
}


def steffen_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slopes at the knots that make a cubic Hermite spline monotone between every two of them.

    Inside: the slope of the parabola through three knots, limited to twice the flatter
    neighbouring secant, zero at a turning point. At an end: half of three times the secant less
    the neighbour's slope, the parabola that meets that neighbour smoothly.
    Source: M. Steffen, Astronomy & Astrophysics 239 (1990) 443; the end rule is the one that
    published InferenceX cells follow (his own, through three knots, does not give them).

    >>> steffen_slopes(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])).tolist()
    [1.5, 0.0, 0.0]
    """
    step = np.diff(x)
    secant = np.diff(y) / step
    if len(secant) == 1:
        return np.repeat(secant, 2)
    left, right = secant[:-1], secant[1:]
    parabola = (left * step[1:] + right * step[:-1]) / (step[:-1] + step[1:])
    flatter = np.minimum(np.abs(left), np.abs(right))
    inner = (np.sign(left) + np.sign(right)) * np.minimum(flatter, np.abs(parabola) / 2)
    first, last = (3 * secant[0] - inner[0]) / 2, (3 * secant[-1] - inner[-1]) / 2
    return np.concatenate([[first], inner, [last]])


def steffen(x, y):
    """The monotone spline through points with rising `x`: a function, NaN outside the range of `x`.

    >>> curve = steffen([10, 20, 40], [900, 500, 100])
    >>> curve([10, 15, 41]).round(1).tolist()
    [900.0, 687.5, nan]
    """
    from scipy.interpolate import CubicHermiteSpline

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) == 1:
        return lambda at: np.where(np.asarray(at, dtype=float) == x[0], y[0], np.nan)
    return CubicHermiteSpline(x, y, steffen_slopes(x, y), extrapolate=False)


def fall_between(x, y, at) -> np.ndarray:
    """How many times `y` falls between the two points around each place: how far off a value read there can be.

    1 at a point, NaN outside. Between two points of a front the truth lies somewhere from the one to the other, so the
    fall bounds the error of what is read between them, and by experience it also goes with it: the measured
    configurations in the dataset, each inner point left out in turn, are off by a median 4 % where the points around it are
    within 3 times of each other, by 14 % up to 5 times, by 26 % up to 10 times and by 52 % beyond.

    >>> fall_between([10, 20, 40], [900, 300, 100], [10, 15, 20, 30, 50]).tolist()
    [1.0, 3.0, 1.0, 3.0, nan]
    """
    x, y, at = (np.asarray(values, dtype=float) for values in (x, y, at))
    left = np.searchsorted(x, at, side="right") - 1
    right = np.searchsorted(x, at, side="left")
    inside = (left >= 0) & (right < len(x))
    return np.where(inside, y[left.clip(0)] / y[right.clip(max=len(x) - 1)], np.nan)


def steffen_or_next(x, y, at, *, max_fall_ratio: float = MAX_FALL_RATIO) -> np.ndarray:
    """The spline where points lie close; in a hole, where `y` falls more than `max_fall_ratio` times, and left of the first
    point, the next point to the right.

    On a front that run was measured, and is fast enough for every slower speed: the least that is known to be delivered.

    >>> steffen_or_next([10, 20, 40], [900, 500, 50], [5, 20, 30, 50]).tolist()
    [900.0, 500.0, 50.0, nan]
    """
    x, y, at = (np.asarray(values, dtype=float) for values in (x, y, at))
    right = np.searchsorted(x, at, side="left").clip(max=len(x) - 1)
    is_next = (at < x[0]) | (fall_between(x, y, at) > max_fall_ratio)
    return np.where(is_next, y[right], steffen(x, y)(at))


def is_on_front(speed, throughput) -> np.ndarray:
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
        speed = self.points.loc[self.points["is_on_front"], SPEED]
        return float(speed.min()), float(speed.max())

    @property
    def label(self) -> str:
        """Accelerator, precision and lengths, for a legend."""
        return f"{self.accelerator} {self.precision}, {self.isl}/{self.osl}"

    @cached_property
    def _curve(self):
        return steffen(self.front[SPEED], self.front[self.throughput])

    def at(self, *, tok_per_s_per_user):
        """Throughput at an interactivity (scalar, array or Series); NaN where it was not reached."""
        check_value(SPEED, tok_per_s_per_user)
        return _shaped_like(tok_per_s_per_user, self._curve(np.asarray(tok_per_s_per_user, dtype=float)), self.throughput)

    def fall_at(self, *, tok_per_s_per_user) -> np.ndarray:
        """How many times the throughput falls between the points around each speed; 1 at a point, NaN where not reached."""
        return fall_between(self.front[SPEED], self.front[self.throughput], tok_per_s_per_user)

    def curve(self, rate=None, *, tok_per_s_per_user=None) -> pd.DataFrame:
        """The curve as a tidy table: `tok_per_s_per_user`, throughput, with a `rate` also its cost, and `series`.

        Without speeds of your own: 200 of them, evenly spaced in their logarithm over the measured range.
        """
        speed = np.geomspace(*self.reach, 200).clip(*self.reach) if tok_per_s_per_user is None else tok_per_s_per_user
        table = pd.DataFrame({SPEED: np.atleast_1d(np.asarray(speed, dtype=float))})
        table[self.throughput] = self.at(tok_per_s_per_user=table[SPEED])
        if rate is not None:
            cost: Any = cost_at(self, rate, tok_per_s_per_user=table[SPEED])
            table[cost.name] = cost
        return table.assign(series=self.label)


def cost_at(frontier: Frontier, rate, *, tok_per_s_per_user):
    """Cost per million tokens at an interactivity: the rate over the splined throughput, NaN where not reached.

    `rate` is a labelled rate of the evidence catalog, or USD per GPU-hour as a number or array.
    The tokens counted are those of the frontier's throughput.
    """
    require_fact_of(frontier, rate, "rate")
    cost = COST[token_class(frontier.throughput)]
    return metric_at(frontier, cost, tok_per_s_per_user=tok_per_s_per_user, rate_usd_per_gpu_h=rate)


def metric_at(frontier: Frontier, metric, *, tok_per_s_per_user, **others):
    """A headline metric of the throughput at an interactivity, NaN where not reached. Columns beside each other have one index."""
    throughput = frontier.at(tok_per_s_per_user=tok_per_s_per_user)
    if np.ndim(throughput):
        return metric(**{frontier.throughput: throughput}, **others)
    # One speed, which may be not reached: a column of it, as long as the columns beside it.
    longest = max((np.shape(value) for value in others.values()), key=len, default=())
    values = metric(**{frontier.throughput: np.full(longest or 1, throughput)}, **others)
    return values if longest else float(values[0])


def require_fact_of(frontier: Frontier, fact, what: str) -> None:
    """Refuse another accelerator's fact, and a fact that is no rate where a rate is asked (no power where power is)."""
    quantity = getattr(fact, "quantity", None)
    if quantity and unit(quantity) != _UNIT_OF[what]:
        raise QuantityError(f"the {what} must be in {_UNIT_OF[what]}, got a fact of {quantity}")
    accelerator = getattr(fact, "accelerator", frontier.accelerator)
    if accelerator != frontier.accelerator:
        raise QuantityError(
            f"the {what} is one of {accelerator}, the curve one of {frontier.accelerator}; give that of {frontier.accelerator}"
        )


def frontier(rows: pd.DataFrame, *, throughput: str = "total_tok_per_s_per_gpu", **where) -> Frontier:
    """The frontier of measured rows, after keeping those where each named column has the value (or one of the values) given.

    Refuses rows of more than one model, accelerator or pair of lengths, and output rates divided by
    fewer than all GPUs. Rows without an interactivity or a throughput are left out and counted.

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
    dates = sorted(date for date in points["run_date"].dropna().astype(str) if date) if "run_date" in points else []
    first = points.iloc[0]
    labels: dict[str, Any] = {name: first[name] if isinstance(first[name], str) else int(first[name]) for name in ONE_OF}
    labels |= {name: " + ".join(sorted(points[name].dropna().astype(str).unique())) if name in points else "" for name in POOLED}
    return Frontier(
        **labels,
        first_date=dates[0] if dates else "",
        last_date=dates[-1] if dates else "",
        throughput=throughput,
        points=points,
        n_excluded=int((~known).sum()),
    )


def _shaped_like(given, values, name):
    """`values` as a Series named `name` if a Series was given, as a plain number for a scalar."""
    if isinstance(given, pd.Series):
        return pd.Series(np.asarray(values), index=given.index, name=name)
    return float(values) if np.ndim(values) == 0 else np.asarray(values)


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
    """The output rate must be its share of the total rate; if not, one is divided by decode GPUs alone."""
    pair = ["output_tok_per_s_per_gpu", "total_tok_per_s_per_gpu"]
    if not set(pair) <= set(rows):
        return
    share = rows[pair[0]] / rows[pair[1]]
    expected = rows["osl"] / (rows["isl"] + rows["osl"])
    off = (share / expected - 1).abs() > SHARE_TOLERANCE
    if off.any():
        raise QuantityError(
            f"{off.sum()} of {len(rows)} rows have an output rate that is {share[off].iloc[0]:.2f} of the total rate where the lengths say "
            f"{expected[off].iloc[0]:.2f}: not divided by all GPUs of the deployment; recompute both per all GPUs or leave these rows out"
        )
