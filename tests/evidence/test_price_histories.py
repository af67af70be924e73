"""Histories of prices say which of their prices anybody looked at."""

import pandas as pd

from tokcost.evidence import load_table


def test_a_repeat_repeats_and_a_first_sight_does_not():
    rows = load_table("gpu_prices_monthly", source_id="fsdl_cloud_gpus").sort_values("month")
    before = rows.groupby(["provider", "accelerator", "offer"])["value"].shift()
    assert (rows.loc[rows["is_repeat"], "value"] == before[rows["is_repeat"]]).all()
    assert before[~rows["is_repeat"]].ne(rows.loc[~rows["is_repeat"], "value"]).all()


def test_an_unchecked_price_stood_a_quarter_at_a_provider_that_nobody_corrected():
    rows = load_table("api_price_history")
    days = (pd.to_datetime(rows["last_seen"]) - pd.to_datetime(rows["first_seen"])).dt.days
    assert (days >= 0).all() and (days[rows["is_unchecked"]] >= 90).all()
    unchecked = rows[rows["is_unchecked"]].drop_duplicates(["provider", "source_id"])
    assert "OpenRouter" not in set(unchecked["provider"]) and "AWS" in set(unchecked["provider"])


def test_no_list_of_rents_stands_in_two_tables():
    """A list that repeats old prices, read again from another table, would count as having looked at them again."""
    lists = [set(load_table(table)["locator"].str.split("[@:]").str[0]) for table in ("gpu_prices_monthly", "rental_prices")]
    assert not lists[0] & lists[1]
