"""Text-valued names: what they may be, and what people call it: a chip, a model, a price list, a price basis, a source.

What may be added without code (a chip, a model, a price list) has one row in data/labels.csv; what code decides by stands here.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.errors import InputError
from tokcost.paths import DATA, chosen_data

#: how near a source is to the number -> the same in the words of a report
GRADES = {
    "primary": "original document",
    "secondary": "reported by others",
    "scraped": "web page, origin not traced",
    "assumption": "assumed by this project",
}

#: text-valued names and what they may be: nothing for any text, None for the rows of data/labels.csv
_NAMES: dict[str, tuple[str, ...] | None] = {
    "accelerator": None,
    "model": None,
    "claim_id": (),
    "benchmark_path": (),
    "trace_path": (),
    "operator": ("hyperscaler", "neocloud"),
    "region": (),
    "price_basis": ("owning_hyperscaler", "owning_neocloud", "rental_3yr", "on_demand", "reserved", "spot"),
    "rate_vintage": None,
    "power_vintage": None,
    "precision": None,
    "speculative": ("mtp", "none", "unlabelled"),
    "deployment": ("aggregated", "disaggregated"),
    "profile": None,
    "token_class": ("total", "output", "input", "cached_input"),
    "grade": tuple(GRADES),
    "kind": ("measured", "vendor_claim", "modelled", "list_price", "market_price", "survey", "filing", "estimate", "assumption"),
}


class _Labels(Mapping[str, tuple[str, ...]]):
    """Name -> what it may be, in order; empty for any text. The tables of `$TOKCOST_DATA_DIR` count where that is set."""

    def __getitem__(self, name: str) -> tuple[str, ...]:
        fixed = _NAMES[name]
        return tuple(value for value in _labels().get(name, ()) if value) if fixed is None else fixed

    def __contains__(self, name: object) -> bool:  # without reading a file, for schemas ask when they are imported
        return name in _NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


LABELS = _Labels()


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


def served_as(model: str) -> tuple[str, ...]:
    """How tools that serve a model name it: small letters and digits only, each part of their longer names.

    >>> served_as("llama70b")
    ('llama3170b', 'llama3370b')
    """
    rows = _rows(*_stamped("labels.csv"))
    return tuple(name for row in rows if row["name"] == "model" and row["value"] == model for name in row["served_as"].split())


def labels_stamp() -> tuple:
    """What changes when data/labels.csv does."""
    return _stamped("labels.csv")


def _called(name: str, value: str) -> str | None:
    return next((called[value] for column, called in _labels().items() if _ends_in(name, column) and value in called), None)


def _ends_in(name: str, column: str) -> bool:
    return name == column or name.endswith(f"_{column}")


def _labels() -> dict[str, dict[str, str]]:
    """Column -> identifier -> label; the label of a column itself stands under no identifier."""
    return _read(_stamped("labels.csv"), _stamped("sources.csv"))


@functools.lru_cache(maxsize=8)
def _read(labels: tuple, sources: tuple) -> dict[str, dict[str, str]]:
    """A source, and the capture of measurements that it holds, go by the title of the source."""
    found: dict[str, dict[str, str]] = {}
    for row in _rows(*labels):
        found.setdefault(row["name"], {})[row["value"]] = row["label"]
    titles = {row["source_id"]: row["title"] for row in _rows(*sources) if row.get("source_id") and row.get("title")}
    return found | {"source_id": titles, "campaign": titles}


def _stamped(file: str) -> tuple:
    path = (chosen_data() or DATA) / file
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; take the file from a checkout of the project") from None
    return path, state.st_mtime_ns, state.st_size


@functools.lru_cache(maxsize=8)
def _rows(path: Path, *stamp: int) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8", errors="replace") as lines:
        rows = list(csv.DictReader(lines))
    if path.name == "labels.csv" and not (rows and {"name", "value", "label", "served_as"} <= rows[0].keys()):
        raise InputError(f"{path} needs the columns name, value, label and served_as; take the file from a checkout of the project")
    return rows
