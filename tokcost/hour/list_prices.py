"""What providers ask for an hour on demand: the latest list price of each, and a reason where there is none."""

from __future__ import annotations

import math

import pandas as pd

from tokcost import evidence


def latest_list_prices(accelerator: str) -> pd.DataFrame:
    """On-demand list prices of one accelerator: each provider of data/providers.csv, then all others together.

    Of each provider the latest month counts, its median where it lists several offers. The others are one row with the median
    of theirs, lowest and highest, as far as they are of the last twelve months in the dataset. Nothing is filled in.

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
        price, note = listed["value"].median(), listed["month"].max()
        if listed.empty:
            price, note = math.nan, "no public GPU-hour price"
            if provider.is_price_public:
                note = f"no {accelerator.upper()} price in the dataset"
        rows.append((provider.provider, price, price, price, note))
    others = latest[~latest["provider"].isin([*providers["provider"], "market index"])]
    # A price that nobody looked up for a year is no price of today.
    others = others[pd.PeriodIndex(others["month"], freq="M") > pd.Period(rentals["month"].max(), freq="M") - 12] if len(others) else others
    if len(others):
        each = others.groupby("provider")["value"].median()
        label = f"{len(each)} others, {others['month'].min()} to {others['month'].max()}"
        rows.append((label, each.median(), each.min(), each.max(), "median"))
    return pd.DataFrame(rows, columns=["label", "value", "low", "high", "note"])
