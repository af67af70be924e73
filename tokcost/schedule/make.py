"""Making the reports of a task: `tokcost report` in a process of its own, which sees no secret and leaves no memory behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tokcost.report.errors import ReportError
from tokcost.report.request.reading import MOST_NOTEBOOK_BYTES, read_text
from tokcost.schedule.secrets import public
from tokcost.schedule.task import Task, failed

Say = Callable[[str], None]

#: the command, whatever is on the path
TOKCOST: tuple[str, ...] = (sys.executable, "-m", "tokcost.cli")


@dataclass(frozen=True)
class Outcome:
    """What became of one report: its result, as in NAME.result.json, or the sentence of why there is none."""

    name: str
    page: Path
    result: dict | None = None
    earlier: dict | None = None
    failure: str = ""
    #: the alerts that this run has set off, as sentences
    alerts: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        return _answer(self.result)

    @property
    def before(self) -> str:
        """The answer of the time before, or nothing."""
        return _answer(self.earlier)

    @property
    def changed(self) -> bool:
        """Whether it says something else than the time before, or something for the first time."""
        return self.result is not None and self.answer != self.before


def _answer(result: dict | None) -> str:
    answer = (result or {}).get("answer")
    return answer["text"] if answer else ""


class Maker:
    """Runs `tokcost report`; `stop` ends what runs."""

    def __init__(self, directory: Path, say: Say):
        self.directory, self.say = directory, say
        self.process: subprocess.Popen | None = None
        self.stopped = False

    def make(self, *tasks: Task) -> dict[Path, list[Outcome]]:
        """The outcome of each report of each task, by the path of its definition; all are made by one call, but for workbooks."""
        found: dict[Path, list[Outcome]] = {}
        for has_workbook in (False, True):
            some = [task for task in tasks if task.delivery.xlsx == has_workbook]
            if some and not self.stopped:
                found |= self._made(some, ["--tables"] if has_workbook else [])
        return found

    def _made(self, tasks: list[Task], options: list[str]) -> dict[Path, list[Outcome]]:
        earlier = {name: _result(self.directory, name) for task in tasks for name in task.reports}
        command = [*TOKCOST, "report", *(str(task.path) for task in tasks), "--index", "--output", str(self.directory), *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "replace"}
        seen = public(address for task in tasks for address in task.delivery.addresses)
        with subprocess.Popen(command, env=seen, stdin=subprocess.DEVNULL, **pipes) as self.process:
            try:
                written, said = self.process.communicate()
            except BaseException:  # Ctrl-C, or the polite end of the scheduler
                self.process.terminate()
                raise
        for line in said.splitlines():
            self.say(f"{tasks[0].name}: {line.strip()}" if len(tasks) == 1 else line.strip())
        made = {Path(line).name for line in written.splitlines()}
        return {
            task.path: [self._outcome(name, f"{name}.result.json" in made, earlier[name], said) for name in task.reports] for task in tasks
        }

    def _outcome(self, name: str, is_made: bool, earlier: dict | None, said: str) -> Outcome:
        page = self.directory / f"{name}.html"
        result = _result(self.directory, name) if is_made else None
        if result is not None:
            return Outcome(name, page, result, earlier, alerts=alerts_of(name, said))
        return Outcome(name, page, None, earlier, self._why(name, said))

    def _why(self, name: str, said: str) -> str:
        """Why a report failed: as it is kept for the index, or else the last thing that was said."""
        if told := re.search(rf"^FAILED ({re.escape(name)}:.*)$", said, re.M):
            try:
                kept = json.loads(read_text(failed(self.directory, name), MOST_NOTEBOOK_BYTES))
                return str(kept["metadata"]["tokcost"]["failure"])
            except (ReportError, ValueError, KeyError, TypeError):
                return told[1]
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return lines[-1] if lines else "it ended without a word"

    def stop(self) -> None:
        self.stopped = True
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def alerts_of(name: str, said: str) -> tuple[str, ...]:
    """The alerts of a report among what `tokcost report` said, also those that could not be judged.

    >>> alerts_of("ours", "ours: 9 cells in 2 s\\nALERT ours: cost > 4: it is 4.35\\nFAILED alert of ours: x > 1: there is no x")
    ('cost > 4: it is 4.35', 'x > 1: there is no x')
    """
    return tuple(re.findall(rf"^(?:ALERT|FAILED alert of) {re.escape(name)}: (.+)$", said, re.M))


def _result(directory: Path, name: str) -> dict | None:
    try:
        return json.loads(read_text(directory / f"{name}.result.json", MOST_NOTEBOOK_BYTES))
    except (ReportError, ValueError):
        return None
