"""Carbon and water: what is not known stays unknown."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import evidence
from tokcost.hour import (
    UnknownCarbon,
    embodied_carbon_g_per_mtok,
    embodied_share_frac,
    grid_and_plants_by_region,
    grid_intensity,
    operational_carbon_g_per_mtok,
    site_water_l_per_mtok,
    total_carbon_g_per_mtok,
)
from tokcost.quantities import QuantityError

OPERATION = {"average_kw_per_gpu": 1.2, "carbon_g_per_kwh": 300.0, "total_tok_per_s_per_gpu": 2000.0}
MAKING = {"embodied_kg_per_gpu": 318.0, "life_yr": 5.0, "total_tok_per_s_per_gpu": 800.0}


def test_operational_carbon_by_hand():
    """2,000 tokens/s are 7.2 million an hour; 1.2 kWh at 300 g are 360 g: 50 g a million."""
    assert operational_carbon_g_per_mtok(**OPERATION) == pytest.approx(50.0, rel=1e-12)


def test_embodied_carbon_by_hand():
    """318 kg over 5 x 8,760 h at 2.88 million tokens an hour."""
    assert embodied_carbon_g_per_mtok(**MAKING) == pytest.approx(318_000 / (5 * 8760 * 2.88), rel=1e-12)


@pytest.mark.parametrize(
    ("function", "inputs", "name"),
    [
        (operational_carbon_g_per_mtok, OPERATION, "carbon_g_per_kwh"),
        (embodied_carbon_g_per_mtok, MAKING, "embodied_kg_per_gpu"),
        (site_water_l_per_mtok, {"it_average_kw_per_gpu": 1.0, "total_tok_per_s_per_gpu": 1000.0}, "water_l_per_kwh"),
    ],
)
def test_zero_does_not_stand_for_unknown(function, inputs, name):
    with pytest.raises(QuantityError, match=f"`{name}` must be in"):
        function(**{**inputs, name: 0.0})
    assert np.isnan(function(**{**inputs, name: np.array([math.nan])})).all()


def test_an_unknown_part_makes_the_whole_unknown():
    whole = total_carbon_g_per_mtok(
        operational_carbon_g_per_mtok=np.array([50.0, 50.0]), embodied_carbon_g_per_mtok=np.array([2.0, math.nan])
    )
    assert whole[0] == 52.0 and math.isnan(whole[1])


@given(st.floats(1, 1000), st.floats(1, 1000), st.floats(1, 100))
def test_embodied_carbon_weighs_more_where_the_grid_is_clean(clean, more, making):
    def share(operation):
        return embodied_share_frac(operational_carbon_g_per_mtok=operation, embodied_carbon_g_per_mtok=making)

    assert share(clean) > share(clean + more)


@given(st.floats(0.5, 10), st.floats(0.5, 10))
def test_a_longer_life_spreads_the_embodied_carbon(life, more):
    assert embodied_carbon_g_per_mtok(**MAKING | {"life_yr": life + more}) < embodied_carbon_g_per_mtok(**MAKING | {"life_yr": life})


def test_the_grid_of_a_region_and_a_year_is_found_with_its_source():
    table = evidence.load_table("carbon_intensity")
    row = grid_intensity(table, region="us-east4", year=2024)
    assert 50 < row["value"] < 900
    assert row["source_id"] == "google_region_carbon"
    assert grid_intensity(table, region="us-east4")["year"] == table.loc[table["region"] == "us-east4", "year"].max()


def test_no_year_is_filled_in_from_another():
    table = evidence.load_table("carbon_intensity")
    with pytest.raises(UnknownCarbon, match="no `us-east4` in 2030; in the dataset: "):
        grid_intensity(table, region="us-east4", year=2030)
    with pytest.raises(UnknownCarbon, match="did you mean `us-east4`"):
        grid_intensity(table, region="us-eats4", year=2024)
    blank = pd.DataFrame({"region": ["nowhere"], "year": [2024], "value": [math.nan]})
    with pytest.raises(UnknownCarbon, match="not known"):
        grid_intensity(blank, region="nowhere", year=2024)


def test_no_grid_in_the_dataset_is_zero():
    assert (evidence.load_table("carbon_intensity")["value"] > 0).all()


def test_regions_are_of_one_year_from_clean_to_dirty_and_their_water_is_that_of_the_country():
    regions = grid_and_plants_by_region("us-south1")
    assert regions["carbon_g_per_kwh"].is_monotonic_increasing and regions["year"].nunique() == 1
    at_plant = regions.set_index("region")["water_l_per_kwh"]
    # as published: the United States, Sweden, Brazil
    assert at_plant[["us-west1", "europe-north2", "southamerica-east1"]].tolist() == pytest.approx([3.1321, 6.0315, 18.6033])
    assert regions.groupby("plants_of")["water_l_per_kwh"].nunique().max() == 1


def test_water_that_is_not_in_the_dataset_is_not_known_and_never_zero():
    water = grid_and_plants_by_region("us-south1").set_index("country")["water_l_per_kwh"]
    assert set(water.index[water.isna()]) == {"SGP", "HKG", "QAT", "SAU", "ISR", "ZAF"}
    assert (water.dropna() > 0).all()


def test_every_cloud_region_lies_in_a_country_of_the_dataset():
    """Grids that hardly differ within the country, by two sources: Google's counts burning alone and is a little lower."""
    grids = evidence.load_table("carbon_intensity")
    assert grids["country"].isin(grids.loc[grids["grid"] == "country", "region"]).all()
    near = grids[grids["year"].astype(int).isin([2023, 2024])]  # countries end with 2023
    at = near.sort_values("year").drop_duplicates("region", keep="last").set_index("region")
    for region, country in {"asia-south1": "IND", "asia-northeast1": "JPN", "europe-central2": "POL", "africa-south1": "ZAF"}.items():
        assert at.loc[region, "country"] == country
        assert 0.9 < at.loc[region, "value"] / at.loc[country, "value"] < 1


def test_a_country_stands_among_the_cloud_regions_when_it_is_asked_for():
    clouds, norway = grid_and_plants_by_region("us-south1"), grid_and_plants_by_region("NOR")
    assert set(norway["region"]) - set(clouds["region"]) == {"NOR"}
    assert norway.set_index("region").loc["NOR", "water_l_per_kwh"] == pytest.approx(6.6633)
    with pytest.raises(UnknownCarbon, match="did you mean `us-south1`"):
        grid_and_plants_by_region("us-south-1")


def test_water_is_that_of_the_state_where_the_dataset_has_it_and_never_the_nations_then():
    """Dallas: Texas takes 1.287 litres per kWh, the United States on average 3.1."""
    regions = grid_and_plants_by_region("us-south1").set_index("region")
    assert regions.loc["us-south1", ["plants_of", "water_l_per_kwh"]].tolist() == ["US-TX", 1.287]
    assert regions.loc["us-east4", "plants_of"] == "USA", "Virginia's plants are not in the dataset"


def test_the_newest_figure_of_plants_is_the_one_whose_period_ended_last(monkeypatch):
    """As text 2024-12 stands after 2024 and before 2024/2025; a year ends in its December."""
    rows = evidence.load_table("water_use")
    for dates, newest in ((["2024", "2024-06"], 1.0), (["2019/2025", "2024-12-31"], 1.0)):
        two = rows.head(1).loc[[0, 0]].assign(boundary="power plant", region="USA", date=dates, value=[1.0, 2.0])
        monkeypatch.setattr(
            evidence,
            "load_table",
            lambda table, _two=two, _load=evidence.catalog.load_table, **where: _two if table == "water_use" else _load(table, **where),
        )
        assert grid_and_plants_by_region("us-east4").set_index("region").loc["us-east4", "water_l_per_kwh"] == newest
