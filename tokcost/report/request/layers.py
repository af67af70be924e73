"""Where values of a request come from: the command line, and files in TOML or YAML."""

from __future__ import annotations

import re
from pathlib import Path

from tokcost.parameters.settings import Layer, Written
from tokcost.report.errors import ReportError
from tokcost.report.request.reading import read_text, read_toml

COMMAND_LINE = "command line"


def from_command_line(pairs: tuple[str, ...]) -> Layer:
    """The layer of all `-p name=value`."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip()
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ReportError(f"-p {pair!r} is not name=value; for example: -p rate_usd_per_gpu_h=3.2")
        if name in values:
            raise ReportError(f"-p `{name}` is given twice ({values[name]} and {text.strip()}); keep one")
        values[name] = Written(text.strip())
    return Layer(COMMAND_LINE, values)


def from_file(path: Path) -> Layer:
    """The layer of one `-f` file, TOML or YAML: a flat list of names and values."""
    if path.suffix not in (".toml", ".yaml", ".yml"):
        raise ReportError(f"-f {path}: a parameter file ends in .toml, .yaml or .yml")
    values = read_toml(path) if path.suffix == ".toml" else _read_yaml(path)
    if "notebook" in values or isinstance(values.get("parameters"), dict):
        raise ReportError(f"-f {path} is a report definition; pass it as TARGET: tokcost report {path}")
    return Layer(path.name, values)


def _read_yaml(path: Path) -> dict:
    """The names and values of a YAML file, none of them guessed at.

    What stands bare is parsed as on the command line: YAML 1.1 would read `yes` as true, `010` as eight, `1:30` as ninety, and
    `3e4` as text.
    """
    import yaml

    text = read_text(path)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ReportError(f"{path} line {line} is not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ReportError(f"{path} is not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ReportError(f"{path} is not valid YAML: it is nested too deep") from None
    values: dict = {}
    pairs = root.value if isinstance(root, yaml.MappingNode) else [] if root is None else [(root, root)]
    for key, value in pairs:
        if not isinstance(root, yaml.MappingNode) or not isinstance(key, yaml.ScalarNode):
            raise ReportError(f"{path} must hold lines of the form name: value")
        if key.value in values:
            raise ReportError(f"{path} line {key.start_mark.line + 1} is not valid YAML: `{key.value}` is given twice")
        values[key.value] = _yaml_value(path, value)
    return values


def _yaml_value(path: Path, node):
    """A scalar as it was written, with its quotes where it had some; anything else only as what it is."""
    if node.id != "scalar":
        return [] if node.id == "sequence" else {}
    if node.tag.rpartition(":")[2] not in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value"):
        raise ReportError(f"{path} line {node.start_mark.line + 1}: `{node.tag}` is no kind of value; write a number, text, true or false")
    if node.style is not None:
        return node.value
    return None if node.value in ("", "~", "null") else Written(node.value)
