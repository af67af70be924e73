"""The answers that were handed in, in a CSV file beside the notebooks: what is done, and what is right.

Each line says who wrote it, and carries a digest of itself and of the line before. A line that was changed, taken out or put in by hand
is told by that. It is no proof: whoever reads this module can write a sheet that follows. Marks that count need an exam.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
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
COLUMNS = ["time", "by", "exercise", "answer", "verdict", "diagnosis"]
DIGEST = "digest"
#: what was found of the newest answer to each exercise, of those that this kernel was handed
_NEWEST: dict[str, Diagnosis] = {}


class NotRight(SentenceError, AssertionError):
    """The newest answer to an exercise is not right, or there is none."""


def record(exercise: str, answer: object, found: Diagnosis) -> str:
    """Add an answer to the sheet; where that is not possible, the sentence that says why."""
    import pandas as pd

    _NEWEST[exercise] = found
    row = [datetime.now(UTC).isoformat(timespec="seconds"), _who(), exercise, _one_line(answer), found.verdict, found.sentence]
    try:
        before = _answers()
        last = before[DIGEST].iloc[-1] if len(before) else ""
        with open(FILE, "a", newline="", encoding="utf-8") as sheet:
            frame = pd.DataFrame([[*row, _digest(last, row)]], columns=[*COLUMNS, DIGEST])
            spreadsheet.to_csv(frame, sheet, header=not len(before))
    except (OSError, InputError) as error:
        return f"(Not recorded: {f'{FILE} cannot be written, {error.strerror}' if isinstance(error, OSError) else error}.)"
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
        by: who gave it, on which machine
        changed: whether a line of it was written by hand, or a line before it taken out; none is no proof

    Raises: InputError for a sheet that cannot be read, or a file that cannot be written.

    >>> list(tc.teaching.score_sheet().columns)[:4]
    ['exercise', 'kind', 'tries', 'first']
    """
    import pandas as pd

    rows = []
    for name, tries in _answers().groupby("exercise", sort=True):
        kind, newest = (exercises()[str(name)].kind if name in exercises() else ""), tries.iloc[-1]
        told = newest[["verdict", "answer", "diagnosis", "by"]]
        rows.append([name, kind, len(tries), tries["verdict"].iloc[0], *told, "yes" if tries["changed"].any() else "no"])
    sheet = pd.DataFrame(rows, columns="exercise kind tries first newest answer diagnosis by changed".split())
    if export:
        try:
            spreadsheet.to_csv(sheet, export)
        except OSError as error:
            raise InputError(f"cannot write {export}: {error.strerror}; name a file in a folder that exists") from None
    return sheet


def require_right(exercise: str) -> None:
    """Stop unless the newest answer to the exercise is right: what nbgrader runs to give the point.

    It asks what the cells above handed in when they ran, and not the sheet, which may have come from anywhere.

    Raises: NotRight with what the answer was told; InputError for an exercise that does not exist.

    >>> tc.teaching.require_right("01-3")
    Traceback (most recent call last):
    tokcost.teaching.answers.NotRight: 01-3: no answer was handed in
    """
    asked = find(exercise)
    if asked.name not in _NEWEST:
        raise NotRight(f"{asked.name}: no answer was handed in")
    if _NEWEST[asked.name].verdict != RIGHT:
        raise NotRight(f"{asked.name}: {_NEWEST[asked.name].sentence}")


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


def _who() -> str:
    try:
        return f"{getpass.getuser()} on {platform.node()}"
    except (OSError, KeyError):  # a user without a name, as in a container
        return f"somebody on {platform.node()}"


def _one_line(answer: object) -> str:
    return " ".join(str(answer).split())


def _digest(before: str, row: list[str]) -> str:
    return hashlib.sha256("\0".join([before, *row]).encode("utf-8")).hexdigest()[:12]


def _answers() -> pd.DataFrame:
    """All lines of the sheet, and of each whether it follows the one before."""
    import pandas as pd

    if not Path(FILE).exists():
        return pd.DataFrame(columns=[*COLUMNS, DIGEST, "changed"])
    try:
        answers = spreadsheet.read_csv(FILE, dtype=str, keep_default_na=False)[[*COLUMNS, DIGEST]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read {FILE}: {str(error).splitlines()[0]}; move it away to begin a new one") from None
    before = ["", *answers[DIGEST].iloc[:-1]]
    follow = [_digest(last, row) == digest for last, (*row, digest) in zip(before, answers.to_numpy().tolist(), strict=True)]
    return answers.assign(changed=[not one for one in follow])
