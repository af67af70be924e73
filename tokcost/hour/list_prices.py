"""What providers ask for an hour on demand: the latest list price of each, and a reason where there is none."""

from __future__ import annotations

import pandas as pd

from tokcost import evidence
from tokcost.quantities import FEWEST_OF_MEDIAN, median_of_many


def latest_list_prices(accelerator: str) -> pd.DataFrame:
    """On-demand list prices of one accelerator: each provider of data/providers.csv, then all others together.

    Of each provider the latest month counts, its lowest offer where it lists several, with the range of them. The others count
    as far as they are of the last twelve months in the dataset: five or more are one row with the median of their lowest
    offers, fewer one row each. Nothing is filled in.

    Columns: label, value, low, high (USD per GPU-hour; NaN where no price is public), note (the month, or why there is none).

    >>> latest_list_prices("h200").set_index("label").loc["Nscale", "note"]
    'no public GPU-hour price'
    """
    rentals = evidence.load_table("rental_prices").query("accelerator == @accelerator and price_basis == 'on_demand'")
    latest = rentals[rentals["month"] == rentals.groupby("provider")["month"].transform("max")]
    providers = evidence.load_table("providers")
    rows = []
    for provider in providers.itertuples():
        listed = latest[latest["provider"] == provider.provider]
        low, high, note = listed["value"].min(), listed["value"].max(), listed["month"].max()
        if listed.empty:
            note = f"no {accelerator.upper()} price in the dataset" if provider.is_price_public else "no public GPU-hour price"
        rows.append((provider.provider, low, low, high, note))
    others = latest[~latest["provider"].isin([*providers["provider"], "market index"])]
    # A price that nobody looked up for a year is no price of today.
    others = others[pd.PeriodIndex(others["month"], freq="M") > pd.Period(rentals["month"].max(), freq="M") - 12] if len(others) else others
    each = others.groupby("provider").agg(low=("value", "min"), high=("value", "max"), month=("month", "max"))
    if len(each) >= FEWEST_OF_MEDIAN:
        label = f"{len(each)} others, {each['month'].min()} to {each['month'].max()}"
        rows.append((label, median_of_many(each["low"]), each["low"].min(), each["high"].max(), "median"))
    else:
        rows += [(name, low, low, high, month) for name, low, high, month in each.itertuples()]
    return pd.DataFrame(rows, columns=["label", "value", "low", "high", "note"])
