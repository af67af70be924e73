"""How much a YAML file comes to, before it is loaded: its depth, its nodes, and what its references expand to."""

from __future__ import annotations

from tokcost.importers.point import ImportProblem

DEEPEST = 100
#: nodes of a file, each reference counted as what it refers to
MOST_NODES = 1_000_000
#: nodes that stand in the file itself: each takes a few hundred bytes
MOST_WRITTEN = 400_000


def check_yaml(text: str) -> None:
    """Refuse what would take the memory of the machine. The parser's events are looked at one by one and none is kept.

    >>> check_yaml("a: &x [1, 2]\\nb: [*x, *x]")
    >>> check_yaml("a: &x [*x]")
    Traceback (most recent call last):
    tokcost.importers.point.ImportProblem: the YAML refers to itself, so that it never ends; it is damaged
    """
    import yaml

    sizes: dict[str, int | None] = {}
    open_nodes: list[list] = [[None, 0]]
    written = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            written += 1
            open_nodes.append([event.anchor, 1])
            if event.anchor:
                sizes[event.anchor] = None
            if len(open_nodes) > DEEPEST:
                raise ImportProblem("the YAML is nested too deeply for a benchmark result; it is damaged")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
            open_nodes[-1][1] += size
            if anchor:
                sizes[anchor] = size
        elif isinstance(event, yaml.ScalarEvent):
            written += 1
            open_nodes[-1][1] += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor, 1)
            if size is None:
                raise ImportProblem("the YAML refers to itself, so that it never ends; it is damaged")
            open_nodes[-1][1] += size
        if open_nodes[-1][1] > MOST_NODES or written > MOST_WRITTEN:
            raise ImportProblem("the YAML comes to more values than any result; it was not read")
