"""The answers that were handed in, in a CSV file beside the notebooks: what is done, and what is right."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tokcost import spreadsheet
from tokcost.errors import InputError, SentenceError
from tokcost.show.sentences import Shown
from tokcost.show.text import literal
from tokcost.teaching.diagnosis import RIGHT, Diagnosis
from tokcost.teaching.exercise_table import exercises, find

if TYPE_CHECKING:
    import pandas as pd

#: in the folder in which the notebook runs; it stays on this machine
FILE = "score-sheet.csv"
COLUMNS = ["time", "exercise", "answer", "verdict", "diagnosis"]


class NotRight(SentenceError, AssertionError):
    """The newest answer to an exercise is not right, or there is none."""


def record(exercise: str, answer: object, found: Diagnosis) -> str:
    """Add an answer to the sheet; where that is not possible, the sentence that says why."""
    import pandas as pd

    row = [datetime.now(UTC).isoformat(timespec="seconds"), exercise, str(answer), found.verdict, found.sentence]
    try:
        is_new = not Path(FILE).exists()
        with open(FILE, "a", newline="", encoding="utf-8") as sheet:
            spreadsheet.to_csv(pd.DataFrame([row], columns=COLUMNS), sheet, header=is_new)
    except OSError as error:
        return f"(Not recorded, {FILE} cannot be written: {error.strerror}.)"
    return ""


def score_sheet(export: str = "") -> pd.DataFrame:
    """The newest answer to each exercise that was tried; with `export` also written to that file, to be handed in.

    Columns:
        exercise: notebook and place
        kind: predict, change or extend
        tries: answers given
        first: the verdict on the first: right, slip or off
        newest: the verdict on the newest
        answer: the newest, as it was given
        diagnosis: what it was told

    Raises: InputError for a sheet that cannot be read, or a file that cannot be written.

    >>> list(tc.teaching.score_sheet().columns)[:4]
    ['exercise', 'kind', 'tries', 'first']
    """
    import pandas as pd

    rows = []
    for name, tries in _answers().groupby("exercise", sort=True):
        kind, newest = (exercises()[str(name)].kind if name in exercises() else ""), tries.iloc[-1]
        rows.append([name, kind, len(tries), tries["verdict"].iloc[0], newest["verdict"], newest["answer"], newest["diagnosis"]])
    sheet = pd.DataFrame(rows, columns="exercise kind tries first newest answer diagnosis".split())
    if export:
        try:
            spreadsheet.to_csv(sheet, export)
        except OSError as error:
            raise InputError(f"cannot write {export}: {error.strerror}; name a file in a folder that exists") from None
    return sheet


def require_right(exercise: str) -> None:
    """Stop unless the newest answer to the exercise is right: what nbgrader runs to give the point.

    Raises: NotRight with what the answer was told; InputError for an exercise that does not exist.

    >>> tc.teaching.require_right("01-3")
    Traceback (most recent call last):
    tokcost.teaching.answers.NotRight: 01-3: no answer was handed in
    """
    asked, tries = find(exercise), _answers().query("exercise == @exercise")
    if tries.empty:
        raise NotRight(f"{asked.name}: no answer was handed in")
    if tries["verdict"].iloc[-1] != RIGHT:
        raise NotRight(f"{asked.name}: {tries['diagnosis'].iloc[-1]}")


def progress() -> Shown:
    """The map of the notebooks in this folder, with links, and how many exercises of each have a right answer so far.

    >>> tc.teaching.progress().markdown.splitlines()[0]
    '| Notebook | Exercises right |'
    """
    newest = score_sheet().set_index("exercise")["newest"]
    lines = ["| Notebook | Exercises right |", "|---|---|"]
    for path in sorted(Path().glob("[0-9][0-9]-*.ipynb")):
        of_it = [name for name in exercises() if name.startswith(path.stem[:2])]
        right = sum(newest.get(name) == RIGHT for name in of_it)
        lines.append(f"| [{path.stem[:2]} {literal(_title(path))}]({path.name}) | {f'{right} of {len(of_it)}' if of_it else '–'} |")
    return Shown("\n".join(lines))


def _title(path: Path) -> str:
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]
    return "".join(first).splitlines()[0].lstrip("# ")


def _answers() -> pd.DataFrame:
    import pandas as pd

    if not Path(FILE).exists():
        return pd.DataFrame(columns=COLUMNS)
    try:
        answers = spreadsheet.read_csv(FILE, dtype=str, keep_default_na=False)
        return answers[COLUMNS]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read {FILE}: {str(error).splitlines()[0]}; move it away to begin a new one") from None
