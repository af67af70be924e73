"""Which data a report is made from: the project's own, or a directory that TOKCOST_DATA_DIR names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tokcost.paths import DATA
from tokcost.report.errors import ReportError

VARIABLE = "TOKCOST_DATA_DIR"
OWN = DATA


def chosen() -> Path | None:
    """The directory that the environment names, absolute, for a kernel works elsewhere; None where it names none."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise ReportError(f"there is no data directory {named}; set {VARIABLE} to the data/ of a checkout of the project, or unset it")
    return Path(named).absolute()


def foreign(tables: list[dict]) -> list[str]:
    """The files among the `tables` of a report that are not, byte for byte, the project's own."""
    return [table["file"] for table in tables if table["sha256"] != _sha256(OWN / Path(table["file"]).name)] if chosen() else []


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
