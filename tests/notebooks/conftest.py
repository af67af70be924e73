"""Cells of a notebook, run in this process with other parameters than its own."""

from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="session")
def run_cells():
    """A function: the stem of a notebook and parameters, to the names that its code cells leave."""

    def run(stem: str, **parameters) -> dict:
        names: dict = {}
        for cell in nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells:
            if cell.cell_type != "code":
                continue
            exec(cell.source, names)
            if "parameters" in cell.metadata.get("tags", []):
                names.update(parameters)
        return names

    return run
