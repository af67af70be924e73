"""Cells of a notebook, run in this process with other parameters than its own."""

import ast
import contextlib
from functools import cache
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SCENARIOS = Path(__file__).parent / "scenarios"


@pytest.fixture(scope="session")
def displayed(tmp_path_factory):
    """A function: the stem of a notebook and parameters, to what its code cells display, in order; each run is made once.

    It is made elsewhere, for answers to exercises are kept.
    """
    elsewhere = tmp_path_factory.mktemp("displayed")

    @cache
    def run(stem: str, **parameters) -> tuple:
        with contextlib.chdir(elsewhere):
            return shown_by(stem, **parameters)

    def shown_by(stem: str, **parameters) -> tuple:
        names, shown = {}, []
        for cell in nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells:
            tags = cell.metadata.get("tags", [])
            if cell.cell_type != "code" or "notebook-only" in tags:  # tests go beyond what the inputs allow
                continue
            tree = ast.parse(cell.source)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, stem, "exec"), names)
            if last:
                shown.append(eval(compile(ast.Expression(last.value), stem, "eval"), names))
            if "parameters" in tags:
                names.update(parameters)
        return tuple(shown)

    return run


@pytest.fixture(scope="session")
def reports(tmp_path_factory, tokcost):
    """All scenarios, made by the command that users type; run from elsewhere, so that no notebook leans on the working directory."""
    output = tmp_path_factory.mktemp("scenarios")
    run = tokcost("report", SCENARIOS, "--output", output, "--tables", "--quiet", cwd=output)
    assert run.status == 0, run.err
    return output
