"""Two systems at one speed: by the runs that were measured first, by what the curves say between runs second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tokcost import evidence, formulas
from tokcost.doubt.at_speed import times_cheaper
from tokcost.doubt.owned_hours import OwnedHours
from tokcost.serving.pareto_frontier import SPEED, Frontier, cost_at, frontier
from tokcost.serving.pooling import each_once
from tokcost.serving.reading import quotient

THROUGHPUT, COST = "total_tok_per_s_per_gpu", "total_token_cost_usd_per_mtok"


def at_equal_speed(
    *, model: str, isl: int, osl: int, tok_per_s_per_user: float, baseline: Mapping[str, str], candidate: Mapping[str, str],
    rates: Mapping[str, evidence.Fact | float] | OwnedHours,
) -> dict[str, Any]:  # fmt: skip
    """What a million tokens costs on two systems that serve at least so fast, over all campaigns, and how many times cheaper the second is.

    `baseline` and `candidate` say which rows of data/inference.csv are theirs, the accelerator among them; `rates` has the
    price of an hour of each accelerator. First the cheapest measured run at least as fast of each: a fact. Then the reading of
    both curves at the speed itself, and the least and the most that the runs on either side allow. NaN where not reached.

    Columns: for `baseline_` and `candidate_`: speed and throughput of the run, its cost, `read_` cost with `read_low_` and
    `read_high_`; `cost_ratio` of the runs with the `low_` and `high_` that hold it nine times in ten and what this doubt is
    `made_of`, in words (`doubt.times_cheaper`); `read_cost_ratio` with `read_low_` and `read_high_`; `headline`: all of the ratio.

    >>> pair = {"baseline": {"accelerator": "h200"}, "candidate": {"accelerator": "gb300", "precision": "fp8"}}
    >>> job = {"model": "dsr1", "isl": 1024, "osl": 1024, "tok_per_s_per_user": 70.0}
    >>> at_70 = at_equal_speed(**job, **pair, rates={"h200": 1.22, "gb300": 2.31})
    >>> round(at_70["baseline_tok_per_s_per_user"], 1), round(at_70["cost_ratio"], 1), round(at_70["read_cost_ratio"], 1)
    (72.4, 8.0, 9.8)
    """
    row: dict[str, Any] = {}
    read, curves = [], []
    for role, where in (("baseline", baseline), ("candidate", candidate)):
        curve = frontier(each_once(evidence.measured(model=model, isl=isl, osl=osl, **where)))
        rate = rates[where["accelerator"]]
        cost: Any = cost_at(curve, rate, tok_per_s_per_user=tok_per_s_per_user)
        of_run = _of_run(curve, tok_per_s_per_user, float(rate))
        ends = {f"read_{COST}": float(cost), f"read_low_{COST}": cost.low, f"read_high_{COST}": cost.high}
        row |= {f"{role}_{name}": value for name, value in (of_run | ends).items()}
        read.append(cost)
        curves.append(curve)
    ratio = quotient(*read)
    row |= {"read_cost_ratio": float(ratio), "read_low_cost_ratio": ratio.low, "read_high_cost_ratio": ratio.high}
    known = times_cheaper(*curves, rates=rates, tok_per_s_per_user=tok_per_s_per_user)
    row |= {"cost_ratio": known.value, "low_cost_ratio": known.low, "high_cost_ratio": known.high}
    return row | {"made_of": known.made_of, "headline": known}


def _of_run(curve: Frontier, speed: float, rate: float) -> dict[str, float]:
    run = curve.run_at(tok_per_s_per_user=speed)
    if run is None:
        return dict.fromkeys((SPEED, THROUGHPUT, COST), np.nan)
    cost = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=float(run[THROUGHPUT]))
    return {SPEED: float(run[SPEED]), THROUGHPUT: float(run[THROUGHPUT]), COST: float(cost)}
