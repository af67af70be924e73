"""One run of a task: its reports are made, the feed is renewed, then all is sent."""

from __future__ import annotations

from pathlib import Path

from tokcost.report.errors import ReportFailed
from tokcost.schedule import feed
from tokcost.schedule.delivery import deliver
from tokcost.schedule.make import Maker, Outcome, Say
from tokcost.schedule.task import Task


class Runner:
    """Makes and sends the reports of tasks, one task at a time."""

    def __init__(self, directory: Path, say: Say):
        self.directory, self.say = directory, say
        self.maker = Maker(directory, say)

    def run(self, task: Task) -> bool:
        """Make and send the reports of `task`; whether all went well."""
        if self.maker.stopped:
            return False
        self.say(f"{task.name}: begins")
        try:
            has_feed = self._feed(task, [])  # begun, where there is none, for the index links to it
            outcomes = self.maker.make(task)
            if self.maker.stopped:
                return False
            has_feed &= self._feed(task, outcomes)
            is_sent = deliver(task, outcomes, self.say)
        except Exception as error:  # the next task is still made
            self.say(f"{task.name}: {type(error).__name__}: {error}")
            return False
        return has_feed and is_sent and not any(outcome.failure for outcome in outcomes)

    def _feed(self, task: Task, outcomes: list[Outcome]) -> bool:
        """Renew the feed; where that cannot be, as on a full disk, reports are still sent."""
        try:
            feed.update(self.directory, outcomes)
        except (OSError, ReportFailed) as error:
            self.say(f"{task.name}: the feed could not be written: {error}")
            return False
        return True

    def stop(self) -> None:
        """End what runs; nothing more is begun or sent."""
        self.maker.stop()
