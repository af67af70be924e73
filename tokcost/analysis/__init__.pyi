"""What two notebooks need, or what is easily got wrong: comparisons, rankings, energy, your own benchmark."""

from .benchmark_comparison import compare_with_public as compare_with_public
from .benchmark_comparison import is_same_model as is_same_model
from .benchmark_comparison import price_of_hour as price_of_hour
from .energy import board_sweeps as board_sweeps
from .energy import industrial_usd_per_kwh_by_state as industrial_usd_per_kwh_by_state
from .energy import joules_per_token as joules_per_token
from .equal_speed import at_equal_speed as at_equal_speed
from .metric_rankings import discordant_pairs as discordant_pairs
from .metric_rankings import rank_agreement as rank_agreement
from .metric_rankings import rankings as rankings
from .own_benchmark import known_and_missing as known_and_missing
from .own_benchmark import own_benchmark as own_benchmark
from .ratios import ratio_curves as ratio_curves
from .ratios import ratios_by_power as ratios_by_power
from .ratios import ratios_by_rate as ratios_by_rate
