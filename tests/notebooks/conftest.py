"""Cells of a notebook, run in this process with other parameters than its own."""

import ast
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="session")
def ran():
    """A function: the stem of a notebook and parameters, to the names that its code cells leave and what they display, in order."""

    def run(stem: str, **parameters) -> tuple[dict, list]:
        names, shown = {}, []
        for cell in nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells:
            if cell.cell_type != "code":
                continue
            tree = ast.parse(cell.source)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, stem, "exec"), names)
            if last:
                shown.append(eval(compile(ast.Expression(last.value), stem, "eval"), names))
            if "parameters" in cell.metadata.get("tags", []):
                names.update(parameters)
        return names, shown

    return run


@pytest.fixture(scope="session")
def run_cells(ran):
    """`ran`, the names alone."""
    return lambda stem, **parameters: ran(stem, **parameters)[0]


@pytest.fixture(scope="session")
def displayed(ran):
    """`ran`, what is displayed alone."""
    return lambda stem, **parameters: ran(stem, **parameters)[1]
