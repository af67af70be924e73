"""Files of benchmark tools, servers, power meters and bills, read into tidy tables."""

from .billing import bills as bills
from .collect import Imported as Imported
from .collect import benchmarks as benchmarks
from .per_request import requests as requests
from .point import ImportProblem as ImportProblem
from .point import Problem as Problem
from .power import power_logs as power_logs
from .server import server_metrics as server_metrics
