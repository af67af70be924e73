"""What speed and a quick start cost: frontiers side by side, ratios at equal and at unequal speed, measured runs under a limit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tokcost import formulas
from tokcost.quantities import QuantityError
from tokcost.serving.compare import spread_at
from tokcost.serving.pareto_frontier import SPEED, Frontier, cost_at, frontier
from tokcost.serving.service_limits import latency_frontier

THROUGHPUT = "total_tok_per_s_per_gpu"
COST = "total_token_cost_usd_per_mtok"
TTFT = "median_ttft_s"

#: how many times the throughput in use a run that is left out must deliver before readers are told
WORTH_TELLING_RATIO = 1.5


def frontiers(rows: pd.DataFrame, **where) -> dict[str, Frontier]:
    """The frontier of every accelerator in the rows, by name.

    >>> rows = pd.DataFrame({"model": "m", "accelerator": ["h200", "b200"], "isl": 1, "osl": 1,
    ...                      "tok_per_s_per_user": 20.0, "total_tok_per_s_per_gpu": [900.0, 2000.0]})
    >>> list(frontiers(rows))
    ['b200', 'h200']
    """
    return {name: frontier(rows, accelerator=name, **where) for name in sorted(rows["accelerator"].unique())}


def frontier_coverage(curves: Mapping[str, Frontier]) -> pd.DataFrame:
    """How much each frontier rests on: runs, runs on the front, what it pools, dates, and from which speed to which it runs."""
    return pd.DataFrame(
        {
            "accelerator": name,
            "n_points": curve.n_points,
            "n_on_front": curve.n_on_front,
            "precision": curve.precision,
            "dates": " to ".join(dict.fromkeys([curve.first_date[:7], curve.last_date[:7]])),
            f"from_{SPEED}": curve.reach[0],
            f"to_{SPEED}": curve.reach[1],
        }
        for name, curve in curves.items()
    )


def excluded_runs(
    used: Mapping[str, float], everything: pd.DataFrame, *, tok_per_s_per_user: float, between_runs: bool = True
) -> pd.DataFrame:
    """Where all runs in the dataset deliver more than 1.5 times the throughput in use (or any, where none is in use), by accelerator.

    Columns: `accelerator`, `used` and `on_file` in tokens/s per GPU at the speed: read off the frontier of all runs or, with
    `between_runs=False`, that of the best single run at least that fast.

    >>> rows = pd.DataFrame({"model": "m", "accelerator": "gb300", "isl": 1, "osl": 1, "tok_per_s_per_user": [100.0, 120],
    ...                      "total_tok_per_s_per_gpu": [8000.0, 6000]})
    >>> excluded_runs({"gb300": 600.0}, rows, tok_per_s_per_user=100).values.tolist()
    [['gb300', 600.0, 8000.0]]
    """
    table = []
    for name, ours in used.items():
        runs = everything[everything["accelerator"] == name]
        fast = runs.loc[runs[SPEED] >= tok_per_s_per_user, THROUGHPUT]
        theirs = frontier(runs).at(tok_per_s_per_user=tok_per_s_per_user) if between_runs else fast.max()
        if np.isfinite(theirs) and not theirs <= WORTH_TELLING_RATIO * ours:
            table.append({"accelerator": name, "used": ours, "on_file": float(theirs)})
    return pd.DataFrame(table, columns=["accelerator", "used", "on_file"])


def cost_by_speed(curves: Mapping[str, Frontier], rates: Mapping[str, object], *, tok_per_s_per_user=None) -> pd.DataFrame:
    """Cost of a token by accelerator and speed, NaN where the speed was not reached.

    Without speeds of your own: 60 over each measured range, for a figure. Columns: `accelerator`, the speed, throughput, cost.
    """
    tables = []
    for name, curve in curves.items():
        speeds = np.geomspace(*curve.reach, 60).clip(*curve.reach) if tok_per_s_per_user is None else tok_per_s_per_user
        tables.append(curve.curve(rates[name], tok_per_s_per_user=speeds).assign(accelerator=name))
    return pd.concat(tables, ignore_index=True).drop(columns="series")


def costs_by_speed(curves: Mapping[str, Frontier], rates: Mapping[str, object], *, tok_per_s_per_user) -> pd.DataFrame:
    """`cost_by_speed` to read: one row an accelerator, one column a speed."""
    long = cost_by_speed(curves, rates, tok_per_s_per_user=tok_per_s_per_user)
    wide = long.pivot(index="accelerator", columns=SPEED, values=COST)
    return wide.rename(columns="{:g}".format).rename_axis(columns=None).reset_index()


def winners_described(won: pd.DataFrame) -> pd.DataFrame:
    """A table of `winners` to read: the configuration in one column, then on how much evidence it wins and the median beside it."""
    parts = [won["accelerator"].str.upper() + " " + won["precision"].str.upper()]
    parts.append(won["speculative"].map({"mtp": "MTP", "none": "no MTP"}).fillna(won["speculative"]))
    parts.append(won["deployment"])
    winner = parts[0].str.cat(parts[1:], sep=", ").where(won["accelerator"] != "", "not reached")
    shown = [SPEED, "n_on_front", "last_date", "n_configurations", f"best_{COST}", f"median_{COST}"]
    return won[shown].assign(winner=winner, last_date=won["last_date"].str[:7])[[SPEED, "winner", *shown[1:]]]


def best_and_median(curve: Frontier, rate, *, tok_per_s_per_user) -> pd.DataFrame:
    """`spread_at` as a cost: what the best and the median configuration make of the same hour."""
    spread = spread_at(curve, tok_per_s_per_user=tok_per_s_per_user)
    for place in ("front", "median"):
        spread[f"{place}_{COST}"] = formulas.total_token_cost_usd_per_mtok(
            rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=spread[f"{place}_{THROUGHPUT}"]
        )
    return spread


def at_unequal_speeds(candidate: Frontier, baseline: Frontier, *, candidate_rate, baseline_rate, tok_per_s_per_user) -> pd.DataFrame:
    """Every ratio that two curves can be made to give: baseline cost at one speed over candidate cost at another.

    A warning to look at, not a comparison: only rows with `is_equal` compare like with like.
    """
    base = cost_at(baseline, baseline_rate, tok_per_s_per_user=pd.Series(tok_per_s_per_user, dtype=float))
    cand = cost_at(candidate, candidate_rate, tok_per_s_per_user=pd.Series(tok_per_s_per_user, dtype=float))
    return pd.DataFrame(
        {
            f"baseline_{SPEED}": slow,
            f"candidate_{SPEED}": fast,
            "cost_ratio": theirs / ours,
            "is_equal": slow == fast,
        }
        for slow, theirs in zip(tok_per_s_per_user, base, strict=True)
        for fast, ours in zip(tok_per_s_per_user, cand, strict=True)
    )


def cost_by_ttft_limit(rows: pd.DataFrame, rates: Mapping[str, object], *, tok_per_s_per_user: float) -> pd.DataFrame:
    """Cost of the cheapest measured run that is fast enough, for every limit on the time to first token, by accelerator.

    One row where the cost falls: `median_ttft_s` is the tightest limit that lets the run in. No curve between runs: what a
    configuration in between would start at, nobody measured. Accelerators without a run that fast are not in it.

    >>> rows = pd.DataFrame({"accelerator": "h200", "tok_per_s_per_user": [50.0, 60, 20], "median_ttft_s": [2.0, 0.5, 0.1],
    ...                      "total_tok_per_s_per_gpu": [1000.0, 500, 3000]})
    >>> cost_by_ttft_limit(rows, {"h200": 3.6}, tok_per_s_per_user=50)["total_token_cost_usd_per_mtok"].tolist()
    [2.0, 1.0]
    """
    fast = rows[(rows[SPEED] >= tok_per_s_per_user) & rows[TTFT].notna()]
    if fast.empty:
        raise QuantityError(f"no measured run reaches {tok_per_s_per_user:g} tok/s/user; the fastest has {rows[SPEED].max():.4g}")
    tables = []
    for name, group in fast.groupby("accelerator"):
        front = latency_frontier(group, TTFT).front
        cost = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rates[name], total_tok_per_s_per_gpu=front[THROUGHPUT])
        tables.append(front.assign(**{COST: cost}))
    return pd.concat(tables, ignore_index=True)


def ttft_limit_penalty(starts: pd.DataFrame, *, ttft_limit_s: float, accelerators) -> pd.DataFrame:
    """What a limit on the time to first token does to the cheapest run (rows of `cost_by_ttft_limit`), by accelerator.

    Columns: `accelerator`, cost and TTFT of the cheapest run, cost of the cheapest that keeps the limit (NaN: none does), and
    `dearer_ratio` between the two.
    """
    table = []
    for name in accelerators:
        own = starts[starts["accelerator"] == name]
        kept = own[own[TTFT] <= ttft_limit_s]
        cheapest = own.loc[own[COST].idxmin()] if len(own) else None
        free, limited = own[COST].min(), kept[COST].min()
        table.append(
            {
                "accelerator": name,
                f"cheapest_{COST}": free,
                TTFT: np.nan if cheapest is None else cheapest[TTFT],
                f"limited_{COST}": limited,
                "dearer_ratio": limited / free,
            }
        )
    return pd.DataFrame(table)
