"""Both lessons, walked through in a browser on a student's copy: every slide, page, section and answer that they name.

Where LAB_RUN_ALL is set. Each step is printed with its seconds (`pytest -s`), for the clock in the lesson.
"""

import os
import re
import time

import nbformat
import pytest

from tokcost import paths
from tokcost.teaching import editions
from tokcost.teaching.slides import slides_html

ANSWERS = {
    "01-1": 'tc.predict("01-1", 2.65 / (6000 * 3600) * 1e6)',
    "02-3": """by = ranked["memory_bandwidth_gb_per_s"] / ranked[price]
wrong, told_apart = pairs(ranked.assign(by=by), "by", is_better_high=True, within=doubt)
tc.predict("02-3", wrong / told_apart)""",
    "03-1": 'tc.predict("03-1", 1.41 / 35)',
}
LESSON = (paths.TEACHING / "input-versus-output.md").read_text("utf-8").partition("## The clock")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LESSON.splitlines() if re.match(r"\| \d", line)]


@pytest.mark.skipif("LAB_RUN_ALL" not in os.environ, reason="takes a minute: set LAB_RUN_ALL to walk")
def test_both_lessons_can_be_walked_as_they_are_written(lab, chromium_browser, tmp_path):
    (tmp_path / "slides.html").write_text(slides_html(), "utf-8")
    projector = chromium_browser.new_page(viewport={"width": 1280, "height": 800})
    page, opened, begun = lab.page, "", time.perf_counter()
    class_of = {path.name: editions.student(nbformat.read(path, as_version=4)) for path in paths.NOTEBOOKS.glob("0[0-3]-*.ipynb")}
    for name, notebook in class_of.items():
        lab.put(f"student/{name}", notebook)

    def attempt(name: str):
        return page.locator(".jp-Notebook .jp-CodeCell").filter(has_text=f'tc.predict("{name}"').first

    def show(number: str) -> None:
        """Open a notebook and run all of it, as everybody does first."""
        nonlocal opened
        if number != opened:
            lab.open(f"student/{next(name for name in class_of if name.startswith(number))}")
            lab.run_all(attempt(f"{number}-3").get_by_text("No answer yet"), tries=4)
            opened = number

    for start, minutes, what, read in ROWS:
        for first, last in re.findall(r"Slides? (\d+)(?: (?:and|to) (\d+))?", what):
            for slide in range(int(first), int(last or first) + 1):
                projector.goto(f"{(tmp_path / 'slides.html').as_uri()}#slide-{slide}")
                projector.reload()
                assert projector.locator("section:visible").get_attribute("id") == f"slide-{slide}"
        number, _, headings = read.partition(": ")
        for name in re.findall(r"\d\d-\d", what):
            show(name[:2])
            lab.go_to("Exercises")
            if name == "01-2":
                one = next(notebook for file, notebook in class_of.items() if file.startswith("01"))
                source = next(cell.source for cell in one.cells if "parameters" in cell.metadata.get("tags", []))
                lab.type_parameters(re.sub(r"(utilization_frac: float =) \S+", r"\1 0.435", source))
                lab.run_all(attempt(name).get_by_text("Right"))
            elif name in ANSWERS:
                attempt(name).locator(".cm-content").fill(ANSWERS[name])
                page.keyboard.press("Shift+Enter")
                attempt(name).get_by_text("Right").wait_for(timeout=60_000)
        for heading in filter(None, headings.split("; ")):
            show(number)
            lab.go_to(heading)
        now = time.perf_counter()
        print(f"from {start}, {minutes} minutes: the machine took {now - begun:.0f} seconds")
        begun = now
    projector.close()
