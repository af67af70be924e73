"""Tables that stand beside an owned GPU-hour: inputs in use, what would meet a published number, prices on one footing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tokcost import evidence, quantities
from tokcost.hour.cashflow import owner_cash_flow
from tokcost.hour.deployment import LOWERS_COST, Deployment
from tokcost.hour.ownership import capital_cost_usd_per_gpu_yr
from tokcost.hour.reference import PRICE_BASIS, reference_deployment, reference_inputs
from tokcost.hour.solve import likely_interval_usd_per_gpu_h, solve_for
from tokcost.quantities import check_value

#: how far beyond the sourced range a solution is looked for
SEARCH_FACTOR = 5


def restated(deployment: Deployment, **inputs) -> Deployment:
    """A copy with inputs of one's own. What differs from the file loses its range, which spoke of another value; the rest keeps it.

    >>> node = reference_deployment("h200", "hyperscaler")
    >>> mine = restated(node, wacc_frac=0.12, economic_life_yr=node.economic_life_yr)
    >>> mine.wacc_frac, "wacc_frac" in mine.ranges, "economic_life_yr" in mine.ranges
    (0.12, False, True)
    """
    changed = {name: value for name, value in inputs.items() if value != getattr(deployment, name, None)}
    return deployment.replace(ranges={name: span for name, span in (deployment.ranges or {}).items() if name not in changed}, **changed)


def inputs_in_use(rows: pd.DataFrame, deployment: Deployment) -> pd.DataFrame:
    """The sourced rows of a deployment (`reference_inputs`) with the value that is in use; an input of one's own says so.

    >>> from tokcost.hour.reference import reference_inputs
    >>> node = reference_deployment("h200", "hyperscaler")
    >>> table = inputs_in_use(reference_inputs("h200", "hyperscaler"), restated(node, wacc_frac=0.12))
    >>> table.set_index("quantity").loc["wacc_frac", "kind"]
    'your input'
    """
    value = [float(getattr(deployment, name)) for name in rows["quantity"]]
    own = rows["value"].astype(float).to_numpy() != np.array(value)
    publisher = evidence.catalog.examined("sources")[0].set_index("source_id")["publisher"]  # looked up, not cited as a whole
    used = rows.assign(
        value=value,
        input=[quantities.phrase(name) for name in rows["quantity"]],
        unit=["share" if quantities.unit(name) == "frac" else quantities.of(name).unit_label for name in rows["quantity"]],
        publisher=rows["source_id"].map(publisher),
    )
    used.loc[own, ["low", "high"]] = math.nan
    used.loc[own, ["kind", "publisher", "date"]] = ["your input", "", ""]
    return used[["quantity", "input", "value", "low", "high", "unit", "kind", "publisher", "date"]].reset_index(drop=True)


def inputs_of(deployments: dict, operator: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The inputs in use as two tables: what belongs to each chip, and what belongs to the operator, the same for all.

    >>> chips, shared = inputs_of({"H200": reference_deployment("h200", "hyperscaler")}, "hyperscaler")
    >>> chips["input"].tolist(), len(shared)
    (['Number of GPUs', 'System price', 'Critical IT power per GPU'], 20)
    """
    tables = [
        inputs_in_use(reference_inputs(node.accelerator, operator), node).assign(accelerator=node.accelerator)
        for node in deployments.values()
    ]
    of_chip = set(evidence.load_table("systems")["quantity"])
    chips = pd.concat([table[table["quantity"].isin(of_chip)] for table in tables], ignore_index=True)
    columns = ["input", "value", "low", "high", "unit", "kind", "publisher"]
    shared = tables[-1][~tables[-1]["quantity"].isin(of_chip)].reset_index(drop=True)
    return chips[["accelerator", *columns]], shared[[*columns, "date"]]


def price_and_life(deployments: dict, operator: str) -> pd.DataFrame:
    """The hour at the lowest sourced system price, at the longest sourced life, and at both together.

    Columns accelerator, lowest_price, longest_life, both (USD per GPU-hour); the ranges are those in the dataset.

    >>> table = price_and_life({"H200": reference_deployment("h200", "hyperscaler")}, "hyperscaler")
    >>> table[["lowest_price", "longest_life", "both"]].round(2).values.tolist()
    [[1.53, 1.69, 1.39]]
    """
    rows = []
    for node in deployments.values():
        on_file = reference_deployment(node.accelerator, operator).ranges
        price, life = on_file["system_price_usd"][0], on_file["economic_life_yr"][1]
        cases = ({"system_price_usd": price}, {"economic_life_yr": life}, {"system_price_usd": price, "economic_life_yr": life})
        rows.append((node.accelerator, *(float(node.without_ranges(**case).owned_rate_usd_per_gpu_h) for case in cases)))
    return pd.DataFrame(rows, columns=["accelerator", "lowest_price", "longest_life", "both"])


def parts_and_totals(deployments: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Name to deployment, as two tables: every part of every GPU-hour, and one total each with the interval of independent errors.

    A part is what it is called in either table: a colocated deployment has a rent where a built one has a data center.

    >>> parts, totals = parts_and_totals({"H200": reference_deployment("h200", "hyperscaler")})
    >>> totals.round(2).values.tolist()
    [['H200', 1.88, 1.38, 2.79]]
    """
    parts = pd.concat([node.breakdown().assign(series=name) for name, node in deployments.items()], ignore_index=True)
    totals = [(name, float(node.owned_rate_usd_per_gpu_h), *likely_interval_usd_per_gpu_h(node)) for name, node in deployments.items()]
    return parts, pd.DataFrame(totals, columns=["series", "usd_per_gpu_h", "low", "high"])


#: our items -> those of the public model
_PUBLIC_ITEMS = {
    "Accelerator server or rack": "servers",
    "Networking": "network, storage and building",
    "Storage": "network, storage and building",
    "CPU and head nodes": "network, storage and building",
    "Spares": "network, storage and building",
    "Data center": "network, storage and building",
    "Electricity": "electricity",
}


def compare_with_public_model() -> pd.DataFrame:
    """Our build-up of a GB200 on the terms of a public model of a whole data center, by item, in USD per kW of IT power and month.

    The model (Epoch AI, 2026) spreads capital over 5 years for IT equipment and 14 for the building, at no cost of capital and
    with every hour used; the rest is our reference hyperscaler as it stands.

    Returns
    -------
    DataFrame
        item, published_usd_per_kw_month, built_usd_per_kw_month, ratio (built over published); the last row is all.

    >>> compare_with_public_model().set_index("item")["ratio"].round(2).to_dict()["servers"]
    1.03
    """
    rows = evidence.load_table("published_cost_shares").query("model == 'epoch_2026'")
    life = rows[rows["quantity"] == "life_yr"].set_index("item")["value"]
    published = rows[rows["quantity"] == "cost_usd_per_kw_month"].set_index("item")["value"]
    node = reference_deployment("gb200", "hyperscaler").without_ranges(
        **{"wacc_frac": 0.0, "install_delay_yr": 0.0, "residual_frac": 0.0, "availability_frac": 1.0},
        **{"economic_life_yr": life["servers"], "facility_life_yr": life["data center"]},
    )
    parts = pd.Series(node.components(), dtype=float) * quantities.HOURS_PER_YEAR / quantities.MONTHS_PER_YEAR / node.critical_kw_per_gpu
    built = parts.groupby(lambda item: _PUBLIC_ITEMS.get(item, "other operation")).sum()
    built["all"] = math.fsum(parts)
    order = [*published.drop("all").sort_values(ascending=False).index, "all"]
    table = pd.DataFrame({"published_usd_per_kw_month": published, "built_usd_per_kw_month": built}).loc[order]
    return table.assign(ratio=table["built_usd_per_kw_month"] / table["published_usd_per_kw_month"]).rename_axis("item").reset_index()


def two_routes(deployment: Deployment, *, inflation_frac: float) -> dict:
    """The server's yearly charge by the closed form and by a cash flow of whole months; the flow's worth in real and in nominal money.

    The cash flow has no part of a month: life and delay are taken to the nearest one, on both sides.

    >>> routes = two_routes(reference_deployment("h200", "hyperscaler"), inflation_frac=0.02)
    >>> {name: round(float(usd)) for name, usd in routes.items()}
    {'closed_form_usd_per_yr': 9317, 'cash_flow_usd_per_yr': 9317, 'nominal_usd': 37500, 'real_usd': 37500}
    """
    life, delay = (round(years * quantities.MONTHS_PER_YEAR) for years in (deployment.economic_life_yr, deployment.install_delay_yr))
    capital = float(deployment.system_price_usd / deployment.n_gpus)
    term = {
        "life_yr": life / quantities.MONTHS_PER_YEAR,
        "residual_frac": deployment.residual_frac,
        "install_delay_yr": delay / quantities.MONTHS_PER_YEAR,
    }
    nominal = (
        deployment.discount_rate if deployment.money == "nominal" else deployment.discount_rate.to_nominal(inflation_frac=inflation_frac)
    )
    flow = owner_cash_flow(capital_usd=capital, running_cost_usd_per_yr=0.0, money="nominal", **term)
    served = nominal.discounts(np.arange(delay + 1, delay + life + 1)).sum()
    closed = capital_cost_usd_per_gpu_yr(
        capital_usd_per_gpu=capital, wacc_frac=nominal.wacc_frac, tax_frac=0.0, tax_gross_up_ratio=1.0, **term
    )
    return {
        "closed_form_usd_per_yr": float(closed),
        "cash_flow_usd_per_yr": float(flow.present_value_usd(nominal) / served * quantities.MONTHS_PER_YEAR),
        "nominal_usd": float(flow.present_value_usd(nominal)),
        "real_usd": float(flow.to_real(inflation_frac=inflation_frac).present_value_usd(nominal.to_real(inflation_frac=inflation_frac))),
    }


def solutions(deployment: Deployment, target_usd_per_gpu_h: float, *, ranges: dict) -> pd.DataFrame:
    """What each ranged input, alone, would have to be for the GPU-hour to cost the target; those that can do it within their range first.

    `ranges` are the sourced spans to judge by, {input: (low, high)}: those in the dataset, whatever value the deployment takes.

    Returns
    -------
    DataFrame
        quantity, input (the same in words), value (in use), low, high (sourced range), needed (NaN if no value up to
        `SEARCH_FACTOR` times beyond the range does it), verdict.

    >>> node = reference_deployment("h200", "hyperscaler")
    >>> table = solutions(node, 1.75, ranges=node.ranges).set_index("quantity")
    >>> print(table.loc["economic_life_yr", "needed"].round(2), table.loc["economic_life_yr", "verdict"])
    5.66 in its sourced range
    """
    rows = []
    for name, (low, high) in ranges.items():
        known = quantities.of(name)
        span = max(known.low, low / SEARCH_FACTOR), min(known.high, high * SEARCH_FACTOR)
        needed = solve_for(deployment, target_usd_per_gpu_h, name, *span).value
        verdict = "no value does it" if math.isnan(needed) else "in its sourced range" if low <= needed <= high else "outside its range"
        rows.append((name, quantities.phrase(name), float(getattr(deployment, name)), low, high, needed, verdict))
    table = pd.DataFrame(rows, columns=["quantity", "input", "value", "low", "high", "needed", "verdict"])
    order = table["verdict"].map({"in its sourced range": 0, "outside its range": 1, "no value does it": 2})
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def a_tenth_worse(deployment: Deployment, *, utilization_frac: float, names=None) -> pd.DataFrame:
    """What a change of a tenth in the dear direction adds to the cost of a used GPU-hour, input by input; the worst first.

    A used hour is a paid hour over utilization. Equal relative changes compare levers; sourced ranges (`one_at_a_time`) compare doubts.

    >>> table = a_tenth_worse(reference_deployment("h200", "hyperscaler"), utilization_frac=0.5)
    >>> print(table["quantity"].iloc[0], table["added_frac"].iloc[0].round(3))
    utilization_frac 0.111
    """
    check_value("utilization_frac", utilization_frac)
    names = names or ("economic_life_yr", "system_price_usd", "wacc_frac", "electricity_usd_per_kwh", "pue", "average_load_frac")
    here = float(deployment.owned_rate_usd_per_gpu_h)
    rows = [("utilization_frac", quantities.phrase("utilization_frac"), utilization_frac, utilization_frac * 0.9, 1 / 0.9 - 1)]
    for name in names:
        value = float(getattr(deployment, name))
        worse = value * (0.9 if name in LOWERS_COST else 1.1)
        added_frac = float(deployment.without_ranges(**{name: worse}).owned_rate_usd_per_gpu_h) / here - 1
        rows.append((name, quantities.phrase(name), value, worse, added_frac))
    table = pd.DataFrame(rows, columns=["quantity", "input", "value", "worse", "added_frac"])
    return table.sort_values("added_frac", ascending=False, ignore_index=True)


def prices_of_an_hour(accelerator: str) -> pd.DataFrame:
    """Owned, modelled and rented prices of one accelerator's hour, one row each, with what is not known said and not filled in.

    Built up: value and the interval of independent errors, for each operator. Modelled: each published constant by basis and
    vintage. Rented on demand: the latest list price of each provider in data/providers.csv, then all other providers together
    (median of their latest prices, lowest and highest) as far as these are of the last twelve months in the dataset.

    Returns
    -------
    DataFrame
        label, group, value, low, high (USD per GPU-hour; NaN where none is public) and note, which says why.
    """
    rows = []
    for operator in PRICE_BASIS:
        node = reference_deployment(accelerator, operator)
        rows.append(
            (f"Built up, {operator}", "built up here", float(node.owned_rate_usd_per_gpu_h), *likely_interval_usd_per_gpu_h(node), "")
        )
    rates = evidence.load_table("hourly_rates").query("accelerator == @accelerator").sort_values(["price_basis", "rate_vintage"])
    for row in rates.itertuples():
        basis = row.price_basis.replace("_", " ").replace("3yr", "3 years").capitalize()
        rows.append((f"{basis}, {row.rate_vintage}", "modelled constant", row.value, row.value, row.value, ""))
    rentals = evidence.load_table("rental_prices").query("accelerator == @accelerator and price_basis == 'on_demand'")
    latest = rentals[rentals["month"] == rentals.groupby("provider")["month"].transform("max")]
    providers = evidence.load_table("providers")
    for row in providers.itertuples():
        rows.append((f"{row.provider}", "rented on demand", *_listed(latest[latest["provider"] == row.provider], row, accelerator)))
    others = latest[~latest["provider"].isin([*providers["provider"], "market index"])]
    # A price that nobody looked up for a year is no price of today.
    others = others[pd.PeriodIndex(others["month"], freq="M") > pd.Period(rentals["month"].max(), freq="M") - 12] if len(others) else others
    if len(others):
        each = others.groupby("provider")["value"].median()
        label = f"{len(each)} others, {others['month'].min()} to {others['month'].max()}"
        rows.append((label, "rented on demand", each.median(), each.min(), each.max(), "median"))
    return pd.DataFrame(rows, columns=["label", "group", "value", "low", "high", "note"])


def _listed(rows, provider, accelerator):
    if rows.empty:
        why = f"no {accelerator.upper()} price in the dataset" if provider.is_price_public else "no public GPU-hour price"
        return math.nan, math.nan, math.nan, why
    price = rows["value"].median()
    return price, price, price, rows["month"].iloc[0]
