"""One owned deployment: a frozen, validated description, and its GPU-hour item by item.

Every input is stated; none has a default. What a deployment does not have (a colocation rent
where the data center is its own) is None; what it has and does not pay for is 0.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from tokcost.hour import ownership
from tokcost.hour.cashflow import DEPRECIATION, Nominal, Real, schedule_value_frac
from tokcost.hour.power import average_kw_per_gpu
from tokcost.quantities import Numbers, QuantityError, check_value, nearest, of

#: inputs whose rise lowers the cost; a rise of any other raises it
LOWERS_COST = ("economic_life_yr", "facility_life_yr", "residual_frac", "availability_frac")
#: what a deployment may not have; everything else is stated
_MAY_BE_NONE = ("construction_usd_per_kw", "facility_life_yr", "colocation_usd_per_kw_month", "tax_frac", "inflation_frac")
#: capital other than the server or rack: input -> item
OTHER_CAPITAL = {
    "networking_frac": "Networking",
    "storage_frac": "Storage",
    "cpu_nodes_frac": "CPU and head nodes",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Deployment:
    """What is bought, where it stands, what it draws, who pays and at what cost of capital.

    Parameters
    ----------
    name, accelerator : str
    n_gpus : accelerators in one server or rack
    system_price_usd : price of that server or rack
    networking_frac, storage_frac, cpu_nodes_frac : other IT capital as shares of the system price
    critical_kw_per_gpu : IT power that must be built or leased for one accelerator
    average_load_frac, idle_load_frac : average IT power / critical IT power, in hours in which it works and in idle ones
    utilization_frac : share of the hours in which it works; decides the electricity, and nothing else of the hour
    pue : applied once, to average IT power
    electricity_usd_per_kwh
    construction_usd_per_kw, facility_life_yr : a data center of one's own, or None
    colocation_usd_per_kw_month : a rented place, or None; exactly one of the two is stated
    maintenance_frac : yearly, of all IT capital
    staff_cost_usd_per_gpu_yr, software_cost_usd_per_gpu_yr
    insurance_frac, property_tax_frac : yearly, of all IT and facility capital that is owned
    wacc_frac, money : cost of capital and its kind of money, "real" or "nominal"
    economic_life_yr : years in which the hardware earns; the cost is spread over these
    book_life_yr : years of depreciation in the books; decides tax, not the cost before tax
    residual_frac, install_delay_yr
    availability_frac : share of all hours in which it can work. Spares that would fill the rest are not bought as well: they
        would be paid twice
    tax_frac, depreciation, inflation_frac : optional. Without a tax rate `wacc_frac` is a return before tax. With one it is after
        tax, and the capital must earn the tax as well; the schedule then is straight_line, macrs_5 or bonus_100 for the
        equipment (a building of one's own is written off in a straight line over its life), and a real cost of capital needs
        the inflation, for depreciation is deducted in nominal money
    ranges : {input: (low, high)}, the span that sources leave open

    Any number may be an array or a Series; the results then are.

    >>> node = Deployment(name="8-GPU node", accelerator="h200", n_gpus=8, system_price_usd=320_000, networking_frac=0.2,
    ...     storage_frac=0.03, cpu_nodes_frac=0.02, critical_kw_per_gpu=1.275, average_load_frac=0.76, idle_load_frac=0.25,
    ...     utilization_frac=0.7, pue=1.15, electricity_usd_per_kwh=0.07, construction_usd_per_kw=11_700, facility_life_yr=15,
    ...     colocation_usd_per_kw_month=None, maintenance_frac=0.02, staff_cost_usd_per_gpu_yr=200,
    ...     software_cost_usd_per_gpu_yr=0, insurance_frac=0.003, property_tax_frac=0.005, wacc_frac=0.085, money="nominal",
    ...     economic_life_yr=5, book_life_yr=6, residual_frac=0.0, install_delay_yr=0.25, availability_frac=0.98)
    >>> round(node.owned_rate_usd_per_gpu_h, 2)
    1.92
    >>> node.replace(wacc_frac=8.5)
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: `wacc_frac` must be in [0, 0.5], got 8.5; give a fraction, not a percentage
    """

    name: str
    accelerator: str
    n_gpus: float
    system_price_usd: float
    networking_frac: float
    storage_frac: float
    cpu_nodes_frac: float
    critical_kw_per_gpu: float
    average_load_frac: float
    idle_load_frac: float
    utilization_frac: float
    pue: float
    electricity_usd_per_kwh: float
    construction_usd_per_kw: float | None
    facility_life_yr: float | None
    colocation_usd_per_kw_month: float | None
    maintenance_frac: float
    staff_cost_usd_per_gpu_yr: float
    software_cost_usd_per_gpu_yr: float
    insurance_frac: float
    property_tax_frac: float
    wacc_frac: float
    money: str
    economic_life_yr: float
    book_life_yr: float
    residual_frac: float
    install_delay_yr: float
    availability_frac: float
    tax_frac: float | None = None
    depreciation: str | None = None
    inflation_frac: float | None = None
    ranges: dict | None = None

    def __post_init__(self):
        for field in numeric_inputs():
            value = getattr(self, field)
            if value is None and field not in _MAY_BE_NONE:
                raise QuantityError(f"a deployment needs `{field}` ({of(field).meaning}), got None; state it")
            if value is not None:
                check_value(field, value)
            if isinstance(value, (list, tuple)):
                object.__setattr__(self, field, np.asarray(value, dtype=float))
        self._check_shapes()
        if (np.asarray(self.n_gpus) % 1).any():
            raise QuantityError(f"`n_gpus` must be a whole number of accelerators, got {self.n_gpus!r}; count those in one server or rack")
        if self.money not in ("real", "nominal"):
            raise QuantityError(f"`money` must be real or nominal, got {self.money!r}; say in which money `wacc_frac` is")
        built = self.construction_usd_per_kw is not None
        if built == (self.colocation_usd_per_kw_month is not None):
            raise QuantityError("state either `construction_usd_per_kw` (built) or `colocation_usd_per_kw_month` (rented), and only one")
        if built != (self.facility_life_yr is not None):
            raise QuantityError("`facility_life_yr` belongs to a built data center: state it with `construction_usd_per_kw`, and only then")
        self._check_tax()
        for field, (low, high) in (self.ranges or {}).items():
            self._check_range(field, low, high)

    def _check_shapes(self):
        arrays = {field: getattr(self, field) for field in numeric_inputs() if not isinstance(getattr(self, field), (int, float))}
        shapes = {field: np.shape(one) for field, one in arrays.items() if np.ndim(one)}
        try:
            np.broadcast_shapes(*shapes.values())
        except ValueError:
            said = ", ".join(f"`{field}` {shape}" for field, shape in shapes.items())
            raise QuantityError(f"inputs that are arrays must fit together (numpy broadcasting), got {said}") from None

    def _check_tax(self):
        if self.tax_frac is None:
            if self.depreciation is not None:
                raise QuantityError("`depreciation` without `tax_frac` has no effect; state the tax rate, or neither")
        elif self.depreciation not in DEPRECIATION:
            raise QuantityError(f"`depreciation` must be one of {', '.join(DEPRECIATION)} where tax is paid, got {self.depreciation!r}")
        elif self.money == "real" and self.inflation_frac is None:
            raise QuantityError("`inflation_frac` is needed for tax at a real cost of capital: depreciation is deducted in nominal money")

    def _check_range(self, field, low, high):
        if field not in numeric_inputs() or getattr(self, field) is None:
            raise QuantityError(f"`ranges` names `{field}`, which is no input of this deployment{nearest(field, numeric_inputs())}")
        if field == "n_gpus":
            raise QuantityError("`n_gpus` counts the accelerators of one server or rack and has no range; describe another server instead")
        for value in (low, high):
            check_value(field, value)
        value = np.asarray(getattr(self, field), dtype=float)
        if not ((low <= value) & (value <= high)).all():
            raise QuantityError(f"range of `{field}` must hold its value: {low:.12g} <= {value} <= {high:.12g}")

    def replace(self, **changes: Any) -> Deployment:
        """A copy with other inputs; an unknown name is answered with the nearest one. Ranges that no longer hold are an error."""
        for name in changes:
            if name not in self.__dataclass_fields__:
                raise QuantityError(f"a deployment has no `{name}`{nearest(name, self.__dataclass_fields__)}")
        return dataclasses.replace(self, **changes)

    def with_inputs(self, **inputs: Any) -> Deployment:
        """A copy with inputs of one's own. A value that changes loses its range, which spoke of another value; the others keep theirs.

        >>> node = tc.reference_deployment("h200", "hyperscaler")
        >>> mine = node.with_inputs(wacc_frac=0.12, economic_life_yr=node.economic_life_yr)
        >>> mine.wacc_frac, "wacc_frac" in mine.ranges, "economic_life_yr" in mine.ranges
        (0.12, False, True)
        """
        changed = {name for name, value in inputs.items() if value != getattr(self, name, None)}
        return self.replace(ranges={name: span for name, span in (self.ranges or {}).items() if name not in changed}, **inputs)

    def without_ranges(self, **changes: Any) -> Deployment:
        """A copy at one point: no ranges, so any plausible value may be tried."""
        return self.replace(ranges=None, **changes)

    @property
    def discount_rate(self) -> Real | Nominal:
        """The cost of capital in its own kind of money."""
        return (Real if self.money == "real" else Nominal)(self.wacc_frac)

    @property
    def it_average_kw_per_gpu(self):
        """Average power at the IT boundary over all hours, idle ones included."""
        return average_kw_per_gpu(
            busy_average_kw_per_gpu=self.critical_kw_per_gpu * self.average_load_frac,
            idle_average_kw_per_gpu=self.critical_kw_per_gpu * self.idle_load_frac,
            utilization_frac=self.utilization_frac,
        )

    def capital_usd_per_gpu(self) -> dict:
        """IT item to purchase price per accelerator."""
        system = self.system_price_usd / self.n_gpus
        return {"Accelerator server or rack": system} | {item: system * getattr(self, field) for field, item in OTHER_CAPITAL.items()}

    def _gross_up(self, schedule, book_life_yr, life_yr):
        if self.tax_frac is None:
            return 1.0
        wacc_frac, eaten = self.wacc_frac, 1.0
        if isinstance(self.discount_rate, Real):
            inflation_frac = check_value("inflation_frac", self.inflation_frac)
            wacc_frac = self.discount_rate.to_nominal(inflation_frac=inflation_frac).wacc_frac
            # What is deducted is the price on the invoice of month 0, which inflation eats until service starts.
            eaten = (1 + inflation_frac) ** -np.asarray(self.install_delay_yr, dtype=float)
        value = eaten * schedule_value_frac(depreciation=schedule, book_life_yr=book_life_yr, wacc_frac=wacc_frac, life_yr=life_yr)
        return ownership.tax_gross_up_ratio(tax_frac=self.tax_frac, depreciation_value_frac=value)

    def _capital_charge(self, capital, life_yr, residual_frac, gross_up):
        paid = ownership.capital_cost_usd_per_gpu_yr(
            capital_usd_per_gpu=capital,
            wacc_frac=self.wacc_frac,
            life_yr=life_yr,
            residual_frac=residual_frac,
            install_delay_yr=self.install_delay_yr,
            tax_frac=0.0 if self.tax_frac is None else self.tax_frac,
            tax_gross_up_ratio=gross_up,
        )
        worn = ownership.depreciation_cost_usd_per_gpu_yr(capital_usd_per_gpu=capital, life_yr=life_yr, residual_frac=residual_frac)
        return paid, paid - worn

    def _yearly(self) -> list:
        """(item, group, USD per GPU-year, of it financing, basis) of every item."""
        capital = self.capital_usd_per_gpu()
        it_capital = sum(capital.values())
        owned = it_capital
        gross_up = self._gross_up(self.depreciation, self.book_life_yr, self.economic_life_yr)
        rows = []
        for item, usd in capital.items():
            paid, financing = self._capital_charge(usd, self.economic_life_yr, self.residual_frac, gross_up)
            rows.append((item, "IT equipment", paid, financing, "capital recovered over the economic life"))
        if self.construction_usd_per_kw is not None:
            built = ownership.facility_capital_usd_per_gpu(
                critical_kw_per_gpu=self.critical_kw_per_gpu, construction_usd_per_kw=self.construction_usd_per_kw
            )
            owned = owned + built
            straight = self._gross_up("straight_line", self.facility_life_yr, self.facility_life_yr)
            paid, financing = self._capital_charge(built, self.facility_life_yr, 0.0, straight)
            rows.append(("Data center", "Facility", paid, financing, "capital recovered over the facility's life"))
        else:
            rent = ownership.colocation_cost_usd_per_gpu_yr(
                critical_kw_per_gpu=self.critical_kw_per_gpu, colocation_usd_per_kw_month=self.colocation_usd_per_kw_month
            )
            rows.append(("Colocation", "Facility", rent, 0.0, "rent on critical IT power"))
        energy = ownership.energy_cost_usd_per_gpu_yr(
            it_average_kw_per_gpu=self.it_average_kw_per_gpu, pue=self.pue, electricity_usd_per_kwh=self.electricity_usd_per_kwh
        )
        rows.append(("Electricity", "Energy", energy, 0.0, "average IT power x PUE x price"))
        for item, usd, basis in (
            ("Maintenance and support", it_capital * self.maintenance_frac, "share of IT capital"),
            ("Staff", self.staff_cost_usd_per_gpu_yr, "per GPU-year"),
            ("Software licences", self.software_cost_usd_per_gpu_yr, "per GPU-year"),
            ("Insurance", owned * self.insurance_frac, "share of owned capital"),
            ("Property tax", owned * self.property_tax_frac, "share of owned capital"),
        ):
            rows.append((item, "Operations", usd, 0.0, basis))
        return rows

    def components(self) -> dict:
        """Item to USD per available GPU-hour; arrays where an input is one."""
        return {
            item: ownership.cost_usd_per_gpu_h(cost_usd_per_gpu_yr=usd, availability_frac=self.availability_frac)
            for item, _, usd, _, _ in self._yearly()
        }

    @property
    def owned_rate_usd_per_gpu_h(self):
        """The cost of one available GPU-hour: the exact sum (`math.fsum`) of its items."""
        return check_value("rate_usd_per_gpu_h", ownership.exact_sum(self.components().values()))

    def energy_cost_usd_per_gpu_h(self):
        """What electricity adds to the GPU-hour."""
        return self.components()["Electricity"]

    def running_cost_usd_per_gpu_h(self):
        """What an available GPU-hour costs besides its hardware: what switching it off saves, its place in the data center included."""
        hardware = self.capital_usd_per_gpu()
        return ownership.exact_sum([usd for item, usd in self.components().items() if item not in hardware])

    def fleet_cost_usd_per_h(self, *, n_gpus: Numbers) -> Numbers:
        """What a fleet of so many accelerators costs in an available hour."""
        return self.owned_rate_usd_per_gpu_h * check_value("n_gpus", n_gpus)

    def _corner(self, cheap: bool) -> Deployment:
        """The deployment with every ranged input at the end that lowers (or raises) the cost."""
        ends = {field: (low, high) for field, (low, high) in (self.ranges or {}).items()}
        return self.without_ranges(**{field: span[cheap == (field in LOWERS_COST)] for field, span in ends.items()})

    def interval_usd_per_gpu_h(self) -> tuple:
        """(low, high) of the GPU-hour with all ranged inputs at their cheap and at their expensive end together.

        The widest span that the ranges allow; likelier values lie well inside.
        """
        return self._corner(True).owned_rate_usd_per_gpu_h, self._corner(False).owned_rate_usd_per_gpu_h

    def breakdown(self):
        """The GPU-hour as a tidy table; `usd_per_gpu_h` adds up to `owned_rate_usd_per_gpu_h` under exact summation (`math.fsum`).

        A plain sum may differ in the last digit of a float. Columns: component, group, usd_per_gpu_h, low_usd_per_gpu_h,
        high_usd_per_gpu_h (the item when every ranged input stands at its cheap or expensive end; they add up to
        `interval_usd_per_gpu_h`), share_frac, financing_usd_per_gpu_h (the part of the item that is cost of capital, with
        the tax on it), basis. For inputs that are arrays use `components`.
        """
        import pandas as pd

        if np.ndim(self.owned_rate_usd_per_gpu_h):
            raise QuantityError("a breakdown is of one deployment, and some input is an array; use `components()` or one value")
        here, low, high = self.components(), self._corner(True).components(), self._corner(False).components()
        total = self.owned_rate_usd_per_gpu_h
        rows = []
        for item, group, usd, financing, basis in self._yearly():
            hourly = float(here[item])
            of_it = hourly * float(financing / usd) if usd else 0.0
            rows.append((item, group, hourly, float(low[item]), float(high[item]), hourly / total, of_it, f"{basis}, {self.money} money"))
        columns = ["component", "group", "usd_per_gpu_h", "low_usd_per_gpu_h", "high_usd_per_gpu_h", "share_frac"]
        columns += ["financing_usd_per_gpu_h", "basis"]
        return pd.DataFrame(rows, columns=columns)


@functools.cache
def numeric_inputs() -> tuple[str, ...]:
    """Names of the inputs that are numbers, in the order of the description."""
    words = ("name", "accelerator", "money", "depreciation", "ranges")
    return tuple(field.name for field in dataclasses.fields(Deployment) if field.name not in words)
