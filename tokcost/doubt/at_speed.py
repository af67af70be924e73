"""The two figures that most headlines are, with their interval: what a token costs at a speed, and how many times less elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tokcost import formulas
from tokcost.doubt.distributions import Inputs
from tokcost.doubt.evidence_kinds import from_value
from tokcost.doubt.headlines import Headline, headline
from tokcost.doubt.owned_hours import OwnedHours
from tokcost.evidence import Fact
from tokcost.serving import Frontier

THROUGHPUT, RATE, LOAD = "total_tok_per_s_per_gpu", "rate_usd_per_gpu_h", "utilization_frac"


def token_cost(curve: Frontier, rate: Fact | float | OwnedHours, *, tok_per_s_per_user: float, utilization_frac: float = 1.0) -> Headline:
    """Cost per million tokens of the cheapest measured run at least so fast, in USD, with its interval (`headline`).

    The tokens are prompt and answer together. A utilization below 1 is as uncertain as an assumption. NaN where no run is that fast.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    >>> found = token_cost(tc.frontier(rows, accelerator="h200"), 1.41, tok_per_s_per_user=60)
    >>> round(found.value, 2), found.made_of
    (0.97, 'three fifths of it is reading between runs, two fifths repeat runs')
    """
    hours = rate if isinstance(rate, OwnedHours) else None
    load = {} if utilization_frac == 1 else {LOAD: from_value(LOAD, utilization_frac, kind="assumption")}

    def cost(**figures):
        price = hours(**_without(figures, THROUGHPUT))[curve.accelerator] if hours else figures[RATE]
        made = figures[THROUGHPUT] * figures.get(LOAD, 1.0)
        return formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=price, total_tok_per_s_per_gpu=made)

    runs = _runs({THROUGHPUT: curve}, tok_per_s_per_user)
    doubts = _doubts({RATE: rate}, hours, load, dict.fromkeys(load, utilization_frac))
    found = headline(cost, readings={THROUGHPUT: _read(curve, tok_per_s_per_user)}, **doubts, runs=runs)
    if not runs:
        return found
    made = {THROUGHPUT: float(runs[THROUGHPUT][THROUGHPUT])}
    paid = hours[curve.accelerator] if hours else float(rate)  # pyright: ignore
    return replace(found, numerator={RATE: paid}, denominator=made | dict.fromkeys(load, utilization_frac))


def times_cheaper(
    baseline: Frontier,
    candidate: Frontier,
    *,
    rates: Mapping[str, Fact | float] | OwnedHours,
    tok_per_s_per_user: float,
    factors: Inputs = MappingProxyType({}),
) -> Headline:
    """How many times less a token costs on the second system: the cheapest measured runs at least so fast, with the interval (`headline`).

    `rates` has the price of an hour of each accelerator. What both share cancels: a revision of the whole price list, an operator's
    cost of capital. `factors` are further doubts, by name, as what they multiply the ratio by; the value is that without them. NaN
    where one of the systems has no run that fast.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    >>> pair = [tc.frontier(rows, accelerator=name) for name in ("h200", "gb300")]
    >>> found = times_cheaper(*pair, rates={"h200": 1.22, "gb300": 2.31}, tok_per_s_per_user=116.7)
    >>> round(found.value), round(found.low), round(found.high)
    (34, 29, 44)
    """
    hours = rates if isinstance(rates, OwnedHours) else None
    old, new = f"baseline_{THROUGHPUT}", f"candidate_{THROUGHPUT}"
    curves = {old: baseline, new: candidate}

    def ratio(**figures):
        paid = hours(**_without(figures, old, new, *factors)) if hours else {name: figures[f"{name}_{RATE}"] for name in names}
        costs = [
            formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=paid[name], total_tok_per_s_per_gpu=figures[run])
            for name, run in zip(names, curves, strict=True)
        ]
        return costs[0] / costs[1] * math.prod(figures[name] for name in factors)

    names = [curve.accelerator for curve in curves.values()]
    runs = _runs(curves, tok_per_s_per_user)
    doubts = _doubts({f"{name}_{RATE}": rates[name] for name in names}, hours, factors, dict.fromkeys(factors, 1.0))
    found = headline(ratio, readings={name: _read(curve, tok_per_s_per_user) for name, curve in curves.items()}, **doubts, runs=runs)
    if len(runs) < 2:
        return found
    paid = [float(rates[name]) for name in names]
    made = [float(runs[name][THROUGHPUT]) for name in (old, new)]
    above = {f"baseline_{RATE}": paid[0], new: made[1]}
    return replace(found, numerator=above, denominator={f"candidate_{RATE}": paid[1], old: made[0]})


def _doubts(prices: dict[str, Any], hours: OwnedHours | None, others: Inputs, given: dict[str, float]) -> dict[str, Any]:
    """What `headline` takes: prices by name, or the parts of hours of one's own among the other inputs."""
    if hours is None:
        return {"prices": prices, "others": others, "given": given}
    return {"others": {**hours.inputs, **others}, "given": {**hours.given, **given}}


def _without(figures: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: figure for name, figure in figures.items() if name not in names}


def _read(curve: Frontier, speed: float) -> Any:
    return curve.at(tok_per_s_per_user=speed)


def _runs(curves: dict[str, Frontier], speed: float) -> dict[str, Any]:
    runs = {name: curve.run_at(tok_per_s_per_user=speed) for name, curve in curves.items()}
    return {name: run for name, run in runs.items() if run is not None}
