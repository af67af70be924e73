"""The house is built like the formula: imports go one way, modules stay small, the project speaks of itself alone."""

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "tokcost").rglob("*.py"))

#: layer -> the layers of tokcost that it may import
MAY_IMPORT = {
    "namespace": {"errors", "quantities"},
    "errors": set(),
    "quantities": {"errors", "labels"},
    "spreadsheet": set(),
    "paths": {"errors"},
    "formulas": {"quantities"},
    "evidence": {"quantities", "labels", "paths", "spreadsheet"},
    "importers": {"quantities", "spreadsheet"},
    "parameters": {"errors", "quantities", "paths"},
    "labels": {"errors", "paths"},
    "workbook": {"quantities", "formulas"},
    "glossary": {"errors", "quantities", "paths"},
    "show": {"errors", "quantities", "labels", "parameters"},
    "hour": {"quantities", "formulas", "evidence"},
    "serving": {"quantities", "formulas", "evidence"},
    "load": {"quantities", "formulas", "evidence", "importers", "serving"},
    "renew": {"quantities", "labels", "paths", "evidence", "importers", "doubt", "serving", "spreadsheet"},
    "doubt": {"quantities", "formulas", "evidence", "hour", "serving", "load"},
    "claims": {"quantities", "labels", "formulas", "evidence", "serving"},
    "decide": {"quantities", "labels", "formulas", "evidence", "hour", "serving", "load", "doubt"},
    "analysis": {"quantities", "labels", "formulas", "evidence", "importers", "hour", "serving", "load", "doubt", "paths"},
    "report": {
        "errors",
        "quantities",
        "parameters",
        "paths",
        "show.style",
        "show.numbers",
        "show.rows",
        "show.text",
        "spreadsheet",
        "workbook",
        "glossary",
        "labels",
    },
    "schedule": {"errors", "quantities", "parameters", "report", "show.text"},
    "teaching": {"errors", "quantities", "paths", "parameters.hints", "spreadsheet", "show", "decide"},
    "workspace": {"paths"},
    "cli": {"quantities", "report", "workspace", "schedule", "renew"},
}


#: room of `report/` -> the rooms whose modules it may import; errors and the choice of data belong to all
ROOMS = {
    "request": {"request"},
    "execution": {"request", "execution"},
    "memory": {"request", "execution", "memory"},
    "page": {"request", "execution", "memory", "page"},
}


def layer(path: Path) -> str:
    return path.relative_to(ROOT / "tokcost").parts[0].removesuffix(".py")


#: an `__init__` only offers the names of its stub
OFFERS = {"namespace"}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tokcost"):
            names = [node.module] if node.module != "tokcost" else [f"tokcost.{alias.name}" for alias in node.names]
            found.update(name.removeprefix("tokcost.") for name in names)
        elif isinstance(node, ast.Import):
            found.update(alias.name.removeprefix("tokcost.") for alias in node.names if alias.name.startswith("tokcost."))
    return found


def test_imports_go_one_way():
    for path in MODULES:
        here = layer(path)
        assert here in MAY_IMPORT or here == "__init__", f"{path} belongs to no layer"
        allowed = MAY_IMPORT.get(here, set()) | OFFERS
        for name in imported(path):
            assert name.split(".")[0] in {here, "__version__"} | allowed or name in allowed, f"{path} imports tokcost.{name}"


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_asked_knows_nothing_of_running_it_and_running_nothing_of_the_page(room):
    for path in (ROOT / "tokcost" / "report" / room).glob("*.py"):
        for name in imported(path):
            if name.startswith("report."):
                assert name.split(".")[1] in ROOMS[room] | {"errors", "data_directory"}, f"{path} imports tokcost.{name}"


def test_modules_stay_small_and_say_what_they_are():
    texts = {path: path.read_text(encoding="utf-8") for path in MODULES}
    assert [path for path, text in texts.items() if len(text.splitlines()) > 350] == []
    assert [path for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))] == []


def test_formulas_convert_by_named_constants_only():
    """3600 and powers of a thousand in a formula are where the published mistakes came from."""
    found = []
    for path in MODULES:
        if layer(path) in ("formulas", "hour", "serving", "load", "doubt", "claims", "decide", "analysis"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
                    numbers = [side.value for side in (node.left, node.right) if isinstance(side, ast.Constant)]
                    found += [f"{path}:{node.lineno}" for number in numbers if number in (3600, 8760, 1000, 1e6, 1e9, 1e12)]
    assert found == []


def test_import_stays_light():
    """`import tokcost` loads no plotting, no data frames, no notebook machinery."""
    heavy = "matplotlib pandas scipy papermill nbconvert seaborn".split()
    code = f"import sys, tokcost; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


TOPICS = sorted(stub.parent.name for stub in (ROOT / "tokcost").glob("*/__init__.pyi"))


@pytest.mark.parametrize("topic", ["", *TOPICS])
def test_every_public_name_leads_to_something_with_a_docstring(topic):
    """The stub that an editor reads and what runs are one list: a name in it that no module has fails here."""
    package = import_module(f"tokcost.{topic}".rstrip("."))
    for name in dir(package):
        assert getattr(package, name).__doc__, f"{package.__name__}.{name}"


def test_every_name_that_a_notebook_calls_is_in_a_stub():
    """`tc.hour.power` would run (importing a module makes it an attribute), but no editor would know it."""
    import tokcost

    called = set()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            source = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
            called.update((notebook.name, *match) for match in re.findall(r"\btc\.(\w+)(?:\.(\w+))?", source))
    for name, first, second in sorted(called):
        assert first in dir(tokcost), f"{name}: tc.{first} is in no stub"
        if first in TOPICS and second:
            assert second in dir(getattr(tokcost, first)), f"{name}: tc.{first}.{second} is in no stub"


def test_the_flat_names_fit_a_screen():
    import tokcost

    assert len(dir(tokcost)) <= 60


def test_an_unknown_public_name_is_answered_with_the_nearest():
    import tokcost

    with pytest.raises(AttributeError, match="did you mean `total_token_cost_usd_per_mtok`"):
        tokcost.total_token_cost_usd_per_mtk  # noqa: B018


def test_the_project_names_no_machine_and_no_package_index():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    home = re.compile(r"/(?:home|root|Users|work)/[\w.]+|(?:pypi|pythonhosted|npmjs)\.(?:org|com)")
    for name in tracked:
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".yml", ".ipynb", ".lock", ".csv", ".cff", ""}
            and path.is_file()
            and path != Path(__file__)
        ):
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not home.search(text), f"{name}: {home.search(text).group()}"


def test_the_table_of_rooms_says_what_the_arrows_are():
    said = {}
    for room, cell in re.findall(r"^\| `tokcost/(\w+)(?:\.py|/)`.*\| ([^|]+) \|$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M):
        said[room] = set(cell.split(", ")) - {"–"}
    assert said == MAY_IMPORT
