"""`tokcost report`: the command line over it all."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tokcost.errors import InputError
from tokcost.report.columns import print_table
from tokcost.report.errors import ReportError
from tokcost.report.making import (
    ENDINGS,
    INTERRUPTED,
    asked_options,
    in_this_process,
    made_options,
    make_all,
    on_this_machine,
    options_of,
    planned,
    prepare,
)
from tokcost.show.text import visible

_HELP = """Execute notebooks and write each as an HTML report that stands alone.

TARGET is a notebook (a path, or the bare name of one of the suite), a report definition, or a folder of definitions. A report
definition is a small file (NAME.toml) that names a notebook, the values of its parameters and the title of the report.

\b
  tokcost report reports                                    the default set
  tokcost report 01-what-does-a-million-tokens-cost         one notebook, with the values that it has
  tokcost report 01-what-does-a-million-tokens-cost -p rate_usd_per_gpu_h=2.5
  tokcost report my-notebook.ipynb -f cluster.toml --output out

Several reports are made at once, and get an index.html that lists them. One that fails costs no other.

Values are checked before anything runs: an unknown name, a wrong type or an implausible number stops with exit status 2
and nothing is written. Where a notebook fails, the exit status is 1; what ran is kept in OUTPUT/failed, and an earlier good
report stays as it was. Where all reports are made and an alert of a definition fires, the exit status is 3.

Beside NAME.html come NAME.result.json (the numbers, for programs) and NAME.ipynb (the executed notebook); with --tables
also NAME.tables/*.csv (the rows of every table and figure) and NAME.xlsx (the same in one workbook, its costs as formulas).
Their paths are printed on stdout, one a line; progress goes to stderr. Each run is remembered: `tokcost history` lists
them, `tokcost diff` says why a headline moved. For hundreds of reports see `tokcost batch`; for reports at fixed times, by
mail, `tokcost schedule`.
"""


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@asked_options
@click.option("--dry-run", is_flag=True, help="Show what would run, with which values and where each came from; write nothing.")
@click.option("--help-parameters", is_flag=True, help="List the parameters of TARGET with default, unit, range and meaning.")
@click.option("--index", is_flag=True, help="Write index.html also beside a single report; several always have one.")
@made_options
def report(targets, pairs, files, output, dry_run, help_parameters, index, **asked):
    from tokcost.report.request import definition

    directory = Path(output)
    try:
        jobs, refused = definition.jobs(targets)
        if help_parameters and not refused:
            _show_parameters(jobs)
            return
        plans, refused = planned(jobs, refused, files, pairs, output)
        if refused and (dry_run or help_parameters):
            raise ReportError("; ".join(one.reason for one in refused))
        if dry_run:
            _show_plans(plans, directory, (*ENDINGS, "xlsx", "tables/*.csv") if asked["tables"] else ENDINGS)
            return
        prepare(directory, plans, tables=asked["tables"])
    except InputError as error:
        print(f"tokcost report: {visible(error)}", file=sys.stderr)
        sys.exit(2)
    from tokcost.report.progress import Progress

    progress = Progress(quiet=asked["quiet"])
    is_one = len(plans) == 1 and asked["report_timeout"] is None
    engine = in_this_process(progress) if is_one else on_this_machine(asked["workers"], asked["report_timeout"])
    from tokcost.report.batch import Batch

    batch = Batch(directory, plans, progress, options_of(asked), refused=refused, index=index)
    status = make_all("report", engine, batch)
    if status != INTERRUPTED and not asked["quiet"]:
        for path in batch.written:
            print(path)
    sys.exit(status)


def _show_parameters(jobs) -> None:
    from tokcost.report.page.html import exact
    from tokcost.report.request.declared import read_exclusions, read_parameters

    for job in jobs:
        rows = [(p.name, exact(p.default), p.unit, p.allowed, p.meaning) for p in read_parameters(job.notebook)]
        print_table(job.notebook.name, ("parameter", "default", "unit", "allowed", "meaning"), rows)
        for exclusion in read_exclusions(job.notebook):
            print(f"  {exclusion}")


def _show_plans(plans, directory: Path, endings: tuple[str, ...]) -> None:
    from tokcost.report.page.html import exact

    for ready in plans:
        rows = [(s.parameter.name, exact(s.value), s.parameter.unit, s.origin) for s in ready.settings]
        print_table(f"{ready.job.name}: {ready.job.notebook}", ("parameter", "value", "unit", "from"), rows)
        for ending in endings:
            print(f"  would write {directory / f'{ready.job.name}.{ending}'}")
    if len(plans) > 1:
        print(f"\nwould write {directory / 'index.html'}")
