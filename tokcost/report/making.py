"""What `tokcost report` and `tokcost batch` have in common: their options, and the making of what was asked for."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tokcost.paths import chosen_data
from tokcost.report.errors import ReportError

if TYPE_CHECKING:
    from tokcost.report.batch import Batch, Engine
    from tokcost.report.one import Options
    from tokcost.report.progress import Progress
    from tokcost.report.request.definition import Job, Refused
    from tokcost.report.request.plan import Plan

#: what a report writes, each after its name
ENDINGS = ("html", "result.json", "ipynb")

#: where the history of reports is, for help texts
HISTORY_DEFAULT = "[default: reports/history.sqlite; with another --output, history.sqlite in it]"

#: the exit status after Ctrl-C, as shells have it
INTERRUPTED = 130

_ASKED = (
    click.argument("targets", metavar="TARGET...", nargs=-1, required=True),
    click.option("-p", "--parameter", "pairs", metavar="NAME=VALUE", multiple=True, help="Set a parameter; wins over files. Repeatable."),
    click.option(
        "-f", "--parameters-file", "files", metavar="FILE", multiple=True, help="Set parameters from .toml or .yaml; a later file wins."
    ),
    click.option("-o", "--output", metavar="DIR", default="reports/output", show_default=True, help="Where reports are written."),
)
_MADE = (
    click.option("--show-code", is_flag=True, help="Show the code of the notebook in the report."),
    click.option("--tables", is_flag=True, help="Also write the rows of every table and figure: NAME.tables/*.csv and NAME.xlsx."),
    click.option("--history", metavar="FILE", help=f"Where runs are remembered.  {HISTORY_DEFAULT}"),
    click.option(
        "--workers", metavar="N", type=click.IntRange(min=1), help="How many reports are made at once.  [default: one for each processor]"
    ),
    click.option(
        "--timeout", metavar="SECONDS", type=click.IntRange(min=1), default=600, show_default=True, help="Longest time for a cell."
    ),
    click.option("--report-timeout", metavar="SECONDS", type=click.IntRange(min=1), help="Longest time for a report.  [default: none]"),
    click.option(
        "--memory", metavar="MB", type=click.IntRange(min=100), help="Most memory for the cells of a notebook.  [default: no limit]"
    ),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
)


def asked_options(command: Callable) -> Callable:
    """What is to be made, with which values, and where to."""
    return _with(command, _ASKED)


def made_options(command: Callable) -> Callable:
    """How it is made."""
    return _with(command, _MADE)


def _with(command: Callable, options: tuple[Callable, ...]) -> Callable:
    for option in reversed(options):
        command = option(command)
    return command


def planned(jobs: list[Job], refused: list[Refused], files: tuple[str, ...], pairs: tuple[str, ...], output: str):
    """The plans of all jobs, and those that are refused; raises InputError where the whole request is wrong."""
    from tokcost.report.request import layers
    from tokcost.report.request.plan import plan

    if not output.strip():
        raise ReportError("--output is empty; name a directory, such as --output out")
    chosen_data()
    plans, unfit = plan(jobs, [layers.from_file(Path(file)) for file in files] + [layers.from_command_line(pairs)])
    if (refused := [*refused, *unfit]) and not plans:
        raise ReportError("; ".join(one.reason for one in refused))
    return plans, refused


def prepare(directory: Path, plans: list[Plan], *, tables: bool) -> None:
    """Raises ReportError where the files of `plans` cannot be written."""
    from tokcost.report.execution import files

    endings = (*ENDINGS, "xlsx") if tables else ENDINGS
    names = [f"{ready.job.name}.{ending}" for ready in plans for ending in endings]
    files.prepare(directory, [*names, "index.html", "glossary.html"])


def on_this_machine(workers: int | None, longest_s: int | None) -> Engine:
    """An engine that makes each report in a process of its own, as many at once as there are processors."""
    from tokcost.report.execution.kernel import begin_imports

    begin_imports()  # of the kernels, while this process imports what it needs itself

    def engine(tasks):
        from tokcost.report.execution.workers import each_in_a_process
        from tokcost.report.one import import_ahead, make

        if tasks:
            import_ahead()
        at_once = workers or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))
        return each_in_a_process(tasks, make, at_once=min(at_once, len(tasks) or 1), longest_s=longest_s)

    return engine


def in_this_process(progress: Progress) -> Engine:
    """An engine for one report, whose cells are counted on the terminal as they run."""
    from tokcost.report.execution.kernel import begin_imports

    begin_imports()

    def engine(tasks) -> Iterator:
        from tokcost.report.execution.workers import Ended
        from tokcost.report.one import import_ahead, make

        import_ahead()  # while the kernel waits for its own
        for task in tasks:
            begin = time.monotonic()
            with progress.report(task.plan.job.name):
                outcome = make(task, progress)
            yield Ended(task, outcome, "", time.monotonic() - begin)

    return engine


def make_all(command: str, engine: Engine, batch: Batch, *, resume: bool = False) -> int:
    """Have all reports made: the exit status that tells what became of them."""
    try:
        with termination_as_interrupt():
            batch.run(engine, resume=resume)
    except KeyboardInterrupt:
        say = "go on with the same command and --resume" if batch.kept else "reports that were not finished are as they were"
        print(f"{batch.progress.is_terminal * chr(10)}tokcost {command}: interrupted; {say}", file=sys.stderr)
        return INTERRUPTED
    return 1 if batch.failed else 3 if batch.alerted else 0


def options_of(asked: dict[str, Any]) -> Options:
    """What was asked for, as the making of reports takes it."""
    from tokcost.report.one import Options

    limits = {"timeout_s": asked["timeout"], "memory_mb": asked["memory"]}
    history = Path(asked["history"]) if asked["history"] else None
    return Options(asked["show_code"], asked["tables"], history=history, quiet=asked["quiet"], **limits)


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
