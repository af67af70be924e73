"""Numbers and labels as people read them: three significant digits, one number of them in a column, a unit said once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from tokcost import quantities
from tokcost.labels import label_of
from tokcost.show.text import literal

MISSING = "not reached"
#: a whole number below this is written whole
_WHOLE_BELOW = 1e6
#: how a label spells out what a unit abbreviates
_SPELLED = {"mw": "megawatt", "j": "joule"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def num(value: float, digits: int = 3, missing: str = MISSING) -> str:
    """A number in as few significant digits as show it, at most `digits`; whole numbers below a million stay whole.

    >>> num(0.12338), num(5970.26), num(93.153), num(2842982.1), num(1.5e18), num(90.0), num(1.275), num(float("nan"))
    ('0.123', '5,970', '93.2', '2,840,000', '1.5×10¹⁸', '90', '1.28', 'not reached')
    """
    return alike([value], digits, missing)[0]


def _significant(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    # A half goes up, as people round: 1.275 is 1.28. The largest numbers that there are have no room for that.
    rounded = f"{value * (1 + 1e-12) if abs(value) < 1e300 else value:.{digits - 1}e}"
    mantissa, exponent = rounded.split("e")[0], int(rounded.split("e")[1])
    if exponent >= 12 or exponent < -5:
        return f"{mantissa}×10{str(exponent).translate(_RAISED)}"
    return f"{float(rounded):,.{max(0, digits - 1 - exponent)}f}"


def alike(values: Iterable[float], digits: int = 3, missing: str = MISSING, *, fewest: int = 1) -> list[str]:
    """The numbers of one column or one figure, all with one number of significant digits: as few as are needed, at most `digits`.

    Where all are whole they stay whole; otherwise `fewest` digits are written at least.

    >>> alike([5, 2.9, 0.9504]), alike([5, 2.9, float("nan")]), alike([8, 72])
    (['5.00', '2.90', '0.950'], ['5.0', '2.9', 'not reached'], ['8', '72'])
    """
    values = [float(value) for value in values]
    known = [value for value in values if math.isfinite(value)]
    if all(value.is_integer() and abs(value) < _WHOLE_BELOW for value in known):
        texts = [f"{value:,.0f}" for value in values]
    else:
        needed = next((n for n in range(fewest, digits) if all(holds(value, n) for value in known)), digits)
        texts = [_significant(value, needed) for value in values]
    return [missing if math.isnan(value) else text for value, text in zip(values, texts, strict=True)]


def holds(value: float, digits: int) -> bool:
    """Whether a number has no more significant digits than these.

    >>> holds(0.8, 2), holds(0.802, 2)
    (True, False)
    """
    return math.isclose(value, float(f"{value:.{digits - 1}e}"), rel_tol=1e-12)


#: what large amounts are counted in
_LARGE = {"billion": 10**9, "million": 10**6}


def usd(value: float, digits: int = 3) -> str:
    r"""Dollars; cents are always shown in full, millions and billions in words.

    >>> usd(4.2045), usd(0.12338), usd(15666.7), usd(1.4), usd(-1.591e11)
    ('$4.20', '$0.123', '$15,667', '$1.40', '-$159 billion')
    """
    value = float(value)
    if math.isnan(value):
        return MISSING
    sign = "-" if value < 0 else ""
    size = abs(value)
    for name, unit in _LARGE.items():
        if float(f"{size:.{digits}g}") >= unit:
            return f"{sign}${_significant(size / unit, digits)} {name}"
    if size >= 1000:
        return f"{sign}${size:,.0f}"
    if size >= 1:
        return f"{sign}${size:,.2f}"
    return f"{sign}${_significant(size, digits)}"


def times(value: float, digits: int = 2) -> str:
    """A ratio, two significant digits: what a ratio of measured rows can bear.

    >>> times(34.08), times(7.6), times(2.478), times(139.6)
    ('34×', '7.6×', '2.5×', '140×')
    """
    text = num(value, digits)
    return text if text == MISSING else f"{text}×"


def cheaper(ratio: float) -> str:
    """How a cost compares, from the other cost over it, in words that stay true where that is below one.

    >>> cheaper(23.1), cheaper(0.48), cheaper(1.01), cheaper(float("nan"))
    ('23× cheaper', '2.1× more expensive', 'no cheaper', 'not known to be cheaper')
    """
    if math.isnan(ratio):
        return "not known to be cheaper"
    if _is_even(ratio):
        return "no cheaper"
    return f"{times(ratio)} cheaper" if ratio > 1 else f"{times(1 / ratio)} more expensive"


def cheaper_span(ratio: float, low: float, high: float) -> str:
    """The range of `cheaper(ratio)`, with words of its own where its ends are on both sides of one.

    >>> cheaper_span(23, 16, 24), cheaper_span(0.5, 0.25, 0.8), cheaper_span(2.1, 0.5, 3)
    ('16× to 24×', '1.3× to 4×', '2× more expensive to 3× cheaper')
    """
    if any(math.isnan(value) for value in (ratio, low, high)):
        return MISSING
    if _is_even(ratio) or (low < 1) != (high < 1):
        return f"{cheaper(low)} to {cheaper(high)}"
    return f"{times(low)} to {times(high)}" if ratio > 1 else f"{times(1 / high)} to {times(1 / low)}"


def _is_even(ratio: float) -> bool:
    return round(max(ratio, 1 / ratio), 1) == 1


def percent(value: float, digits: int = 2) -> str:
    """A fraction as a percentage: percent exists only in what people read. What falls short of all never reads as all.

    >>> percent(0.1034), percent(0.93), percent(0.99999), percent(0.999, 4), percent(0.0534, 3), percent(1e-9), percent(float("nan"))
    ('10%', '93%', '99.999%', '99.9%', '5.34%', '1×10⁻⁷%', 'not reached')
    """
    return percents([value], digits)[0]


def percents(values: Iterable[float], digits: int = 3, missing: str = MISSING) -> list[str]:
    """Fractions of one column or one figure as percentages, as `alike` as numbers are; what falls short of all never reads as all.

    >>> percents([0.45, 0.0534, 1.0]), percents([0.5, 0.05]), percents([0.99999, 0.5])
    (['45.0%', '5.34%', '100%'], ['50%', '5%'], ['99.999%', '50.000%'])
    """
    shares = [round(float(value) * 100, 10) for value in values]
    texts = alike(shares, digits, missing)
    while any(share < 100 and text.startswith("100") for share, text in zip(shares, texts, strict=True)):
        digits += 1
        texts = alike(shares, digits, missing)
    return [text if math.isnan(share) else f"{text}%" for share, text in zip(shares, texts, strict=True)]


def spans(stretches: Iterable[tuple[float, float]], unit: str = "", *, before: str = "") -> str:
    """Stretches of a scale in words; `before` is a preposition for where there are any.

    >>> spans([(100.2, 116.9), (140, 150.5)], "tokens/s per user"), spans([(30, 30)], before="at"), spans([], before="at")
    ('100 to 117 and 140 to 151 tokens/s per user', 'at 30', 'nowhere')
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


def label_and_unit(name: str) -> tuple[str, str]:
    """What a quantity is called and its unit, without what the label has said already.

    >>> label_and_unit("rate_usd_per_gpu_h"), label_and_unit("total_tok_per_joule")
    (('Price of a GPU-hour', 'USD'), ('Tokens per joule (input + output tokens)', ''))
    >>> label_and_unit("tok_per_s_per_user"), label_and_unit("cost_ratio")
    (('Interactivity', 'tokens/s per user'), ('Times cheaper', ''))
    """
    quantity = quantities.of(name)
    return quantity.label, "" if quantity.unit == "ratio" else unit_beside(quantity.label, quantity.unit_label)


def unit_beside(label: str, unit: str) -> str:
    """What is left to say of a unit beside a label.

    >>> unit_beside("Carbon per million tokens", "g per million tokens"), unit_beside("Slow batch work", "USD per million tokens")
    ('g', 'USD per million tokens')
    """
    said = _words(label) | {"per"}
    amount, _, per = re.sub(r"( per |/)(?=(?:(?! per |/).)*$)", "\n", unit).partition("\n")
    unit = amount if per and _words(per) <= said else unit
    return "" if _words(unit) <= said else unit


def label_with_unit(name: str) -> str:
    """Label and unit in one line, with one bracket and each word once.

    >>> label_with_unit("total_token_cost_usd_per_mtok"), label_with_unit("output_tok_per_s_per_gpu")
    ('Cost per million tokens (USD, input + output)', 'Throughput (output tokens/s per GPU)')
    """
    label, unit = label_and_unit(name)
    head, _, detail = label.removesuffix(")").partition(" (") if label.endswith(")") else (label, "", "")
    if not unit:
        return label
    if detail and unit.startswith(detail.split()[-1]):
        return f"{head} ({detail.removesuffix(detail.split()[-1])}{unit})"
    return f"{head} ({unit}, {detail})" if detail else f"{head} ({unit})"


def _words(text: str) -> set[str]:
    """The words of a label or a unit; a GPU-hour is one, and MW is a megawatt."""
    return {_SPELLED.get(word, word) for word in map(str, re.findall(r"[\w-]+(?:/s\b)?", text.lower()))}


def say_label(name: str, value: str) -> str:
    """A label value as people write it, for a sentence: `label_text`, with what Markdown would take for markup as text.

    >>> say_label("accelerator", "gb300"), say_label("price_basis", "rental_3yr"), say_label("model", "[mine]")
    ('GB300', '3-year rental', '&#91;mine&#93;')
    """
    return literal(label_text(name, value))


def label_text(name: str, value: str) -> str:
    """A label value as people write it, for a place that knows no markup: `owning_hyperscaler` as owned by a hyperscaler.

    >>> label_text("accelerator", "gb300"), label_text("quantity", "isl"), label_text("note", "a_b")
    ('GB300', 'Input sequence length (ISL)', 'a_b')
    """
    text = str(value)
    if " + " in text:  # a curve of several
        return " + ".join(label_text(name, part) for part in text.split(" + "))
    if called := label_of(name, text):
        return called
    if name == "quantity" and quantities.find(text):
        return quantities.of(text).label
    known = [label for label in quantities.LABELS if name == label or name.endswith(f"_{label}")]
    if known and known[0] == "speculative" and text == "mtp":
        return text.upper()
    return text.replace("_", " ") if known and text in quantities.LABELS[known[0]] else text
