"""One report, made whole wherever it is asked for: in this process, in one of its own, or on a machine of a cluster."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokcost.errors import InputError
from tokcost.report.errors import ReportFailed
from tokcost.report.execution.files import locked, write_all
from tokcost.report.execution.kernel import light_import
from tokcost.report.memory.journal import Journal, Since
from tokcost.report.memory.remember import entry_of, named_files, place
from tokcost.report.memory.store import Entry
from tokcost.report.page.around import Around
from tokcost.report.page.index import HOME
from tokcost.report.page.private import Places
from tokcost.report.progress import Progress
from tokcost.report.request.plan import Plan
from tokcost.report.request.reading import read_notebook
from tokcost.show.text import visible

if TYPE_CHECKING:
    from tokcost.report.execution.run import Run

#: from here on a page is worth a note: it still opens, but is slow to send and to open on a phone
LARGE_PAGE_BYTES = 1_000_000


@dataclass(frozen=True)
class Options:
    """How reports are made."""

    show_code: bool
    tables: bool
    timeout_s: int
    memory_mb: int | None = None
    history: Path | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Task:
    """A report to make. `around` is what its page leads to; None where the reports of its directory are not to be looked at."""

    plan: Plan
    directory: Path
    options: Options
    around: Around | None = None


@dataclass(frozen=True)
class Page:
    """What a page is made from."""

    task: Task
    run: Any
    contents: Any
    since: Since | None

    def html(self, around: Around | None, note: Callable[[str], None] = lambda sentence: None) -> str:
        from tokcost.report.page.html import render
        from tokcost.report.page.since import section

        job = self.task.plan.job
        return render(
            self.run,
            self.contents,
            show_code=self.task.options.show_code or job.show_code,
            one_page=job.one_page,
            links=around.links if around else {},
            moves=around.moves(job.name) if around else HOME,
            since=section(self.since) if self.since else "",
            warn=lambda sentence: note(f"{job.name}: {sentence}"),
        )


@dataclass(frozen=True)
class Outcome:
    """What became of a report: the run to be remembered, or None where it failed; its files; and what is to be said of it.

    `page` is there where it leads to others, so that it can be written again without those that failed.
    """

    entry: Entry | None
    written: list[Path] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0
    page: Page | None = None


class _Kept(Progress):
    """Keeps what is said, for whoever asked."""

    def __init__(self, *, quiet: bool):
        super().__init__(quiet=quiet)
        self.is_terminal = False
        self.said: list[str] = []

    def error(self, sentence: str) -> None:
        self.said.append(sentence)

    def done(self, *about) -> None:
        pass


def make(task: Task, progress: Progress | None = None) -> Outcome:
    """Make one report and publish it whole; what fails is said and kept aside.

    The history is left to the one who asked, so that nothing is remembered twice. What is said goes to `progress`, or into the outcome.
    """
    begin = time.monotonic()
    kept = progress or _Kept(quiet=task.options.quiet)
    try:
        made = _made(task, kept)
    except Exception as error:  # the other reports still run
        fail(task, error, kept)
        made = Outcome(None)
    return Outcome(made.entry, made.written, getattr(kept, "said", []), time.monotonic() - begin, made.page)


def _made(task: Task, progress: Progress) -> Outcome:
    from tokcost.report.execution.run import execute

    job, settings, options = task.plan.job, task.plan.settings, task.options
    for name in task.plan.unused:
        progress.note(f"{job.name}: has no parameter `{name}`, which another report takes")
    return published(
        task, execute(job, settings, on_cell=progress.cell, timeout_s=options.timeout_s, memory_mb=options.memory_mb), progress
    )


def published(task: Task, run: Run, progress: Progress) -> Outcome:
    """The files of a report whose notebook was run."""
    from tokcost.report.page.contents import split_contents
    from tokcost.report.page.record import record, to_json

    job, settings, options = task.plan.job, task.plan.settings, task.options
    places = Places(job.notebook, settings)
    run.notebook, run.settings = places.notebook(run.notebook), [places.setting(setting) for setting in run.settings]
    for warning in run.warnings:
        progress.note(f"{job.name}: warning in {warning}")
    try:
        contents = split_contents(run.notebook, job.name, job.title)
    except ReportFailed as failure:
        failure.notebook = run.notebook
        raise
    content = record(run, contents)
    entry = entry_of(content, read_notebook(job.notebook), named_files(settings, job.notebook))
    journal = Journal(options.history or place(task.directory), progress.error)
    page = Page(task, run, contents, journal.since(entry))
    html = page.html(task.around, progress.note)
    if len(html.encode()) > LARGE_PAGE_BYTES:
        size = len(html.encode()) / LARGE_PAGE_BYTES
        progress.note(f"{job.name}: the page is {size:.1f} MB; show fewer points or smaller pictures if it is to be sent by mail")
    texts: dict[str, str | bytes] = {
        f"{job.name}.html": html,
        f"{job.name}.result.json": to_json(content),
        f"{job.name}.ipynb": _notebook_text(run.notebook),
    }
    if options.tables:
        from tokcost.report.page.take import tables

        texts |= tables(run, contents)
    written = _publish(task, texts)
    progress.done(job.name, len(run.notebook.cells), run.seconds, task.directory / f"{job.name}.html")
    return Outcome(entry, written, page=page if task.around else None)


def _publish(task: Task, texts: dict[str, str | bytes]) -> list[Path]:
    name = task.plan.job.name
    with locked(task.directory):
        written = write_all(task.directory, texts)
        for left_over in (task.directory / f"{name}.tables").glob("*.csv") if task.options.tables else ():
            if f"{name}.tables/{left_over.name}" not in texts:  # of an earlier run that showed more
                left_over.unlink()
        (task.directory / "failed" / f"{name}.ipynb").unlink(missing_ok=True)
    return written


def fail(task: Task, error: Exception, progress: Progress) -> None:
    """Say that a report failed, and keep what there is of it."""
    job = task.plan.job
    failure = error if isinstance(error, ReportFailed) else ReportFailed(f"{job.name}: {unforeseen(error)}")
    keep_aside(task.directory, job.name, failure, progress, Places(job.notebook, task.plan.settings), job.notebook)


def keep_aside(directory: Path, name: str, failure: ReportFailed, progress: Progress, places: Places, source: Path | None = None) -> None:
    """Say a failure, and keep what there is of the report for the index and for whoever looks into it."""
    progress.error(f"FAILED {failure}")
    try:
        notebook = places.notebook(failure.notebook or (read_notebook(source) if source else _empty_notebook()))
        when = datetime.now(UTC).isoformat(timespec="seconds")
        notebook["metadata"]["tokcost"] = {"failure": visible(places.hidden(str(failure))), "at": when}
        with locked(directory):
            (path,) = write_all(directory, {f"failed/{_file_stem(name)}.ipynb": _notebook_text(notebook)})
    except Exception as error:
        progress.error(f"       {name}: what ran could not be kept: {error}")
        return
    if notebook["cells"]:
        progress.error(f"       {name}: what ran is kept at {path}")


def unforeseen(error: Exception) -> str:
    """Why something was not made, in a sentence."""
    if isinstance(error, (InputError, ReportFailed)):
        return str(error)
    return f"the page could not be made: {type(error).__name__}: {error}"


def _empty_notebook() -> dict:
    return {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _file_stem(name: str) -> str:
    """A name as it can stand in a folder, of a report that got none of its own."""
    return re.sub(r"[^\w .,+()-]", "_", name)[:200]


def _notebook_text(notebook) -> str:
    """As JupyterLab and the committed notebooks write it: sources and outputs as lists of lines."""
    with light_import():
        import nbformat
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"


def import_ahead() -> None:
    """Load what making a report takes, in a process that others are copied from."""
    with light_import():
        import papermill  # noqa: F401
        from nbformat.validator import get_validator
    import tokcost.report.execution.provisioner
    import tokcost.report.page.since
    import tokcost.report.page.take  # noqa: F401
    from tokcost.report.page.html import exporter
    from tokcost.report.page.record import versions

    get_validator(4, 5)
    exporter()
    versions()
