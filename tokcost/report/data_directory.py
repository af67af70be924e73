"""Which of a report's tables are not the project's own, because TOKCOST_DATA_DIR names another directory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tokcost.paths import DATA, chosen_data


def foreign(tables: list[dict]) -> list[str]:
    """The files among the `tables` of a report that are not, byte for byte, the project's own."""
    return [table["file"] for table in tables if table["sha256"] != _sha256(DATA / Path(table["file"]).name)] if chosen_data() else []


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
