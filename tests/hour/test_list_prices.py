"""List prices: the latest of each provider, a reason where there is none, and nothing made up."""

import pytest

from tokcost import evidence
from tokcost.hour import latest_list_prices


def test_a_missing_price_says_why_and_none_is_invented():
    h200, gb300 = (latest_list_prices(name).set_index("label") for name in ("h200", "gb300"))
    assert h200.loc[["CoreWeave", "Nebius", "Together AI"], "value"].notna().all()
    assert h200["value"].isna()["Nscale"] and h200.loc["Nscale", "note"] == "no public GPU-hour price"
    assert gb300["value"].isna()["CoreWeave"] and gb300.loc["CoreWeave", "note"] == "no GB300 price in the dataset"


@pytest.mark.parametrize("accelerator", ["h100", "h200", "b200"])
def test_the_others_are_of_the_last_year_and_between_their_ends(accelerator):
    others = latest_list_prices(accelerator).iloc[-1]
    assert others["low"] <= others["value"] <= others["high"]
    first, last = others["label"].split(", ")[1].split(" to ")
    newest = evidence.load_table("rental_prices", accelerator=accelerator, price_basis="on_demand")["month"].max()
    year, month = newest.split("-")
    assert f"{int(year) - 1}-{month}" < first <= last <= newest


@pytest.mark.parametrize("accelerator", ["gb300", "gb200", "mi355x"])
def test_a_few_other_providers_are_named_and_have_no_median(accelerator):
    prices = latest_list_prices(accelerator)
    assert "median" not in set(prices["note"])
    assert prices["label"].is_unique and (prices["value"].dropna() == prices["low"].dropna()).all()
