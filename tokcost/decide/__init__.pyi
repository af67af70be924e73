"""What follows from a cost per token: margin, a cluster's bill, own or rent or call an API."""

from .cluster_bill import Cluster as Cluster
from .cluster_bill import cluster as cluster
from .demand_path import ServedPath as ServedPath
from .demand_path import served_path as served_path
from .investment import Appraisal as Appraisal
from .investment import appraise as appraise
from .investment import rent_decline_frac_per_yr as rent_decline_frac_per_yr
from .investment import rent_path_usd_per_gpu_h as rent_path_usd_per_gpu_h
from .margin import margin_by_class as margin_by_class
from .margin import unit_economics as unit_economics
from .price_card import price_entry as price_entry
from .price_card import write_price_card as write_price_card
from .root_finding import BreakEven as BreakEven
from .root_finding import break_even as break_even
from .ways_to_serve import CallApi as CallApi
from .ways_to_serve import Own as Own
from .ways_to_serve import Rent as Rent
from .ways_to_serve import compare_ways as compare_ways
from .ways_to_serve import mixed_fleet as mixed_fleet
from .ways_to_serve import saving as saving
