"""`tokcost batch`: many reports at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tokcost.errors import InputError
from tokcost.paths import chosen_data
from tokcost.report.command import ENDINGS, HISTORY_DEFAULT, termination_as_interrupt
from tokcost.report.errors import ReportError
from tokcost.show.text import visible

_HELP = """Make many reports, several at once: one for each row of a table, or those of many definitions.

TARGET is a notebook (with --each), a report definition (*.toml), or a directory of definitions.

\b
  tokcost batch 01-what-does-a-million-tokens-cost --each clusters.csv -o out
  tokcost batch definitions --workers 16 -o out
  tokcost batch definitions -o out --resume        only what is missing, failed, or made from other inputs

The first line of the table that --each names holds names of parameters, each line below it the values of one report; a
column `name` says how its files are called:

\b
  name,rate_usd_per_gpu_h,utilization_frac
  berlin,2.10,0.4
  austin,1.70,0.6

With --dask the work goes to the workers of a cluster that runs already (pip install "tokcost[dask]" here and there);
notebooks, data and output must be reached by the same paths on all its machines. A worker that dies loses no report.

Each report is made in a process of its own, written whole or not at all, and remembered as tokcost report does it (see
tokcost history). One that fails, takes too long or takes too much memory costs no other. At the end a table says what became
of each. Exit status: 0 all are made, 1 one or more failed, 2 the request was wrong and nothing was done, 3 an alert fired.
"""


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--each", metavar="FILE.csv", help="Make a report of the notebook TARGET for each row of this table.")
@click.option("-p", "--parameter", "pairs", metavar="NAME=VALUE", multiple=True, help="Set a parameter in all reports. Repeatable.")
@click.option("-f", "--parameters-file", "files", metavar="FILE", multiple=True, help="Set parameters in all, from .toml or .yaml.")
@click.option("-o", "--output", metavar="DIR", default="reports/output", show_default=True, help="Where reports are written.")
@click.option("--workers", metavar="N", type=click.IntRange(min=1), help="How many are made at once.  [default: one for each CPU]")
@click.option("--resume", is_flag=True, help="Go on with a batch that was stopped: what is made from the same inputs is left as it is.")
@click.option("--show-code", is_flag=True, help="Show the code of the notebooks in the reports.")
@click.option("--tables", is_flag=True, help="Also write the rows of every table and figure: NAME.tables/*.csv and NAME.xlsx.")
@click.option("--history", metavar="FILE", help=f"Where runs are remembered.  {HISTORY_DEFAULT}")
@click.option("--timeout", metavar="SECONDS", type=click.IntRange(min=1), default=600, show_default=True, help="Longest time for a cell.")
@click.option("--report-timeout", metavar="SECONDS", type=click.IntRange(min=1), help="Longest time for a report.  [default: none]")
@click.option("--memory", metavar="MB", type=click.IntRange(min=100), help="Most memory for the cells of a notebook.  [default: no limit]")
@click.option("--dask", metavar="ADDRESS", help="Make them on the Dask cluster at this address, such as tcp://host:8786.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def batch(targets, each, pairs, files, output, workers, resume, history, report_timeout, dask, quiet, **options):
    from tokcost.report.request import definition, layers
    from tokcost.report.request.plan import plan

    directory = Path(output)
    try:
        if not output.strip():
            raise ReportError("--output is empty; name a directory, such as --output out")
        jobs, refused = definition.jobs_of_rows(targets, each) if each else definition.jobs(targets)
        chosen_data()
        plans, unfit = plan(jobs, [layers.from_file(Path(file)) for file in files] + [layers.from_command_line(pairs)])
        refused += unfit
        if refused and not plans:
            raise ReportError("; ".join(one.reason for one in refused))
        engine = _on_cluster(dask, workers, report_timeout) if dask else _on_this_machine(workers or os.cpu_count() or 1, report_timeout)
        from tokcost.report.execution.files import prepare

        prepare(directory, [f"{ready.job.name}.{ending}" for ready in plans for ending in ENDINGS] + ["index.html", "glossary.html"])
    except InputError as error:
        print(f"tokcost batch: {visible(error)}", file=sys.stderr)
        sys.exit(2)
    given = {"show_code": options["show_code"], "tables": options["tables"], "timeout_s": options["timeout"]}
    given |= {"memory_mb": options["memory"], "history": Path(history) if history else None}
    sys.exit(_made(directory, plans, refused, engine, quiet, resume, given))


def _made(directory, plans, refused, engine, quiet, resume, options) -> int:
    from tokcost.report.batch import Batch
    from tokcost.report.build import ReportBuilder
    from tokcost.report.columns import print_table
    from tokcost.report.progress import Progress

    progress = Progress(quiet=quiet)
    builder = ReportBuilder(directory, plans, progress, refused=refused, index=True, **options)
    batch = Batch(builder, progress, options | {"is_alone": True})
    try:
        with termination_as_interrupt():
            batch.run(engine, resume=resume)
    except KeyboardInterrupt:
        print("\ntokcost batch: interrupted; go on with the same command and --resume", file=sys.stderr)
        return 130
    rows = [(row.name, row.status, f"{row.seconds:.1f}", visible(row.said)) for row in sorted(batch.rows, key=lambda row: row.name)]
    if not quiet:
        counts = {status: sum(row.status == status for row in batch.rows) for status in ("made", "alert", "unchanged", "failed")}
        title = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
        print_table(f"{len(rows)} reports in {directory}: {title}", ("report", "status", "seconds", "why"), rows)
    return 1 if builder.failed else 3 if builder.alerted else 0


def _on_this_machine(workers: int, longest_s: int | None):
    from tokcost.report.execution.kernel import begin_imports
    from tokcost.report.execution.workers import each_in_a_process
    from tokcost.report.one import import_ahead, make

    def engine(tasks):
        if tasks:
            begin_imports()  # of the kernels, while this process imports what it needs itself
            import_ahead()
        return each_in_a_process(tasks, make, at_once=min(workers, len(tasks) or 1), longest_s=longest_s)

    return engine


def _on_cluster(address: str, workers: int | None, longest_s: int | None):
    from tokcost.report.cluster import connected

    if workers or longest_s:
        raise ReportError("--workers and --report-timeout are of this machine; a Dask cluster has its own workers: leave them out")
    return connected(address)
