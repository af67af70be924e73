"""The facts behind the hour: every row sourced, dated, of a stated kind and within what is plausible."""

import math

import pandas as pd
import pytest

from tokcost import evidence
from tokcost.quantities import LABELS, check_value, find

TABLES = [
    "capex_shares",
    "carbon_intensity",
    "clock_limits",
    "colocation",
    "construction",
    "cost_of_capital",
    "depreciation_lives",
    "electricity",
    "embodied_carbon",
    "levelised_cost_examples",
    "operating_costs",
    "operators",
    "providers",
    "published_cost_shares",
    "pue",
    "rental_prices",
    "system_prices",
    "systems",
    "water_use",
]


@pytest.mark.parametrize("name", [*TABLES, "power_measurements"])
def test_every_row_has_a_source_on_file_a_place_a_date_and_a_kind(name):
    table, known = evidence.load_table(name), set(evidence.load_table("sources")["source_id"])
    assert len(table)
    for column in ("source_id", "locator", "date", "kind", "tier"):
        assert table[column].notna().all(), column
    assert set(table["source_id"]) <= known
    assert set(table["kind"]) <= set(LABELS["kind"])


@pytest.mark.parametrize("name", TABLES)
def test_every_value_is_a_plausible_one_of_its_quantity_and_inside_its_range(name):
    for row in evidence.load_table(name).itertuples():
        assert find(row.quantity), row
        for value in (row.value, row.low, row.high):
            if not math.isnan(float(value)):
                check_value(row.quantity, float(value))
        if not math.isnan(row.low) and not math.isnan(row.high):
            assert row.low <= row.value <= row.high, row


@pytest.mark.parametrize("name", TABLES)
def test_no_fact_stands_twice(name):
    table = evidence.load_table(name)
    keys = list(table.columns[: list(table.columns).index("quantity") + 1])
    if name == "rental_prices":
        keys += ["value", "date"]
    assert not table.duplicated([*keys, "source_id", "date"]).any(), table[table.duplicated([*keys, "source_id", "date"], keep=False)]


def test_an_assumption_says_that_it_is_one():
    rows = pd.concat([evidence.load_table("operators"), evidence.load_table("systems")])
    assumed = rows["source_id"] == "tokcost_assumption"
    assert (rows.loc[assumed, "kind"] == "assumption").all()
    assert (rows.loc[~assumed, "kind"] != "assumption").all()


def test_electricity_covers_the_states_and_names_its_customers():
    table = evidence.load_table("electricity")
    states = {region for region in table["region"] if region.startswith("US, ")}
    assert len(states) >= 50
    assert set(table["customer"]) == {"industrial", "data center", "non-household"}
    assert set(table.loc[table["quantity"] == "electricity_eur_per_kwh", "region"]) == {"EU", "Finland", "Cyprus"}


def test_what_was_left_out_says_why():
    table = evidence.load_table("excluded_hour_rows")
    assert table[["table", "source_id", "locator", "reason"]].notna().all(axis=None)
