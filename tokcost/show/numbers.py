"""Numbers and labels as people read them: three significant digits, thousands separated, never sixteen digits."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tokcost import quantities
from tokcost.labels import label_of

MISSING = "not reached"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def num(value: float, digits: int = 3, missing: str = MISSING) -> str:
    """A number rounded to `digits` significant digits; whole numbers below a million stay whole.

    >>> num(0.12338), num(5970.26), num(93.153), num(2842982.1), num(1.5e18), num(90.0), num(float("nan"))
    ('0.123', '5,970', '93.2', '2,840,000', '1.50×10¹⁸', '90', 'not reached')
    """
    value = float(value)
    if math.isnan(value):
        return missing
    if value == 0 or math.isinf(value):
        return f"{value:g}"
    if value.is_integer() and abs(value) < 1e6:
        return f"{value:,.0f}"
    exponent = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - exponent)
    exponent = math.floor(math.log10(abs(rounded))) if rounded else 0
    if exponent >= 12 or exponent < -5:
        mantissa, power = f"{rounded:.{digits - 1}e}".split("e")
        return f"{mantissa}×10{str(int(power)).translate(_RAISED)}"
    return f"{rounded:,.{max(0, digits - 1 - exponent)}f}"


def usd(value: float, digits: int = 3) -> str:
    r"""Dollars; cents are always shown in full.

    >>> usd(4.2045), usd(0.12338), usd(15666.7), usd(1.4)
    ('$4.20', '$0.123', '$15,667', '$1.40')
    """
    value = float(value)
    if math.isnan(value):
        return MISSING
    sign = "-" if value < 0 else ""
    size = abs(value)
    if size >= 1000:
        return f"{sign}${size:,.0f}"
    if size >= 1:
        return f"{sign}${size:,.2f}"
    return f"{sign}${num(size, digits)}"


def times(value: float, digits: int = 2) -> str:
    """A ratio, two significant digits: what a ratio of measured rows can bear.

    >>> times(34.08), times(7.6), times(2.478), times(139.6)
    ('34×', '7.6×', '2.5×', '140×')
    """
    text = num(value, digits)
    return text if text == MISSING else f"{text}×"


def percent(value: float, digits: int = 2) -> str:
    """A fraction as a percentage: percent exists only in what people read. What falls short of all never reads as all.

    >>> percent(0.1034), percent(0.93), percent(0.99999), percent(0.999, 4), percent(0.0534, 3), percent(1e-9), percent(float("nan"))
    ('10%', '93%', '99.999%', '99.9%', '5.34%', '1.0×10⁻⁷%', 'not reached')
    """
    share = round(value * 100, 10)
    text = num(share, digits)
    if text.replace(",", "").replace(".", "").lstrip("-").isdigit() and float(text.replace(",", "")) == share:
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"
    while share < 100 and text.startswith("100"):
        digits += 1
        text = num(share, digits)
    return text if text == MISSING else f"{text}%"


def spans(stretches: Iterable[tuple[float, float]], unit: str = "", *, before: str = "") -> str:
    """Stretches of a scale in words; `before` is a preposition for where there are any.

    >>> spans([(100.2, 116.9), (140, 150.5)], "tokens/s per user"), spans([(30, 30)], before="at"), spans([], before="at")
    ('100 to 117 and 140 to 150 tokens/s per user', 'at 30', 'nowhere')
    """
    if not stretches:
        return "nowhere"
    words = [num(low) if num(low) == num(high) else f"{num(low)} to {num(high)}" for low, high in stretches]
    text = words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
    return f"{before} {text} {unit}".strip()


def inline(label: str) -> str:
    """A label as it stands within a sentence; abbreviations keep their capitals.

    >>> inline("Critical IT power per GPU"), inline("CPU and head nodes"), inline("Economic life")
    ('critical IT power per GPU', 'CPU and head nodes', 'economic life')
    """
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def say_label(name: str, value: str) -> str:
    """A label value as people write it: `h200` as H200, `owning_hyperscaler` as owning hyperscaler, a quantity by its label.

    >>> say_label("accelerator", "gb300"), say_label("price_basis", "rental_3yr"), say_label("quantity", "isl"), say_label("note", "a_b")
    ('GB300', '3-year rental', 'Input sequence length (ISL)', 'a_b')
    """
    text = str(value)
    if called := label_of(name, text):
        return called
    if name == "quantity" and quantities.find(text):
        return quantities.of(text).label
    known = [label for label in quantities.LABELS if name == label or name.endswith(f"_{label}")]
    if known and known[0] in ("accelerator", "precision", "speculative") and text not in ("none", "unlabelled"):
        return text.upper()
    return text.replace("_", " ") if known and text in quantities.LABELS[known[0]] else text
