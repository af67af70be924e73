"""Where the data tables, the notebooks and the report definitions are: beside the package in a checkout, inside it in a wheel.

A workspace (`tokcost new FOLDER`) has notebooks and definitions of its own and uses the tables of the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "shipped"

#: the folder of the project: what a path that is neither absolute nor in the working directory is relative to
PROJECT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent
DATA = PROJECT / "data"
NOTEBOOKS = PROJECT / "notebooks"
REPORTS = PROJECT / "reports"
