"""Files of benchmark tools, servers, power meters and bills, read into tidy tables.

`import_benchmarks` gives operating points; `import_server_metrics`, `import_power` and `import_billing` read the
evidence next to them. Each returns `Imported`. The names are listed in `__init__.pyi`.
"""

from tokcost.namespace import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
