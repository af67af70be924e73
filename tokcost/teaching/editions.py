"""The notebooks as a class needs them: for students without what gives the answers away, for the teacher with notes beside them."""

from __future__ import annotations

import copy
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell

from tokcost.show.numbers import percent
from tokcost.show.sentences import literal_dollars
from tokcost.teaching.exercise_table import Exercise, exercises

EXERCISE, ATTEMPT, SOLUTION = "exercise", "attempt", "solution"
#: of nbgrader's metadata, version 3
_NBGRADER = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}


def student(notebook: Any, *, nbgrader: bool = False) -> Any:
    """A copy without solutions and without what answer cells said; the cells to answer in stay where they are."""
    made = _copied(notebook, lambda cell: SOLUTION not in _tags(cell))
    for cell in made.cells:
        if ATTEMPT in _tags(cell):
            cell.outputs, cell.execution_count = [], None
    return _graded(made) if nbgrader else made


def teacher(notebook: Any, *, nbgrader: bool = False) -> Any:
    """A copy with everything open, and a note after each exercise: the right answer, how near is near enough, the usual slips."""
    made = _copied(notebook, lambda cell: True)
    asked = iter(of_notebook(made))
    cells = []
    for cell in made.cells:
        if SOLUTION in _tags(cell):
            cell.metadata.pop("jupyter", None)
        cells.append(cell)
        if ATTEMPT in _tags(cell):
            cells.append(new_markdown_cell(_note(next(asked)), metadata={"tags": ["note"]}))
    made.cells = cells
    return _numbered(_graded(made) if nbgrader else made)


def of_notebook(notebook: Any) -> list[Exercise]:
    """The exercises that a notebook asks, in order: those that its answer cells name."""
    sources = [cell.source for cell in notebook.cells if ATTEMPT in _tags(cell)]
    return [exercises()[source.split('"')[1]] for source in sources]


def _copied(notebook: Any, is_kept: Any) -> Any:
    made = copy.deepcopy(notebook)
    made.cells = [cell for cell in made.cells if is_kept(cell)]
    return _numbered(made)


def _numbered(notebook: Any) -> Any:
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03d}"
    return notebook


def _tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


def _graded(notebook: Any) -> Any:
    """Each answer cell followed by the locked cell that gives its point.

    The answer cell itself stays an ordinary one: nbgrader would empty a cell that it knows as a solution, question and all, when it
    makes the version for students.
    """
    asked = iter(of_notebook(notebook))
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if ATTEMPT in _tags(cell):
            name = next(asked).name
            point = _NBGRADER | {"grade_id": f"point-{name}", "grade": True, "points": 1}
            cells.append(new_code_cell(f'tc.teaching.require_right("{name}")', metadata={"nbgrader": point}))
    notebook.cells = cells
    return _numbered(notebook)


def _note(exercise: Exercise) -> str:
    near = f", within {percent(exercise.tolerance)}" if exercise.tolerance else ""
    lines = [f"**For the teacher, {exercise.name}.** Right is {exercise.said(exercise.right)}{near}. {exercise.why}"]
    for slip in exercise.slips if not exercise.choices else ():
        made = slip.of(float(exercise.right))
        if made is not None and made > 0:
            lines.append(f"- {exercise.said(made)}: {slip.diagnosis}")
    return literal_dollars("\n".join([lines[0], "", *lines[1:]]).strip())
