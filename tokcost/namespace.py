"""Names that load their module when first used, listed once, in the stub next to each `__init__.py`."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import lazy_loader


def attach(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose `__init__.pyi` lists its names.

    An editor and a type checker read the same stub, so that completion and go-to-definition agree with what runs.
    An unknown name raises AttributeError with the nearest known one.
    """
    load, _, names = lazy_loader.attach_stub(package, file)

    def getattr_(name: str) -> object:
        if name not in names:
            from tokcost.errors import UnknownName
            from tokcost.quantities import nearest

            short = package.replace("tokcost", "tc", 1)
            raise UnknownName(f"`{short}` has no `{name}`{nearest(name, names)}")
        return load(name)

    return getattr_, lambda: sorted(names), names


def import_all() -> None:
    """Load every module that a notebook can reach by name, for a process that others are copied from."""
    import tokcost

    for name in dir(tokcost):
        found = getattr(tokcost, name)
        if inspect.ismodule(found):
            for inner in dir(found):
                getattr(found, inner)
