"""How sure a figure is: inputs as distributions, an interval on every ratio, and the input that decides it."""

from .distributions import discrete as discrete
from .distributions import empirical as empirical
from .distributions import from_quantiles as from_quantiles
from .distributions import lognormal as lognormal
from .distributions import normal as normal
from .distributions import pert as pert
from .distributions import triangular as triangular
from .distributions import uniform as uniform
from .sampling import Draws as Draws
from .sampling import Estimate as Estimate
from .sampling import draw as draw
