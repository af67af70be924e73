"""Hundreds of reports: several at once, each whole or not at all, and begun again where they were stopped."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tokcost.paths import DATA, chosen_data
from tokcost.report.build import ReportBuilder
from tokcost.report.errors import ReportFailed
from tokcost.report.execution.workers import Ended
from tokcost.report.memory.fingerprint import package_sha256, sha256
from tokcost.report.memory.remember import named_files
from tokcost.report.one import Outcome, Task
from tokcost.report.progress import Progress
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
    """Makes the reports of `builder` by an engine; `rows` says what became of each, `builder` which failed and which alerts fired."""

    def __init__(self, builder: ReportBuilder, progress: Progress, options: dict):
        self.builder, self.progress, self.options = builder, progress, options
        self.rows: list[Row] = []
        self.kept = builder.directory / KEPT
        self.began = time.monotonic()

    def run(self, engine: Engine, *, resume: bool) -> None:
        """Make all, or with `resume` those that are missing, failed before, or were made from something else."""
        before = _kept(self.kept) if resume else {}
        todo = []
        for ready in self.builder.plans:
            if self._is_made(ready, before.get(ready.job.name)):
                self.rows.append(Row(ready.job.name, "unchanged", 0.0))
            else:
                todo.append(Task(ready, self.builder.directory, self.options))
        for one in self.builder.refused:
            self.builder.keep_aside_refused(one)
            self.rows.append(Row(one.name, "failed", 0.0, one.reason))
        if self.rows:
            unchanged = sum(row.status == "unchanged" for row in self.rows)
            self.progress.note(f"{len(todo)} reports to make, {unchanged} are made and unchanged, {len(self.rows) - unchanged} refused")
        for number, end in enumerate(engine(todo), 1):
            self._take(end)
            self._tell(number, len(todo))
        if self.progress.is_terminal:
            print(file=sys.stderr)
        self.builder.close()

    def _take(self, end: Ended) -> None:
        ready: Plan = end.task.plan
        outcome: Outcome = end.result or Outcome(None)
        for sentence in outcome.said:
            self._say(sentence)
        if end.why:  # the process is gone, and with it what it could have said
            with self._own_line():
                self.builder.fail(ready, ReportFailed(f"{ready.job.name}: {end.why}"))
        if outcome.entry is None:
            said = end.why or next((s.partition(": ")[2] for s in outcome.said if s.startswith("FAILED ")), "it failed")
            self.rows.append(Row(ready.job.name, "failed", end.seconds, said))
            if not end.why:
                self.builder.failed.append(ready.job.name)
            return
        alerts = len(self.builder.alerted)
        with self._own_line():
            self.builder.remember(outcome.entry, ready.job.alerts)
        line = {"name": ready.job.name, "asked": self._asked(ready), "tables": outcome.entry.tables}
        with contextlib.suppress(OSError), open(self.kept, "a", encoding="utf-8") as file:  # without it the report is made again
            file.write(json.dumps(line) + "\n")
        self.rows.append(Row(ready.job.name, "alert" if len(self.builder.alerted) > alerts else "made", outcome.seconds))

    def _tell(self, number: int, of: int) -> None:
        elapsed = time.monotonic() - self.began
        left_s = elapsed / number * (of - number)
        row = self.rows[-1]
        rate = f"{number / elapsed * 60:.0f} a minute, {_duration(left_s)} left"
        if self.progress.is_terminal:
            failed = f", {len(self.builder.failed)} failed" if self.builder.failed else ""
            print(f"\r\x1b[K{number} of {of} reports{failed}; {rate}", end="", file=sys.stderr, flush=True)
        else:
            self.progress.note(f"{row.name}: {row.status} in {row.seconds:.1f} s ({number} of {of}; {rate})")

    def _say(self, sentence: str) -> None:
        with self._own_line():
            self.progress.error(sentence)

    @contextlib.contextmanager
    def _own_line(self):
        """What is said in between does not run into the line that is written over and over."""
        if self.progress.is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr)
        yield

    def _is_made(self, ready: Plan, before: dict | None) -> bool:
        name = ready.job.name
        if before is None or before["asked"] != self._asked(ready):
            return False
        if not all((self.builder.directory / f"{name}.{ending}").is_file() for ending in ("html", "result.json", "ipynb")):
            return False
        now = named_files(ready.settings, ready.job.notebook)
        return all(sha == (now.get(file) or _table_sha256(file)) for file, sha in before["tables"].items())

    def _asked(self, ready: Plan) -> str:
        """A fingerprint of what a report is made from, but for the tables, which are known when it is made."""
        values = {setting.parameter.name: setting.value for setting in ready.settings}
        asked = [values, ready.job.title, ready.job.show_code, self.options["show_code"], self.options["tables"], package_sha256()]
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
