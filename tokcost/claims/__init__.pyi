"""What was claimed in print, rebuilt from its parts: the audit of a claim, its figures, the runs that reproduce it."""

from .claim_audit import audit_figures as audit_figures
from .claim_audit import claim as claim
from .flops_per_dollar import flops_candidates as flops_candidates
from .flops_per_dollar import flops_ratios as flops_ratios
from .measured_cases import conditions as conditions
from .measured_verdict import Audit as Audit
from .measured_verdict import audit as audit
from .printed import printed_range as printed_range
from .reproduction import largest_drop as largest_drop
from .reproduction import of_its_time as of_its_time
from .reproduction import reproducing_points as reproducing_points
from .reproduction import speeds_where_ratio_holds as speeds_where_ratio_holds
