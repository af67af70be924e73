"""What the parameters are set to, and by whom: a later place wins over an earlier one, and each value is checked strictly."""

from __future__ import annotations

from dataclasses import dataclass

from tokcost.errors import InputError
from tokcost.parameters.declaration import Parameter
from tokcost.quantities import nearest

DEFAULT = "notebook default"


class Written(str):
    """A value as somebody wrote it, still to be parsed as its parameter asks: on the command line, or bare in YAML."""


@dataclass(frozen=True)
class Layer:
    """Values from one place."""

    origin: str
    values: dict


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
                    value = parameter.parse(raw) if isinstance(raw, Written) else parameter.check(raw)
                except InputError as error:
                    raise InputError(f"{layer.origin}: {error}") from None
                chosen[name] = Setting(parameter, value, layer.origin)
    return list(chosen.values())


def require_known(layer: Layer, declared: dict[str, list[Parameter]]) -> None:
    """Refuse a name that none of the notebooks (`declared`: file name -> parameters) has: a default would run silently."""
    known = {p.name for parameters in declared.values() for p in parameters}
    for name in layer.values:
        if name not in known:
            who = f"{next(iter(declared))} has" if len(declared) == 1 else f"none of the {len(declared)} notebooks has"
            raise InputError(f"{layer.origin}: {who} {'a' if len(declared) > 1 else 'no'} parameter `{name}`{nearest(name, known)}")
