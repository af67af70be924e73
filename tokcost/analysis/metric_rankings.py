"""Rankings of the measured accelerators by what goes in (price, FLOPS per dollar) and by what comes out (cost of a token)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from tokcost import evidence, formulas
from tokcost.quantities import QuantityError, check_value
from tokcost.serving.compare import leave_one_out
from tokcost.serving.pareto_frontier import SPEED, cost_at, frontier
from tokcost.serving.reading import MEASURED

COST = "total_token_cost_usd_per_mtok"
ERROR = "interpolation_error_frac"


def rankings(
    rows: pd.DataFrame, *, isl: int, osl: int, tok_per_s_per_user: float, precision: str, price_basis: str, rate_vintage: str
) -> pd.DataFrame:
    """Price, FLOPS per dollar (dense, at `precision`, in both meanings) and cost per token of each accelerator in `rows`.

    `rows` are measured rows of one model. Throughput is the best measured configuration at the stated speed per user, at
    whatever weight precision it ran (`best_precision`); NaN where its best curve does not reach down or up to that speed, or
    where the accelerator has no rated arithmetic at `precision`. One row an accelerator, cheapest token first.

    How far the cost is known: `slower_tok_per_s_per_user` and `faster_tok_per_s_per_user` are the measured speeds on either
    side, `interpolation_error_frac` the median error of the points of that curve left out one at a time (0 where the speed
    itself was measured, NaN where a curve has too few points to leave one out). `cost_low_usd_per_mtok` and
    `cost_high_usd_per_mtok`: the cost divided and multiplied by 1 + that error; an error that is not known moves nothing.
    `run_tok_per_s_per_user`, `run_total_token_cost_usd_per_mtok`: speed and cost of the cheapest measured run at least as fast,
    `run_precision` what it ran in, `run_peak_tflop_per_s_per_usd_per_h` the dense FLOPS per dollar at that precision.
    `status`: `cheapest`; `tied`, where the low end reaches down to the high end of the cheapest, so that the two cannot be told
    apart; `more expensive`; or `not reached`.

    Columns: the above, `rate_usd_per_gpu_h` and `rate_kind`, `n_runs`, and the slowest and fastest speed of the best curve.
    Raises: QuantityError for a pair of lengths that no row has.

    >>> rows = evidence.measured(campaign="inferencex_dsr1_2026_04")
    >>> terms = {"precision": "fp8", "price_basis": "owning_hyperscaler", "rate_vintage": "2026-03"}
    >>> table = rankings(rows, isl=1024, osl=1024, tok_per_s_per_user=116.7, **terms)
    >>> table.set_index("accelerator")["total_token_cost_usd_per_mtok"].round(2).to_dict()
    {'gb300': 0.12, 'h200': 4.2}
    """
    check_value("tok_per_s_per_user", tok_per_s_per_user)
    rows = rows[(rows["isl"] == isl) & (rows["osl"] == osl)]
    if rows.empty:
        raise QuantityError(f"no measured row has prompts of {isl} and answers of {osl} tokens")
    names = list(rows["accelerator"].unique())
    ratings = evidence.accelerators(names)
    rated = ratings.reindex(columns=[f"peak_{precision}_dense_tflop_per_s", "memory_bandwidth_gb_per_s"])
    rates = {name: evidence.rate(accelerator=name, price_basis=price_basis, rate_vintage=rate_vintage) for name in names}
    table = pd.DataFrame([_one(rows, name, tok_per_s_per_user, rated.loc[name], rates[name]) for name in names])
    per_dollar = {name: table[name] for name in ("peak_tflop_per_s", "rate_usd_per_gpu_h")}
    table["peak_tflop_per_s_per_usd_per_h"] = formulas.peak_tflop_per_s_per_usd_per_h(**per_dollar)
    table["flop_per_usd"] = formulas.flop_per_usd(**per_dollar)
    at_run = [_rating(ratings, name, ran) for name, ran in zip(table["accelerator"], table["run_precision"], strict=True)]
    table["run_peak_tflop_per_s_per_usd_per_h"] = np.array(at_run) / table["rate_usd_per_gpu_h"]
    table = table.sort_values(COST, kind="stable").reset_index(drop=True)
    factor = 1 + table[ERROR].fillna(0)
    low, high = table[COST] / factor, table[COST] * factor
    status = np.select([table[COST].isna(), table.index == 0, low <= high.iloc[0]], ["not reached", "cheapest", "tied"], "more expensive")
    return table.assign(cost_low_usd_per_mtok=low, cost_high_usd_per_mtok=high, status=status)


def _one(rows: pd.DataFrame, accelerator: str, speed: float, rated: pd.Series, rate: evidence.Fact) -> dict:
    best = frontier(rows, accelerator=accelerator)
    throughput: Any = best.at(tok_per_s_per_user=speed)
    bracket = throughput.bracket
    error = 0.0 if bracket.basis == MEASURED else leave_one_out(best)["derived_cost_error_frac"].median()
    run = best.run_at(tok_per_s_per_user=speed)
    near = best.front.iloc[(best.front[SPEED] - speed).abs().argmin()]
    return {
        "accelerator": accelerator,
        "rate_usd_per_gpu_h": rate.value,
        "rate_kind": rate.kind,
        "peak_tflop_per_s": rated.iloc[0],
        "memory_bandwidth_gb_per_s": rated.iloc[1],
        "total_tok_per_s_per_gpu": throughput,
        COST: cost_at(best, rate, tok_per_s_per_user=speed),
        "best_precision": "" if np.isnan(throughput) else near["precision"],
        f"slower_{SPEED}": bracket.slower_tok_per_s_per_user,
        f"faster_{SPEED}": bracket.faster_tok_per_s_per_user,
        ERROR: np.nan if np.isnan(throughput) else error,
        f"run_{SPEED}": np.nan if run is None else run[SPEED],
        f"run_{COST}": np.nan if run is None else cost_at(best, rate, tok_per_s_per_user=run[SPEED]),
        "run_precision": "" if run is None else run["precision"],
        "n_runs": best.n_points,
        "reach_from_tok_per_s_per_user": best.reach[0],
        "reach_to_tok_per_s_per_user": best.reach[1],
    }


def _rating(ratings: pd.DataFrame, accelerator: str, precision: str) -> float:
    """Dense TFLOP/s at the precision of a run; NaN where none is rated."""
    name = f"peak_{precision}_dense_tflop_per_s"
    return float(ratings.at[accelerator, name]) if name in ratings else np.nan


def rank_agreement(table: pd.DataFrame, metric: str, *, is_better_high: bool, output: str = COST) -> float:
    """Kendall's tau (b) between what a metric and what the cost of a token ranks first: 1 is the same order, -1 the reverse.

    Rows that lack either are left out; NaN where fewer than two are left.

    >>> rank_agreement(pd.DataFrame({"price": [1, 2, 3], "cost": [3, 2, 1]}), "price", is_better_high=False, output="cost")
    -1.0
    """
    known = table.dropna(subset=[metric, output])
    if len(known) < 2:
        return np.nan
    merit = known[metric] * (1 if is_better_high else -1)
    tau: Any = kendalltau(merit, -known[output])
    return float(tau.statistic)


def discordant_pairs(
    table: pd.DataFrame, metric: str, *, is_better_high: bool, output: str = COST, error: str | None = None
) -> tuple[int, int]:
    """In how many pairs of rows a metric puts the one with the more expensive token ahead, and how many pairs there are.

    `output` is what should be low. Rows that lack either are left out; a tie in either is no discordant pair. `error` names a
    column with the relative error of the output: pairs within it cannot be told apart and are left out too.

    >>> discordant_pairs(pd.DataFrame({"price": [1, 2, 3], "cost": [3, 2, 1]}), "price", is_better_high=False, output="cost")
    (3, 3)
    """
    known = table.dropna(subset=[metric, output])
    merit = known[metric].to_numpy() * (1 if is_better_high else -1)
    cost = known[output].to_numpy()
    factor = 1 + (known[error].fillna(0).to_numpy() if error else np.zeros(len(known)))
    i, j = np.triu_indices(len(known), 1)
    low, high = cost / factor, cost * factor
    is_apart = (np.maximum(low[i], low[j]) > np.minimum(high[i], high[j])) | (error is None)
    is_discordant = (merit[i] - merit[j]) * (cost[i] - cost[j]) > 0
    return int((is_apart & is_discordant).sum()), int(is_apart.sum())
