"""The history keeps what runs said: over versions, damage, neighbours, and what is forgotten on purpose."""

import dataclasses
import sqlite3
import threading
from datetime import UTC, datetime

import pytest

from tokcost.report.memory import store
from tokcost.report.memory.journal import Journal
from tokcost.report.memory.store import History, HistoryError


def test_what_was_recorded_is_read_back(history, entry):
    first = entry(libraries={"numpy": "2.4", "scipy": "1.17"})
    number = history.record(first, {"d1": b"a,b\n1,2\n"})
    assert history.runs() == [dataclasses.replace(first, run_id=number)]
    assert history.content("d1") == b"a,b\n1,2\n" and history.content("d2") is None


def test_the_last_runs_of_each_report_are_found(history, entry):
    for day in range(4):
        history.record(entry(day=day), {})
        history.record(entry("other", day=day), {})
    assert [(e.report, e.when.day) for e in history.runs(last=2)] == [("weekly", 4), ("other", 4), ("weekly", 5), ("other", 5)]
    assert [e.when.day for e in history.runs("other")] == [2, 3, 4, 5]


def test_old_runs_are_forgotten_by_age_and_by_count_with_the_tables_that_none_uses(history, entry):
    for day in range(5):
        history.record(entry(day=day, data=f"d{day}"), {f"d{day}": b"x"})
    assert history.prune(keep=3) == 2
    assert [history.content(f"d{day}") for day in (1, 2)] == [None, b"x"]
    days = (datetime.now(UTC) - datetime(2026, 11, 5, 12, tzinfo=UTC)).days
    assert history.prune(days=max(days, 0)) + len(history.runs()) == 3


def test_a_table_that_many_runs_used_is_kept_once(history, entry):
    for day in range(3):
        history.record(entry(day=day), {"d1": b"a,b\n" * 1000})
    with sqlite3.connect(history.path) as database:
        assert database.execute("SELECT count(*) FROM tables").fetchone() == (1,)


@pytest.mark.parametrize("damage", [b"this is no database at all", "cut", "overwritten"])
def test_a_damaged_history_is_kept_aside_and_a_new_one_begun(history, entry, damage):
    for day in range(40):
        history.record(entry(day=day), {f"d{day}": bytes(range(256)) * 50})
    whole = history.path.read_bytes()
    broken = {"cut": whole[: len(whole) // 2], "overwritten": whole[:100] + b"\xff" * (len(whole) - 100)}.get(damage, damage)
    history.path.write_bytes(broken)
    history.record(entry(day=41), {})
    assert [e.when.month for e in history.runs()] == [12]
    (aside,) = history.path.parent.glob("history.sqlite.damaged-*")
    assert aside.read_bytes() == broken
    assert len(history.said) == 1 and aside.name in history.said[0] and "damaged" in history.said[0]


def test_a_reader_leaves_a_damaged_history_where_it_is(history):
    history.path.write_bytes(b"this is no database at all")
    with pytest.raises(HistoryError, match="is damaged; the next report keeps it aside"):
        History(history.path).runs()
    assert [p.name for p in history.path.parent.iterdir()] == ["history.sqlite"]


def test_the_database_of_another_program_is_left_alone(history, entry):
    with sqlite3.connect(history.path) as database:
        database.execute("CREATE TABLE theirs (a)")
    before = history.path.read_bytes()
    with pytest.raises(HistoryError, match="database of another program; move it away"):
        history.record(entry(), {})
    assert history.path.read_bytes() == before


def test_a_history_of_a_newer_version_is_left_alone(history, entry):
    history.record(entry(), {})
    with sqlite3.connect(history.path) as database:
        database.execute("PRAGMA user_version = 999")
    with pytest.raises(HistoryError, match="newer version of tokcost; update"):
        history.record(entry(day=1), {})


def test_a_history_of_an_older_version_is_brought_up_with_its_runs(history, entry, monkeypatch):
    history.record(entry(), {})
    later = "CREATE TABLE more (run_id INTEGER); INSERT INTO more SELECT run_id FROM runs"
    monkeypatch.setattr(store, "MIGRATIONS", (*store.MIGRATIONS, later))
    history.record(entry(day=1), {})
    with sqlite3.connect(history.path) as database:
        assert database.execute("SELECT run_id FROM more").fetchall() == [(1,)]
        assert database.execute("PRAGMA user_version").fetchone() == (len(store.MIGRATIONS),)


def test_two_at_once_lose_nothing(history, entry):
    """From an empty folder on: who comes second finds the file begun, or half begun."""
    faults = []

    def write(name):
        mine = History(history.path, faults.append)
        for day in range(20):
            mine.record(entry(name, day=day), {f"{name}{day}": b"x"})

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history.runs()) == 60 and not faults


def test_a_history_that_another_holds_costs_one_wait_and_is_said_for_each_report(history, entry, monkeypatch):
    history.record(entry(), {})
    waits = []
    connect = sqlite3.connect
    monkeypatch.setattr(store.sqlite3, "connect", lambda *a, timeout, **k: (waits.append(timeout), connect(*a, timeout=0.01, **k))[1])
    holder = connect(history.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    said = []
    journal = Journal(history.path, said.append)
    for name in ("one", "two"):
        journal.record(entry(name))
    holder.close()
    assert waits == [store.LOCK_S]
    why = f"{history.path}: another program holds it for more than {store.LOCK_S:g} s"
    assert said == [f"{name} is made but not recorded: {why}" for name in ("one", "two")]


def test_a_history_that_cannot_be_written_is_said(history, entry, monkeypatch):
    history.record(entry(), {})
    connect = sqlite3.connect
    monkeypatch.setattr(store.sqlite3, "connect", lambda path, **k: connect(f"file:{path}?mode=ro", uri=True, **k))
    said = []
    Journal(history.path, said.append).record(entry("one"))
    assert len(said) == 1 and "can be read but not written; change its permissions" in said[0]


def test_what_no_file_can_hold_is_recorded_with_a_mark(history, entry):
    history.record(entry(question="half \ud800 a character"), {})
    assert history.runs()[0].question == "half \ufffd a character"


def test_a_full_disk_is_said_and_leaves_the_history_as_it_was(history, entry, monkeypatch):
    history.record(entry(), {})

    class Full(sqlite3.Connection):
        def execute(self, sql, *values):
            if sql.startswith("BEGIN"):
                super().execute(f"PRAGMA max_page_count = {super().execute('PRAGMA page_count').fetchone()[0]}")
            return super().execute(sql, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(store.sqlite3, "connect", lambda path, **k: connect(path, factory=Full, **k))
    said = []
    Journal(history.path, said.append).record(entry("one", answer="x" * 100_000))
    assert len(said) == 1 and said[0].startswith("one is made but not recorded: ") and "full" in said[0]
    monkeypatch.undo()
    assert [e.report for e in history.runs()] == ["weekly"]
