"""Units and scale of every formula in the package: each unit is a dimension of its own, the named constants the only bridges."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pint
import pytest

from tokcost import quantities as q

PACKAGE = Path(q.__file__).parent

#: conversion constants and the units that they bridge; nothing else turns seconds into hours, or watts into kilowatts
CONVERSIONS = {
    "SECONDS_PER_HOUR": "s/h",
    "HOURS_PER_YEAR": "h/yr",
    "HOURS_PER_MONTH": "h/month",
    "MONTHS_PER_YEAR": "month/yr",
    "TOK_PER_MTOK": "tok/mtok",
    "KW_PER_MW": "kW/MW",
    "MW_PER_GW": "MW/GW",
    "W_PER_KW": "W/kW",
    "JOULE_PER_KWH": "J/kWh",
    "G_PER_KG": "g/kg",
    "FLOP_PER_TFLOP": "flop/tflop",
    "TFLOP_PER_PFLOP": "tflop/pflop",
}
#: units that bear no relation to each other here, so that a conversion which is left out cannot go unseen
BASE = "usd eur gpu user request tok mtok flop tflop pflop s h month yr W kW MW GW g kg L byte GB GiB MHz".split()
#: joules are watts for seconds, without a factor
DERIVED = ("J = W * s", "kWh = kW * h", "MWh = MW * h")
#: a yearly rate is compounded by the year, and a power of years has no dimension: there the formula is checked at this value
WITHOUT_COMPOUNDING = {"wacc_frac": 0.0, "discount_frac": 0.0, "ratio": 1.0}
#: counts that are written without a unit in a name but have one: interruptions are of one GPU
PER_GPU = {"kept_availability_frac": {"interruptions_per_gpu_h": "1/h"}}


def formulas_in(path: Path) -> list[str]:
    source = path.read_text(encoding="utf-8")
    if not re.search(r"^\s*@.*formula", source, re.M):  # nothing is marked: most files need no parser
        return []
    marked = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return [node.name for node in marked if any(ast.unparse(decorator).split(".")[-1] == "formula" for decorator in node.decorator_list)]


FORMULAS = [
    (".".join(("tokcost", *path.relative_to(PACKAGE).with_suffix("").parts)), name)
    for path in sorted(PACKAGE.rglob("*.py"))
    for name in formulas_in(path)
]


@pytest.fixture(scope="module")
def units() -> pint.UnitRegistry:
    registry = pint.UnitRegistry(None)
    for name in BASE:
        registry.define(f"{name} = [{name}]")
    for line in DERIVED:
        registry.define(line)
    return registry


def assert_units_hold(function, units, monkeypatch):
    """Measured in other units, the inputs must give the same result in its other unit: a slip in a unit breaks this, and so does scale."""
    sizes = {f"[{name}]": size for name, size in zip(BASE, np.random.default_rng(7).uniform(2, 3, len(BASE)), strict=True)}

    def in_other_units(value, unit: str):
        dimensions = units.Quantity(1, unit).dimensionality
        return value * np.prod([sizes[name] ** power for name, power in dimensions.items()])

    name, formula = function.__name__, function.__wrapped__
    written = {argument: q.UNITS[q.unit(argument)][1] for argument in inspect.signature(formula).parameters} | PER_GPU.get(name, {})
    plain = {argument: place if q.unit(argument) == "count" else place / 10 for place, argument in enumerate(written, start=3)}
    inputs = {argument: WITHOUT_COMPOUNDING.get(argument, value) for argument, value in plain.items()}
    expected = in_other_units(formula(**inputs), q.UNITS[q.unit(name)][1])
    for constant, unit in CONVERSIONS.items():
        monkeypatch.setattr(q, constant, in_other_units(getattr(q, constant), unit))
    found = formula(**{argument: in_other_units(value, written[argument]) for argument, value in inputs.items()})
    assert found == pytest.approx(expected, rel=1e-9), f"the units of {name} do not come out"


@pytest.mark.parametrize(("module", "name"), FORMULAS, ids=[name for _, name in FORMULAS])
def test_units_and_scale_of_every_formula(module, name, units, monkeypatch):
    assert_units_hold(getattr(import_module(module), name), units, monkeypatch)


def test_a_formula_with_a_slip_in_a_unit_is_found(units, monkeypatch):
    @q.formula
    def total_token_cost_usd_per_mtok(*, rate_usd_per_gpu_h, total_tok_per_s_per_gpu):
        return rate_usd_per_gpu_h / total_tok_per_s_per_gpu * q.TOK_PER_MTOK  # tokens of a second, dollars of an hour

    @q.formula
    def average_kw_per_gpu(*, it_average_kw_per_gpu, average_w_per_gpu):
        return it_average_kw_per_gpu + average_w_per_gpu

    for wrong in (total_token_cost_usd_per_mtok, average_kw_per_gpu):
        with pytest.raises(AssertionError, match="do not come out"):
            assert_units_hold(wrong, units, monkeypatch)
        monkeypatch.undo()


@pytest.mark.parametrize("unit", q.UNITS)
def test_every_unit_of_the_vocabulary_is_readable(unit, units):
    units.Quantity(1, q.UNITS[unit][1])


def test_every_conversion_constant_is_one_that_the_units_are_checked_with():
    assert {name for name in vars(q) if name.isupper() and "_PER_" in name} == set(CONVERSIONS)
