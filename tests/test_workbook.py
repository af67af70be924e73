"""A workbook of a report: its costs are formulas, and a spreadsheet that works them out gets what the report says."""

import datetime as dt
import io
import warnings
import zipfile

import pytest

from tokcost import formulas
from tokcost.workbook import Cells, Sheet, live, to_xlsx

MADE = dt.datetime(2026, 9, 1)
RATE, TOTAL, USED, COST = "rate_usd_per_gpu_h", "total_tok_per_s_per_gpu", "utilization_frac", "total_token_cost_usd_per_mtok"


def worked_out(content: bytes, tmp_path, **changed) -> dict:
    """The value of every cell, as another program works it out; `changed` maps a cell of the sheet Inputs to another number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of that program's own making
        import formulas as spreadsheet

        path = tmp_path / "report.xlsx"
        path.write_bytes(content)
        model = spreadsheet.ExcelModel().loads(str(path)).finish()
        cells = model.calculate(inputs={f"'[report.xlsx]INPUTS'!{cell}": value for cell, value in changed.items()})
    return {key.split("]")[1].replace("'", ""): cells[key].value[0, 0] for key in cells if "!" in str(key) and ":" not in str(key)}


def cost(rate, throughput):
    return float(formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=throughput))


@pytest.fixture
def book():
    rows = [["h200", 1.41, 90.0, cost(1.41, 90)], ["gb300", 2.65, 5970.0, cost(2.65, 5970)], ["none", None, None, None]]
    table = Sheet("table-1", "Two systems", ["accelerator", RATE, TOTAL, COST], rows)
    curve = Sheet("figure-1", "Over utilization", [USED, COST], [[u, cost(1.41, 90 * u)] for u in (0.25, 0.5, 1.0)])
    inputs = Sheet("Inputs", "What it was run with", ["name", "value"], [[RATE, 1.41], [TOTAL, 90.0]], False)
    return to_xlsx(inputs, [table, curve], made=MADE)


def test_another_program_works_out_what_the_report_says(book, tmp_path):
    cells = worked_out(book, tmp_path)
    assert cells["TABLE-1!D3"] == pytest.approx(cost(1.41, 90)) and cells["TABLE-1!D4"] == pytest.approx(cost(2.65, 5970))
    assert cells["FIGURE-1!B3"] == pytest.approx(cost(1.41, 22.5))


def test_a_cost_follows_a_price_that_a_reader_changes(book, tmp_path):
    cells = worked_out(book, tmp_path, B3=2.82)
    assert cells["FIGURE-1!B5"] == pytest.approx(cost(2.82, 90))


def test_the_same_tables_give_the_same_bytes(book):
    inputs = Sheet("Inputs", "", ["name", "value"], [], False)
    assert to_xlsx(inputs, [], made=MADE) == to_xlsx(inputs, [], made=MADE) != book


def test_numbers_that_do_not_follow_from_their_neighbours_stay_numbers():
    """A printed cost that its parts do not give must not be replaced by what they give."""
    printed = {RATE: Cells(["A3"], [1.41]), TOTAL: Cells(["B3"], [90.0]), COST: Cells(["C3"], [4.20])}
    assert live(printed, {}) == {}


def test_no_cell_rests_on_itself():
    columns = {RATE: Cells(["A3"], [3.6]), TOTAL: Cells(["B3"], [1000.0]), COST: Cells(["C3"], [1.0])}
    assert list(live(columns, {})) == [COST]


def test_a_text_that_begins_like_a_formula_is_a_text(tmp_path):
    content = to_xlsx(
        Sheet("Inputs", "", ["name", "value"], [["path", "=1+1"]], False), [Sheet("t", "", ["note"], [["=HYPERLINK(1)"]])], made=MADE
    )
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist())
