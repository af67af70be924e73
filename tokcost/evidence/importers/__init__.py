"""Importers: files of benchmark tools, servers, power meters and bills, read into tidy tables.

`import_benchmarks` gives operating points; `import_server_metrics`, `import_power` and
`import_billing` read the evidence beside them. Each returns `Imported`.
"""

from tokcost.evidence.importers.billing import import_billing
from tokcost.evidence.importers.collect import Imported, import_benchmarks
from tokcost.evidence.importers.point import ImportProblem, Problem
from tokcost.evidence.importers.power import import_power
from tokcost.evidence.importers.server import import_server_metrics

__all__ = ["ImportProblem", "Imported", "Problem", "import_benchmarks", "import_billing", "import_power", "import_server_metrics"]
