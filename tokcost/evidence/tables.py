"""What a table of data/ is: its columns, what makes a row unique, and the checks of whole rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from tokcost.evidence import soundness
from tokcost.evidence.columns import Column, date, fact, label, quantity, source, text
from tokcost.quantities import QUANTITIES, nearest

#: a check of whole rows: table in (indexed by line number), (line, column, what is wrong and the fix) out
RowCheck = Callable[[pd.DataFrame], Iterator[tuple[int, str, str]]]


@dataclass(frozen=True)
class Table:
    """One table: what it holds, its columns, the columns that together are unique, checks of whole rows."""

    about: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    checks: tuple[RowCheck, ...] = ()


def value_within_range(rows: pd.DataFrame):
    """low <= value <= high, and a range has both ends."""
    value, low, high = (rows[name] for name in ("value", "low", "high"))
    is_odd = (low.isna() != high.isna()) | (low.notna() & ~((low <= value) & (value <= high)))  # which few or none are
    for line, row in rows.loc[is_odd, ["value", "low", "high"]].iterrows():
        if pd.isna(row["low"]) != pd.isna(row["high"]):
            given, missing = ("high", "low") if pd.isna(row["low"]) else ("low", "high")
            yield line, missing, f"is empty while {given} is {row[given]:g}; give both ends of the range or none"
        elif pd.notna(row["low"]) and row["low"] > row["high"]:
            yield line, "low", f"{row['low']:g} is above high {row['high']:g}; a range needs low <= value <= high; are the two swapped?"
        elif pd.notna(row["low"]) and not row["low"] <= row["value"] <= row["high"]:
            span = f"{row['low']:g} to {row['high']:g}"
            yield line, "value", f"{row['value']:g} is outside its own range {span}; widen the range or correct the value"


def attribution_where_asked(rows: pd.DataFrame):
    asking = rows["licence"].str.contains("CC[- ]BY", regex=True) | rows["publisher"].str.contains(
        "SemiAnalysis|MLCommons|Epoch AI", regex=True
    )
    for line in rows.index[asking & (rows["attribution"] == "")]:
        yield line, "attribution", f"is empty; {rows.at[line, 'publisher']} asks for one; write the text that a report must print"


def ratios_have_a_direction(rows: pd.DataFrame):
    for line, row in rows.iterrows():
        is_ratio = row["role"] == "ratio"
        if is_ratio != (row["direction"] != ""):
            yield line, "direction", "belongs in ratio rows and only there: as_is (candidate / baseline) or inverse (baseline / candidate)"
        if is_ratio and row["accelerator"] != "":
            yield line, "accelerator", "must be empty in ratio rows; the systems stand in the rows of baseline and candidate"


def each_term_is_defined_once(rows: pd.DataFrame):
    for line, row in rows.iterrows():
        if row["quantity"] and row["quantity"] not in QUANTITIES:
            yield line, "quantity", f"unknown quantity '{row['quantity']}'{nearest(row['quantity'], QUANTITIES)}"
        if (row["quantity"] == "") == (row["definition"] == ""):
            yield line, "definition", "give a sentence, or the quantity whose meaning it is, and not both"


def rows_are_sound(rows: pd.DataFrame):
    for line, rule in soundness.broken_rules(rows):
        yield line, "locator", f"this row breaks a rule of a sound measurement: {rule}; correct it or move it to excluded_rows.csv"


def no_measurement_stands_twice(rows: pd.DataFrame):
    for line, what in soundness.repeats(rows, rows.head(0)).items():
        yield line, "locator", f"{what}; keep one of the two and list the other in excluded_rows.csv"


def joules_are_watts_over_rate(rows: pd.DataFrame):
    """Energy, power and throughput are of one boundary and one count of GPUs: J per token = W over tokens per second."""
    joule = rows["average_w_per_gpu"] / rows["output_tok_per_s_per_gpu"]
    column = "output_token_energy_joule_per_tok"
    for line in rows.index[(joule / rows[column] - 1).abs() > 0.01]:
        yield line, column, f"{rows.at[line, column]:g} is not {joule[line]:.4g}, which watts over tokens per second make; correct one"


#: what every fact ends in: its source, where in it, its date, what kind of evidence it is
TAIL = {"source_id": source(), "locator": text(), "date": date(), "kind": label("kind")}


def facts(about: str, *keys: str, of: tuple[str, ...] = (), labels: dict[str, Column] | None = None, is_tiered: bool = False) -> Table:
    """A table of one fact a row: key columns, quantity, value, low, high, source, locator, date, kind, note.

    `of` lists the quantities that it may hold (none: any of the vocabulary), `labels` the key columns that are
    not free text; `is_tiered` adds a column that says how far the source is to be trusted.
    """
    columns = {name: (labels or {}).get(name, text()) for name in keys}
    columns |= {"quantity": quantity(*of), "value": fact(), "low": fact(required=False), "high": fact(required=False)} | TAIL
    columns |= {"tier": text()} if is_tiered else {}
    return Table(about, columns | {"note": text(required=False)}, (*keys, "quantity"), (value_within_range,))


def dated(about: str, *keys: str, labels: dict[str, Column] | None = None) -> Table:
    """A tiered table of facts in which several sources and dates may speak of the same thing."""
    table = facts(about, *keys, labels=labels, is_tiered=True)
    return replace(table, key=(*table.key, "date", "source_id"))
