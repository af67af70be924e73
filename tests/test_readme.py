"""The README keeps its promises: its example prints what it says, its figure and its table are those of the notebooks."""

import contextlib
import io
import re
from pathlib import Path

import nbformat
import pytest

from tokcost.report.execution.refresh_outputs import first_figure

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_prints_what_its_comment_says():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    assert len([line for line in code.splitlines() if line.strip()]) <= 6
    said = re.search(r"print\(.*\)  # (.+)", code).group(1)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue().strip() == said


def test_the_figure_is_the_first_one_of_the_first_notebook():
    shown = re.search(r"!\[[^\]]+\]\(([^)]+)\)", README).group(1)
    assert (ROOT / shown).read_text(encoding="utf-8") == first_figure(ROOT / "notebooks" / "00-start-here.ipynb"), (
        "refresh with: make notebooks"
    )


def test_the_table_lists_every_notebook_with_its_question():
    listed = dict(re.findall(r"^\| \[\d\d\]\((notebooks/[^)]+)\) \| (.+) \|$", README, flags=re.M))
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert sorted(listed) == [f"notebooks/{n.name}" for n in notebooks]
    for notebook in notebooks:
        title = nbformat.read(notebook, as_version=4).cells[0].source.splitlines()[0].removeprefix("# ")
        assert listed[f"notebooks/{notebook.name}"] == title


def test_every_link_leads_somewhere():
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page.name}: {target}"


def test_every_definition_in_the_default_set_names_a_notebook_and_every_notebook_has_one():
    defined = {
        re.search(r'notebook = "\.\./notebooks/(.+)\.ipynb"', d.read_text(encoding="utf-8")).group(1)
        for d in (ROOT / "reports").glob("*.toml")
    }
    assert defined == {n.stem for n in (ROOT / "notebooks").glob("*.ipynb")}


#: what a stranger looks for -> a name that must lead there
MAP = {
    "cost of a GPU-hour": "capital_cost_usd_per_gpu_yr",
    "throughput at a speed": "frontier",
    "Erlang C": "erlang_c",
    "audit of a claim": "audit",
    "vLLM": "points",
}


@pytest.mark.parametrize(("sought", "function"), MAP.items())
def test_the_map_leads_to_the_file_that_defines_it(sought, function):
    (row,) = [line for line in README.splitlines() if line.startswith("| ") and sought in line and "tokcost/" in line]
    first = re.search(r"\]\((tokcost/[^)]+)\)", row).group(1)
    assert f"\ndef {function}(" in (ROOT / first).read_text(encoding="utf-8")
