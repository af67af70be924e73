"""Which reports are asked for: a notebook, a definition (*.toml) of a notebook with parameters, or a directory of definitions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tokcost.paths import NOTEBOOKS
from tokcost.quantities import nearest
from tokcost.report.errors import ReportError
from tokcost.report.hints import said
from tokcost.report.settings import Layer, neighbour, read_text, read_toml

#: where a bare name such as `01-what-does-a-million-tokens-cost` is looked for
SUITE = NOTEBOOKS


class Definition(BaseModel):
    """A report as a file: which notebook, under which name, with which parameters."""

    model_config = ConfigDict(extra="forbid", strict=True)

    notebook: str
    name: str | None = None
    title: str | None = None
    parameters: dict[str, object] = {}
    show_code: bool = False


#: what a key of a definition holds, in words
_KINDS = {"notebook": "text", "name": "text", "title": "text", "parameters": "a table", "show_code": "true or false"}
_FIXES = {"parameters": "; write its lines under [parameters]", "show_code": "; write show_code = true"}


@dataclass(frozen=True)
class Job:
    """One report to make: `name` is the stem of the files that it writes."""

    name: str
    notebook: Path
    title: str | None = None
    show_code: bool = False
    layer: Layer = field(default_factory=lambda: Layer("definition", {}))


def read_definition(path: Path) -> Job:
    """The job that a definition file describes; its notebook's path is relative to the file."""
    content = read_toml(path, read_text(path))
    try:
        definition = Definition.model_validate(content)
    except ValidationError as error:
        # A misspelt key comes first: it is why another one seems to be missing.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        key = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise ReportError(f"{path} has an unknown key `{key}`{nearest(key, Definition.model_fields)}") from None
        if first["type"] == "missing":
            raise ReportError(f'{path} does not say its `{key}`; add a line such as {key} = "../notebooks/NAME.ipynb"') from None
        raise ReportError(f"{path}: `{key}` must be {_KINDS[key]}, got {said(first['input'])}{_FIXES.get(key, '')}") from None
    notebook = _find(definition.notebook, path.parent)
    if notebook is None:
        known = {p.name for folder in _folders(definition.notebook, path.parent) for p in folder.glob("*.ipynb")}
        wanted = f"{Path(definition.notebook).name.removesuffix('.ipynb')}.ipynb"
        raise ReportError(f"{path}: there is no notebook {definition.notebook}{nearest(wanted, known) if known else ''}")
    name = definition.name or path.stem
    return Job(_file_name(name, str(path)), notebook, definition.title, definition.show_code, Layer(path.name, definition.parameters))


def jobs(targets: tuple[str, ...]) -> list[Job]:
    """The reports that `targets` ask for, in that order; two of one name are refused."""
    found: list[Job] = []
    for target in targets:
        found.extend(_jobs_of(target))
    seen: dict[str, Job] = {}
    for job in found:
        if job.name in seen:
            raise ReportError(f"two reports would both write {job.name}.html; leave one out, or give one a `name` in a definition")
        seen[job.name] = job
    return found


def _jobs_of(target: str) -> list[Job]:
    path = Path(target)
    if path.is_dir():
        definitions = sorted(path.glob("*.toml"))
        if not definitions:
            raise ReportError(f"the directory {target} holds no report definition (*.toml)")
        return [read_definition(p) for p in definitions]
    if path.suffix == ".toml":
        return [read_definition(path)]
    return [notebook_job(target)]


def notebook_job(target: str) -> Job:
    """The job of a notebook with its own defaults, given as a path or as the bare name of one of the suite."""
    path = Path(target)
    found = _find(target, Path())
    if found:
        return Job(_file_name(found.stem, str(found)), found)
    if path.is_file():
        raise ReportError(f"{target} is neither a notebook (.ipynb) nor a report definition (.toml)")
    known = {p.stem for folder in _folders(target, Path()) for p in folder.glob("*.ipynb")} if _is_bare(target) else set()
    near = nearest(target, known) if known else neighbour(path)
    raise ReportError(f"there is no notebook, definition or directory {target}{near}")


def _is_bare(name: str) -> bool:
    """Whether `name` is that of a notebook of the suite, without folder or ending."""
    return Path(name).name == name and not name.endswith(".ipynb")


def _folders(name: str, here: Path) -> list[Path]:
    """Where a notebook called `name` in `here` is looked for."""
    return [Path("notebooks"), SUITE] if _is_bare(name) else [(here / name).parent]


def _find(name: str, here: Path) -> Path | None:
    file = f"{name}.ipynb" if _is_bare(name) else Path(name).name
    candidates = [here / name, *(folder / file for folder in _folders(name, here))]
    return next((path for path in candidates if path.suffix == ".ipynb" and path.is_file()), None)


def _file_name(name: str, where: str) -> str:
    """`name` if it can be the stem of a file in the output directory."""
    if not re.fullmatch(r"\w[\w .,+()-]*", name) or name == "index":
        raise ReportError(f"{where}: {name!r} cannot name a report; use letters, digits, dots and dashes, and not `index`")
    return name
