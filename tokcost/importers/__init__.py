"""Files of benchmark tools, servers, power meters and bills, read into tidy tables.

`benchmarks` gives operating points; `server_metrics`, `power_logs` and `bills` read the
evidence next to them. Each returns `Imported`. The names are listed in `__init__.pyi`.
"""

from tokcost.namespace import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
