"""The vocabulary: what every quantity is called, its unit, its plausible range.

A name ends in its unit (`rate_usd_per_gpu_h`), says which tokens it counts
(`total_`, `output_`, `input_`, `cached_input_`) and, by its unit, which GPUs it
is divided by. Quantities stand in `quantities.csv` beside this file, one row each; units in `units.csv`.
Longer names that end in a known one (`baseline_rate_usd_per_gpu_h`) inherit its
meaning and range.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tokcost.errors import SentenceError, WrongCall, nearest
from tokcost.labels import GRADES as GRADES
from tokcost.labels import LABELS as LABELS

if TYPE_CHECKING:
    import pandas as pd

#: what a formula computes with; its guard makes it of anything that counts as a number: a list, a sourced fact
Numbers: TypeAlias = "float | np.ndarray | pd.Series"

SECONDS_PER_HOUR = 3600.0
HOURS_PER_YEAR = 8760.0
MONTHS_PER_YEAR = 12
HOURS_PER_MONTH = HOURS_PER_YEAR / MONTHS_PER_YEAR
TOK_PER_MTOK = 1e6
KW_PER_MW = 1000.0
MW_PER_GW = 1000.0
W_PER_KW = 1000.0
JOULE_PER_KWH = 3.6e6
G_PER_KG = 1000.0
FLOP_PER_TFLOP = 1e12
TFLOP_PER_PFLOP = 1000.0


def _rows(table: str) -> list[dict[str, str]]:
    with open(Path(__file__).with_name(table), newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


#: suffix -> (label for people, expression that pint reads)
UNITS = {row["suffix"]: (row["label"], row["pint"]) for row in _rows("units.csv")}

#: how many values a median needs
FEWEST_OF_MEDIAN = 5
#: a share of a bound that arithmetic may miss it by: 0.9999999999999999 is one
_LAST_BITS = 1e-12
_PLAIN = (int, float, np.float64)

_TOKEN_CLASS = re.compile(r"(?:^|_)(total|cached_input|input|output)_(?:tok(?:ens?)?|price|throughput|tps)_")
_PRICE_BASES = ("owning_hyperscaler", "owning_neocloud", "rental_3yr", "on_demand", "reserved", "spot", "owned", "rented")


class QuantityError(SentenceError, ValueError):
    """A name or a value that the vocabulary does not allow; the message says what would be right."""


@dataclass(frozen=True)
class Quantity:
    """One row of the vocabulary."""

    name: str
    unit: str
    low: float
    high: float
    label: str
    meaning: str

    @property
    def unit_label(self) -> str:
        return UNITS[self.unit][0]


QUANTITIES = {
    row["name"]: Quantity(row["name"], row["unit"], float(row["low"]), float(row["high"]), row["label"], row["meaning"])
    for row in _rows("quantities.csv")
}


@functools.lru_cache(maxsize=4096)
def find(name: str) -> Quantity | None:
    """The quantity that `name` is or ends in, or None.

    >>> find("baseline_rate_usd_per_gpu_h").name
    'rate_usd_per_gpu_h'
    >>> find("flops") is None
    True
    """
    words = name.split("_")
    for start in range(len(words)):
        quantity = QUANTITIES.get("_".join(words[start:]))
        if quantity:
            return quantity
    return None


def of(name: str) -> Quantity:
    """Like `find`, but an unknown name is an error that names the nearest one.

    >>> of("utilisation_frac")
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: unknown quantity `utilisation_frac`; did you mean `utilization_frac`?
    """
    quantity = find(name)
    if quantity is None:
        raise QuantityError(f"unknown quantity `{name}`{nearest(name, QUANTITIES)}")
    return quantity


def phrase(name: str) -> str:
    """A quantity as people name it: what stands before the vocabulary's word, then its label.

    >>> phrase("economic_life_yr"), phrase("staff_cost_usd_per_gpu_yr"), phrase("system_price_usd")
    ('Economic life', 'Staff cost per GPU-year', 'System price')
    """
    quantity = of(name)
    which = name.removesuffix(quantity.name).strip("_").replace("_", " ")
    return f"{which.capitalize()} {quantity.label[0].lower()}{quantity.label[1:]}" if which else quantity.label


def token_class(name: str) -> str | None:
    """Which tokens a name counts, or None if it counts none.

    >>> token_class("cached_input_tok_per_s_per_gpu"), token_class("rate_usd_per_gpu_h")
    ('cached_input', None)
    """
    found = _TOKEN_CLASS.search(f"{name}_")
    return found.group(1) if found else None


def price_basis(name: str) -> str | None:
    """The price basis that a name states, or None.

    >>> price_basis("rental_3yr_rate_usd_per_gpu_h")
    'rental_3yr'
    """
    return next((basis for basis in _PRICE_BASES if f"{basis}_" in name), None)


def unit(name: str) -> str | None:
    """The unit suffix of a name, or None: the longest one of `UNITS` that it ends in.

    >>> unit("output_tok_per_s_per_decode_gpu"), unit("model")
    ('tok_per_s_per_decode_gpu', None)
    """
    quantity = find(name)
    if quantity:
        return quantity.unit
    return max((u for u in UNITS if name == u or name.endswith(f"_{u}")), key=len, default=None)


def require_alike(first: str, second: str) -> None:
    """Refuse to put side by side what two names say is not the same kind of thing.

    Units (and with them the GPUs divided by), token classes and price bases must agree
    where both names state them.

    >>> require_alike("input_tok_per_s", "output_tok_per_s")
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: `input_tok_per_s` and `output_tok_per_s` do not mix: token class is input in one, output in the other
    """
    for what, read in (("unit", unit), ("token class", token_class), ("price basis", price_basis)):
        a, b = read(first), read(second)
        if a and b and a != b:
            raise QuantityError(f"`{first}` and `{second}` do not mix: {what} is {a} in one, {b} in the other")


def check_value(name: str, value: Any, *, low: float | None = None, high: float | None = None) -> Any:
    """`value` if it is a plausible `name`, else an error that says what is allowed.

    Scalars must be finite. In arrays and Series NaN stands for "not reached" or "not
    known" and passes; infinity never does. A Series whose own name says that it is
    something else is refused. `low` and `high` narrow the quantity's range.

    >>> check_value("utilization_frac", 45)
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: `utilization_frac` must be in [0.001, 1], got 45; give a fraction, not a percentage
    """
    quantity = of(name)
    low = quantity.low if low is None else low
    high = quantity.high if high is None else high
    if type(value) in _PLAIN and low <= value <= high:  # most cells of the tables
        return value
    for own_name in (getattr(value, "name", None), getattr(value, "quantity", None)):
        if isinstance(own_name, str):
            _require_name_fits(name, own_name)
    numbers = _numbers(name, value)
    if numbers.ndim == 0 and not math.isfinite(numbers):
        raise QuantityError(f"`{name}` must be a finite number, got {value!r}")
    if numbers.size and low <= numbers.min() and numbers.max() <= high:  # most draws
        return value
    within = (numbers >= low - abs(low) * _LAST_BITS) & (numbers <= high + abs(high) * _LAST_BITS)
    wrong = numbers[~np.isnan(numbers) & ~within]
    if wrong.size:
        hint = ""
        if quantity.unit == "frac" and high <= 1 and 1 < wrong.flat[0] <= 100:
            hint = "; give a fraction, not a percentage"
        raise QuantityError(f"`{name}` must be in [{low:.12g}, {high:.12g}], got {wrong.flat[0]:.12g}{hint}")
    return value


def check_whole(name: str, value: Any, *, low: float | None = None) -> Any:
    """`value` if it is a plausible whole `name`: a count of things that have no halves.

    >>> check_whole("n_gpus", 2.5)
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: `n_gpus` must be a whole number, got 2.5
    """
    numbers = np.asarray(check_value(name, value, low=low), dtype=float)
    broken = numbers[~np.isnan(numbers) & (numbers % 1 != 0)]
    if broken.size:
        raise QuantityError(f"`{name}` must be a whole number, got {broken.flat[0]:g}")
    return value


def _require_name_fits(name: str, own_name: str) -> None:
    """Refuse what a Series or a fact says of itself, if that is another thing; a name without any unit says nothing."""
    try:
        require_alike(name, own_name)
    except QuantityError as error:
        raise QuantityError(f"{error}{_way_out(name, own_name)}") from None
    if unit(own_name) is None and "_per_" in own_name:
        raise QuantityError(f"`{name}` was given `{own_name}`, whose unit is not in the vocabulary; convert it and name it `{name}`")


def _way_out(name: str, own_name: str) -> str:
    """What to do about a column of another unit: it may only have kept its name, as pandas' arithmetic lets it."""
    if unit(name) == unit(own_name):
        return ""
    fix = f'; where a calculation in pandas has kept the name of its column, call the result what it is: .rename("{name}")'
    if name == "total_tok_per_s_per_gpu" and own_name == "utilization_frac":
        fix += "; throughput times utilization is tc.delivered_total_tok_per_s_per_gpu(...)"
    return fix


def _numbers(name: str, value) -> np.ndarray:
    """The value as floats; texts, truth values, tables and masked arrays are no numbers."""
    if hasattr(value, "columns"):
        raise QuantityError(f"`{name}` must be a number or one column, got a table of {len(value.columns)} columns; choose one of them")
    if np.ma.isMaskedArray(value):
        raise QuantityError(f"`{name}` must be a plain array: a mask would be lost; write NaN where nothing is known")
    raw = np.asarray(value)
    if raw.dtype.kind in "bUSmM" or (raw.dtype.kind == "O" and any(isinstance(item, (bool, str)) for item in raw.flat)):
        raise QuantityError(f"`{name}` must be a number, got {value!r}")
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise QuantityError(f"`{name}` must be a number, got {value!r}") from None


def _ready(inputs: dict) -> dict:
    """Inputs as a formula can combine them: Series as they are, on one index; everything else as floats."""
    others = {name: value for name, value in inputs.items() if type(value) not in _PLAIN}
    indexes = [value.index for value in others.values() if hasattr(value, "index") and hasattr(value, "rename")]
    if any(not index.equals(indexes[0]) for index in indexes[1:]):
        raise QuantityError(
            f"the columns {', '.join(f'`{n}`' for n in inputs)} do not have one index; take them from one table, or reset it"
        )
    return {
        name: float(value)
        if name not in others or np.ndim(value) == 0
        else value.astype(float)
        if hasattr(value, "rename")
        else np.asarray(value, dtype=float)
        for name, value in inputs.items()
    }


def formula(function: Callable) -> Callable:
    """Guard a formula: keyword arguments named as quantities, inputs and result in range.

    The function's own name is the quantity that it returns; a Series result takes it.
    The unguarded function stays at `__wrapped__` (the dimension test calls it with units).
    """
    names = list(inspect.signature(function).parameters)
    unknown = [name for name in [function.__name__, *names] if find(name) is None]
    if unknown:
        raise QuantityError(f"formula `{function.__name__}` uses `{unknown[0]}`, which quantities.csv does not list")

    @functools.wraps(function)
    def guarded(**inputs):
        for name in inputs:
            if name not in names:
                raise WrongCall(f"`{function.__name__}` takes no `{name}`{nearest(name, names)}")
        for name in names:
            if name not in inputs:
                raise WrongCall(f"`{function.__name__}` needs `{name}`: {of(name).meaning}")
            check_value(name, inputs[name])
        result = function(**_ready(inputs))
        if hasattr(result, "rename"):
            result = result.rename(function.__name__)
        try:
            return check_value(function.__name__, result)
        except QuantityError as error:
            raise QuantityError(f"{error}; check the inputs of `{function.__name__}` for a slip in a unit") from None

    return guarded


def median_of_many(values: Numbers) -> float:
    """The median of five known values or more; of fewer it would say less than the values themselves, so NaN.

    >>> median_of_many([1.0, 2.0, 3.0, 4.0, 100.0]), median_of_many([1.0, 3.0])
    (3.0, nan)
    """
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    return float(np.median(known)) if len(known) >= FEWEST_OF_MEDIAN else math.nan


def months_old(when: str, today: dt.date) -> int:
    """Whole months from a date (YYYY, YYYY-MM or YYYY-MM-DD) to today; a year counts as its end.

    >>> months_old("2026-09", dt.date(2026, 11, 27)), months_old("2024", dt.date(2026, 11, 27)), months_old("2026", dt.date(2026, 11, 27))
    (2, 23, 0)
    """
    year, month = int(when[:4]), int(when[5:7] or MONTHS_PER_YEAR)
    return max(0, (today.year - year) * MONTHS_PER_YEAR + today.month - month)
