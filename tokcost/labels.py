"""What people call the identifiers of the data: a model, a price basis, a source, a capture of measurements."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

from tokcost.paths import DATA


def label_of(name: str, value: str) -> str | None:
    """What `value` of the column `name` is called, or None where its own name is the one that people use.

    >>> label_of("model", "dsr1"), label_of("baseline_price_basis", "rental_3yr"), label_of("model", "Mine-7B")
    ('DeepSeek-R1', '3-year rental', None)
    """
    return _called(name, value) if value else None


def column_label(name: str) -> str:
    """What a column or a parameter that holds words is called.

    >>> column_label("rate_vintage"), column_label("baseline_accelerator"), column_label("claim_id")
    ('Price list of', 'Baseline accelerator', 'Claim')
    """
    text = _called(name, "") or name.removesuffix("_id").replace("_", " ")
    return text[:1].upper() + text[1:]


def _called(name: str, value: str) -> str | None:
    return next((called[value] for column, called in _labels().items() if _ends_in(name, column) and value in called), None)


def _ends_in(name: str, column: str) -> bool:
    return name == column or name.endswith(f"_{column}")


@functools.cache
def _labels() -> dict[str, dict[str, str]]:
    """Column -> identifier -> label; the label of a column itself stands under no identifier.

    A source, and the capture of measurements that it holds, go by the title of the source.
    """
    found: dict[str, dict[str, str]] = {}
    for row in _rows(Path(__file__).with_name("labels.csv")):
        found.setdefault(row["name"], {})[row["value"]] = row["label"]
    titles = {row["source_id"]: row["title"] for row in _rows(DATA / "sources.csv")}
    return found | {"source_id": titles, "campaign": titles}


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
