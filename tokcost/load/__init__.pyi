"""Traffic and the fleet that serves it: load profiles, waiting and replicas, plans."""

from .capacity import OperatingPoint as OperatingPoint
from .capacity import best_point as best_point
from .capacity import estimated_point as estimated_point
from .capacity import operating_point as operating_point
from .capacity import skipped_runs as skipped_runs
from .fleet_plan import Autoscaling as Autoscaling
from .fleet_plan import LoadPlan as LoadPlan
from .fleet_plan import fill_valleys as fill_valleys
from .fleet_plan import plan as plan
from .fleet_plan import plan_batch as plan_batch
from .profiles import LoadProfile as LoadProfile
from .profiles import hourly_profile as hourly_profile
from .profiles import recorded_profile as recorded_profile
from .profiles import shared_profile as shared_profile
from .queueing import erlang_c as erlang_c
from .queueing import measured_arrival_cv as measured_arrival_cv
from .queueing import replicas_needed as replicas_needed
from .recorded import Trace as Trace
from .recorded import recorded_trace as recorded_trace
from .recorded import trace as trace
from .replay import TracePlan as TracePlan
from .replay import plan_trace as plan_trace
from .replay import service_times_s as service_times_s
from .replay import waits_s as waits_s
from .traffic import profile_from_csv as profile_from_csv
from .traffic import profile_from_prometheus as profile_from_prometheus
