"""`tokcost history`: which runs were made, and what they said."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from pathlib import Path

import click

from tokcost.errors import InputError
from tokcost.quantities import nearest
from tokcost.report.columns import print_table
from tokcost.report.errors import ReportError
from tokcost.report.memory.remember import USUAL_OUTPUT, place
from tokcost.report.memory.store import Entry, History
from tokcost.show.text import visible
from tokcost.spreadsheet import guarded

_HELP = """List the runs of reports that were made, with their headline values.

Every report that `tokcost report` makes is remembered: its results with their ranges, its parameters, its checks, and
fingerprints of the data and of the code. NOTEBOOK narrows the list to one report, by its name or its notebook.

\b
  tokcost history                                           all runs, the oldest first
  tokcost history 01-what-does-a-million-tokens-cost        one report
  tokcost history --format csv > history.csv                every result of every run, a row each
  tokcost history --history out/history.sqlite              of reports that were made with --output out
  tokcost history --prune-days 365 --prune-keep 100         forget old runs

In the table, `method` and `data` are fingerprints: where one differs from the run before, the code or the data tables did.
Fingerprints stand in full in csv and json, which carry all results; the table shows the first, the headline.
"""

#: characters of a fingerprint that people compare by eye
SHORT = 7


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.argument("notebook", required=False)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True, help="How to print it.")
@click.option("--last", metavar="N", type=click.IntRange(min=1), help="Only the last N runs of each report.")
@click.option("--history", "file", metavar="FILE", help=f"The history to read.  [default: {place(USUAL_OUTPUT)}]")
@click.option("--prune-days", metavar="DAYS", type=click.IntRange(min=0), help="Forget runs that are older, and list nothing.")
@click.option("--prune-keep", metavar="N", type=click.IntRange(min=1), help="Forget all but the last N runs of each report.")
def history(notebook, form, last, file, prune_days, prune_keep):
    try:
        past = opened(file)
        if prune_days is not None or prune_keep is not None:
            _prune(past, notebook, prune_days, prune_keep)
            return
        entries = past.runs(last=last)
        if notebook:
            entries = _only(entries, notebook)
    except InputError as error:
        print(f"tokcost history: {visible(error)}", file=sys.stderr)
        sys.exit(2)
    {"table": _print_entries, "csv": _print_csv, "json": _print_json}[form](entries)


def opened(file: str | None) -> History:
    """The history that a command was asked to read."""
    path = Path(file) if file else place(USUAL_OUTPUT)
    if not path.is_file():
        how = "it stands in the folder of --output" if file else "make a report first, or name another with --history out/history.sqlite"
        raise ReportError(f"there is no history {path}; {how}")
    return History(path)


def _prune(past: History, notebook: str | None, days: int | None, keep: int | None) -> None:
    if notebook:
        raise ReportError("pruning is for all reports alike; leave NOTEBOOK out")
    gone = past.prune(days=days, keep=keep)
    print(f"{gone} {'run' if gone == 1 else 'runs'} forgotten, {len(past.runs())} kept", file=sys.stderr)


def _only(entries: list[Entry], notebook: str) -> list[Entry]:
    wanted = Path(notebook).name.removesuffix(".ipynb").removesuffix(".toml")
    names = {name for entry in entries for name in (entry.report, entry.notebook.removesuffix(".ipynb"))}
    if wanted not in names:
        raise ReportError(f"the history has no run of {wanted}{nearest(wanted, names)}")
    return [entry for entry in entries if wanted in (entry.report, entry.notebook.removesuffix(".ipynb"))]


def _print_entries(entries: list[Entry]) -> None:
    headers = ("run", "made (UTC)", "report", "headline", "value", "range", "method", "data")
    print_table("", headers, [_row(entry) for entry in entries])


def _row(entry: Entry) -> tuple[str, ...]:
    from tokcost.report.page.since import range_of, unit_of, value_of

    first = entry.headline
    value = first and f"{value_of(first, first.value)} {unit_of(first)}".rstrip()
    said = (visible(first.label), value, range_of(first)) if first and value else ("no results", "", "")
    method = entry.method_sha256[:SHORT]
    return (str(entry.run_id), f"{entry.when:%Y-%m-%d %H:%M}", visible(entry.report), *said, method, entry.data_sha256[:SHORT])


def _print_csv(entries: list[Entry]) -> None:
    ours = ("run_id", "started", "report", "notebook")
    theirs = ("name", "label", "unit", "value", "low", "high")
    prints = ("package_sha256", "notebook_sha256", "data_sha256")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*ours, "position", *theirs, *prints, "parameters"])
    for entry in entries:
        parameters = json.dumps(entry.parameters, sort_keys=True)
        for position, result in enumerate(entry.results):
            row = [*_values(entry, ours), position, *_values(result, theirs), *_values(entry, prints), parameters]
            writer.writerow([guarded(value) for value in row])


def _values(thing: object, names: tuple[str, ...]) -> list:
    return [getattr(thing, name) for name in names]


def _print_json(entries: list[Entry]) -> None:
    print(json.dumps([dataclasses.asdict(entry) for entry in entries], indent=1, sort_keys=True, ensure_ascii=False))
