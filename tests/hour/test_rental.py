"""Renting: idle commitments are paid, interruptions lose output, what is not published is not invented."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost import evidence
from tokcost.hour import Rental, contract_cost_usd, needed_rate_usd_per_gpu_h
from tokcost.quantities import QuantityError

NOTHING_ELSE = dict.fromkeys(
    ["egress_gb_per_gpu_h", "egress_usd_per_gb", "storage_gb_per_gpu", "storage_usd_per_gb_month", "interruptions_per_gpu_h", "lost_h"], 0.0
)
PRICES = {"reserved_rate_usd_per_gpu_h": 2.0, "on_demand_rate_usd_per_gpu_h": 4.0}


def rental(**changes):
    return Rental(**{"name": "x", "price_basis": "on_demand", "rate_usd_per_gpu_h": 3.0, **NOTHING_ELSE, **changes})


def test_a_bare_contract_costs_its_rent():
    assert rental().rented_rate_usd_per_gpu_h == 3.0


@given(st.floats(0.5, 20), st.floats(0, 0.5), st.floats(0, 1), st.floats(0, 10_000), st.floats(0, 5))
def test_parts_add_up_exactly(rate, interruptions, lost, stored, egress):
    here = rental(
        price_basis="spot",
        rate_usd_per_gpu_h=rate,
        interruptions_per_gpu_h=interruptions,
        lost_h=lost,
        storage_gb_per_gpu=stored,
        storage_usd_per_gb_month=0.02,
        egress_gb_per_gpu_h=egress,
        egress_usd_per_gb=0.09,
    )
    assert math.fsum(here.breakdown()["usd_per_gpu_h"]) == here.rented_rate_usd_per_gpu_h
    assert here.rented_rate_usd_per_gpu_h >= rate


def test_an_interruption_costs_the_output_that_it_loses():
    """Taken away every ten hours, an hour lost each time: a tenth of what is paid delivers nothing that is kept, rent or not.

    3 dollars of rent, 7,300 GB at 2 cents a month are 20 cents an hour, 1 GB out at 10 cents: 3.30 over nine tenths.
    """
    stored = {"storage_gb_per_gpu": 7_300, "storage_usd_per_gb_month": 0.02, "egress_gb_per_gpu_h": 1.0, "egress_usd_per_gb": 0.1}
    here = rental(price_basis="spot", interruptions_per_gpu_h=0.1, lost_h=1.0, **stored)
    assert here.rented_rate_usd_per_gpu_h == pytest.approx(3.3 / 0.9, rel=1e-12)
    assert here.components()["Output lost to interruptions"] == pytest.approx(3.3 / 9, rel=1e-12)


def test_only_spot_is_taken_away_and_a_basis_is_stated():
    with pytest.raises(QuantityError, match="only spot"):
        rental(interruptions_per_gpu_h=0.1, lost_h=1.0)
    with pytest.raises(QuantityError, match="did you mean `reserved`"):
        rental(price_basis="reserve")
    with pytest.raises(QuantityError, match="`kept_availability_frac`"):
        rental(price_basis="spot", interruptions_per_gpu_h=2.0, lost_h=1.0).components()
    with pytest.raises(TypeError, match="lost_h"):
        Rental(name="x", price_basis="spot", rate_usd_per_gpu_h=3.0, **{k: v for k, v in NOTHING_ELSE.items() if k != "lost_h"})


def test_idle_committed_hours_are_paid():
    idle = contract_cost_usd(committed_gpus=10, needed_gpus=np.zeros(24), **PRICES)
    assert (idle == 20.0).all()
    assert needed_rate_usd_per_gpu_h(committed_gpus=10, needed_gpus=[5] * 24, **PRICES) == pytest.approx(4.0)
    with pytest.raises(QuantityError, match="nobody needs"):
        needed_rate_usd_per_gpu_h(committed_gpus=10, needed_gpus=[0, 0], **PRICES)


def test_commitments_compare_on_an_axis_of_their_own():
    """No commitment, 10 and 20, for eight GPUs in one hour and for four and twelve in two."""
    one_hour = needed_rate_usd_per_gpu_h(committed_gpus=np.array([0.0, 10, 20]), needed_gpus=8.0, **PRICES)
    assert one_hour.tolist() == [4.0, 2.5, 5.0]
    two_hours = needed_rate_usd_per_gpu_h(committed_gpus=[[0], [10], [20]], needed_gpus=[4, 12], **PRICES)
    assert two_hours.tolist() == [needed_rate_usd_per_gpu_h(committed_gpus=c, needed_gpus=[4, 12], **PRICES) for c in (0, 10, 20)]
    with pytest.raises(QuantityError, match="axis before the hours"):
        needed_rate_usd_per_gpu_h(committed_gpus=[0, 10, 20], needed_gpus=[8.0], **PRICES)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=48).filter(any))
def test_the_best_commitment_is_the_load_that_is_exceeded_half_of_the_time_at_half_price(needed):
    """Reserving one more GPU pays while it is needed for more than reserved / on-demand of the hours."""
    costs = [contract_cost_usd(committed_gpus=c, needed_gpus=needed, **PRICES).sum() for c in range(42)]
    best = int(np.argmin(costs))
    assert np.mean(np.array(needed) > best) <= 0.5 <= np.mean(np.array(needed) >= best)


def test_the_four_providers_are_on_file_and_nscale_has_no_price():
    providers = evidence.load_table("providers").set_index("provider")
    assert {"CoreWeave", "Nebius", "Nscale", "Together AI"} <= set(providers.index)
    assert not str(providers.loc["Nscale", "is_price_public"]).lower().startswith("t")
    assert math.isnan(float(providers.loc["Nscale", "value"]))
    prices = evidence.load_table("rental_prices")
    assert "Nscale" not in set(prices["provider"])
    assert {"CoreWeave", "Nebius", "Together AI"} <= set(prices["provider"])


def test_rental_prices_span_the_chips_from_h100_to_mi355x():
    prices = evidence.load_table("rental_prices")
    assert {"h100", "h200", "b200", "b300", "gb200", "gb300", "mi300x", "mi325x", "mi355x"} <= set(prices["accelerator"])
    autumn = prices[(prices["provider"] == "CoreWeave") & (prices["accelerator"] == "h200") & (prices["month"] == "2026-10")]
    assert autumn["value"].tolist() == [6.305]
    assert prices["value"].between(0.3, 40).all()


def test_a_rental_broadcasts():
    rates = rental(rate_usd_per_gpu_h=np.array([2.0, 4.0]), egress_gb_per_gpu_h=1.0, egress_usd_per_gb=0.1)
    assert rates.rented_rate_usd_per_gpu_h.tolist() == [2.1, 4.1]
    with pytest.raises(QuantityError, match="use `components\\(\\)`"):
        rates.breakdown()
