"""Alerts of a definition: a line each, in one of a few forms, read by a grammar and never run as code.

total_token_cost_usd_per_mtok > 4.5            a level: >, >=, <, <=
high of total_token_cost_usd_per_mtok > 5      the same of an end of its range (`low of`, `high of`)
total_token_cost_usd_per_mtok > api_price_usd_per_mtok
                                               two results of one kind
total_token_cost_usd_per_mtok changes by 5%    since the last comparable run, up or down (or: changes by 0.2)
cost_ratio crosses 1                           which of two is cheaper flips
label of cost_ratio changes                    so does the winner that a result's label names
data older than 90 days                        the last measured run that the report rests on
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tokcost import quantities
from tokcost.quantities import nearest
from tokcost.report.errors import ReportError

FORMS = "NAME > 4.5, high of NAME > 5, NAME > OTHER, NAME changes by 5%, NAME crosses 1, label of NAME changes, data older than 90 days"
_WORD, _NUMBER = r"[A-Za-z_]\w*", r"[-+]?[\d.][\d.eE+\-_]*"
_LEVEL = re.compile(rf"(?:(low|high) of )?({_WORD}) ?(>=|<=|>|<) ?({_NUMBER}) ?(%?)")
_OTHER = re.compile(rf"({_WORD}) ?(>=|<=|>|<) ?({_WORD})")
_CHANGES = re.compile(rf"({_WORD}) changes by ({_NUMBER}) ?(%?)")
_CROSSES = re.compile(rf"({_WORD}) crosses ({_NUMBER}) ?(%?)")
_LABEL = re.compile(rf"label of ({_WORD}) changes")
_STALE = re.compile(rf"data older than ({_NUMBER}) days?")


@dataclass(frozen=True)
class Alert:
    """One alert: `form` says which of the fields below it uses."""

    text: str
    form: str
    name: str = ""
    end: str = "value"
    operator: str = ""
    number: float = 0.0
    other: str = ""
    is_share: bool = False

    @property
    def is_event(self) -> bool:
        """Whether it speaks of the step from one run to the next, and not of a state that lasts."""
        return self.form in ("changes", "crosses", "label")


def parse_alert(text: str) -> Alert:
    """The alert that a line states.

    Raises: ReportError for a line of no known form, an unknown name, a number that is none.

    >>> alert = parse_alert("high of total_token_cost_usd_per_mtok > 5")
    >>> alert.form, alert.end, alert.name, alert.operator, alert.number
    ('level', 'high', 'total_token_cost_usd_per_mtok', '>', 5.0)
    >>> parse_alert("utilization_frac < 40%").number
    0.4
    >>> parse_alert("total_token_cost_usd_per_mtk > 5")
    Traceback (most recent call last):
    tokcost.report.errors.ReportError: `total_token_cost_usd_per_mtk` is no quantity; did you mean `total_token_cost_usd_per_mtok`?
    """
    line = " ".join(text.split())
    if found := _LEVEL.fullmatch(line):
        end, name, operator, number, percent = found.groups()
        return Alert(line, "level", _known(name), end or "value", operator, _level(name, number, percent))
    if found := _CHANGES.fullmatch(line):
        name, number, percent = found.groups()
        size = _number(number) / (100 if percent else 1)
        if size <= 0:
            raise ReportError(f"`{line}`: a change has a size above 0; it counts up and down")
        return Alert(line, "changes", _known(name), number=size, is_share=bool(percent))
    if found := _CROSSES.fullmatch(line):
        name, number, percent = found.groups()
        return Alert(line, "crosses", _known(name), number=_level(name, number, percent))
    if found := _LABEL.fullmatch(line):
        return Alert(line, "label", _known(found[1]))
    if found := _STALE.fullmatch(line):
        return Alert(line, "stale", number=_number(found[1]))
    if found := _OTHER.fullmatch(line):
        name, operator, other = found.groups()
        try:
            quantities.require_alike(_known(name), _known(other))
        except quantities.QuantityError as error:
            raise ReportError(str(error)) from None
        return Alert(line, "other", name, operator=operator, other=other)
    raise ReportError(f"`{line}` is no alert; write one like: {FORMS}")


def _known(name: str) -> str:
    if quantities.find(name) is None:
        raise ReportError(f"`{name}` is no quantity{nearest(name, quantities.QUANTITIES)}")
    return name


def _level(name: str, number: str, percent: str) -> float:
    if percent and quantities.unit(_known(name)) != "frac":
        label = quantities.of(name).unit_label or "a plain number"
        raise ReportError(f"`{name}` is no share, so that {number}% of it says nothing; give a number in its own unit ({label})")
    return _number(number) / (100 if percent else 1)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReportError(f"`{text}` is no number; write one such as 4.5")
    return value
