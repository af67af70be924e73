"""Every exercise knows its right answer, near answers, slips and nonsense; the worked answers say the same as the table."""

import ast
import csv
import functools
import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcost as tc
from tokcost import paths
from tokcost.parameters.declaration import parse_cell
from tokcost.quantities import find as quantity
from tokcost.quantities import unit
from tokcost.show.rows import ASKED
from tokcost.teaching.diagnosis import OFF, OPEN, RIGHT, SLIP, diagnose
from tokcost.teaching.exercise_table import KINDS, exercises

MIME = "application/vnd.tokcost.v1+json"
NOTEBOOKS = {path.stem[:2]: nbformat.read(path, as_version=4) for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))}
EXERCISES = list(exercises().values())
each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Answers are recorded in the working directory, and known to the kernel."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tokcost.teaching.answers._NEWEST", {})
    return tmp_path


def cells(number: str, tag: str):
    return [cell for cell in NOTEBOOKS[number].cells if tag in cell.metadata.get("tags", [])]


def outputs(number: str, kind: str) -> list[dict]:
    found = (o.get("data", {}).get(MIME, {}) for cell in NOTEBOOKS[number].cells for o in cell.get("outputs", []))
    return [data for data in found if data.get("kind") == kind]


def judged(exercise, answer):
    return diagnose(exercise, answer, exercise.needs)


@pytest.mark.parametrize("number", sorted({e.name[:2] for e in EXERCISES}))
def test_the_table_and_the_notebook_have_the_same_exercises_in_the_same_order(number):
    names = [e.name for e in EXERCISES if e.name.startswith(number)]
    assert [re.match(r'tc\.predict\("([^"]+)"', cell.source)[1] for cell in cells(number, "attempt")] == names
    assert [data["exercise"] for data in outputs(number, "worked")] == names
    kinds = [re.search(r"\*\*(\w+)\.\*\*", cell.source)[1].lower() for cell in cells(number, "exercise")]
    assert kinds == [exercises()[name].kind for name in names] and set(kinds) == set(KINDS)


@each
def test_the_worked_answer_of_the_notebook_is_the_one_that_is_taken_for_right(exercise):
    (worked,) = (data for data in outputs(exercise.name[:2], "worked") if data["exercise"] == exercise.name)
    assert judged(exercise, worked["value"]).verdict == RIGHT
    assert exercise.choices or worked["value"] == pytest.approx(exercise.right, rel=min(exercise.tolerance / 3, 0.005) + 1e-9)


@each
def test_right_and_near_answers_are_right_and_far_ones_are_off_with_a_hint(exercise):
    if exercise.choices:
        assert judged(exercise, f" {exercise.right.upper()} ").verdict == RIGHT
        others = [choice for choice in exercise.choices if choice != exercise.right]
        assert all(judged(exercise, choice).verdict == OFF and exercise.hint in judged(exercise, choice).sentence for choice in others)
        return
    for near in (1, 1 - exercise.tolerance * 0.9, 1 + exercise.tolerance * 0.9):
        assert judged(exercise, exercise.right * near).verdict == RIGHT
    assert exercise.tolerance < 0.5, "a guess that is off by half is off"
    far = judged(exercise, exercise.right / 3.7)
    assert far.verdict == OFF and "3.7 times too small" in far.sentence and exercise.hint in far.sentence


@each
def test_each_known_slip_is_named_and_none_is_near_enough_to_be_right(exercise):
    if exercise.choices:
        return
    said = set()
    for slip in exercise.slips:
        made = slip.of(exercise.right)
        if made is None or made * exercise.right <= 0:
            continue
        found = judged(exercise, made)
        if found.verdict == RIGHT:  # a rest of the whole that is nearly the whole
            assert slip.factor is None
            continue
        assert found.verdict == SLIP, slip
        said.add(found.sentence)
    assert said or not unit(exercise.quantity), "an exercise with a unit has slips"


@each
def test_an_answer_that_is_off_beyond_all_numbers_is_told_nothing_about_times(exercise):
    for answer in (5e-324, 1.7e308):
        assert "inf times" not in judged(exercise, answer).sentence


@pytest.mark.parametrize(
    "nonsense",
    ["cheap", "", math.nan, -math.inf, True, np.True_, [1, 2], np.array([1, 2]), {}, object(), "=1+1", "12%", b"1", 1j, 10**400],
    ids=lambda n: type(n).__name__,
)
def test_nonsense_is_no_answer_and_reveals_nothing(nonsense, folder):
    for exercise in EXERCISES:
        feedback = tc.predict(exercise.name, nonsense, **exercise.needs)
        assert feedback.found.verdict == OPEN and feedback.reveal == "", exercise.name
    assert not list(folder.iterdir())


ANSWERS = st.floats() | st.integers() | st.decimals() | st.text() | st.lists(st.floats(), max_size=3)


@settings(max_examples=300)
@given(exercise=st.sampled_from(EXERCISES), answer=ANSWERS)
def test_whatever_is_handed_in_gets_a_sentence_and_only_what_is_near_enough_is_right(exercise, answer):
    found = judged(exercise, answer)
    assert found.verdict in (RIGHT, SLIP, OFF, OPEN) and found.sentence.strip().endswith((".", "?", "`", "*", ")"))
    if found.verdict == RIGHT and not exercise.choices:
        assert abs(float(answer) - exercise.right) <= exercise.tolerance * abs(exercise.right) + 1e-9
    if isinstance(answer, str) and not exercise.choices:
        assert found.verdict == OPEN


@pytest.mark.parametrize(
    ("exercise", "guess", "verdict"),
    [("02-1", 0, OFF), ("02-2", 0, OFF), ("12-2", -5e5, OFF), ("11-2", -3, OFF), ("01-1", 0, OPEN), ("01-1", -1, OPEN), ("02-1", -1, OPEN)],
)
def test_nothing_and_a_loss_are_answers_where_the_quantity_can_be_so(exercise, guess, verdict):
    found = judged(exercises()[exercise], guess)
    assert found.verdict == verdict and ("The sign is the other one" in found.sentence) == (guess < 0 and verdict == OFF)


def test_an_unknown_exercise_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="no exercise `01-9`; did you mean `01-"):
        tc.predict("01-9", 1)


@pytest.mark.parametrize(
    ("exercise", "answer", "says"),
    [
        ("01-1", 441.67, "3,600 times too large: the seconds of an hour are missing"),
        ("01-1", 2 * 0.12269, "2 times too large: that spreads the cost over the answers alone"),
        ("01-1", 1 / 0.12269, "Upside down: that is million tokens per dollar"),
        ("01-1", "$0.12", "write 0.12."),
        ("02-1", "25%", "give a fraction: 0.25"),
        ("01-2", 43.5, "100 times too large: that is in per cent"),
        ("01-2", 1.0, "is 1.0, as delivered; set it in the parameter cell"),
        ("00-3", 1 / 11.41, "Upside down: divide the other way round"),
        ("01-3", 93.25 * 3600, "that is per hour; asked is per second"),
        ("04-3", 4500 / 8760, "The system is not available in all of them"),
    ],
)
def test_a_slip_is_called_by_its_name(exercise, answer, says):
    assert says in tc.predict(exercise, answer).sentence


def test_a_change_exercise_looks_at_the_students_own_parameter():
    early = tc.predict("00-2", 25.06, price_basis="owning_hyperscaler")
    assert early.found.verdict == OPEN and "set it to rental_3yr in the parameter cell" in early.sentence
    assert tc.predict("00-2", 25.06).found.verdict == OPEN
    assert tc.predict("00-2", 25.06, price_basis="rental_3yr").found.verdict == RIGHT


@each
def test_what_an_exercise_asks_to_set_is_a_parameter_of_its_notebook_that_may_be_set_so(exercise):
    (cell,) = cells(exercise.name[:2], "parameters")
    known = {p.name: p for p in parse_cell(cell.source)}
    for name, wanted in exercise.needs.items():
        assert known[name].parse(wanted) != known[name].default
    if exercise.as_delivered:
        own = known[exercise.asked.split("`")[1]]
        assert float(exercise.as_delivered) == own.default and own.check(float(exercise.right))


def three_digits(exercise, *, is_own_page: bool) -> set[str]:
    """The right answer as pages write it, on its own page also more exactly; small counts and round shares stand everywhere."""
    number, _, rest = exercise.said(exercise.right).strip("$").partition(" ")
    forms = {f"{number} {rest}" if rest.startswith("million") else number}
    if is_own_page:
        forms |= {f"{exercise.right:.3g}"} | ({f"{100 * exercise.right:.3g}%"} if unit(exercise.quantity) == "frac" else set())
    return {form for form in forms if len(re.sub(r"[^0-9]", "", form).strip("0")) >= 3}


@functools.cache
def read_in(number: str, *, is_before_exercises: bool) -> str:
    shown = []
    for cell in NOTEBOOKS[number].cells:
        if is_before_exercises and "exercise" in cell.metadata.get("tags", []):
            break
        shown += [cell.source] if cell.cell_type == "markdown" else []
        shown += ["".join(o.get("data", {}).get("text/html", o.get("data", {}).get("text/plain", ""))) for o in cell.get("outputs", [])]
    return re.sub(r"<svg.*?</svg>", "", " ".join(shown), flags=re.S)


@each
def test_no_earlier_page_and_no_earlier_cell_shows_the_right_answer(exercise):
    """What people can read before they are asked spoils the question; what they are to change, other pages may have changed too."""
    if exercise.choices:
        return
    own = exercise.name[:2]
    for number in (n for n in NOTEBOOKS if n == own or (n < own and exercise.kind != "change")):
        text = read_in(number, is_before_exercises=number == own)
        for form in three_digits(exercise, is_own_page=number == own):
            assert not re.search(rf"(?<![\d.,]){re.escape(form)}(?![\d,]|\.\d)", text), (number, form)


def test_a_notebook_runs_without_its_worked_answers():
    for number, notebook in NOTEBOOKS.items():
        names: dict[str, set[str]] = {"worked": set(), "other": set()}
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)]
            loaded = {node.id for node in found if isinstance(node.ctx, ast.Load)}
            is_worked = "solution" in cell.metadata.get("tags", [])
            assert is_worked or not loaded & (names["worked"] - names["other"]), (number, cell.source)
            names["worked" if is_worked else "other"] |= {node.id for node in found if isinstance(node.ctx, ast.Store)}


def test_an_answer_is_kept_and_then_the_right_one_can_be_opened(folder):
    before = tc.predict("01-1", None)
    assert before.reveal == "" and "details" not in before._repr_mimebundle_()["text/html"]
    after = tc.predict("01-1", 441.67)
    html = after._repr_mimebundle_()["text/html"]
    assert "<details" in html and "<script" not in html and "$0.123" in html.partition("<details")[2]
    tc.predict("01-1", 0.123)
    sheet = tc.teaching.score_sheet(export="ada.csv").set_index("exercise").loc["01-1"]
    assert (sheet["tries"], sheet["first"], sheet["newest"]) == (2, SLIP, RIGHT)
    tc.teaching.require_right("01-1")
    with pytest.raises(AssertionError, match="01-2: no answer was handed in"):
        tc.teaching.require_right("01-2")
    with open("ada.csv", newline="") as handed_in:
        assert [row["answer"] for row in csv.DictReader(handed_in)] == ["0.123"]


def test_a_parameter_of_ones_own_is_no_answer_unless_it_is_the_one_asked_for(folder):
    assert tc.predict("01-2", 0.6).found.verdict == OFF and not list(folder.iterdir())
    tc.predict("01-2", 0.435)
    assert list(tc.teaching.score_sheet()["newest"]) == [RIGHT]


@pytest.mark.parametrize("by_hand", ["changed", "taken out", "put in"])
def test_a_line_written_by_hand_is_told_and_the_sheet_says_whose_it_is(folder, by_hand):
    for answer in (441.67, 0.25, 0.1227):
        tc.predict("01-1", answer)
    sheet, path = tc.teaching.score_sheet(), Path("score-sheet.csv")
    assert (sheet["changed"].item(), " on " in sheet["by"].item()) == ("no", True)
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace("441.67", "0.1227")
    changed = {"changed": lines, "taken out": [lines[0], *lines[2:]], "put in": [*lines, lines[-1]]}[by_hand]
    path.write_text("\n".join(changed) + "\n")
    assert tc.teaching.score_sheet()["changed"].item() == "yes"


def test_a_sheet_that_came_from_somebody_gives_no_point(folder, monkeypatch):
    tc.predict("01-1", 0.1227)
    monkeypatch.setattr("tokcost.teaching.answers._NEWEST", {})
    assert list(tc.teaching.score_sheet()["newest"]) == [RIGHT]
    with pytest.raises(AssertionError, match="01-1: no answer was handed in"):
        tc.teaching.require_right("01-1")


def test_a_sheet_that_was_begun_by_another_hand_takes_no_more(folder):
    Path("score-sheet.csv").write_text("time,exercise\n1,2\n")
    assert "(Not recorded: cannot read score-sheet.csv" in tc.predict("01-1", 0.25).sentence
    assert Path("score-sheet.csv").read_text() == "time,exercise\n1,2\n"


def test_what_is_kept_runs_in_no_spreadsheet_and_a_report_keeps_nothing(folder, monkeypatch):
    tc.predict("08-3", "first")
    assert "=" not in {line[:1] for line in Path("score-sheet.csv").read_text().split(",")}
    Path("score-sheet.csv").unlink()
    monkeypatch.setenv(ASKED, "1")
    assert tc.predict("01-1", 4.0).found.verdict == OFF and not list(folder.iterdir())


def test_a_sheet_that_cannot_be_written_or_read_is_said_in_a_sentence(folder):
    (folder / "score-sheet.csv").mkdir()
    assert "Not recorded" in tc.predict("01-1", 4.0).sentence
    (folder / "score-sheet.csv").rmdir()
    (folder / "score-sheet.csv").write_text("what,else\n1,2\n")
    with pytest.raises(ValueError, match="cannot read score-sheet.csv: .*; move it away to begin a new one"):
        tc.teaching.score_sheet()
    with pytest.raises(ValueError, match="cannot write no/where.csv: .*; name a file in a folder that exists"):
        (folder / "score-sheet.csv").unlink()
        tc.teaching.score_sheet(export="no/where.csv")


def test_progress_is_a_map_with_links(folder):
    nbformat.write(NOTEBOOKS["01"], "01-what-does-a-million-tokens-cost.ipynb")
    tc.predict("01-1", 0.1227)
    line = tc.teaching.progress().markdown.splitlines()[-1]
    assert line == "| [01 What does a million tokens cost?](01-what-does-a-million-tokens-cost.ipynb) | 1 of 3 |"


@each
def test_the_quantity_of_an_exercise_is_in_the_vocabulary(exercise):
    assert not exercise.quantity or quantity(exercise.quantity)
