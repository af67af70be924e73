"""Where the data tables, the notebooks and the report definitions are: beside the package in a checkout, inside it in a wheel.

A workspace (`tokcost new FOLDER`) has notebooks and definitions of its own and uses the tables of the package.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokcost.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "shipped"

#: the folder of the project: what a path that is neither absolute nor in the working directory is relative to
PROJECT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent
DATA = PROJECT / "data"
NOTEBOOKS = PROJECT / "notebooks"
REPORTS = PROJECT / "reports"
#: exercises, the lesson and the slides of the course
TEACHING = PROJECT / "teaching"

#: names a directory of tables to be used instead
DATA_VARIABLE = "TOKCOST_DATA_DIR"


def located(text: str, name: str) -> Path:
    """Where the path in the parameter `name` leads: absolute, below the home folder (`~`), or below this project's folder.

    Raises: InputError where nothing is there.

    >>> located("data/labels.csv", "trace_path") == DATA / "labels.csv"
    True
    """
    path = Path(text).expanduser()
    place = path if path.is_absolute() else PROJECT / path
    if not text.strip() or not place.exists():
        where = "" if path.is_absolute() else " in the folder of this project; give the whole path, from / or ~"
        raise InputError(f"`{name}` is {text!r}: there is no such file or folder{where}")
    return place


def chosen_data() -> Path | None:
    """The directory that the environment names, absolute, for a kernel works elsewhere; None where it names none."""
    named = os.environ.get(DATA_VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise InputError(f"there is no data directory {named}; set {DATA_VARIABLE} to the data/ of a checkout of the project, or unset it")
    return Path(named).absolute()


@contextmanager
def using_data(directory: Path) -> Iterator[None]:
    """The tables of `directory` in the place of all others, until the block ends."""
    before = os.environ.get(DATA_VARIABLE)
    os.environ[DATA_VARIABLE] = str(directory)
    try:
        yield
    finally:
        if before is None:
            del os.environ[DATA_VARIABLE]
        else:
            os.environ[DATA_VARIABLE] = before
