"""Rewrite the committed outputs of notebooks: `python -m tokcost.report.execution.refresh_outputs NOTEBOOK... [--figure FILE.svg]`.

Fresh kernel, top to bottom, default parameters; only what a reader needs is kept. A notebook
that fails is left as it was.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tokcost.report.execution.files import write_atomically
from tokcost.report.execution.folded import fold
from tokcost.report.execution.provisioner import warm_by_default
from tokcost.show.rows import STILL

_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def refresh_outputs(path: Path) -> bool:
    """Execute one notebook in place; True when a byte of it changed."""
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    where, quiet = {"metadata": {"path": str(path.parent)}}, ["--log-level=ERROR"]  # a kernel warns of the ports of this machine
    client = NotebookClient(notebook, kernel_name="python3", resources=where, record_timing=False, extra_arguments=quiet)
    client.execute(env=os.environ | {STILL: "1"})
    strip(notebook, path.stem)
    after = nbformat.writes(notebook) + "\n"
    if after != before:
        write_atomically(path, after)
    return after != before


def strip(notebook, stem: str) -> None:
    """Remove what differs from run to run or machine to machine, fold what only prepares the report; name cells by their place."""
    notebook.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{stem[:2]}-{number:02d}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    fold(notebook.cells)


def first_figure(path: Path) -> str:
    """The first SVG among the stored outputs of a notebook."""
    notebook = nbformat.read(path, as_version=4)
    return next(o.data["image/svg+xml"] for c in notebook.cells for o in c.get("outputs", []) if "image/svg+xml" in o.get("data", {}))


@click.command(help=__doc__)
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--figure", type=click.Path(path_type=Path), help="Write the first figure of the first notebook here, for the README.")
def main(notebooks, figure):
    warm_by_default()
    status = 0
    for path in notebooks:
        try:
            click.echo(f"{path}: {'refreshed' if refresh_outputs(path) else 'unchanged'}")
        except CellExecutionError as error:
            click.echo(f"{path}: left as it was, a cell failed: {error.ename}: {error.evalue}", err=True)
            status = 1
    if figure and not status:
        write_atomically(figure, first_figure(notebooks[0]))
    sys.exit(status)


if __name__ == "__main__":
    main()
