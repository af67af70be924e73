"""Which input decides: one at a time at matched percentiles, and shares of the variance (Sobol indices)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from tokcost.doubt.asked import require_power_of_2
from tokcost.doubt.distributions import Inputs, checked, is_known, quantile_function, require_levels
from tokcost.doubt.sampling import by_label
from tokcost.quantities import QuantityError, nearest

#: share of repeats of an index that its confidence interval holds
CONFIDENCE = 0.9


def uncertain(inputs: Inputs) -> list[str]:
    """The inputs that are distributions; at least one, or there is nothing to ask."""
    names = [name for name, value in inputs.items() if not is_known(value)]
    if not names:
        raise QuantityError("no input is uncertain: all are plain numbers, and nothing drives the result")
    return names


def one_result(function: Callable[..., Any], inputs: Inputs, label: str | None = None) -> Callable[..., np.ndarray]:
    """The function of the uncertain inputs alone, with one array as its result."""
    known = {name: float(value) for name, value in inputs.items() if is_known(value)}

    def result(**columns: np.ndarray) -> np.ndarray:
        results = by_label(function(**known, **columns))
        if label is None and len(results) > 1:
            raise QuantityError(f"there are results for {', '.join(results)}; say which with label=...")
        size = len(next(iter(columns.values())))
        if label is not None and label not in results:
            raise QuantityError(f"there is no result `{label}`{nearest(label, results)}")
        return np.broadcast_to(np.asarray(results[label or next(iter(results))], dtype=float), size)

    return result


def tornado(
    function: Callable[..., Any], inputs: Inputs, *, levels: tuple[float, float] = (0.05, 0.95), label: str | None = None
) -> pd.DataFrame:
    """What each input does to the result alone, from its 5 to its 95 % quantile with all others at their medians; the widest first.

    All inputs move between the same two percentiles: a range that one source gives widely and another narrowly would not be compared.

    Columns: `input_name`, `low`, `value` (median) and `high` of the input, the result `at_low`, `at_value` and `at_high`, `swing`.

    >>> from tokcost.doubt import lognormal
    >>> inputs = {"rate": lognormal(2.0, 8.0), "speed": lognormal(9.0, 11.0)}
    >>> tornado(lambda rate, speed: rate / speed, inputs)["input_name"].tolist()
    ['rate', 'speed']
    """
    checked(function, inputs)
    require_levels(levels)
    names, result = uncertain(inputs), one_result(function, inputs, label)
    ends = {name: np.asarray(inputs[name].ppf([levels[0], 0.5, levels[1]]), dtype=float) for name in names}  # pyright: ignore
    rows = []
    for name in names:
        at = result(**{other: ends[name] if other == name else np.repeat(ends[other][1], 3) for other in names})
        rows.append((name, *ends[name], *at, abs(at[2] - at[0])))
    columns = ["input_name", "low", "value", "high", "at_low", "at_value", "at_high", "swing"]
    return pd.DataFrame(rows, columns=columns).sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def sobol_indices(
    function: Callable[..., Any], inputs: Inputs, *, n_draws: int = 2**13, seed: int = 0, label: str | None = None
) -> pd.DataFrame:
    """Which share of the variance of the result each input explains, alone and with all that it does together with others.

    Inputs are independent; where they are not, shares of the variance overlap and `shapley_effects` divides them. `n_draws` is a
    power of 2; the function is worked out for (inputs + 2) times as many. Estimators: Saltelli (2010) and Jansen (1999), by SALib.

    Columns: `input_name`, `first_frac` (alone), `first_error`, `total_frac`, `total_error` (half of the 90 % confidence interval,
    by bootstrap); the largest total first.
    Raises: QuantityError where no input is uncertain, or the result does not vary.

    >>> from tokcost.doubt import uniform
    >>> found = sobol_indices(lambda a, b: a + 2 * b, {"a": uniform(0, 1), "b": uniform(0, 1)})
    >>> found[["input_name", "first_frac", "total_frac"]].round(2).values.tolist()
    [['b', 0.8, 0.8], ['a', 0.2, 0.2]]
    """
    from SALib.analyze import sobol

    checked(function, inputs)
    require_power_of_2("n_draws", n_draws)
    names, result = uncertain(inputs), one_result(function, inputs, label)
    points = qmc.Sobol(2 * len(names), rng=np.random.default_rng(seed)).random(n_draws) + 2.0**-31
    functions = {name: quantile_function(inputs[name]) for name in names}
    first, second = (
        {name: quantile(column) for (name, quantile), column in zip(functions.items(), half, strict=True)} for half in np.split(points.T, 2)
    )
    rows = [result(**first), *(result(**{**first, name: second[name]}) for name in names), result(**second)]
    drawn = np.column_stack(rows)  # SALib's order: one base point, then the same with each input exchanged, then its partner
    if not np.isfinite(drawn).all():
        raise QuantityError("some draws of the result are no finite numbers; check which inputs make the formula fail")
    if not np.ptp(drawn):
        raise QuantityError("the result does not vary with any uncertain input; there is no variance to share")
    problem = {"num_vars": len(names), "names": names, "bounds": [[0, 1]] * len(names)}
    # SALib takes the seed 0 for none
    found = sobol.analyze(problem, drawn.ravel(), calc_second_order=False, conf_level=CONFIDENCE, seed=seed + 1)
    table = pd.DataFrame(
        {
            "input_name": names,
            "first_frac": found["S1"],
            "first_error": found["S1_conf"],
            "total_frac": found["ST"],
            "total_error": found["ST_conf"],
        }
    )
    return table.sort_values("total_frac", ascending=False, kind="stable", ignore_index=True)
