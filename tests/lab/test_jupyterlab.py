"""What an analyst sees in JupyterLab: dollars are dollars, the answer stands beside the inputs, a wrong input gets one sentence."""

import os
import re
from pathlib import Path

import nbformat
import pytest

from tokcost.parameters.declaration import parse_cell

MIME = "application/vnd.tokcost.v1+json"
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
#: run from top to bottom in a browser: one, or all where LAB_RUN_ALL is set
LIVE = [path for path in NOTEBOOKS if path.stem.startswith("01-") or "LAB_RUN_ALL" in os.environ]


def answer_of(path: Path) -> str:
    """The answer that is stored in a notebook, as a reader sees it."""
    outputs = [o for c in nbformat.read(path, as_version=4).cells for o in c.get("outputs", [])]
    (markdown,) = (o["data"]["text/markdown"] for o in outputs if o.get("data", {}).get(MIME, {}).get("kind") == "answer")
    return words(re.sub(r"[*\\`]", "", markdown))


def words(text: str) -> str:
    return " ".join(text.split())


def wrong_cells(path: Path) -> list[tuple[str, str]]:
    """The parameter cell of a notebook with one thing wrong in it, and what must be said."""
    (source,) = (c.source for c in nbformat.read(path, as_version=4).cells if "parameters" in c.metadata.get("tags", []))
    number = next(p for p in parse_cell(source) if p.kind is float)
    choice = next(p for p in parse_cell(source) if p.kind is str and p.choices)
    return [
        (f"{source}\ngpu_price = 3", "parameter cell: this notebook has no parameter `gpu_price`"),
        (re.sub(rf"{number.name}: float = \S+", f"{number.name}: float = 1e7", source), f"parameter cell: `{number.name}` must be in ["),
        (
            re.sub(rf'{choice.name}: str = "[^"]*"', f'{choice.name}: str = "mine"', source),
            f"parameter cell: `{choice.name}` must be one of",
        ),
    ]


def test_no_output_is_set_as_mathematics_and_the_answer_reads_as_it_was_written(lab):
    lab.open("stored.ipynb")
    assert lab.page.locator(".jp-Notebook .jp-OutputArea mjx-container").count() == 0
    shown = [words(text) for text in lab.outputs()]
    for path in NOTEBOOKS:
        answer = answer_of(path)
        assert sum(answer in text for text in shown) == 2, f"{path.stem}: at its place, and below the inputs"


@pytest.mark.parametrize("path", LIVE, ids=lambda p: p.stem)
def test_run_all_shows_the_answer_below_the_inputs_and_a_wrong_input_gets_one_sentence(lab, path):
    lab.open(path.name)
    below = lab.below_parameters()
    lab.run_all(below.filter(has_text=re.compile("in range.*Answer", re.S)))
    assert answer_of(path) in words(below.inner_text())
    assert lab.page.locator(".jp-Notebook .jp-OutputArea mjx-container").count() == 0
    for source, sentence in wrong_cells(path):
        lab.type_parameters(source)
        lab.run_all(below.filter(has_text=sentence), tries=4)
        lines = below.inner_text().strip().splitlines()
        assert lines[0].startswith(f"InputError: {sentence}") and re.fullmatch(r"Cell In\[\d+\], line 1: tc.inputs\(\)", lines[-1])
        assert len(lines) == 2, "no traceback"


def test_a_course_begins_on_the_start_page_answers_a_guess_and_moves_a_curve(lab):
    """Open, predict, reveal, explore: on copies of the notebooks that have not been run."""
    from playwright.sync_api import expect

    page = lab.page
    page.goto(f"{lab.address}/lab/workspaces/tokcost")
    contents = page.locator("#table-of-contents")
    contents.get_by_text("One ratio, many conditions").wait_for(timeout=60_000)
    page.locator(".jp-Notebook .jp-CodeCell").filter(has_text="tc.teaching.progress()").wait_for()

    lab.open("01-what-does-a-million-tokens-cost.ipynb")
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    solution = cells.filter(has=page.locator(".jp-InputPlaceholder"))
    assert solution.count() > 3, "what only prepares the report is folded"
    attempt = cells.filter(has_text='tc.predict("01-1"').first
    attempt.locator(".cm-content").fill('tc.predict("01-1", 441.67)')
    lab.run_all(attempt.get_by_text("3,600 times too large: the seconds of an hour are missing"))
    reveal = attempt.locator("details")
    assert not reveal.get_by_text("$0.123").is_visible()
    reveal.locator("summary").click()
    reveal.get_by_text("$0.123").wait_for(timeout=5_000)

    explored = cells.filter(has_text="tc.explore(").first
    picture, copied = explored.locator("div[role=img]"), explored.locator("textarea")
    picture.wait_for(timeout=30_000)
    before = picture.get_attribute("aria-label")
    explored.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("aria-label", before)
    assert "rate_usd_per_gpu_h: float = " in copied.input_value()
