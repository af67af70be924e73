"""How sure a figure is: inputs as distributions, an interval on every ratio, and the input that decides it.

The names are listed in `__init__.pyi`; each module loads when a name of it is first used.
"""

from tokcost.namespace import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
