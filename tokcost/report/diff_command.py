"""`tokcost diff`: why the headline of a report moved from one run to another."""

from __future__ import annotations

import json
import sys

import click

from tokcost.errors import InputError
from tokcost.report.columns import print_table
from tokcost.report.errors import ReportError
from tokcost.report.history_command import opened
from tokcost.report.memory.bridge import Bridge, bridge, comparable
from tokcost.report.memory.remember import USUAL_OUTPUT, place
from tokcost.report.memory.rows import moved_rows
from tokcost.report.memory.store import Entry
from tokcost.report.rerun import run_between
from tokcost.show.text import visible

_HELP = f"""Say why the headline of a report moved from one run to another.

RUN is the number of a run; `tokcost history` lists them. The change is split into contributions that add up: the inputs of
the headline (such as price, throughput, utilization), data rows, and our own method: the code of the package and of the
notebook. What each contributes depends on what changed before it, so it is averaged over all orders. A change of our own
method is never mixed with a change of prices, runs or data; where both changed at once and no run tells them apart, the
answer says so, and --rerun makes such a run: the present code on the data and the parameters of the first RUN. It is not
recorded.

\b
  tokcost history 01-what-does-a-million-tokens-cost        which runs there are
  tokcost diff 3 7                                          from run 3 to run 7
  tokcost diff 3 7 --rerun                                  the same where code and data changed at once
  tokcost diff 3 7 --format json                            the same, for programs

The history is {place(USUAL_OUTPUT)}; --history FILE names another.
"""


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.argument("before", metavar="RUN", type=click.IntRange(min=1))
@click.argument("after", metavar="RUN", type=click.IntRange(min=1))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to print it.")
@click.option("--history", "file", metavar="FILE", help=f"The history to read.  [default: {place(USUAL_OUTPUT)}]")
@click.option("--rerun", is_flag=True, help="Tell method and world apart: run the present code on the data of the first RUN.")
def diff(before, after, form, file, rerun):
    try:
        past = opened(file)
        entries = past.runs()
        found = _bridge(_numbered(entries, before), _numbered(entries, after), entries)
        if rerun and found.is_mixed:
            found = _bridge(found.before, found.after, [run_between(found.before, found.after, past)])
        rows = moved_rows(found.changed_tables, past.content)
    except InputError as error:
        print(f"tokcost diff: {visible(error)}", file=sys.stderr)
        sys.exit(2)
    {"table": _print_bridge, "json": _print_json}[form](found, rows)


def _numbered(entries: list[Entry], number: int) -> Entry:
    for entry in entries:
        if entry.run_id == number:
            return entry
    known = f"; its last is run {entries[-1].run_id}" if entries else ""
    raise ReportError(f"the history has no run {number}{known}; `tokcost history` lists the runs")


def _bridge(before: Entry, after: Entry, entries: list[Entry]) -> Bridge:
    if before.report != after.report:
        raise ReportError(
            f"run {before.run_id} is of {before.report}, run {after.run_id} of {after.report}; compare two runs of one report"
        )
    found = bridge(before, after, entries)
    if found is None:
        raise ReportError(f"runs {before.run_id} and {after.run_id} have no headline in common; see tokcost history --format csv")
    return found


def _print_bridge(found: Bridge, rows: list[str]) -> None:
    from tokcost.report.page.since import input_of, lead, remarks, signed

    print(lead(found))
    if found.steps:
        lines = [(visible(step.label), signed(found.new, step.contribution), input_of(step)) for step in found.steps]
        print_table("", ("reason", "effect", "from, to"), [*lines, ("together", signed(found.new, found.change), "")])
    for sentence in ["", *remarks(found)]:
        print(sentence)
    if not comparable(found.before, found.after):
        print("The two runs were asked different things: what their parameters changed is no change of the world.")
    if rows:
        print("\nData rows that changed:")
        for row in rows:
            print(f"  {visible(row)}")


def _print_json(found: Bridge, rows: list[str]) -> None:
    content = {
        "before": {"run_id": found.before.run_id, "started": found.before.started, "value": found.old.value},
        "after": {"run_id": found.after.run_id, "started": found.after.started, "value": found.new.value},
        "name": found.new.name,
        "unit": found.new.unit,
        "change": found.change,
        "steps": [vars(step) for step in found.steps],
        "method_and_world_are_apart": not found.is_mixed,
        "through": found.through and found.through.results[0].value,
        "through_run_id": found.through and found.through.run_id,
        "changed_method": found.changed_method,
        "changed_parameters": {name: {"before": a, "after": b} for name, (a, b) in found.changed_parameters.items()},
        "changed_rows": rows,
    }
    print(json.dumps(content, indent=1, ensure_ascii=False))
