"""The end of an error sentence about a value: how it is quoted, and the fix, where only one can have been meant."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_PLAIN = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_THOUSANDS = r"[1-9]\d{0,2}(?:(?P<mark>[,_ ])\d{3})(?:(?P=mark)\d{3})*(?:\.\d+)?"
_DECIMAL_COMMA = r"(?:0,\d+|[1-9]\d*,(?:\d{1,2}|\d{4,}))"
_MONEY = re.compile(r"\s*(?:US)?\$\s*(?P<before>.+?)\s*|\s*(?P<after>.+?)\s*(?:\$|USD|dollars?)\s*")
_SCALES = {"k": 3, "K": 3, "M": 6}


def said(value) -> str:
    """A value as an error quotes it: short, and as people write it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and value.bit_length() > 1000:
        return "a number of hundreds of digits"
    return cut(repr(value) if isinstance(value, str) else str(value), 40)


def cut(text: str, length: int) -> str:
    """`text`, or its beginning when it is longer than `length`."""
    return text if len(text) <= length else text[: length - 3] + "..."


def fix(kind: type, value) -> str:
    """The likely fix of a value of the wrong kind, or nothing."""
    if kind is int and isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return f"; write {int(value)}"
    if kind in (int, float) and isinstance(value, str):
        return _number(kind, value)
    if kind is bool and isinstance(value, (str, int)) and str(value).lower() in ("1", "0", "yes", "no", "on", "off", "true", "false"):
        return f"; write {'true' if str(value).lower() in ('1', 'yes', 'on', 'true') else 'false'}"
    if kind is str and value is not None and not isinstance(value, (dict, list)):
        return "; put it in quotes"
    return ""


def _number(kind: type, text: str) -> str:
    percent = re.fullmatch(rf"\s*({_PLAIN})\s*%\s*", text)
    if percent:
        return f"; give a fraction: {float(percent[1]) / 100:.12g}" if kind is float else ""
    meant = number_meant(text)
    if meant is None or math.isinf(float(meant)) or (kind is int and Decimal(meant) % 1):
        return ""
    return f"; write {meant}" + (" without quotes" if meant == text else "")


def number_meant(text: str) -> str | None:
    """The one number that `text` can mean, as it would be written here, or None.

    >>> [number_meant(t) for t in ("1,000", "2,50", "$4.35", "007", "8k", "1.5M")]
    ['1000', '2.50', '4.35', '7', '8000', '1500000']
    >>> [number_meant(t) for t in ("1:30", "1_0", "2.500,00", "24h", "0x10", "many")]
    [None, None, None, None, None, None]
    """
    money = _MONEY.fullmatch(text)
    bare = (money["before"] or money["after"]) if money else text.strip()
    sign = "-" if bare.startswith("-") else ""
    bare = bare[1:] if bare[:1] in ("+", "-") else bare
    if not bare.isascii():
        return None
    if bare[-1:] in _SCALES and (scaled := number_meant(bare[:-1])):
        return f"{sign}{Decimal(scaled).scaleb(_SCALES[bare[-1]]).normalize():f}"
    if re.fullmatch(_THOUSANDS, bare):
        return sign + re.sub("[,_ ]", "", bare)
    if re.fullmatch(_DECIMAL_COMMA, bare):
        return sign + bare.replace(",", ".")
    if re.fullmatch(_PLAIN, bare):
        return sign + re.sub(r"^0+(?=\d)", "", bare)
    return None
