"""Input metrics beside the output metric, for every accelerator that was measured."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from tokcost import evidence, formulas
from tokcost.quantities import QuantityError, check_value
from tokcost.serving.compare import leave_one_out
from tokcost.serving.pareto_frontier import SPEED, Frontier, cost_at, frontier

COST = "total_token_cost_usd_per_mtok"
ERROR = "interpolation_error_frac"
#: what a purchase is often decided by -> whether more of it is better
INPUT_METRICS = {"rate_usd_per_gpu_h": False, "peak_tflop_per_s_per_usd_per_h": True}


def rankings(
    rows: pd.DataFrame, *, isl: int, osl: int, tok_per_s_per_user: float, precision: str, price_basis: str, rate_vintage: str
) -> pd.DataFrame:
    """Price, FLOPS per dollar (dense, at `precision`, in both meanings) and cost per token of each accelerator in `rows`.

    `rows` are measured rows of one model. Output is the best measured configuration at the stated speed per user, at
    whatever weight precision it ran (`best_precision`); NaN where its best curve does not reach down or up to that speed, or
    where the accelerator has no rated arithmetic at `precision`. One row an accelerator, cheapest token first.

    How far the cost is known: `slower_tok_per_s_per_user` and `faster_tok_per_s_per_user` are the measured speeds on either
    side, `interpolation_error_frac` the median error of the points of that curve left out one at a time (0 where the speed
    itself was measured, NaN where a curve has too few points to leave one out). `is_tied`: no more expensive than the cheapest
    token once both costs are moved by their errors, so that the rows so marked cannot be told apart.
    """
    check_value("tok_per_s_per_user", tok_per_s_per_user)
    rows = rows[(rows["isl"] == isl) & (rows["osl"] == osl)]
    if rows.empty:
        raise QuantityError(f"no measured row has prompts of {isl} and answers of {osl} tokens")
    names = list(rows["accelerator"].unique())
    rated = evidence.accelerators(names).reindex(columns=[f"peak_{precision}_dense_tflop_per_s", "memory_bandwidth_gb_per_s"])
    paid = {"price_basis": price_basis, "rate_vintage": rate_vintage}
    table = pd.DataFrame([_one(rows, name, tok_per_s_per_user, rated.loc[name], evidence.rate(accelerator=name, **paid)) for name in names])
    per_dollar = {name: table[name] for name in ("peak_tflop_per_s", "rate_usd_per_gpu_h")}
    table["peak_tflop_per_s_per_usd_per_h"] = formulas.peak_tflop_per_s_per_usd_per_h(**per_dollar)
    table["flop_per_usd"] = formulas.flop_per_usd(**per_dollar)
    table = table.sort_values(COST, kind="stable").reset_index(drop=True)
    low, high = cost_ends(table)
    return table.assign(is_tied=low <= high.iloc[0])


def cost_ends(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The costs of `rankings` divided and multiplied by 1 + their interpolation error; an error that is not known moves nothing.

    >>> low, high = cost_ends(pd.DataFrame({COST: [1.0, 3.0], ERROR: [0.25, np.nan]}))
    >>> low.tolist(), high.tolist()
    ([0.8, 3.0], [1.25, 3.0])
    """
    factor = 1 + table[ERROR].fillna(0)
    return table[COST] / factor, table[COST] * factor


def _between(best: Frontier, speed: float) -> dict:
    """The measured speeds around one that was asked for, and how well the curve gives back points that it was not shown."""
    measured = best.front[SPEED]
    reached = best.reach[0] <= speed <= best.reach[1]
    error = 0.0 if (measured == speed).any() else leave_one_out(best)["derived_cost_error_frac"].median()
    return {
        f"slower_{SPEED}": measured[measured <= speed].max() if reached else np.nan,
        f"faster_{SPEED}": measured[measured >= speed].min() if reached else np.nan,
        ERROR: error if reached else np.nan,
    }


def _one(rows: pd.DataFrame, accelerator: str, speed: float, rated: pd.Series, rate) -> dict:
    best = frontier(rows, accelerator=accelerator)
    throughput = best.at(tok_per_s_per_user=speed)
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
        **_between(best, speed),
        "n_runs": best.n_points,
        "reach_from_tok_per_s_per_user": best.reach[0],
        "reach_to_tok_per_s_per_user": best.reach[1],
    }


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `rankings` that reach the speed, so that price and token cost are ranked over the same accelerators.

    One of them that is not rated at the precision stays, without a rank in FLOPS. Refuses a speed that none reaches.
    """
    known = table.dropna(subset=[COST]).reset_index(drop=True)
    if known.empty:
        raise QuantityError(f"none of {', '.join(table['accelerator'])} reaches that speed; ask for one between their slowest and fastest")
    return known


def firsts(table: pd.DataFrame) -> dict[str, pd.Series]:
    """The accelerator that each metric would buy: metric to its row of `rankings`; a metric that nothing has buys nothing."""
    known = {metric: more for metric, more in {**INPUT_METRICS, COST: False}.items() if table[metric].notna().any()}
    return {metric: table.loc[table[metric].idxmax() if more else table[metric].idxmin()] for metric, more in known.items()}


def discordant_pairs(table: pd.DataFrame, metric: str, *, is_better_high: bool, output: str = COST, error: str = "") -> tuple[int, int]:
    """In how many pairs of rows a metric puts the one with the more expensive token ahead, and how many pairs there are.

    `output` is what should be low. Rows that lack either are left out; a tie in either counts as no discordant_pairs. `error`
    names a column with the relative error of the output: pairs within it cannot be told apart and are left out too.

    >>> discordant_pairs(pd.DataFrame({"price": [1, 2, 3], "cost": [3, 2, 1]}), "price", is_better_high=False, output="cost")
    (3, 3)
    """
    known = table.dropna(subset=[metric, output])
    merit = known[metric].to_numpy() * (1 if is_better_high else -1)
    cost = known[output].to_numpy()
    factor = 1 + (known[error].fillna(0).to_numpy() if error else np.zeros(len(known)))
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(len(known)), 2)
        if not error or max(cost[i] / factor[i], cost[j] / factor[j]) > min(cost[i] * factor[i], cost[j] * factor[j])
    ]
    return sum(bool((merit[i] - merit[j]) * (cost[i] - cost[j]) > 0) for i, j in pairs), len(pairs)


def cost_range(rows: pd.DataFrame, *, accelerator: str, tok_per_s_per_user: float) -> pd.Series:
    """Cost per million tokens of one accelerator at one speed under every price of its hour in the dataset.

    `rows` are measured rows of one model and one pair of lengths. The index is (price basis, vintage).
    """
    prices = evidence.load_table("hourly_rates", accelerator=accelerator).set_index(["price_basis", "rate_vintage"])["value"]
    throughput = frontier(rows, accelerator=accelerator).at(tok_per_s_per_user=tok_per_s_per_user)
    return formulas.total_token_cost_usd_per_mtok(
        rate_usd_per_gpu_h=prices.rename("rate_usd_per_gpu_h"), total_tok_per_s_per_gpu=throughput
    )
