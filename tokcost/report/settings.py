"""What the parameters are set to, and by whom: notebook default < definition < -f file < -p, each checked strictly."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tokcost.quantities import nearest
from tokcost.report.errors import ReportError
from tokcost.report.parameters import Parameter

DEFAULT = "notebook default"
COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Layer:
    """Values from one place; `is_text` where they still have to be parsed (the command line)."""

    origin: str
    values: dict
    is_text: bool = False


@dataclass(frozen=True)
class Setting:
    """A parameter, the value that it runs with, and where that came from."""

    parameter: Parameter
    value: bool | int | float | str
    origin: str

    @property
    def changed(self) -> bool:
        return self.value != self.parameter.default


def settings(parameters: list[Parameter], layers: list[Layer]) -> list[Setting]:
    """Each parameter with its value, a later layer over an earlier one; names that no parameter has are left alone."""
    chosen = {p.name: Setting(p, p.default, DEFAULT) for p in parameters}
    for layer in layers:
        for name, raw in layer.values.items():
            if name in chosen:
                parameter = chosen[name].parameter
                try:
                    value = parameter.parse(raw) if layer.is_text else parameter.check(raw)
                except ReportError as error:
                    raise ReportError(f"{layer.origin}: {error}") from None
                chosen[name] = Setting(parameter, value, layer.origin)
    return list(chosen.values())


def require_known(layer: Layer, declared: dict[str, list[Parameter]]) -> None:
    """Refuse a name that none of the notebooks (`declared`: file name -> parameters) has: a default would run silently."""
    known = {p.name for parameters in declared.values() for p in parameters}
    for name in layer.values:
        if name not in known:
            who = f"{next(iter(declared))} has" if len(declared) == 1 else f"none of the {len(declared)} notebooks has"
            raise ReportError(f"{layer.origin}: {who} {'a' if len(declared) > 1 else 'no'} parameter `{name}`{nearest(name, known)}")


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
        values[name] = text.strip()
    return Layer(COMMAND_LINE, values, is_text=True)


def from_file(path: Path) -> Layer:
    """The layer of one `-f` file, TOML or YAML: a flat list of names and values."""
    if path.suffix not in (".toml", ".yaml", ".yml"):
        raise ReportError(f"-f {path}: a parameter file ends in .toml, .yaml or .yml")
    text = read_text(path)
    values = read_toml(path, text) if path.suffix == ".toml" else _read_yaml(path, text)
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise ReportError(f"{path} must hold lines of the form name: value")
    if "notebook" in values or isinstance(values.get("parameters"), dict):
        raise ReportError(f"-f {path} is a report definition; pass it as TARGET: tokcost report {path}")
    return Layer(path.name, values)


def neighbour(path: Path) -> str:
    """The end of an error sentence: the file beside `path` that may have been meant."""
    names = [p.name for p in path.parent.glob(f"*{path.suffix}")]
    return nearest(path.name, names) if names else ""


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReportError(f"there is no file {path}{neighbour(path)}") from None
    except UnicodeDecodeError:
        raise ReportError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror or error}") from None


def read_toml(path: Path, text: str) -> dict:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ReportError(f"{path} is not valid TOML: {error}") from None


def _read_yaml(path: Path, text: str):
    import yaml

    try:
        content = yaml.load(text, Loader=_yaml_loader())
        return {} if content is None else content
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ReportError(f"{path} line {line} is not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ReportError(f"{path} is not valid YAML: {str(error).splitlines()[0]}") from None


def _yaml_loader():
    """YAML as people mean it: `3e4` is a number, `yes`, `010`, `1:30` and dates are text, a key stands once.

    YAML 1.1, which PyYAML follows, reads these as text, true, eight, ninety and a date.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict = {}

        def construct_mapping(self, node, deep=False):
            seen = set()
            for key, _ in node.value:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"`{key.value}` is given twice", key.start_mark)
                if isinstance(key.value, str):
                    seen.add(key.value)
            return super().construct_mapping(node, deep)

    for tag, pattern, first in (
        ("bool", r"true|false|True|False", "tTfF"),
        ("int", r"[-+]?(?:0|[1-9]\d*)", "-+0123456789"),
        ("float", r"[-+]?(?:(?:0|[1-9]\d*)\.\d*|\.\d+|(?:0|[1-9]\d*)(?=[eE]))(?:[eE][-+]?\d+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
        ("null", r"~|null|", ["~", "n", ""]),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), list(first))
    return Loader
