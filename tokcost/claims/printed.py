"""What a printed figure can mean: the range of values that round to it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tokcost.quantities import QuantityError

SCALES = {"": 0, "k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "t": 12, "trillion": 12}
PERCENT = 100
UP_TO, AT_LEAST = "up to", "at least"
_RELATIONS = {
    "up to": UP_TO,
    "as much as": UP_TO,
    "at least": AT_LEAST,
    "more than": AT_LEAST,
    "over": AT_LEAST,
    ">": AT_LEAST,
    "≥": AT_LEAST,
}
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_LESS = ("lower", "less", "fewer", "cheaper")

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_FIGURE = re.compile(
    rf"^\s*(?P<relation>{'|'.join(_RELATIONS)}|~|≈|about\s)?\s*[$€]?\s*"
    rf"(?:(?:an?|one)[\s-](?P<part>{'|'.join(_PARTS)})|(?P<first>{_DIGITS})\s*(?:x?\s*(?:-|–|to)\s*[$€]?(?P<last>{_DIGITS}))?)"
    r"\s*(?P<scale>[a-zA-Z]*?)\s*(?P<percent>%)?\s*(?:[x×]|times|-fold)?\s*"
    r"(?P<sense>lower|higher|less|fewer|more|better|cheaper|faster|of)?\s*(?:(?:[a-z-]+\s+){0,2}per\s+[a-z-]+)?\s*$",
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
    """A figure as it stands in print, and the ranges of what rounds to it; `relation` is "up to", "at least" or empty."""

    text: str
    relation: str = ""


def printed(text: str) -> Printed:
    """Read a figure as it stands in print: `$0.12`, `6K`, `35x lower`, `>10x`, `35-50x`, `up to 40 % more tokens per dollar`.

    A percentage is a factor: "50 % lower" is 0.5, "40 % more" is 1.4, "80 % of" is 0.8; "one tenth" stands for 1 / 10. Between two
    figures lies all that rounds to either. "More than" has no upper end. "Up to" changes no range: it says that this is the best case.

    >>> printed("4.20").strict, printed("6K").strict
    ((4.195, 4.205), (5500.0, 6500.0))
    >>> printed("90").strict, printed("90").loose
    ((89.5, 90.5), (85.0, 95.0))
    >>> printed("35-50x").strict, printed(">10x").strict, printed("up to 40 % more tokens per dollar").strict
    ((34.5, 50.5), (10.0, inf), (1.395, 1.405))
    """
    found = _FIGURE.match(str(text))
    scale = SCALES.get(found["scale"].lower()) if found else None
    if not found or scale is None or (found["percent"] and not found["sense"]):
        raise QuantityError(
            f"`{text}` does not read as a printed figure; allowed are figures such as $0.12, 6K, 2.8M, 35x lower, 1,229, "
            "up to 12x, >10x, 35-50x, 50 % lower, 40 % more tokens per dollar"
        )
    relation = _RELATIONS.get((found["relation"] or "").strip().lower(), "")
    if found["part"]:
        n = _PARTS[found["part"].lower()]
        one = Range(1 / n, (1 / (n + 0.5), 1 / (n - 0.5)), (1 / (n + 0.5), 1 / (n - 0.5)))
    else:
        one = _figure(found["first"], scale, text)
        if found["last"]:
            last = _figure(found["last"], scale, text)
            if last.value < one.value:
                raise QuantityError(f"`{text}` runs from the larger to the smaller figure; give the smaller one first")
            one = Range((one.value + last.value) / 2, (one.strict[0], last.strict[1]), (one.loose[0], last.loose[1]))
    if found["percent"]:
        one = _factor(one, found["sense"].lower(), text)
    if relation == AT_LEAST:
        one = Range(one.value, (one.value, math.inf), (one.strict[0], math.inf))
    return Printed(one.value, one.strict, one.loose, str(text), relation)


def _figure(digits: str, scale: int, text: str) -> Range:
    whole, _, decimals = digits.replace(",", "").partition(".")
    significand = int(whole + decimals) if whole + decimals else 0
    if significand == 0:
        raise QuantityError(f"`{text}` is zero: nothing follows from it; leave the figure out of the claim")
    filling = 0 if decimals else len(whole) - len(whole.rstrip("0"))
    last = scale - len(decimals)
    return Range(_shifted(significand, last), _rounds_to(significand, last), _rounds_to(significand // 10**filling, last + filling))


def _factor(percent: Range, sense: str, text: str) -> Range:
    """A percentage more, less or of something, as the factor that it is."""
    base, sign = (0, 1) if sense == "of" else (1, -1) if sense in _LESS else (1, 1)
    if base + sign * percent.strict[1] / PERCENT <= 0:
        raise QuantityError(f"`{text}` leaves nothing: a reduction stays below 100 %")

    def over(ends: tuple[float, float]) -> tuple[float, float]:
        low, high = sorted(base + sign * end / PERCENT for end in ends)
        return low, high

    return Range(base + sign * percent.value / PERCENT, over(percent.strict), over(percent.loose))


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
