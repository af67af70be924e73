"""What a report says of the run before: why its headline moved, as a table with a waterfall, and in sentences."""

from __future__ import annotations

from html import escape

from tokcost.quantities import UNITS
from tokcost.report.memory.bridge import METHOD, Bridge, Step
from tokcost.report.memory.journal import Since
from tokcost.report.memory.store import Entry, Result
from tokcost.report.page.html import exact, quantity
from tokcost.show.numbers import percent
from tokcost.show.text import visible

#: more changed rows than these are there for those who want to look them up
MOST_OPEN_ROWS = 5


def value_of(result: Result, value: float | None) -> str:
    """A value of a result as people read it, without its unit."""
    return quantity(result.name, value, _unit(result))[0]


def unit_of(result: Result) -> str:
    return quantity(result.name, result.value, _unit(result))[1]


def range_of(result: Result) -> str:
    if result.low is None or result.high is None:
        return ""
    return f"{value_of(result, result.low)} to {value_of(result, result.high)}"


def signed(result: Result, amount: float) -> str:
    """A change of a result, with its sign."""
    return "0" if amount == 0 else ("+" if amount > 0 else "−") + value_of(result, abs(amount))


def lead(bridge: Bridge) -> str:
    """The change in one sentence."""
    old, new = bridge.old, bridge.new
    if not bridge.steps:
        return f"{visible(new.label)} is unchanged at {value_of(new, new.value)} since {_run(bridge.before)}."
    share = f" ({'+' if bridge.change > 0 else '−'}{percent(abs(bridge.change / old.value))})" if old.value else ""
    way = f"from {value_of(old, old.value)} in {_run(bridge.before)} to {value_of(new, new.value)}"
    return f"{visible(new.label)} went {way}: {signed(new, bridge.change)}{share}."


def remarks(bridge: Bridge) -> list[str]:
    """What else is to be known of the change, a sentence each."""
    old, new, said = bridge.old, bridge.new, []
    if bridge.steps and old.low is not None and old.high is not None and new.value is not None:
        inside = old.low <= new.value <= old.high
        said.append(f"The new value is {'within' if inside else 'outside'} the range of the earlier one, {range_of(old)}.")
    if bridge.is_mixed:
        this = bridge.after.run_id or "RUN"
        which = "" if bridge.after.run_id else " (RUN is the number of this run in tokcost history)"
        how = f"To tell them apart: tokcost diff {bridge.before.run_id} {this} --rerun{which}."
        said.append(f"Method and world changed together, so that nobody can say which of them moved it. {how}")
    if bridge.through:
        said.append(f"Method and world changed together; {_run(bridge.through)} has only one of the changes and tells them apart.")
    if bridge.changed_method:
        said.append(f"{METHOD} changed: {', '.join(bridge.changed_method)}.")
    if bridge.changed_parameters:
        pairs = (f"{name} {_said(a)} to {_said(b)}" for name, (a, b) in bridge.changed_parameters.items())
        said.append(f"Parameters that changed: {visible(', '.join(pairs))}.")
    return said


def input_of(step: Step) -> str:
    """The values of an input before and after."""
    return "" if step.before is None or step.after is None else f"{step.before:,.5g} to {step.after:,.5g}"


def section(since: Since) -> str:
    """The section of a report, as HTML."""
    bridge = since.bridge
    parts = [f"<p>{escape(lead(bridge))}</p>"]
    parts += [_waterfall(bridge)] if bridge.steps else []
    parts += [f"<p>{escape(sentence)}</p>" for sentence in remarks(bridge)]
    if since.rows:
        rows = "".join(f"<li>{escape(visible(row))}</li>" for row in since.rows)
        is_open = " open" if len(since.rows) <= MOST_OPEN_ROWS else ""
        parts.append(f"<details{is_open}><summary>Data rows that changed</summary><ul>{rows}</ul></details>")
    heading = '<h2 id="since" class="label">Since the last run</h2>'
    return f'<section class="since" aria-labelledby="since">\n{heading}\n' + "\n".join(parts) + "\n</section>\n"


def _waterfall(bridge: Bridge) -> str:
    """The steps from one value to the other; the bars repeat what the numbers say, for eyes."""
    assert bridge.old.value is not None and bridge.new.value is not None
    levels = [bridge.old.value]
    for step in bridge.steps:
        levels.append(levels[-1] + step.contribution)
    low, width = min(levels), max(levels) - min(levels) or 1.0

    def bar(start: float, end: float, kind: str) -> str:
        left, span = 2 + 96 * (min(start, end) - low) / width, max(96 * abs(end - start) / width, 1.0)
        rect = f'<rect class="{kind}" x="{left:.2f}" y="1" width="{span:.2f}" height="10"/>'
        return f'<svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">{rect}</svg>'

    rows = [("Before", "", value_of(bridge.old, levels[0]), bar(levels[0], levels[0], "level"))]
    for step, start, end in zip(bridge.steps, levels, levels[1:], strict=False):
        rows.append((step.label, input_of(step), signed(bridge.new, step.contribution), bar(start, end, "up" if end > start else "down")))
    rows.append(("Now", "", value_of(bridge.new, bridge.new.value), bar(levels[-1], levels[-1], "level")))
    body = "".join(
        f'<tr><th scope="row">{escape(label)}{f"<small>{escape(values)}</small>" if values else ""}</th>'
        f'<td class="number">{escape(amount)}</td><td class="bar">{drawn}</td></tr>\n'
        for label, values, amount, drawn in rows
    )
    unit = unit_of(bridge.new)
    caption = f"Why it moved{f' ({unit})' if unit else ''}: contributions that add up, averaged over the orders of change"
    head = '<tr><th scope="col">Reason</th><th scope="col" class="number">Effect</th><td></td></tr>'
    return f'<table class="waterfall"><caption>{escape(caption)}</caption><thead>{head}</thead><tbody>\n{body}</tbody></table>'


def _run(entry: Entry) -> str:
    if entry.run_id is None:
        return "a run made for this comparison"
    return f"run {entry.run_id} of {entry.when.day} {entry.when:%B %Y}"


def _said(value: object) -> str:
    return "none" if value is None else exact(value)


def _unit(result: Result) -> str:
    return UNITS.get(result.unit, ("", ""))[0]
