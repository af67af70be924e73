"""Small notebooks and definitions to schedule, and a log that can be read."""

import json
from pathlib import Path

import pytest

PARAMETERS = """rate_usd_per_gpu_h = 1.41  # price of a GPU-hour, 0.1 to 100
accelerator = "h200"  # which one; one of: h200, gb300
"""
#: what the cell of an answer shows, as `tokcost.show` does; `{}` is the sentence
ANSWER = """bundle = {{"kind": "answer", "text": {}, "interval": "2 to 3 USD", "inputs": []}}
display({{"text/plain": "answer", "application/vnd.tokcost.v1+json": bundle}}, raw=True)"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect width="90" height="30" fill="#1b5e8a"/>'
    '<text x="9" y="20">x</text></svg>'
)
FIGURE = f'display({{"text/plain": "A bar.", "image/svg+xml": {SVG!r}}}, raw=True)'


def cell(kind: str, source: str, *tags: str) -> dict:
    made = {"cell_type": kind, "id": f"c{abs(hash((source, tags)))}", "metadata": {"tags": list(tags)}, "source": source}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


@pytest.fixture
def notebook(tmp_path):
    """Write `cost.ipynb`: a question, parameters, an answer that tells the price, a figure, and any more cells."""

    def write(*more: str, answer: str = 'f"A token costs {rate_usd_per_gpu_h} with {accelerator}."') -> Path:
        sources = [ANSWER.format(answer), FIGURE, *more]
        cells = [cell("markdown", "# What does it cost?"), cell("code", PARAMETERS, "parameters"), *(cell("code", one) for one in sources)]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        path = tmp_path / "cost.ipynb"
        path.write_text(json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}))
        return path

    return write


@pytest.fixture
def define(tmp_path, monkeypatch):
    """Write a definition of `cost.ipynb` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "ours") -> Path:
        Path(f"{name}.toml").write_text(f'notebook = "cost.ipynb"\n{text}')
        return Path(f"{name}.toml")

    return write


@pytest.fixture
def said():
    """A list, and as its `append` the function that logs to it."""
    return []
