"""What `?` shows of a public name: types of its arguments, columns of its table, what it raises, an example."""

import ast
import inspect
import re
import textwrap
from importlib import import_module
from pathlib import Path

import tokcost

STUBS = sorted(Path(tokcost.__file__).parent.rglob("__init__.pyi"))


def public_functions():
    """Every function that a stub offers, once, as (module, name)."""
    found = {}
    for stub in STUBS:
        package = import_module(".".join(("tokcost", *stub.parent.relative_to(Path(tokcost.__file__).parent).parts)))
        for name in package.__all__:
            thing = getattr(package, name)
            if inspect.isfunction(thing):
                found[f"{thing.__module__}.{name}"] = thing
    return found


FUNCTIONS = public_functions()
PACKAGE = Path(tokcost.__file__).parent
FORMULAS = [
    (node.name, ast.get_docstring(node))
    for path in sorted(PACKAGE.rglob("*.py"))
    if "@formula" in (source := path.read_text(encoding="utf-8"))  # most files have none, and need no parser
    for node in ast.walk(ast.parse(source))
    if isinstance(node, ast.FunctionDef) and "formula" in [ast.unparse(mark) for mark in node.decorator_list]
]


def own(function):
    return inspect.unwrap(function)


def raises_itself(function) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(own(function))))))


def test_every_argument_and_result_has_a_type():
    for name, function in FUNCTIONS.items():
        signature = inspect.signature(own(function))
        assert signature.return_annotation is not inspect.Signature.empty, f"{name} does not say what it returns"
        untyped = [argument.name for argument in signature.parameters.values() if argument.annotation is inspect.Parameter.empty]
        assert not untyped, f"{name}: {', '.join(untyped)} without a type"


def test_a_table_names_its_columns():
    tables = {name: f for name, f in FUNCTIONS.items() if "DataFrame" in str(inspect.signature(own(f)).return_annotation)}
    assert [name for name, f in tables.items() if "Columns" not in f.__doc__] == [], "say in one line what they are, after `Columns:`"


def test_what_is_raised_is_said():
    silent = [name for name, f in FUNCTIONS.items() if raises_itself(f) and not re.search("Raises|Traceback", f.__doc__)]
    assert silent == [], "say what and when, after `Raises:`"


def test_there_is_an_example_to_check_by_hand():
    assert [name for name, f in FUNCTIONS.items() if ">>>" not in f.__doc__ and not name.rsplit(".", 1)[1].startswith("plot_")] == []


def test_a_formula_says_where_it_comes_from():
    bare = [name for name, docstring in FORMULAS if not re.search(r"\b(Source|Definition|[Ii]dentity)\b", docstring)]
    assert bare == [], "name the source, or say that it is a definition"
