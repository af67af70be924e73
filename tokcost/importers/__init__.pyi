"""Files of benchmark tools, servers, power meters and bills, read into tidy tables."""

from .billing import import_billing as import_billing
from .collect import Imported as Imported
from .collect import import_benchmarks as import_benchmarks
from .per_request import import_requests as import_requests
from .point import ImportProblem as ImportProblem
from .point import Problem as Problem
from .power import import_power as import_power
from .server import import_server_metrics as import_server_metrics
