"""Judging alerts: which hold for a run, and which of them are new since the run before."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date

from tokcost.report.memory.store import AlertState, Entry, Result
from tokcost.report.request.alerts import Alert

_COMPARED = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def judged(alert: Alert, now: Entry, before: Entry | None, was_on: bool | None, show: Callable[[Result, float], str]) -> AlertState:
    """An alert after this run; `before` is the last comparable run, `was_on` what was last known of the alert.

    A state fires when it begins, and again only after it has ended; an event fires each time. What is not reached or has
    no run before it is unknown: it neither fires nor ends. `show` writes a value of a result.
    """
    if never := _never(alert, now):
        return AlertState(alert.text, None, False, never, is_fault=True)
    is_on, said = _holds(alert, now, before, show)
    return AlertState(alert.text, is_on, bool(is_on) and (alert.is_event or not was_on), said)


def _never(alert: Alert, now: Entry) -> str:
    """Why an alert can never fire on such a report; nothing where it can."""
    for name in filter(None, (alert.name, alert.other)):
        if name not in (result.name for result in now.results):
            return f"the report has no result `{name}`; it has {', '.join(result.name for result in now.results) or 'none'}"
    if alert.end != "value" and (result := _result(alert.name, now)).value is not None and getattr(result, alert.end) is None:
        return f"the report gives `{alert.name}` without a range; leave out `{alert.end} of`"
    if alert.form == "stale" and not now.measured_to:
        return "the report rests on no measured run, so that nothing in it can be older"
    return ""


def _holds(alert: Alert, now: Entry, before: Entry | None, show: Callable[[Result, float], str]) -> tuple[bool | None, str]:
    if alert.form == "stale":
        return _is_stale(alert, now)
    result = _result(alert.name, now)
    value = getattr(result, alert.end)
    if value is None:
        return None, "not reached"
    if alert.form == "level":
        return _COMPARED[alert.operator](value, alert.number), f"is {show(result, value)}"
    if alert.form == "other":
        other = _result(alert.other, now)
        if other.value is None:
            return None, f"{alert.other} was not reached"
        return _COMPARED[alert.operator](value, other.value), f"{show(result, value)} against {show(other, other.value)}"
    earlier = next((r for r in before.results if r.name == alert.name), None) if before else None
    if earlier is None or earlier.value is None:
        return None, "no run before it to compare with"
    if alert.form == "label":
        return result.label != earlier.label, f"was “{earlier.label}”, is “{result.label}”"
    said = f"was {show(earlier, earlier.value)}, is {show(result, value)}"
    if alert.form == "crosses":
        return (value > alert.number) != (earlier.value > alert.number), said
    return abs(value - earlier.value) > alert.number * (abs(earlier.value) if alert.is_share else 1), said


def _is_stale(alert: Alert, now: Entry) -> tuple[bool | None, str]:
    try:
        measured = date.fromisoformat(now.measured_to)
    except ValueError:
        return None, "the report does not say to when it is measured"
    return (now.when.date() - measured).days > alert.number, f"measured to {measured}"


def _result(name: str, entry: Entry) -> Result:
    return next(result for result in entry.results if result.name == name)
