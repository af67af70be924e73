"""A course from the notebooks: exercises that answer back, editions for students and teachers, slides, and curves to explore.

The names are listed in `__init__.pyi`; each module loads when a name of it is first used.
"""

from tokcost.namespace import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
