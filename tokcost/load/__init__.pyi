"""Traffic and the fleet that serves it: load profiles, waiting and replicas, plans."""

from .capacity import OperatingPoint as OperatingPoint
from .capacity import operating_point as operating_point
from .capacity import skipped_runs as skipped_runs
from .fleet_plan import Autoscaling as Autoscaling
from .fleet_plan import LoadPlan as LoadPlan
from .fleet_plan import plan as plan
from .fleet_plan import plan_batch as plan_batch
from .profiles import LoadProfile as LoadProfile
from .profiles import hourly_profile as hourly_profile
from .profiles import named_profile as named_profile
from .queueing import erlang_c as erlang_c
from .queueing import measured_arrival_cv as measured_arrival_cv
from .queueing import replicas_needed as replicas_needed
from .traffic import profile_from_csv as profile_from_csv
from .traffic import profile_from_prometheus as profile_from_prometheus
