"""What `?` shows of a public name: types of its arguments, columns of its table, what it raises, an example."""

import ast
import inspect
import re
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

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
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and "formula" in [ast.unparse(mark) for mark in node.decorator_list]
]


def own(function):
    return inspect.unwrap(function)


def raises_itself(function) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(own(function))))))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_and_result_has_a_type(name):
    signature = inspect.signature(own(FUNCTIONS[name]))
    assert signature.return_annotation is not inspect.Signature.empty, f"{name} does not say what it returns"
    untyped = [argument.name for argument in signature.parameters.values() if argument.annotation is inspect.Parameter.empty]
    assert not untyped, f"{name}: {', '.join(untyped)} without a type"


@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if "DataFrame" in str(inspect.signature(own(f)).return_annotation)])
def test_a_table_names_its_columns(name):
    assert "Columns" in FUNCTIONS[name].__doc__, f"{name} returns a table; say in one line what its columns are, after `Columns:`"


@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if raises_itself(f)])
def test_what_is_raised_is_said(name):
    assert "Raises" in FUNCTIONS[name].__doc__ or "Traceback" in FUNCTIONS[name].__doc__, (
        f"{name} raises; say what and when, after `Raises:`"
    )


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not name.rsplit(".", 1)[1].startswith("plot_")])
def test_there_is_an_example_to_check_by_hand(name):
    assert ">>>" in FUNCTIONS[name].__doc__, f"{name} has no example"


@pytest.mark.parametrize(("name", "docstring"), FORMULAS, ids=[name for name, _ in FORMULAS])
def test_a_formula_says_where_it_comes_from(name, docstring):
    assert re.search(r"\b(Source|Definition|[Ii]dentity)\b", docstring), f"{name}: name the source, or say that it is a definition"
