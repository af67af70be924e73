"""Which reports are asked for: a notebook, a definition (*.toml) of a notebook with parameters, or a directory of definitions."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from tokcost.errors import InputError
from tokcost.parameters.hints import said
from tokcost.parameters.settings import Layer
from tokcost.paths import NOTEBOOKS
from tokcost.quantities import nearest
from tokcost.report.errors import ReportError
from tokcost.report.request.alerts import Alert, parse_alert
from tokcost.report.request.each import Variant, stem, variants
from tokcost.report.request.reading import is_file, names_in, neighbour, read_toml
from tokcost.show.text import literal

#: where a bare name such as `01-what-does-a-million-tokens-cost` is looked for
SUITE = NOTEBOOKS

#: a file's name has 255 bytes at most on common systems; endings and temporary names take some
LONGEST_NAME_BYTES = 200

#: the keys of a definition: the type that each holds, that type in words, the fix
KEYS = {
    "notebook": (str, "text", ""),
    "name": (str, "text", ""),
    "title": (str, "text", ""),
    "group": (str, "text", ""),
    "parameters": (dict, "a table", "; write its lines under [parameters]"),
    "alerts": (list, "a list of lines", '; write alerts = ["total_token_cost_usd_per_mtok > 5"]'),
    "show_code": (bool, "true or false", "; write show_code = true"),
    "one_page": (bool, "true or false", "; write one_page = true"),
    "each": ((str, dict), "a table file or a grid", '; write each = "clusters.csv", or lists of values under [each]'),
    "schedule": (dict, "a table", "; write its lines under [schedule]"),
    "deliver": (dict, "a table", "; write its lines under [deliver]"),
}


@dataclass(frozen=True)
class Job:
    """One report to make: `name` is the stem of the files that it writes."""

    name: str
    notebook: Path
    title: str | None = None
    show_code: bool = False
    layer: Layer = field(default_factory=lambda: Layer("definition", {}))
    alerts: tuple[Alert, ...] = ()
    #: printed, it is its summary and no more
    one_page: bool = False
    #: the heading of the index under which it stands; none: before all headings
    group: str = ""


def read_definition(path: Path) -> list[Job]:
    """The jobs that a definition file describes, one unless it says `each`; its notebook's path is relative to the file."""
    content = read_keys(path)
    notebook = _notebook(path, content)
    name = _file_name(content.get("name", path.stem), str(path))
    layer = Layer(path.name, content.get("parameters", {}))
    shows = {key: content[key] for key in ("show_code", "one_page", "group") if key in content}
    job = Job(name, notebook, content.get("title"), layer=layer, alerts=_alerts(path, content.get("alerts", [])), **shows)
    return [_variant(path, job, one) for one in variants(path, content["each"])] if "each" in content else [job]


def jobs_of_rows(targets: tuple[str, ...], table: str) -> tuple[list[Job], list[Refused]]:
    """The reports of one notebook, one for each row of a CSV table."""
    if len(targets) != 1 or targets[0].endswith(".toml") or os.path.isdir(targets[0]):
        raise ReportError('--each takes one notebook; a definition says `each` itself, in a line such as each = "clusters.csv"')
    job = notebook_job(targets[0])
    return _each_once([_variant(Path("--each"), job, one) for one in variants(Path("--each"), table)]), []


def _variant(path: Path, job: Job, one: Variant) -> Job:
    """The job of a definition with the values of one of its variants."""
    twice = next((key for key in one.values if key in job.layer.values), None)
    if twice is not None:
        raise ReportError(f"{path}: `{twice}` is set under [parameters] and by `each`; keep one of the two")
    title = job.title and f"{job.title} ({literal(one.label)})"
    layer = Layer(one.origin, job.layer.values | one.values)
    return replace(job, name=_file_name(stem(job.name, one.label), one.origin), title=title, layer=layer)


def read_keys(path: Path) -> dict:
    """What a definition file says, each key known and of its type."""
    content = read_toml(path)
    # A misspelt key comes first: it is why another one seems to be missing.
    for key, value in sorted(content.items(), key=lambda item: item[0] in KEYS):
        if key not in KEYS:
            raise ReportError(f"{path} has an unknown key `{key}`{nearest(key, KEYS)}")
        kind, in_words, fix = KEYS[key]
        if not isinstance(value, kind):
            raise ReportError(f"{path}: `{key}` must be {in_words}, got {said(value)}{fix}")
    if "notebook" not in content:
        raise ReportError(f'{path} does not say its `notebook`; add a line such as notebook = "../notebooks/NAME.ipynb"')
    return content


def _notebook(path: Path, content: dict) -> Path:
    named = content["notebook"]
    notebook = _find(named, path.parent)
    if notebook is None:
        known = dict.fromkeys(name for folder in _folders(named, path.parent) for name in names_in(folder, ".ipynb"))
        wanted = f"{Path(named).name.removesuffix('.ipynb')}.ipynb"
        raise ReportError(f"{path}: there is no notebook {named}{nearest(wanted, known) if known else ''}")
    return notebook


def _alerts(path: Path, lines: list) -> tuple[Alert, ...]:
    found: dict[str, Alert] = {}
    for number, line in enumerate(lines, 1):
        if not isinstance(line, str):
            raise ReportError(f"{path}: alert {number} must be text, got {said(line)}")
        try:
            alert = parse_alert(line)
        except ReportError as error:
            raise ReportError(f"{path}: alert {number}: {error}") from None
        if alert.text in found:
            raise ReportError(f"{path}: alert {number}: `{alert.text}` is given twice; keep one")
        found[alert.text] = alert
    return tuple(found.values())


@dataclass(frozen=True)
class Refused:
    """A report that was asked for and cannot be begun, and why."""

    name: str
    reason: str


def jobs(targets: tuple[str, ...]) -> tuple[list[Job], list[Refused]]:
    """The reports that `targets` ask for, in that order, and those whose definition cannot be read.

    A target that does not exist and two reports of one name are a wrong request.
    """
    found: list[Job] = []
    refused: list[Refused] = []
    for target in targets:
        for path in _definitions(Path(target)):
            try:
                found += read_definition(path) if path.suffix == ".toml" else [notebook_job(str(path))]
            except InputError as error:
                if not os.path.lexists(path):
                    raise
                refused.append(Refused(path.stem, str(error)))
    return _each_once(found), refused


def _each_once(found: list[Job]) -> list[Job]:
    """The jobs, no two of which write the same files: on some systems a capital is the same letter."""
    for name, times in Counter(job.name.casefold() for job in found).items():
        if times > 1:
            first, second, *_ = (f"{job.name}.html ({_source(job)})" for job in found if job.name.casefold() == name)
            raise ReportError(f"two reports would write one file, {first} and {second}; give one another name, or leave it out")
    return found


def _source(job: Job) -> str:
    """What a job was asked for by: a definition, a row of a table, or the notebook itself."""
    return str(job.notebook) if job.layer.origin == "definition" else job.layer.origin


def _definitions(path: Path) -> list[Path]:
    """A target, or the definitions in it."""
    if not os.path.isdir(path):
        return [path]
    found = [path / name for name in names_in(path, ".toml")]
    if not found:
        raise ReportError(f"the directory {path} holds no report definition (*.toml)")
    return found


def notebook_job(target: str) -> Job:
    """The job of a notebook with its own defaults, given as a path or as the bare name of one of the suite."""
    path = Path(target)
    found = _find(target, Path())
    if found:
        return Job(_file_name(found.stem, str(found)), found)
    if os.path.lexists(path):
        raise ReportError(f"{target} is neither a notebook (.ipynb) nor a report definition (.toml)")
    known = [Path(name).stem for folder in _folders(target, Path()) for name in names_in(folder, ".ipynb")] if _is_bare(target) else []
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
    return next((path for path in candidates if path.suffix == ".ipynb" and is_file(path)), None)


def _file_name(name: str, where: str) -> str:
    """`name` if it can be the stem of a file in the output directory."""
    if not re.fullmatch(r"\w[\w .,+()-]*", name) or len(name.encode()) > LONGEST_NAME_BYTES or name.lower() in ("index", "glossary"):
        fix = f"use letters, digits, dots and dashes, {LONGEST_NAME_BYTES} bytes at most, and neither `index` nor `glossary`"
        raise ReportError(f"{where}: {said(name)} cannot name a report; {fix}")
    return name
