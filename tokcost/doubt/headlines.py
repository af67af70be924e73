"""The interval of a headline, and what it is made of: repeat runs, reading between runs, price, and what else one names.

Each doubt is a factor on the figure that it is about. Factors of different doubts are independent; one that two figures share (all
prices of a list are revised together) is one factor, and cancels where they are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from tokcost.doubt.asked import require_taken
from tokcost.doubt.distributions import Input, Inputs, is_known
from tokcost.doubt.evidence_kinds import from_value
from tokcost.doubt.sampling import by_label, draw
from tokcost.doubt.spreads import (
    ANY,
    BETWEEN,
    NEXT_RUN,
    ONE_PRICE,
    PRICES_TOGETHER,
    REPEAT,
    estimate_factor,
    factor,
    fall_group,
    repeat_group,
)
from tokcost.evidence import Fact
from tokcost.quantities import QuantityError, find, nearest
from tokcost.serving.accuracy import ESTIMATED
from tokcost.serving.reading import Reading

#: the sources of doubt, as sentences name them
REPEATS, READING, ESTIMATE, PRICE = "repeat runs", "reading between runs", "the estimate", "the price list"

#: a smaller share of the variance is not named
SMALLEST_NAMED = 0.08
_WORDS = {0.1: "a tenth", 0.2: "a fifth", 0.25: "a quarter", 1 / 3: "a third", 0.4: "two fifths", 0.5: "half", 0.6: "three fifths",
          2 / 3: "two thirds", 0.75: "three quarters", 0.8: "four fifths", 0.9: "nine tenths", 1.0: "nearly all"}  # fmt: skip


@dataclass(frozen=True)
class Headline:
    """A figure with its 5 to 95 % interval and its make-up: source of doubt -> its share of the variance (of the logarithm).

    Where it is a ratio of products, `numerator` and `denominator` name their figures: a later run then says which of them moved it.
    """

    value: float
    low: float
    high: float
    shares: dict[str, float]
    numerator: dict[str, float] = field(default_factory=dict)
    denominator: dict[str, float] = field(default_factory=dict)

    @property
    def made_of(self) -> str:
        """The make-up in words: "three quarters of it is the price list, a quarter repeat runs".

        >>> Headline(2.0, 1.0, 4.0, {"the price list": 0.74, "repeat runs": 0.24, "reading between runs": 0.02}).made_of
        'three quarters of it is the price list, a quarter repeat runs'
        """
        named = sorted(((share, source) for source, share in self.shares.items() if share >= SMALLEST_NAMED), reverse=True)[:2]
        between = [" of it is ", " "]  # once, in the first part
        return ", ".join(f"{_in_words(share)}{word}{source}" for (share, source), word in zip(named, between, strict=False))


#: what was not reached, or has no price
NOT_KNOWN = Headline(np.nan, np.nan, np.nan, {})


def _in_words(share: float) -> str:
    return _WORDS[min(_WORDS, key=lambda known: abs(known - share))]


def headline(
    formula: Callable[..., Any],
    *,
    readings: Mapping[str, Reading | float] = MappingProxyType({}),
    prices: Mapping[str, Fact | float] = MappingProxyType({}),
    others: Inputs = MappingProxyType({}),
    given: Mapping[str, float] = MappingProxyType({}),
    runs: Mapping[str, pd.Series] | None = None,
    throughput: str = "total_tok_per_s_per_gpu",
    n_draws: int = 2**13,
    seed: int = 0,
) -> Headline:
    """A headline with the interval that holds it nine times in ten, from the figures that it is worked out of.

    `formula` takes all of them by name, as arrays, and returns a figure above 0. `readings` are throughputs as `Frontier.at` gives
    them (a number is a run of one's own): a run made again gives another number; between two runs the truth is as far off as runs
    left out of the dataset were, never outside the two; in a hole it lies above the next faster run. `prices` are facts of the
    catalog (a number is a price of one's own and known): all prices of a list move together from one vintage to the next and each a
    little by itself; a fact with a low and a high lies between them; one of another table is as far off as its kind. Which price
    basis to take is a choice and no doubt: give each its headline. `others` are uncertain inputs of one's own, such as the load: a
    share of one's own (`from_value`), or those of several traffics (`empirical` of the `utilization_frac` of plans); `given` has
    those whose value is not their median. Each is a source by itself.

    The value is that of the figures as given, and of `runs` (by the names of the readings) where a headline rests on measured runs
    at least as fast (`Frontier.run_at`), whose column `throughput` counts; how well they say what was run decides how far a repeat
    may lie. A reading of `tc.serving.estimate_at` was never measured: it is as far off as estimates of runs that no constant was fitted
    to. The doubts are those about the speed itself, and the interval always holds the value. The make-up is the share of the
    variance that each source has alone.

    Raises: QuantityError for names that the formula does not take, and figures that are not above 0.

    >>> from tokcost.doubt import headline
    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    >>> h200 = tc.frontier(rows, accelerator="h200")
    >>> rate = tc.rate(accelerator="h200", price_basis="owning_hyperscaler", rate_vintage="2026-09")
    >>> def cost(speed, price):
    ...     return tc.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=price, total_tok_per_s_per_gpu=speed)
    >>> found = headline(cost, readings={"speed": h200.at(tok_per_s_per_user=70)}, prices={"price": rate})
    >>> found.low < found.value < found.high
    True
    """
    require_taken(formula, [*readings, *prices, *others])
    figures: Any = {"readings": readings, "prices": prices, "others": others, "given": given, "runs": runs, "throughput": throughput}
    return headlines_together(lambda **drawn: {"": formula(**drawn)}, [""], **figures, n_draws=n_draws, seed=seed)[""]


def headlines_together(
    formula: Callable[..., Mapping[str, Any]],
    names: Sequence[str],
    *,
    readings: Mapping[str, Reading | float] = MappingProxyType({}),
    prices: Mapping[str, Fact | float] = MappingProxyType({}),
    others: Inputs = MappingProxyType({}),
    given: Mapping[str, float] = MappingProxyType({}),
    runs: Mapping[str, pd.Series] | None = None,
    throughput: str = "total_tok_per_s_per_gpu",
    n_draws: int = 2**13,
    seed: int = 0,
) -> dict[str, Headline]:
    """Several headlines of the same figures, by name, from the same draws: `headline` of each, in the time of one.

    `formula` returns them by name, among others if it likes; `names` are those that are asked for.

    Raises: QuantityError as `headline` does, and for a name that the formula does not return.

    >>> from tokcost.doubt import lognormal
    >>> costs = lambda price, speed: {"cost": price / speed, "cost_of_two": 2 * price / speed}
    >>> found = headlines_together(costs, ["cost", "cost_of_two"], others={"price": lognormal(1.0, 4.0)}, readings={"speed": 2.0})
    >>> [round(one.value, 2) for one in found.values()]
    [1.0, 2.0]
    """
    require_taken(formula, [*readings, *prices, *others])
    for name in runs or ():
        if name not in readings:
            raise QuantityError(f"there is a run but no reading `{name}`{nearest(name, readings)}")
    figures: dict[str, float] = {name: _one(name, one) for name, one in {**readings, **prices}.items()}
    figures |= {name: float(given[name]) if name in given else _centre(name, one) for name, one in others.items()}
    stated = figures | {name: float(run[throughput]) for name, run in (runs or {}).items()}
    if any(np.isnan(stated[name]) for name in readings):
        return dict.fromkeys(names, NOT_KNOWN)
    figures |= {name: stated[name] for name in readings if np.isnan(figures[name])}  # slower than all runs: the slowest serves
    returned = by_label(formula(**stated))
    for name in names:
        if name not in returned:
            raise QuantityError(f"the formula returns no `{name}`{nearest(name, returned)}")
    values = {name: float(np.asarray(returned[name]).ravel()[0]) for name in names}
    for value in values.values():
        if not value > 0:
            raise QuantityError(f"a headline must be above 0 for its doubts to be factors, got {value:g}")

    doubts: dict[str, Input] = {}  # name of a factor, or of an input of one's own -> its distribution
    source: dict[str, str] = {}
    acts: dict[str, list[str]] = {name: [] for name in figures}  # figure -> factors on it; under its own name it is drawn itself

    def add(key: str, said: str, distribution: Input, on: str) -> None:
        doubts[key], source[key] = distribution, said
        if key != on:
            acts[on].append(key)

    for name, reading in readings.items():
        bracket = reading.bracket if isinstance(reading, Reading) else None
        if bracket and bracket.basis in ESTIMATED:  # what repeats of the truth would do is in its errors already
            add(f"{name} estimated", ESTIMATE, estimate_factor(bracket.basis, bracket.steepness), name)
            continue
        if bracket and bracket.basis in (BETWEEN, NEXT_RUN):
            add(f"{name} read", READING, factor(bracket.basis, fall_group(bracket.fall_ratio)), name)
        add(f"{name} repeated", REPEATS, factor(REPEAT, repeat_group(runs[name]) if runs else ANY), name)
    for name, price in prices.items():
        if isinstance(price, Fact):
            for key, distribution in _price_doubts(name, price).items():
                add(key, PRICE, distribution, on=name)
    for name, one in others.items():
        if not is_known(one):
            add(name, _inline(name), one, on=name)
    if not doubts:
        return {name: Headline(value, value, value, {}) for name, value in values.items()}
    columns = draw(lambda **drawn: drawn, doubts, n_draws=n_draws, n_replicates=4, seed=seed).values

    def logs(moved: Collection[str]) -> dict[str, np.ndarray]:
        arguments: dict[str, Any] = {}
        for name, figure in figures.items():
            drawn = columns[name] if name in moved else figure
            for key in acts[name]:
                drawn = drawn * (columns[key] if key in moved else 1.0)
                if key == f"{name} read":
                    drawn = np.clip(drawn, readings[name].low, readings[name].high)  # pyright: ignore
            arguments[name] = drawn
        returned = formula(**arguments)
        found = {name: np.asarray(returned[name]) for name in names}
        if not all((np.isfinite(one) & (one > 0)).all() for one in found.values()):
            raise QuantityError("a headline must be above 0 for its doubts to be factors; some draws are not")
        return {name: np.log(one) for name, one in found.items()}

    whole = logs(doubts.keys())
    alone = {said: logs({key for key in doubts if source[key] == said}) for said in dict.fromkeys(source.values())}
    return {
        name: _headline(value, whole[name], {said: float(np.var(one[name])) for said, one in alone.items()})
        for name, value in values.items()
    }


def _headline(value: float, logs: np.ndarray, variances: dict[str, float]) -> Headline:
    low, high = np.exp(np.quantile(logs, [0.05, 0.95]))
    total = sum(variances.values())
    shares = {said: variance / total for said, variance in variances.items()} if total else {}
    return Headline(value, min(float(low), value), max(float(high), value), shares)


def _price_doubts(name: str, price: Fact) -> dict[str, Input]:
    """What is in doubt about a price: factors of its list and its own; under its own name what it may be, by its range or its kind."""
    found: dict[str, Input] = {}
    basis, vintage = price.keys.get("price_basis"), price.keys.get("rate_vintage")
    has_range = price.low is not None and price.high is not None and price.low < price.high
    if basis and vintage:
        found[f"list_{basis}_{vintage}"] = factor(PRICES_TOGETHER, basis)
        found[f"{name} in its list"] = factor(ONE_PRICE, basis)
    if has_range or not found:
        around = from_value(price.quantity, price.value, low=price.low, high=price.high, kind=price.kind)
        if not is_known(around):
            found[name] = around
    return found


def _inline(name: str) -> str:
    """An input within a sentence: its label in the vocabulary, or its name in words."""
    quantity = find(name)
    label = quantity.label if quantity else name.replace("_", " ")
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _centre(name: str, one: Any) -> float:
    return _one(name, one) if is_known(one) else float(one.median())


def _one(name: str, one: Any) -> float:
    if one is None or isinstance(one, str) or np.ndim(one):
        raise QuantityError(f"`{name}` must be one number, a reading or a fact, got {str(one)[:60]}")
    return float(one)
