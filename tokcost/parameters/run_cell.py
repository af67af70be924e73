"""The parameter cell of a notebook that is running: what its names are set to, checked as on the command line."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tokcost.errors import InputError
from tokcost.parameters.declaration import Parameter, parse_cell
from tokcost.parameters.exclusions import parse_exclusions
from tokcost.parameters.settings import Layer, Setting, Written, require_known, settings
from tokcost.paths import NOTEBOOKS

CELL = "parameter cell"
PAPERMILL = "papermill"
#: how the cell begins that papermill puts below the parameter cell
_INJECTED = "# Parameters"


def current_settings(sources: Sequence[str], values: Mapping[str, object]) -> list[Setting]:
    """The settings of the newest parameter cell among the `sources` of cells that ran, with the `values` that its names have now.

    Papermill writes its values into a cell of their own; numbers that it was given as text are read as on the command line.
    A setting counts as changed where the notebook, as this project delivers it, says another value.

    Raises: InputError for an unknown name, a value that is not allowed, or values that do not go together.

    >>> cell = "utilization_frac: float = 0.4  # share of the hour, 0.05 to 1"
    >>> [s.value for s in current_settings([cell, "# Parameters\\nutilization_frac = '0.5'"], {"utilization_frac": "0.5"})]
    [0.5]
    """
    place = next((n for n in reversed(range(len(sources))) if _is_parameter_cell(sources[n])), None)
    if place is None:
        raise InputError(
            "there is no parameter cell above; write one of lines such as `utilization_frac: float = 0.7  # share of the hour, 0.05 to 1`"
        )
    lines = parse_cell(sources[place], check_defaults=False)
    delivered = _delivered({p.name for p in lines})
    # A line without a word on what it means declares nothing: it is a name that somebody believed to be a parameter.
    declared = [p if p.is_explained else delivered[p.name] for p in lines if p.is_explained or p.name in delivered]
    injected = {name for source in sources[place:] if source.startswith(_INJECTED) for name in _names(source)}
    written = {name: Written(values[name]) if isinstance(values[name], str) else values[name] for name in injected if name in values}
    in_cell = {p.name: values[p.name] for p in lines if p.name in values and p.name not in written}
    for layer in (layers := [Layer(CELL, in_cell), Layer(PAPERMILL, written)]):
        require_known(layer, {"this notebook": declared})
    found = settings(declared, layers)
    for exclusion in parse_exclusions(sources[place], check_defaults=False):
        exclusion.check(found)
    return [replace(s, parameter=replace(s.parameter, default=delivered.get(s.parameter.name, s.parameter).default)) for s in found]


def _is_parameter_cell(source: str) -> bool:
    """Whether a cell holds nothing but assignments, of which one at least says what may be assigned."""
    try:
        body = ast.parse(source).body
        return all(isinstance(line, ast.Assign | ast.AnnAssign) for line in body) and any(
            p.is_explained and (p.choices or p.holds or p.low is not None) for p in parse_cell(source, check_defaults=False)
        )
    except (SyntaxError, ValueError):
        return False


def _names(source: str) -> list[str]:
    """The names that a cell of plain assignments sets."""
    lines = [line for line in ast.parse(source).body if isinstance(line, ast.Assign | ast.AnnAssign)]
    targets = [target for line in lines for target in (line.targets if isinstance(line, ast.Assign) else [line.target])]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _delivered(names: set[str]) -> dict[str, Parameter]:
    """The parameters of that notebook of this project whose parameters are all among `names`; none where there is no such notebook."""
    found: dict[str, Parameter] = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            (cell,) = (c for c in cells if "parameters" in c["metadata"].get("tags", []))
            source = "".join(cell["source"])
            if not set(_names(source)) <= names:  # before the tables are asked what each of them may be
                continue
            parameters = {p.name: p for p in parse_cell(source, check_defaults=False) if p.is_explained}
        except (OSError, ValueError, KeyError):  # somebody is at work on it
            continue
        found = max(found, parameters, key=len)
    return found
