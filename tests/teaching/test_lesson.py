"""The lesson keeps its clock: its minutes add up, and what is read in them can be read in them."""

import re
from itertools import pairwise

import nbformat
import pytest

from tokcost import paths
from tokcost.teaching.slides import slides_html

LESSON = (paths.TEACHING / "input-versus-output.md").read_text("utf-8")
SLIDES = slides_html()
WORDS_PER_MINUTE, SPOKEN_WORDS_PER_MINUTE = 200, 130
#: for one figure or table
MINUTES_PER_LOOK = 0.5


def section(title: str) -> str:
    return LESSON.partition(f"## {title}\n")[2].partition("\n## ")[0]


def plan(title: str) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section(title).splitlines() if line.startswith("|")]
    return rows[2:]


def notebook(number: str):
    (path,) = paths.NOTEBOOKS.glob(f"{number}-*.ipynb")
    return nbformat.read(path, as_version=4)


def cells_of(number: str, heading: str) -> list:
    """The cells below a heading, to the next one: a subsection is read where it is named."""
    is_in, found = False, []
    for cell in notebook(number).cells:
        if cell.cell_type == "markdown" and (title := re.match(r"#+ (.+)", cell.source)):
            is_in = title[1].strip() == heading
        found += [cell] * is_in
    return found


def words_of(number: str, heading: str) -> int:
    """Words of a section: its prose, its sentences, and of each table and figure its caption."""
    words = 0
    for cell in cells_of(number, heading):
        data = [output.get("data", {}) for output in cell.get("outputs", [])]
        words += len(cell.source.split()) if cell.cell_type == "markdown" else 0
        words += sum(
            len(d["text/markdown"].split()) if "text/markdown" in d else len(d["text/plain"].partition("\n")[0].split()) for d in data
        )
    return words


def looked_at(number: str, heading: str) -> int:
    """Figures and tables of a section."""
    shown = [output.get("data", {}) for cell in cells_of(number, heading) for output in cell.get("outputs", [])]
    return sum("image/svg+xml" in data or "<table" in data.get("text/html", "") for data in shown)


def read_in_class(cell: str) -> list[tuple[str, str]]:
    number, _, headings = cell.partition(": ")
    return [(number, heading) for heading in headings.split("; ") if heading]


@pytest.mark.parametrize(("title", "minutes"), [("Ninety minutes", 90), ("Twenty minutes", 20)])
def test_the_minutes_follow_each_other_and_add_up(title, minutes):
    rows = plan(title)
    starts = [int(row[0]) for row in rows] + [minutes]
    assert starts[0] == 0 and [later - earlier for earlier, later in pairwise(starts)] == [int(row[1]) for row in rows]


@pytest.mark.parametrize("row", [row for title in ("Ninety minutes", "Twenty minutes") for row in plan(title)], ids=lambda row: row[0])
def test_what_is_read_fits_into_half_of_its_minutes(row):
    """The other half is for predicting, voting and talking."""
    words = [words_of(number, heading) for number, heading in read_in_class(row[3])]
    assert all(words), "a section that no notebook has"
    assert sum(words) / WORDS_PER_MINUTE <= int(row[1]) / 2


def slides_of(row: list[str]) -> list[str]:
    """The slides that a row of the plan names."""
    all_of_them, named = re.findall(r"<section.*?</section>", SLIDES, re.S), set()
    for first, _, last in re.findall(r"Slides? (\d+)(?: (and|to) (\d+))?", row[2]):
        named |= set(range(int(first), int(last or first) + 1))
    return [all_of_them[number - 1] for number in sorted(named)]


def clock_of(row: list[str]) -> tuple[float, float]:
    """Minutes in which slides and sections are read and looked at, and those in which notes are said."""
    shown, said, looks = 0, 0, 0
    for slide in slides_of(row):
        page, _, notes = slide.partition("<aside")
        shown, said = shown + words_in(page), said + words_in(notes.partition(">")[2])
        looks += page.count("<img")
    sections = read_in_class(row[3])
    looks += sum(looked_at(*one) for one in sections)
    return (shown + sum(words_of(*one) for one in sections)) / WORDS_PER_MINUTE + looks * MINUTES_PER_LOOK, said / SPOKEN_WORDS_PER_MINUTE


def words_in(html: str) -> int:
    return len(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("title", ["Ninety minutes", "Twenty minutes"])
def test_the_clock_of_the_lesson_is_that_of_its_pages_and_leaves_time_to_talk(title):
    """Reading and saying are worked out from the words of today; machine and answers were taken when the lesson was walked through."""
    walked = {row[0]: row[1:] for row in plan("The clock") if row[5] == title.split()[0].lower()}
    rows = plan(title)
    assert list(walked) == [row[0] for row in rows]
    for row in rows:
        read, said, answered, machine, _, left = walked[row[0]]
        now_read, now_said = clock_of(row)
        assert now_read == pytest.approx(float(read), abs=0.75) and now_said == pytest.approx(float(said), abs=0.5), row[0]
        spent = float(read) + float(said) + float(answered) + float(machine)
        assert float(left) == pytest.approx(int(row[1]) - spent, abs=0.06) and float(left) >= 0.5


def test_the_exercises_and_slides_of_the_plan_exist():
    n_slides = SLIDES.count("<section")
    for row in plan("Ninety minutes") + plan("Twenty minutes"):
        assert all(
            int(number) <= n_slides for found in re.findall(r"Slides? (\d+)(?: (?:and|to) (\d+))?", row[2]) for number in found if number
        )
        assert all(f'tc.predict("{name}"' in "".join(c.source for c in notebook(name[:2]).cells) for name in re.findall(r"\d\d-\d", row[2]))


def test_each_of_the_five_questions_names_a_section_that_answers_it():
    questions = re.findall(r"^\d\. \*(.+?)\* .+\((\d\d): (.+)\)$", section("Five questions to answer after 00 and 01"), re.M)
    assert len(questions) == 5 and {number for _, number, _ in questions} == {"00", "01"}
    assert all(words_of(number, heading) > 50 for _, number, heading in questions)


@pytest.mark.parametrize(
    ("number", "heading", "words"),
    [
        (
            "00",
            "From storing data to making tokens",
            ["a short piece of text", "judged by the cost of a unit of output", "*GPU-hour* one of them for an hour"],
        ),
        ("01", "From seconds to hours", ["One paid hour delivers 0.324 million tokens", r"\$1.41 / 0.324"]),
        ("01", "The slip: forgetting the seconds", [r"\$15,667", "not a cost of anything", "3,600 times"]),
        ("01", "Two levers, and why they differ", ["saves at most its own price", "a fuller hour sells more", "find buyers"]),
        (
            "01",
            "What idle hours do",
            ["share of the paid hours in which the GPU works", "never on the price of the hour", "twice as expensive"],
        ),
    ],
)
def test_the_answers_to_the_five_questions_stand_there_in_plain_words(number, heading, words):
    """For somebody who has never heard of a token, and reads these sections as they are."""
    read = [cell.source if cell.cell_type == "markdown" else str(cell.outputs) for cell in cells_of(number, heading)]
    text = " ".join(read).replace(r"\\$", r"\$")
    assert all(one in text for one in words)


def test_the_first_four_notebooks_are_about_an_hours_reading():
    """Words, a third of a minute for each figure or table, two seconds for each line of code that is not folded."""
    minutes = 0
    for cell in (cell for number in ("00", "01", "02", "03") for cell in notebook(number).cells):
        if cell.cell_type == "markdown":
            minutes += len(cell.source.split()) / WORDS_PER_MINUTE
        elif not {"notebook-only", "solution"} & set(cell.metadata.get("tags", [])) and not cell.source.startswith("tc.sources("):
            minutes += 0 if cell.metadata.get("jupyter", {}).get("source_hidden") else len(cell.source.splitlines()) / 30
            for data in (output.get("data", {}) for output in cell.outputs):
                is_look = "image/svg+xml" in data or "<table" in data.get("text/html", "")
                minutes += 1 / 3 if is_look else len(data.get("text/markdown", data["text/plain"]).split()) / WORDS_PER_MINUTE
    assert minutes < 65


def test_the_slides_stand_alone_and_each_has_words_for_the_speaker():
    assert not re.search(r"(?:src|href)=\"(?!data:|#)|@import|url\((?!data:)", SLIDES)
    shown = re.findall(r"<section.*?</section>", SLIDES, re.S)
    for slide in shown:
        assert re.search(r"<aside[^>]*><p>", slide) and all(len(alt) > 40 for alt in re.findall(r'alt="([^"]*)"', slide))
    assert "{{" not in SLIDES and "$4.35" in SLIDES


def test_a_slide_that_asks_for_what_no_notebook_says_is_refused(monkeypatch):
    from tokcost.teaching import slides

    with pytest.raises(ValueError, match="notebook 01 says nothing that begins with `Nobody said`; look at its stored outputs"):
        slides.said("01", "Nobody said")
    with pytest.raises(ValueError, match="notebook 01 has no figure whose alt text begins with `No such`"):
        slides.figure("01", "No such")
