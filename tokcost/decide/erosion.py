"""What the next generation of chips does to an owned fleet: rents by date, what the hardware is still worth, and when to replace it.

An hour of the older chip is worth what else makes its tokens: its own rent, or as many hours of the newer chip as give the same
output. What it costs to keep running is saved by switching it off; when that is more than the newer chip's price for the tokens,
it is replaced. Prices and costs are of the middle of each year.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from tokcost import formulas
from tokcost import quantities as q
from tokcost.evidence import load_table
from tokcost.hour.ownership import year_end_capital_recovery_per_yr
from tokcost.quantities import Numbers, QuantityError, check_value

#: prices of a provider on demand; marketplaces mix spot offers in
ON_DEMAND = ("on_demand", "secure")
#: a change between two sights nearer to each other than this, as a yearly rate, is noise
MIN_ELAPSED_YR = 0.5


def first_priced(accelerator: str) -> str:
    """The first month in which a price of an hour of this chip is in the data, of any offer: it could be rented then at the latest.

    Raises: QuantityError for a chip of which there is no price.

    >>> first_priced("h100") < first_priced("b200")
    True
    """
    return str(_all_sights(accelerator)["month"].min())


def price_changes(accelerator: str, *, since: str = "", until: str = "9999") -> pd.DataFrame:
    """How the price of an hour on demand changed at each provider, between its first and its last sight in that time.

    A price that a list merely repeats counts as not seen. `since` and `until` are months (YYYY-MM), both included: those before and
    after the next chip came tell apart what it did.

    Columns: `provider`, `accelerator`, `first_month`, `last_month`, `first_rate_usd_per_gpu_h`, `last_rate_usd_per_gpu_h`,
    `elapsed_yr`, `rent_decline_frac` (yearly; below zero the price rose).
    Raises: QuantityError where no provider was seen twice, half a year apart.

    >>> bool(price_changes("h100")["elapsed_yr"].min() >= 0.5)
    True
    """
    sights = _sights(accelerator)
    sights = sights[(sights["month"] >= since) & (sights["month"] <= until)]
    rows = []
    for _, some in sights.groupby("who"):
        by_month = some.groupby("month")["value"].median()
        first, last = by_month.index[0], by_month.index[-1]
        years = (_months(last) - _months(first)) / q.MONTHS_PER_YEAR
        if years >= MIN_ELAPSED_YR:
            decline = 1 - (by_month.iloc[-1] / by_month.iloc[0]) ** (1 / years)
            rates = by_month.iloc[[0, -1]]
            rows.append((some["provider"].iloc[0], accelerator, first, last, *rates, years, decline))
    if not rows:
        raise QuantityError(
            f"no provider's price of {accelerator} was seen twice, half a year apart, from {since or 'the start'} to {until}"
        )
    columns = ["provider", "accelerator", "first_month", "last_month", "first_rate_usd_per_gpu_h", "last_rate_usd_per_gpu_h"]
    return pd.DataFrame(rows, columns=[*columns, "elapsed_yr", "rent_decline_frac"])


def _sights(accelerator: str) -> pd.DataFrame:
    """Prices of single providers on demand, which can be told apart by date."""
    rows = _all_sights(accelerator)
    return rows[rows["is_on_demand"] & (rows["provider"] != "market index")]


def _all_sights(accelerator: str) -> pd.DataFrame:
    monthly, listed = load_table("gpu_prices_monthly"), load_table("rental_prices", price_basis="on_demand")
    monthly = monthly[~monthly["is_repeat"]].assign(is_on_demand=monthly["offer"].isin(ON_DEMAND))
    rows = pd.concat([monthly, listed.assign(is_on_demand=True)])[["provider", "accelerator", "month", "value", "is_on_demand"]]
    rows = rows[rows["accelerator"] == accelerator]
    if rows.empty:
        fix = q.nearest(accelerator, sorted(set(listed["accelerator"])))
        raise QuantityError(f"no price of a rented hour of `{accelerator}` in the data{fix}")
    return rows.assign(month=rows["month"].astype(str).str[:7], who=[re.sub(r"[^a-z]", "", name.lower()) for name in rows["provider"]])


def _months(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * q.MONTHS_PER_YEAR + int(number or 6)


def market_value_usd_per_gpu(
    *,
    age_yr: int,
    last_yr: int,
    rental_rate_usd_per_gpu_h: Numbers,
    rent_decline_frac: Numbers,
    running_cost_usd_per_gpu_h: Numbers,
    wacc_frac: Numbers,
    next_rental_rate_usd_per_gpu_h: Numbers | None = None,
    next_output_ratio: Numbers = 1.0,
    next_arrival_yr: float = 0.0,
) -> Any:
    """What one accelerator is worth at an age: the present value of what its hours save a buyer until `last_yr`, the year it fails.

    An hour saves its own rent, which falls by `rent_decline_frac` a year from today, or, from the arrival of the next chip on, the
    hours of that one which make the same tokens (`next_output_ratio` times the output at the same speed per user, at a rent that
    falls alike). The running cost is paid from it; where it is more, the chip is switched off and saves nothing.

    Raises: QuantityError for an age above the last year, and values that the vocabulary does not allow.

    >>> flat = {"rent_decline_frac": 0.0, "running_cost_usd_per_gpu_h": 0.5, "wacc_frac": 0.0}
    >>> round(market_value_usd_per_gpu(age_yr=3, last_yr=5, rental_rate_usd_per_gpu_h=2.5, **flat))
    35040
    >>> later = {"next_rental_rate_usd_per_gpu_h": 5.0, "next_output_ratio": 4.0, "next_arrival_yr": 4}
    >>> round(market_value_usd_per_gpu(age_yr=3, last_yr=5, rental_rate_usd_per_gpu_h=2.5, **flat, **later))
    24090
    """
    if not 0 <= age_yr <= last_yr:
        raise QuantityError(f"an age of {age_yr} years does not lie in the {last_yr} years that the hardware lasts")
    check_value("rent_decline_frac", rent_decline_frac)
    check_value("wacc_frac", wacc_frac)
    worth: Any = np.asarray(0.0)
    for year in range(age_yr, last_yr):
        saved = _hour_worth(
            year, rental_rate_usd_per_gpu_h, rent_decline_frac, next_rental_rate_usd_per_gpu_h, next_output_ratio, next_arrival_yr
        )
        left = np.maximum(saved - running_cost_usd_per_gpu_h, 0) * q.HOURS_PER_YEAR
        worth = worth + left / (1 + np.asarray(wacc_frac)) ** (year - age_yr + 0.5)
    return float(worth) if np.ndim(worth) == 0 else worth


def _hour_worth(year: int, rate: Any, decline: Any, next_rate: Any, output_ratio: Any, arrival: float) -> Any:
    """USD that an hour of the older chip saves in the middle of a year."""
    fallen = (1 - np.asarray(decline)) ** (year + 0.5)
    own = rate * fallen
    return own if next_rate is None or year + 0.5 < arrival else np.minimum(own, next_rate * fallen / output_ratio)


def sold_cost_usd_per_mtok(
    *,
    hold_yr: int,
    last_yr: int,
    capital_usd_per_gpu: Numbers,
    total_tok_per_s_per_gpu: Numbers,
    utilization_frac: Numbers,
    running_cost_usd_per_gpu_h: Numbers,
    wacc_frac: Numbers,
    **market: Any,
) -> Any:
    """Cost per million delivered tokens of buying new, serving for `hold_yr` years, and selling at what the hardware is then worth.

    The capital, less the present value of the sale, is paid back evenly over the years held. `market` is what
    `market_value_usd_per_gpu` takes besides.

    >>> flat = {"rent_decline_frac": 0.0, "rental_rate_usd_per_gpu_h": 0.5, "running_cost_usd_per_gpu_h": 0.5}
    >>> fleet = {"capital_usd_per_gpu": 35_040, "total_tok_per_s_per_gpu": 1000, "utilization_frac": 0.5, "wacc_frac": 0.0}
    >>> round(float(sold_cost_usd_per_mtok(hold_yr=4, last_yr=6, **fleet, **flat)), 4)  # 1 USD an hour of capital, 0.5 to run
    0.8333
    """
    worth = market_value_usd_per_gpu(
        age_yr=hold_yr, last_yr=last_yr, running_cost_usd_per_gpu_h=running_cost_usd_per_gpu_h, wacc_frac=wacc_frac, **market
    )
    paid = capital_usd_per_gpu - worth / (1 + np.asarray(wacc_frac)) ** hold_yr
    hour = paid * year_end_capital_recovery_per_yr(wacc_frac=wacc_frac, life_yr=hold_yr) / q.HOURS_PER_YEAR
    return _delivered(hour + running_cost_usd_per_gpu_h, total_tok_per_s_per_gpu, utilization_frac)


def _delivered(rate: Any, throughput: Any, utilization_frac: Any) -> Any:
    delivered = formulas.delivered_total_tok_per_s_per_gpu(total_tok_per_s_per_gpu=throughput, utilization_frac=utilization_frac)
    per_usd = formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=1.0, total_tok_per_s_per_gpu=delivered)
    return per_usd * rate  # an hour late in life may be worth less than any that is rented


def fleet_by_year(
    *,
    last_yr: int,
    book_life_yr: int,
    capital_usd_per_gpu: float,
    total_tok_per_s_per_gpu: float,
    utilization_frac: float,
    running_cost_usd_per_gpu_h: float,
    wacc_frac: float,
    rental_rate_usd_per_gpu_h: float,
    rent_decline_frac: float,
    next_rental_rate_usd_per_gpu_h: float,
    next_output_ratio: float,
    next_arrival_yr: float = 0.0,
) -> pd.DataFrame:
    """An owned fleet year by year against the market: what its tokens cost, what others pay for theirs, and what it is worth.

    Columns: `year` (1 for the first), costs per million delivered tokens: `owned_cost_usd_per_mtok` (the capital over its book life,
    and running), `running_cost_usd_per_mtok`, `market_cost_usd_per_mtok` (the cheaper of renting the same chip and the next one);
    at the year's end `market_value_usd_per_gpu` (at most the capital, for which a buyer has new ones), `book_value_usd_per_gpu` and
    `stranded_cost_usd_per_gpu` (book above market); `is_replaced`: running it costs more than the market asks.

    >>> table = fleet_by_year(last_yr=4, book_life_yr=4, capital_usd_per_gpu=35_040, total_tok_per_s_per_gpu=1000,
    ...     utilization_frac=0.5, running_cost_usd_per_gpu_h=0.5, wacc_frac=0.0, rental_rate_usd_per_gpu_h=2.0,
    ...     rent_decline_frac=0.0, next_rental_rate_usd_per_gpu_h=4.0, next_output_ratio=10.0, next_arrival_yr=2)
    >>> table["is_replaced"].tolist(), table["stranded_cost_usd_per_gpu"].tolist()
    ([False, False, True, True], [13140.0, 17520.0, 8760.0, 0.0])
    """
    market = {"rental_rate_usd_per_gpu_h": rental_rate_usd_per_gpu_h, "rent_decline_frac": rent_decline_frac}
    market |= {"next_rental_rate_usd_per_gpu_h": next_rental_rate_usd_per_gpu_h, "next_output_ratio": next_output_ratio}
    market |= {"next_arrival_yr": next_arrival_yr}
    per_h = capital_usd_per_gpu * year_end_capital_recovery_per_yr(wacc_frac=wacc_frac, life_yr=book_life_yr) / q.HOURS_PER_YEAR
    rows = []
    for year in range(last_yr):
        hour = _hour_worth(year, *market.values())
        worth = market_value_usd_per_gpu(
            age_yr=year + 1, last_yr=last_yr, running_cost_usd_per_gpu_h=running_cost_usd_per_gpu_h, wacc_frac=wacc_frac, **market
        )
        worth = min(worth, capital_usd_per_gpu)
        book = capital_usd_per_gpu * max(1 - (year + 1) / book_life_yr, 0.0)
        owned = (per_h if year < book_life_yr else 0.0) + running_cost_usd_per_gpu_h
        hours = (owned, running_cost_usd_per_gpu_h, float(hour))
        costs = [float(_delivered(one, total_tok_per_s_per_gpu, utilization_frac)) for one in hours]
        rows.append((year + 1, *costs, worth, book, max(book - worth, 0.0), bool(running_cost_usd_per_gpu_h > hour)))
    columns = ["year", "owned_cost_usd_per_mtok", "running_cost_usd_per_mtok", "market_cost_usd_per_mtok", "market_value_usd_per_gpu"]
    return pd.DataFrame(rows, columns=[*columns, "book_value_usd_per_gpu", "stranded_cost_usd_per_gpu", "is_replaced"])
