"""What the next chip does to the value of an owned one: closed forms, directions, and prices by date as they were seen."""

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost.decide import first_priced, fleet_by_year, market_value_usd_per_gpu, price_changes, sold_cost_usd_per_mtok
from tokcost.quantities import QuantityError

FLEET = {
    "last_yr": 6,
    "running_cost_usd_per_gpu_h": 0.45,
    "wacc_frac": 0.08,
    "rental_rate_usd_per_gpu_h": 2.5,
    "rent_decline_frac": 0.1,
    "next_rental_rate_usd_per_gpu_h": 5.0,
    "next_output_ratio": 4.0,
    "next_arrival_yr": 2,
}
OWNED = {"book_life_yr": 5, "capital_usd_per_gpu": 40_000.0, "total_tok_per_s_per_gpu": 1500.0, "utilization_frac": 0.6}


def value(age_yr=2, **change):
    return market_value_usd_per_gpu(**{"age_yr": age_yr} | FLEET | change)


def test_without_a_decline_and_without_a_next_chip_the_value_is_an_annuity_of_what_an_hour_saves():
    flat = {"rent_decline_frac": 0.0, "next_rental_rate_usd_per_gpu_h": None}
    at_year_ends = -npf.pv(0.08, 4, (2.5 - 0.45) * 8760)
    assert value(**flat) == pytest.approx(at_year_ends * 1.08**0.5)  # an hour of the middle of a year, not of its end


@given(st.floats(-1.0, 0.9), st.floats(0.01, 0.5), st.floats(1.05, 20), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_more_decline_a_better_next_chip_or_dearer_capital_never_raise_the_value(decline, more, ratio, age):
    given_values = {"age_yr": age, "rent_decline_frac": decline, "next_output_ratio": ratio}
    here = value(**given_values)
    for worse in (
        {"rent_decline_frac": min(decline + more, 0.99)},
        {"next_output_ratio": ratio * (1 + more)},
        {"wacc_frac": 0.08 + more / 2},
        {"running_cost_usd_per_gpu_h": 0.45 + more},
        {"next_arrival_yr": 0},
        {"age_yr": age + 1, "rent_decline_frac": max(decline, 0)} if decline >= 0 and age >= 2 else {},
    ):
        assert 0 <= value(**given_values | worse) <= here * (1 + 1e-12)


@given(st.floats(1.5, 30), st.floats(1.1, 3), st.floats(0.0, 0.5))
@settings(max_examples=20, deadline=None)
def test_a_stronger_next_chip_replaces_no_later_and_strands_no_less(ratio, stronger, decline):
    weak, strong = (
        fleet_by_year(**OWNED | FLEET | {"next_output_ratio": one, "rent_decline_frac": decline}) for one in (ratio, ratio * stronger)
    )
    assert (weak["is_replaced"] <= strong["is_replaced"]).all()
    assert (weak["stranded_cost_usd_per_gpu"] <= strong["stranded_cost_usd_per_gpu"] + 1e-9).all()
    assert (weak["market_cost_usd_per_mtok"] >= strong["market_cost_usd_per_mtok"]).all()


def test_a_fleet_that_is_sold_at_once_for_what_it_cost_pays_only_to_run():
    # 0.45 an hour at 1,000 delivered tokens a second: 0.125 a million; a flat market pays back the capital that it is worth
    market = FLEET | {"wacc_frac": 0.0, "rent_decline_frac": 0.0, "next_rental_rate_usd_per_gpu_h": None}
    worth = market_value_usd_per_gpu(age_yr=1, **market)
    cost = sold_cost_usd_per_mtok(hold_yr=1, capital_usd_per_gpu=worth, total_tok_per_s_per_gpu=2000.0, utilization_frac=0.5, **market)
    assert cost == pytest.approx(0.125)


def test_many_draws_give_what_each_gives_alone():
    declines = np.array([-0.5, 0.0, 0.3])
    together = value(rent_decline_frac=declines)
    assert together == pytest.approx([value(rent_decline_frac=one) for one in declines])


def test_extreme_parameters_give_an_answer_or_say_why_there_is_none():
    assert value(next_output_ratio=1000.0) == 0  # the running cost is more than the token is worth: switched off
    assert value(age_yr=6) == 0
    assert np.isfinite(value(rent_decline_frac=-5.0))
    with pytest.raises(QuantityError, match="an age of 7 years does not lie in the 6 years that the hardware lasts"):
        value(age_yr=7)
    with pytest.raises(QuantityError, match="`rent_decline_frac` must be in"):
        value(rent_decline_frac=30)


def test_a_price_that_a_list_repeats_is_no_sight_of_it():
    """AWS stood at 4.10 for an A100 in one list from 2022 to 2025; it was looked at again in 2026."""
    (row,) = price_changes("a100_40gb").itertuples()
    assert (row.provider, row.first_month, row.last_month) == ("AWS", "2022-08", "2026-03")
    assert row.rent_decline_frac == pytest.approx(1 - (2.7447 / 4.09625) ** (1 / row.elapsed_yr))


def test_changes_before_and_after_the_next_chip_share_no_month_but_the_first():
    came = first_priced("b200")
    before, after = price_changes("h100", until=came), price_changes("h100", since=came)
    assert before["last_month"].max() <= came <= after["first_month"].min()
    with pytest.raises(QuantityError, match="no price of a rented hour of `h10` in the data; did you mean `h100`"):
        price_changes("h10")
    with pytest.raises(QuantityError, match="no provider's price of h100 was seen twice, half a year apart, from 2026-10"):
        price_changes("h100", since="2026-10")
