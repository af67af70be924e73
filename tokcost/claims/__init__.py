"""What was claimed in print, rebuilt from its parts: the audit of a claim, its figures, the runs that reproduce it.

The names are listed in `__init__.pyi`; each module loads when a name of it is first used.
"""

from tokcost.namespace import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
