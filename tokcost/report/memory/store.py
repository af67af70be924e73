"""The history of reports: one SQLite file, a row for each successful run, read and written in short transactions.

Tables (units are in the names of the results; times are UTC, ISO 8601):

    runs        run_id, report, notebook, started, seconds, question, answer,
                parameters (JSON: name -> value, as the page shows them), checks (JSON: claims that held), measured_to,
                package_sha256, notebook_sha256 (code that computes), libraries (JSON: name -> version),
                data_sha256 (of all tables together)
    results     run_id, position (0: the headline), name, label, unit, value (NULL: not reached), low, high,
                numerator, denominator (JSON: name -> value, where the result is a ratio of products)
    run_tables  run_id, file, sha256: the data tables that a run used
    alerts      run_id, alert (its line in the definition), is_on (NULL: not known), fired (1: new in this run), said
    tables      sha256, content (the CSV file, zlib): kept once, so that changed rows can be named

`PRAGMA user_version` counts the migrations that a file has seen; `PRAGMA application_id` marks it as ours.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from tokcost.report.errors import ReportError
from tokcost.report.execution.files import locked
from tokcost.report.memory.fingerprint import sha256
from tokcost.show.text import shown

APPLICATION_ID = 0x746F6B63  # "tokc"
#: how long a run waits for another that writes
LOCK_S = 2.0
#: each brings a file of the version before up to its own; never edited, only added to
MIGRATIONS = (
    """
    CREATE TABLE runs (
        run_id INTEGER PRIMARY KEY AUTOINCREMENT, report TEXT NOT NULL, notebook TEXT NOT NULL, started TEXT NOT NULL,
        seconds REAL NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL, parameters TEXT NOT NULL, checks TEXT NOT NULL,
        measured_to TEXT NOT NULL, package_sha256 TEXT NOT NULL, notebook_sha256 TEXT NOT NULL, libraries TEXT NOT NULL,
        data_sha256 TEXT NOT NULL
    );
    CREATE INDEX runs_of_report ON runs (report, run_id);
    CREATE TABLE results (
        run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
        label TEXT NOT NULL, unit TEXT NOT NULL, value REAL, low REAL, high REAL, numerator TEXT NOT NULL, denominator TEXT NOT NULL,
        PRIMARY KEY (run_id, position)
    );
    CREATE TABLE tables (sha256 TEXT PRIMARY KEY, content BLOB NOT NULL);
    CREATE TABLE run_tables (
        run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, file TEXT NOT NULL, sha256 TEXT NOT NULL,
        PRIMARY KEY (run_id, file)
    );
    """,
    """
    CREATE TABLE alerts (
        run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, alert TEXT NOT NULL, is_on INTEGER, fired INTEGER NOT NULL,
        said TEXT NOT NULL, PRIMARY KEY (run_id, alert)
    );
    """,
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
T = TypeVar("T")


class HistoryError(ReportError):
    """The history cannot be read or written; one sentence says why."""


@dataclass(frozen=True)
class Result:
    """A headline value of a run, and what it is a ratio of."""

    name: str
    label: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    numerator: dict[str, float]
    denominator: dict[str, float]


@dataclass(frozen=True)
class AlertState:
    """An alert after a run: whether it is on (None: not known), whether it is new, and what was seen.

    `is_fault` (no column): it cannot be judged as the report stands.
    """

    alert: str
    is_on: bool | None
    fired: bool
    said: str
    is_fault: bool = False


@dataclass(frozen=True)
class Entry:
    """A run as the history knows it; `run_id` is None before it is recorded."""

    run_id: int | None
    report: str
    notebook: str
    started: str
    seconds: float
    question: str
    answer: str
    parameters: dict[str, Any]
    checks: list[str]
    measured_to: str
    package_sha256: str
    notebook_sha256: str
    libraries: dict[str, str]
    data_sha256: str
    results: tuple[Result, ...]
    tables: dict[str, str]
    alerts: tuple[AlertState, ...] = ()

    @property
    def headline(self) -> Result | None:
        """The first result, where the report has any."""
        return self.results[0] if self.results else None

    @property
    def method_sha256(self) -> str:
        """Of all that turns the same inputs into a number: the package, the notebook, the libraries."""
        return sha256([self.package_sha256.encode(), self.notebook_sha256.encode(), json.dumps(self.libraries, sort_keys=True).encode()])

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.started)


class History:
    """The history in one file.

    A damaged file is kept aside, which `say` is told, and a new one begun; to a reader (`say` is None) it is an error.
    """

    def __init__(self, path: Path, say: Callable[[str], None] | None = None):
        self.path, self.say = path, say

    def record(self, entry: Entry, contents: dict[str, bytes], complete: Callable[[list[Entry]], Entry] | None = None) -> int:
        """Append a run; `contents` are the files of its tables by their SHA-256. Returns its number.

        `complete` makes the entry from the earlier runs of its report, while no other run can come between.
        """

        def append(database: sqlite3.Connection) -> int:
            return _insert(database, complete(_selected(database, entry.report, None)) if complete else entry, contents)

        return self._do(append, writes=True)

    def runs(self, report: str | None = None, *, last: int | None = None) -> list[Entry]:
        """The runs of a report (or of all), the oldest first; only the `last` ones of each where that is given."""
        if not self.path.exists():
            return []
        return self._do(lambda database: _selected(database, report, last))

    def content(self, sha256: str) -> bytes | None:
        """A data table as a run used it, or None where it was not kept."""
        found = self._do(lambda database: database.execute("SELECT content FROM tables WHERE sha256 = ?", (sha256,)).fetchone())
        return zlib.decompress(found[0]) if found else None

    def prune(self, *, days: int | None = None, keep: int | None = None) -> int:
        """Forget runs older than `days`, and all but the latest `keep` of each report; returns how many went."""
        before = datetime.now(UTC) - timedelta(days=days) if days is not None else None
        return self._do(lambda database: _pruned(database, before, keep), writes=True)

    def _do(self, action: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        try:
            try:
                return self._once(action, writes)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                    raise
                self._set_aside()
                return self._once(action, writes)
        except (sqlite3.Error, OSError) as error:
            raise HistoryError(f"{self.path}: {_why(error)}") from None

    def _once(self, action: Callable[[sqlite3.Connection], T], writes: bool) -> T:
        with _opened(self.path, writes=writes) as database:
            return action(database)

    def _set_aside(self) -> None:
        """Move a damaged file away, unless another run has done so in the meantime."""
        if self.say is None:
            raise HistoryError(f"the history {self.path} is damaged; the next report keeps it aside and begins a new one")
        with locked(self.path.parent):
            try:
                with _opened(self.path) as database:
                    database.execute("SELECT count(*) FROM runs").fetchone()
                    if database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                        return
            except sqlite3.DatabaseError:
                pass
            aside = self.path.with_name(f"{self.path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
            for ending in ("-wal", "-shm"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
            self.path.replace(aside)
        self.say(f"the history {self.path} is damaged: it is kept as {aside.name}, and a new one begun")


@contextmanager
def _opened(path: Path, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
    """A transaction on the file, which is brought up to this version first."""
    with closing(sqlite3.connect(path, timeout=LOCK_S, isolation_level=None)) as database:
        database.execute("BEGIN")  # all three of one moment: another run may just begin the file
        owner, version, n_tables = (
            database.execute(question).fetchone()[0]
            for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
        )
        database.execute("COMMIT")
        if owner != APPLICATION_ID and n_tables:
            raise HistoryError(f"{path} is the database of another program; move it away, or name another file with --history")
        if version > len(MIGRATIONS):
            raise HistoryError(f"{path} was written by a newer version of tokcost; update tokcost, or name another file with --history")
        database.execute("PRAGMA foreign_keys = ON")
        if version < len(MIGRATIONS):
            _use_wal(database)
            _migrate(database)
        database.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        yield database
        database.execute("COMMIT")


def _use_wal(database: sqlite3.Connection) -> None:
    """Readers and a writer side by side; SQLite does not wait by itself for those who are reading while it changes over."""
    deadline = time.monotonic() + LOCK_S
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrate(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")  # of two at once the second finds nothing left to do
    version = database.execute("PRAGMA user_version").fetchone()[0]
    for script in MIGRATIONS[version:]:
        for statement in filter(str.strip, script.split(";")):
            database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    database.execute("COMMIT")


_COLUMNS = (
    "report notebook started seconds question answer parameters checks measured_to package_sha256 notebook_sha256 libraries data_sha256"
).split()
_JSON = {"parameters", "checks", "libraries"}


def _insert(database: sqlite3.Connection, entry: Entry, contents: dict[str, bytes]) -> int:
    own = [(name, getattr(entry, name)) for name in _COLUMNS]
    values = [_json(value) if name in _JSON else shown(value) if isinstance(value, str) else value for name, value in own]
    marks = ", ".join("?" * len(_COLUMNS))
    number = database.execute(f"INSERT INTO runs ({', '.join(_COLUMNS)}) VALUES ({marks})", values).lastrowid
    assert number is not None
    for position, r in enumerate(entry.results):
        row = (number, position, r.name, r.label, r.unit, r.value, r.low, r.high, _json(r.numerator), _json(r.denominator))
        database.execute(f"INSERT INTO results VALUES ({', '.join('?' * len(row))})", row)
    database.executemany("INSERT INTO run_tables VALUES (?, ?, ?)", [(number, file, sha256) for file, sha256 in entry.tables.items()])
    states = [(number, shown(a.alert), a.is_on, a.fired, shown(a.said)) for a in entry.alerts]
    database.executemany("INSERT INTO alerts VALUES (?, ?, ?, ?, ?)", states)
    kept = {sha256 for (sha256,) in database.execute("SELECT sha256 FROM tables")}
    new = [(sha256, zlib.compress(content)) for sha256, content in contents.items() if sha256 not in kept]
    database.executemany("INSERT OR IGNORE INTO tables VALUES (?, ?)", new)
    return number


def _selected(database: sqlite3.Connection, report: str | None, last: int | None) -> list[Entry]:
    query = f"SELECT run_id, {', '.join(_COLUMNS)}, row_number() OVER (PARTITION BY report ORDER BY run_id DESC) AS age FROM runs"
    rows = database.execute(
        f"SELECT * FROM ({query}) WHERE (:report IS NULL OR report = :report) AND (:last IS NULL OR age <= :last) ORDER BY run_id",
        {"report": report, "last": last},
    ).fetchall()
    return [_entry(database, row[0], dict(zip(_COLUMNS, row[1:-1], strict=True))) for row in rows]


def _entry(database: sqlite3.Connection, number: int, columns: dict[str, Any]) -> Entry:
    columns = {name: json.loads(value) if name in _JSON else value for name, value in columns.items()}
    found = database.execute(
        "SELECT name, label, unit, value, low, high, numerator, denominator FROM results WHERE run_id = ? ORDER BY position", (number,)
    )
    results = tuple(Result(*row, numerator=json.loads(above), denominator=json.loads(below)) for *row, above, below in found)
    tables = dict(database.execute("SELECT file, sha256 FROM run_tables WHERE run_id = ? ORDER BY file", (number,)).fetchall())
    states = database.execute("SELECT alert, is_on, fired, said FROM alerts WHERE run_id = ? ORDER BY rowid", (number,))
    alerts = tuple(AlertState(alert, None if is_on is None else bool(is_on), bool(fired), said) for alert, is_on, fired, said in states)
    return Entry(number, **columns, results=results, tables=tables, alerts=alerts)


def _pruned(database: sqlite3.Connection, before: datetime | None, keep: int | None) -> int:
    gone = database.execute(
        """
        DELETE FROM runs WHERE (:before IS NOT NULL AND started < :before) OR (:keep IS NOT NULL AND run_id NOT IN (
            SELECT run_id FROM (SELECT run_id, row_number() OVER (PARTITION BY report ORDER BY run_id DESC) AS age FROM runs)
            WHERE age <= :keep))
        """,
        {"before": before and before.isoformat(timespec="seconds"), "keep": keep},
    ).rowcount
    database.execute("DELETE FROM tables WHERE sha256 NOT IN (SELECT sha256 FROM run_tables)")
    return gone


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _why(error: Exception) -> str:
    """What SQLite or the system said, in words."""
    said = str(error)
    if "locked" in said:
        return f"another program holds it for more than {LOCK_S:g} s"
    if "readonly" in said:
        return "it can be read but not written; change its permissions, or name another file with --history"
    if "unable to open" in said:
        return "it cannot be opened; is its folder there, and may it be written?"
    return getattr(error, "strerror", None) or said
