"""A class gets the questions and no answers; the teacher everything; nbgrader takes both as its own."""

import json
import os
import re

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from tokcost.cli import main
from tokcost.teaching import command, editions
from tokcost.teaching.exercise_table import exercises


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "spring"
    done = CliRunner().invoke(main, ["class", str(folder), "--nbgrader"])
    assert done.exit_code == 0, done.output
    return folder


def notebooks(folder):
    return [nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))]


def tags(cell):
    return cell.metadata.get("tags", [])


def test_a_students_notebook_holds_no_solution_in_cells_outputs_metadata_or_attachments(made):
    found = notebooks(made / "student")
    assert len(found) >= 11
    for notebook in found:
        for cell in notebook.cells:
            assert "solution" not in tags(cell) and not cell.get("attachments")
            assert set(cell.metadata) <= {"tags", "jupyter", "nbgrader"} and set(notebook.metadata) == {"kernelspec", "language_info"}
            if "attempt" in tags(cell):
                assert not cell.outputs and cell.execution_count is None
        everything = json.dumps(notebook, ensure_ascii=False)
        assert "teaching.worked" not in everything and '"worked"' not in everything and "For the teacher" not in everything
        for exercise in editions.of_notebook(notebook):
            assert exercise.why[:40] not in everything
            for said in (exercise.hint, *(slip.diagnosis for slip in exercise.slips)):
                assert len(said) < 20 or said not in everything, "what an answer is told is told to an answer"
            number = "" if exercise.choices else f"{float(exercise.right):.4g}"
            assert len(number) < 5 or not re.search(rf"(?<![\d.,]){re.escape(number)}(?!\d)", everything)


def test_what_a_class_is_shown_needs_no_javascript(made):
    """JupyterLab, VS Code and nbconvert show these kinds of output by themselves."""
    kinds = {"text/html", "text/markdown", "text/plain", "image/svg+xml", "application/vnd.tokcost.v1+json"}
    outputs = [output for notebook in notebooks(made / "teacher") for cell in notebook.cells for output in cell.get("outputs", [])]
    assert {kind for output in outputs for kind in output.data} == kinds
    shown = "".join(output.data.get(kind, "") for output in outputs for kind in ("text/html", "image/svg+xml"))
    assert not re.search(r"<script|<iframe|\son\w+=|javascript:", shown)


def test_every_exercise_can_still_be_answered_in_its_place(made):
    asked = [e.name for notebook in notebooks(made / "student") for e in editions.of_notebook(notebook)]
    assert asked == list(exercises())
    for notebook in notebooks(made / "student"):
        before = [notebook.cells[place - 1] for place, cell in enumerate(notebook.cells) if "attempt" in tags(cell)]
        assert all("exercise" in tags(cell) for cell in before)


def test_the_teacher_has_solutions_open_and_a_note_to_each_exercise(made):
    for notebook in notebooks(made / "teacher"):
        notes = [cell.source for cell in notebook.cells if "note" in tags(cell)]
        assert len(notes) == len(editions.of_notebook(notebook))
        assert not any("jupyter" in cell.metadata for cell in notebook.cells if "solution" in tags(cell))
    (note,) = (c.source for n in notebooks(made / "teacher") for c in n.cells if "For the teacher, 01-1" in c.source)
    assert r"Right is \$0.123 per million tokens, within 3%" in note and "the seconds of an hour are missing" in note
    assert {"slides.html", "input-versus-output.md", "README.md"} <= {path.name for path in (made / "teacher").iterdir()}
    assert {path.suffix for path in (made / "student").iterdir()} == {".ipynb", ".md"}


def test_nbgrader_takes_the_metadata_as_its_own(made):
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.utils import is_grade

    for edition in ("student", "teacher"):
        for notebook in notebooks(made / edition):
            MetadataValidator().validate_nb(notebook)
            nbformat.validate(notebook)
            n = len(editions.of_notebook(notebook))
            assert sum(map(is_grade, notebook.cells)) == n


def test_nbgraders_version_for_students_keeps_the_questions_and_the_cells_to_answer_in(made):
    """What `nbgrader generate_assignment` does to each cell, without its database."""
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions, LockCells

    for before in notebooks(made / "student"):
        after = before
        for step in (ClearSolutions(), ClearHiddenTests(), LockCells()):
            after, _ = step.preprocess(after, {})
        assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]
        answers = [cell for cell in after.cells if "attempt" in tags(cell)]
        assert all("tc.predict" in cell.source and cell.metadata.get("editable", True) for cell in answers)
        assert all(not cell.metadata["editable"] for cell in after.cells if "nbgrader" in cell.metadata)


@pytest.mark.parametrize(("answer", "passes"), [("0.1227", True), ("441.67", False), ("None", False)])
def test_nbgrader_gives_the_point_for_a_right_answer_only(answer, passes, tmp_path):
    from nbgrader.validator import Validator

    cells = [new_code_cell("import tokcost as tc"), new_code_cell(f'tc.predict("01-1", {answer})', metadata={"tags": ["attempt"]})]
    graded = editions.student(new_notebook(cells=cells), nbgrader=True)
    nbformat.write(graded, tmp_path / "one.ipynb")
    found = Validator().validate(str(tmp_path / "one.ipynb"))
    assert ("failed" not in found) == passes, found


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    done = CliRunner().invoke(main, ["class", "mine"])
    assert done.exit_code == 2 and "mine exists and is not an empty folder; name one that does not exist yet" in done.output
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "notes.txt"]


def test_the_empty_folder_that_one_stands_in_stays_the_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_write", lambda made, nbgrader: [(made / name).mkdir(parents=True) for name in ("student", "teacher")])
    done = CliRunner().invoke(main, ["class", "."])
    assert done.exit_code == 0 and sorted(os.listdir()) == ["student", "teacher"]
