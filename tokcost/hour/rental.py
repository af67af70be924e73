"""What renting costs, on the same footing as owning: one paid GPU-hour, item by item.

On-demand is paid by the hour, reserved in every hour of the term, used or not; spot is cheap and
is taken away, which loses output. Idle hours are paid: utilization divides the tokens later, once
(`formulas.delivered_total_tok_per_s_per_gpu`), and never the rent.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from tokcost import quantities as q
from tokcost.hour.ownership import exact_sum
from tokcost.quantities import Numbers, QuantityError, check_value, formula, nearest

BASES = ("on_demand", "reserved", "spot")


@formula
def egress_cost_usd_per_gpu_h(*, egress_gb_per_gpu_h: Numbers, egress_usd_per_gb: Numbers) -> Numbers:
    """What leaving the cloud costs for the traffic of one GPU-hour. Definition.

    >>> round(egress_cost_usd_per_gpu_h(egress_gb_per_gpu_h=0.2, egress_usd_per_gb=0.09), 6)
    0.018
    """
    return egress_gb_per_gpu_h * egress_usd_per_gb


@formula
def storage_cost_usd_per_gpu_h(*, storage_gb_per_gpu: Numbers, storage_usd_per_gb_month: Numbers) -> Numbers:
    """What the storage kept for one accelerator costs in an hour (a month is 730 hours). Definition.

    >>> storage_cost_usd_per_gpu_h(storage_gb_per_gpu=7300, storage_usd_per_gb_month=0.02)
    0.2
    """
    return storage_gb_per_gpu * storage_usd_per_gb_month / q.HOURS_PER_MONTH


@formula
def kept_availability_frac(*, interruptions_per_gpu_h: Numbers, lost_h: Numbers) -> Numbers:
    """Share of paid spot time whose output is kept: 1 - interruptions an hour x hours lost with each. Definition.

    >>> kept_availability_frac(interruptions_per_gpu_h=0.05, lost_h=0.5)
    0.975
    """
    return 1 - interruptions_per_gpu_h * lost_h


def contract_cost_usd(
    *, committed_gpus: ArrayLike, needed_gpus: ArrayLike, reserved_rate_usd_per_gpu_h: ArrayLike, on_demand_rate_usd_per_gpu_h: ArrayLike
) -> np.ndarray:
    """What a load costs, hour by hour: the commitment always, what goes beyond it on demand.

    Parameters
    ----------
    needed_gpus : float or array
        GPUs that each hour needs; hours run along the last axis.
    committed_gpus, reserved_rate_usd_per_gpu_h, on_demand_rate_usd_per_gpu_h : float or array
        Cases to compare stand on axes before the hours: shape (3, 1) for three commitments.

    >>> contract_cost_usd(committed_gpus=10, needed_gpus=[4, 12], reserved_rate_usd_per_gpu_h=2.0, on_demand_rate_usd_per_gpu_h=4.0)
    array([20., 28.])
    """
    for name, value in (("committed_gpus", committed_gpus), ("needed_gpus", needed_gpus)):
        check_value(name, value)
    for name, value in (("rate_usd_per_gpu_h", reserved_rate_usd_per_gpu_h), ("rate_usd_per_gpu_h", on_demand_rate_usd_per_gpu_h)):
        check_value(name, value)
    committed, needed, reserved, on_demand = (
        np.asarray(value, dtype=float) for value in (committed_gpus, needed_gpus, reserved_rate_usd_per_gpu_h, on_demand_rate_usd_per_gpu_h)
    )
    return committed * reserved + np.maximum(needed - committed, 0) * on_demand


def needed_rate_usd_per_gpu_h(
    *, committed_gpus: ArrayLike, needed_gpus: ArrayLike, reserved_rate_usd_per_gpu_h: ArrayLike, on_demand_rate_usd_per_gpu_h: ArrayLike
) -> Numbers:
    """The contract's cost for each GPU-hour that was needed: total paid over total needed, never a mean of ratios.

    Hours run along the last axis of `needed_gpus` and are summed; a plain number is one hour. Cases keep their axes.

    Raises: QuantityError for hours that do not fit, or a case that needs nothing in any hour.

    >>> prices = {"reserved_rate_usd_per_gpu_h": 2.0, "on_demand_rate_usd_per_gpu_h": 4.0}
    >>> needed_rate_usd_per_gpu_h(committed_gpus=10, needed_gpus=[4, 12], **prices)
    3.0
    >>> needed_rate_usd_per_gpu_h(committed_gpus=[[0], [10]], needed_gpus=[4, 12], **prices)
    array([4., 3.])
    """
    paid = contract_cost_usd(
        committed_gpus=committed_gpus,
        needed_gpus=needed_gpus,
        reserved_rate_usd_per_gpu_h=reserved_rate_usd_per_gpu_h,
        on_demand_rate_usd_per_gpu_h=on_demand_rate_usd_per_gpu_h,
    )
    needed = np.asarray(needed_gpus, dtype=float)
    if needed.ndim:
        if paid.shape[-1] != needed.shape[-1]:
            raise QuantityError(
                f"`needed_gpus` has {needed.shape[-1]} hours, the rest {paid.shape[-1]} on that axis; put cases on an axis before the hours"
            )
        paid, needed = paid.sum(axis=-1), np.broadcast_to(needed, paid.shape).sum(axis=-1)
    if np.any(needed == 0):
        raise QuantityError("`needed_gpus` must be above 0 in some hour: a commitment that nobody needs has no cost per needed hour")
    each = paid / needed
    return each if each.ndim else float(each)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rental:
    """One rented GPU-hour: its price and what is paid on top of it.

    `price_basis` is on_demand, reserved or spot. For spot, state interruptions and the hours lost
    with each; for the others state 0. What the contract does not charge is stated as 0, not omitted.

    >>> spot = Rental(name="spot", price_basis="spot", rate_usd_per_gpu_h=2.0, egress_gb_per_gpu_h=0, egress_usd_per_gb=0,
    ...               storage_gb_per_gpu=0, storage_usd_per_gb_month=0, interruptions_per_gpu_h=0.1, lost_h=1.0)
    >>> round(spot.rented_rate_usd_per_gpu_h, 4)
    2.2222
    """

    name: str
    price_basis: str
    rate_usd_per_gpu_h: float
    egress_gb_per_gpu_h: float
    egress_usd_per_gb: float
    storage_gb_per_gpu: float
    storage_usd_per_gb_month: float
    interruptions_per_gpu_h: float
    lost_h: float

    def __post_init__(self):
        if self.price_basis not in BASES:
            raise QuantityError(
                f"`price_basis` must be on_demand, reserved or spot, got {self.price_basis!r}{nearest(self.price_basis, BASES)}"
            )
        for field in fields(self)[2:]:
            check_value(field.name, getattr(self, field.name))
        if self.price_basis != "spot" and np.any(np.asarray(self.interruptions_per_gpu_h) > 0):
            raise QuantityError(f"`interruptions_per_gpu_h` must be 0 for {self.price_basis}: only spot capacity is taken away")

    def components(self) -> dict:
        """Item to USD per paid GPU-hour whose output is kept."""
        kept = kept_availability_frac(interruptions_per_gpu_h=self.interruptions_per_gpu_h, lost_h=self.lost_h)
        paid = {
            "Rent": self.rate_usd_per_gpu_h,
            "Storage": storage_cost_usd_per_gpu_h(
                storage_gb_per_gpu=self.storage_gb_per_gpu, storage_usd_per_gb_month=self.storage_usd_per_gb_month
            ),
            "Egress": egress_cost_usd_per_gpu_h(egress_gb_per_gpu_h=self.egress_gb_per_gpu_h, egress_usd_per_gb=self.egress_usd_per_gb),
        }
        # A lost hour was paid in full: its storage and its traffic as well as its rent.
        whole = exact_sum(paid.values())
        return paid | {"Output lost to interruptions": whole / kept - whole}

    @property
    def rented_rate_usd_per_gpu_h(self):
        """All items of one GPU-hour with kept output."""
        return exact_sum(self.components().values())

    def breakdown(self):
        """The items as a tidy table, columns as in `Deployment.breakdown`; they add up to the rate under exact summation (`math.fsum`)."""
        import pandas as pd

        parts, total = self.components(), self.rented_rate_usd_per_gpu_h
        if np.ndim(total):
            raise QuantityError("a breakdown is of one contract, and some input is an array; use `components()` or one value")
        return pd.DataFrame(
            {
                "component": list(parts),
                "group": ["Rent", *["On top of the rent"] * (len(parts) - 1)],
                "usd_per_gpu_h": list(parts.values()),
                "share_frac": [part / total for part in parts.values()],
                "basis": self.price_basis,
            }
        )
