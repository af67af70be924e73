"""Units and scale of every formula of the hour, read with pint; the two that raise to a power of years are checked by hand elsewhere."""

import inspect

import pint
import pytest

from tokcost import quantities as q
from tokcost.hour import carbon, ownership, power, rental

#: exponents and logarithms of years have no dimension to check
POWERS = {"capital_recovery_per_yr", "year_end_capital_recovery_per_yr", "loan_capital_recovery_per_yr", "capital_cost_usd_per_gpu_yr"}
FORMULAS = {
    name: function
    for module in (ownership, power, carbon, rental)
    for name, function in vars(module).items()
    if hasattr(function, "__wrapped__") and function.__module__ == module.__name__ and name not in POWERS
}
SCALES = {
    "SECONDS_PER_HOUR": "s/h",
    "TOK_PER_MTOK": "tok/mtok",
    "KW_PER_MW": "kW/MW",
    "W_PER_KW": "W/kW",
    "G_PER_KG": "g/kg",
    "HOURS_PER_YEAR": "h/yr",
    "HOURS_PER_MONTH": "h/month",
    "MONTHS_PER_YEAR": "month/yr",
}


@pytest.fixture(scope="module")
def ureg():
    registry = pint.UnitRegistry()
    for line in ("usd = [currency]", "tok = [token]", "mtok = 1e6 tok", "gpu = [gpu]"):
        registry.define(line)
    registry.define("yr = year")
    return registry


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_units_of_every_formula(name, ureg, monkeypatch):
    for constant, unit in SCALES.items():
        monkeypatch.setattr(q, constant, ureg.Quantity(getattr(q, constant), unit))
    function = FORMULAS[name].__wrapped__
    inputs = {argument: ureg.Quantity(0.5, q.UNITS[q.unit(argument)][1]) for argument in inspect.signature(function).parameters}
    if name == "kept_availability_frac":
        inputs["interruptions_per_gpu_h"] = ureg.Quantity(0.5, "1/h")
    result = ureg.Quantity(function(**inputs))
    expected = ureg.Quantity(1, q.UNITS[q.unit(name)][1])
    assert result.dimensionality == expected.dimensionality, name


def test_no_formula_is_left_out():
    assert len(FORMULAS) >= 20
