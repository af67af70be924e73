"""The parameters that a notebook's file declares: the one cell tagged `parameters`, read without running it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tokcost.errors import InputError
from tokcost.parameters.declaration import Parameter, parse_cell
from tokcost.parameters.exclusions import Exclusion, Together, parse_exclusions
from tokcost.report.errors import ReportError
from tokcost.report.request.reading import read_notebook

T = TypeVar("T")


def read_parameters(path: Path) -> list[Parameter]:
    """The parameters that the notebook at `path` declares, in its order; each default is itself checked."""
    return _read_cell(path, parse_cell)


def read_exclusions(path: Path) -> list[Exclusion | Together]:
    """The exclusions that the notebook at `path` declares."""
    return _read_cell(path, parse_exclusions)


def _read_cell(path: Path, parse: Callable[[str], list[T]]) -> list[T]:
    """What `parse` makes of the source of the one cell tagged `parameters` in the notebook at `path`."""
    tagged = [(n, c) for n, c in enumerate(read_notebook(path)["cells"], 1) if "parameters" in c["metadata"].get("tags", [])]
    if len(tagged) != 1:
        what = "no cell" if not tagged else f"{len(tagged)} cells ({', '.join(str(n) for n, _ in tagged)})"
        raise ReportError(f"{path.name} has {what} tagged `parameters`; tag exactly one (in JupyterLab: property inspector, cell tags)")
    number, cell = tagged[0]
    try:
        return parse(cell["source"])
    except InputError as error:
        raise ReportError(f"{path.name}, cell {number}: {error}") from None
