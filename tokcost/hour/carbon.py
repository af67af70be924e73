"""Carbon and water of a million tokens.

    operational = average power x grid intensity / tokens;    embodied = carbon of making the hardware / tokens of its whole life

What is not known is NaN and is shown; it is never zero. The vocabulary refuses an intensity or
a water use of 0, which in published tables mostly stands for "no data".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost import quantities as q
from tokcost.quantities import Numbers, QuantityError, formula, nearest


class UnknownCarbon(QuantityError):
    """No carbon intensity is in the dataset for what was asked."""


def _per_mtok(amount_per_h, tok_per_s):
    return amount_per_h / (tok_per_s * q.SECONDS_PER_HOUR) * q.TOK_PER_MTOK


@formula
def operational_carbon_g_per_mtok(*, average_kw_per_gpu: Numbers, carbon_g_per_kwh: Numbers, total_tok_per_s_per_gpu: Numbers) -> Numbers:
    """Carbon of the electricity for a million tokens; the power is the facility's, PUE included.

    Source: Software Carbon Intensity, ISO/IEC 21031:2024, energy times intensity.

    >>> round(operational_carbon_g_per_mtok(average_kw_per_gpu=1.0, carbon_g_per_kwh=360, total_tok_per_s_per_gpu=1000), 6)
    100.0
    """
    return _per_mtok(average_kw_per_gpu * carbon_g_per_kwh, total_tok_per_s_per_gpu)


@formula
def embodied_carbon_g_per_mtok(*, embodied_kg_per_gpu: Numbers, life_yr: Numbers, total_tok_per_s_per_gpu: Numbers) -> Numbers:
    """Embodied carbon, of making the hardware, spread over the tokens of its whole life.

    `total_tok_per_s_per_gpu` is the average over all hours of the life, idle ones included.
    Source: Software Carbon Intensity, ISO/IEC 21031:2024, embodied part.

    >>> round(embodied_carbon_g_per_mtok(embodied_kg_per_gpu=315.36, life_yr=4, total_tok_per_s_per_gpu=2500), 6)
    1.0
    """
    return _per_mtok(embodied_kg_per_gpu * q.G_PER_KG / (life_yr * q.HOURS_PER_YEAR), total_tok_per_s_per_gpu)


@formula
def total_carbon_g_per_mtok(*, operational_carbon_g_per_mtok: Numbers, embodied_carbon_g_per_mtok: Numbers) -> Numbers:
    """Operational and embodied carbon together; NaN where one of them is not known.

    Source: Software Carbon Intensity, ISO/IEC 21031:2024, the sum of both parts.

    >>> total_carbon_g_per_mtok(operational_carbon_g_per_mtok=100.0, embodied_carbon_g_per_mtok=1.0)
    101.0
    """
    return operational_carbon_g_per_mtok + embodied_carbon_g_per_mtok


@formula
def embodied_share_frac(*, operational_carbon_g_per_mtok: Numbers, embodied_carbon_g_per_mtok: Numbers) -> Numbers:
    """Share of embodied carbon in the whole; it rises where the grid is clean. Definition.

    >>> embodied_share_frac(operational_carbon_g_per_mtok=3.0, embodied_carbon_g_per_mtok=1.0)
    0.25
    """
    return embodied_carbon_g_per_mtok / (operational_carbon_g_per_mtok + embodied_carbon_g_per_mtok)


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

    Source: The Green Grid, white paper 35 (2011), WUE source.

    >>> round(source_water_l_per_mtok(average_kw_per_gpu=1.0, water_l_per_kwh=7.2, total_tok_per_s_per_gpu=1000), 6)
    2.0
    """
    return _per_mtok(average_kw_per_gpu * water_l_per_kwh, total_tok_per_s_per_gpu)


def grid_intensity(table: pd.DataFrame, *, region: str, year: int | None = None) -> pd.Series:
    """The row of data/carbon_intensity.csv for a region and a year, without a year the latest; nothing is filled in from another.

    Raises: UnknownCarbon with the years or the region that are in the dataset.


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
        there = ", ".join(map(str, sorted(years)))
        raise UnknownCarbon(f"carbon_intensity.csv has no `{region}` in {year}; in the dataset: {there}")
    row = found.iloc[0]
    return row if np.isfinite(row["value"]) else _unknown(region, row["year"])


def _unknown(region, year):
    raise UnknownCarbon(f"the carbon intensity of `{region}` in {year} is in the dataset as not known; take a year that is")


def grid_and_plants_by_region(region: str) -> pd.DataFrame:
    """What a kilowatt-hour carries in every cloud region of the latest year in the dataset and in `region`, cleanest grid first.

    `region` is a cloud region or a country (ISO code). Cloud regions count what their grid burns; a country counts the life
    cycle of its plants as well, and its `name` says so. Water at the power plant is the latest figure of the state, where that is in
    the dataset, otherwise of the country.

    Columns: region, country, year, name, carbon_g_per_kwh, water_l_per_kwh (at the power plant; NaN where it is not known),
    plants_of (the state or country of that figure).

    Raises: UnknownCarbon for a region that is not in the dataset, with the nearest that is.

    >>> grid_and_plants_by_region("NOR").set_index("region").loc["NOR", "name"]
    'Norway (country, life cycle)'
    >>> grid_and_plants_by_region("NOR").set_index("region").loc["us-south1", "plants_of"]
    'US-TX'
    """
    grids = evidence.load_table("carbon_intensity").astype({"year": int})
    own = grid_intensity(grids, region=region)
    latest = grids[grids["year"] == grids.groupby("region")["year"].transform("max")]
    in_clouds = (latest["grid"] == "cloud region") & (latest["year"] == latest.loc[latest["grid"] == "cloud region", "year"].max())
    table = latest[in_clouds | (latest["region"] == own["region"])].sort_values("value", ignore_index=True)
    plants = _latest_plants()
    plants_of = table["state"].where(table["state"].isin(plants.index), table["country"])
    is_life_cycle = table["note"].str.contains("life cycle")
    return table[["region", "country", "year"]].assign(
        name=table["name"].where(~is_life_cycle, table["name"] + " (country, life cycle)"),
        carbon_g_per_kwh=table["value"],
        water_l_per_kwh=plants_of.map(plants),
        plants_of=plants_of,
    )


def _latest_plants() -> pd.Series:
    """Water at the power plants of each state and country, litres per kWh: the row whose period ended last."""
    plants = evidence.load_table("water_use", boundary="power plant")
    ended = plants["date"].str.rpartition("/")[2].map(lambda date: pd.Period(date).end_time)
    return plants.assign(ended=ended).sort_values("ended").drop_duplicates("region", keep="last").set_index("region")["value"]
