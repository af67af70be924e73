"""What a printed figure can mean: the range of values that round to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tokcost.quantities import QuantityError

SCALES = {"": 0, "k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "t": 12, "trillion": 12}

_FIGURE = re.compile(
    r"^\s*(?:~|≈|about\s)?\s*[$€]?\s*(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*(?P<scale>[a-zA-Z]*?)\s*"
    r"(?:[x×]|times|-fold)?\s*(?:lower|higher|less|more|better|cheaper|faster)?\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Range:
    """A number at face value, and all that it can stand for under two readings of print.

    Strict: every digit printed is meant. Loose: the zeros that end a whole number only fill its
    places (90 may be 85 to 95). Digits after a decimal point are always meant.
    """

    value: float
    strict: tuple[float, float]
    loose: tuple[float, float]


@dataclass(frozen=True)
class Printed(Range):
    """A figure as it stands in print, and the ranges of what rounds to it."""

    text: str


def printed(text: str) -> Printed:
    """Read a figure as it stands in print: `$0.12`, `6K`, `2.8M`, `35x lower`, `4.20`, `1,229`.

    >>> printed("4.20").strict, printed("6K").strict
    ((4.195, 4.205), (5500.0, 6500.0))
    >>> printed("90").strict, printed("90").loose
    ((89.5, 90.5), (85.0, 95.0))
    """
    found = _FIGURE.match(str(text))
    scale = SCALES.get(found["scale"].lower()) if found else None
    if not found or scale is None:
        raise QuantityError(f"`{text}` does not read as a printed figure; allowed are figures such as $0.12, 6K, 2.8M, 35x lower, 1,229")
    whole, _, decimals = found["digits"].replace(",", "").partition(".")
    significand = int(whole + decimals) if whole + decimals else 0
    if significand == 0:
        raise QuantityError(f"`{text}` is zero: nothing follows from it; leave the figure out of the claim")
    filling = 0 if decimals else len(whole) - len(whole.rstrip("0"))
    last = scale - len(decimals)
    strict, loose = _rounds_to(significand, last), _rounds_to(significand // 10**filling, last + filling)
    return Printed(_shifted(significand, last), strict, loose, str(text))


def printed_range(text: str, *, is_loose: bool = False) -> tuple[float, float]:
    """Lowest and highest value that round to a printed figure, strictly or with ending zeros as filling.

    >>> printed_range("35x lower"), printed_range("50x", is_loose=True)
    ((34.5, 35.5), (45.0, 55.0))
    """
    figure = printed(text)
    return figure.loose if is_loose else figure.strict


def _rounds_to(significand: int, place: int) -> tuple[float, float]:
    """Half a unit of the last digit to both sides, in whole numbers so that 4.195 is 4.195."""
    return _shifted(10 * significand - 5, place - 1), _shifted(10 * significand + 5, place - 1)


def _shifted(significand: int, place: int) -> float:
    return float(f"{significand}e{place}")
