"""What a notebook says is taken apart: question and answer to the top, sources to the foot, the notebook's own matters out."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tokcost.report.errors import ReportFailed
from tokcost.report.page.contents import MIME, split_contents
from tokcost.report.page.html import _Outputs
from tokcost.report.page.markdown import Prose


def md(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def code(*bundles, tags=()):
    outputs = [new_output("display_data", {"text/plain": "x", **({MIME: nbformat.from_dict(b)} if b else {})}) for b in bundles]
    return new_code_cell("source", metadata={"tags": list(tags)}, outputs=outputs)


ANSWER = {"kind": "answer", "text": "Yes.", "interval": None, "inputs": []}
DATES = {"measured_to": "2026-06-12", "prices_of": "2026-09"}
SOURCES = {"kind": "sources", "tables": [], "sources": [{"source_id": "a"}], "assumptions": ["b"], **DATES}


def apart(*cells, **options):
    return split_contents(new_notebook(cells=list(cells)), "name", **options)


def body(contents):
    return [cell.source for cell in contents.body]


def test_the_first_heading_is_the_question_and_leaves_the_body():
    contents = apart(md("# What does it cost?\n\nRead on."))
    assert contents.question == "What does it cost?"
    assert body(contents) == ["\n\nRead on."]


def test_a_heading_inside_a_code_block_is_not_the_question():
    assert apart(md("```\n# comment\n```\n\n# Question")).question == "Question"


def test_a_title_takes_the_place_of_the_notebooks_own_question():
    contents = apart(md("# Theirs"), md("text"), title="Ours")
    assert contents.question == "Ours" and body(contents) == ["text"]


def test_a_notebook_without_a_heading_goes_by_its_name():
    assert apart(md("text")).question == "name"


def test_answer_and_sources_are_lifted_with_their_cells():
    contents = apart(md("# Q"), code(ANSWER), code(SOURCES), md("rest"))
    assert contents.answer["text"] == "Yes." and contents.assumptions == ["b"]
    assert {name: getattr(contents, name) for name in DATES} == DATES
    assert body(contents) == ["rest"]


def test_a_lifted_output_leaves_what_the_cell_shows_beside_it():
    contents = apart(code(ANSWER, None))
    assert len(contents.body[0].outputs) == 1


def test_results_are_said_once_in_the_card_and_checks_where_they_stand():
    result = {"kind": "result", "name": "a_usd", "value": 1.0, "label": "A"}
    contents = apart(code(result), code({"kind": "check", "claim": "c"}))
    assert contents.results[0]["name"] == "a_usd" and contents.checks[0]["claim"] == "c"
    assert len(contents.body) == 1


@pytest.mark.parametrize(
    "damaged",
    [
        {"kind": "answer", "inputs": []},
        {"kind": "answer", "text": ["Yes"], "inputs": []},
        {"kind": "result", "name": "a_usd", "value": "1", "label": "A"},
        {"kind": "check", "claim": {}},
        {"kind": "sources", "tables": "x", "sources": [], "assumptions": []},
    ],
)
def test_what_was_not_made_by_the_projects_own_functions_is_a_failed_report(damaged):
    with pytest.raises(ReportFailed, match=f"as {damaged['kind']} has no sound .* let `tc.{damaged['kind']}` make it"):
        apart(code(damaged))


def test_an_output_of_another_kind_is_left_alone():
    assert len(apart(code({"kind": ["answer"]}), code({"kind": "other"})).body) == 2


@pytest.mark.parametrize("tag", ["attempt", "parameters", "injected-parameters", "remove-cell", "notebook-only"])
def test_cells_for_the_notebooks_reader_are_left_out(tag):
    assert body(apart(md("seen"), md("unseen", tag))) == ["seen"]


def test_a_heading_over_nothing_is_left_out_with_what_stood_under_it():
    contents = apart(
        md("## One"), md("text"), md("## Sources"), code(SOURCES), md("## Exercises"), md("do", "attempt"), md("## Two"), md("more")
    )
    assert body(contents) == ["## One", "text", "## Two", "more"]


def test_the_heading_of_the_sources_goes_with_them_whatever_follows():
    assert body(apart(md("text"), md("## Sources"), code(SOURCES), md("Next: more."))) == ["text", "Next: more."]


def test_a_heading_over_code_that_shows_nothing_is_left_out():
    cells = [md("## The answer"), code(), code(ANSWER), md("## Checks"), md("text")]
    assert [c.source for c in apart(*cells).body if c.cell_type == "markdown"] == ["## Checks", "text"]


def test_a_heading_over_smaller_headings_stays():
    contents = apart(md("## Part"), md("### Piece"), md("text"), md("## Empty"), md("### Also empty"))
    assert body(contents) == ["## Part", "### Piece", "text"]


def test_several_exercises_are_folded_behind_one_line_below_their_heading_and_what_follows_is_not():
    exercises = [md("## Exercises\n\nPredict.", "exercise"), code(None, tags=["solution"]), md("Change.", "exercise")]
    contents = apart(md("text", "exercise"), md("open"), *exercises, md("Next: more."))
    folds = [cell.metadata.get("fold") for cell in contents.body]
    assert body(contents) == [
        "text",
        "open",
        "## Exercises\n",
        "2 exercises, with worked answers",
        "\nPredict.",
        "source",
        "Change.",
        "",
        "Next: more.",
    ]
    assert folds == [None, None, None, "begins", None, None, None, "ends", None]


def test_several_checks_are_folded_and_one_is_not():
    check = {"kind": "check", "claim": "two routes agree", "left": 1.0, "right": 1.0}
    assert body(apart(md("## Checks"), code(check), code(check), md("text")))[1] == "2 checks, all passed"
    assert body(apart(md("## Checks"), code(check), md("text"))) == ["## Checks", "source", "text"]


def test_a_cell_cannot_end_a_fold_of_the_page():
    cell = md("text")
    cell.metadata["fold"] = "ends"
    assert "fold" not in apart(cell).body[0].metadata


def test_two_answers_or_two_results_of_one_name_are_a_failed_report():
    with pytest.raises(ReportFailed, match="two cells give an answer"):
        apart(code(ANSWER), code(ANSWER))
    result = {"kind": "result", "name": "a_usd", "value": 1.0, "label": "A"}
    with pytest.raises(ReportFailed, match="`a_usd` is given twice"):
        apart(code(result), code(result))


def test_taking_apart_leaves_the_executed_notebook_as_it_is():
    notebook = new_notebook(cells=[md("# Q\n\ntext"), code(ANSWER)])
    before = nbformat.writes(notebook)
    split_contents(notebook, "name")
    assert nbformat.writes(notebook) == before


@pytest.mark.parametrize(
    ("twin", "shows", "says"),
    [({"text/html": "<b>6 GPUs</b>"}, "<b>6 GPUs</b>", "shown is what it looked like"), ({}, "", "display beside it what it shows")],
)
def test_a_widget_is_a_warning_and_shows_its_static_twin(twin, shows, says):
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "VBox(children=(FloatSlider(value=6.0),))"}
    warnings = []
    html = _Outputs(Prose(), warnings.append, []).html(new_output("display_data", widget | twin))
    assert html.strip() == shows
    assert len(warnings) == 1 and says in warnings[0]
