"""`tokcost report`: the command line over it all."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path

import click

from tokcost.errors import InputError
from tokcost.paths import chosen_data
from tokcost.report.columns import print_table
from tokcost.report.errors import ReportError
from tokcost.show.text import visible

#: what a report writes, each after its name
ENDINGS = ("html", "result.json", "ipynb")

#: where the history of reports is, for help texts
HISTORY_DEFAULT = "[default: reports/history.sqlite; with another --output, history.sqlite in it]"

_HELP = """Execute notebooks and write each as an HTML report that stands alone.

TARGET is a notebook (a path, or the bare name of one of the suite), a report definition (*.toml), or a directory of
definitions. Several targets also get an index.html.

\b
  tokcost report reports                                    the default set
  tokcost report 01-what-does-a-million-tokens-cost         one notebook, its own values
  tokcost report 01-what-does-a-million-tokens-cost -p rate_usd_per_gpu_h=2.5
  tokcost report my-notebook.ipynb -f cluster.toml --output out

Values are checked before anything runs: an unknown name, a wrong type or an implausible number stops with exit status 2
and nothing is written. A report whose notebook fails has exit status 1; what ran is kept in OUTPUT/failed, and an earlier
good report stays as it was. Where all reports are made and an alert of a definition fires, the exit status is 3.

Beside NAME.html come NAME.result.json (the numbers, for programs) and NAME.ipynb (the executed notebook); with --tables
also NAME.tables/*.csv (the rows of every table and figure) and NAME.xlsx (the same in one workbook, its costs as formulas).
Their paths are printed on stdout, one a line; progress goes to stderr. Each run is remembered: see tokcost history, tokcost
diff.
"""


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("-p", "--parameter", "pairs", metavar="NAME=VALUE", multiple=True, help="Set a parameter; wins over files. Repeatable.")
@click.option(
    "-f", "--parameters-file", "files", metavar="FILE", multiple=True, help="Set parameters from .toml or .yaml; a later file wins."
)
@click.option("-o", "--output", metavar="DIR", default="reports/output", show_default=True, help="Where reports are written.")
@click.option("--dry-run", is_flag=True, help="Show what would run, with which values and where each came from; write nothing.")
@click.option("--help-parameters", is_flag=True, help="List the parameters of TARGET with default, unit, range and meaning.")
@click.option("--show-code", is_flag=True, help="Show the code of the notebook in the report.")
@click.option("--index", is_flag=True, help="Write index.html also beside a single report; several always have one.")
@click.option("--tables", is_flag=True, help="Also write the rows of every table and figure: NAME.tables/*.csv and NAME.xlsx.")
@click.option("--history", metavar="FILE", help=f"Where runs are remembered.  {HISTORY_DEFAULT}")
@click.option("--timeout", metavar="SECONDS", type=click.IntRange(min=1), default=600, show_default=True, help="Longest time for a cell.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def report(targets, pairs, files, output, dry_run, help_parameters, show_code, index, tables, history, timeout, quiet):
    from tokcost.report.request import definition, layers
    from tokcost.report.request.plan import plan

    directory = Path(output)
    try:
        if not output.strip():
            raise ReportError("--output is empty; name a directory, such as --output out")
        jobs, refused = definition.jobs(targets)
        if help_parameters and not refused:
            _show_parameters(jobs)
            return
        chosen_data()
        given = [layers.from_file(Path(file)) for file in files] + [layers.from_command_line(pairs)]
        plans, unfit = plan(jobs, given)
        refused += unfit
        if refused and (dry_run or help_parameters or not plans):
            raise ReportError("; ".join(one.reason for one in refused))
        if dry_run:
            _show_plans(plans, directory, (*ENDINGS, "xlsx", "tables/*.csv") if tables else ENDINGS)
            return
        from tokcost.report.execution.files import prepare

        endings = (*ENDINGS, "xlsx") if tables else ENDINGS
        prepare(directory, [f"{ready.job.name}.{ending}" for ready in plans for ending in endings] + ["index.html", "glossary.html"])
    except InputError as error:
        print(f"tokcost report: {visible(error)}", file=sys.stderr)
        sys.exit(2)
    remembered = Path(history) if history else None
    options = {"show_code": show_code, "index": index, "tables": tables, "timeout_s": timeout, "history": remembered}
    sys.exit(_build(directory, plans, refused, quiet, **options))


def _build(directory, plans, refused, quiet, **options) -> int:
    from tokcost.report.execution.kernel import begin_imports

    begin_imports()  # while this process imports what it needs itself
    from tokcost.report.build import ReportBuilder
    from tokcost.report.progress import Progress

    builder = ReportBuilder(directory, plans, Progress(quiet=quiet), refused=refused, **options)
    try:
        with termination_as_interrupt():
            builder.build_all()
    except KeyboardInterrupt:
        print("tokcost report: interrupted; reports that were not finished are as they were", file=sys.stderr)
        return 130
    if not quiet:
        for path in builder.written:
            print(path)
    return 1 if builder.failed else 3 if builder.alerted else 0


@contextlib.contextmanager
def termination_as_interrupt():
    """A polite kill ends like Ctrl-C: the kernel is stopped and nothing half-written stays."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    # Ctrl-C too: a job that a shell put into the background inherits it as ignored. A terminal that is closed hangs up.
    kinds = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, interrupt) for number in kinds}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
