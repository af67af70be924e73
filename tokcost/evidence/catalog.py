"""The evidence catalog: validated tables of data/, single facts, and a record of what was used.

`load_table("hourly_rates")` gives a table or the rows of it that are asked for, `fact`, `rate` and
`provisioned_power` one number with its source, `measured` the measured serving rows. `provenance` says
which tables the process has used and which sources the rows used cite, for the foot of a report.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tokcost.evidence.ageing import LASTS_MONTHS, newest
from tokcost.evidence.base_values import typed
from tokcost.evidence.reading import read
from tokcost.evidence.schema import TABLES
from tokcost.evidence.selection import DataError, rows_where
from tokcost.labels import labels_stamp
from tokcost.paths import DATA
from tokcost.quantities import nearest

#: table -> the sources of the rows of it that this process was given
_used: dict[str, set[str]] = {}
#: dates of the measured runs that it was given, those that state one
_run_dates: set[str] = set()
#: the price lists of which it was given a price of an hour
_price_lists: set[str] = set()


@dataclass(frozen=True)
class Fact:
    """One sourced number. It counts as its value (`float(fact)`); `fact.accelerator` and other keys are attributes."""

    value: float
    low: float | None
    high: float | None
    quantity: str
    source_id: str
    locator: str
    date: str
    kind: str
    note: str
    keys: dict[str, str] = field(default_factory=dict, compare=False)

    def __float__(self) -> float:
        return self.value

    def __getattr__(self, name):
        keys = self.__dict__.get("keys", {})
        if name in keys:
            return keys[name]
        raise _NoSuchKey(name, [*keys, *self.__dict__])


class _NoSuchKey(AttributeError):
    """Its sentence is made where it is read: pandas and numpy ask every number for a dozen names that none has."""

    def __str__(self) -> str:
        name, known = self.args
        return f"this fact has no `{name}`{nearest(name, known)}"


def data_dir() -> Path:
    """The directory of the tables: `$TOKCOST_DATA_DIR`, or data/ of this project.

    Raises: DataError where that variable names no directory.

    >>> (data_dir() / "sources.csv").is_file()
    True
    """
    directory = Path(os.environ.get("TOKCOST_DATA_DIR") or DATA)
    if not directory.is_dir():
        raise DataError(f"there is no data directory {directory}; set TOKCOST_DATA_DIR to the data/ of a checkout of the project")
    return directory


def table_path(table: str) -> Path:
    """The file of a table; an unknown table is an error that names the nearest."""
    if table not in TABLES:
        raise DataError(f"there is no table `{table}`{nearest(table, TABLES)}")
    return data_dir() / f"{table}.csv"


def load_table(table: str, **filters: object) -> pd.DataFrame:
    """A validated copy of data/<table>.csv, or of its rows where each column named has the value (or one of the values) given.

    Numbers are floats with NaN for not known, texts are empty where nothing is said. Only the sources of the rows
    returned count as used. Raises DataError with every problem of the file (file, line, column, what is allowed); a
    filter value that no row has is an error that names the nearest one.

    Columns: those of the file (`tokcost data list`; tokcost/evidence/schema.py has them all).

    >>> load_table("hourly_rates", accelerator="h200", rate_vintage="2026-03")["value"].tolist()
    [1.41, 1.74, 1.6]
    """
    return _given(table, rows_where(_rows(table), filters, table=f"data/{table}.csv").copy())


def _rows(table: str) -> pd.DataFrame:
    """The validated table itself, which nobody may change; not yet used."""
    rows, problems = examined(table)
    if problems:
        raise DataError(problems)
    return rows


def _given(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Record that these rows were given out."""
    _used.setdefault(table, set()).update(rows.get("source_id", ()))
    if table == "inference":
        _run_dates.update(rows["run_date"].unique())
    if table == "hourly_rates":
        _price_lists.update(rows["rate_vintage"].unique())
    return rows


def examined(table: str) -> tuple[pd.DataFrame | None, list[str]]:
    """A table and all its problems, without an error."""
    path, sources = table_path(table), data_dir() / "sources.csv"
    return _examined(table, path, _stamp(path), sources, _stamp(sources), labels_stamp())


def read_ahead() -> None:
    """Read every table, without using any: a process that is copied later finds them read, and reads again what changed."""
    for table in TABLES:
        examined(table)


@functools.lru_cache(maxsize=256)
def _examined(table, path, stamp, sources, sources_stamp, labels):
    return read(path, TABLES[table], _source_ids(sources, sources_stamp))


@functools.lru_cache(maxsize=8)
def _source_ids(path: Path, stamp) -> frozenset[str]:
    if stamp is None:
        return frozenset()
    with open(path, newline="", encoding="utf-8", errors="replace") as lines:
        return frozenset(row.get("source_id") or "" for row in csv.DictReader(lines))


def _stamp(path: Path):
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size


def fact(table: str, **keys: str) -> Fact:
    """The one row of a table of facts that the keys name.

    Raises DataError where no row or more than one has these keys, naming what there is.

    >>> memory = fact("accelerators", accelerator="h200", quantity="memory_gb")
    >>> memory.value, memory.kind
    (141.0, 'vendor_claim')
    >>> fact("accelerators", accelerator="gb30", quantity="memory_gb")
    Traceback (most recent call last):
    tokcost.evidence.selection.NoSuchRow: no row of data/accelerators.csv has accelerator `gb30`; did you mean `gb300`?
    """
    rows = _rows(table)
    key_columns = TABLES[table].key
    if "value" not in rows:
        raise DataError(f"data/{table}.csv is not a table of single facts; use load_table({table!r})")
    for name in keys:
        if name not in key_columns:
            raise DataError(f"data/{table}.csv has no key `{name}`{nearest(name, key_columns)}")
    found = rows_where(rows, keys, table=f"data/{table}.csv")
    if len(found) > 1:
        open_keys = [name for name in key_columns if found[name].nunique() > 1]
        choices = "; ".join(f"{name}: {', '.join(sorted(found[name].unique()))}" for name in open_keys)
        said = ", ".join(f"{name} `{value}`" for name, value in keys.items()) or "no key at all"
        raise DataError(f"data/{table}.csv has {len(found)} rows for {said}; add {' and '.join(open_keys)} ({choices})")
    row = _given(table, found).iloc[0]
    low, high = (None if pd.isna(row[end]) else float(row[end]) for end in ("low", "high"))
    labels = {name: row[name] for name in key_columns if name != "quantity"}
    texts = {name: row[name] for name in ("quantity", "source_id", "locator", "date", "kind", "note")}
    return Fact(value=float(row["value"]), low=low, high=high, **texts, keys=labels)


def rate(*, accelerator: str, price_basis: str, rate_vintage: str) -> Fact:
    """The modelled price of a GPU-hour in USD, with its source.

    >>> gb300 = rate(accelerator="gb300", price_basis="owning_hyperscaler", rate_vintage="2026-03")
    >>> float(gb300), gb300.kind, gb300.rate_vintage
    (2.652, 'modelled', '2026-03')
    """
    return fact("hourly_rates", accelerator=accelerator, price_basis=price_basis, rate_vintage=rate_vintage)


def provisioned_power(*, accelerator: str, power_vintage: str) -> Fact:
    """Utility-side kW that must be built for one accelerator; the facility is in it, so no PUE on top.

    >>> provisioned_power(accelerator="h200", power_vintage="2026-03").value
    1.73
    """
    return fact("provisioned_power", accelerator=accelerator, power_vintage=power_vintage)


def base_case() -> dict[str, float | int | str]:
    """The inputs that every notebook begins with, by name: numbers where the vocabulary has a quantity, words where it has a choice.

    Raises: DataError with file, line and what is allowed.

    >>> base_case()["candidate_accelerator"], base_case()["isl"]
    ('gb300', 1024)
    """
    rows = _rows("base_case")
    return {name: typed(name, value) for name, value in zip(rows["name"], rows["value"], strict=True)}


def accelerators(names: Iterable[str] | None = None) -> pd.DataFrame:
    """One row an accelerator (all of them, or those named), one column a quantity; NaN where no source says.

    Columns: the quantities of data/accelerators.csv, in the order of its schema; the index is `accelerator`.

    >>> accelerators(["gb300", "h200"])["peak_fp8_dense_tflop_per_s"].to_dict()
    {'h200': 1979.0, 'gb300': 5000.0}
    """
    rows = load_table("accelerators", **({} if names is None else {"accelerator": list(names)}))
    wide = rows.pivot(index="accelerator", columns="quantity", values="value")
    order = [name for name in TABLES["accelerators"].columns["quantity"].values if name in wide]
    return wide.loc[rows["accelerator"].unique(), order].rename_axis(columns=None)


def measured(**filters: object) -> pd.DataFrame:
    """Measured serving rows where each column named has the value given, or one of a list of values.

    Captures overlap: `tc.serving.pool` takes all of them and counts each measurement once. A filter value
    that no row has is an error that names the nearest one.

    Columns: those of data/inference.csv: `model`, `accelerator`, lengths, `precision`, ..., speed, throughput, latencies, source.

    >>> rows = measured(campaign="inferencex_dsr1_2026_04", accelerator="gb300", speculative="mtp", precision="fp4", concurrency=1229)
    >>> rows["total_tok_per_s_per_gpu"].round(4).tolist()
    [5970.2615]
    """
    return load_table("inference", **filters).reset_index(drop=True)


def used_tables() -> list[str]:
    """The tables that this process has used, in the order of first use.

    >>> reset_used()
    >>> power = provisioned_power(accelerator="h200", power_vintage="2026-03")
    >>> used_tables()
    ['provisioned_power']
    """
    return list(_used)


def reset_used() -> None:
    """Forget which tables were used.

    >>> reset_used()
    >>> used_tables()
    []
    """
    _used.clear()
    _run_dates.clear()
    _price_lists.clear()


def provenance() -> dict:
    """Tables that this process has used (file, SHA-256, rows, age), the sources that the rows used cite, and two dates.

    `measured_to` is the date of the last serving run used; where no run states one, that of the last source of runs; "" without runs.
    `prices_of` names the price lists used, the first and the last; "" without a price of an hour.

    >>> reset_used()
    >>> power = provisioned_power(accelerator="h200", power_vintage="2026-03")
    >>> [table["file"] for table in provenance()["tables"]]
    ['data/provisioned_power.csv']
    """
    tables = []
    for table in _used:
        path = table_path(table)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        age = {"newest": newest(_rows(table)), "lasts_months": LASTS_MONTHS[table]} if table in LASTS_MONTHS else {}
        tables.append({"table": table, "file": f"data/{path.name}", "sha256": sha256, "rows": len(_rows(table))} | age)
    cited = set().union(*_used.values())
    fields = ["source_id", "title", "publisher", "locator", "date", "grade", "licence", "attribution"]
    rows = _rows("sources")
    of_runs = rows.loc[rows["source_id"].isin(_used.get("inference", ())), "date"]
    measured_to = max(_run_dates, default="") or max((date.rpartition("/")[2] for date in of_runs), default="")
    sources = rows.loc[rows["source_id"].isin(cited), fields].to_dict("records")
    prices_of = " to ".join(sorted({min(_price_lists), max(_price_lists)})) if _price_lists else ""
    return {"tables": tables, "sources": sources, "measured_to": measured_to, "prices_of": prices_of}
