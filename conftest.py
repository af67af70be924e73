"""For all tests: property tests without a stopwatch; and which committed notebook outputs moved, with the command that renews them."""

import gc
import json
import os
import pathlib
import re

import hypothesis
import pytest

gc.disable()  # until every test is found: what is imported stays to the end

# Time belongs to benchmarks. In CI the same examples every time: a red build must be red again.
hypothesis.settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("suite")


@pytest.fixture(autouse=True, scope="session")
def as_in_a_notebook(doctest_namespace):
    """Examples in docstrings have `import tokcost as tc` behind them, as every notebook has."""
    import tokcost

    doctest_namespace["tc"] = tokcost


def pytest_collection_modifyitems(items):
    """Kernels of notebooks are copies of a process that has their imports done, where the system can."""
    if any(re.search(r"\.ipynb::", item.nodeid) for item in items):
        from tokcost.report.execution.provisioner import WarmProvisioner, warm_by_default

        warm_by_default()
        WarmProvisioner.waits = True  # a first kernel that does not would import everything once more


def pytest_collection_finish():
    """The collector of garbage need not go through what was imported, nor look often: it took a sixth of a worker's time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def no_answers_in_the_checkout(pytestconfig):
    """Tests hand in answers elsewhere: a score sheet that comes to lie here was written by one that runs a notebook."""
    places = [pytestconfig.rootpath / folder / "score-sheet.csv" for folder in (".", "notebooks")]
    before = [place.exists() and place.read_bytes() for place in places]
    yield
    assert [place.exists() and place.read_bytes() for place in places] == before, "a test wrote a score sheet into the checkout"


def place(notebook: pathlib.Path, code_cell: int) -> int:
    """Where the code cell that nbval calls `code_cell` (code cells from 0) stands among all cells from 1, as reports count."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [number for number, cell in enumerate(cells, 1) if cell["cell_type"] == "code"][code_cell]


def pytest_terminal_summary(terminalreporter, config):
    moved: dict[str, list[int]] = {}
    for report in terminalreporter.getreports("failed"):
        found = re.match(r"(.+\.ipynb)::Cell (\d+)", report.nodeid)
        if found:
            moved.setdefault(found[1], []).append(place(config.rootpath / found[1], int(found[2])))
    if moved:
        terminalreporter.section("committed notebook outputs that moved")
        for notebook, cells in sorted(moved.items()):
            terminalreporter.line(f"{notebook}: {'cell' if len(cells) == 1 else 'cells'} {', '.join(map(str, sorted(cells)))}")
        terminalreporter.line("If the change is meant: make notebooks, read the diff, and name what moved under Numbers in CHANGELOG.md.")
