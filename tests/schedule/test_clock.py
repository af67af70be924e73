"""The scheduler: what was missed is made up for once, what overlaps is left out, and both are said."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tokcost.schedule import clock
from tokcost.schedule.task import read_tasks

WEEKLY = '[schedule]\ncron = "0 6 * * mon"\ntime_zone = "UTC"'


@pytest.fixture
def task(define, notebook):
    notebook()
    (made,) = read_tasks(str(define(WEEKLY)))
    return made


def ran(name: str, at: datetime, *, failed: bool = False) -> None:
    (Path("out") / "failed").mkdir(parents=True, exist_ok=True)
    if failed:
        Path(f"out/failed/{name}.ipynb").write_text(json.dumps({"metadata": {"tokcost": {"failure": "x", "at": at.isoformat()}}}))
    else:
        Path(f"out/{name}.result.json").write_text(json.dumps({"times": {"started": at.isoformat()}}))


def test_a_time_that_passed_while_no_scheduler_ran_is_missed(task):
    wednesday = datetime(2026, 11, 25, 12, tzinfo=UTC)
    ran("ours", datetime(2026, 11, 17, tzinfo=UTC))
    assert clock.missed(task, Path("out"), wednesday) == datetime(2026, 11, 23, 6, tzinfo=UTC)
    ran("ours", datetime(2026, 11, 23, 6, 1, tzinfo=UTC), failed=True)
    assert clock.missed(task, Path("out"), wednesday) is None, "a run that failed is not one that was missed"


def test_a_report_that_was_never_made_waits_for_its_first_time(task):
    assert clock.missed(task, Path("out"), datetime.now(UTC)) is None


class Every:
    """Due times so close that a test can wait for them."""

    def __init__(self, step_s: float):
        self.step = timedelta(seconds=step_s)

    def after(self, moment):
        return moment + self.step

    def before(self, moment):
        return moment - self.step

    def change_of_clocks(self, due):
        return ""


def started(task, run, said, directory=Path("out")):
    made = clock.scheduler([task], directory, run, said.append)
    thread = threading.Thread(target=made.start)
    thread.start()
    return made, thread


def fake(timing, last=None):
    return SimpleNamespace(path=Path("ours.toml"), name="ours.toml", timing=timing, last_made=lambda directory: last)


def test_a_task_that_still_works_when_its_next_time_comes_is_not_started_twice(said):
    running, most, enough = [], [], threading.Event()

    def run(task):
        running.append(task)
        most.append(len(running))
        threading.Event().wait(0.5)
        running.remove(task)
        if len(most) > 1:
            enough.set()

    made, thread = started(fake(Every(0.2)), run, said)
    assert enough.wait(30)
    made.shutdown()
    thread.join()
    assert set(most) == {1} and any("still being made, or waits for its turn; this time is left out" in line for line in said)


def test_what_was_missed_many_times_is_made_once(said):
    """A report of every second, and nobody there for an hour: one run, at once, and a word about it."""
    runs, first = [], threading.Event()
    hour_ago = datetime.now(UTC) - timedelta(hours=1)

    def run(task):
        runs.append(task)
        first.set()

    made, thread = started(fake(Every(600), last=hour_ago), run, said)
    assert first.wait(30)
    made.shutdown()
    thread.join()
    assert len(runs) == 1 and "when no scheduler ran; it is made now" in said[0]


@pytest.mark.parametrize(("step_s", "says"), [(3600, "went forward by 1:00:00"), (-3600, "went back by 1:00:00"), (5, None)])
def test_a_clock_that_is_set_is_noticed(monkeypatch, said, step_s, says):
    now = SimpleNamespace(wall=1e9, steady=50.0)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: now.wall, monotonic=lambda: now.steady))
    beat = clock._Beat(said.append)
    now.wall, now.steady = now.wall + 60 + step_s, now.steady + 60
    beat()
    assert says in said[0] if says else not said
    beat()
    assert len(said) == (1 if says else 0), "it is said once"


def test_a_clock_that_goes_back_makes_nothing_twice(task, said):
    """The next time follows from the last one, not from what the clock says now."""
    trigger = clock._trigger(task, said.append)
    last = datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert trigger.get_next_fire_time(last, last - timedelta(hours=2)) == datetime(2026, 11, 30, 6, tzinfo=UTC)
