"""Energy, carbon and water as tables: shares of the hour, power-limited runs, regions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.hour import carbon
from tokcost.hour.power import Power, consumed, energy_share_frac
from tokcost.hour.reference import PRICE_BASIS, reference_deployment
from tokcost.quantities import W_PER_KW, QuantityError, check_value, nearest

#: groups of states, which some price lists hold beside the states
_CENSUS_DIVISIONS = tuple(
    f"US, {name}"
    for name in (
        *("New England", "Middle Atlantic", "East North Central", "West North Central", "South Atlantic"),
        *("East South Central", "West South Central", "Mountain", "Pacific"),
    )
)


def electricity_shares(deployments: dict, *, operator: str) -> pd.DataFrame:
    """Electricity's share of a GPU-hour, and so of a token: on provisioned power, as it is often quoted, and on average power.

    Provisioned figures are utility-side kilowatts over the published constant of their vintage, no PUE added. Average is the
    deployment's own: average IT power times PUE over the built rate.

    >>> from tokcost.analysis.worksheet import restated
    >>> node = restated(reference_deployment("h200", "hyperscaler"), electricity_usd_per_kwh=0.08)
    >>> electricity_shares({"h200": node}, operator="hyperscaler")["energy_share_frac"].round(3).tolist()
    [0.098, 0.09, 0.048]
    """
    rows = []
    rates = evidence.load_table("hourly_rates")
    if operator not in PRICE_BASIS:
        raise QuantityError(f"there is no operator `{operator}`{nearest(operator, PRICE_BASIS)}")
    rates = rates[rates["price_basis"] == PRICE_BASIS[operator]]
    power = evidence.load_table("provisioned_power")
    for node in deployments.values():
        accelerator, price = node.accelerator, node.electricity_usd_per_kwh
        built = power[power["accelerator"] == accelerator].merge(
            rates[["accelerator", "rate_vintage", "value"]].rename(columns={"rate_vintage": "power_vintage", "value": "rate"}),
            on=["accelerator", "power_vintage"],
        )
        for row in built.itertuples():
            rows.append((accelerator, f"provisioned, {row.power_vintage}", "utility", row.value, row.value * price, row.rate))
        drawn = consumed(Power(node.it_average_kw_per_gpu, "it", "average").to_facility(pue=node.pue))
        cost = float(node.energy_cost_usd_per_gpu_h())
        rows.append((accelerator, "average, built up here", "facility", drawn.kw_per_gpu, cost, float(node.owned_rate_usd_per_gpu_h)))
    columns = ["accelerator", "power", "boundary", "kw_per_gpu", "energy_cost_usd_per_gpu_h", "rate_usd_per_gpu_h"]
    table = pd.DataFrame(rows, columns=columns)
    inputs = {name: table[name] for name in ("energy_cost_usd_per_gpu_h", "rate_usd_per_gpu_h")}
    return table.assign(energy_share_frac=energy_share_frac(**inputs))


def powers(deployments: dict, *, power_vintage: str) -> pd.DataFrame:
    """The powers of one accelerator with its share of everything: critical at IT, provisioned at the utility, average at IT and facility.

    >>> powers({"H200": reference_deployment("h200", "hyperscaler")}, power_vintage="2026-07").round(3).values.tolist()
    [['h200', 1.275, 1.37, 0.969, 1.114]]
    """
    rows = []
    for node in deployments.values():
        built = evidence.provisioned_power(accelerator=node.accelerator, power_vintage=power_vintage).value
        facility = Power(node.it_average_kw_per_gpu, "it", "average").to_facility(pue=node.pue)
        rows.append((node.accelerator, node.critical_kw_per_gpu, built, node.it_average_kw_per_gpu, facility.kw_per_gpu))
    columns = ["accelerator", "critical_kw_per_gpu", "provisioned_kw_per_gpu", "it_average_kw_per_gpu", "average_kw_per_gpu"]
    return pd.DataFrame(rows, columns=columns)


def power_spans(deployment) -> dict:
    """What power can be, as `Deployment.ranges`: latest industrial price by US state, PUE since 2023, average load; and life, for scale.

    Each span is widened to hold the deployment's own value.

    >>> sorted(power_spans(reference_deployment("h200", "hyperscaler")))
    ['average_load_frac', 'economic_life_yr', 'electricity_usd_per_kwh', 'pue']
    """
    electricity, pue = evidence.load_table("electricity"), evidence.load_table("pue")
    industrial = electricity.query(
        "customer == 'industrial' and quantity == 'electricity_usd_per_kwh' and region not in @_CENSUS_DIVISIONS"
    )
    states = industrial.groupby("region")["value"].last()
    on_file = reference_deployment(deployment.accelerator, "hyperscaler").ranges
    found = {
        "electricity_usd_per_kwh": (states.min(), states.max()),
        "pue": (pue.loc[pue["date"] >= "2023", "value"].min(), pue.loc[pue["date"] >= "2023", "value"].max()),
        "average_load_frac": on_file["average_load_frac"],
        "economic_life_yr": on_file["economic_life_yr"],
    }
    return {
        name: (float(min(low, getattr(deployment, name))), float(max(high, getattr(deployment, name))))
        for name, (low, high) in found.items()
    }


def best_runs(measured: pd.DataFrame) -> pd.DataFrame:
    """The run with the most tokens per joule of each accelerator, model and boundary, of rows with output and power.

    Adds `series` (a readable name), `average_kw_per_gpu` and `nameplate_kw_per_gpu`.
    """
    known = measured.dropna(subset=["measured_output_tok_per_joule"])
    best = known.loc[known.groupby(["accelerator", "model", "boundary"], sort=False)["measured_output_tok_per_joule"].idxmax()]
    best = best[~best["model"].str.endswith("99.9")]
    where = best["boundary"].map({"chip": "board", "node": "node"})
    return best.assign(
        series=best["accelerator"].str.upper() + " " + where + ", " + best["model"],
        average_kw_per_gpu=best["average_w_per_gpu"] / W_PER_KW,
        nameplate_kw_per_gpu=best["nameplate_w_per_gpu"] / W_PER_KW,
    ).reset_index(drop=True)


def sweeps(measured: pd.DataFrame) -> pd.DataFrame:
    """One board sweep over concurrency for each accelerator and model; `series` names the two.

    Runs of one sweep share engine and number of GPUs. Of several sweeps the longest is shown, and of equally long ones that
    with the most tokens per joule: never a mixture, which would be a curve that nobody measured.
    """
    boards = measured[(measured["boundary"] == "chip") & measured["concurrency"].notna()]
    pair, sweep = ["accelerator", "model"], ["accelerator", "model", "engine", "n_gpus"]
    kinds = boards.groupby(sweep, sort=False)["measured_output_tok_per_joule"].agg(["size", "max"]).reset_index()
    kept = kinds.sort_values(["size", "max"], ascending=False).drop_duplicates(pair)[sweep]
    chosen = boards.merge(kept, on=sweep)
    return chosen.assign(series=chosen["accelerator"].str.upper() + ", " + chosen["model"])


def power_limited(mlperf: pd.DataFrame, power: pd.DataFrame) -> pd.DataFrame:
    """MLPerf runs under a power limit (platforms named MaxQ) beside the same platform without it.

    The unlimited runs were submitted without power. So the saving per token is not known; `break_even_w_per_gpu` is the draw of
    the unlimited run above which the limited one uses less energy for a token, `nameplate_w_per_gpu` the most it can draw.

    Returns
    -------
    DataFrame
        accelerator, model, scenario, unlimited_output_tok_per_s_per_gpu, limited_output_tok_per_s_per_gpu, output_kept_frac,
        average_w_per_gpu, break_even_w_per_gpu, nameplate_w_per_gpu.
    """
    keys = ["round", "submitter", "platform", "accelerator", "model", "scenario"]
    throughput = "output_tok_per_s_per_gpu"
    limited = mlperf[mlperf["platform"].str.endswith("_MaxQ")]
    limited = limited.assign(
        platform=limited["platform"].str.removesuffix("_MaxQ"), average_w_per_gpu=limited["system_power_w"] / limited["n_gpus"]
    )
    pairs = limited[[*keys, throughput, "average_w_per_gpu"]].merge(mlperf[[*keys, throughput]], on=keys, suffixes=("_limited", "_free"))
    rated = power.query("boundary == 'node'").groupby("accelerator")["nameplate_w_per_gpu"].first()
    kept = pairs[f"{throughput}_limited"] / pairs[f"{throughput}_free"]
    table = pairs[["accelerator", "model", "scenario"]].assign(
        unlimited_output_tok_per_s_per_gpu=pairs[f"{throughput}_free"],
        limited_output_tok_per_s_per_gpu=pairs[f"{throughput}_limited"],
        output_kept_frac=kept,
        average_w_per_gpu=pairs["average_w_per_gpu"],
        break_even_w_per_gpu=pairs["average_w_per_gpu"] / kept,
        nameplate_w_per_gpu=pairs["accelerator"].map(rated),
    )
    return table[~table["model"].str.endswith("99.9")].reset_index(drop=True)


def clock_limited(*, energy_share_frac) -> pd.DataFrame:
    """What limits on the clock do to the cost of a token whose electricity is `energy_share_frac` of it.

    Published savings are of the accelerator's energy for the same work; they are counted here on all of the electricity, which is
    the most that they can be. A token bears more of the hour where less output is left, and less electricity:
    (1 - share) / kept + share x (1 - saved).

    Returns
    -------
    DataFrame
        study, hardware, scope, energy_saved_frac (as published), output_kept_frac (NaN: not published),
        break_even_kept_frac (a token gets cheaper only if more of the output is left), cost_ratio (NaN where the output is).

    >>> table = clock_limited(energy_share_frac=0.05)
    >>> table.set_index("study")["break_even_kept_frac"].round(3).to_dict()
    {'Ma et al.': 0.983, 'Liu et al.': 0.982, 'Maliakel et al.': 0.978}
    """
    check_value("energy_share_frac", energy_share_frac)
    rows = evidence.load_table("clock_limits")
    table = rows.pivot_table(index=["study", "hardware", "scope"], columns="quantity", values="value", sort=False).reset_index()
    energy = energy_share_frac * (1 - table["energy_saved_frac"])
    rest = 1 - energy_share_frac
    table.columns.name = None
    return table.assign(break_even_kept_frac=rest / (1 - energy), cost_ratio=rest / table["output_kept_frac"] + energy)


def footprint_by_region(*, region: str, it_average_kw_per_gpu, pue, total_tok_per_s_per_gpu, water_l_per_kwh) -> pd.DataFrame:
    """Carbon and water of a million tokens in every cloud region of the latest year in the dataset and in `region`, cleanest first.

    `region` is a cloud region or a country (ISO code). Cloud regions count what their grid burns; a country in the dataset counts the
    life cycle of its plants as well, and its `name` says so. Water at the site follows from the given use effectiveness; water at the power
    plant is that of the country, NaN (not known) where none is in the dataset. Carbon is of running only: for most accelerators the
    making is not in the dataset.
    """
    grids = evidence.load_table("carbon_intensity").astype({"year": int})
    latest = grids[grids["year"] == grids.groupby("region")["year"].transform("max")]
    in_clouds = (latest["grid"] == "cloud region") & (latest["year"] == latest.loc[latest["grid"] == "cloud region", "year"].max())
    own = carbon.grid_intensity(grids, region=region)
    table = latest[in_clouds | (latest["region"] == own["region"])]
    facility = it_average_kw_per_gpu * pue
    plants = evidence.load_table("water_use").query("boundary == 'power plant'").sort_values("date")
    by_country = plants.drop_duplicates("region", keep="last").set_index("region")["value"]
    at_site = carbon.site_water_l_per_mtok(
        it_average_kw_per_gpu=it_average_kw_per_gpu, water_l_per_kwh=water_l_per_kwh, total_tok_per_s_per_gpu=total_tok_per_s_per_gpu
    )
    running = {"average_kw_per_gpu": facility, "total_tok_per_s_per_gpu": total_tok_per_s_per_gpu}
    grid, plant = table["value"].rename("carbon_g_per_kwh"), table["country"].map(by_country).rename("water_l_per_kwh")
    is_life_cycle = table["note"].str.contains("life cycle")
    name = table["name"].where(~is_life_cycle, table["name"] + " (country, life cycle)")
    result = table[["region", "country", "year"]].assign(
        name=name,
        carbon_g_per_kwh=grid,
        carbon_g_per_mtok=carbon.operation_carbon_g_per_mtok(carbon_g_per_kwh=grid, **running),
        site_water_l_per_mtok=at_site,
        source_water_l_per_mtok=carbon.source_water_l_per_mtok(water_l_per_kwh=plant, **running),
    )
    return result.sort_values("carbon_g_per_mtok", ignore_index=True)


def some_regions(table: pd.DataFrame, *, region: str, n: int = 14) -> pd.DataFrame:
    """About `n` rows evenly spread over the order of the table, its ends and the chosen region always among them."""
    if region not in set(table["region"]):
        raise QuantityError(f"the table has no region `{region}`{nearest(region, table['region'])}")
    every = set(np.linspace(0, len(table) - 1, n).round().astype(int))
    chosen = sorted(every | {int(np.flatnonzero(table["region"] == region)[0])})
    return table.iloc[chosen].reset_index(drop=True)
