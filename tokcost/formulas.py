"""The headline ratios, one small pure function each.

    cost per million tokens = $/GPU-hour / (tokens/s/GPU x 3,600) x 1,000,000

Every function takes scalars, arrays or Series by name, refuses what is out of range
or of another token class, and returns the quantity that it is named for.
"""

from __future__ import annotations

import numpy as np

from tokcost import quantities as q
from tokcost.quantities import Numbers, formula


def _cost_usd_per_mtok(rate, throughput):
    return rate / (throughput * q.SECONDS_PER_HOUR) * q.TOK_PER_MTOK


def _tok_per_s_per_mw(throughput, provisioned_kw):
    return throughput / provisioned_kw * q.KW_PER_MW


def _tok_per_joule(throughput, average_kw):
    return throughput / (average_kw * q.W_PER_KW)


def _joule_per_tok(throughput, average_kw):
    return average_kw * q.W_PER_KW / throughput


@formula
def total_token_cost_usd_per_mtok(*, rate_usd_per_gpu_h: Numbers, total_tok_per_s_per_gpu: Numbers) -> Numbers:
    """Cost of a million delivered tokens, prompt and answer alike.

    The price of a GPU-hour, divided by the tokens that the GPU delivers in that hour,
    times a million. Source: the published formula of NVIDIA, "Rethinking AI TCO" (2026-04-15).

    >>> round(total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=1.41, total_tok_per_s_per_gpu=90), 2)
    4.35
    """
    return _cost_usd_per_mtok(rate_usd_per_gpu_h, total_tok_per_s_per_gpu)


@formula
def output_token_cost_usd_per_mtok(*, rate_usd_per_gpu_h: Numbers, output_tok_per_s_per_gpu: Numbers) -> Numbers:
    """The whole cost spread over answer tokens alone; prompts ride free.

    Not the cost *of* an answer token: prompts were read with the same GPU-hours. Definition.

    >>> round(output_token_cost_usd_per_mtok(rate_usd_per_gpu_h=3.6, output_tok_per_s_per_gpu=1000), 6)
    1.0
    """
    return _cost_usd_per_mtok(rate_usd_per_gpu_h, output_tok_per_s_per_gpu)


@formula
def input_token_cost_usd_per_mtok(*, rate_usd_per_gpu_h: Numbers, input_tok_per_s_per_gpu: Numbers) -> Numbers:
    """The whole cost spread over prompt tokens alone; answers ride free. Definition.

    >>> round(input_token_cost_usd_per_mtok(rate_usd_per_gpu_h=3.6, input_tok_per_s_per_gpu=2000), 6)
    0.5
    """
    return _cost_usd_per_mtok(rate_usd_per_gpu_h, input_tok_per_s_per_gpu)


@formula
def total_tok_per_s_per_gpu(*, rate_usd_per_gpu_h: Numbers, total_token_cost_usd_per_mtok: Numbers) -> Numbers:
    """The throughput that a cost per million tokens implies at a price: the headline formula solved for output. An identity.

    >>> round(total_tok_per_s_per_gpu(rate_usd_per_gpu_h=1.41, total_token_cost_usd_per_mtok=4.20), 1)
    93.3
    """
    return rate_usd_per_gpu_h / total_token_cost_usd_per_mtok * q.TOK_PER_MTOK / q.SECONDS_PER_HOUR


@formula
def delivered_total_tok_per_s_per_gpu(*, total_tok_per_s_per_gpu: Numbers, utilization_frac: Numbers) -> Numbers:
    """Throughput averaged over all paid hours. Utilization is applied here, once, to tokens: idle hours are paid. Definition.

    >>> delivered_total_tok_per_s_per_gpu(total_tok_per_s_per_gpu=1000, utilization_frac=0.4)
    400.0
    """
    return total_tok_per_s_per_gpu * utilization_frac


@formula
def revenue_usd_per_gpu_h(*, total_tok_per_s_per_gpu: Numbers, price_usd_per_mtok: Numbers) -> Numbers:
    """What the tokens of one paid hour sell for. Definition.

    >>> round(revenue_usd_per_gpu_h(total_tok_per_s_per_gpu=1000, price_usd_per_mtok=0.5), 6)
    1.8
    """
    return total_tok_per_s_per_gpu * q.SECONDS_PER_HOUR / q.TOK_PER_MTOK * price_usd_per_mtok


@formula
def gross_margin_frac(*, price_usd_per_mtok: Numbers, total_token_cost_usd_per_mtok: Numbers) -> Numbers:
    """Share of the selling price that is left after the cost of the GPU-hours. Definition.

    >>> gross_margin_frac(price_usd_per_mtok=4.0, total_token_cost_usd_per_mtok=1.0)
    0.75
    """
    return 1 - total_token_cost_usd_per_mtok / price_usd_per_mtok


@formula
def request_revenue_usd(
    *,
    input_tok: Numbers,
    cached_input_tok: Numbers,
    output_tok: Numbers,
    input_price_usd_per_mtok: Numbers,
    cached_input_price_usd_per_mtok: Numbers,
    output_price_usd_per_mtok: Numbers,
) -> Numbers:
    """What the customer pays for one request: its tokens of each class times their price. Reasoning tokens are output. Definition.

    >>> prices = {"input_price_usd_per_mtok": 1.0, "cached_input_price_usd_per_mtok": 0.1, "output_price_usd_per_mtok": 4.0}
    >>> round(request_revenue_usd(input_tok=1000, cached_input_tok=10_000, output_tok=500, **prices), 9)
    0.004
    """
    return (
        input_tok * input_price_usd_per_mtok + cached_input_tok * cached_input_price_usd_per_mtok + output_tok * output_price_usd_per_mtok
    ) / q.TOK_PER_MTOK


@formula
def requests_per_gpu_h(
    *, total_tok_per_s_per_gpu: Numbers, utilization_frac: Numbers, sold_frac: Numbers, computed_total_tok: Numbers
) -> Numbers:
    """Requests that one paid GPU-hour serves and sells: its delivered tokens that somebody buys, over the tokens of a request.

    `computed_total_tok` are those of a request that the GPU reads or writes; a throughput measured without a prefix cache counts no
    cached ones. Definition.

    >>> requests_per_gpu_h(total_tok_per_s_per_gpu=1000, utilization_frac=0.5, sold_frac=0.8, computed_total_tok=2000)
    720.0
    """
    return total_tok_per_s_per_gpu * utilization_frac * sold_frac * q.SECONDS_PER_HOUR / computed_total_tok


@formula
def profit_usd_per_gpu_h(*, revenue_usd_per_gpu_h: Numbers, licence_fee_frac: Numbers, rate_usd_per_gpu_h: Numbers) -> Numbers:
    """What is left of the revenue of a paid GPU-hour after the model's licence fee and the price of the hour. Definition.

    >>> profit_usd_per_gpu_h(revenue_usd_per_gpu_h=10.0, licence_fee_frac=0.3, rate_usd_per_gpu_h=3.0)
    4.0
    """
    return revenue_usd_per_gpu_h * (1 - licence_fee_frac) - rate_usd_per_gpu_h


@formula
def request_profit_usd(*, request_revenue_usd: Numbers, licence_fee_frac: Numbers, request_cost_usd: Numbers) -> Numbers:
    """What is left of the price of a request after the licence fee and its share of the GPU-hour. Definition.

    >>> round(request_profit_usd(request_revenue_usd=0.01, licence_fee_frac=0.3, request_cost_usd=0.003), 6)
    0.004
    """
    return request_revenue_usd * (1 - licence_fee_frac) - request_cost_usd


@formula
def solved_task_profit_usd(*, request_profit_usd: Numbers, requests_per_task: Numbers, success_frac: Numbers) -> Numbers:
    """What a solved task leaves where tokens are sold: those of the failed attempts before it are paid as well. Identity.

    >>> solved_task_profit_usd(request_profit_usd=0.01, requests_per_task=4, success_frac=0.5)
    0.08
    """
    return request_profit_usd * requests_per_task / success_frac


def _usd_per_mw_yr(usd_per_gpu_h, provisioned_kw):
    return usd_per_gpu_h * q.HOURS_PER_YEAR / provisioned_kw * q.KW_PER_MW


@formula
def revenue_usd_per_mw_yr(*, revenue_usd_per_gpu_h: Numbers, provisioned_kw_per_gpu: Numbers) -> Numbers:
    """What a megawatt of provisioned utility power sells in a year; the hour's revenue already holds the load. Definition.

    >>> revenue_usd_per_mw_yr(revenue_usd_per_gpu_h=2.0, provisioned_kw_per_gpu=2.0)
    8760000.0
    """
    return _usd_per_mw_yr(revenue_usd_per_gpu_h, provisioned_kw_per_gpu)


@formula
def profit_usd_per_mw_yr(*, profit_usd_per_gpu_h: Numbers, provisioned_kw_per_gpu: Numbers) -> Numbers:
    """What a megawatt of provisioned utility power leaves in a year. Definition.

    >>> profit_usd_per_mw_yr(profit_usd_per_gpu_h=1.0, provisioned_kw_per_gpu=2.0)
    4380000.0
    """
    return _usd_per_mw_yr(profit_usd_per_gpu_h, provisioned_kw_per_gpu)


@formula
def revenue_usd_per_gw_yr(*, revenue_usd_per_gpu_h: Numbers, provisioned_kw_per_gpu: Numbers) -> Numbers:
    """What a gigawatt of provisioned utility power sells in a year. Definition.

    >>> revenue_usd_per_gw_yr(revenue_usd_per_gpu_h=2.0, provisioned_kw_per_gpu=2.0)
    8760000000.0
    """
    return _usd_per_mw_yr(revenue_usd_per_gpu_h, provisioned_kw_per_gpu) * q.MW_PER_GW


@formula
def profit_usd_per_gw_yr(*, profit_usd_per_gpu_h: Numbers, provisioned_kw_per_gpu: Numbers) -> Numbers:
    """What a gigawatt of provisioned utility power leaves in a year. Definition.

    >>> profit_usd_per_gw_yr(profit_usd_per_gpu_h=1.0, provisioned_kw_per_gpu=2.0)
    4380000000.0
    """
    return _usd_per_mw_yr(profit_usd_per_gpu_h, provisioned_kw_per_gpu) * q.MW_PER_GW


@formula
def demand_mtok_per_month(
    *,
    base_demand_mtok_per_month: Numbers,
    base_price_usd_per_mtok: Numbers,
    price_usd_per_mtok: Numbers,
    price_elasticity_ratio: Numbers,
    highest_demand_mtok_per_month: Numbers,
) -> Numbers:
    """Tokens that customers buy at a price: base demand x (base price / price) ^ elasticity, up to a cap.

    Above an elasticity of 1 a lower price brings more revenue (Jevons), below 1 less. Nobody knows it beforehand, so it is an input
    with a wide range and never a default. Definition: constant elasticity of demand.

    >>> base = {"base_demand_mtok_per_month": 100.0, "base_price_usd_per_mtok": 2.0, "highest_demand_mtok_per_month": 300.0}
    >>> round(float(demand_mtok_per_month(price_usd_per_mtok=1.0, price_elasticity_ratio=1.0, **base)), 6)
    200.0
    >>> float(demand_mtok_per_month(price_usd_per_mtok=0.5, price_elasticity_ratio=1.0, **base))
    300.0
    """
    asked = base_demand_mtok_per_month * (base_price_usd_per_mtok / price_usd_per_mtok) ** price_elasticity_ratio
    return np.minimum(asked, highest_demand_mtok_per_month)


@formula
def total_tok_per_s_per_mw(*, total_tok_per_s_per_gpu: Numbers, provisioned_kw_per_gpu: Numbers) -> Numbers:
    """Throughput of a megawatt of provisioned utility power (facility overhead is already in it: no PUE on top). Definition.

    >>> round(total_tok_per_s_per_mw(total_tok_per_s_per_gpu=93.153, provisioned_kw_per_gpu=1.73))
    53846
    """
    return _tok_per_s_per_mw(total_tok_per_s_per_gpu, provisioned_kw_per_gpu)


@formula
def output_tok_per_s_per_mw(*, output_tok_per_s_per_gpu: Numbers, provisioned_kw_per_gpu: Numbers) -> Numbers:
    """Answer tokens per second for each megawatt of provisioned utility power. Definition.

    >>> output_tok_per_s_per_mw(output_tok_per_s_per_gpu=100, provisioned_kw_per_gpu=2.0)
    50000.0
    """
    return _tok_per_s_per_mw(output_tok_per_s_per_gpu, provisioned_kw_per_gpu)


@formula
def total_tok_per_joule(*, total_tok_per_s_per_gpu: Numbers, average_kw_per_gpu: Numbers) -> Numbers:
    """Tokens per joule of average power ("tokens per watt" means tokens per second per watt, which is this). Definition.

    >>> total_tok_per_joule(total_tok_per_s_per_gpu=500, average_kw_per_gpu=0.5)
    1.0
    """
    return _tok_per_joule(total_tok_per_s_per_gpu, average_kw_per_gpu)


@formula
def output_tok_per_joule(*, output_tok_per_s_per_gpu: Numbers, average_kw_per_gpu: Numbers) -> Numbers:
    """Answer tokens per joule of average power. Definition.

    >>> output_tok_per_joule(output_tok_per_s_per_gpu=500, average_kw_per_gpu=0.5)
    1.0
    """
    return _tok_per_joule(output_tok_per_s_per_gpu, average_kw_per_gpu)


@formula
def total_token_energy_joule_per_tok(*, total_tok_per_s_per_gpu: Numbers, average_kw_per_gpu: Numbers) -> Numbers:
    """Joules of average power for each prompt and answer token. Definition.

    >>> total_token_energy_joule_per_tok(total_tok_per_s_per_gpu=500, average_kw_per_gpu=1.0)
    2.0
    """
    return _joule_per_tok(total_tok_per_s_per_gpu, average_kw_per_gpu)


@formula
def output_token_energy_joule_per_tok(*, output_tok_per_s_per_gpu: Numbers, average_kw_per_gpu: Numbers) -> Numbers:
    """Joules of average power for each answer token; prompts ride free. Definition.

    >>> output_token_energy_joule_per_tok(output_tok_per_s_per_gpu=250, average_kw_per_gpu=1.0)
    4.0
    """
    return _joule_per_tok(output_tok_per_s_per_gpu, average_kw_per_gpu)


@formula
def peak_tflop_per_s_per_usd_per_h(*, peak_tflop_per_s: Numbers, rate_usd_per_gpu_h: Numbers) -> Numbers:
    """Rated arithmetic that one dollar an hour rents, the first meaning of "FLOPS per dollar". Definition.

    State precision, dense or sparse.

    >>> round(peak_tflop_per_s_per_usd_per_h(peak_tflop_per_s=1979, rate_usd_per_gpu_h=1.41))
    1404
    """
    return peak_tflop_per_s / rate_usd_per_gpu_h


@formula
def flop_per_usd(*, peak_tflop_per_s: Numbers, rate_usd_per_gpu_h: Numbers) -> Numbers:
    """Operations that one dollar buys at the rated peak, the second meaning of "FLOPS per dollar". Definition.

    >>> f"{flop_per_usd(peak_tflop_per_s=1979, rate_usd_per_gpu_h=1.41):.3g}"
    '5.05e+18'
    """
    return peak_tflop_per_s * q.FLOP_PER_TFLOP * q.SECONDS_PER_HOUR / rate_usd_per_gpu_h
