"""How sure a figure is: inputs as distributions, an interval on every ratio, and the input that decides it."""

from .decisions import RatioInterval as RatioInterval
from .decisions import chance as chance
from .decisions import ratio as ratio
from .decisions import scenarios as scenarios
from .decisions import value_of_knowing as value_of_knowing
from .distributions import discrete as discrete
from .distributions import empirical as empirical
from .distributions import from_quantiles as from_quantiles
from .distributions import lognormal as lognormal
from .distributions import normal as normal
from .distributions import pert as pert
from .distributions import triangular as triangular
from .distributions import uniform as uniform
from .drivers import sobol_indices as sobol_indices
from .drivers import tornado as tornado
from .sampling import Draws as Draws
from .sampling import Estimate as Estimate
from .sampling import draw as draw
from .shapley import shapley_effects as shapley_effects
from .small_samples import QuantileInterval as QuantileInterval
from .small_samples import quantile_interval as quantile_interval
from .small_samples import throughput_interval as throughput_interval
