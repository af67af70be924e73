"""What a notebook says: sentences with live numbers, checks, results, the sources.

Each of these returns something that Jupyter displays and that a report can read back
(`application/vnd.tokcost.v1+json`). They print and compare; they do no economics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from html import unescape
from typing import Protocol, SupportsFloat, runtime_checkable

from tokcost import quantities
from tokcost.errors import SentenceError
from tokcost.labels import label_of
from tokcost.show.numbers import MISSING, alike, num, percents
from tokcost.show.text import literal, plain, shown
from tokcost.show.untypeset import as_html

MIME = "application/vnd.tokcost.v1+json"


class CheckFailed(SentenceError, AssertionError):
    """An identity that must hold for any parameters does not; the message shows both sides."""


class Shown:
    """Text for people with data for the report; `terminal` is what a place without markup shows instead."""

    def __init__(self, markdown: str, data: dict | None = None, *, terminal: str = ""):
        self.markdown = shown(markdown)
        self.terminal = terminal or unescape(self.markdown.replace(r"\$", "$"))
        self.data = data

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle: dict = {"text/markdown": self.markdown, "text/plain": self.terminal}
        if "$" in self.markdown:
            # The report reads the Markdown of what carries its own type; JupyterLab, the HTML.
            bundle |= {"text/html": as_html(self.markdown), MIME: {"kind": "sentence"}}
        return bundle if self.data is None else {**bundle, MIME: self.data}


def literal_dollars(text: str) -> str:
    """Dollar signs as dollars in Markdown: unescaped, a pair of them would be read as a formula."""
    return text.replace(r"\$", "$").replace("$", r"\$")


def stable(value) -> float | None:
    """Ten significant digits: enough for any reader, the same on every machine; None for "not reached"."""
    value = float(value)
    return float(f"{value:.10g}") if math.isfinite(value) else None


def say(text: str) -> Shown:
    r"""A sentence of the report, with numbers that a re-run changes.

    >>> say("A million tokens cost $4.35.").markdown
    'A million tokens cost \\$4.35.'
    """
    return Shown(literal_dollars(text))


def refused(function: Callable, **inputs: object) -> Shown:
    """Show that a call is refused, and with which sentence; if it is not refused, the notebook stops.

    Raises: CheckFailed where the call goes through.

    >>> from tokcost.formulas import flop_per_usd
    >>> refused(flop_per_usd, peak_tflop_per_s=1979, rate_usd_per_h=1.41).markdown
    'Refused: `flop_per_usd` takes no `rate_usd_per_h`; did you mean `rate_usd_per_gpu_h`?'
    """
    try:
        function(**inputs)
    except (quantities.QuantityError, TypeError) as error:
        return Shown(f"Refused: {literal_dollars(str(error))}")  # this project's own words, with names in backquotes
    raise CheckFailed(f"{function.__name__} should have refused {', '.join(inputs)}")


def check(claim: str, left: SupportsFloat, right: SupportsFloat | None = None, *, rel: float = 1e-9, factor: float | None = None) -> Shown:
    """A visible check that must hold for any parameters; if it does not, the notebook stops.

    `check(claim, True)` for a condition; `check(claim, a, b)` for two routes to one number
    (relative difference up to `rel`); `check(claim, a, b, factor=2)` for an outside number that
    is only expected to be within a factor.

    >>> print(check("parts add up", 0.1 + 0.2, 0.3).markdown)
    ✓ parts add up: 0.3 = 0.3
    >>> check("parts add up", 1.0, 2.0)
    Traceback (most recent call last):
    tokcost.show.sentences.CheckFailed: parts add up: 1.0 is not 2.0 (relative tolerance 1e-09)
    """
    if right is None:
        if not bool(left):
            raise CheckFailed(f"{claim}: does not hold")
        return Shown(
            f"✓ {literal_dollars(claim)}",
            {"kind": "check", "claim": plain(claim), "passed": True, "left": None, "right": None, "tolerance": None},
        )
    left, right = float(left), float(right)
    if factor is None:
        passed, tolerance = math.isclose(left, right, rel_tol=rel, abs_tol=0.0), f"relative tolerance {rel:g}"
        text = f"{num(left)} = {num(right)}"
    else:
        passed, tolerance = left > 0 and right > 0 and 1 / factor <= left / right <= factor, f"within a factor of {factor:g}"
        text = f"{num(left)} against {num(right)}, {tolerance}"
    if not passed:
        raise CheckFailed(f"{claim}: {left!r} is not {right!r} ({tolerance})")
    sides = {"left": stable(left), "right": stable(right), "tolerance": tolerance}
    data = {"kind": "check", "claim": plain(claim), "passed": True, **sides}
    return Shown(f"✓ {literal_dollars(claim)}: {text}", data)


@runtime_checkable
class WithInterval(Protocol):
    """A figure that knows its interval, what that is made of, and the figures that it is a ratio of (a `doubt.Headline`)."""

    value: float
    low: float
    high: float
    shares: dict[str, float]
    numerator: dict[str, float]
    denominator: dict[str, float]

    @property
    def made_of(self) -> str: ...


def result(
    name: str,
    value: SupportsFloat | WithInterval,
    low: float | None = None,
    high: float | None = None,
    *,
    note: str = "",
    label: str = "",
    missing: str = MISSING,
    numerator: Mapping[str, SupportsFloat] | None = None,
    denominator: Mapping[str, SupportsFloat] | None = None,
) -> Shown:
    """Hand a headline value to the report, by its quantity name, with its range where there is one.

    `value` may be NaN: "not reached" is a result too, or what `missing` says. `label` replaces what the vocabulary calls it.
    Where it is a ratio of products, `numerator` and `denominator` name them: a later run then says which of them moved it.
    A `doubt.Headline` brings all of these itself, and its make-up, which the note then says and `shares` has in numbers.

    Raises: QuantityError for a name or a value that the vocabulary does not allow, or a range that does not hold the value.

    >>> result("gb300_total_token_cost_usd_per_mtok", 0.12338, 0.115, 0.125).markdown
    '**Cost per million tokens (input + output), GB300**: 0.123 (0.115 to 0.125) USD per million tokens'
    """
    shares = {}
    if isinstance(value, WithInterval):
        found, value = value, value.value
        if found.made_of:
            low, high, shares = found.low, found.high, found.shares
            note = "; ".join(filter(None, [note, f"range: nine times in ten; {literal(found.made_of)}"]))
        numerator, denominator = numerator or found.numerator, denominator or found.denominator
    quantity, value = quantities.of(name), float(value)
    if not math.isnan(value):
        quantities.check_value(name, value)
        if low is not None and high is not None and not float(low) <= value <= float(high):
            raise quantities.QuantityError(
                f"result `{name}`: its range {low:g} to {high:g} does not hold its value {value:g}; give low first"
            )
    which = name.removesuffix(quantity.name).strip("_")
    which = literal(label_of("accelerator", which) or which.replace("_", " "))
    label = label or quantity.label + (f", {which}" if which else "")
    numbers = [value] if low is None or high is None else [value, float(low), float(high)]
    if quantity.unit == "frac":
        said, unit = percents(numbers, 2), ""
    elif quantity.unit == "ratio":
        said, unit = [f"{text}×" for text in alike(numbers, 2)], ""
    else:
        said, unit = alike(numbers), quantity.unit_label
    span = f" ({said[1]} to {said[2]})" if said[1:] else ""
    text = f"**{label}**: " + (missing if math.isnan(value) else f"{said[0]}{span} {unit}".rstrip())
    data = {
        "kind": "result",
        "name": name,
        "value": stable(value),
        "low": None if low is None else stable(low),
        "high": None if high is None else stable(high),
        "unit": quantity.unit,
        "label": plain(label),
        "note": note,
        "missing": missing,
    }
    if shares:
        data["shares"] = {source: stable(share) for source, share in shares.items()}
    for side, inputs in (("numerator", numerator), ("denominator", denominator)):
        if inputs and not math.isnan(value):
            data[side] = {name: stable(quantities.check_value(name, float(given))) for name, given in inputs.items()}
    return Shown(literal_dollars(text + (f"; {note}" if note else "")), data)


def sources(provenance: dict, *assumptions: str) -> Shown:
    """Where the numbers of this notebook come from: tables, sources, licences, and what was assumed.

    `provenance` is what `tokcost.provenance()` returns: tables that were loaded, sources that they cite.

    >>> table = {"file": "data/pue.csv", "rows": 9}
    >>> print(sources({"tables": [table], "sources": []}, "idle hours are paid").markdown.splitlines()[0])
    **Data**: `data/pue.csv` (9 rows)
    """
    lines = []
    for source in provenance["sources"]:
        s = {name: literal(value) for name, value in source.items()}
        said = f" {s['attribution']}" if s["attribution"] else ""
        where = f"{s['publisher']}, *{s['title']}*, {s['date']}, {s['locator']}"
        lines.append(f"- {where}; {quantities.GRADES[source['grade']]}; licence: {s['licence']}.{said}")
    tables = ", ".join(f"`{t['file']}` ({t['rows']:,} rows)" for t in provenance["tables"])
    text = f"**Data**: {tables}\n\n" + "\n".join(lines)
    terminal = f"Data: {tables}; {len(lines)} sources"
    if assumptions:
        text += "\n\n**Assumptions**\n\n" + "\n".join(f"- {a}" for a in assumptions)
    data = {"kind": "sources", **provenance, "assumptions": [literal_dollars(a) for a in assumptions]}
    return Shown(literal_dollars(text), data, terminal=terminal)
