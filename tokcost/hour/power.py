"""Power: three quantities that are often taken for one, and where each was measured.

*Nameplate* is what a maker rates, *provisioned* what must be built, *average* what the energy
bill sees. And each holds at a boundary:

    chip -> node (host added) -> it (network and storage added) -> facility (times PUE) -> utility (grid losses added)

PUE is facility energy over IT energy, so it is applied to IT power and once. A `Power` knows
its boundary and refuses a second helping. "Tokens per watt" means tokens per second per watt,
which is tokens per joule of *average* power; tokens per second per megawatt may use either
power, and says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tokcost import quantities as q
from tokcost.formulas import output_tok_per_joule, output_tok_per_s_per_mw, output_token_energy_joule_per_tok
from tokcost.quantities import Numbers, QuantityError, check_value, formula, nearest

BOUNDARIES = ("chip", "node", "it", "facility", "utility")
KINDS = ("nameplate", "provisioned", "average")


class PowerError(QuantityError):
    """Power of two boundaries or of two kinds was taken for one."""


@dataclass(frozen=True, eq=False)
class Power:
    """Kilowatts per GPU, with the boundary at which they hold and the kind of power that they are.

    >>> it = Power(kw_per_gpu=1.0, boundary="it", kind="average")
    >>> facility = it.to_facility(pue=1.2)
    >>> facility.kw_per_gpu
    1.2
    >>> facility.to_facility(pue=1.2)
    Traceback (most recent call last):
    tokcost.hour.power.PowerError: PUE applies once, to power at `it`; this power is at `facility` and already holds it
    """

    kw_per_gpu: Numbers
    boundary: str
    kind: str

    def __post_init__(self):
        for name, known in (("boundary", BOUNDARIES), ("kind", KINDS)):
            value = getattr(self, name)
            if value not in known:
                raise PowerError(f"`{name}` must be one of {', '.join(known)}, got {value!r}{nearest(str(value), known)}")
        name = {"nameplate": "nameplate_kw_per_gpu", "provisioned": "provisioned_kw_per_gpu", "average": "average_kw_per_gpu"}[self.kind]
        check_value(name, self.kw_per_gpu)

    def _step(self, origin: str, target: str, kw_per_gpu, what: str) -> Power:
        if self.boundary != origin:
            held = BOUNDARIES.index(self.boundary) > BOUNDARIES.index(origin)
            why = f"already holds {what}" if held else f"does not yet reach `{origin}`"
            raise PowerError(f"{what} is added to power at `{origin}`; this power is at `{self.boundary}`, which {why}")
        return Power(kw_per_gpu, target, self.kind)

    def to_node(self, *, host_kw_per_gpu: Numbers) -> Power:
        """Add the host's processors, memory, fans and conversion loss: chip to node."""
        check_value("host_kw_per_gpu", host_kw_per_gpu)
        return self._step("chip", "node", self.kw_per_gpu + host_kw_per_gpu, "the host's power")

    def to_it(self, *, host_kw_per_gpu: Numbers) -> Power:
        """Add the share of network, storage and head nodes: node to all IT equipment."""
        check_value("host_kw_per_gpu", host_kw_per_gpu)
        return self._step("node", "it", self.kw_per_gpu + host_kw_per_gpu, "network and storage power")

    def to_facility(self, *, pue: Numbers) -> Power:
        """Add cooling and power distribution: IT power times PUE, once."""
        check_value("pue", pue)
        if self.boundary in ("facility", "utility"):
            raise PowerError(f"PUE applies once, to power at `it`; this power is at `{self.boundary}` and already holds it")
        return self._step("it", "facility", self.kw_per_gpu * pue, "facility overhead")

    def to_utility(self, *, loss_frac: Numbers) -> Power:
        """Add what is lost between the utility's meter and the facility: facility to utility."""
        check_value("loss_frac", loss_frac)
        return self._step("facility", "utility", self.kw_per_gpu / (1 - loss_frac), "grid loss")

    def to_metered_facility(self, *, loss_frac: Numbers) -> Power:
        """Take away the grid loss that a utility figure holds: utility to facility, the way back of `to_utility`."""
        check_value("loss_frac", loss_frac)
        if self.boundary != "utility":
            raise PowerError(f"only utility power holds a grid loss; this power is at `{self.boundary}`")
        return Power(self.kw_per_gpu * (1 - loss_frac), "facility", self.kind)

    def without_overhead(self, *, pue: Numbers) -> Power:
        """The IT power inside a published facility figure: the way back of `to_facility`, with the PUE that went in."""
        check_value("pue", pue)
        if self.boundary == "utility":
            raise PowerError("power at `utility` holds a grid loss too; take that away first with `to_metered_facility(loss_frac=...)`")
        if self.boundary != "facility":
            raise PowerError(f"only facility power holds a PUE; this power is at `{self.boundary}`")
        return Power(self.kw_per_gpu / pue, "it", self.kind)


@formula
def average_kw_per_gpu(*, busy_average_kw_per_gpu: Numbers, idle_average_kw_per_gpu: Numbers, utilization_frac: Numbers) -> Numbers:
    """Average over busy and idle hours: an idle accelerator still draws power. Identity: the mean weighted by hours.

    >>> round(average_kw_per_gpu(busy_average_kw_per_gpu=0.6, idle_average_kw_per_gpu=0.1, utilization_frac=0.4), 6)
    0.3
    """
    return busy_average_kw_per_gpu * utilization_frac + idle_average_kw_per_gpu * (1 - utilization_frac)


@formula
def energy_share_frac(*, energy_cost_usd_per_gpu_h: Numbers, rate_usd_per_gpu_h: Numbers) -> Numbers:
    """Electricity's share of the cost of a GPU-hour, and so of a token. Definition.

    >>> round(energy_share_frac(energy_cost_usd_per_gpu_h=0.14, rate_usd_per_gpu_h=1.41), 3)
    0.099
    """
    return energy_cost_usd_per_gpu_h / rate_usd_per_gpu_h


def measured_and_provisioned(runs: pd.DataFrame, *, provisioned_kw_per_gpu: Mapping[str, float]) -> pd.DataFrame:
    """Tokens per joule and per megawatt of measured runs, and of the same output on provisioned power.

    `runs` are rows of data/power_measurements.csv: `accelerator`, `boundary`, `average_w_per_gpu`, `nameplate_w_per_gpu`,
    `output_tok_per_s_per_gpu` and, where known, `total_tok_per_s_per_gpu`. `provisioned_kw_per_gpu` maps an accelerator to the
    utility kilowatts per GPU that must be built; one without gets NaN.

    Columns: those of `runs`, with `measured_output_tok_per_joule`, `measured_output_token_energy_joule_per_tok`,
    `measured_output_tok_per_s_per_mw` (all at the row's own boundary), `provisioned_output_tok_per_s_per_mw` (utility)
    and `drawn_frac` (average over nameplate). Measured boards and provisioned utilities are two boundaries:
    the columns stand side by side to show the gap, not to be divided by each other.

    Raises: PowerError for a column that is missing or a boundary that is not known.

    >>> run = {"accelerator": "h200", "boundary": "chip", "average_w_per_gpu": 500, "nameplate_w_per_gpu": 700}
    >>> run["output_tok_per_s_per_gpu"] = 1000.0
    >>> row = measured_and_provisioned(pd.DataFrame([run]), provisioned_kw_per_gpu={"h200": 2.0}).iloc[0]
    >>> float(row["measured_output_tok_per_joule"]), float(row["provisioned_output_tok_per_s_per_mw"])
    (2.0, 500000.0)
    """
    missing = {"accelerator", "boundary", "average_w_per_gpu", "nameplate_w_per_gpu", "output_tok_per_s_per_gpu"} - set(runs.columns)
    if missing:
        raise PowerError(f"measured power needs the column `{sorted(missing)[0]}`, which these rows do not have")
    unknown = set(runs["boundary"]) - set(BOUNDARIES)
    if unknown:
        raise PowerError(f"`boundary` must be one of {', '.join(BOUNDARIES)}, got {sorted(unknown)[0]!r}")
    output, drawn_w = runs["output_tok_per_s_per_gpu"], runs["average_w_per_gpu"].astype(float)
    measured = {"output_tok_per_s_per_gpu": output, "average_kw_per_gpu": (drawn_w / q.W_PER_KW).rename("average_kw_per_gpu")}
    built_kw = runs["accelerator"].map(provisioned_kw_per_gpu).astype(float)
    tok_per_joule = output_tok_per_joule(**measured)
    return runs.assign(
        measured_output_tok_per_joule=tok_per_joule,
        measured_output_token_energy_joule_per_tok=output_token_energy_joule_per_tok(**measured),
        measured_output_tok_per_s_per_mw=tok_per_joule * q.W_PER_KW * q.KW_PER_MW,
        provisioned_output_tok_per_s_per_mw=output_tok_per_s_per_mw(output_tok_per_s_per_gpu=output, provisioned_kw_per_gpu=built_kw),
        drawn_frac=drawn_w / runs["nameplate_w_per_gpu"].astype(float),
    )
