"""The levelised cost of tokens (LCOT): all cost of a life over all tokens of a life, both discounted.

    LCOT = sum of cost_t / (1 + r)^t  /  sum of tokens_t / (1 + r)^t

The form of a levelised cost of energy. Tokens are discounted too: a token sold later earns later.
With output that ramps up, grows by software or loses price, a single hour no longer stands for
the life, and this does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tokcost import quantities as q
from tokcost.hour.cashflow import CashFlow, DiscountRate, MoneyError, months
from tokcost.quantities import Numbers, QuantityError, check_value


def output_by_month(
    *,
    total_tok_per_s_per_gpu: Numbers,
    utilization_frac: Numbers,
    availability_frac: Numbers,
    life_yr: Numbers,
    ramp_up_yr: Numbers,
    output_growth_frac: Numbers,
) -> np.ndarray:
    """Million tokens that one GPU delivers in each month of service, month 1 first.

    Utilization is the share of the hours in which the GPU can work, availability the share of all hours that those are. Output
    climbs in a straight line over the ramp-up and grows by a yearly rate with software from the first day; both are inputs, and 0
    means neither.

    >>> steady = {"life_yr": 1, "ramp_up_yr": 0, "output_growth_frac": 0}
    >>> output_by_month(total_tok_per_s_per_gpu=1000, utilization_frac=0.5, availability_frac=1, **steady)[:2]
    array([1314., 1314.])
    """
    for name, value in (
        ("total_tok_per_s_per_gpu", total_tok_per_s_per_gpu),
        ("utilization_frac", utilization_frac),
        ("availability_frac", availability_frac),
        ("ramp_up_yr", ramp_up_yr),
        ("output_growth_frac", output_growth_frac),
    ):
        check_value(name, value)
    throughput, share, available, ramp_yr, growth_frac = (
        np.asarray(x, dtype=float)[..., None]
        for x in (total_tok_per_s_per_gpu, utilization_frac, availability_frac, ramp_up_yr, output_growth_frac)
    )
    edges = np.arange(months("life_yr", life_yr) + 1) / q.MONTHS_PER_YEAR
    middle = (edges[:-1] + edges[1:]) / 2
    growth = (1 + growth_frac) ** middle
    full = throughput * share * available * q.SECONDS_PER_HOUR * q.HOURS_PER_MONTH / q.TOK_PER_MTOK
    return full * np.diff(_ramped_yr(edges, ramp_yr)) * q.MONTHS_PER_YEAR * growth


def _ramped_yr(time_yr, ramp_yr):
    """Years of full output that a ramp has delivered by then: the area under min(t / ramp, 1)."""
    climbing = np.minimum(time_yr, ramp_yr)
    return np.where(ramp_yr > 0, climbing**2 / (2 * np.where(ramp_yr > 0, ramp_yr, 1)), 0) + np.maximum(time_yr - ramp_yr, 0)


def levelised_token_cost_usd_per_mtok(
    *, cost: CashFlow, mtok_by_month: ArrayLike, discount_rate: DiscountRate, install_delay_yr: Numbers, price_decline_frac: Numbers
) -> Numbers:
    """The price of a million tokens, in money of month 0, that just pays for the life.

    Parameters
    ----------
    cost : RealCashFlow or NominalCashFlow
        What one GPU costs, month by month, as positive payments (`cashflow.owner_cash_flow`). Where these are after tax
        (`tax_frac` of the flow), so are the tokens sold: the price is the one before tax that leaves enough after it.
    mtok_by_month : array
        Million tokens in each month of service (`output_by_month`); months run along the last axis.
    discount_rate : Real or Nominal
        Of the same money as the cost; real gives a constant-money price, nominal a fixed invoice price.
    install_delay_yr : float
        Service starts so much after month 0.
    price_decline_frac : float
        Yearly fall of the price of a token. With it the result is the price *at the start* that pays for
        the life while the price falls; 0 is the plain levelised cost.

    Raises: MoneyError where cost and discount rate are of two kinds of money; QuantityError where cost and tokens are of different
    lives, or of a different delay.

    >>> when = {"life_yr": 1, "residual_frac": 0, "install_delay_yr": 0, "money": "real"}
    >>> flow = tc.hour.owner_cash_flow(capital_usd=1200.0, running_cost_usd_per_yr=0, **when)
    >>> round(float(levelised_token_cost_usd_per_mtok(cost=flow, mtok_by_month=[100.0] * 12, discount_rate=tc.hour.Real(0.0),
    ...                                               install_delay_yr=0, price_decline_frac=0)), 9)
    1.0
    """
    if not isinstance(cost, CashFlow):
        raise QuantityError(f"`cost` must be a RealCashFlow or a NominalCashFlow, got {type(cost).__name__}; see `owner_cash_flow`")
    if cost.money != getattr(discount_rate, "money", None):
        raise MoneyError(f"a {cost.money} cost needs a {cost.money} discount rate, got {discount_rate!r}; convert one with the inflation")
    check_value("price_decline_frac", price_decline_frac)
    tokens = np.asarray(mtok_by_month, dtype=float)
    if tokens.ndim < 1 or not np.isfinite(tokens).all() or (tokens < 0).any() or not tokens.any(axis=-1).all():
        raise QuantityError("`mtok_by_month` must be rows of tokens, none negative and some above 0")
    start = months("install_delay_yr", install_delay_yr)
    _check_same_life(cost, start, tokens.shape[-1])
    served = np.arange(1, tokens.shape[-1] + 1)
    price = (1 - np.asarray(price_decline_frac, dtype=float)[..., None]) ** (served / q.MONTHS_PER_YEAR)
    earned = (tokens * discount_rate.discounts(start + served) * price).sum(axis=-1) * (1 - cost.tax_frac)
    return cost.present_value_usd(discount_rate) / earned


def _check_same_life(cost: CashFlow, start: int, life: int):
    """Cost and tokens begin and end together; a cash flow that does not know its life must at least span the tokens."""
    if cost.service_months is None:
        if cost.usd.shape[-1] < start + life + 1:
            raise QuantityError(
                f"the cost has {cost.usd.shape[-1] - 1} months after month 0, the tokens need {start + life}; give both for one life"
            )
        return
    begins, lasts = cost.service_months
    if begins != start:
        raise QuantityError(
            f"`install_delay_yr` is {start} months here and {begins} in the cash flow of the cost; give both the same delay"
        )
    if lasts != life:
        raise QuantityError(f"`mtok_by_month` holds {life} months of service, the cost {lasts}; give both the same `life_yr`")
