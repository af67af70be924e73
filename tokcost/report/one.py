"""One report of many, made whole wherever it is asked for: in a process of this machine, or on a machine of a cluster."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from tokcost.report.memory.store import Entry
from tokcost.report.progress import Progress
from tokcost.report.request.plan import Plan


@dataclass(frozen=True)
class Task:
    """A report to make, and how."""

    plan: Plan
    directory: Path
    options: dict

    @property
    def name(self) -> str:
        return self.plan.job.name


@dataclass(frozen=True)
class Outcome:
    """What became of it: the run to be remembered, or None where it failed; and what is to be said of it."""

    entry: Entry | None
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0


class _Notebook(Progress):
    """Keeps what is said, for whoever asked."""

    def __init__(self):
        super().__init__(quiet=False)
        self.is_terminal = False
        self.said: list[str] = []

    def error(self, sentence: str) -> None:
        self.said.append(sentence)

    def done(self, *about) -> None:
        pass


def make(task: Task) -> Outcome:
    """Make one report and write its files; the history is left to the one who asked, so that nothing is remembered twice."""
    from tokcost.report.build import ReportBuilder

    kept, begin = _Notebook(), time.monotonic()
    builder = ReportBuilder(task.directory, [task.plan], kept, **task.options)
    return Outcome(builder.build(task.plan), kept.said, time.monotonic() - begin)


def import_ahead() -> None:
    """Load what making a report takes, in a process that others are copied from."""
    from tokcost.report.execution.kernel import light_import

    with light_import():
        import papermill  # noqa: F401
    import tokcost.report.execution.provisioner
    import tokcost.report.page.since
    import tokcost.report.page.take  # noqa: F401
    from tokcost.report.page.html import exporter

    exporter()
