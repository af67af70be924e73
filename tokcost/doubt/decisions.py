"""What draws say about a question: a ratio with its interval, the chance that a verdict holds, and what to measure first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tokcost.doubt.asked import numbers, require_power_of_2, require_taken
from tokcost.doubt.distributions import Inputs, checked
from tokcost.doubt.drivers import uncertain
from tokcost.doubt.sampling import Draws, Estimate, by_label, draw
from tokcost.quantities import QuantityError

#: equal groups into which draws are sorted by an input: too few blur it, too many leave each with noise
N_GROUPS = 64


class RatioInterval(NamedTuple):
    """A ratio of two uncertain amounts: its median, its 5 and 95 % quantiles, and the one amount over the other, both on average.

    `pooled` is what a buyer of many such systems pays for all tokens together. The average of the ratios themselves is higher, by
    one plus the squared coefficient of variation of the denominator where the two are independent; nobody pays that.
    """

    low: float
    median: float
    high: float
    pooled: float


def ratio(draws: Draws, over: str, under: str) -> RatioInterval:
    """The interval of one result over another, from draws with common inputs, and the pooled ratio beside it.

    Raises: QuantityError for results that the draws do not have.

    >>> from tokcost.doubt import lognormal
    >>> spent = draw(lambda usd, mtok: {"usd": usd, "mtok": mtok}, {"usd": 10.0, "mtok": lognormal(1.0, 4.0)})
    >>> [round(number, 2) for number in ratio(spent, "usd", "mtok")]
    [2.5, 5.0, 10.0, 4.58]
    """
    each = (draws[over] / draws[under]).ravel()
    low, median, high = np.quantile(each, [0.05, 0.5, 0.95])
    return RatioInterval(float(low), float(median), float(high), float(draws[over].mean() / draws[under].mean()))


def chance(draws: Draws, verdict: Callable[..., Any], *labels: str) -> Estimate:
    """The share of the draws in which a verdict on one or more results holds, with the error of that share.

    Both sides of a comparison come from the same draws, so that a doubt which they share cancels.

    >>> from tokcost.doubt import lognormal
    >>> cost = draw(lambda own, rent: {"own": own, "rent": rent}, {"own": lognormal(1.0, 2.0), "rent": lognormal(1.0, 4.0)})
    >>> round(chance(cost, np.less, "own", "rent").value, 2)
    0.77
    """
    return draws.estimate(lambda *columns: np.mean(verdict(*columns)), *labels)


def quantile_dots(draws: Draws, *, by: str, result: str, n_dots: int = 20) -> pd.DataFrame:
    """Outcomes of equal chance, for a picture in which one counts dots: the middles of `n_dots` equal shares of the draws.

    Columns: `by` (the label of the result), `result` (its value under that name); `n_dots` rows for each label.

    >>> from tokcost.doubt import uniform
    >>> dots = quantile_dots(draw(lambda a: {"one": a}, {"a": uniform(0, 1)}), by="option", result="cost", n_dots=2)
    >>> dots.round(2).values.tolist()
    [['one', 0.25], ['one', 0.75]]
    """
    middles = (np.arange(n_dots) + 0.5) / n_dots
    tables = [pd.DataFrame({by: label, result: np.quantile(drawn, middles)}) for label, drawn in draws.values.items()]
    return pd.concat(tables, ignore_index=True)


def value_of_knowing(function: Callable[..., Any], inputs: Inputs, *, n_draws: int = 2**16, seed: int = 0) -> pd.DataFrame:
    """What it is worth to know one input exactly before choosing the cheapest of some options: measure the first row first.

    The function returns the cost of each option by its name. Without more knowledge one takes the option that is cheapest on
    average; knowing an input, the one that is cheapest at its value. The difference, on average over what the input may turn out to
    be, is the expected value of that knowledge, in the unit of the costs, and the most that a measurement should cost. The last
    row, `all`, is that of knowing everything. Draws are sorted by an input into equal groups (Strong and Oakley, Medical
    Decision Making 33 (2013)).

    Columns: `input_name`, `value_of_knowing`, `changes_choice_frac` (the share of cases in which it changes the choice).
    Raises: QuantityError for fewer than two options.

    >>> from tokcost.doubt import uniform
    >>> costs = lambda price, other: {"buy": price + 0 * other, "wait": 1.2 + other}
    >>> found = value_of_knowing(costs, {"price": uniform(0, 2), "other": uniform(-0.01, 0.01)})
    >>> found.round(2).values.tolist()
    [['price', 0.16, 0.41], ['other', 0.0, 0.0], ['all', 0.16, 0.4]]
    """
    checked(function, inputs)
    require_power_of_2("n_draws", n_draws, least=8 * N_GROUPS)
    names = uncertain(inputs)

    def both(**columns):
        options = {f"cost of {label}": cost for label, cost in by_label(function(**columns)).items()}
        return options | {name: columns[name] for name in names}

    drawn = {label: array.ravel() for label, array in draw(both, inputs, n_draws=n_draws, seed=seed).values.items()}
    costs = np.array([array for label, array in drawn.items() if label not in names])
    if len(costs) < 2:
        raise QuantityError("a choice needs two options or more; let the function return the cost of each by its name")
    chosen = int(costs.mean(axis=1).argmin())
    rows = []
    for name in names:
        order = np.argsort(drawn[name], kind="stable")
        groups = costs[:, order].reshape(len(costs), N_GROUPS, -1).mean(axis=2)
        rows.append((name, float((groups[chosen] - groups.min(axis=0)).mean()), float((groups.argmin(axis=0) != chosen).mean())))
    rows.sort(key=lambda row: -row[1])
    rows.append(("all", float((costs[chosen] - costs.min(axis=0)).mean()), float((costs.argmin(axis=0) != chosen).mean())))
    return pd.DataFrame(rows, columns=["input_name", "value_of_knowing", "changes_choice_frac"])


def scenarios(function: Callable[..., Any], known: dict[str, float], *, result: str = "result", **axes: Any) -> pd.DataFrame:
    """The result at every combination of one or two inputs, the others as they are known.

    Columns: the inputs that vary, and the result under the name given.
    Raises: QuantityError for no or more than two inputs, and an input that is both known and varied.

    >>> scenarios(lambda rate, speed: rate / speed, {"rate": 2.0}, speed=[1.0, 4.0], result="cost").values.tolist()
    [[1.0, 2.0], [4.0, 0.5]]
    """
    if not 1 <= len(axes) <= 2:
        raise QuantityError(f"scenarios vary one or two inputs, got {len(axes)}; a third is a question for `sobol_indices`")
    if both := set(axes) & set(known):
        raise QuantityError(f"`{min(both)}` is both known and varied; say one")
    require_taken(function, [*known, *axes])
    values = {name: np.atleast_1d(numbers(f"the values of `{name}`", given)) for name, given in axes.items()}
    grid = [column.ravel() for column in np.meshgrid(*values.values(), indexing="ij")]
    table = pd.DataFrame(dict(zip(axes, grid, strict=True)))
    return table.assign(**{result: np.broadcast_to(function(**known, **{name: table[name].to_numpy() for name in axes}), len(table))})
