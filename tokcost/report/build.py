"""From plans to files: run each report, publish it whole, and keep a failed one aside."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tokcost.errors import InputError
from tokcost.report.errors import ReportFailed
from tokcost.report.execution.files import locked, write_all
from tokcost.report.execution.kernel import light_import
from tokcost.report.memory.journal import Journal, Since
from tokcost.report.memory.remember import entry_of, named_files, place
from tokcost.report.memory.store import Entry
from tokcost.report.page.private import Places
from tokcost.report.progress import Progress
from tokcost.report.request.alerts import Alert
from tokcost.report.request.definition import Refused
from tokcost.report.request.plan import Plan
from tokcost.report.request.reading import read_notebook
from tokcost.show.text import literal, visible

#: pages beside the reports
NO_REPORTS = ("index", "glossary")
#: from here on a page is worth a note: it still opens, but is slow to send and to open on a phone
LARGE_PAGE_BYTES = 1_000_000


class ReportBuilder:
    """Makes reports in one directory, one after another; `failed` names those that did not come to be, `alerted` the alerts that fired."""

    def __init__(
        self,
        directory: Path,
        plans: list[Plan],
        progress: Progress,
        *,
        refused: Sequence[Refused] = (),
        show_code: bool,
        index: bool = False,
        tables: bool = False,
        timeout_s: int,
        memory_mb: int | None = None,
        history: Path | None = None,
        is_alone: bool = False,
    ):
        """`is_alone`: the reports of the directory are made elsewhere too, and this one is not to look at them."""
        self.directory, self.plans, self.progress, self.refused = directory, plans, progress, refused
        self.show_code, self.index, self.tables, self.is_alone = show_code, index, tables, is_alone
        self.limits = {"timeout_s": timeout_s, "memory_mb": memory_mb}
        self.written: list[Path] = []
        self.failed: list[str] = []
        self.made: list[tuple] = []
        self.alerted: list[str] = []
        self.since: dict[str, Since | None] = {}
        self.journal = Journal(history or place(directory), progress.error)

    def build_all(self) -> None:
        for one in self.refused:
            self.keep_aside_refused(one)
        for ready in self.plans:
            with self.progress.report(ready.job.name):
                entry = self.build(ready)
            if entry is not None:
                self.remember(entry, ready.job.alerts)
        self.close()

    def close(self) -> None:
        """Once all are made: no page links to one that failed, and the index lists them."""
        try:
            self._unlink_failed()
            if self._has_index():
                self._write_index()
        except Exception as error:  # the reports are made
            self.failed.append("index.html")
            self.progress.error(f"FAILED index.html: {_unforeseen(error)}")

    def build(self, ready: Plan) -> Entry | None:
        """Make one report and publish it whole: the run to remember; None where it failed, which is said and kept aside."""
        try:
            return self._build(ready)
        except Exception as error:  # the other reports still run
            self.fail(ready, error)
            return None

    def keep_aside_refused(self, one: Refused) -> None:
        self._keep_aside(one.name, ReportFailed(f"{one.name}: {one.reason}"), Places(Path(one.name)))

    def fail(self, ready: Plan, error: Exception) -> None:
        job = ready.job
        failure = error if isinstance(error, ReportFailed) else ReportFailed(f"{job.name}: {_unforeseen(error)}")
        self._keep_aside(job.name, failure, Places(job.notebook, ready.settings), job.notebook)

    def _build(self, ready: Plan) -> Entry:
        from tokcost.report.execution.run import execute
        from tokcost.report.page.contents import split_contents
        from tokcost.report.page.record import record, to_json

        job = ready.job
        for name in ready.unused:
            self.progress.note(f"{job.name}: has no parameter `{name}`, which another report takes")
        run = execute(job, ready.settings, on_cell=self.progress.cell, **self.limits)
        places = Places(job.notebook, ready.settings)
        run.notebook, run.settings = places.notebook(run.notebook), [places.setting(setting) for setting in run.settings]
        for warning in run.warnings:
            self.progress.note(f"{job.name}: warning in {warning}")
        try:
            contents = split_contents(run.notebook, job.name, job.title)
        except ReportFailed as failure:
            failure.notebook = run.notebook
            raise
        content = record(run, contents)
        entry = entry_of(content, read_notebook(job.notebook), named_files(ready.settings, job.notebook))
        self.since[job.name] = self.journal.since(entry)
        html = self._render(run, contents)
        if len(html.encode()) > LARGE_PAGE_BYTES:
            size = len(html.encode()) / LARGE_PAGE_BYTES
            self.progress.note(f"{job.name}: the page is {size:.1f} MB; show fewer points or smaller pictures if it is to be sent by mail")
        texts: dict[str, str | bytes] = {
            f"{job.name}.html": html,
            f"{job.name}.result.json": to_json(content),
            f"{job.name}.ipynb": _notebook_text(run.notebook),
        }
        if self.tables:
            from tokcost.report.page.take import tables

            texts |= tables(run, contents)
        with locked(self.directory):
            self.written += write_all(self.directory, texts)
            for left_over in (self.directory / f"{job.name}.tables").glob("*.csv") if self.tables else ():
                if f"{job.name}.tables/{left_over.name}" not in texts:  # of an earlier run that showed more
                    left_over.unlink()
            (self.directory / "failed" / f"{job.name}.ipynb").unlink(missing_ok=True)
        self.made.append((run, contents))
        self.progress.done(job.name, len(run.notebook.cells), run.seconds, self.directory / f"{job.name}.html")
        return entry

    def remember(self, entry: Entry, alerts: Sequence[Alert]) -> None:
        """Record a run, and tell the alerts that are new; one that cannot be judged is a failure of its own."""
        from tokcost.report.page.since import value_of

        for state in self.journal.record(entry, alerts, value_of):
            if state.is_fault or state.fired:
                (self.failed if state.is_fault else self.alerted).append(f"{entry.report}: alert")
                word = "FAILED alert of" if state.is_fault else "ALERT"
                self.progress.error(f"{word} {entry.report}: {state.alert}: {state.said}")

    def _render(self, run, contents) -> str:
        from tokcost.report.page.html import render
        from tokcost.report.page.since import section

        def warn(sentence):
            self.progress.note(f"{run.job.name}: {sentence}")

        since = self.since.get(run.job.name)
        return render(
            run,
            contents,
            show_code=self.show_code or run.job.show_code,
            one_page=run.job.one_page,
            links=self._links(),
            moves=self._moves(run.job.name),
            since=section(since) if since else "",
            warn=warn,
        )

    def _has_index(self) -> bool:
        return self.index or self.is_alone or len(self.plans) + len(self.refused) > 1 or (self.directory / "index.html").exists()

    def _moves(self, name: str) -> dict[str, tuple[str, str]]:
        """Where a reader of a report can go: to all reports, and to the one before and the one after."""
        from tokcost.report.page.index import HOME, moves, question_in

        if self.is_alone:
            return HOME
        made = {path.name.removesuffix(".result.json"): question_in(path) for path in self.directory.glob("*.result.json")}
        planned = {one: question for one, question in self._planned.items() if one not in self.failed}
        return (HOME if self._has_index() else {}) | moves({name: ""} | made | planned, name)

    @functools.cached_property
    def _planned(self) -> dict[str, str]:
        """The question of each report of this run, made or not yet made, as its definition or its notebook asks it."""
        from tokcost.report.page.contents import question_of

        return {ready.job.name: literal(ready.job.title or "") or question_of(read_notebook(ready.job.notebook)) for ready in self.plans}

    def _links(self) -> dict[str, str]:
        """Notebook file name -> the report that shows it: made before, or in this run and not failed."""
        if self.is_alone:
            return {}
        links = {f"{path.stem}.ipynb": path.name for path in sorted(self.directory.glob("*.html")) if path.stem not in NO_REPORTS}
        links |= {ready.job.notebook.name: f"{ready.job.name}.html" for ready in self.plans if ready.job.name not in self.failed}
        return links

    def _unlink_failed(self) -> None:
        """Reports made before another failed may link to it: they are written again without the dead link."""
        failed = [p.job.name for p in self.plans if p.job.name in self.failed]
        if any(not (self.directory / f"{name}.html").exists() for name in failed):
            for run, contents in self.made:
                with locked(self.directory):
                    write_all(self.directory, {f"{run.job.name}.html": self._render(run, contents)})

    def _keep_aside(self, name: str, failure: ReportFailed, places: Places, source: Path | None = None) -> None:
        """Say that a report failed, and keep what there is of it for the index and for whoever looks into it."""
        self.failed.append(name)
        self.progress.error(f"FAILED {failure}")
        try:
            notebook = places.notebook(failure.notebook or (read_notebook(source) if source else _empty_notebook()))
            when = datetime.now(UTC).isoformat(timespec="seconds")
            notebook["metadata"]["tokcost"] = {"failure": visible(places.hidden(str(failure))), "at": when}
            with locked(self.directory):
                (path,) = write_all(self.directory, {f"failed/{_file_stem(name)}.ipynb": _notebook_text(notebook)})
        except Exception as error:
            self.progress.error(f"       {name}: what ran could not be kept: {error}")
            return
        if notebook["cells"]:
            self.progress.error(f"       {name}: what ran is kept at {path}")

    def _write_index(self) -> None:
        from tokcost.report.page.index import glossary_page, overview

        trends = self._trends()
        with locked(self.directory):
            texts = {"index.html": overview(self.directory, self.progress.note, trends), "glossary.html": glossary_page()}
            self.written += write_all(self.directory, texts)

    def _trends(self) -> dict[str, str]:
        """What the history says of each report, for the index."""
        from tokcost.report.page.trend import MOST_RUNS, trend

        return {name: trend(entries) for name, entries in self.journal.by_report(MOST_RUNS).items()}


def _empty_notebook() -> dict:
    return {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _file_stem(name: str) -> str:
    """A name as it can stand in a folder, of a report that got none of its own."""
    return re.sub(r"[^\w .,+()-]", "_", name)[:200]


def _unforeseen(error: Exception) -> str:
    if isinstance(error, (InputError, ReportFailed)):
        return str(error)
    return f"the page could not be made: {type(error).__name__}: {error}"


def _notebook_text(notebook) -> str:
    """As JupyterLab and the committed notebooks write it: sources and outputs as lists of lines."""
    with light_import():
        import nbformat
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"
