"""The parameter cell of a running notebook is checked as the command line checks it, in the same words."""

import json

import pytest

from tokcost.errors import InputError
from tokcost.parameters.run_cell import current_settings
from tokcost.paths import NOTEBOOKS
from tokcost.show import inputs_answer

CELL = """rate_usd_per_gpu_h: float = 1.41  # price of a GPU-hour, 0.1 to 30
utilization_frac: float = 0.4  # share of the paid hours, 0.05 to 1
basis: str = "own"  # whose price; one of: own, rent
year: int = 2025  # of the price list; one of: 2025, 2026
# not together: basis=rent, year=2026; nobody lists it
"""
DEFAULTS = {"rate_usd_per_gpu_h": 1.41, "utilization_frac": 0.4, "basis": "own", "year": 2025}


def ran(cell: str = CELL, injected: str = "", **values):
    return current_settings(["import tokcost as tc", cell, *([f"# Parameters\n{injected}"] if injected else [])], DEFAULTS | values)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"utilization_frac": 45}, r"parameter cell: `utilization_frac` must be in \[0.05, 1\], got 45; give a fraction, not a percentage"),
        ({"rate_usd_per_gpu_h": "2.10"}, "parameter cell: `rate_usd_per_gpu_h` must be a number, got '2.10'; write 2.10 without quotes"),
        ({"basis": "rented"}, "parameter cell: `basis` must be one of own, rent; got 'rented'; did you mean `rent`"),
        ({"year": 2025.0}, "parameter cell: `year` must be a whole number, got 2025.0; write 2025"),
        ({"basis": "rent", "year": 2026}, "basis=rent .* and year=2026 .* do not go together: nobody lists it; change one of them"),
    ],
)
def test_what_is_wrong_in_the_cell_is_said_in_the_words_of_the_command_line(values, says):
    with pytest.raises(InputError, match=says):
        ran(**values)


def test_a_line_that_says_nothing_of_itself_is_no_parameter():
    with pytest.raises(
        InputError, match="parameter cell: this notebook has no parameter `utilisation_frac`; did you mean `utilization_frac`"
    ):
        ran(f"{CELL}utilisation_frac = 0.9", utilisation_frac=0.9)


@pytest.mark.parametrize(
    ("line", "values", "says"),
    [
        ("gpu_price = 3", {"gpu_price": 3}, "papermill: this notebook has no parameter `gpu_price`; known: basis, rate_usd"),
        ("utilization_frac = 'half'", {"utilization_frac": "half"}, "papermill: `utilization_frac` must be a number, got 'half'"),
        ("rate_usd_per_gpu_h = '2,10'", {"rate_usd_per_gpu_h": "2,10"}, "papermill: .* must be a number, got '2,10'; write 2.10"),
    ],
)
def test_what_papermill_injects_is_checked_too(line, values, says):
    with pytest.raises(InputError, match=says):
        ran(injected=line, **values)


def test_numbers_that_papermill_was_given_as_text_are_read():
    found = {
        s.parameter.name: s for s in ran(injected="rate_usd_per_gpu_h = '2.10'\nyear = '2026'", rate_usd_per_gpu_h="2.10", year="2026")
    }
    assert (found["rate_usd_per_gpu_h"].value, found["year"].value) == (2.1, 2026)
    assert found["rate_usd_per_gpu_h"].changed and not found["basis"].changed


def test_a_later_parameter_cell_wins_and_other_cells_are_none():
    found = current_settings(
        [CELL, "x = 5  # try it", CELL.replace("0.1 to 30", "2 to 30"), "pair = ['a']"], DEFAULTS | {"rate_usd_per_gpu_h": 2.5}
    )
    assert found[0].parameter.low == 2
    with pytest.raises(InputError, match="there is no parameter cell above; write one of lines such as"):
        current_settings(["x = 5  # try it", "y = 1"], {"x": 5})


def test_inputs_sets_what_was_text_to_its_number_and_says_what_changed():
    names = DEFAULTS | {
        "In": [CELL, "# Parameters\nrate_usd_per_gpu_h = '2.10'"],
        "rate_usd_per_gpu_h": "2.10",
        "inputs": inputs_answer.inputs,
    }
    exec("line = inputs().line", names)
    assert names["rate_usd_per_gpu_h"] == 2.1
    assert names["line"] == "4 inputs, in range; changed: price of a GPU-hour $2.10."


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate_usd_per_gpu_h", 2.905, "price of a GPU-hour $2.905"),
        ("utilization_frac", 0.455, "utilization 45.5%"),
        ("basis", "rent", "basis rent"),
    ],
)
def test_a_changed_input_is_said_to_its_last_digit(name, value, said):
    names = DEFAULTS | {"In": [CELL, f"# Parameters\n{name} = {value}"], name: value, "inputs": inputs_answer.inputs}
    exec("line = inputs().line", names)
    assert names["line"] == f"4 inputs, in range; changed: {said}."


def test_a_notebook_of_the_project_is_compared_with_how_it_is_delivered(tmp_path, monkeypatch):
    (tmp_path / "01-a.ipynb").write_text(json.dumps({"cells": [{"metadata": {"tags": ["parameters"]}, "source": [CELL]}]}))
    monkeypatch.setattr("tokcost.parameters.run_cell.NOTEBOOKS", tmp_path)
    found = ran(CELL.replace("= 0.4 ", "= 0.45 "), utilization_frac=0.45)
    assert [s.parameter.name for s in found if s.changed] == ["utilization_frac"]


@pytest.mark.filterwarnings("ignore")
def test_papermill_fails_with_the_sentence_and_keeps_it_in_the_notebook(tmp_path):
    import papermill

    notebook, written = NOTEBOOKS / "01-what-does-a-million-tokens-cost.ipynb", tmp_path / "out.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match="InputError: papermill: this notebook has no parameter `gpu_price`"):
        papermill.execute_notebook(notebook, written, parameters={"gpu_price": 3}, kernel_name="python3", progress_bar=False)
    assert "has no parameter `gpu_price`" in written.read_text("utf-8")
