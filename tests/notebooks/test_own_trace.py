"""Notebook 07 on a log of requests of one's own, made by the command that a user types."""

import json
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "07-what-utilisation-does.ipynb"


@pytest.fixture(scope="module")
def made(tmp_path_factory, tokcost):
    """Ten minutes of four requests a second, each of 2,000 prompt tokens (500 of them cached) and 250 answer tokens."""
    folder = tmp_path_factory.mktemp("own")
    log = folder / "our <b>*log*.jsonl"
    rows = ({"arrival_s": at / 4, "prompt_tok": 2000, "output_tok": 250, "cached_input_tok": 500} for at in range(2401))
    log.write_text("\n".join(map(json.dumps, rows)))
    run = tokcost("report", NOTEBOOK, "-p", f"trace_path={log}", "-o", folder / "out", "--tables", "-q", cwd=folder)
    assert run.status == 0, run.err
    return folder / "out" / NOTEBOOK.stem


def test_the_log_takes_the_place_of_the_recorded_week(made):
    result = json.loads(made.with_suffix(".result.json").read_text())
    inputs = {one["name"]: one["value"] for one in result["answer"]["inputs"]}
    assert inputs["offered_request_per_s"] == pytest.approx(4) and inputs["profile"] == "own_trace"
    assert inputs["arrival_cv"] == 1, "requests in step are taken as no kinder than chance"
    page = made.with_suffix(".html").read_text()
    assert "4 requests a second on average, of 2,000 prompt and 250 answer tokens; 25% of the prompt from a cache" in page


def test_its_fleet_is_replayed_beside_the_recorded_hours_and_its_name_is_text(made):
    page = made.with_suffix(".html").read_text()
    assert "our &lt;b&gt;" in page and "our <b>" not in page and "<em>log</em>" not in page
    assert page.count("Your own requests") > 3
    assert str(made.parent.parent) not in page


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (None, 2, "`trace_path` is '.*log.csv': there is no such file or folder"),
        ("arrival_s,prompt_tok\n0,1\n1,1\n", 1, "log.csv: line 2 has no `output_tok`; .* a trace needs arrival_s, prompt_tok, output_tok"),
    ],
)
def test_a_log_that_is_not_there_or_is_none_is_told_in_one_sentence(tmp_path, tokcost, text, status, says):
    if text:
        (tmp_path / "log.csv").write_text(text)
    run = tokcost("report", NOTEBOOK, "-p", f"trace_path={tmp_path / 'log.csv'}", "-o", tmp_path / "out", "-q", cwd=tmp_path)
    assert run.status == status
    assert re.search(says, run.err), run.err
    assert not (tmp_path / "out" / f"{NOTEBOOK.stem}.html").exists()
