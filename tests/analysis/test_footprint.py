"""Energy, carbon and water as tables: shares by which power is counted, limits as bounds, unknown stays unknown."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost import evidence
from tokcost.analysis.footprint import (
    best_runs,
    clock_limited,
    electricity_shares,
    footprint_by_region,
    power_limited,
    power_spans,
    some_regions,
    sweeps,
)
from tokcost.analysis.worksheet import restated
from tokcost.hour import measured_and_provisioned, reference_deployment
from tokcost.quantities import QuantityError

MEASURED = measured_and_provisioned(
    evidence.load_table("power_measurements"), provisioned_kw_per_gpu={"h200": 1.37, "b200": 1.71, "gb300": 2.12}
)
NODE = {"it_average_kw_per_gpu": 1.0, "pue": 1.2, "total_tok_per_s_per_gpu": 1000, "water_l_per_kwh": 1.8}
REGIONS = footprint_by_region(region="us-south1", **NODE)


def nodes(**inputs):
    return {name: restated(reference_deployment(name, "hyperscaler"), **inputs) for name in ("h200", "gb300")}


def test_about_a_tenth_holds_on_provisioned_power_alone():
    shares = electricity_shares(nodes(electricity_usd_per_kwh=0.08), operator="hyperscaler")
    on_h200 = shares[shares["accelerator"] == "h200"].set_index("power")["energy_share_frac"]
    assert on_h200["provisioned, 2026-03"] == pytest.approx(1.73 * 0.08 / 1.41)
    assert shares.loc[shares["boundary"] == "facility", "energy_share_frac"].max() < 0.06


@settings(max_examples=25)
@given(st.floats(0.02, 0.4), st.floats(1.02, 2.5), st.floats(0.2, 1.0))
def test_the_share_is_that_of_the_deployment_as_it_is_stated(price, pue, load):
    stated = nodes(electricity_usd_per_kwh=price, pue=pue, average_load_frac=load)
    shares = electricity_shares(stated, operator="hyperscaler").query("boundary == 'facility'").set_index("accelerator")
    for name, node in stated.items():
        assert shares.loc[name, "kw_per_gpu"] == pytest.approx(node.critical_kw_per_gpu * load * pue)
        by_hand = node.critical_kw_per_gpu * load * pue * price / node.availability_frac / node.owned_rate_usd_per_gpu_h
        assert shares.loc[name, "energy_share_frac"] == pytest.approx(by_hand)


@settings(max_examples=25)
@given(st.floats(0.02, 0.4))
def test_the_average_is_always_less_than_what_is_provisioned(price):
    shares = electricity_shares(nodes(electricity_usd_per_kwh=price), operator="hyperscaler")
    for _, rows in shares.groupby("accelerator"):
        average = rows.loc[rows["boundary"] == "facility", "energy_share_frac"].item()
        assert average < rows.loc[rows["boundary"] == "utility", "energy_share_frac"].min()


def test_a_sweep_is_one_engine_on_one_number_of_gpus_and_gains_with_concurrency():
    curves = sweeps(MEASURED)
    for _, curve in curves.groupby("series"):
        assert len(curve[["engine", "n_gpus"]].drop_duplicates()) == 1
        assert curve.sort_values("concurrency")["measured_output_tok_per_joule"].is_monotonic_increasing
        assert curve["concurrency"].is_unique


def test_the_best_run_of_a_series_is_no_worse_than_any_of_it():
    best = best_runs(MEASURED)
    assert best["series"].is_unique
    for row in best.itertuples():
        same = MEASURED[
            (MEASURED["accelerator"] == row.accelerator) & (MEASURED["model"] == row.model) & (MEASURED["boundary"] == row.boundary)
        ]
        assert same["measured_output_tok_per_joule"].max() == row.measured_output_tok_per_joule


def test_a_power_limit_pairs_the_same_platform_and_bounds_what_it_saves():
    table = power_limited(evidence.load_table("mlperf_inference"), evidence.load_table("power_measurements"))
    llama = table.query("model == 'llama2-70b-99' and scenario == 'offline'").iloc[0]
    # by hand from MLPerf Inference v4.1: 31,302.7 and 25,262.1 tokens/s of 8 GPUs; 6,152.98 W
    assert llama["output_kept_frac"] == pytest.approx(25_262.1 / 31_302.7, rel=1e-3)
    assert llama["break_even_w_per_gpu"] == pytest.approx(6_152.98 / 8 / (25_262.1 / 31_302.7), rel=1e-3)
    assert (table["break_even_w_per_gpu"] < table["nameplate_w_per_gpu"]).all()
    assert (table["output_kept_frac"] < 1).all() and set(table["accelerator"]) == {"h200"}


@given(st.floats(0.001, 0.5))
def test_a_clock_limit_saves_less_than_electricity_costs_and_turns_dear_with_the_output(share):
    """With no output lost a token gets cheaper by less than the share, at break-even by nothing."""
    table = clock_limited(energy_share_frac=share)
    saved, even = table["energy_saved_frac"], table["break_even_kept_frac"]
    # by hand: a token of one dollar, the hour without electricity spread over less output, electricity of the token saved
    assert ((1 - share) / even + share * (1 - saved)).to_numpy() == pytest.approx(1)
    assert (table["break_even_kept_frac"] > 1 - share).all() and (table["break_even_kept_frac"] < 1).all()
    published = table.dropna(subset=["cost_ratio"])
    cheaper = published["cost_ratio"] < 1
    assert (cheaper == (published["output_kept_frac"] > published["break_even_kept_frac"])).all()
    assert table["cost_ratio"].isna().tolist() == table["output_kept_frac"].isna().tolist() and table["cost_ratio"].isna().any()


def test_the_span_of_prices_is_that_of_industry_in_the_states():
    """EIA: New Mexico lowest, Hawaii highest; a data center's own contract and a group of states are no state."""
    low, high = power_spans(reference_deployment("h200", "hyperscaler"))["electricity_usd_per_kwh"]
    assert (low, high) == (0.0537, 0.3528)


def test_carbon_follows_the_grid_and_water_the_country():
    by_grid = REGIONS["carbon_g_per_mtok"] / REGIONS["carbon_g_per_kwh"]
    assert by_grid.to_numpy() == pytest.approx(by_grid.iloc[0])
    # 1.2 kW for 1000 s make a million tokens: 1/3 kWh
    assert by_grid.iloc[0] == pytest.approx(1 / 3)
    assert REGIONS["carbon_g_per_mtok"].is_monotonic_increasing and (REGIONS["carbon_g_per_mtok"] > 0).all()
    at_plant = REGIONS.set_index("region")["source_water_l_per_mtok"]
    # litres per kWh by country as published: the United States, Sweden, Brazil
    assert at_plant[["us-south1", "europe-north2", "southamerica-east1"]].tolist() == pytest.approx([3.1321 / 3, 6.0315 / 3, 18.6033 / 3])
    assert REGIONS.groupby("country")["source_water_l_per_mtok"].nunique().max() == 1
    assert REGIONS["year"].nunique() == 1 and not math.isnan(REGIONS["site_water_l_per_mtok"].iloc[0])


def test_water_that_is_not_on_file_is_not_known_and_never_zero():
    unknown = set(REGIONS.loc[REGIONS["source_water_l_per_mtok"].isna(), "country"])
    assert unknown == {"SGP", "HKG", "QAT", "SAU", "ISR", "ZAF"}
    assert (REGIONS["source_water_l_per_mtok"].dropna() > 0).all()


def test_every_cloud_region_lies_in_a_country_on_file():
    """Grids that hardly differ within the country, by two sources: Google's counts burning alone and is a little lower."""
    grids = evidence.load_table("carbon_intensity")
    assert grids["country"].isin(grids.loc[grids["grid"] == "country", "region"]).all()
    near = grids[grids["year"].astype(int).isin([2023, 2024])]  # countries end with 2023
    at = near.sort_values("year").drop_duplicates("region", keep="last").set_index("region")
    for region, country in {"asia-south1": "IND", "asia-northeast1": "JPN", "europe-central2": "POL", "africa-south1": "ZAF"}.items():
        assert at.loc[region, "country"] == country
        assert 0.9 < at.loc[region, "value"] / at.loc[country, "value"] < 1


def test_a_country_stands_among_the_cloud_regions_when_it_is_asked_for():
    norway = footprint_by_region(region="NOR", **NODE)
    assert set(norway["region"]) - set(REGIONS["region"]) == {"NOR"}
    assert norway.query("region == 'NOR'")["source_water_l_per_mtok"].item() == pytest.approx(6.6633 / 3)
    assert "NOR" in set(some_regions(norway, region="NOR")["region"])


@given(st.sampled_from(sorted(REGIONS["region"])), st.integers(2, 44))
def test_a_selection_keeps_the_ends_and_the_chosen_region(region, n):
    some = some_regions(REGIONS, region=region, n=n)
    assert {REGIONS["region"].iloc[0], REGIONS["region"].iloc[-1], region} <= set(some["region"])
    assert n <= len(some) + 1 and some["carbon_g_per_mtok"].is_monotonic_increasing


def test_a_region_without_a_grid_on_file_is_refused_with_the_nearest():
    with pytest.raises(QuantityError, match="did you mean `us-south1`"):
        some_regions(REGIONS, region="us-south-1")
    with pytest.raises(QuantityError, match="did you mean `us-south1`"):
        footprint_by_region(region="us-south-1", **NODE)
