"""What a caller asks for, looked at before any work: one sentence where it cannot be."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tokcost.quantities import QuantityError, nearest


def numbers(what: str, values: Any) -> np.ndarray:
    """The values as floats, NaN and infinity among them.

    >>> numbers("low and high", (1, "two"))
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: low and high must be numbers, got (1, 'two')
    """
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise QuantityError(f"{what} must be numbers, got {str(values)[:80]}") from None


def require_share(what: str, value: Any) -> None:
    """Refuse what is no share between 0 and 1, neither of them."""
    if np.ndim(value) or not 0 < float(numbers(f"`{what}`", value)) < 1:
        raise QuantityError(f"`{what}` must be between 0 and 1, got {value}; give a fraction, not a percentage")


def require_power_of_2(what: str, number: Any, *, least: int = 2, parts: int = 1) -> None:
    """Refuse a number of draws that is no power of 2 in each of its parts, as Sobol points must be.

    >>> require_power_of_2("n_draws", 1000)
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: `n_draws` must be a power of 2, got 1000; take 1024
    """
    of_parts = f" in each of the {parts} scrambles" if parts > 1 else ""
    if not isinstance(number, (int, np.integer)) or isinstance(number, bool):
        raise QuantityError(f"`{what}` must be a whole number, a power of 2{of_parts}, got {number!r}")
    each = max(least, 2 ** round(float(np.log2(max(number / parts, 1)))))
    if number != each * parts:
        raise QuantityError(f"`{what}` must be a power of 2{of_parts}, got {number}; take {each * parts}")


def require_taken(function: Callable[..., Any], names: Iterable[str]) -> None:
    """Refuse inputs that a function does not take, and a function that needs others.

    >>> require_taken(lambda rate, speed: rate / speed, ["rate", "sped"])
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: there is no input `sped`; did you mean `speed`?
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # of C, which does not say
        return
    takes_any = any(one.kind == one.VAR_KEYWORD for one in parameters.values())
    given = list(names)
    for name in given:
        if name not in parameters and not takes_any:
            raise QuantityError(f"there is no input `{name}`{nearest(name, parameters)}")
    for name, one in parameters.items():
        if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and name not in given:
            raise QuantityError(f"the function needs the input `{name}`; give it a number or a distribution")
