"""The reference deployments: rows of data/systems.csv and data/operators.csv put together.

A system row speaks of a chip (price, power), an operator row of who runs it (building, money,
upkeep). Any system goes with any operator, so no input can be tuned for one chip at one operator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from tokcost import evidence, quantities
from tokcost.hour.deployment import Deployment, numeric_inputs

#: operator -> the price basis of the published constants that it is compared with
PRICE_BASIS = {"hyperscaler": "owning_hyperscaler", "neocloud": "owning_neocloud"}
#: how tax law writes equipment off: computers are 5-year property (IRS Publication 946); `bonus_100`, the whole price in the first
#: year, depends on the day of the purchase and makes the hour cheaper
DEPRECIATION = "macrs_5"
#: the kind of evidence of an input that one states oneself
YOUR_INPUT = "your input"


def reference_inputs(accelerator: str, operator: str) -> pd.DataFrame:
    """The rows behind one reference deployment, each with value, range, source, date and kind: what a report shows as its inputs.

    Columns: quantity, value, low, high, source_id, locator, date, kind, tier, note.

    >>> rows = reference_inputs("h200", "hyperscaler").set_index("quantity")
    >>> float(rows.at["n_gpus", "value"]), rows.at["n_gpus", "source_id"] != ""
    (8.0, True)
    """
    return _of_both(accelerator, operator).drop(columns=["accelerator", "system", "operator"])


def _of_both(accelerator: str, operator: str) -> pd.DataFrame:
    """The rows of a system and of an operator, which nobody may change."""
    tables = [evidence.load_table(name) for name in ("systems", "operators")]  # each time: a report cites what it used
    files = [evidence.catalog.table_path(name) for name in ("systems", "operators")]
    return _put_together(accelerator, operator, _Tables(tables, tuple((file, file.stat().st_mtime_ns) for file in files)))


@dataclass(frozen=True)
class _Tables:
    """Tables that are alike while their files are the same."""

    rows: list[pd.DataFrame] = field(compare=False)
    files: tuple[tuple[Path, int], ...]


@lru_cache(maxsize=64)
def _put_together(accelerator: str, operator: str, tables: _Tables) -> pd.DataFrame:
    of_system = evidence.rows_where(tables.rows[0], {"accelerator": accelerator}, table="data/systems.csv")
    of_operator = evidence.rows_where(tables.rows[1], {"operator": operator}, table="data/operators.csv")
    return pd.concat([of_system, of_operator], ignore_index=True)


def reference_deployment(accelerator: str, operator: str) -> Deployment:
    """A reference deployment by its chip and operator; `.replace(...)` it to try other inputs. Inputs that no row names are None.

    >>> node = reference_deployment("h200", "hyperscaler")
    >>> node.name, node.n_gpus
    ('h200 8-GPU node, hyperscaler', 8.0)
    >>> reference_deployment("h20", "hyperscaler")
    Traceback (most recent call last):
    tokcost.evidence.selection.NoSuchRow: no row of data/systems.csv has accelerator `h20`; did you mean `h200`?
    """
    rows = _of_both(accelerator, operator)
    stated = dict(zip(rows["quantity"], rows["value"].astype(float), strict=True))
    spans = zip(rows["quantity"], rows["low"].astype(float), rows["high"].astype(float), strict=True)
    inputs: dict[str, Any] = {name: stated.get(name) for name in numeric_inputs()}
    return Deployment(
        **inputs,
        name=f"{accelerator} {rows['system'].iloc[0]}, {operator}",
        accelerator=accelerator,
        money="nominal",
        depreciation=DEPRECIATION,
        ranges={name: (low, high) for name, low, high in spans if not (math.isnan(low) or math.isnan(high))},
    )


def reference_deployments() -> dict[tuple[str, str], Deployment]:
    """Every system with every operator: (accelerator, price basis of the published constant) to deployment.

    >>> reference_deployments()["h200", "owning_neocloud"].name
    'h200 8-GPU node, neocloud'
    """
    return {
        (accelerator, basis): reference_deployment(accelerator, operator)
        for accelerator in evidence.load_table("systems")["accelerator"].unique()
        for operator, basis in PRICE_BASIS.items()
    }


def inputs_in_use(deployment: Deployment, operator: str) -> pd.DataFrame:
    """The sourced rows of a reference deployment with the value that `deployment` uses; an input of one's own says so.

    Columns: quantity, of ("chip" or "operator"), input (the quantity in words), value, low, high (sourced span; NaN for an input
    of one's own), unit, kind ("your input" for one's own), grade of the source, publisher, date.

    >>> mine = reference_deployment("h200", "hyperscaler").with_inputs(wacc_frac=0.12)
    >>> inputs_in_use(mine, "hyperscaler").set_index("quantity").loc["wacc_frac", "kind"]
    'your input'
    """
    rows = values_in_use(deployment, operator)
    sources, _ = evidence.catalog.examined("sources")  # looked up, not cited as a whole
    assert sources is not None
    known = sources.set_index("source_id")
    used = rows.assign(
        input=rows["quantity"].map(quantities.phrase),
        unit=["share" if quantities.unit(name) == "frac" else quantities.of(name).unit_label for name in rows["quantity"]],
        grade=rows["source_id"].map(known["grade"]),
        publisher=rows["source_id"].map(known["publisher"]),
    )
    own = used["kind"] == YOUR_INPUT
    if own.any():
        used.loc[own, ["grade", "publisher", "date"]] = ""
    return used[["quantity", "of", "input", "value", "low", "high", "unit", "kind", "grade", "publisher", "date"]]


def values_in_use(deployment: Deployment, operator: str) -> pd.DataFrame:
    """The rows of a reference deployment with the values that `deployment` uses, without what is said about them.

    Columns: those of the tables, with `value`, `low`, `high` and `kind` as in `inputs_in_use`, and `of` ("chip" or "operator").
    """
    rows = _of_both(deployment.accelerator, operator)
    value = rows["quantity"].map(lambda name: float(getattr(deployment, name)))
    own = rows["value"].astype(float) != value
    used = rows.assign(value=value, of=rows["accelerator"].notna().map({True: "chip", False: "operator"}))
    if own.any():
        used.loc[own, ["low", "high"]] = math.nan
        used.loc[own, "kind"] = YOUR_INPUT
    return used
