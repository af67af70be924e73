"""New rows beside the old ones: what is there already left out, what cannot be true listed as excluded, captures and sources kept in step.

Everything happens in a copy of data/. Its files replace the old ones only when all of it is in order, all of them or none.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tokcost.doubt import spreads
from tokcost.evidence import soundness
from tokcost.evidence.catalog import data_dir, examined
from tokcost.evidence.checking import unaccounted
from tokcost.evidence.reading import read
from tokcost.evidence.replacing import replace_files
from tokcost.evidence.schema import TABLES
from tokcost.evidence.selection import DataError
from tokcost.labels import LABELS
from tokcost.paths import using_data
from tokcost.renew.rows import Row
from tokcost.serving.calibrate_command import as_csv, fitted_again
from tokcost.serving.calibration import is_calibration_due
from tokcost.spreadsheet import guarded

#: labels that the code itself tells apart: no new ones come with data
FIXED = ("kind", "grade", "quantity")


@dataclass
class Addition:
    """What would be written: whole files by name, and what is said about the rows."""

    table: str
    n_added: int = 0
    n_there: int = 0
    n_twice: int = 0
    excluded: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    #: the same files as they were, for somebody else may change them meanwhile
    before: dict[str, str] = field(default_factory=dict)
    #: whether its rows are runs that the constants of the estimate are fitted to
    is_calibration_due: bool = False


def addition(rows: list[Row], table: str, *, source: Row, labels: list[Row], note: str = "", file: str = "") -> Addition:
    """The tables of data/ with these rows in them.

    `source` is the row of the source (more than its id only where it is new), `labels` new rows of labels.csv, `note` how far a new
    capture of measurements compares, `file` what errors call the file of the rows.
    Raises: DataError with everything that is wrong with the rows.
    """
    found = Addition(table)
    source_id = source["source_id"]
    _add_source(found, source)
    if labels:
        _append(found, "labels", labels)
    if "source_id" in TABLES[table].columns:
        rows = [{"source_id": source_id} | row for row in rows]
    if table == "inference":
        rows = [{"campaign": source_id} | row for row in rows]
    fresh = _not_there(rows, table, found, file)
    if table == "inference":
        fresh = _sound(fresh, found, file)
    _append(found, table, fresh)
    found.n_added = len(fresh)
    if table == "inference" and (fresh or found.excluded):
        _count(found, fresh, source, note)
    return found


def _add_source(found: Addition, source: Row) -> None:
    """The row of a new source; one that is known needs its id only."""
    source_id = source["source_id"]
    needed = [name for name, column in TABLES["sources"].columns.items() if column.required and name not in source]
    is_known = any(row["source_id"] == source_id for row in _old("sources"))
    if len(source) == 1 and not is_known:
        raise DataError(f"sources.csv does not know `{source_id}`; say what it is with --source-is FIELD=TEXT for {', '.join(needed)}")
    if len(source) == 1:
        return
    if is_known:
        raise DataError(f"sources.csv knows `{source_id}` already; leave --source-is out, or give a new source another id")
    if needed:
        raise DataError(f"a new source is not told without {' and '.join(needed)}; say --source-is {needed[0]}=TEXT too")
    if not re.fullmatch(r"[a-z0-9_]+", source_id):
        raise DataError(f"`{source_id[:80]}` is no id of a source; write small letters, digits and _, such as example_x100")
    _append(found, "sources", [source])


def _not_there(rows: list[Row], table: str, found: Addition, file: str) -> list[Row]:
    """The rows whose key the table does not have; the same key with other figures is a contradiction that somebody must settle."""
    key, fresh = TABLES[table].key, []
    known = {tuple(row[name] for name in key): row for row in _old(table)}
    here: dict[tuple[str, ...], tuple[int, Row]] = {}
    for number, row in enumerate(rows, 1):
        of_row = tuple(row.get(name, "") for name in key)
        which = ", ".join(f"{name} {text}" for name, text in zip(key, of_row, strict=True))
        if there := known.get(of_row):
            if what := _differing(row, there, table):
                raise DataError(
                    f"{file} row {number}: {table}.csv has this row already ({which}) with {what}; correct one of the two by hand"
                )
            found.n_there += 1
        elif of_row in here:
            first, other = here[of_row]
            if what := _differing(row, other, table):
                raise DataError(f"{file} row {number}: the same row as row {first} ({which}) with {what}; keep one of the two")
            found.n_twice += 1
        else:
            here[of_row] = number, row
            fresh.append(row)
    return fresh


def _differing(row: Row, other: Row, table: str) -> str:
    """The figures that two rows of one key have otherwise, in words."""
    figures = [name for name in row if TABLES[table].columns[name].kind in ("fact", "number", "whole", "flag")]
    differing = [name for name in figures if not _same(other.get(name, ""), row[name])]
    return ", ".join(f"{name} {other.get(name, '')} there, {row[name]} here" for name in differing)


def _same(there: str, here: str) -> bool:
    with suppress(ValueError):
        return float(there) == float(here)
    return there == here


def _sound(rows: list[Row], found: Addition, file: str) -> list[Row]:
    """The measured rows that can be true and stand in no capture yet; the others are excluded, with the reason."""
    if not rows:
        return []
    with _staged(found.files) as directory:
        typed = _typed(directory, rows, file)
    reasons = dict(soundness.broken_rules(typed))
    old, _ = examined("inference")
    assert old is not None
    reasons = soundness.repeats(typed, old) | {line: f"breaks a rule of a sound measurement: {rule}" for line, rule in reasons.items()}
    for line in sorted(reasons):
        found.excluded.append((rows[line]["locator"], reasons[line]))
    return [row for line, row in enumerate(rows) if line not in reasons]


def _typed(directory: Path, rows: list[Row], file: str):
    """The rows as the catalog would give them, or everything that is wrong with their cells."""
    path = directory / "new" / "inference.csv"
    path.parent.mkdir()
    path.write_text(_csv(rows, list(TABLES["inference"].columns), header=True), encoding="utf-8")
    with using_data(directory):
        known = {row["source_id"] for row in csv.DictReader(io.StringIO((directory / "sources.csv").read_text(encoding="utf-8")))}
        typed, problems = read(path, replace(TABLES["inference"], checks=()), known)
    if problems or typed is None:
        raise DataError([_by_row(problem, "new/inference.csv", 1, file) for problem in problems])
    return typed


def _count(found: Addition, fresh: list[Row], source: Row, note: str) -> None:
    """The capture that the rows are of, with its number of rows; and the rows that were excluded."""
    campaigns = {row["campaign"] for row in fresh} or {source["source_id"]}
    if len(campaigns) > 1:
        raise DataError(f"the rows are of several campaigns ({', '.join(sorted(campaigns))}); add one at a time")
    campaign, n_rows = campaigns.pop(), len(fresh) + len(found.excluded)
    captures = _old("captures")
    found.before["captures.csv"] = _text("captures.csv")
    there = next((row for row in captures if row["campaign"] == campaign), None)
    if there is None:
        if not note:
            what = "say under which load it was measured and with what it compares: --set comparability_note=TEXT"
            raise DataError(f"`{campaign}` is a new capture; {what}")
        date = max((row.get("run_date", "") for row in fresh), default="")[:7]
        row = {"campaign": campaign, "table": "inference", "n_rows": str(n_rows), "comparability_note": note, "locator": "all rows"}
        _append(found, "captures", [row | {"source_id": source["source_id"], "date": date, "kind": "measured"}])
    else:
        there["n_rows"] = str(int(there["n_rows"]) + n_rows)
        found.files["captures.csv"] = _csv(captures, list(captures[0]), header=True)
    out = [{"table": "inference", "source_id": source["source_id"], "locator": place, "reason": why} for place, why in found.excluded]
    if out:
        _append(found, "excluded_rows", out)


def check(found: Addition, file: str) -> None:
    """Refuse an addition with which a changed table would not be in order; the others are as they were, for labels and sources only grow.

    Raises: DataError with every problem, by row of the file where it is of a new row.
    """
    first = len(_text(f"{found.table}.csv").splitlines())
    with _staged(found.files) as directory, using_data(directory):
        problems = [problem for name in found.files for problem in examined(name.removesuffix(".csv"))[1]]
        if not problems and found.table == "inference":
            problems = unaccounted(*(examined(name)[0] for name in ("captures", "inference", "excluded_rows")))
    if problems:
        raise DataError([_by_row(problem, f"data/{found.table}.csv", first, file) for problem in problems])


def derive(found: Addition, *, calibrate: bool) -> None:
    """What is worked out from runs and prices of an hour follows them: the spreads, and if asked the constants of the estimate."""
    if not found.n_added or found.table not in ("inference", "hourly_rates"):
        return
    with _staged(found.files) as directory, using_data(directory):
        texts = {f"{spreads.TABLE}.csv": spreads.as_csv()}
        found.is_calibration_due = found.table == "inference" and is_calibration_due()
        if calibrate and found.is_calibration_due:
            texts |= as_csv(fitted_again())
    for name, text in texts.items():
        found.before[name], found.files[name] = _text(name), text


@contextmanager
def staged(found: Addition) -> Iterator[Path]:
    """A copy of data/ with the addition in it."""
    with _staged(found.files) as directory:
        yield directory


def write(found: Addition) -> list[str]:
    """Put the files of the addition in the place of the old ones: all, or none where one cannot be written."""
    changed = [name for name, text in found.before.items() if _text(name) != text]
    if changed:
        raise DataError(f"{', '.join(changed)} was changed while the rows were checked; nothing was written, add them again")
    return replace_files(data_dir(), found.files)


@contextmanager
def with_labels(labels: list[Row]) -> Iterator[None]:
    """New rows of labels.csv in force, so that names in a file are recognised by them."""
    if not labels:
        yield
        return
    found = Addition("labels")
    _append(found, "labels", labels)
    with _staged(found.files) as directory, using_data(directory):
        yield


@contextmanager
def _staged(files: dict[str, str]) -> Iterator[Path]:
    with TemporaryDirectory(prefix="evidence-add-") as scratch:
        directory = Path(scratch, "data")
        shutil.copytree(data_dir(), directory)
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8", newline="")
        yield directory


def _by_row(problem: str, table: str, before: int, file: str) -> str:
    """A problem of a new row, told by its number in the file that it came from; of a new label with how it is told."""
    found = re.match(rf"{re.escape(table)} line (\d+)", problem)
    number = int(found[1]) - before if found else 0
    unknown = re.search(r": unknown (\w+) '([^']+)'", problem)
    if number > 0 and unknown and LABELS.get(unknown[1]) and unknown[1] not in FIXED:
        problem += f"; a new one needs --label {unknown[1]}={unknown[2]}=LABEL"
    return f"{file} row {number}{problem[found.end() :]}" if found and number > 0 else problem


def _append(found: Addition, table: str, rows: list[Row]) -> None:
    columns = next(csv.reader(io.StringIO(_text(f"{table}.csv"))))
    text = found.files.get(f"{table}.csv") or found.before.setdefault(f"{table}.csv", _text(f"{table}.csv"))
    found.files[f"{table}.csv"] = text + _csv(rows, columns, header=False)


def _csv(rows: list[Row], columns: list[str], *, header: bool) -> str:
    for row in rows:
        for name, text in row.items():
            if name not in columns:
                raise DataError(f"`{name}` is no column there; it has {', '.join(columns)}")
            if guarded(text) != text:
                raise DataError(f"{name} {text!r} begins as a formula does; a spreadsheet would run it: write it another way")
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _old(table: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(_text(f"{table}.csv"), newline="")))


def _text(name: str) -> str:
    text = (data_dir() / name).read_text(encoding="utf-8")
    return text if text.endswith("\n") else f"{text}\n"
