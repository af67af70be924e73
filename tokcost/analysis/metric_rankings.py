"""Rankings of the measured accelerators by what goes in (price, FLOPS per dollar) and by what comes out (cost of a token)."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from tokcost import evidence, formulas
from tokcost.doubt.at_speed import token_cost
from tokcost.quantities import QuantityError, check_value
from tokcost.serving.pareto_frontier import SPEED, cost_at, frontier

COST = "total_token_cost_usd_per_mtok"
LOW, HIGH = "cost_low_usd_per_mtok", "cost_high_usd_per_mtok"


def rankings(
    rows: pd.DataFrame, *, isl: int, osl: int, tok_per_s_per_user: float, precision: str, price_basis: str, rate_vintage: str
) -> pd.DataFrame:
    """Price, FLOPS per dollar (dense, at `precision`, in both meanings) and cost per token of each accelerator in `rows`.

    `rows` are measured rows of one model. Throughput and cost are those of the cheapest measured run at least as fast as the
    stated speed per user, at whatever weight precision it ran (`run_precision`); NaN where no run is that fast, or where the
    accelerator has no rated arithmetic at `precision`. One row an accelerator, cheapest token first.

    How far the cost is known: `slower_tok_per_s_per_user` and `faster_tok_per_s_per_user` are the measured speeds on either
    side, `read_total_token_cost_usd_per_mtok` is what the curve says between them, `cost_low_usd_per_mtok` and
    `cost_high_usd_per_mtok` hold it nine times in ten, as far as the runs are in doubt (`doubt.token_cost`; all hours are of one
    price list). `status`: `cheapest`; `tied`, where that range reaches down to the high end of the cheapest, so that the two
    cannot be told apart; `more expensive`; or `not reached`.

    Columns: the above, `run_tok_per_s_per_user`, `run_peak_tflop_per_s_per_usd_per_h` (dense FLOPS per dollar at the precision of
    the run), `rate_usd_per_gpu_h` and `rate_kind`, `n_runs`, and the slowest and fastest speed of the best curve.
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
    is_tied = table[LOW] <= table[HIGH].iloc[0]
    status = np.select([table[COST].isna(), table.index == 0, is_tied], ["not reached", "cheapest", "tied"], "more expensive")
    return table.assign(status=status)


def _one(rows: pd.DataFrame, accelerator: str, speed: float, rated: pd.Series, rate: evidence.Fact) -> dict:
    best = frontier(rows, accelerator=accelerator)
    read: Any = cost_at(best, rate, tok_per_s_per_user=speed)
    run = best.run_at(tok_per_s_per_user=speed)
    known = token_cost(best, rate.value, tok_per_s_per_user=speed)
    return {
        "accelerator": accelerator,
        "rate_usd_per_gpu_h": rate.value,
        "rate_kind": rate.kind,
        "peak_tflop_per_s": rated.iloc[0],
        "memory_bandwidth_gb_per_s": rated.iloc[1],
        "total_tok_per_s_per_gpu": np.nan if run is None else run["total_tok_per_s_per_gpu"],
        COST: known.value,
        LOW: known.low,
        HIGH: known.high,
        f"read_{COST}": float(read),
        f"slower_{SPEED}": read.bracket.slower_tok_per_s_per_user,
        f"faster_{SPEED}": read.bracket.faster_tok_per_s_per_user,
        f"run_{SPEED}": np.nan if run is None else run[SPEED],
        "run_precision": "" if run is None else run["precision"],
        "n_runs": best.n_points,
        "reach_from_tok_per_s_per_user": best.reach[0],
        "reach_to_tok_per_s_per_user": best.reach[1],
    }


def _rating(ratings: pd.DataFrame, accelerator: str, precision: str) -> float:
    """Dense TFLOP/s at the precision of a run; NaN where none is rated."""
    name = f"peak_{precision}_dense_tflop_per_s"
    return float(ratings.at[accelerator, name]) if name in ratings else np.nan


def rank_agreement(table: pd.DataFrame, metric: str, *, is_better_high: bool, output: str = COST) -> tuple[float, float, float]:
    """Kendall's tau (b) between what a metric and what the cost of a token ranks first, and its 95 % interval.

    1 is the same order, -1 the reverse. The interval takes the rows for a sample: Fisher's z of tau has the variance
    0.437 / (n - 4) (Fieller, Hartley and Pearson, Biometrika 44, 1957), so it needs five rows; with few rows it is wide.
    Rows that lack either are left out; NaN where fewer than two are left, or all are alike in one of them.

    >>> table = pd.DataFrame({"price": [1, 2, 3, 4, 5, 6], "cost": [6, 5, 4, 3, 1, 2]})
    >>> [round(one, 2) for one in rank_agreement(table, "price", is_better_high=True, output="cost")]
    [0.87, 0.38, 0.98]
    """
    known = table.dropna(subset=[metric, output])
    if len(known) < 2:
        return np.nan, np.nan, np.nan
    merit = known[metric] * (1 if is_better_high else -1)
    agreement: Any = kendalltau(merit, -known[output])
    tau = float(agreement.statistic)
    if len(known) < 5 or np.isnan(tau):
        return tau, np.nan, np.nan
    with np.errstate(divide="ignore"):  # the same order throughout: no interval beside 1
        z, half = np.arctanh(tau), NormalDist().inv_cdf(0.975) * np.sqrt(0.437 / (len(known) - 4))
    return tau, float(np.tanh(z - half)), float(np.tanh(z + half))


def discordant_pairs(
    table: pd.DataFrame, metric: str, *, is_better_high: bool, output: str = COST, within: tuple[str, str] | None = None
) -> tuple[int, int]:
    """In how many pairs of rows a metric puts the one with the more expensive token ahead, and how many pairs there are.

    `output` is what should be low. Rows that lack either are left out; a tie in either is no discordant pair. `within` names the
    columns with the low and the high end of the output: pairs whose ranges meet cannot be told apart and are left out too.

    >>> discordant_pairs(pd.DataFrame({"price": [1, 2, 3], "cost": [3, 2, 1]}), "price", is_better_high=False, output="cost")
    (3, 3)
    """
    known = table.dropna(subset=[metric, output])
    merit = known[metric].to_numpy() * (1 if is_better_high else -1)
    cost = known[output].to_numpy()
    i, j = np.triu_indices(len(known), 1)
    low, high = (known[name].to_numpy() for name in within or (output, output))
    is_apart = (np.maximum(low[i], low[j]) > np.minimum(high[i], high[j])) | (within is None)
    is_discordant = (merit[i] - merit[j]) * (cost[i] - cost[j]) > 0
    return int((is_apart & is_discordant).sum()), int(is_apart.sum())
