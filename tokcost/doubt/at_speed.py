"""The two figures that most headlines are, with their interval: what a token costs at a speed, and how many times less on another system."""

from __future__ import annotations

import math
from types import MappingProxyType

from tokcost import formulas
from tokcost.doubt.distributions import Inputs
from tokcost.doubt.headlines import Headline, headline
from tokcost.evidence import Fact
from tokcost.serving import Frontier

THROUGHPUT, RATE = "total_tok_per_s_per_gpu", "rate_usd_per_gpu_h"
_OLD, _NEW = "baseline_", "candidate_"


def token_cost(curve: Frontier, rate: Fact | float, *, tok_per_s_per_user: float) -> Headline:
    """Cost per million tokens of the cheapest measured run at least so fast, in USD, with its interval (`headline`).

    The tokens are prompt and answer together, at full use. NaN where no run is that fast.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    >>> found = token_cost(tc.frontier(rows, accelerator="h200"), 1.41, tok_per_s_per_user=60)
    >>> round(found.value, 2), found.made_of
    (0.97, 'three fifths of it is reading between runs, two fifths repeat runs')
    """
    return headline(
        formulas.total_token_cost_usd_per_mtok,
        readings={THROUGHPUT: curve.at(tok_per_s_per_user=tok_per_s_per_user)},  # pyright: ignore
        prices={RATE: rate},
        runs=_runs({"": curve}, tok_per_s_per_user),
        numerator=[RATE],
        denominator=[THROUGHPUT],
    )


def times_cheaper(
    baseline: Frontier,
    candidate: Frontier,
    *,
    baseline_rate: Fact | float,
    candidate_rate: Fact | float,
    tok_per_s_per_user: float,
    factors: Inputs = MappingProxyType({}),
) -> Headline:
    """How many times less a token costs on the second system: the cheapest measured runs at least so fast, with the interval (`headline`).

    What both share cancels: a revision of the whole price list. `factors` are further doubts, by name, as what they multiply the
    ratio by; the value is that without them. NaN where one of the systems has no run that fast.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    >>> h200, gb300 = (tc.frontier(rows, accelerator=name) for name in ("h200", "gb300"))
    >>> found = times_cheaper(h200, gb300, baseline_rate=1.22, candidate_rate=2.31, tok_per_s_per_user=116.7)
    >>> round(found.value), round(found.low), round(found.high)
    (34, 29, 44)
    """
    curves = {_OLD: baseline, _NEW: candidate}
    return headline(
        _ratio,
        readings={f"{role}{THROUGHPUT}": curve.at(tok_per_s_per_user=tok_per_s_per_user) for role, curve in curves.items()},  # pyright: ignore
        prices={f"{_OLD}{RATE}": baseline_rate, f"{_NEW}{RATE}": candidate_rate},
        others=factors,
        given=dict.fromkeys(factors, 1.0),
        runs=_runs(curves, tok_per_s_per_user),
        numerator=[f"{_OLD}{RATE}", f"{_NEW}{THROUGHPUT}"],
        denominator=[f"{_NEW}{RATE}", f"{_OLD}{THROUGHPUT}"],
    )


def _ratio(**figures):
    old, new = (
        formulas.total_token_cost_usd_per_mtok(**{name: figures.pop(f"{role}{name}") for name in (RATE, THROUGHPUT)}) for role in (_OLD, _NEW)
    )
    return old / new * math.prod(figures.values())


def _runs(curves: dict[str, Frontier], speed: float) -> dict:
    runs = {role: curve.run_at(tok_per_s_per_user=speed) for role, curve in curves.items()}
    return {f"{role}{THROUGHPUT}": run for role, run in runs.items() if run is not None}
