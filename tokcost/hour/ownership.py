"""What owning costs, in closed form: capital recovery and the items of an owned GPU-hour.

    yearly charge = capital x recovery factor x (tax gross-up + return during the delay - residual value, discounted)

The same numbers as `cashflow.owner_cash_flow`, without writing out the months; any length of
life, arrays and Series included. Source of the method: Short, Packey and Holt, "A Manual for
the Economic Evaluation of Energy Efficiency and Renewable Energy Technologies", NREL/TP-462-5173 (1995).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tokcost import quantities as q
from tokcost.quantities import Numbers, formula


def _level_payment(interest, periods):
    """Payment per period that repays 1 with interest; 1 / periods when there is no interest."""
    interest, periods = np.asarray(interest, dtype=float), np.asarray(periods, dtype=float)
    free = interest == 0
    interest = np.where(free, 1.0, interest)
    return np.where(free, 1 / periods, interest / -np.expm1(-periods * np.log1p(interest)))[()]


def _like(result: Numbers, *inputs: Any) -> Any:
    """`result` as a Series where an input is one, so that rows keep their names."""
    series = next((value for value in inputs if hasattr(value, "index") and hasattr(value, "rename")), None)
    return result if series is None else type(series)(result, index=series.index)


@formula
def capital_recovery_per_yr(*, wacc_frac: Numbers, life_yr: Numbers) -> Numbers:
    """Yearly payment per dollar of capital, paid at each month's end at an effective yearly rate.

    Twelve times the level monthly payment that returns capital and cost of capital over the life.
    Identity: the payments are worth the capital today.

    >>> round(float(capital_recovery_per_yr(wacc_frac=0.0, life_yr=4)), 6)
    0.25
    >>> round(float(capital_recovery_per_yr(wacc_frac=0.10, life_yr=5)), 6)
    0.252427
    """
    per_month = np.expm1(np.log1p(wacc_frac) / q.MONTHS_PER_YEAR)
    return _like(_level_payment(per_month, life_yr * q.MONTHS_PER_YEAR) * q.MONTHS_PER_YEAR, wacc_frac, life_yr)


@formula
def year_end_capital_recovery_per_yr(*, wacc_frac: Numbers, life_yr: Numbers) -> Numbers:
    """Capital recovery factor with one payment at each year's end, as energy studies write it.

    Discount rate / (1 - (1 + discount rate) ^ -years). Source: NREL Annual Technology Baseline 2024, "Equations and Variables".

    >>> round(float(year_end_capital_recovery_per_yr(wacc_frac=0.07, life_yr=30)), 6)
    0.080586
    """
    return _like(_level_payment(wacc_frac, life_yr), wacc_frac, life_yr)


@formula
def loan_capital_recovery_per_yr(*, discount_frac: Numbers, life_yr: Numbers) -> Numbers:
    """Twelve monthly payments of a loan whose yearly rate is quoted as twelve monthly ones (a spreadsheet's PMT).

    Identity: the payments are worth the loan today.

    >>> round(float(loan_capital_recovery_per_yr(discount_frac=0.05, life_yr=3)) * 66.7e6 / 12, -3)
    1999000.0
    """
    payment = _level_payment(np.asarray(discount_frac, dtype=float) / q.MONTHS_PER_YEAR, np.asarray(life_yr) * q.MONTHS_PER_YEAR)
    return _like(payment * q.MONTHS_PER_YEAR, discount_frac, life_yr)


@formula
def tax_gross_up_ratio(*, tax_frac: Numbers, depreciation_value_frac: Numbers) -> Numbers:
    """How much more capital must earn because income is taxed: (1 - tax x PV of depreciation) / (1 - tax).

    Source: "ProFinFactor" without tax credits, NREL Annual Technology Baseline 2024, "Equations and Variables".

    >>> tax_gross_up_ratio(tax_frac=0.25, depreciation_value_frac=1.0)
    1.0
    >>> round(tax_gross_up_ratio(tax_frac=0.25, depreciation_value_frac=0.8), 4)
    1.0667
    """
    return (1 - tax_frac * depreciation_value_frac) / (1 - tax_frac)


@formula
def capital_cost_usd_per_gpu_yr(
    *,
    capital_usd_per_gpu: Numbers,
    wacc_frac: Numbers,
    life_yr: Numbers,
    residual_frac: Numbers,
    install_delay_yr: Numbers,
    tax_frac: Numbers,
    tax_gross_up_ratio: Numbers,
) -> Numbers:
    """Yearly charge that returns the capital with its cost, after the sale at the end.

    Capital x recovery factor x (tax gross-up + return on idle capital during the delay - discounted
    residual value). Without tax the tax rate is 0 and the gross-up 1. Identity: capital less the present value of the sale, as an annuity.

    >>> round(float(capital_cost_usd_per_gpu_yr(capital_usd_per_gpu=40_000, wacc_frac=0.0, life_yr=4, residual_frac=0.1,
    ...                                         install_delay_yr=0, tax_frac=0, tax_gross_up_ratio=1)), 6)
    9000.0
    """
    waited = ((1 + wacc_frac) ** install_delay_yr - 1) / (1 - tax_frac)
    sold = residual_frac * (1 + wacc_frac) ** -life_yr
    recovery = capital_recovery_per_yr.__wrapped__(wacc_frac=wacc_frac, life_yr=life_yr)
    return capital_usd_per_gpu * recovery * (tax_gross_up_ratio + waited - sold)


@formula
def depreciation_cost_usd_per_gpu_yr(*, capital_usd_per_gpu: Numbers, life_yr: Numbers, residual_frac: Numbers) -> Numbers:
    """Loss of value spread evenly over the life: the part of the charge that is not cost of capital. Definition: straight line.

    >>> depreciation_cost_usd_per_gpu_yr(capital_usd_per_gpu=40_000, life_yr=4, residual_frac=0.1)
    9000.0
    """
    return capital_usd_per_gpu * (1 - residual_frac) / life_yr


@formula
def facility_capital_usd_per_gpu(*, critical_kw_per_gpu: Numbers, construction_usd_per_kw: Numbers) -> Numbers:
    """Share of a built data center: critical IT power times what a kilowatt of it costs to build. Definition.

    >>> facility_capital_usd_per_gpu(critical_kw_per_gpu=1.5, construction_usd_per_kw=12_000)
    18000.0
    """
    return critical_kw_per_gpu * construction_usd_per_kw


@formula
def colocation_cost_usd_per_gpu_yr(*, critical_kw_per_gpu: Numbers, colocation_usd_per_kw_month: Numbers) -> Numbers:
    """Rent of a place in somebody else's data center, paid on critical power whether drawn or not. Definition.

    >>> colocation_cost_usd_per_gpu_yr(critical_kw_per_gpu=1.5, colocation_usd_per_kw_month=200)
    3600.0
    """
    return critical_kw_per_gpu * colocation_usd_per_kw_month * q.MONTHS_PER_YEAR


@formula
def energy_cost_usd_per_gpu_yr(*, it_average_kw_per_gpu: Numbers, pue: Numbers, electricity_usd_per_kwh: Numbers) -> Numbers:
    """Electricity: average IT power, times PUE once, times the price. Definition.

    >>> round(energy_cost_usd_per_gpu_yr(it_average_kw_per_gpu=1.0, pue=1.25, electricity_usd_per_kwh=0.08), 6)
    876.0
    """
    return it_average_kw_per_gpu * pue * electricity_usd_per_kwh * q.HOURS_PER_YEAR


@formula
def cost_usd_per_gpu_h(*, cost_usd_per_gpu_yr: Numbers, availability_frac: Numbers) -> Numbers:
    """A yearly cost spread over the hours in which the accelerator can work. Definition.

    >>> cost_usd_per_gpu_h(cost_usd_per_gpu_yr=8760, availability_frac=1)
    1.0
    """
    return cost_usd_per_gpu_yr / (q.HOURS_PER_YEAR * availability_frac)


def exact_sum(parts: Iterable[Numbers]) -> Numbers:
    """Sum without rounding on the way, so that a table's parts and its total agree to the last digit.

    >>> exact_sum([0.1] * 10)
    1.0
    """
    parts = list(parts)
    shape = np.broadcast_shapes(*(np.shape(part) for part in parts))
    if not shape:
        return math.fsum(map(float, parts))
    columns = zip(*(np.broadcast_to(part, shape).ravel() for part in parts), strict=True)
    total = np.array([math.fsum(column) for column in columns]).reshape(shape)
    series = next((part for part in parts if hasattr(part, "index") and hasattr(part, "rename")), None)
    return total if series is None else _like(total, series).rename("rate_usd_per_gpu_h")
