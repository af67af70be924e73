"""Speed alone is no service: limits on latency, goodput, and which configuration wins where under them.

Interactivity says how fast an answer streams, not when it starts or ends. Limits on TTFT or on the time of
a whole request, at any percentile that the rows have, leave fewer rows, and the frontier is drawn over those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost.quantities import QuantityError, check_value, median_of_many, nearest, token_class
from tokcost.serving.pareto_frontier import (
    CONFIGURATION,
    COST,
    SPEED,
    Frontier,
    frontier,
    is_on_front,
    require_fact_of,
)
from tokcost.serving.spline import MAX_FALL_RATIO, steffen

_LATENCIES = tuple(f"{statistic}_{name}_s" for name in ("ttft", "tpot", "e2e") for statistic in ("mean", "median", "p90", "p95", "p99"))


def within_limits(rows: pd.DataFrame, **limits: float) -> pd.DataFrame:
    """The rows that keep every latency limit, named as the columns are (`median_ttft_s=2`, `p99_e2e_s=30`).

    A row that does not say a latency cannot show that it keeps the limit, and is excluded. The ratio of two systems under a limit
    is `ratio_at` of the two frontiers over the rows that keep it.

    Columns: those of `rows`.
    Raises: QuantityError for a limit that is no latency or no number of seconds, and where no row keeps it.

    >>> rows = pd.DataFrame({"median_ttft_s": [0.5, 3.0, np.nan], "total_tok_per_s_per_gpu": [100.0, 900.0, 500.0]})
    >>> within_limits(rows, median_ttft_s=1.0)["total_tok_per_s_per_gpu"].tolist()
    [100.0]
    """
    for name, limit in limits.items():
        _require_latency(rows, name)
        _require_seconds(f"the limit on {name}", limit)
        rows = rows[rows[name] <= limit]
    if rows.empty:
        said = ", ".join(f"{name} <= {limit:g}" for name, limit in limits.items())
        raise QuantityError(f"no measured row keeps {said}; loosen the limit or measure at lower load")
    return rows


@dataclass(frozen=True, eq=False)
class LatencyFront:
    """The best measured throughput for every latency: points by rising latency, NaN outside the measured range."""

    latency: str
    throughput: str
    front: pd.DataFrame
    n_points: int
    n_excluded: int

    @property
    def reach(self) -> tuple[float, float]:
        """Shortest and longest latency on the front; nothing is known beyond."""
        return float(self.front[self.latency].min()), float(self.front[self.latency].max())

    @cached_property
    def _curve(self):
        return steffen(self.front[self.latency], self.front[self.throughput])

    def at(self, latency_s: ArrayLike) -> float | np.ndarray:
        """Throughput at a latency in seconds (scalar or array)."""
        values = self._curve(np.asarray(latency_s, dtype=float))
        return float(values) if np.ndim(values) == 0 else values


def latency_frontier(rows: pd.DataFrame, latency: str, *, throughput: str = "total_tok_per_s_per_gpu") -> LatencyFront:
    """Throughput against a latency (TTFT, TPOT or the whole request, at a percentile that the rows have).

    Raises: QuantityError where the rows have no such latency or throughput, or no row has both.

    >>> rows = pd.DataFrame({"p99_e2e_s": [5.0, 10.0, 12.0, 20.0], "total_tok_per_s_per_gpu": [100.0, 500.0, 400.0, 900.0]})
    >>> curve = latency_frontier(rows, "p99_e2e_s")
    >>> len(curve.front), curve.at(10.0), curve.at(30.0)
    (3, 500.0, nan)
    """
    _require_latency(rows, latency)
    if throughput not in rows:
        raise QuantityError(f"the rows have no column `{throughput}`{nearest(throughput, rows.columns)}")
    known = rows.dropna(subset=[latency, throughput])
    if known.empty:
        raise QuantityError(f"none of the {len(rows)} rows has both `{latency}` and `{throughput}`")
    front = known[is_on_front(-known[latency], known[throughput])].sort_values(latency, ignore_index=True)
    return LatencyFront(latency, throughput, front, len(known), len(rows) - len(known))


def goodput(
    requests: pd.DataFrame,
    *,
    ttft_limit_s: float,
    tpot_limit_s: float,
    duration_s: float | None = None,
    by: str | None = None,
) -> pd.DataFrame:
    """Share of requests that meet both limits, from one row a request: `ttft_s`, `tpot_s`, `is_failed`.

    Failed requests and those with an unknown latency meet none; an answer of one token (`output_tok`) has no TPOT
    to miss. `by` gives one row for each value of a column (the concurrency of a sweep); `duration_s` of the run
    (of each, with `by`) adds good requests per second.

    Columns: `by`, `n_requests`, `n_good`, `goodput_frac` and, with a duration, `goodput_request_per_s`.
    Raises: QuantityError where a column is missing or not of its kind, and for no request at all.

    >>> table = pd.DataFrame({"ttft_s": [0.2, 0.4, 3.0, 0.1], "tpot_s": [0.02, 0.02, 0.02, 0.02], "is_failed": [False, False, False, True]})
    >>> goodput(table, ttft_limit_s=1, tpot_limit_s=0.05, duration_s=10)[["goodput_frac", "goodput_request_per_s"]].iloc[0].tolist()
    [0.5, 0.2]
    """
    check_value("ttft_limit_s", ttft_limit_s)
    check_value("tpot_limit_s", tpot_limit_s)
    for name in ("ttft_s", "tpot_s", "is_failed", *([by] if by else [])):
        if name not in requests:
            raise QuantityError(f"the requests have no column `{name}`{nearest(name, requests.columns)}")
    if requests.empty:
        raise QuantityError("goodput needs at least one request, got none")
    if by in ("n_requests", "n_good", "goodput_frac", "goodput_request_per_s"):
        raise QuantityError(f"`{by}` is a column of the result; rename it in the requests")
    if requests["is_failed"].dtype.kind != "b":
        raise QuantityError(f"`is_failed` must be true or false for every request, got a column of {requests['is_failed'].dtype}")
    if duration_s is not None:
        _require_seconds("`duration_s`", duration_s)
    streams_well = requests["tpot_s"] <= tpot_limit_s
    if "output_tok" in requests:
        streams_well |= requests["output_tok"] == 1
    is_good = ~requests["is_failed"] & (requests["ttft_s"] <= ttft_limit_s) & streams_well
    counts = is_good.groupby(requests[by] if by else np.zeros(len(requests)), dropna=False).agg(n_requests="size", n_good="sum")
    table = counts.assign(goodput_frac=counts["n_good"] / counts["n_requests"])
    if duration_s is not None:
        table["goodput_request_per_s"] = table["n_good"] / duration_s
    return table.reset_index() if by else table.reset_index(drop=True)


def winners(
    rows: pd.DataFrame,
    *,
    tok_per_s_per_user: ArrayLike,
    by: tuple[str, ...] = CONFIGURATION,
    rates: Mapping[str, object] | None = None,
    throughput: str = "total_tok_per_s_per_gpu",
) -> pd.DataFrame:
    """Which configuration wins at each interactivity, on how many points of which dates, with the median of all.

    A configuration does at a speed what its best measured run at least as fast does (`Frontier.measured_at`): the winner is
    the winner of all runs, and nothing is read between them. The most throughput per GPU wins; with `rates` (accelerator to
    USD per GPU-hour) the least cost does, which is the fair race between accelerators. `n_configurations` have a run that
    fast; where none does, the row is empty. The median is of those that were measured around the speed, `n_near`: a run on
    either side, between which throughput falls no more than five times (NaN: fewer than five were).

    Columns: the speed, `by`, `first_date` and `last_date` of the winner's runs, `n_on_front`, `n_configurations`, `n_near`,
    and `best_`, `median_` and `second_` throughput or cost.
    Raises: QuantityError where configurations cannot be told apart or an accelerator has no rate.

    >>> rows = pd.DataFrame({"model": "m", "isl": 1, "osl": 1, "accelerator": ["a", "a", "b", "b"],
    ...                      "tok_per_s_per_user": [10, 50, 20, 100], "total_tok_per_s_per_gpu": [900.0, 300.0, 600.0, 200.0]})
    >>> winners(rows, tok_per_s_per_user=[15, 40, 80, 200], by=("accelerator",))["accelerator"].tolist()
    ['b', 'a', 'b', '']
    """
    check_value(SPEED, tok_per_s_per_user)
    if isinstance(by, str) or not by:
        raise QuantityError(f"`by` names the columns that tell configurations apart, as a tuple, got {by!r}")
    keys = [name for name in by if name in rows or name not in CONFIGURATION]  # rows need not tell all that can tell them apart
    absent = [name for name in keys if name not in rows]
    if absent or not keys:
        wanted = (absent or list(by))[0]
        raise QuantityError(f"the rows have no column `{wanted}` to tell configurations apart{nearest(wanted, rows.columns)}")
    speeds = np.atleast_1d(np.asarray(tok_per_s_per_user, dtype=float))
    raced = [(labels, frontier(group, throughput=throughput)) for labels, group in rows.groupby(keys, dropna=False)]
    falls = np.array([curve.fall_at(tok_per_s_per_user=speeds) for _, curve in raced])
    values = np.array([_raced(curve, rates, speeds) for _, curve in raced])
    better = -1 if rates is None else 1
    table = []
    for speed, column, fall in zip(speeds, values.T, falls.T, strict=True):
        order = [i for i in np.argsort(better * column, kind="stable") if np.isfinite(column[i])]
        labels, best = raced[order[0]] if order else ([""] * len(keys), None)
        about = dict(zip(keys, labels, strict=True)) | {name: getattr(best, name, "") for name in ("first_date", "last_date")}
        near = column[fall <= MAX_FALL_RATIO]
        table.append(
            {SPEED: speed, **about, "n_on_front": best.n_on_front if best else 0, "n_configurations": len(order), "n_near": len(near)}
            | {"best": column[order[0]] if order else np.nan, "median": median_of_many(near)}
            | {"second": column[order[1]] if len(order) > 1 else np.nan}
        )
    name = throughput if rates is None else COST[token_class(throughput)].__name__
    return pd.DataFrame(table).rename(columns={place: f"{place}_{name}" for place in ("best", "median", "second")})


def _raced(curve: Frontier, rates: Mapping | None, speeds: np.ndarray) -> np.ndarray:
    """What a configuration does at each speed: throughput or, with rates: Mapping | None, cost; NaN where it was not measured so fast."""
    throughput = np.asarray(curve.measured_at(tok_per_s_per_user=speeds))
    if rates is None:
        return throughput
    if curve.accelerator not in rates:
        raise QuantityError(f"`rates` has no price for {curve.accelerator}{nearest(curve.accelerator, rates)}")
    rate = rates[curve.accelerator]
    require_fact_of(curve, rate, "rate")
    cost = COST[token_class(curve.throughput)]
    return cost(**{"rate_usd_per_gpu_h": rate, curve.throughput: throughput})


def _require_seconds(what: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not (np.isfinite(value) and value > 0):
        raise QuantityError(f"{what} must be a number of seconds above 0, got {value!r}")


def _require_latency(rows: pd.DataFrame, name: str) -> None:
    if name not in _LATENCIES:
        raise QuantityError(f"`{name}` is no latency{nearest(name, _LATENCIES)}")
    if name not in rows or rows[name].isna().all():
        there = [column for column in _LATENCIES if column in rows and rows[column].notna().any()]
        raise QuantityError(f"the rows do not say `{name}`; they have {', '.join(there) or 'no latency at all'}")
