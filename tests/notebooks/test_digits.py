"""No number in a stored output is sharper than what it rests on: measured runs three digits, what is read between them two."""

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MIME = "application/vnd.tokcost.v1+json"
_NUMBER = r"\d[\d,]*(?:\.\d+)?"


def significant(number: str) -> int:
    """Digits that are meant: zeros that fill a whole number are not."""
    plain = number.replace(",", "")
    return len(plain.replace(".", "").lstrip("0")) if "." in plain else len(plain.rstrip("0"))


def displayed(path: Path) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    data = [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]
    return [one for one in data if "image/svg+xml" not in one]


def texts(path: Path) -> list[str]:
    return ["".join(data.get("text/markdown") or data.get("text/plain") or "").replace("\\", "") for data in displayed(path)]


def typed_in(path: Path) -> set[float]:
    """Numbers of the parameter cell, and lengths of prompts and answers: nobody measured those."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    constants = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return {1024.0, 8192.0, *(value for value in constants if isinstance(value, (int, float)))}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_ratio_has_more_than_three_digits(path):
    assert [found for text in texts(path) for found in re.findall(rf"({_NUMBER})×(?!10)", text) if significant(found) > 3] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_read_between_runs_has_two_digits(path):
    said = rf"[Rr]ead (?:between runs|at the speed),? \$?({_NUMBER})|({_NUMBER})×? read (?:between runs|at the speed)"
    found = [number for text in texts(path) for pair in re.findall(said, text) for number in pair if number]
    assert [number for number in found if significant(number) > 2] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_number_of_an_answer_has_more_than_three_digits_but_what_was_typed_in(path):
    (answer,) = (data[MIME] for data in displayed(path) if data.get(MIME, {}).get("kind") == "answer")
    said = f"{answer['text']} {answer['interval']}".replace("\\", "")
    counted = r"(?:\w+ )?(?:GPUs|runs|requests)"  # things that are counted are known to the last one
    numbers = re.findall(rf"(?<![\w.,-])\$?({_NUMBER})(?![\w/-]| {counted})", said)
    assert [one for one in numbers if significant(one) > 3 and float(one.replace(",", "")) not in typed_in(path)] == []


def test_digits_are_counted_as_people_mean_them():
    assert [significant(one) for one in ("1,024", "12,000", "0.0535", "4.20", "140", "0.5")] == [4, 2, 3, 3, 2, 1]
