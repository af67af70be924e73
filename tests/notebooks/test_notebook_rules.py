"""Every notebook keeps the rules that make it a lesson, a report and a test at once."""

import ast
import copy
import re
import statistics
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from tokcost import quantities
from tokcost.report.execution.folded import fold

MIME = "application/vnd.tokcost.v1+json"
FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request):
    read = nbformat.read(request.param, as_version=4)
    read.path = request.param
    return read


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def code_cells(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def sources(notebook) -> str:
    return "\n".join(c.source for c in code_cells(notebook))


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 4


def test_file_name_and_size(notebook):
    assert re.fullmatch(r"\d\d(-[a-z0-9]+)+\.ipynb", notebook.path.name)
    assert notebook.path.stat().st_size <= 300_000


def test_the_title_is_a_question_or_a_welcome_and_says_what_you_will_learn(notebook):
    lines = notebook.cells[0].source.splitlines()
    assert notebook.cells[0].cell_type == "markdown"
    assert lines[0].startswith("# ")
    assert lines[0].endswith("?") or notebook.path.stem.startswith("00-")
    assert "*You need*" in notebook.cells[0].source and "*You will see*" in notebook.cells[0].source


def test_the_first_code_cell_imports_what_the_notebook_uses_and_no_other_does(notebook):
    """numpy and pandas are there for the analyst; everything else comes through `tc`."""
    lines = code_cells(notebook)[0].source.splitlines()
    assert lines[-1] == "import tokcost as tc"
    assert set(lines) <= {"import numpy as np", "import pandas as pd", "", "import tokcost as tc"}
    assert not re.search(r"^\s*(?:import|from) ", sources(notebook).removeprefix("\n".join(lines)), flags=re.M)


def test_one_parameter_cell_of_plain_assignments_with_meaning_and_range(notebook):
    cells = [c for c in code_cells(notebook) if "parameters" in tags(c)]
    assert len(cells) == 1
    tree = ast.parse(cells[0].source)
    assert 1 <= len(tree.body) <= 12
    lines = cells[0].source.splitlines()
    assert all(line.startswith(("# not together: ", "# together in ")) for line in lines[len(tree.body) :])
    for statement, line in zip(tree.body, lines, strict=False):
        assert isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name), f"{line}: write name: type = value"
        assert type(ast.literal_eval(statement.value)).__name__ == statement.annotation.id
        name = statement.target.id
        assert quantities.find(name) or any(name == label or name.endswith(f"_{label}") for label in quantities.LABELS), (
            f"{name} is no word of the vocabulary"
        )
        assert re.search(r"  # .+(, [\d.e+-]+ to [\d.e+-]+|; one of: .+|; any (text|path).*)$", line), f"{line}: no meaning and range"


def test_the_cell_below_the_parameters_checks_them_and_holds_the_answer(notebook):
    """It is for JupyterLab, so no report shows it; nbval runs cells without the history that it reads, so this looks after its output."""
    above, below = next(pair for pair in pairwise(notebook.cells) if "parameters" in tags(pair[0]))
    assert below.source == "tc.inputs()" and tags(below) == ["notebook-only", "nbval-skip"]
    (answer,) = (c for c in code_cells(notebook) if re.search(r"^tc\.answer\(", c.source, flags=re.M))
    (said,), (stated,) = (cell.outputs for cell in (answer, below))
    line, beside = stated.data["text/markdown"].split("\n\n", 1)
    assert re.fullmatch(r"\d+ inputs, in range\.", line) and beside == said.data["text/markdown"]


def test_cells_are_short_and_hold_one_idea(notebook):
    """A loop, a comprehension or one small function are how an analyst writes; a cell of more than a few lines hides its idea."""
    lengths = []
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        lengths.append(len(lines))
        assert len(lines) <= 15, cell.source
        widest = 140 if "parameters" in tags(cell) else 118  # a line of choices names its table and its rows
        assert max(map(len, lines), default=0) <= widest, "a reader should not have to scroll sideways: " + max(lines, key=len)
        functions = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.FunctionDef)]
        assert len(functions) <= 1, cell.source
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.ClassDef | ast.Try | ast.Global), cell.source
    assert statistics.median(lengths) <= 4, "cells of more than four lines hold more than one idea"


def test_two_minutes_are_enough(notebook):
    """The answer is a short sentence with a range, a decision follows from it, and one figure stands beside it."""
    (answer,) = (output.data[MIME] for cell in code_cells(notebook) for output in cell.outputs if _kind(output) == "answer")
    assert len(answer["text"].split()) <= 25 and len(answer["decision"].split()) <= 40
    assert answer["decision"] and (answer["interval"] or "EXAMPLE" in answer["text"])
    (figure,) = (cell for cell in code_cells(notebook) if "key-figure" in tags(cell))
    assert any("image/svg+xml" in output.get("data", {}) for output in figure.outputs)


def _kind(output) -> str:
    return output.get("data", {}).get(MIME, {}).get("kind", "")


def test_prose_carries_no_computed_number(notebook):
    """Dollars and multiples change with the data: they belong in tc.say. Quoting a claim is allowed where it is marked by quotes."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not {"exercise"} & set(tags(cell)):
            prose = re.sub(r"\$\$.*?\$\$|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]\([^)]*\)|^#.*$", "", cell.source, flags=re.S | re.M)
            assert not re.search(r"\\?\$\s?\d|\d\s?×|\b\d+(\.\d+)?x\b|\d+\.\d+\s?%", prose), cell.source


def test_there_are_two_to_five_checks_an_answer_results_and_sources(notebook):
    text = sources(notebook)
    assert 2 <= len(re.findall(r"^tc\.check\(", text, flags=re.M)) <= 5
    assert len(re.findall(r"^tc\.answer\(", text, flags=re.M)) == 1
    assert len(re.findall(r"^tc\.result\(", text, flags=re.M)) >= 1
    assert text.rstrip().rsplit("\ntc.", 1)[-1].startswith("sources(")


def test_at_most_five_figures_each_with_alt_text(notebook):
    figures = [c for c in code_cells(notebook) if re.search(r"\btc\.plot_", c.source)]
    assert 1 <= len(figures) <= 5
    for cell in figures:
        assert re.search(r"\balt=f?[\"']", cell.source), cell.source


def test_each_exercise_has_a_cell_to_answer_in_and_a_worked_answer(notebook):
    marks = [next((t for t in tags(c) if t in ("exercise", "attempt", "solution")), None) for c in notebook.cells]
    found = [m for m in marks if m]
    assert re.fullmatch("(exercise (attempt )?solution )+", " ".join([*found, ""]))
    prompts = " ".join(c.source for c, m in zip(notebook.cells, marks, strict=True) if m == "exercise")
    for kind in ("**Predict.**", "**Change.**", "**Extend.**"):
        assert kind in prompts


def test_what_only_prepares_the_report_and_worked_answers_are_folded(notebook):
    cells = copy.deepcopy(notebook.cells)
    fold(cells)
    assert [cell.metadata for cell in cells] == [cell.metadata for cell in notebook.cells], "refresh with: make notebooks"


def test_it_is_committed_with_its_outputs_in_order_and_nothing_volatile(notebook):
    counts = [c.execution_count for c in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "refresh with: make notebooks"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter"}
        assert not [o for o in cell.get("outputs", []) if o.output_type in ("stream", "error")], cell.source


def test_no_path_no_network_no_literal_conversion(notebook):
    text = sources(notebook)
    assert not re.search(r"open\(|read_csv|https?://|/home/|\b3600\b|\b1e6\b|1_000_000", text)


def test_links_between_notebooks_lead_somewhere(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#]+\.ipynb)", cell.source):
                assert (FOLDER / target).exists(), target
