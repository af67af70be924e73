"""Carbon and water of a million tokens.

    operation = average power x grid intensity / tokens;    making = embodied carbon / tokens of the whole life

What is not known is NaN and is shown; it is never zero. The vocabulary refuses an intensity or
a water use of 0, which in published tables mostly stands for "no data".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tokcost import quantities as q
from tokcost.quantities import Numbers, QuantityError, formula, nearest

if TYPE_CHECKING:
    import pandas as pd


class UnknownCarbon(QuantityError):
    """No carbon intensity is in the dataset for what was asked."""


def _per_mtok(amount_per_h, tok_per_s):
    return amount_per_h / (tok_per_s * q.SECONDS_PER_HOUR) * q.TOK_PER_MTOK


@formula
def operation_carbon_g_per_mtok(*, average_kw_per_gpu: Numbers, carbon_g_per_kwh: Numbers, total_tok_per_s_per_gpu: Numbers) -> Numbers:
    """Carbon of the electricity for a million tokens; the power is the facility's, PUE included.

    >>> round(operation_carbon_g_per_mtok(average_kw_per_gpu=1.0, carbon_g_per_kwh=360, total_tok_per_s_per_gpu=1000), 6)
    100.0
    """
    return _per_mtok(average_kw_per_gpu * carbon_g_per_kwh, total_tok_per_s_per_gpu)


@formula
def embodied_carbon_g_per_mtok(*, embodied_kg_per_gpu: Numbers, life_yr: Numbers, total_tok_per_s_per_gpu: Numbers) -> Numbers:
    """Carbon of making the hardware, spread over the tokens of its whole life.

    `total_tok_per_s_per_gpu` is the average over all hours of the life, idle ones included.

    >>> round(embodied_carbon_g_per_mtok(embodied_kg_per_gpu=315.36, life_yr=4, total_tok_per_s_per_gpu=2500), 6)
    1.0
    """
    return _per_mtok(embodied_kg_per_gpu * q.G_PER_KG / (life_yr * q.HOURS_PER_YEAR), total_tok_per_s_per_gpu)


@formula
def total_carbon_g_per_mtok(*, operation_carbon_g_per_mtok: Numbers, embodied_carbon_g_per_mtok: Numbers) -> Numbers:
    """Operation and making together; NaN where one of them is not known.

    >>> total_carbon_g_per_mtok(operation_carbon_g_per_mtok=100.0, embodied_carbon_g_per_mtok=1.0)
    101.0
    """
    return operation_carbon_g_per_mtok + embodied_carbon_g_per_mtok


@formula
def embodied_share_frac(*, operation_carbon_g_per_mtok: Numbers, embodied_carbon_g_per_mtok: Numbers) -> Numbers:
    """Share of making in the whole; it rises where the grid is clean.

    >>> embodied_share_frac(operation_carbon_g_per_mtok=3.0, embodied_carbon_g_per_mtok=1.0)
    0.25
    """
    return embodied_carbon_g_per_mtok / (operation_carbon_g_per_mtok + embodied_carbon_g_per_mtok)


@formula
def site_water_l_per_mtok(*, it_average_kw_per_gpu: Numbers, water_l_per_kwh: Numbers, total_tok_per_s_per_gpu: Numbers) -> Numbers:
    """Water evaporated at the site for a million tokens: WUE counts litres per kWh of *IT* energy.

    Source of the definition: The Green Grid, "Water Usage Effectiveness" (2011).

    >>> round(site_water_l_per_mtok(it_average_kw_per_gpu=1.0, water_l_per_kwh=1.8, total_tok_per_s_per_gpu=1000), 6)
    0.5
    """
    return _per_mtok(it_average_kw_per_gpu * water_l_per_kwh, total_tok_per_s_per_gpu)


@formula
def source_water_l_per_mtok(*, average_kw_per_gpu: Numbers, water_l_per_kwh: Numbers, total_tok_per_s_per_gpu: Numbers) -> Numbers:
    """Water used to generate the electricity of a million tokens, on facility power.

    >>> round(source_water_l_per_mtok(average_kw_per_gpu=1.0, water_l_per_kwh=7.2, total_tok_per_s_per_gpu=1000), 6)
    2.0
    """
    return _per_mtok(average_kw_per_gpu * water_l_per_kwh, total_tok_per_s_per_gpu)


def grid_intensity(table: pd.DataFrame, *, region: str, year: int | None = None) -> pd.Series:
    """The row of data/carbon_intensity.csv for a region and a year, without a year the latest; nothing is filled in from another.

    Raises `UnknownCarbon` with the years or the region that are in the dataset.

    >>> import pandas as pd
    >>> grids = pd.DataFrame({"region": ["Sweden", "Sweden"], "year": [2023, 2024], "value": [41.0, 36.0]})
    >>> float(grid_intensity(grids, region="sweden")["value"])
    36.0
    """
    rows = table[table["region"].str.lower() == region.lower()]
    if rows.empty:
        raise UnknownCarbon(f"carbon_intensity.csv has no region `{region}`{nearest(region, table['region'].unique())}")
    years = rows["year"].astype(int)
    found = rows[years == (years.max() if year is None else int(year))]
    if found.empty:
        on_file = ", ".join(map(str, sorted(years)))
        raise UnknownCarbon(f"carbon_intensity.csv has no `{region}` in {year}; in the dataset: {on_file}")
    row = found.iloc[0]
    return row if np.isfinite(row["value"]) else _unknown(region, row["year"])


def _unknown(region, year):
    raise UnknownCarbon(f"the carbon intensity of `{region}` in {year} is in the dataset as not known; take a year that is")
