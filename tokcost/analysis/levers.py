"""What moves the cost of a token: the price of the hour, its output, and how much of it is used."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost import formulas


def levers(*, rate_usd_per_gpu_h: float, total_tok_per_s_per_gpu: float, price_usd_per_mtok: float) -> pd.DataFrame:
    """As it is, at half the price, at twice the output: cost per token, revenue and profit of one GPU-hour.

    One row a lever. Tokens of a doubled output are assumed to sell at the same price.

    >>> table = levers(rate_usd_per_gpu_h=3.6, total_tok_per_s_per_gpu=1000, price_usd_per_mtok=2)
    >>> table["total_token_cost_usd_per_mtok"].round(2).tolist(), table["profit_usd_per_gpu_h"].round(2).tolist()
    ([1.0, 0.5, 0.5], [3.6, 5.4, 10.8])
    """
    table = pd.DataFrame(
        {
            "lever": ["as it is", "half the price", "twice the output"],
            "rate_usd_per_gpu_h": np.array([1, 0.5, 1]) * rate_usd_per_gpu_h,
            "total_tok_per_s_per_gpu": np.array([1, 1, 2]) * float(total_tok_per_s_per_gpu),
        }
    )
    inputs = {name: table[name] for name in ("rate_usd_per_gpu_h", "total_tok_per_s_per_gpu")}
    table["total_token_cost_usd_per_mtok"] = formulas.total_token_cost_usd_per_mtok(**inputs)
    table["revenue_usd_per_gpu_h"] = formulas.revenue_usd_per_gpu_h(
        total_tok_per_s_per_gpu=table["total_tok_per_s_per_gpu"], price_usd_per_mtok=price_usd_per_mtok
    )
    table["profit_usd_per_gpu_h"] = table["revenue_usd_per_gpu_h"] - table["rate_usd_per_gpu_h"]
    return table


def cost_by_utilization(*, rate_usd_per_gpu_h: float, total_tok_per_s_per_gpu: float) -> pd.DataFrame:
    """Cost per million tokens at every utilization from 5 to 100 %, the price of the hour paid throughout.

    Columns `utilization_frac`, `total_token_cost_usd_per_mtok` and `series` (a constant name for plotting).

    >>> cost_by_utilization(rate_usd_per_gpu_h=3.6, total_tok_per_s_per_gpu=1000)["total_token_cost_usd_per_mtok"].round(2).tolist()[-1]
    1.0
    """
    utilization_frac = np.linspace(0.05, 1, 96)
    delivered = formulas.delivered_total_tok_per_s_per_gpu(
        total_tok_per_s_per_gpu=total_tok_per_s_per_gpu, utilization_frac=utilization_frac
    )
    cost = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate_usd_per_gpu_h, total_tok_per_s_per_gpu=delivered)
    return pd.DataFrame({"utilization_frac": utilization_frac, "total_token_cost_usd_per_mtok": cost, "series": "cost"})
