"""Money by month: the same cost as the closed form, written out as a discounted cash flow.

Two kinds of money never mix. *Nominal* money is what stands on an invoice; *real* money
has the buying power of the day of purchase. A discount rate belongs to one kind, and so does a
cash flow:

    nominal rate = (1 + real rate) x (1 + inflation) - 1

Convention everywhere in `tokcost.hour`: a yearly rate is effective, a month discounts by
its twelfth root, and a month's payments fall at its end. Month 0 is the purchase.
Source of the conversion: NREL, System Advisor Model help, "Financial Parameters".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from tokcost.quantities import MONTHS_PER_YEAR, Numbers, QuantityError, check_value, formula

#: yearly shares of the purchase price; MACRS: IRS Publication 946, table A-1, 5-year property, half-year convention
MACRS_5 = (0.20, 0.32, 0.192, 0.1152, 0.1152, 0.0576)
DEPRECIATION = ("straight_line", "macrs_5", "bonus_100")


class MoneyError(QuantityError):
    """Real and nominal money were put into one sum."""


@formula
def nominal_wacc_frac(*, wacc_frac: Numbers, inflation_frac: Numbers) -> Numbers:
    """The nominal rate that is worth a real one: (1 + real) x (1 + inflation) - 1. Identity: the Fisher equation.

    >>> round(nominal_wacc_frac(wacc_frac=0.05, inflation_frac=0.02), 6)
    0.071
    """
    return (1 + wacc_frac) * (1 + inflation_frac) - 1


@formula
def real_wacc_frac(*, wacc_frac: Numbers, inflation_frac: Numbers) -> Numbers:
    """The real rate that is worth a nominal one: (1 + nominal) / (1 + inflation) - 1. Identity: the Fisher equation.

    >>> round(real_wacc_frac(wacc_frac=0.071, inflation_frac=0.02), 6)
    0.05
    """
    return (1 + wacc_frac) / (1 + inflation_frac) - 1


@dataclass(frozen=True, eq=False)
class DiscountRate:
    """A yearly cost of capital in one kind of money; use `Real` or `Nominal`."""

    wacc_frac: Numbers
    money: ClassVar[str]

    def __post_init__(self):
        check_value("wacc_frac", self.wacc_frac)

    @property
    def per_month(self):
        return np.expm1(np.log1p(self.wacc_frac) / MONTHS_PER_YEAR)

    def discounts(self, month: ArrayLike) -> np.ndarray:
        """What a dollar in each month is worth in month 0; months along the last axis."""
        return (1 + np.asarray(self.per_month)[..., None]) ** -np.asarray(month)


class Real(DiscountRate):
    """A rate of return beyond inflation.

    >>> round(Real(0.05).to_nominal(inflation_frac=0.02).wacc_frac, 6)
    0.071
    """

    money = "real"

    def to_nominal(self, *, inflation_frac: Numbers) -> Nominal:
        return Nominal(nominal_wacc_frac(wacc_frac=self.wacc_frac, inflation_frac=inflation_frac))


class Nominal(DiscountRate):
    """A rate of return as loans and bonds quote it.

    >>> round(Nominal(0.071).to_real(inflation_frac=0.02).wacc_frac, 6)
    0.05
    """

    money = "nominal"

    def to_real(self, *, inflation_frac: Numbers) -> Real:
        return Real(real_wacc_frac(wacc_frac=self.wacc_frac, inflation_frac=inflation_frac))


@dataclass(frozen=True, eq=False)
class CashFlow:
    """Payments at the end of each month, month 0 first; use `RealCashFlow` or `NominalCashFlow`.

    Months run along the last axis; further axes hold further cases. `service_months` is (months before service, months of
    service) where the flow knows them, as that of `owner_cash_flow` does; tokens of another life are then refused.
    `tax_frac` above 0 says that each payment is after tax at that rate: what is earned against it is taxed as well.
    """

    usd: np.ndarray
    service_months: tuple[int, int] | None = None
    tax_frac: float = 0.0
    money: ClassVar[str]

    def __post_init__(self):
        if np.ndim(check_value("tax_frac", self.tax_frac)) or not self.tax_frac < 1:
            raise QuantityError(f"`tax_frac` of a cash flow is one rate below 1, got {self.tax_frac!r}")
        months = np.asarray(self.usd, dtype=float)
        if months.ndim < 1 or months.shape[-1] < 2 or not np.isfinite(months).all():
            raise QuantityError(f"a cash flow is a row of finite payments, month 0 first, got {self.usd!r}")
        object.__setattr__(self, "usd", months)

    def _discounts(self, discount_rate: DiscountRate):
        if getattr(discount_rate, "money", None) != self.money:
            raise MoneyError(
                f"a {self.money} cash flow needs a {self.money} discount rate, got {discount_rate!r}; convert one with the inflation"
            )
        return discount_rate.discounts(np.arange(self.usd.shape[-1]))

    def present_value_usd(self, discount_rate: DiscountRate):
        """What the payments are worth in month 0.

        >>> round(float(NominalCashFlow([100] + [0] * 11 + [110]).present_value_usd(Nominal(0.10))), 6)
        200.0
        """
        return (self.usd * self._discounts(discount_rate)).sum(axis=-1)[()]

    def level_payment_usd(self, discount_rate: DiscountRate):
        """The equal monthly payment, from month 1 to the last, of the same present value."""
        return self.present_value_usd(discount_rate) / self._discounts(discount_rate)[..., 1:].sum(axis=-1)

    def internal_return_frac(self) -> float:
        """The yearly rate at which the present value is zero (IRR), or an error if no single one is in [-5, 50] % a month.

        >>> round(NominalCashFlow([-100] + [0] * 11 + [112]).internal_return_frac(), 6)
        0.12
        """
        if self.usd.ndim != 1:
            raise QuantityError("an internal rate of return is of one cash flow, got several")
        turns = np.count_nonzero(np.diff(np.sign(self.usd[self.usd != 0])))
        months = np.arange(self.usd.size)

        def value(per_month):
            return float(self.usd @ (1 + per_month) ** -months)

        low, high = -0.05, 0.5
        if turns != 1 or value(low) * value(high) > 0:
            raise QuantityError("this cash flow has no single internal rate of return: payments must change sign once and be earned back")
        per_month: Any = optimize.brentq(value, low, high, xtol=1e-15)
        return (1 + per_month) ** MONTHS_PER_YEAR - 1

    def _inflation(self, inflation_frac):
        check_value("inflation_frac", inflation_frac)
        return (1 + inflation_frac) ** (np.arange(self.usd.shape[-1]) / MONTHS_PER_YEAR)


class RealCashFlow(CashFlow):
    """Payments in money of month 0."""

    money = "real"

    def to_nominal(self, *, inflation_frac: Numbers) -> NominalCashFlow:
        return NominalCashFlow(self.usd * self._inflation(inflation_frac), self.service_months, self.tax_frac)


class NominalCashFlow(CashFlow):
    """Payments as they stand on the invoice."""

    money = "nominal"

    def to_real(self, *, inflation_frac: Numbers) -> RealCashFlow:
        return RealCashFlow(self.usd / self._inflation(inflation_frac), self.service_months, self.tax_frac)


def months(name: str, years: Numbers) -> int:
    """Whole months in `years`; a cash flow has no part of a month.

    >>> months("life_yr", 4.5)
    54
    """
    if np.ndim(check_value(name, years)):
        raise QuantityError(f"`{name}` is one length for a cash flow, got several; write one cash flow for each, or use the closed form")
    count = float(years) * MONTHS_PER_YEAR
    if abs(count - round(count)) > 1e-9:
        raise QuantityError(f"`{name}` must be whole months in a cash flow, got {years:.12g} years; use the closed form for any length")
    return round(count)


def owner_cash_flow(
    *,
    capital_usd: Numbers,
    life_yr: Numbers,
    residual_frac: Numbers,
    install_delay_yr: Numbers,
    running_cost_usd_per_yr: Numbers,
    money: str,
    tax_frac: float = 0.0,
    depreciation: str | None = None,
    book_life_yr: float | None = None,
) -> CashFlow:
    """What an owner pays, month by month, before any revenue: purchase, delay, running cost, tax relief, sale.

    Month 0 is the purchase; output starts after the delay and lasts for the life. With a tax
    rate, each dollar is after tax: running cost is deducted at once, depreciation at the end
    of each year of service, the sale is taxed. What is not yet written off when the life ends is
    deducted with the sale (IRS Publication 544, "Sales and Other Dispositions of Assets"). Depreciation is written in nominal money, so a
    taxed cash flow is nominal. Capital and running cost may be arrays of cases; the tax rate is one number.

    Raises: MoneyError for tax in real money; QuantityError for parts of months, several lives, or a schedule without a tax rate.

    >>> when = {"life_yr": 1, "residual_frac": 0, "install_delay_yr": 0, "money": "real"}
    >>> flow = owner_cash_flow(capital_usd=1200.0, running_cost_usd_per_yr=120.0, **when)
    >>> flow.usd.tolist()[:3], flow.usd.size
    ([1200.0, 10.0, 10.0], 13)
    """
    for name, value in (("capital_usd", capital_usd), ("cost_usd_per_yr", running_cost_usd_per_yr), ("tax_frac", tax_frac)):
        check_value(name, value)
    if np.ndim(tax_frac):
        raise QuantityError("`tax_frac` is one rate for a cash flow, got several; write one cash flow for each")
    if money not in ("real", "nominal"):
        raise MoneyError(f"`money` must be real or nominal, got {money!r}")
    if depreciation is not None and not tax_frac:
        raise QuantityError("`depreciation` without `tax_frac` has no effect; state the tax rate, or neither")
    if tax_frac and money != "nominal":
        raise MoneyError("depreciation is deducted in nominal money: a cash flow with tax must be nominal")
    start, life = months("install_delay_yr", install_delay_yr), months("life_yr", life_yr)
    schedule = depreciation_schedule(depreciation, book_life_yr=book_life_yr) if tax_frac else np.array([])
    capital, running = np.asarray(capital_usd, dtype=float), np.asarray(running_cost_usd_per_yr, dtype=float)
    usd = np.zeros((*np.broadcast_shapes(capital.shape, running.shape, np.shape(residual_frac)), start + life + 1))
    usd[..., 0] = capital
    usd[..., start + 1 : start + life + 1] += (running / MONTHS_PER_YEAR * (1 - tax_frac))[..., None]
    usd[..., start + life] -= capital * check_value("residual_frac", residual_frac) * (1 - tax_frac)
    for year, share in enumerate(schedule, start=1):
        usd[..., start + min(MONTHS_PER_YEAR * year, life)] -= tax_frac * share * capital
    return (RealCashFlow if money == "real" else NominalCashFlow)(usd, (start, life), tax_frac)


def depreciation_schedule(kind: str | None, *, book_life_yr: Any = None) -> np.ndarray:
    """Share of the price that tax law deducts in each year of service; sums to 1.

    Raises: QuantityError for a kind that is not one of `DEPRECIATION`.

    >>> depreciation_schedule("straight_line", book_life_yr=4)
    array([0.25, 0.25, 0.25, 0.25])
    >>> depreciation_schedule("bonus_100")
    array([1.])
    """
    if kind == "straight_line":
        years = float(check_value("life_yr", book_life_yr))
        whole = int(years)
        shares = [1 / years] * whole + ([1 - whole / years] if years > whole else [])
        return np.array(shares)
    if kind == "macrs_5":
        return np.array(MACRS_5)
    if kind == "bonus_100":
        return np.array([1.0])
    raise QuantityError(f"`depreciation` must be one of {', '.join(DEPRECIATION)}, got {kind!r}")


def depreciation_value_frac(*, shares: Sequence[float] | np.ndarray, wacc_frac: Numbers, life_yr: Numbers) -> Numbers:
    """Present value of a dollar's yearly depreciation at a *nominal* rate, each year's share at its end.

    After `life_yr` the thing is sold or thrown away, and what is left in the books is deducted then.

    >>> round(float(depreciation_value_frac(shares=[0.5, 0.5], wacc_frac=0.10, life_yr=5)), 4)
    0.8678
    >>> round(float(depreciation_value_frac(shares=[0.5, 0.5], wacc_frac=0.10, life_yr=1)), 4)
    0.9091
    """
    check_value("wacc_frac", wacc_frac)
    check_value("life_yr", life_yr)
    written_off = np.asarray(shares, dtype=float)
    if not (written_off >= 0).all() or not np.isclose(written_off.sum(), 1, rtol=0, atol=1e-6):
        raise QuantityError(f"`shares` of the price by year must be 0 or more and add up to 1, got {written_off.tolist()}")
    wacc = np.asarray(wacc_frac, dtype=float)
    return sum(share * (1 + wacc) ** -np.minimum(year + 1.0, life_yr) for year, share in enumerate(shares))


def schedule_value_frac(*, depreciation: str, book_life_yr: Numbers, wacc_frac: Numbers, life_yr: Numbers) -> Numbers:
    """`depreciation_value_frac` of a named schedule, for lives and rates that may be arrays.

    >>> terms = {"depreciation": "straight_line", "wacc_frac": 0.10, "life_yr": 5}
    >>> schedule_value_frac(book_life_yr=[1.0, 2.5], **terms).round(4).tolist()
    [0.9091, 0.8445]
    """
    waccs, lives = np.asarray(wacc_frac, dtype=float), np.asarray(life_yr, dtype=float)
    books = np.asarray(check_value("life_yr", book_life_yr), dtype=float)
    if depreciation != "straight_line" or not books.ndim:
        return depreciation_value_frac(shares=depreciation_schedule(depreciation, book_life_yr=books), wacc_frac=waccs, life_yr=lives)
    years = np.arange(np.ceil(books.max()))
    return sum(((books - year).clip(0, 1) / books) * (1 + waccs) ** -np.minimum(year + 1, lives) for year in years)
