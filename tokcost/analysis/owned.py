"""The cost of a token when the hour is built up from its parts instead of taken from a price list."""

from __future__ import annotations

import pandas as pd

from tokcost.quantities import check_value
from tokcost.serving.pareto_frontier import cost_at, frontier


def token_cost_of_deployment(
    rows: pd.DataFrame, totals: pd.DataFrame, *, published: dict, tok_per_s_per_user: float, utilization_frac: float
):
    """Cost per million tokens at one speed, with the built hour (`tokcost.analysis.worksheet.parts_and_totals`) and with a published rate.

    Parameters
    ----------
    rows : DataFrame
        Measured runs of one model and one pair of lengths.
    totals : DataFrame
        One row an accelerator: series (its name), usd_per_gpu_h, low, high.
    published : dict
        Accelerator name as in `series` to a rate of the evidence catalog.

    Returns
    -------
    DataFrame
        accelerator, total_tok_per_s_per_gpu (while it works), then USD per million tokens: built, low, high, published. NaN
        where the speed was not reached.
    """
    check_value("utilization_frac", utilization_frac)
    table = []
    for total in totals.itertuples():
        curve = frontier(rows, accelerator=total.series.lower())
        rates = (total.usd_per_gpu_h, total.low, total.high, published[total.series].value)
        busy = [cost_at(curve, rate, tok_per_s_per_user=tok_per_s_per_user) for rate in rates]
        measured = float(curve.at(tok_per_s_per_user=tok_per_s_per_user))
        table.append((total.series.lower(), measured, *(float(cost) / utilization_frac for cost in busy)))
    return pd.DataFrame(table, columns=["accelerator", "total_tok_per_s_per_gpu", "built", "low", "high", "published"])
