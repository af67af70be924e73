"""Everything that is wrong with data/: every table, every source, every row accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokcost.evidence.catalog import data_dir, examined
from tokcost.evidence.schema import TABLES

if TYPE_CHECKING:
    import pandas as pd


def check_all() -> list[str]:
    """Every problem of every table, sources that nothing cites, files without a schema, capture rows that are unaccounted for.

    >>> check_all()
    []
    """
    problems, tables = [], {}
    for name in TABLES:
        tables[name], found = examined(name)
        problems += found
    for path in sorted(data_dir().glob("*.csv")):
        if path.stem not in TABLES:
            problems.append(f"data/{path.name}: no schema describes this file; add its columns to TABLES in tokcost/evidence/schema.py")
    if any(rows is None for rows in tables.values()):
        return problems
    return problems + _orphans(tables) + unaccounted(tables["captures"], tables["inference"], tables["excluded_rows"])


def _orphans(tables) -> list[str]:
    cited = {source_id for name, rows in tables.items() if name != "sources" for source_id in rows.get("source_id", ())}
    lines = enumerate(tables["sources"]["source_id"], start=2)
    return [
        f"data/sources.csv line {line}: column 'source_id': no row cites '{name}'; delete it or cite it"
        for line, name in lines
        if name not in cited
    ]


def unaccounted(captures: pd.DataFrame, inference: pd.DataFrame, excluded_rows: pd.DataFrame) -> list[str]:
    """Captures whose rows kept and rows excluded do not add up to the rows that they held."""
    problems = []
    for row in captures.itertuples():
        kept = (inference["campaign"] == row.campaign).sum()
        out = ((excluded_rows["table"] == row.table) & (excluded_rows["source_id"] == row.source_id)).sum()
        if kept + out != row.n_rows:
            problems.append(
                f"data/captures.csv: campaign {row.campaign} held {row.n_rows} rows, {kept} in inference.csv and {out} in "
                "excluded_rows.csv; a row that is taken out of one belongs in the other"
            )
    return problems
