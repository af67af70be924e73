"""From a report that was made to a run that the history can keep."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tokcost.report import data_directory
from tokcost.report.memory.fingerprint import LIBRARIES, notebook_sha256, package_sha256, sha256
from tokcost.report.memory.store import Entry, Result

#: where reports go unless somebody says otherwise; `make clean` empties it, so that the history stands above it
USUAL_OUTPUT = Path("reports/output")
FILE_NAME = "history.sqlite"


def place(output: Path) -> Path:
    """The history of the reports in `output`: in it, or beside the usual one.

    >>> str(place(Path("reports/output"))), str(place(Path("out")))
    ('reports/history.sqlite', 'out/history.sqlite')
    """
    return (output.parent if output == USUAL_OUTPUT else output) / FILE_NAME


def entry_of(record: dict, notebook: dict) -> Entry:
    """The run that `record` (NAME.result.json) tells of, made from `notebook` as it stands on disk.

    What is private is hidden in `record` already, as on the page.
    """
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
        data_sha256=sha256(part for table in record["data"] for part in (table["file"].encode(), table["sha256"].encode())),
        results=tuple(_result(given) for given in record["results"]),
        tables={table["file"]: table["sha256"] for table in record["data"]},
    )


def table_contents(entry: Entry) -> dict[str, bytes]:
    """The data tables of a run that was just made, by SHA-256; one that has changed since is left out."""
    folder = data_directory.chosen() or data_directory.OWN
    found = {}
    for file, expected in entry.tables.items():
        path = folder / Path(file).name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == expected:
            found[expected] = content
    return found


def _result(given: dict) -> Result:
    own = {name: given[name] for name in ("name", "label", "value", "low", "high")}
    return Result(**own, unit=given["unit"] or "", numerator=given.get("numerator", {}), denominator=given.get("denominator", {}))
