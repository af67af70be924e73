"""Importers: files of benchmark tools, servers, power meters and bills, read into tidy tables.

`import_benchmarks` gives operating points; `import_server_metrics`, `import_power` and
`import_billing` read the evidence beside them. Each returns `Imported`.
"""

from importlib import import_module

#: public name -> the module that it lives in; loaded when first used
_HOME = {
    "import_benchmarks": "collect",
    "import_server_metrics": "server",
    "import_power": "power",
    "import_billing": "billing",
    "Imported": "collect",
    "ImportProblem": "point",
    "Problem": "point",
}


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__} has no `{name}`; it offers {', '.join(_HOME)}")


def __dir__():
    return sorted(_HOME)
