"""Energy as it was measured and priced: a sweep is one engine, a state is a state."""

import pytest

from tokcost import evidence
from tokcost.analysis import board_sweeps, industrial_usd_per_kwh_by_state
from tokcost.hour import measured_and_provisioned

#: a run made again delivers this much less at worst
NOISE_FRAC = 0.05
CURVES = board_sweeps(measured_and_provisioned(evidence.load_table("power_measurements"), provisioned_kw_per_gpu={}))


@pytest.mark.parametrize("pair", list(CURVES[["accelerator", "model"]].drop_duplicates().itertuples(index=False)), ids=" ".join)
def test_a_sweep_is_one_engine_on_one_number_of_gpus_and_gains_with_concurrency(pair):
    curve = CURVES[(CURVES["accelerator"] == pair.accelerator) & (CURVES["model"] == pair.model)]
    assert len(curve[["engine", "n_gpus"]].drop_duplicates()) == 1
    gains = curve.sort_values("concurrency")["measured_output_tok_per_joule"]
    assert gains.iloc[-1] > gains.iloc[0] and (gains.pct_change().dropna() > -NOISE_FRAC).all()
    assert curve["concurrency"].is_unique


def test_prices_of_electricity_are_those_of_industry_in_the_states():
    """EIA: New Mexico lowest, Hawaii highest; a data center's own contract and a group of states are no state."""
    prices = industrial_usd_per_kwh_by_state()
    assert (prices["US, New Mexico"], prices["US, Hawaii"]) == (prices.min(), prices.max()) == (0.0537, 0.3528)
    assert "US, New England" not in prices
