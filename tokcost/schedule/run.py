"""One run of tasks: their reports are made, the feed is renewed, then all is sent."""

from __future__ import annotations

from pathlib import Path

from tokcost.report.errors import ReportFailed
from tokcost.schedule import feed
from tokcost.schedule.delivery import deliver
from tokcost.schedule.make import Maker, Outcome, Say
from tokcost.schedule.task import Task


class Runner:
    """Makes the reports of tasks, several at once, and sends them, one task after another."""

    def __init__(self, directory: Path, say: Say):
        self.directory, self.say = directory, say
        self.maker = Maker(directory, say)

    def run(self, *tasks: Task) -> bool:
        """Make the reports of `tasks`, then send those of each; whether all went well."""
        if self.maker.stopped:
            return False
        for task in tasks:
            self.say(f"{task.name}: begins")
        has_feed = self._feed(tasks[0], [])  # begun, where there is none, for the index links to it
        try:
            made = self.maker.make(*tasks)
        except Exception as error:
            self.say(f"{' '.join(task.name for task in tasks)}: {type(error).__name__}: {error}")
            return False
        return not self.maker.stopped and all([has_feed, *(self._sent(task, made[task.path]) for task in tasks)])

    def _sent(self, task: Task, outcomes: list[Outcome]) -> bool:
        has_feed = self._feed(task, outcomes)
        try:
            is_sent = deliver(task, outcomes, self.say)
        except Exception as error:  # the next task is still sent
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
