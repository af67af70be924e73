"""Text from outside is text: a sentence that names what a file, a bill or a data table says passes it through `literal`.

What comes from outside is known by its name: the free-text columns of the data tables and of imported files, whatever says
what such a file says, and parameters that take any text. It is followed through the assignments of a notebook or a module.
"""

import ast
import json
from pathlib import Path

import pytest

from tokcost.evidence.schema import TABLES
from tokcost.importers.table import TEXT
from tokcost.quantities import LABELS
from tokcost.report.request.parameters import parse_cell

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted((ROOT / "tokcost" / "show").glob("*.py"))

COLUMNS = {name for table in TABLES.values() for name, column in table.columns.items() if column.kind in ("text", "source")} | set(TEXT)
#: columns, attributes and methods that hold words of a file; labels of the vocabulary are the project's own words
OUTSIDE = (COLUMNS | {"said", "missing", "reason", "path", "why_no_ratio"}) - (set(LABELS) - {"model"})
#: what shows a sentence
SHOWS = {"say", "answer", "check", "result", "sources", "Shown", "finish", "table"}
SHOWN_KEYWORDS = {"alt", "title", "note", "label", "interval", "caption"}
#: what makes text of a page or a number of a text: nothing from outside is left in it
SAFE = {"literal", "usd", "num", "times", "percent", "spans", "len", "sum", "int", "float", "bool", "round", "min", "max", "nunique"}


class Outside(ast.NodeVisitor):
    """The places of one source at which text from outside would be shown as markup."""

    def __init__(self, parameters=()):
        self.names, self.places = set(parameters), []

    def comes_in(self, node) -> bool:
        """Whether text from outside may be in the value of an expression."""
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Call):
            name = _name(node.func)
            if name in SAFE:
                return False
            if name in OUTSIDE or not isinstance(node.func, ast.Attribute):
                return name in OUTSIDE or (name == "str" and any(map(self.comes_in, node.args)))
            if name == "map" and _name(node.args[0]) in SAFE:
                return False
            is_own = isinstance(node.func.value, ast.Name) and node.func.value.id == "tc"  # a table, an object: what it says has a name
            return not is_own and any(map(self.comes_in, [node.func.value, *node.args]))
        if isinstance(node, ast.Attribute):
            return node.attr in OUTSIDE or self.comes_in(node.value)
        if isinstance(node, ast.Subscript):
            keys = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return any(isinstance(key, ast.Constant) and key.value in OUTSIDE for key in keys) or self.comes_in(node.value)
        if isinstance(node, ast.Compare | ast.Constant):
            return False
        if isinstance(node, ast.IfExp):
            return self.comes_in(node.body) or self.comes_in(node.orelse)
        if isinstance(node, ast.FormattedValue):
            return node.format_spec is None and self.comes_in(node.value)
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
            before = set(self.names)
            for loop in node.generators:
                if self.comes_in(loop.iter):
                    self.names |= {name.id for name in ast.walk(loop.target) if isinstance(name, ast.Name)}
            made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            found = any(map(self.comes_in, made))
            self.names = before
            return found
        return any(self.comes_in(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))

    def visit_Assign(self, node):
        self.generic_visit(node)
        targets = {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        self.names = self.names | targets if self.comes_in(node.value) else self.names - targets

    def visit_Call(self, node):
        self.generic_visit(node)
        shown = list(node.args) if _name(node.func) in SHOWS else []
        shown += [given.value for given in node.keywords if given.arg in SHOWN_KEYWORDS]
        for text in shown:
            if any(isinstance(part, ast.JoinedStr) and self.comes_in(part) for part in ast.walk(text)) or (
                isinstance(text, ast.Name) and text.id in self.names
            ):
                self.places.append(f"line {node.lineno}: {ast.unparse(text)[:120]}")


def _name(function) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def places(source: str, parameters=()) -> list[str]:
    outside = Outside(parameters)
    outside.visit(ast.parse(source))
    return outside.places


def code_and_free_parameters(path: Path) -> tuple[str, list[str]]:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    (given,) = ("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    free = [p.name for p in parse_cell(given) if isinstance(p.default, str) and not p.choices]
    others = ["".join(cell["source"]) for cell in cells if "parameters" not in cell["metadata"].get("tags", [])]
    return "\n".join(others), free


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_notebook_shows_words_from_outside_as_markup(path):
    assert places(*code_and_free_parameters(path)) == [], "pass them through tc.literal"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_shows_words_from_outside_as_markup(path):
    assert places(path.read_text(encoding="utf-8")) == [], "pass them through literal"


@pytest.mark.parametrize(
    "source",
    [
        "tc.say(f\"Your files name {own.said('model')}.\")",
        "tc.say(f\"By {row['publisher']}.\")",
        "tc.say(f\"By {table.loc[0, 'note']}.\")",
        'chip = own.said("accelerator")\nwhere = f" on {chip.upper()}"\ntc.answer(f"It costs {where}")',
        'tc.plot_curves(frame, alt=f"Cost of {run.model}", title="x")',
        'tc.sources(tc.provenance(), f"Read from {benchmark_path}.")',
        "names = [row.provider for row in rows.itertuples()]\ntc.say(f\"From {', '.join(names)}.\")",
        'tc.result("cost_ratio", 2.0, note=f"open: {beside.missing}")',
        'why = f"{rate.note}"\ntc.say(why)',
    ],
)
def test_a_word_from_outside_is_found_however_it_gets_there(source):
    assert places(source, ["benchmark_path"])


@pytest.mark.parametrize(
    "source",
    [
        "tc.say(f\"Your files name {tc.literal(own.said('model'))}.\")",
        'who = tc.literal(row["publisher"])\ntc.say(f"By {who}.")',
        "tc.say(f\"{len(own.missing)} are missing, {rows['model'].nunique()} models, {cost:.2f}\")",
        'model = "dsr1"\ntc.say(f"on {model}" if own.missing else "nothing")',
    ],
)
def test_a_literal_word_and_a_number_may_be_shown(source):
    assert not places(source)
