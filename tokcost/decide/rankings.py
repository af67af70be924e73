"""Input metrics beside the output metric, for every accelerator that was measured."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from tokcost import evidence, metrics
from tokcost.output.frontier import cost_at, frontier
from tokcost.quantities import QuantityError, check_value

COST = "total_token_cost_usd_per_mtok"
#: what a purchase is often decided by -> whether more of it is better
INPUT_METRICS = {"rate_usd_per_gpu_h": False, "peak_tflop_per_s_per_usd_per_h": True}


def rankings(
    rows: pd.DataFrame, *, isl: int, osl: int, tok_per_s_per_user: float, precision: str, price_basis: str, rate_vintage: str
) -> pd.DataFrame:
    """Price, FLOPS per dollar (dense, at `precision`, in both meanings) and cost per token of each accelerator in `rows`.

    `rows` are measured rows of one model. Output is the best measured configuration at the stated speed per user, at
    whatever weight precision it ran (`best_precision`); NaN where its best curve does not reach down or up to that speed, or
    where the accelerator has no rated arithmetic at `precision`. One row an accelerator, cheapest token first.
    """
    check_value("tok_per_s_per_user", tok_per_s_per_user)
    rows = rows[(rows["isl"] == isl) & (rows["osl"] == osl)]
    if rows.empty:
        raise QuantityError(f"no measured row has prompts of {isl} and answers of {osl} tokens")
    rated = evidence.accelerators()[[f"peak_{precision}_dense_tflop_per_s", "memory_bandwidth_gb_per_s"]]
    paid = {"price_basis": price_basis, "rate_vintage": rate_vintage}
    names = rows["accelerator"].unique()
    table = pd.DataFrame([_one(rows, name, tok_per_s_per_user, rated.loc[name], evidence.rate(accelerator=name, **paid)) for name in names])
    per_dollar = {name: table[name] for name in ("peak_tflop_per_s", "rate_usd_per_gpu_h")}
    table["peak_tflop_per_s_per_usd_per_h"] = metrics.peak_tflop_per_s_per_usd_per_h(**per_dollar)
    table["flop_per_usd"] = metrics.flop_per_usd(**per_dollar)
    return table.sort_values(COST, kind="stable").reset_index(drop=True)


def _one(rows: pd.DataFrame, accelerator: str, speed: float, rated: pd.Series, rate) -> dict:
    best = frontier(rows, accelerator=accelerator)
    throughput = best.at(tok_per_s_per_user=speed)
    near = best.front.iloc[(best.front["tok_per_s_per_user"] - speed).abs().argmin()]
    return {
        "accelerator": accelerator,
        "rate_usd_per_gpu_h": rate.value,
        "rate_kind": rate.kind,
        "peak_tflop_per_s": rated.iloc[0],
        "memory_bandwidth_gb_per_s": rated.iloc[1],
        "total_tok_per_s_per_gpu": throughput,
        COST: cost_at(best, rate, tok_per_s_per_user=speed),
        "best_precision": "" if np.isnan(throughput) else near["precision"],
        "n_runs": best.n_points,
        "reach_from_tok_per_s_per_user": best.reach[0],
        "reach_to_tok_per_s_per_user": best.reach[1],
    }


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `rankings` that have every metric, so that all rankings are of the same accelerators.

    Refuses fewer than two of them: then there is nothing to rank.
    """
    known = table.dropna(subset=[*INPUT_METRICS, COST]).reset_index(drop=True)
    if len(known) < 2:
        who = " and ".join(known["accelerator"]) or "no accelerator"
        raise QuantityError(f"{who} of {len(table)} is rated and reaches that speed; a ranking needs two: try another speed or precision")
    return known


def firsts(table: pd.DataFrame) -> dict[str, pd.Series]:
    """The accelerator that each metric would buy: metric to its row of `rankings`."""
    best = {metric: table[metric].idxmax() if more else table[metric].idxmin() for metric, more in {**INPUT_METRICS, COST: False}.items()}
    return {metric: table.loc[row] for metric, row in best.items()}


def disagreement(table: pd.DataFrame, metric: str, *, is_better_high: bool, output: str = COST) -> tuple[int, int]:
    """In how many pairs of rows a metric puts the one with the dearer token ahead, and how many pairs there are.

    `output` is what should be low. Rows that lack either are left out; a tie in either counts as no disagreement.

    >>> disagreement(pd.DataFrame({"price": [1, 2, 3], "cost": [3, 2, 1]}), "price", is_better_high=False, output="cost")
    (3, 3)
    """
    known = table[[metric, output]].dropna()
    merit = known[metric].to_numpy() * (1 if is_better_high else -1)
    cost = known[output].to_numpy()
    pairs = list(itertools.combinations(range(len(known)), 2))
    return sum(bool((merit[i] - merit[j]) * (cost[i] - cost[j]) > 0) for i, j in pairs), len(pairs)


def cost_range(rows: pd.DataFrame, *, accelerator: str, tok_per_s_per_user: float) -> pd.Series:
    """Cost per million tokens of one accelerator at one speed under every price of its hour on file.

    `rows` are measured rows of one model and one pair of lengths. The index is (price basis, vintage).
    """
    prices = evidence.load("hourly_rates").query("accelerator == @accelerator").set_index(["price_basis", "rate_vintage"])["value"]
    throughput = frontier(rows, accelerator=accelerator).at(tok_per_s_per_user=tok_per_s_per_user)
    return metrics.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=prices.rename("rate_usd_per_gpu_h"), total_tok_per_s_per_gpu=throughput)
