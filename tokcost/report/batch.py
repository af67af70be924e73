"""A set of reports: each whole or not at all, whatever becomes of another; remembered, indexed, and gone on with where it was stopped."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokcost.paths import DATA, chosen_data
from tokcost.report.errors import ReportFailed
from tokcost.report.execution.files import locked, write_all
from tokcost.report.execution.workers import Ended
from tokcost.report.memory.fingerprint import package_sha256, sha256
from tokcost.report.memory.journal import Journal
from tokcost.report.memory.remember import named_files, place
from tokcost.report.memory.store import Entry
from tokcost.report.one import Options, Outcome, Page, Task, fail, keep_aside, unforeseen
from tokcost.report.page.around import Around, around
from tokcost.report.page.private import Places
from tokcost.report.progress import Progress
from tokcost.report.request.alerts import Alert
from tokcost.report.request.definition import Refused
from tokcost.report.request.plan import Plan

#: what was made from what, a line of JSON each: for --resume
KEPT = "batch.jsonl"

#: gives the end of each task, in any order, each once
Engine = Callable[[list[Task]], Iterator[Ended]]


@dataclass(frozen=True)
class Row:
    """A line of the table at the end."""

    name: str
    status: str
    seconds: float
    said: str = ""


class Batch:
    """Makes reports in one directory by an engine: `rows` says what became of each, in the order of their plans once all have ended.

    `written` are the files, in the same order; `failed` names what did not come to be, `alerted` the alerts that fired.
    """

    def __init__(
        self,
        directory: Path,
        plans: list[Plan],
        progress: Progress,
        options: Options,
        *,
        refused: Sequence[Refused] = (),
        index: bool = False,
        resumable: bool = False,
    ):
        """A `resumable` set may have thousands: what each was made from is kept, and pages lead to the index, not to each other."""
        self.directory, self.plans, self.progress, self.options, self.refused = directory, plans, progress, options, refused
        self.has_index = index or len(plans) + len(refused) > 1 or (directory / "index.html").exists()
        self.kept = directory / KEPT if resumable else None
        self.rows: list[Row] = []
        self.written: list[Path] = []
        self.failed: list[str] = []
        self.alerted: list[str] = []
        self.journal = Journal(options.history or place(directory), progress.error)
        self._files: dict[str, list[Path]] = {}
        self._pages: list[Page] = []
        self._around: Around | None = None
        self._began = time.monotonic()

    def run(self, engine: Engine, *, resume: bool = False) -> None:
        """Make all, or with `resume` those that are missing, failed before, or were made from something else."""
        before = _kept(self.kept) if resume and self.kept else {}
        self._around = None if self.kept else around(self.directory, self.plans, has_index=self.has_index)
        todo = []
        for ready in self.plans:
            if self._is_made(ready, before.get(ready.job.name)):
                self.rows.append(Row(ready.job.name, "unchanged", 0.0))
            else:
                todo.append(Task(ready, self.directory, self.options, self._around))
        for one in self.refused:
            keep_aside(self.directory, one.name, ReportFailed(f"{one.name}: {one.reason}"), self.progress, Places(Path(one.name)))
            self.failed.append(one.name)
            self.rows.append(Row(one.name, "failed", 0.0, one.reason))
        if resume:
            unchanged = sum(row.status == "unchanged" for row in self.rows)
            self.progress.note(f"{len(todo)} reports to make, {unchanged} are made and unchanged, {len(self.refused)} refused")
        for number, end in enumerate(engine(todo), 1):
            self._take(end)
            if len(todo) > 1:
                self._tell(number, len(todo))
        if self.progress.is_terminal and len(todo) > 1:
            print(file=sys.stderr)
        order = {ready.job.name: number for number, ready in enumerate(self.plans)}
        self.rows.sort(key=lambda row: order.get(row.name, -1))
        self.written = [path for ready in self.plans for path in self._files.get(ready.job.name, ())]
        self._close()

    def _take(self, end: Ended) -> None:
        ready: Plan = end.task.plan
        name = ready.job.name
        outcome: Outcome = end.result or Outcome(None)
        with self._own_line():
            for sentence in outcome.said:
                self.progress.error(sentence)
            if end.why:  # the process is gone, and with it what it could have said
                fail(end.task, ReportFailed(f"{name}: {end.why}"), self.progress)
        if outcome.entry is None:
            said = end.why or next((s.partition(": ")[2] for s in outcome.said if s.startswith("FAILED ")), "it failed")
            self.rows.append(Row(name, "failed", end.seconds, said))
            self.failed.append(name)
            return
        self._files[name] = outcome.written
        if outcome.page is not None:
            self._pages.append(outcome.page)
        alerts = len(self.alerted)
        with self._own_line():
            self._remember(outcome.entry, ready.job.alerts)
        if self.kept is not None:
            line = {"name": name, "asked": self._asked(ready), "tables": outcome.entry.tables}
            with contextlib.suppress(OSError), open(self.kept, "a", encoding="utf-8") as file:  # without it the report is made again
                file.write(json.dumps(line) + "\n")
        self.rows.append(Row(name, "alert" if len(self.alerted) > alerts else "made", outcome.seconds))

    def _remember(self, entry: Entry, alerts: Sequence[Alert]) -> None:
        """Record a run, and tell the alerts that are new; one that cannot be judged is a failure of its own."""
        from tokcost.report.page.since import value_of

        for state in self.journal.record(entry, alerts, value_of):
            if state.is_fault or state.fired:
                (self.failed if state.is_fault else self.alerted).append(f"{entry.report}: alert")
                word = "FAILED alert of" if state.is_fault else "ALERT"
                self.progress.error(f"{word} {entry.report}: {state.alert}: {state.said}")

    def _tell(self, number: int, of: int) -> None:
        elapsed = time.monotonic() - self._began
        left_s = elapsed / number * (of - number)
        row = self.rows[-1]
        rate = f"{number / elapsed * 60:.0f} a minute, {_duration(left_s)} left"
        if self.progress.is_terminal:
            failed = f", {len(self.failed)} failed" if self.failed else ""
            print(f"\r\x1b[K{number} of {of} reports{failed}; {rate}", end="", file=sys.stderr, flush=True)
        else:
            self.progress.note(f"{row.name}: {row.status} in {row.seconds:.1f} s ({number} of {of}; {rate})")

    @contextlib.contextmanager
    def _own_line(self):
        """What is said in between does not run into the line that is written over and over."""
        if self.progress.is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr)
        yield

    def _close(self) -> None:
        """Once all are made: no page leads to one that failed, and the index lists them."""
        try:
            lost = {name for name in self.failed if not (self.directory / f"{name}.html").exists()}
            if self._around is not None and lost:
                rest = self._around.without(lost)
                with locked(self.directory):
                    for page in self._pages:
                        write_all(self.directory, {f"{page.task.plan.job.name}.html": page.html(rest)})
            if self.has_index:
                self._write_index()
        except Exception as error:  # the reports are made
            self.failed.append("index.html")
            self.progress.error(f"FAILED index.html: {unforeseen(error)}")

    def _write_index(self) -> None:
        from tokcost.report.page.index import glossary_page, overview
        from tokcost.report.page.trend import MOST_RUNS, trend

        trends = {name: trend(entries) for name, entries in self.journal.by_report(MOST_RUNS).items()}
        with locked(self.directory):
            texts = {"index.html": overview(self.directory, self.progress.note, trends), "glossary.html": glossary_page()}
            self.written += write_all(self.directory, texts)

    def _is_made(self, ready: Plan, before: dict | None) -> bool:
        name = ready.job.name
        if before is None or before["asked"] != self._asked(ready):
            return False
        if not all((self.directory / f"{name}.{ending}").is_file() for ending in ("html", "result.json", "ipynb")):
            return False
        now = named_files(ready.settings, ready.job.notebook)
        return all(sha == (now.get(file) or _table_sha256(file)) for file, sha in before["tables"].items())

    def _asked(self, ready: Plan) -> str:
        """A fingerprint of what a report is made from, but for the tables, which are known when it is made."""
        values = {setting.parameter.name: setting.value for setting in ready.settings}
        asked = [values, ready.job.title, ready.job.show_code, self.options.show_code, self.options.tables, package_sha256()]
        return sha256([ready.job.notebook.read_bytes(), json.dumps(asked, default=str).encode()])


@functools.cache
def _table_sha256(file: str) -> str:
    path = (chosen_data() or DATA) / Path(file).name
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _kept(path: Path) -> dict[str, dict]:
    """The last line about each report; one that a killed run left half is not counted."""
    found = {}
    with contextlib.suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                one = json.loads(line)
                found[one["name"]] = {"asked": one["asked"], "tables": dict(one["tables"])}
    return found


def _duration(seconds: float) -> str:
    """A time as people say it.

    >>> _duration(5), _duration(200), _duration(9000)
    ('5 s', '3 min', '2.5 h')
    """
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
