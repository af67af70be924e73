"""In a notebook our own errors are one sentence and the line of the cell; other errors keep their traceback."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

OURS = {
    "tc.rate(accelerator='h20', price_basis='spot', rate_vintage='2026-09')": "did you mean `h200`",
    "tc.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=2)": "WrongCall: .* needs `total_tok_per_s_per_gpu`",
    "tc.total_cost": "UnknownName: .*did you mean `total_token_cost_usd_per_mtok`",
    "tc.check('parts add up', 1, 2)": "CheckFailed: parts add up",
    "tc.inputs()": "InputError: there is no parameter cell above; write one",
}


@pytest.fixture(scope="module")
def errors():
    """What a notebook shows of an error: source of a cell to text, the last cell an error of Python's own."""
    cells = [nbformat.v4.new_code_cell(source) for source in ["import tokcost as tc", *(f"x = 1\n{line}" for line in OURS), "x = 1\n1 / 0"]]
    ran = NotebookClient(nbformat.v4.new_notebook(cells=cells), kernel_name="python3", allow_errors=True).execute()
    return ["\n".join(re.sub(r"\x1b\[[\d;]*m", "", line) for line in cell.outputs[0].traceback) for cell in ran.cells[1:]]


def test_our_errors_are_a_sentence_and_the_line_of_the_cell(errors):
    for number, (line, says) in enumerate(OURS.items(), start=2):
        sentence, place = errors[number - 2].split("\n")
        assert re.search(says, sentence)
        assert place == f"Cell In[{number}], line 2: {line}"


def test_other_errors_keep_their_traceback(errors):
    assert "Traceback (most recent call last)" in errors[-1] and "ZeroDivisionError" in errors[-1]
