"""What the index says of a report over time: its headline, the change since the last run, a sparkline, alerts that are on."""

from __future__ import annotations

from html import escape

from tokcost.report.memory.bridge import comparable
from tokcost.report.memory.store import AlertState, Entry, Result
from tokcost.report.page.since import signed, unit_of, value_of
from tokcost.show.numbers import unit_beside
from tokcost.show.text import visible

#: runs that a sparkline shows, at most
MOST_RUNS = 30
_WIDTH, _HEIGHT, _EDGE = 120, 28, 3


def trend(entries: list[Entry]) -> str:
    """The lines of one report, as HTML; `entries` are its runs, the oldest first."""
    last = entries[-1]
    alike = [entry for entry in entries[:-1] if comparable(entry, last)] + [last]
    lines = [_headline(last.headline, alike)] if last.headline and last.headline.value is not None else []
    lines += [_alert(state, entries) for state in last.alerts if state.is_on]
    return "\n".join(lines)


def _headline(headline: Result, alike: list[Entry]) -> str:
    unit = unit_beside(headline.label, unit_of(headline))
    said = f"{escape(visible(headline.label))}: <b>{escape(value_of(headline, headline.value))}</b> {escape(unit)}".rstrip()
    said = f"<div>{said}</div>"  # one thing in its line, also where a word of it is explained
    if len(alike) < 2:
        return f'<div class="trend">{said}</div>'
    before = alike[-2]
    change = _values(alike)[-1] - _values(alike)[-2]
    since = f"{before.when.day} {before.when:%B %Y}"
    change_said = f"{signed(headline, change)} since {since}" if change else f"unchanged since {since}"
    return f'<div class="trend">{said} <span>{escape(change_said)}</span> {_sparkline(headline, alike[-MOST_RUNS:])}</div>'


def _sparkline(headline: Result, alike: list[Entry]) -> str:
    """A line through the headlines of comparable runs, and what it shows in words."""
    values = _values(alike)
    low, high = min(values), max(values)
    span, step = high - low or 1.0, (_WIDTH - 2 * _EDGE) / (len(values) - 1)
    places = [(_EDGE + step * n, _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * (value - low) / span) for n, value in enumerate(values)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    ends = f"from {value_of(headline, values[0])} to {value_of(headline, values[-1])}"
    said = f"{len(values)} runs, {ends}, between {value_of(headline, low)} and {value_of(headline, high)}"
    dot = '<circle cx="{:.1f}" cy="{:.1f}" r="2.5"/>'.format(*places[-1])
    opening = (
        f'<svg class="spark" role="img" aria-label="{escape(said)}" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
    )
    return f'{opening}<polyline points="{points}"/>{dot}</svg>'


def _values(alike: list[Entry]) -> list[float]:
    return [entry.headline.value for entry in alike if entry.headline and entry.headline.value is not None]


def _alert(state: AlertState, entries: list[Entry]) -> str:
    """An alert that is on, and since when."""
    began = entries[-1]
    for entry in reversed(entries):
        if not any(other.alert == state.alert and other.is_on is not False for other in entry.alerts):
            break
        began = entry
    when = "new in this run" if state.fired else f"since {began.when.day} {began.when:%B %Y}"
    return (
        f'<p class="alert"><strong>Alert</strong>, {when}: <code>{escape(visible(state.alert))}</code>, {escape(visible(state.said))}.</p>'
    )
