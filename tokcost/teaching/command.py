"""`tokcost class`: the notebooks as a class needs them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click
import nbformat

from tokcost.paths import NOTEBOOKS, TEACHING
from tokcost.teaching import editions
from tokcost.teaching.slides import slides_html

_STUDENT = """# Costs of AI inference: a course

Open the notebooks in JupyterLab (`tokcost lab`, in this folder) or VS Code, beginning with 00-start-here.ipynb. Run all cells of a
notebook when you open it (Run > Run All Cells): answers need what is imported at its top, and JupyterLab shows figures only then. Read,
and where a question comes, write your answer in place of `None` *before* you go on. Your answers are kept in score-sheet.csv, in this
folder, with your user name and that of this machine.
To hand them in, run in any notebook: `tc.teaching.score_sheet(export="scores-YOUR-NAME.csv")`.
"""
_TEACHER = """# For the teacher

- input-versus-output.md: the lesson, in ninety minutes and in twenty
- slides.html: its slides; N shows the notes, printing gives one slide a page
- the notebooks with worked solutions, and after each question the right answer and the usual slips
"""


@click.command("class")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--nbgrader", is_flag=True, help="Mark answer cells for nbgrader, each with a cell that gives its point.")
def class_(folder: Path, nbgrader: bool) -> None:
    """Write FOLDER/student and FOLDER/teacher: the notebooks without and with the solutions, the lesson and its slides.

    \b
      tokcost class spring                give spring/student to the class, keep spring/teacher

    FOLDER must not exist, or be empty; where something goes wrong nothing is left behind.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.UsageError(f"{folder.name} exists and is not an empty folder; name one that does not exist yet: nothing is overwritten")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            made = Path(scratch, folder.name)
            _write(made, nbgrader)
            if folder.exists():  # it stays the same folder, for somebody may stand in it
                for edition in sorted(made.iterdir()):
                    edition.replace(folder / edition.name)
            else:
                made.replace(folder)
    except OSError as error:
        raise click.UsageError(f"cannot make {folder}: {error.strerror or error}; choose a folder that you may write to") from None
    click.echo(f"{folder.name} is ready: give out {folder.name}/student, keep {folder.name}/teacher")


def _write(made: Path, nbgrader: bool) -> None:
    for name, edition, readme in (("student", editions.student, _STUDENT), ("teacher", editions.teacher, _TEACHER)):
        (made / name).mkdir(parents=True)
        (made / name / "README.md").write_text(readme, encoding="utf-8")
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            notebook = edition(nbformat.read(path, as_version=4), nbgrader=nbgrader)
            nbformat.write(notebook, made / name / path.name)
    (made / "teacher" / "slides.html").write_text(slides_html(), encoding="utf-8")
    for lesson in TEACHING.glob("*.md"):
        if lesson.name != "slides.md":
            shutil.copyfile(lesson, made / "teacher" / lesson.name)
