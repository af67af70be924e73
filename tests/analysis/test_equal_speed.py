"""Two systems at one speed: runs first, with a range that holds every doubt about them that is in the dataset."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcost import evidence
from tokcost.analysis import at_equal_speed

JOB = {"model": "dsr1", "isl": 1024, "osl": 1024}
SIDES = {"baseline": {"accelerator": "h200"}, "candidate": {"accelerator": "gb300"}}
LISTS = {"price_basis": "rental_3yr", "rate_vintage": "2026-07"}
COST = "total_token_cost_usd_per_mtok"


@settings(max_examples=15, deadline=None)
@given(speed=st.floats(20, 170))
def test_the_range_holds_the_runs_and_the_curves_lie_near_it(speed):
    """The cost of the cheapest run, and what the curves say at the speed: within the range or as near as repeats lie to each other."""
    rates = {name: evidence.rate(accelerator=name, **LISTS) for name in ("h200", "gb300")}
    one = at_equal_speed(**JOB, **SIDES, rates=rates, tok_per_s_per_user=speed)
    low, value, high, read = (one[f"{end}cost_ratio"] for end in ("low_", "", "high_", "read_"))
    assert low <= value <= high and value == one[f"baseline_{COST}"] / one[f"candidate_{COST}"]
    assert np.isnan(read) or low * 0.9 <= read <= high * 1.1


def test_prices_that_are_typed_in_have_no_other_list():
    own = at_equal_speed(**JOB, **SIDES, rates={"h200": 1.9, "gb300": 2.9}, tok_per_s_per_user=70)["headline"]
    listed = {name: evidence.rate(accelerator=name, **LISTS) for name in ("h200", "gb300")}
    public = at_equal_speed(**JOB, **SIDES, rates=listed, tok_per_s_per_user=70)["headline"]
    assert "the price list" not in own.shares and public.shares["the price list"] > 0
    assert public.high / public.low > own.high / own.low
