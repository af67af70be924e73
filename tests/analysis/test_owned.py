"""A token costed with the built hour: the hour over the delivered output, and nothing where the speed was not reached."""

import math

import pytest

from tokcost import evidence
from tokcost.analysis.owned import token_cost_of_deployment
from tokcost.analysis.worksheet import parts_and_totals
from tokcost.hour import reference_deployment

ROWS = evidence.measured(model="dsr1", isl=1024, osl=1024)
TOTALS = parts_and_totals({name.upper(): reference_deployment(name, "hyperscaler") for name in ("h200", "gb300")})[1]
RATES = {
    name.upper(): evidence.rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-03") for name in ("h200", "gb300")
}


def test_cost_is_the_hour_over_what_it_delivers():
    table = token_cost_of_deployment(ROWS, TOTALS, published=RATES, tok_per_s_per_user=50, utilization_frac=0.5).set_index("accelerator")
    h200 = table.loc["h200"]
    hour = TOTALS.set_index("series").loc["H200", "usd_per_gpu_h"]
    by_hand = hour / (h200["total_tok_per_s_per_gpu"] * 0.5 * 3600) * 1e6
    assert h200["built"] == pytest.approx(by_hand, rel=1e-6)
    assert h200["published"] / h200["built"] == pytest.approx(1.41 / hour, rel=1e-6)
    assert (table["low"] < table["built"]).all() and (table["built"] < table["high"]).all()


def test_a_speed_that_was_not_reached_has_no_cost():
    table = token_cost_of_deployment(ROWS, TOTALS, published=RATES, tok_per_s_per_user=250, utilization_frac=0.5).set_index("accelerator")
    assert all(math.isnan(table.loc["h200", name]) for name in ("total_tok_per_s_per_gpu", "built", "low", "high", "published"))
    assert table.loc["gb300", "built"] > 0
