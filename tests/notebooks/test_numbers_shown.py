"""The stored outputs of all notebooks: one number of digits a column, shares in per cent everywhere, an axis' unit once."""

import re
from html import unescape
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NUMBER = re.compile(r"-?[\d,]+(?:\.\d+)?(?:×10[⁻⁰-⁹]+)?")


def outputs(path, kind: str) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [text for cell in cells for output in cell.get("outputs", []) if (text := output.get("data", {}).get(kind))]


def columns(table: str) -> list[tuple[str, list[str]]]:
    """Header and cells of each column of numbers but the first, which names the rows."""
    heads = re.findall(r'<th scope="col"([^>]*)>(.*?)</th>', table)
    rows = [re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], flags=re.S)]
    return [
        (unescape(re.sub(r"<br>.*", "", head)), [unescape(row[place]) for row in rows])
        for place, (look, head) in enumerate(heads)
        if place and "number" in look
    ]


def tables(path) -> list[str]:
    return [html for html in outputs(path, "text/html") if 'class="tokcost"' in html]


@pytest.fixture(scope="session")
def mixed(digits_of):
    """A function: whether cells that should be alike differ in their number of digits, or hold numbers and per cents."""

    def differ(cells) -> bool:
        numbers = [cell for cell in cells if NUMBER.fullmatch(cell.rstrip("%"))]
        measured = [number.rstrip("%") for number in numbers if number.strip("0.%-,")]
        if sum(number.endswith("%") for number in numbers) not in (0, len(numbers)):
            return True
        return any("." in number for number in measured) and not set.intersection(*map(digits_of, measured))

    return differ


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_column_has_one_number_of_digits_or_each_row_where_rows_are_the_quantities(path, mixed):
    for table in tables(path):
        several = [cells for _, cells in columns(table) if mixed(cells)]
        assert not [row for row in zip(*several, strict=True) if mixed(row)], re.search(r"<caption>.*?</caption>", table).group()
        assert len(several) != 1 or ">Unit" in table, (re.search(r"<caption>.*?</caption>", table).group(), several)


@pytest.fixture(scope="session")
def alike(mixed):
    """Columns of one quantity, from all tables of all notebooks."""
    found = [column for path in NOTEBOOKS for table in tables(path) for column in columns(table)]
    return [(head, cells) for head, cells in found if not mixed(cells)]


@pytest.fixture(scope="session")
def shares(alike):
    return {head for head, cells in alike if any(cell.endswith("%") for cell in cells)}


def test_what_is_a_share_in_one_table_is_in_per_cent_in_all(alike, shares):
    assert shares and not {head for head, cells in alike if head in shares and any(NUMBER.fullmatch(cell) for cell in cells)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_axis_says_its_unit_once_and_counts_shares_in_per_cent(path, shares):
    figures = outputs(path, "image/svg+xml")
    assert figures
    for figure in figures:
        texts = [unescape(text) for text in re.findall(r"<text\b[^>]*>([^<]*)</text>", figure)]
        assert not [text for text in texts if text.count("(") > 1 or re.search(r"\d %", text)]
        if shares & set(texts):
            assert any(re.fullmatch(r"[\d.]+%", text) for text in texts), shares & set(texts)
