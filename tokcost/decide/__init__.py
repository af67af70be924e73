"""What follows from a cost per token: margin, a cluster's bill, own or rent or call an API.

The names are listed in `__init__.pyi`; each module loads when a name of it is first used.
"""

from tokcost.namespace import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
