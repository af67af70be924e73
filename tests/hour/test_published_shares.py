"""Hamilton's and Barroso's published cost shares, by the functions that cost a GPU-hour, on their published inputs."""

import pytest

from tokcost import evidence
from tokcost.hour import loan_capital_recovery_per_yr


def facts(model, quantity):
    table = evidence.load_table("published_cost_shares")
    rows = table[(table["model"] == model) & (table["quantity"] == quantity)]
    return dict(zip(rows["item"], rows["value"], strict=True))


def monthly_usd(model, lives=None):
    """Item to USD a month: capital by our loan recovery factor, electricity and people as stated."""
    capital, years = facts(model, "capital_usd"), facts(model, "life_yr")
    rate = facts(model, "discount_frac")["all"]
    recovered = {
        item: usd * loan_capital_recovery_per_yr(discount_frac=rate, life_yr=lives or years[item]) / 12 for item, usd in capital.items()
    }
    return recovered | facts(model, "cost_usd_per_month")


@pytest.mark.parametrize("model", ["hamilton_2010", "hennessy_patterson_5"])
def test_hamiltons_shares_are_reproduced_to_the_printed_per_cent(model):
    """Servers 57 (53), network 8, power and cooling 18 (20), other 4, energy 13 per cent: every printed share, none off by one.

    The 57 % belong to a facility of 72 million USD, which follows from the printed five-year charges; the 53 % to the 88 million
    of the text. Electricity is the printed monthly sum, for load and PUE behind it stand in a figure that could not be read.
    """
    monthly = monthly_usd(model)
    total = sum(monthly.values())
    printed = facts(model, "share_frac")
    assert {item: round(monthly[item] / total, 2) for item in printed} == printed
    if model == "hamilton_2010":
        assert total == pytest.approx(3.5e6, abs=0.05e6)
    else:
        assert total == pytest.approx(3.8e6, abs=0.05e6)


def test_hamiltons_capital_over_five_years_is_reproduced_to_the_printed_5000_dollars():
    """Servers and network are independent of the print; the facility's capital was derived from it and closes the circle."""
    monthly = monthly_usd("hamilton_2010", lives=5)
    for item, printed in facts("hamilton_2010, all lives 5 years", "cost_usd_per_month").items():
        assert monthly[item] == pytest.approx(printed, abs=2_500), item


def test_barrosos_cost_per_watt_month_is_reproduced():
    """Data center 0.13 and servers 0.19 USD a watt-month. The server's interest is printed as 0.02 and comes out at 0.029: the
    book rounds it down, so servers and total are 0.005 to 0.006 above the print, and the test allows that much and no more."""
    capital, years = facts("barroso_2013", "capital_usd_per_kw"), facts("barroso_2013", "life_yr")
    rate = facts("barroso_2013", "discount_frac")["all"]
    printed = facts("barroso_2013", "cost_usd_per_kw_month")
    per_month = {item: capital[item] * loan_capital_recovery_per_yr(discount_frac=rate, life_yr=years[item]) / 12 for item in capital}
    assert per_month["data center"] == pytest.approx(printed["data center"], abs=0.5)
    assert printed["servers"] < per_month["servers"] < printed["servers"] + 6
    for end in ("low", "high"):
        total = sum(per_month.values()) + printed["networking"] + printed[f"operation, {end}"]
        assert printed[f"all, {end}"] < total < printed[f"all, {end}"] + 6
