"""Small notebooks, and the command as users type it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

PARAMETERS = """rate_usd_per_gpu_h = 1.41  # price of a GPU-hour, 0.1 to 100
utilization_frac = 0.45  # share of the hour that delivers tokens, 0.05 to 1
osl = 1024  # answer tokens per request, 1 to 100,000
accelerator = "h200"  # which one; one of: h200, gb300
use_mtp = False  # speculative decoding
"""


def write(path: Path, *cells) -> Path:
    """A notebook of (kind, source, tags...) cells, written as plain JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = []
    for number, (kind, source, *tags) in enumerate(cells):
        cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {"tags": tags}, "source": source}
        made.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.write_text(json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def shown(data: dict, **plain) -> str:
    """The source of a cell that displays a bundle for the report, as `tokcost.show` does."""
    bundle = {"text/plain": data["kind"], "application/vnd.tokcost.v1+json": data, **plain}
    return f"display({bundle!r}, raw=True)"


@pytest.fixture(scope="session")
def notebook():
    return write


@pytest.fixture(scope="session")
def bundle():
    return shown


@pytest.fixture(scope="session")
def parameters_source():
    return PARAMETERS


@pytest.fixture
def ask(tmp_path, monkeypatch, notebook, parameters_source):
    """Run `tokcost report` in this process, for requests that must stop before anything runs."""
    from click.testing import CliRunner

    from tokcost.report.command import report

    monkeypatch.chdir(tmp_path)
    notebook(tmp_path / "notebooks" / "01-cost.ipynb", ("markdown", "# Q?"), ("code", parameters_source, "parameters"))

    def run(*arguments):
        done = CliRunner().invoke(report, [str(a) for a in arguments], catch_exceptions=False)
        return SimpleNamespace(status=done.exit_code, out=done.stdout, err=done.stderr)

    return run
