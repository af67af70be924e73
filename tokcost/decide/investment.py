"""What money over time is worth: NPV, IRR and payback of monthly amounts, and the rent that contracts of two terms imply.

The arithmetic is numpy-financial's. Conventions as in `tokcost.hour.cashflow`: a yearly rate is effective, a month discounts by its
twelfth root, amounts fall at the end of a month, month 0 is today. Money that comes in is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy_financial as npf
from numpy.typing import ArrayLike
from scipy import optimize

from tokcost.decide.root_finding import break_even
from tokcost.hour.cashflow import Nominal
from tokcost.quantities import MONTHS_PER_YEAR, QuantityError, check_value

#: a contract's price may fall by this share a year at most, and rise by as much as this
_STEEPEST_FALL, _STEEPEST_RISE = 0.95, 2.0
#: rates of return are looked for up to this: at it nothing but month 0 counts
_HIGHEST_PER_MONTH = 1e6


@dataclass(frozen=True)
class Appraisal:
    """What `appraise` found; NaN where there is none: no rate earns the money back, or it never comes back."""

    npv_usd: float
    irr_frac: float
    payback_yr: float
    discounted_payback_yr: float


def appraise(usd_by_month: ArrayLike, *, wacc_frac: float) -> Appraisal:
    """NPV, IRR and payback of amounts by month, month 0 first; what is spent is negative, what comes in (or is saved) positive.

    A yearly IRR stands only where money is laid out first and one rate is right: amounts that change their sign once, from below 0
    to above, or whose running sum does (Norstrom, "A sufficient condition for a unique nonnegative internal rate of return", 1972).
    Payback is when the sum first stays at 0 or above, read between two months; discounted at the cost of capital it is the later
    one of the two.

    Raises: QuantityError for anything but one row of finite amounts.

    >>> found = appraise([-1200.0] + [110.0] * 12, wacc_frac=0.10)
    >>> round(found.npv_usd, 2), round(found.irr_frac, 3), round(found.payback_yr, 3)
    (54.05, 0.195, 0.909)
    """
    check_value("wacc_frac", wacc_frac)
    try:
        usd = np.asarray(usd_by_month, dtype=float)
    except (TypeError, ValueError):
        usd = np.asarray(np.nan)
    if usd.ndim != 1 or usd.size < 2 or not np.isfinite(usd).all():
        raise QuantityError("amounts by month must be one row of two months or more, all finite")
    monthly = float(Nominal(wacc_frac).per_month)
    discounted = usd / (1 + monthly) ** np.arange(usd.size)
    return Appraisal(
        npv_usd=float(npf.npv(monthly, usd)),
        irr_frac=(1 + _irr_per_month(usd)) ** MONTHS_PER_YEAR - 1,
        payback_yr=_payback_yr(usd),
        discounted_payback_yr=_payback_yr(discounted),
    )


def _turns(amounts: np.ndarray) -> int:
    return int(np.count_nonzero(np.diff(np.sign(amounts[amounts != 0]))))


def _irr_per_month(usd: np.ndarray) -> float:
    so_far = np.cumsum(usd)
    if not usd.any() or usd[np.flatnonzero(usd)[0]] > 0:  # money that comes first is lent to us: a high rate would be a bad one
        return math.nan
    if _turns(usd) == 1:
        return float(npf.irr(usd))
    if usd[0] < 0 < so_far[-1] and _turns(so_far) == 1:
        with np.errstate(over="ignore"):
            found: Any = optimize.brentq(lambda rate: float(npf.npv(rate, usd)), 0.0, _HIGHEST_PER_MONTH, xtol=1e-14)
        return found
    return math.nan


def _payback_yr(usd: np.ndarray) -> float:
    so_far = np.cumsum(usd)
    owed = np.flatnonzero(so_far < 0)
    if not owed.size:
        return 0.0
    last = owed[-1]
    if last == usd.size - 1:
        return math.nan
    return float(last - so_far[last] / usd[last + 1]) / MONTHS_PER_YEAR


def implied_rent_decline_frac(
    *, short_term_yr: float, short_rate_usd_per_gpu_h: float, long_term_yr: float, long_rate_usd_per_gpu_h: float, wacc_frac: float
) -> float:
    """The yearly fall of the short contract's price at which renewing it costs as much as the long one: what the market expects.

    A provider who asks less per hour for three years than for one expects one-year prices to fall; holding today's price for years
    overstates rent. Renewals are at whole short terms; both sides are discounted.

    Raises: QuantityError where no fall down to a twentieth and no rise up to threefold a year explains the two prices.

    >>> terms = {"short_term_yr": 1, "long_term_yr": 2, "wacc_frac": 0.0}
    >>> round(implied_rent_decline_frac(short_rate_usd_per_gpu_h=4.0, long_rate_usd_per_gpu_h=3.5, **terms), 4)
    0.25
    """
    n_months = round(long_term_yr * MONTHS_PER_YEAR)
    if not 0 < short_term_yr < long_term_yr:
        raise QuantityError(f"the long term must be longer than the short one, got {short_term_yr:g} and {long_term_yr:g} years")
    check_value("rate_usd_per_gpu_h", long_rate_usd_per_gpu_h)
    discounts = Nominal(wacc_frac).discounts(np.arange(1, n_months + 1))

    def dearer(decline: float) -> float:
        path = rent_path_usd_per_gpu_h(short_rate_usd_per_gpu_h, decline, n_months=n_months, term_yr=short_term_yr)
        return float(((path - long_rate_usd_per_gpu_h) * discounts).sum())

    found = break_even(dearer, solve_for="decline", low=-_STEEPEST_RISE, high=_STEEPEST_FALL)
    if not found.is_reachable:
        raise QuantityError(
            f"no yearly change explains {short_rate_usd_per_gpu_h:g} USD per GPU-hour for {short_term_yr:g} and "
            f"{long_rate_usd_per_gpu_h:g} for {long_term_yr:g} years; are they of one offer, and in the right order?"
        )
    return found.value


def rent_path_usd_per_gpu_h(rate_usd_per_gpu_h: float, rent_decline_frac: float, *, n_months: int, term_yr: float = 1.0) -> np.ndarray:
    """The rent of each month where a contract is renewed at each term, at prices that fall by a yearly share.

    Raises: QuantityError for a term under a month.

    >>> rent_path_usd_per_gpu_h(4.0, 0.25, n_months=36)[[0, 11, 12, 24]].tolist()
    [4.0, 4.0, 3.0, 2.25]
    """
    check_value("rate_usd_per_gpu_h", rate_usd_per_gpu_h)
    term = round(term_yr * MONTHS_PER_YEAR)
    if term < 1:
        raise QuantityError(f"a contract lasts a month or longer, got {term_yr:g} years")
    begun = np.arange(n_months) // term * term / MONTHS_PER_YEAR
    return rate_usd_per_gpu_h * (1 - rent_decline_frac) ** begun
