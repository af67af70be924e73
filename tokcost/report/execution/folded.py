"""Which code a reader of a notebook need not see: what only prepares the report, and worked solutions until they are opened."""

from __future__ import annotations

import ast

#: calls that hand something to the report, or repeat what stands elsewhere; of a figure, the code is mostly its title and its alt text
_FOR_THE_REPORT = ("answer", "result", "sources", "inputs", "plot_")
#: what only words a number that other cells work out
_WORDING = {"say", "usd", "num", "times", "cheaper", "percent", "spans", "literal", "show"}
_SOLUTION = {"source_hidden": True, "outputs_hidden": True}
_PLUMBING = {"source_hidden": True}


def fold(cells: list) -> None:
    """Set in the metadata of code cells what JupyterLab opens folded (VS Code does not read it); remove it from all others."""
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    plumbing = for_the_report([cell["source"] for cell in code])
    for cell, is_plumbing in zip(code, plumbing, strict=True):
        cell["metadata"].pop("jupyter", None)
        if "solution" in cell["metadata"].get("tags", []):
            cell["metadata"]["jupyter"] = dict(_SOLUTION)
        elif is_plumbing:
            cell["metadata"]["jupyter"] = dict(_PLUMBING)


def for_the_report(sources: list[str]) -> list[bool]:
    """Of each cell, whether it only prepares the report: it hands something over, says or sets words, or names that such cells alone read.

    >>> for_the_report(["cost = 4", "note = f'costs {cost}'", "tc.check('four', cost, 4)", "tc.result('cost', cost, note=note)"])
    [False, True, False, True]
    >>> for_the_report(["a = tc.best(4)", "tc.say(f'{tc.usd(a)} an hour')"])  # a sentence stands below its cell
    [False, True]
    """
    trees = [ast.parse(source) for source in sources]
    found = [_called_last(tree).startswith(_FOR_THE_REPORT) or _only_words(tree) for tree in trees]
    stores, loads = ([_names(tree, context) for tree in trees] for context in (ast.Store, ast.Load))
    while True:
        more = [
            known or (_only_sets(tree) and _read_only_by(found, loads, stores[place], place))
            for place, (known, tree) in enumerate(zip(found, trees, strict=True))
        ]
        if more == found:  # what a sentence alone reads may be the lesson: it stays
            return [known or _only_says(tree) for known, tree in zip(found, trees, strict=True)]
        found = more


def _called_last(tree: ast.Module) -> str:
    """The name of the function of `tc` whose result the cell shows; empty where it shows nothing of the kind."""
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Attribute):
        return last.value.func.attr
    return ""


def _only_words(tree: ast.Module) -> bool:
    """Captions, headers and column names: assignments of text, or of lists and tables of text."""
    return _only_sets(tree) and all(_is_words(line.value) for line in tree.body if isinstance(line, ast.Assign | ast.AugAssign))


def _is_words(value: ast.expr) -> bool:
    """Text, what `tc` words a number as, and lists, tables and sums of both."""
    match value:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Dict(values=parts):
            return all(map(_is_words, parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right) | ast.IfExp(body=left, orelse=right):
            return _is_words(left) and _is_words(right)
        case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part) | ast.DictComp(value=part):
            return _is_words(part)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="tc"), attr=name)):
            return name in _WORDING
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str))


def _only_says(tree: ast.Module) -> bool:
    """A sentence, of numbers that are there already."""
    of_tokcost = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "tc"}
    return _called_last(tree) == "say" and of_tokcost <= _WORDING


def _only_sets(tree: ast.Module) -> bool:
    """Plain assignments; a parameter, which has a type, is for the reader."""
    return bool(tree.body) and all(isinstance(line, ast.Assign | ast.AugAssign) for line in tree.body)


def _names(tree: ast.Module, context: type) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def _read_only_by(found: list[bool], loads: list[set[str]], names: set[str], place: int) -> bool:
    readers = [other for other, read in enumerate(loads) if other != place and names & read]
    return bool(readers) and all(found[other] for other in readers)
