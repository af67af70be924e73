"""Text from outside is text: a sentence that names what a file, a bill or a data table says passes it through `literal`.

What comes from outside is known by its name: the free-text columns of the data tables and of imported files, whatever says
what such a file says, and parameters that take any text. It is followed through the assignments, comprehensions, loops and
functions of a notebook or a module. Not seen is a word that is taken by its place: `row.iloc[2]`, a whole row made a text.
"""

import ast
import json
import re
from pathlib import Path

import pytest

from tokcost.evidence.schema import TABLES
from tokcost.importers.table import TEXT
from tokcost.parameters.declaration import parse_cell
from tokcost.quantities import LABELS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted((ROOT / "tokcost" / "show").glob("*.py"))

COLUMNS = {name for table in TABLES.values() for name, column in table.columns.items() if column.kind in ("text", "source")} | set(TEXT)
#: columns and attributes that hold words of a file; labels of the vocabulary are the project's own words
OUTSIDE = (COLUMNS | {"value", "missing", "differs", "rival", "reason", "path"}) - (set(LABELS) - {"model"})
#: methods and functions that say what a file says
SAYS = {"label", "label_of"}
#: what shows a sentence, and which of its arguments are sentences; a table escapes its own cells
FIRST, SECOND = slice(1), slice(1, 2)
SHOWS = {"say": FIRST, "answer": FIRST, "check": FIRST, "Shown": FIRST, "finish": SECOND, "table": SECOND, "sources": slice(1, None)}
SHOWS["worked"] = slice(2, None)
SHOWN_KEYWORDS = {"alt", "title", "note", "label", "interval", "caption", "missing", "claim", "text", "decision", "detail"}
#: what makes text of a page or a number of a text: nothing from outside is left in it
SAFE = {"literal", "usd", "num", "times", "percent", "spans", "len", "int", "float", "bool", "round", "count", "nunique"}
SAFE |= {"contains", "startswith", "endswith", "isin", "isna", "notna", "eq", "ne"}
#: what hands a text on; whatever else the package returns, its words from outside have a name
PASSES = {"inline", "visible", "shown", "plain"}
#: methods that take a column by its name and keep its words
BY_NAME = {"get", "getattr", "pop", "set_index", "groupby", "pivot", "filter", "xs"}
#: methods that put what they are given into their object
ADDS = {"append", "extend", "insert", "add", "update", "setdefault"}
#: a format that a text refuses: what it shows is a number
NUMBER_FORMAT = re.compile(r".*[,_bcdeEfFgGnoxX%]")


class Outside(ast.NodeVisitor):
    """The places of one source at which text from outside would be shown as markup."""

    def __init__(self, source, parameters=(), own=frozenset()):
        self.tree, self.names, self.columns, self.places = ast.parse(source), set(parameters), OUTSIDE - own, []
        self.words = {}  # the columns that a name stands for: shown = ["title", "note"]
        self.made = set()  # names of dictionaries that were made here, of values that are no words from outside
        self.ever = set()  # names that hold such words anywhere: a function may be called there
        self.functions = {node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)}
        self.given, self.returning = {name: set() for name in self.functions}, set()

    def found(self) -> list[str]:
        """Every place; functions are read again until nothing new is given to them or comes out of them."""
        start, known = set(self.names), None
        while known != (known := repr(list(map(len, [self.ever, self.returning, self.columns, *self.given.values()])))):
            self.names, self.places = set(start), []
            self.visit(self.tree)
        return self.places

    def comes_in(self, node) -> bool:
        """Whether text from outside may be in the value of an expression."""
        match node:
            case ast.Name():
                return node.id in self.names
            case ast.Compare() | ast.Constant():
                return False
            case ast.Call():
                return self.is_returned(node)
            case ast.Attribute():
                return node.attr in self.columns or self.comes_in(node.value)
            case ast.Subscript(value=ast.Name(id=name)) if name in self.made:
                return False
            case ast.Subscript():
                return bool(self.columns & self.named(node.slice)) or self.comes_in(node.value)
            case ast.IfExp():
                return self.comes_in(node.body) or self.comes_in(node.orelse)
            case ast.FormattedValue():
                spec = ast.unparse(node.format_spec)[2:-1] if node.format_spec else ""
                return not NUMBER_FORMAT.fullmatch(spec) and self.comes_in(node.value)
            case ast.Lambda():
                return self.comes_in(node.body)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                before = set(self.names), dict(self.words)
                for loop in node.generators:
                    self.put(loop.target, loop.iter)
                made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                found = any(map(self.comes_in, made))
                self.names, self.words = before
                return found
        return any(self.comes_in(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))

    def is_returned(self, call) -> bool:
        """Whether text from outside may be in what a call returns."""
        name, function = _name(call.func), call.func
        arguments = [*call.args, *(given.value for given in call.keywords)]
        if name in SAFE:
            return False
        if name in ("map", "agg", "apply") and call.args:
            each = call.args[0]
            if _name(each) in SAFE:
                return False
            if isinstance(each, ast.Lambda) and isinstance(function, ast.Attribute):
                return self.makes(each, self.comes_in(function.value))
        if isinstance(function, ast.Name) and name in self.functions:
            return name in self.returning
        if ast.unparse(function).startswith("tc.") and name not in PASSES:
            return False
        if name in SAYS or isinstance(function, ast.Attribute) and (name in self.columns or self.comes_in(function.value)):
            return True
        if name in BY_NAME and any(self.columns & self.named(given) for given in arguments):
            return True
        if name == "assign":  # its columns are known by their names from here on
            return any(map(self.comes_in, call.args))
        return any(map(self.comes_in, arguments))

    def makes(self, each: ast.Lambda, is_given: bool) -> bool:
        """Whether text from outside may be in what a small function makes of what it is given."""
        before, taken = set(self.names), {given.arg for given in each.args.args}
        self.names = self.names | taken if is_given else self.names - taken
        found = self.comes_in(each.body)
        self.names = before
        return found

    def named(self, node) -> set[str]:
        """The columns that an expression names: a text, a list of texts, a name for either."""
        match node:
            case ast.Constant(value=str()):
                return {node.value}
            case ast.Name():
                return self.words.get(node.id, set())
            case ast.Tuple() | ast.List():
                return set().union(*map(self.named, node.elts))
            case ast.Starred() | ast.NamedExpr():
                return self.named(node.value)
            case ast.BinOp():
                return self.named(node.left) | self.named(node.right)
        return set()

    def put(self, target, value, *, is_added=False):
        """What an assignment, a loop or a method makes of its targets."""
        comes_in = self.comes_in(value)
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                self.put(one, its)
        elif isinstance(target, ast.Subscript):
            if comes_in and (keys := self.named(target.slice)):
                self.columns |= keys
            elif comes_in:
                self.put(target.value, value, is_added=True)
        else:
            names = {name.id for name in ast.walk(target) if isinstance(name, ast.Name)}
            self.names = self.names | names if comes_in else self.names if is_added else self.names - names
            self.ever |= names if comes_in else set()
            self.made = self.made | names if not comes_in and isinstance(value, ast.Dict | ast.DictComp) else self.made - names
            for name in names:
                self.words[name] = self.named(value) | (self.words.get(name, set()) if is_added else set())

    def visit_Assign(self, node):
        self.generic_visit(node)
        for target in node.targets:
            self.put(target, node.value)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        self.put(node.target, node.value, is_added=True)

    def visit_NamedExpr(self, node):
        self.generic_visit(node)
        self.put(node.target, node.value)

    def visit_For(self, node):
        before = set(self.names)
        for _ in range(2):  # what one round leaves, the next one finds
            self.put(node.target, node.iter)
            self.generic_visit(node)
            self.names |= before

    def visit_If(self, node):
        self.visit(node.test)
        before, after = set(self.names), set()
        for branch in (node.body, node.orelse):
            self.names = set(before)
            for statement in branch:
                self.visit(statement)
            after |= self.names
        self.names = after

    def visit_comprehension_of(self, node):
        before = set(self.names), dict(self.words)
        for loop in node.generators:
            self.put(loop.target, loop.iter)
        self.generic_visit(node)
        self.names, self.words = before

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_of

    def visit_FunctionDef(self, node):
        before = set(self.names)
        self.names = ((self.names | self.ever) - {given.arg for given in node.args.args + node.args.kwonlyargs}) | self.given[node.name]
        self.generic_visit(node)
        returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value]
        self.returning |= {node.name} if any(map(self.comes_in, returned)) else set()
        self.names = before

    def visit_Call(self, node):
        self.generic_visit(node)
        name, keywords = _name(node.func), {given.arg: given.value for given in node.keywords}
        if name in self.functions:
            places = [given.arg for given in self.functions[name].args.args]
            handed = dict(zip(places, node.args, strict=False)) | keywords
            self.given[name] |= {place for place, value in handed.items() if self.comes_in(value)}
        if name == "assign":
            self.columns |= {column for column, value in keywords.items() if self.comes_in(value)}
        if name == "rename" and isinstance(keywords.get("columns"), ast.Dict):
            renamed = zip(keywords["columns"].keys, keywords["columns"].values, strict=True)
            self.columns |= set().union(*(self.named(new) for old, new in renamed if self.columns & self.named(old)))
        if name in ADDS and isinstance(node.func, ast.Attribute):
            for given in node.args:
                self.put(node.func.value, given, is_added=True)
        shown = node.args[SHOWS[name]] if name in SHOWS else []
        if name != "assign":
            shown += [value for key, value in keywords.items() if key in SHOWN_KEYWORDS]
        self.places += [f"line {node.lineno}: {ast.unparse(text)[:120]}" for text in shown if self.comes_in(text)]


def _name(function) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def places(source: str, parameters=(), own=frozenset()) -> list[str]:
    return Outside(source, parameters, own).found()


def code_and_free_parameters(path: Path) -> tuple[str, list[str]]:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    (given,) = ("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    free = [p.name for p in parse_cell(given) if isinstance(p.default, str) and not p.choices]
    others = ["".join(cell["source"]) for cell in cells if "parameters" not in cell["metadata"].get("tags", [])]
    return "\n".join(others), free


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_notebook_shows_words_from_outside_as_markup(path):
    assert places(*code_and_free_parameters(path)) == [], "pass them through tc.literal"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_without_one_of_its_literals_is_found(path):
    source, free = code_and_free_parameters(path)
    before, *after = source.split("tc.literal")
    for n in range(len(after)):
        others = "tc.literal".join([before, *after[:n]]), "tc.literal".join(after[n:])
        assert places("str".join(others), free), f"literal number {n + 1} is not needed, or its lack is not seen"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_shows_words_from_outside_as_markup(path):
    source = path.read_text(encoding="utf-8")
    own = {"name", "value", "label"}  # there, of a quantity and of a result
    assert places(source, own=own) == [], "pass them through literal"


#: what a reader of a notebook may write: one word from outside each, shown as it came
FOUND = """
tc.say(f"Your files name {own.label('model')}.")
tc.say(f"By {row['publisher']}.")
tc.say(f"By {table.loc[0, 'note']}.")
tc.say("By " + rows.iloc[0]["title"])
tc.say(rates["h200"].note)
tc.say(f"{own.label('model'):>20}")
tc.say(f"It ran on {tc.inline(own.label('accelerator'))}.")
tc.say("; ".join(sorted(rows["provider"].unique())))
tc.say(f"First of all: {rows['title'].min()}.")
tc.say(", ".join(map(str.title, rows["provider"])))
tc.say("It costs {}".format(rows["note"].iloc[0]))
tc.say(rows["note"].agg("; ".join))
tc.say(", ".join(rows["title"].map(lambda title: f"*{title}*")))
tc.say(getattr(row, "note"))
tc.say(f"Missing: {', '.join(known.loc[is_open, 'value'])}.")
chip = own.label("accelerator"); where = f" on {chip.upper()}"; tc.answer(f"It costs {where}")
tc.plot_curves(frame, alt=f"Cost of {run.model}", title="x")
tc.plot_curves(frame, alt="x", title=title_of["all"] + row["title"])
tc.sources(tc.provenance(), f"Read from {benchmark_path}.")
tc.result("cost_ratio", 2.0, note=f"open: {beside.missing}")
tc.answer("It is.", decision=f"Ask {row['provider']} first.")
tc.answer("It is.", decision="Ask.", detail=f"As {row['provider']} says.")
tc.teaching.worked("01-1", 2.0, f"{rows['title'].iloc[0]}.")
tc.result("cost_ratio", 2.0, label=f"{found.rival} over yours")
caption = f"As printed. {claim['title'].iloc[0]}"; tc.table(frame, caption)
tc.table(frame, caption=rows["note"].iloc[0])
why = f"{rate.note}"; tc.say(why)
why = {"not comparable": found.differs}.get(status, "fine"); tc.say(why)
words = {"priced": "yes", "not priced": f"no: {found.missing}"}[status]; tc.say(words)
notes = {name: rate.note for name, rate in rates.items()}; tc.say(notes["h200"])
names = [row.provider for row in rows.itertuples()]; tc.say(f"From {', '.join(names)}.")
first, last = rows["provider"].iloc[[0, -1]]; tc.say(f"{first} to {last}")
which = "title"; tc.say(f"{rows[which].iloc[0]}")
shown = ["title", "note"]; title, note = rows[shown].iloc[0]; tc.say(title)
by = rows.set_index("provider")["value"].index[0]; tc.say(by)
rows = rows.rename(columns={"title": "heading"}); tc.say(rows.iloc[0]["heading"])
rows = rows.assign(named=rows["provider"].str.upper()); tc.say(rows.iloc[0]["named"])
chip = label_of("accelerator", accelerator); tc.say(f"On {chip}.")
rows["named"] = rows["accelerator"] + rows["model"]; tc.say(rows.iloc[0]["named"])
said = "By"; said += row["publisher"]; tc.say(said)
lines = []; lines.append(rate.note); tc.say("; ".join(lines))
lines = {}; lines[name] = rate.note; tc.say(lines[name])
""".strip().splitlines()
FOUND += [
    "for row in rows.itertuples():\n    lines = row.note\ntc.say(lines)",
    "for title, n in rows['title'].value_counts().items():\n    last = title\ntc.say(last)",
    "for column in ['title']:\n    word = row[column]\ntc.say(word)",
    "if is_open:\n    why = rate.note\nelse:\n    why = 'nothing'\ntc.say(why)",
    "def said(name):\n    return tc.say(f'{name}: {rates[name].note}')",
    "def said(name, why):\n    return tc.say(f'{name}: {why}')\nsaid('h200', rates['h200'].note)",
    "def said(why):\n    return tc.say(why)\nsaid(why=rate.note)",
    "def why(name):\n    return rates[name].note\ntc.say(why('h200'))",
    "def said():\n    return tc.say(why)\nwhy = rate.note\nsaid()",
]


@pytest.mark.parametrize("source", FOUND)
def test_a_word_from_outside_is_found_however_it_gets_there(source):
    assert places(source, ["benchmark_path"])


@pytest.mark.parametrize("source", [source for source in FOUND if "def " not in source])
def test_the_same_word_may_be_shown_once_it_is_literal(source):
    *before, shown = ast.parse(source).body
    for call in ast.walk(shown):
        if isinstance(call, ast.Call) and _name(call.func) in SHOWS:
            call.args[SHOWS[_name(call.func)]] = [_literal(given) for given in call.args[SHOWS[_name(call.func)]]]
        for given in getattr(call, "keywords", []):
            given.value = _literal(given.value)
    assert not places(ast.unparse(ast.Module([*before, shown], [])), ["benchmark_path"])


def _literal(text):
    return ast.Call(ast.Name("literal"), [text], [])


@pytest.mark.parametrize(
    "source",
    [
        'who = tc.literal(row["publisher"])\ntc.say(f"By {who}.")',
        'first, last = rows["provider"].iloc[[0, -1]].map(tc.literal)\ntc.say(f"{first} to {last}")',
        "tc.say(f\"{len(own.missing)} are missing, {rows['model'].nunique()} models, {cost:.2f}\")",
        "n_at = rows['boundary'].value_counts()\ntc.say(f\"{n_at['chip']:,} boards, {rows['value'].sum():g}, {tc.usd(row['value'])}\")",
        'model = "dsr1"\ntc.say(f"on {model}" if own.missing else "nothing")',
        "why = rate.note\nwhy = 'nothing'\ntc.say(why)",
        "tc.say(f\"{rows['accelerator'].iloc[0].upper()} at {rows['price_basis'].iloc[0]}\")",
        "is_warned = rows['note'].str.contains('warning')\ntc.say(f'{is_warned.sum()} runs')",
        "tc.table(rows[['title', 'note']], 'As printed', labels={'note': 'Why'})",
        "def said(why):\n    return tc.say(why)\nsaid(tc.literal(rate.note))",
    ],
)
def test_a_literal_word_a_number_and_a_label_may_be_shown(source):
    assert not places(source)
