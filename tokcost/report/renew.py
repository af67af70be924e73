"""Rewrite the committed outputs of notebooks: `python -m tokcost.report.renew NOTEBOOK...`.

Fresh kernel, top to bottom, default parameters; only what a reader needs is kept. A notebook
that fails is left as it was.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tokcost.report.files import write_atomically

_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def renew(path: Path) -> bool:
    """Execute one notebook in place; True when a byte of it changed."""
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}, record_timing=False).execute()
    strip(notebook, path.stem)
    after = nbformat.writes(notebook) + "\n"
    if after != before:
        write_atomically(path, after)
    return after != before


def strip(notebook, stem: str) -> None:
    """Remove what differs from run to run or machine to machine; name cells by their place, so that diffs are small."""
    notebook.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{stem[:2]}-{number:02d}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})


def main(paths: list[str]) -> int:
    status = 0
    for path in map(Path, paths):
        try:
            print(f"{path}: {'renewed' if renew(path) else 'unchanged'}", flush=True)
        except CellExecutionError as error:
            print(f"{path}: left as it was, a cell failed: {error.ename}: {error.evalue}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
