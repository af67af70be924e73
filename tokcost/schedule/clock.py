"""The scheduler: each task at its times, one after another, with a word about every time that was late, left out or moved."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tokcost.schedule.extra import needed
from tokcost.schedule.make import Say
from tokcost.schedule.task import Task

#: from here on a start is said to be late, and a step of the clock to be one
LATE = timedelta(seconds=90)
_BEAT_S = 60


def missed(task: Task, directory: Path, now: datetime) -> datetime | None:
    """The last time at which `task` was due and not made, because nobody was there to make it."""
    last = task.last_made(directory)
    if task.timing is None or last is None:
        return None
    due = task.timing.before(now)
    return due if due > last else None


def scheduler(tasks: list[Task], directory: Path, run: Callable[[Task], object], say: Say):
    """An APScheduler that calls `run` for each task when it is due: `start()` it.

    Times that pass while the machine sleeps or nothing runs are made up for once; a task that is still at work when its
    next time comes is not started twice.
    """
    events = needed("apscheduler.events")
    blocking = needed("apscheduler.schedulers.blocking").BlockingScheduler
    pool = needed("apscheduler.executors.pool").ThreadPoolExecutor
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # it is said here, in words
    made = blocking(
        timezone=UTC,
        executors={"default": pool(1), "beat": pool(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    by_id = {str(task.path): task for task in tasks if task.timing is not None}
    now = datetime.now(UTC)
    for identity, task in by_id.items():
        assert task.timing is not None
        due = missed(task, directory, now)
        if due is not None:
            say(f"{task.name}: was due at {due.isoformat(' ', 'minutes')}, when no scheduler ran; it is made now")
        first = now if due is not None else task.timing.after(now)
        made.add_job(run, _trigger(task, say), [task], id=identity, next_run_time=first)
    made.add_job(_Beat(say), "interval", seconds=_BEAT_S, executor="beat", id="beat")

    def on_start(event):
        late = datetime.now(UTC) - (due := event.scheduled_run_times[-1])
        if event.job_id in by_id and late > LATE:
            minutes = late // timedelta(minutes=1)
            say(f"{by_id[event.job_id].name}: was due at {due.isoformat(' ', 'minutes')}; it is made now, {minutes} minutes late")

    def on_overlap(event):
        if event.job_id in by_id:
            say(f"{by_id[event.job_id].name}: is still being made, or waits for its turn; this time is left out")

    made.add_listener(on_start, events.EVENT_JOB_SUBMITTED)
    made.add_listener(on_overlap, events.EVENT_JOB_MAX_INSTANCES)
    return made


def _trigger(task: Task, say: Say):
    timing = task.timing
    assert timing is not None

    class DueTimes(needed("apscheduler.triggers.base").BaseTrigger):
        """The due times of a task, for APScheduler, whose own cron lines count weekdays from Monday and skip at clock changes."""

        def get_next_fire_time(self, previous_fire_time, now):
            due = timing.after(previous_fire_time or now)
            if sentence := timing.change_of_clocks(due):
                say(f"{task.name}: {sentence}")
            return due

    return DueTimes()


class _Beat:
    """Once a minute: notices that the clock was set, or that the machine slept; between beats the scheduler looks again what is due."""

    def __init__(self, say: Say):
        self.say = say
        self.wall, self.steady = time.time(), time.monotonic()

    def __call__(self) -> None:
        wall, steady = time.time(), time.monotonic()
        step = (wall - self.wall) - (steady - self.steady)
        self.wall, self.steady = wall, steady
        if abs(step) > LATE.total_seconds():
            self.say(f"the clock went {'forward' if step > 0 else 'back'} by {timedelta(seconds=round(abs(step)))}, or the machine slept")
