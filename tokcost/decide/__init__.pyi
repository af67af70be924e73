"""What follows from a cost per token: margin, a cluster's bill, own or rent or call an API."""

from .cluster_bill import Cluster as Cluster
from .cluster_bill import cluster as cluster
from .erosion import first_priced as first_priced
from .erosion import fleet_by_year as fleet_by_year
from .erosion import hardware_usd_per_gpu as hardware_usd_per_gpu
from .erosion import market_value_usd_per_gpu as market_value_usd_per_gpu
from .erosion import price_changes as price_changes
from .erosion import running_cost_usd_per_gpu_h as running_cost_usd_per_gpu_h
from .erosion import sold_cost_usd_per_mtok as sold_cost_usd_per_mtok
from .margin import margin_by_class as margin_by_class
from .margin import unit_economics as unit_economics
from .providers import hour_costs as hour_costs
from .providers import hour_offers as hour_offers
from .providers import side_by_side as side_by_side
from .providers import token_offers as token_offers
from .root_finding import BreakEven as BreakEven
from .root_finding import break_even as break_even
