"""What is left of a price: per request, session, solved task, GPU-hour, megawatt and gigawatt-year.

All of it follows from one number: the requests that a paid GPU-hour serves and sells. What the hour costs is divided by
them, what a request sells for is multiplied. Load, unsold tokens and cached prompts all act on that one number.
"""

from __future__ import annotations

import pandas as pd

from tokcost import formulas
from tokcost.quantities import TOK_PER_MTOK, Numbers, check_value
from tokcost.serving.tokens import CLASSES, SplitRule, TokenUse, split_cost


def unit_economics(
    *,
    rate_usd_per_gpu_h: Numbers,
    total_tok_per_s_per_gpu: Numbers,
    utilization_frac: Numbers,
    sold_frac: Numbers,
    input_tok: Numbers,
    cached_input_tok: Numbers,
    output_tok: Numbers,
    cached_to_fresh_ratio: Numbers,
    input_price_usd_per_mtok: Numbers,
    cached_input_price_usd_per_mtok: Numbers,
    output_price_usd_per_mtok: Numbers,
    licence_fee_frac: Numbers,
    requests_per_session: Numbers,
    requests_per_task: Numbers,
    success_frac: Numbers,
    provisioned_kw_per_gpu: Numbers,
) -> dict[str, Numbers]:
    """Price against cost at one operating point and load, by everything that people count in.

    Parameters
    ----------
    total_tok_per_s_per_gpu : throughput measured without a prefix cache, at about the lengths of the fresh prompt and the answer
    utilization_frac, sold_frac : share of the paid hours that delivers, and share of the delivered tokens that somebody pays for
    input_tok, cached_input_tok, output_tok : tokens of one request; `input_tok` are fresh ones
    cached_to_fresh_ratio : machine time of a cached prompt token over that of a fresh one (0: it takes none)
    licence_fee_frac : share of the revenue that goes to the owner of the model (0: open weights)
    requests_per_task, success_frac : of one attempt at a task, and share of the attempts that solve it

    Any input may be an array; the results then are.

    Returns: quantity to value: requests_per_gpu_h, request_cost_usd, request_revenue_usd, request_profit_usd, session_profit_usd,
    solved_task_profit_usd, gross_margin_frac (after the licence fee), revenue and profit per GPU-hour, MW-year and GW-year.

    >>> hour = {"rate_usd_per_gpu_h": 3.6, "total_tok_per_s_per_gpu": 1000, "utilization_frac": 0.5, "provisioned_kw_per_gpu": 2.0}
    >>> request = {"input_tok": 1000, "cached_input_tok": 4000, "output_tok": 1000, "cached_to_fresh_ratio": 0}
    >>> prices = {"input_price_usd_per_mtok": 1.0, "cached_input_price_usd_per_mtok": 0.25, "output_price_usd_per_mtok": 4.0}
    >>> found = unit_economics(**hour, **request, **prices, sold_frac=1, licence_fee_frac=0, requests_per_session=10,
    ...                        requests_per_task=4, success_frac=0.5)
    >>> [round(float(found[name]), 6) for name in ("requests_per_gpu_h", "request_cost_usd", "request_revenue_usd")]
    [900.0, 0.004, 0.006]
    >>> [round(float(found[name]), 6) for name in ("request_profit_usd", "session_profit_usd", "solved_task_profit_usd")]
    [0.002, 0.02, 0.016]
    """
    check_value("requests_per_session", requests_per_session)
    check_value("cached_to_fresh_ratio", cached_to_fresh_ratio)
    requests = formulas.requests_per_gpu_h(
        total_tok_per_s_per_gpu=total_tok_per_s_per_gpu,
        utilization_frac=utilization_frac,
        sold_frac=sold_frac,
        computed_total_tok=input_tok + cached_to_fresh_ratio * cached_input_tok + output_tok,
    )
    revenue = formulas.request_revenue_usd(
        input_tok=input_tok,
        cached_input_tok=cached_input_tok,
        output_tok=output_tok,
        input_price_usd_per_mtok=input_price_usd_per_mtok,
        cached_input_price_usd_per_mtok=cached_input_price_usd_per_mtok,
        output_price_usd_per_mtok=output_price_usd_per_mtok,
    )
    cost = check_value("request_cost_usd", check_value("rate_usd_per_gpu_h", rate_usd_per_gpu_h) / requests)
    profit = formulas.request_profit_usd(request_revenue_usd=revenue, licence_fee_frac=licence_fee_frac, request_cost_usd=cost)
    per_hour = check_value("revenue_usd_per_gpu_h", requests * revenue)
    left = formulas.profit_usd_per_gpu_h(
        revenue_usd_per_gpu_h=per_hour, licence_fee_frac=licence_fee_frac, rate_usd_per_gpu_h=rate_usd_per_gpu_h
    )
    kw = {"provisioned_kw_per_gpu": provisioned_kw_per_gpu}
    return {
        "requests_per_gpu_h": requests,
        "request_cost_usd": cost,
        "request_revenue_usd": revenue,
        "request_profit_usd": profit,
        "session_profit_usd": profit * requests_per_session,
        "solved_task_profit_usd": formulas.solved_task_profit_usd(
            request_profit_usd=profit, requests_per_task=requests_per_task, success_frac=success_frac
        ),
        "gross_margin_frac": check_value("gross_margin_frac", profit / revenue),
        "revenue_usd_per_gpu_h": per_hour,
        "profit_usd_per_gpu_h": left,
        "revenue_usd_per_mw_yr": formulas.revenue_usd_per_mw_yr(revenue_usd_per_gpu_h=per_hour, **kw),
        "profit_usd_per_mw_yr": formulas.profit_usd_per_mw_yr(profit_usd_per_gpu_h=left, **kw),
        "revenue_usd_per_gw_yr": formulas.revenue_usd_per_gw_yr(revenue_usd_per_gpu_h=per_hour, **kw),
        "profit_usd_per_gw_yr": formulas.profit_usd_per_gw_yr(profit_usd_per_gpu_h=left, **kw),
    }


def margin_by_class(use: TokenUse, rule: SplitRule, *, request_cost_usd: float, **prices: float) -> pd.DataFrame:
    """Price against cost of each token class, the joint cost of a request split by a named rule.

    The sum over the classes is a fact, each class alone a convention: another rule moves margin from one class to another.
    `prices` are `input_price_usd_per_mtok`, `cached_input_price_usd_per_mtok` and `output_price_usd_per_mtok`.

    Columns: token_class, tok, allocated_cost_usd_per_mtok, price_usd_per_mtok, request_cost_usd, request_revenue_usd,
    request_profit_usd (before any licence fee), rule.

    >>> use = TokenUse(input_tok=1000, cached_input_tok=0, answer_tok=1000, reasoning_tok=0)
    >>> prices = {"input_price_usd_per_mtok": 1.0, "cached_input_price_usd_per_mtok": 0.1, "output_price_usd_per_mtok": 4.0}
    >>> table = margin_by_class(use, tc.serving.token_weights(), request_cost_usd=0.004, **prices)
    >>> table["request_profit_usd"].round(6).tolist()
    [-0.001, 0.0, 0.002]
    """
    parts = split_cost(use, rule, cost_usd=request_cost_usd)
    price = [check_value(f"{name}_price_usd_per_mtok", prices[f"{name}_price_usd_per_mtok"]) for name in CLASSES]
    revenue = parts["tok"] * price / TOK_PER_MTOK
    return parts.drop(columns="share_frac").assign(
        price_usd_per_mtok=price, request_revenue_usd=revenue, request_profit_usd=revenue - parts["cost_usd"]
    ).rename(columns={"cost_usd": "request_cost_usd"})[
        ["token_class", "tok", "allocated_cost_usd_per_mtok", "price_usd_per_mtok", "request_cost_usd", "request_revenue_usd",
         "request_profit_usd", "rule"]
    ]  # fmt: skip
