"""What two notebooks need, or what is easily got wrong: comparisons, rankings, energy, your own benchmark."""

from .benchmark_comparison import compare_with_public as compare_with_public
from .benchmark_comparison import is_same_model as is_same_model
from .benchmark_comparison import price_of_hour as price_of_hour
from .benchmark_comparison import price_range as price_range
from .benchmark_comparison import why_no_ratio as why_no_ratio
from .energy import board_sweeps as board_sweeps
from .energy import industrial_usd_per_kwh_by_state as industrial_usd_per_kwh_by_state
from .levers import cost_by_utilization as cost_by_utilization
from .levers import levers as levers
from .metric_rankings import comparable as comparable
from .metric_rankings import cost_ends as cost_ends
from .metric_rankings import cost_range as cost_range
from .metric_rankings import discordant_pairs as discordant_pairs
from .metric_rankings import firsts as firsts
from .metric_rankings import rankings as rankings
from .own_benchmark import delivered_by_two_routes as delivered_by_two_routes
from .own_benchmark import known_and_missing as known_and_missing
from .own_benchmark import own_benchmark as own_benchmark
from .ratios import by_speed as by_speed
from .ratios import cost_curves as cost_curves
from .ratios import ratio_curves as ratio_curves
from .ratios import ratios_by_power as ratios_by_power
from .ratios import ratios_by_rate as ratios_by_rate

