"""Which committed outputs moved is said with the cell numbers that a failed report uses, and that a reader can count."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

CONFTEST = Path(__file__).parents[3] / "conftest.py"


def test_cells_are_counted_as_reports_count_them(tmp_path, notebook):
    notebook(tmp_path / "a.ipynb", ("markdown", "# Q?"), ("code", "1"), ("markdown", "x"), ("code", "2"), ("code", "3"))
    specification = importlib.util.spec_from_file_location("project_conftest", CONFTEST)
    conftest = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(conftest)
    said = []
    failed = [SimpleNamespace(nodeid=f"a.ipynb::Cell {n}") for n in (2, 0)] + [SimpleNamespace(nodeid="tests/test_x.py::test_y")]
    reporter = SimpleNamespace(getreports=lambda outcome: failed, section=said.append, line=said.append)
    conftest.pytest_terminal_summary(reporter, SimpleNamespace(rootpath=tmp_path))
    assert said[1] == "a.ipynb: cells 2, 5"
