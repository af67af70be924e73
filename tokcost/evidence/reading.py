"""Read one data table and say everything that is wrong with it, by file, line and column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Container
from pathlib import Path

import pandas as pd

from tokcost.evidence.columns import CellProblem, parse
from tokcost.evidence.tables import Table
from tokcost.quantities import nearest


def read(path: Path, table: Table, source_ids: Container[str]) -> tuple[pd.DataFrame | None, list[str]]:
    """The table and its problems. The table is None where the file is too broken to build one."""
    where = f"{path.parent.name}/{path.name}"
    header, records, problems = _records(path, where)
    if header is None:
        return None, problems
    problems += _header_problems(header, table, where)
    columns = {name: column.settled() for name, column in table.columns.items() if name in header}
    names = [name for name in dict.fromkeys(header) if name in columns]
    values: dict[str, list] = {name: [] for name in names}
    known: dict[str, dict] = {name: {} for name in names}  # of each column, what its cells mean: most stand in many rows
    wrong_lines = set()
    for line, record in records:
        cells = dict(zip(header, record, strict=True))
        for name in names:
            key = (cells[name], cells.get("quantity")) if columns[name].kind == "fact" else cells[name]
            try:
                if key not in known[name]:
                    known[name][key] = parse(name, columns[name], cells[name], cells, source_ids)
                values[name].append(known[name][key])
            except CellProblem as problem:
                values[name].append(math.nan)
                problems.append(_at(where, line, name, problem))
                wrong_lines.add(line)
    if set(names) != set(table.columns):
        return None, problems
    rows = _frame([line for line, _ in records], values, table)
    problems += _duplicates(rows, table, where)
    sound = rows.drop(index=list(wrong_lines))
    for check in table.checks:
        problems += [_at(where, line, name, what) for line, name, what in check(sound)]
    return rows.reset_index(drop=True), problems


def _at(where: str, line: int, column: str, what) -> str:
    return f"{where} line {line}: column '{column}': {what}"


def _records(path: Path, where: str):
    """Header, (line number, cells) of every well-formed record, problems. Lines are those of an editor, quoted line breaks included."""
    if not path.is_file():
        return None, [], [f"{where}: there is no such file; put it back, or take its entry out of TABLES in tokcost/evidence/schema.py"]
    raw = path.read_bytes()
    try:
        content = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return None, [], [f"{where} line {line}: byte {raw[error.start]:#04x} is not UTF-8; save the file as UTF-8"]
    if content.startswith("\ufeff"):
        return None, [], [f"{where} line 1: the file begins with a byte order mark; save it as UTF-8 without one"]
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    header, records, problems = None, [], []
    last_line = 0
    try:
        for cells in reader:
            line, last_line = last_line + 1, reader.line_num
            if header is None:
                header = cells
            elif not cells:
                problems.append(f"{where} line {line}: the line is empty; delete it")
            elif len(cells) != len(header):
                problems.append(
                    f"{where} line {line}: {len(cells)} cells, the header has {len(header)}; "
                    'one cell a column; put a text with a comma in double quotes ("a, b")'
                )
            else:
                records.append((line, cells))
    except csv.Error as error:
        problems.append(
            f'{where} line {last_line + 1}: not readable as CSV ({error}); write a double quote inside a quoted text twice ("")'
        )
    if header is None and not problems:
        problems.append(f"{where}: the file is empty; it needs a header line and at least one row")
    elif not records and not problems:
        problems.append(f"{where}: the file has a header and no row; a table needs at least one row")
    return header, records, problems


def _header_problems(header: list[str], table: Table, where: str) -> list[str]:
    problems = []
    missing = [name for name in table.columns if name not in header]
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            problems.append(_at(where, 1, name, f"appears {header.count(name)} times; keep one"))
        if name not in table.columns:
            problems.append(_at(where, 1, name, f"is not a column of this table{nearest(name, missing or table.columns)}"))
    problems += [_at(where, 1, name, f"is missing; the header is {','.join(table.columns)}") for name in missing]
    return problems


def _frame(lines: list[int], values: dict[str, list], table: Table) -> pd.DataFrame:
    """One row a line, indexed by line. Numbers are floats (NaN: not known), required counts integers, texts texts ("": none)."""
    index, columns = pd.Index(lines), {}
    for name, column in table.columns.items():
        cells = pd.Series(values[name], index=index, dtype=object)
        if column.kind in ("fact", "number", "whole"):
            is_count = column.kind == "whole" and column.required and cells.notna().all()
            cells = pd.to_numeric(cells).astype("int64" if is_count else "float64")
        elif column.kind == "flag" and cells.notna().all():
            cells = cells.astype(bool)
        columns[name] = cells
    return pd.DataFrame(columns)


def _duplicates(rows: pd.DataFrame, table: Table, where: str) -> list[str]:
    first_line, problems = {}, []
    for line, key in zip(rows.index, rows[list(table.key)].itertuples(index=False, name=None), strict=True):
        if key in first_line and all(cell == cell for cell in key):
            said = ", ".join(f"{name} {cell}" for name, cell in zip(table.key, key, strict=True) if cell != "")
            problems.append(
                f"{where} line {line}: column '{table.key[-1]}': the same row as line {first_line[key]} ({said}); keep one of the two"
            )
        first_line.setdefault(key, line)
    return problems
