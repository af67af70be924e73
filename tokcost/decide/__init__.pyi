"""What follows from a cost per token: margin, a cluster's bill, own or rent or call an API."""

from .cluster_bill import Cluster as Cluster
from .cluster_bill import cluster as cluster
from .margin import margin_by_class as margin_by_class
from .margin import unit_economics as unit_economics
from .root_finding import BreakEven as BreakEven
from .root_finding import break_even as break_even
