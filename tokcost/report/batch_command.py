"""`tokcost batch`: many reports at once."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from tokcost.errors import InputError
from tokcost.report.columns import print_table
from tokcost.report.errors import ReportError
from tokcost.report.making import INTERRUPTED, asked_options, made_options, make_all, on_this_machine, options_of, planned, prepare
from tokcost.show.text import visible

_HELP = """Make hundreds of reports: one for each row of a table, or those of many definitions.

TARGET is a notebook (with --each, which names the table), a report definition (NAME.toml), or a folder of definitions. Unlike
`tokcost report` it can go on where it was stopped, says how much time is left, and ends with a table of what became of each;
pages lead to the index, not to each other.

\b
  tokcost batch 01-what-does-a-million-tokens-cost --each clusters.csv -o out
  tokcost batch definitions --workers 16 -o out    those of all *.toml in the folder `definitions`
  tokcost batch definitions -o out --resume        only what is missing, failed, or made from other inputs

The first line of clusters.csv holds names of parameters (`tokcost report --help-parameters NOTEBOOK` lists them), each line
below it the values of one report; a column `name` says how its files are called. This table makes two reports, NOTEBOOK-berlin
and NOTEBOOK-austin:

\b
  name,rate_usd_per_gpu_h,utilization_frac
  berlin,2.10,0.4
  austin,1.70,0.6

Each report is made in a process of its own, written whole or not at all, and remembered as tokcost report does it (see
tokcost history). One that fails, takes too long or takes too much memory costs no other. Ctrl-C ends all; what is made stays.

With --dask the work goes to a Dask cluster that runs already (pip install "tokcost[dask]" here and on its machines); notebooks,
data and output must have the same paths on all of them. A machine that is lost loses no report.

Exit status: 0 all are made, 1 one or more failed, 2 the request was wrong and nothing was done, 3 an alert fired.
"""


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@asked_options
@click.option("--each", metavar="FILE.csv", help="Make a report of the notebook TARGET for each row of this table.")
@click.option("--resume", is_flag=True, help="Go on with a batch that was stopped: what is made from the same inputs is left as it is.")
@click.option("--dask", metavar="ADDRESS", help="Make them on the Dask cluster at this address, such as tcp://host:8786.")
@made_options
def batch(targets, pairs, files, output, each, resume, dask, **asked):
    from tokcost.report.request import definition

    directory, workers, longest_s = Path(output), asked["workers"], asked["report_timeout"]
    try:
        jobs, refused = definition.jobs_of_rows(targets, each) if each else definition.jobs(targets)
        plans, refused = planned(jobs, refused, files, pairs, output)
        on_cluster = _on_cluster(dask, workers, longest_s) if dask else None
        prepare(directory, plans, tables=asked["tables"])
    except InputError as error:
        print(f"tokcost batch: {visible(error)}", file=sys.stderr)
        sys.exit(2)
    engine = on_cluster or on_this_machine(workers, longest_s)
    from tokcost.report.batch import Batch
    from tokcost.report.progress import Progress

    made = Batch(directory, plans, Progress(quiet=asked["quiet"]), options_of(asked), refused=refused, index=True, resumable=True)
    status = make_all("batch", engine, made, resume=resume)
    if status != INTERRUPTED and not asked["quiet"]:
        counts = Counter(row.status for row in made.rows)
        title = ", ".join(f"{counts[one]} {one}" for one in ("made", "alert", "unchanged", "failed") if counts[one])
        rows = [(row.name, row.status, f"{row.seconds:.1f}", visible(row.said)) for row in made.rows]
        print_table(f"{len(rows)} reports in {directory}: {title}", ("report", "status", "seconds", "why"), rows)
    sys.exit(status)


def _on_cluster(address: str, workers: int | None, longest_s: int | None):
    from tokcost.report.cluster import connected

    if workers or longest_s:
        raise ReportError("--workers and --report-timeout are of this machine; a Dask cluster has its own workers: leave them out")
    return connected(address)
