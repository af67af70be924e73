"""Input metrics beside the output metric, for every accelerator that was measured."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from tokcost import evidence, metrics
from tokcost.output.frontier import cost_at, frontier
from tokcost.quantities import QuantityError, check_value


def rankings(
    rows: pd.DataFrame, *, isl: int, osl: int, tok_per_s_per_user: float, precision: str, price_basis: str, rate_vintage: str
) -> pd.DataFrame:
    """Price, FLOPS per dollar (dense, at `precision`, in both meanings) and cost per token of each accelerator in `rows`.

    `rows` are measured rows of one model. Output is the best measured configuration at the stated speed per user, at
    whatever weight precision it ran (`best_precision`); NaN where that speed was not reached, or where the accelerator has
    no rated arithmetic at `precision`. One row an accelerator, cheapest token first.
    """
    check_value("tok_per_s_per_user", tok_per_s_per_user)
    rows = rows[(rows["isl"] == isl) & (rows["osl"] == osl)]
    if rows.empty:
        raise QuantityError(f"no measured row has prompts of {isl} and answers of {osl} tokens")
    rated = evidence.accelerators()[f"peak_{precision}_dense_tflop_per_s"]
    table = pd.DataFrame(
        [
            _one(rows, name, tok_per_s_per_user, rated[name], evidence.rate(accelerator=name, price_basis=price_basis, rate_vintage=rate_vintage))
            for name in rows["accelerator"].unique()
        ]
    )
    price = table["rate_usd_per_gpu_h"]
    table["peak_tflop_per_s_per_usd_per_h"] = metrics.peak_tflop_per_s_per_usd_per_h(peak_tflop_per_s=table["peak_tflop_per_s"], rate_usd_per_gpu_h=price)
    table["flop_per_usd"] = metrics.flop_per_usd(peak_tflop_per_s=table["peak_tflop_per_s"], rate_usd_per_gpu_h=price)
    return table.sort_values("total_token_cost_usd_per_mtok", kind="stable").reset_index(drop=True)


def _one(rows: pd.DataFrame, accelerator: str, speed: float, peak: float, rate) -> dict:
    best = frontier(rows, accelerator=accelerator)
    throughput = best.at(tok_per_s_per_user=speed)
    near = best.front.iloc[(best.front["tok_per_s_per_user"] - speed).abs().argmin()]
    return {
        "accelerator": accelerator,
        "rate_usd_per_gpu_h": rate.value,
        "peak_tflop_per_s": peak,
        "total_tok_per_s_per_gpu": throughput,
        "total_token_cost_usd_per_mtok": cost_at(best, rate, tok_per_s_per_user=speed),
        "best_precision": "" if np.isnan(throughput) else near["precision"],
        "n_runs": best.n_points,
        "reach_to_tok_per_s_per_user": best.reach[1],
    }


def disagreement(table: pd.DataFrame, first: str, second: str, *, is_first_better_high: bool, is_second_better_high: bool) -> tuple[int, int]:
    """In how many pairs of rows two metrics put a different one ahead, and how many pairs there are.

    Rows that lack either metric are left out; a tie in either counts as no disagreement.

    >>> disagreement(pd.DataFrame({"price": [1, 2, 3], "cost": [3, 2, 1]}), "price", "cost", is_first_better_high=False, is_second_better_high=False)
    (3, 3)
    """
    known = table[[first, second]].dropna()
    a = known[first].to_numpy() * (1 if is_first_better_high else -1)
    b = known[second].to_numpy() * (1 if is_second_better_high else -1)
    pairs = list(itertools.combinations(range(len(known)), 2))
    return sum(bool((a[i] - a[j]) * (b[i] - b[j]) < 0) for i, j in pairs), len(pairs)


def cost_range(rows: pd.DataFrame, *, accelerator: str, tok_per_s_per_user: float) -> pd.Series:
    """Cost per million tokens of one accelerator at one speed under every price of its hour on file.

    `rows` are measured rows of one model and one pair of lengths. The index is (price basis, vintage).
    """
    prices = evidence.load("hourly_rates").query("accelerator == @accelerator").set_index(["price_basis", "rate_vintage"])["value"]
    throughput = frontier(rows, accelerator=accelerator).at(tok_per_s_per_user=tok_per_s_per_user)
    return metrics.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=prices.rename("rate_usd_per_gpu_h"), total_tok_per_s_per_gpu=throughput)
