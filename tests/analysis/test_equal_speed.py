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


@settings(max_examples=20, deadline=None)
@given(speed=st.floats(20, 170))
def test_the_range_holds_the_runs_and_what_the_curves_say(speed):
    rates = {name: evidence.rate(accelerator=name, **LISTS) for name in ("h200", "gb300")}
    one = at_equal_speed(**JOB, **SIDES, rates=rates, tok_per_s_per_user=speed)
    for role, what in (("", "cost_ratio"), ("candidate_", COST), ("baseline_", COST)):
        low, value, high, read = (one[f"{role}{end}{what}"] for end in ("low_", "", "high_", "read_"))
        assert low <= value <= high
        assert np.isnan(read) or low * 0.98 <= read <= high * 1.02  # a run within a hundredth of the speed counts as made at it


def test_prices_that_are_typed_in_have_no_other_list():
    own = at_equal_speed(**JOB, **SIDES, rates={"h200": 1.9, "gb300": 2.9}, tok_per_s_per_user=70)
    listed = {name: evidence.rate(accelerator=name, **LISTS) for name in ("h200", "gb300")}
    public = at_equal_speed(**JOB, **SIDES, rates=listed, tok_per_s_per_user=70)
    assert "price lists" not in own["made_of"] and public["made_of"].endswith("and the price lists of all dates (3-year rental)")
    width, own_width = (one["high_cost_ratio"] / one["low_cost_ratio"] for one in (public, own))
    assert width > own_width
