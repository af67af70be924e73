"""From a report that was made to a run that the history can keep."""

from __future__ import annotations

import hashlib
import itertools
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from tokcost.parameters.settings import Setting
from tokcost.paths import DATA, PROJECT, chosen_data
from tokcost.report.memory.fingerprint import LIBRARIES, notebook_sha256, package_sha256, sha256
from tokcost.report.memory.store import Entry, Result

#: where reports go unless somebody says otherwise; `make clean` empties it, so that the history stands above it
USUAL_OUTPUT = Path("reports/output")
#: begins the name of what is recorded of files that a parameter names
NAMED = "files of parameter "
MOST_FILES, MOST_FILE_BYTES = 2_000, 200_000_000
FILE_NAME = "history.sqlite"


def place(output: Path) -> Path:
    """The history of the reports in `output`: in it, or beside the usual one.

    >>> str(place(Path("reports/output"))), str(place(Path("out")))
    ('reports/history.sqlite', 'out/history.sqlite')
    """
    return (output.parent if output == USUAL_OUTPUT else output) / FILE_NAME


def entry_of(record: dict, notebook: dict, files: dict[str, str]) -> Entry:
    """The run that `record` (NAME.result.json) tells of, made from `notebook` as it stands on disk and from `files` (`named_files`).

    What is private is hidden in `record` already, as on the page.
    """
    tables = {table["file"]: table["sha256"] for table in record["data"]} | files
    return Entry(
        run_id=None,
        report=record["name"],
        notebook=record["notebook"],
        started=record["times"]["started"],
        seconds=record["times"]["seconds"],
        question=record["question"],
        answer=record["answer"]["text"] if record["answer"] else "",
        parameters={name: parameter["value"] for name, parameter in record["parameters"].items()},
        checks=[check["claim"] for check in record["checks"]],
        measured_to=record["measured_to"],
        package_sha256=package_sha256(),
        notebook_sha256=notebook_sha256(notebook),
        libraries={name: record["versions"][name] for name in LIBRARIES if name in record["versions"]},
        data_sha256=sha256(part.encode() for file in sorted(tables) for part in (file, tables[file])),
        results=tuple(_result(given) for given in record["results"]),
        tables=tables,
    )


def named_files(settings: Iterable[Setting], notebook: Path) -> dict[str, str]:
    """Fingerprints of the files that parameters name: part of the world as the tables are, but not kept."""
    found = {}
    for setting in settings:
        if isinstance(setting.value, str) and setting.value and not setting.parameter.choices:
            places = (folder / Path(setting.value).expanduser() for folder in (notebook.absolute().parent, Path.cwd(), PROJECT))
            path = next((place for place in places if os.path.exists(place)), None)
            if path is not None:
                found[f"{NAMED}{setting.parameter.name}"] = _fingerprint(path)
    return found


def _fingerprint(path: Path) -> str:
    """Of a file, or of all files of a folder; of what cannot be read, or not in a moment, one that is like no other."""
    try:
        files = list(itertools.islice((p for p in (path.rglob("*") if path.is_dir() else [path]) if p.is_file()), MOST_FILES + 1))
        if len(files) <= MOST_FILES and sum(file.stat().st_size for file in files) <= MOST_FILE_BYTES:
            return sha256(part for file in sorted(files) for part in (os.fsencode(file.relative_to(path)), file.read_bytes()))
    except OSError:
        pass
    return f"not compared, {uuid.uuid4().hex}"


def table_contents(entry: Entry) -> dict[str, bytes]:
    """The data tables of a run that was just made, by SHA-256; one that has changed since is left out."""
    folder = chosen_data() or DATA
    found = {}
    for file, expected in entry.tables.items():
        if file.startswith(NAMED):
            continue
        path = folder / Path(file).name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == expected:
            found[expected] = content
    return found


def _result(given: dict) -> Result:
    own = {name: given[name] for name in ("name", "label", "value", "low", "high")}
    return Result(**own, unit=given["unit"] or "", numerator=given.get("numerator", {}), denominator=given.get("denominator", {}))
