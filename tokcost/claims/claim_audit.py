"""Audit a published claim of the shape "baseline, candidate, ratio": what follows from what is printed.

A claim is rows of `data/claims.csv`: the figures printed for two systems and the ratios printed
between them. Every figure stands for the range that rounds to it; what follows from several
figures is a range too. A figure follows when the two ranges meet.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tokcost import evidence, formulas
from tokcost import quantities as q
from tokcost.claims.printed import Printed, Range, printed
from tokcost.evidence import Fact
from tokcost.quantities import Numbers, QuantityError, formula, nearest

FOLLOWS = "follows"
FOLLOWS_LOOSELY = "follows within rounding"
DOES_NOT_FOLLOW = "does not follow"
NOT_STATED = "not stated"
VERDICTS = (FOLLOWS, FOLLOWS_LOOSELY, DOES_NOT_FOLLOW, NOT_STATED)

SYSTEMS = ("baseline", "candidate")
#: relative slack for the last bit of floating point, where two ranges touch at an end
TOUCH = 1e-9


@formula
def provisioned_kw_per_gpu(*, total_tok_per_s_per_gpu: Numbers, total_tok_per_s_per_mw: Numbers) -> Numbers:
    """The power per GPU that a throughput per GPU and one per megawatt imply together.

    Identity: the throughput per megawatt solved for the power.

    >>> round(provisioned_kw_per_gpu(total_tok_per_s_per_gpu=90, total_tok_per_s_per_mw=54_000), 3)
    1.667
    """
    return total_tok_per_s_per_gpu / total_tok_per_s_per_mw * q.KW_PER_MW


@formula
def peak_pflop_per_s(*, peak_pflop_per_s_per_usd_per_h: Numbers, rate_usd_per_gpu_h: Numbers) -> Numbers:
    """The rated arithmetic that a printed "FLOPS per dollar" and a price imply together.

    Identity: "FLOPS per dollar" solved for the peak.

    >>> round(peak_pflop_per_s(peak_pflop_per_s_per_usd_per_h=2.8, rate_usd_per_gpu_h=1.41), 3)
    3.948
    """
    return peak_pflop_per_s_per_usd_per_h * rate_usd_per_gpu_h


@formula
def accelerator_price_usd(*, system_price_usd: Numbers, n_gpus: Numbers) -> Numbers:
    """The price of one accelerator of a kit or system. Definition.

    >>> accelerator_price_usd(system_price_usd=125_000, n_gpus=8)
    15625.0
    """
    return system_price_usd / n_gpus


#: what follows from what within one system: formulas named for their result, and the printed figures that they take
RULES = {
    rule: list(inspect.signature(rule).parameters)
    for rule in (
        formulas.total_token_cost_usd_per_mtok,
        formulas.total_tok_per_s_per_gpu,
        provisioned_kw_per_gpu,
        peak_pflop_per_s,
        accelerator_price_usd,
    )
}
COST, THROUGHPUT, PRICE = "total_token_cost_usd_per_mtok", "total_tok_per_s_per_gpu", "accelerator_price_usd"


@dataclass(frozen=True)
class Claim:
    """The figures of one claim: `printed[role, quantity]`, and the ratio rows as they stand."""

    claim_id: str
    title: str
    accelerators: dict[str, str]
    printed: dict[tuple[str, str], Printed]
    ratios: pd.DataFrame

    def has(self, role: str, names: Iterable[str]) -> bool:
        return all((role, name) in self.printed for name in names)

    def rate_of(self, role: str, rates: Mapping[str, Fact | float]) -> Fact | float:
        """The rate that is given for the accelerator of a system."""
        accelerator = self.accelerators[role]
        if accelerator not in rates:
            raise QuantityError(f"rates has no `{accelerator}`, the {role} of claim {self.claim_id}")
        return rates[accelerator]


def claim(claim_id: str, claims: pd.DataFrame | None = None) -> Claim:
    """One claim of `data/claims.csv`, or of a table of the same columns.

    Raises: QuantityError for a claim that is not there, prints one figure twice, or names no quantity.

    >>> claim("nvidia_2026_04_15_deepseek_r1").printed["baseline", "rate_usd_per_gpu_h"].text
    '1.41'
    """
    table = evidence.load_table("claims") if claims is None else claims
    rows = table[table["claim_id"] == claim_id]
    if rows.empty:
        raise QuantityError(f"no claim `{claim_id}` in claims.csv{nearest(claim_id, table['claim_id'].unique())}")
    systems = rows[rows["role"].isin(SYSTEMS)]
    twice = systems[systems.duplicated(["role", "quantity"])]
    if len(twice):
        raise QuantityError(f"claim {claim_id} prints {twice['quantity'].iloc[0]} of its {twice['role'].iloc[0]} twice; keep one row")
    for name in rows["quantity"]:
        q.of(name)
    return Claim(
        claim_id=claim_id,
        title=rows["title"].iloc[0],
        accelerators={role: systems.loc[systems["role"] == role, "accelerator"].iloc[0] for role in systems["role"].unique()},
        printed={(row.role, row.quantity): _read(row.quantity, row.printed) for row in systems.itertuples()},
        ratios=rows[rows["role"] == "ratio"],
    )


def _read(quantity: str, text: str) -> Printed:
    """A printed figure; a count is exact: a kit of 8 boards holds no 7.6."""
    figure = printed(text)
    return replace(figure, strict=(figure.value,) * 2, loose=(figure.value,) * 2) if q.unit(quantity) == "count" else figure


def audit_figures(claim_id: str, claims: pd.DataFrame | None = None) -> pd.DataFrame:
    """What each printed figure of a claim means and whether it follows from the others, by print alone.

    One row for each way to arrive at a figure: a system's figure from its other figures, a ratio from
    the two printed figures or from what they follow from, and figures that are not printed but implied
    (verdict "not stated"). Columns: `claim_id`, `role`, `accelerator`, `quantity`, `derived_from`; `printed`
    with its ranges `printed_low`, `printed_high` (strict) and `printed_loose_low`, `printed_loose_high`; `derived`
    (printed figures at face value) with the same four ends; `verdict`, one of `VERDICTS`; and `why` in words.

    >>> table = audit_figures("nvidia_2026_04_15_deepseek_r1")
    >>> print(table["why"][0].partition("; ")[0])
    rate_usd_per_gpu_h and total_tok_per_s_per_gpu give 4.352 (4.312 to 4.392), 4.20 stands for 4.195 to 4.205
    >>> table["verdict"][0]
    'follows within rounding'
    """
    one = claim(claim_id, claims)
    rows = [_row(one, role, *step) for role in SYSTEMS for step in _within_a_system(one, role)]
    rows += [_row(one, "ratio", *step) for step in _between_systems(one)]
    return pd.DataFrame(rows)


def verdict(figure: Printed | None, derived: Range | None) -> str:
    """One of `VERDICTS`: do the printed range and the derived range meet, and under which reading?"""
    if figure is None or derived is None:
        return NOT_STATED
    if _meet(figure.strict, derived.strict):
        return FOLLOWS
    return FOLLOWS_LOOSELY if _meet(figure.loose, derived.loose) else DOES_NOT_FOLLOW


def derive(function: Callable, figures: dict[str, Printed]) -> Range:
    """A formula over the ranges of printed figures.

    Every formula here rises or falls in each argument throughout, so its extremes lie in the corners.
    """

    def over(reading: str) -> tuple[float, float]:
        corners = np.array(list(itertools.product(*(getattr(figure, reading) for figure in figures.values())))).T
        values = function(**dict(zip(figures, corners, strict=True)))
        return float(values.min()), float(values.max())

    value = float(function(**{name: figure.value for name, figure in figures.items()}))
    return Range(value, over("strict"), over("loose"))


def exact(value: float) -> Range:
    """A number that stands for itself alone."""
    return Range(value, (value, value), (value, value))


def quotient(over: Range, under: Range) -> Range:
    """One range divided by another.

    >>> quotient(printed("6K"), exact(2.0)).strict
    (2750.0, 3250.0)
    """
    strict, loose = ((a[0] / b[1], a[1] / b[0]) for a, b in ((over.strict, under.strict), (over.loose, under.loose)))
    return Range(over.value / under.value, strict, loose)


def _within_a_system(one: Claim, role: str):
    for rule, inputs in RULES.items():
        if one.has(role, inputs):
            quantity = rule.__name__
            derived = derive(rule, {name: one.printed[role, name] for name in inputs})
            yield quantity, " and ".join(inputs), one.printed.get((role, quantity)), derived


def _between_systems(one: Claim):
    printed_ratios = {row.quantity: row for row in one.ratios.itertuples()}
    both = [name for role, name in one.printed if role == "baseline" and one.has("candidate", [name])]
    for quantity in dict.fromkeys([*printed_ratios, *both]):
        row = printed_ratios.get(quantity)
        figure = printed(row.printed) if row else None
        is_inverse = row is not None and row.direction == "inverse"
        ways: dict[str, dict[str, Range]] = {}
        if quantity in both:
            ways["the two printed figures"] = {role: one.printed[role, quantity] for role in SYSTEMS}
        for rule, inputs in RULES.items():
            if rule.__name__ == quantity and all(one.has(role, inputs) for role in SYSTEMS) and figure:
                ways[" and ".join(inputs)] = {role: derive(rule, {name: one.printed[role, name] for name in inputs}) for role in SYSTEMS}
        for derived_from, sides in ways.items():
            over, under = ("baseline", "candidate") if is_inverse else ("candidate", "baseline")
            yield quantity, derived_from, figure, quotient(sides[over], sides[under])
        if not ways:
            yield quantity, "nothing printed", figure, None
    if COST in printed_ratios and THROUGHPUT not in printed_ratios:
        yield from _implied_throughput(one, printed_ratios[COST])


def _implied_throughput(one: Claim, row: Any):
    """The ratio of throughputs that a ratio of costs needs at the printed prices of accelerators, where there are such prices."""
    prices = {}
    for role in SYSTEMS:
        inputs = RULES[accelerator_price_usd]
        if one.has(role, [PRICE]):
            prices[role] = one.printed[role, PRICE]
        elif one.has(role, inputs):
            prices[role] = derive(accelerator_price_usd, {name: one.printed[role, name] for name in inputs})
    if len(prices) == len(SYSTEMS):
        cheaper_by = quotient(prices["baseline"], prices["candidate"])
        gain = printed(row.printed) if row.direction == "inverse" else quotient(exact(1.0), printed(row.printed))
        yield THROUGHPUT, "the printed ratio and the two prices", None, quotient(gain, cheaper_by)


def _row(one: Claim, role: str, quantity: str, derived_from: str, figure: Printed | None, derived: Range | None) -> dict:
    said = verdict(figure, derived)
    return {
        "claim_id": one.claim_id,
        "role": role,
        "accelerator": one.accelerators.get(role, ""),
        "quantity": quantity,
        "derived_from": derived_from,
        "printed": figure.text if figure else "",
        **_ends("printed", figure),
        "derived": derived.value if derived else np.nan,
        **_ends("derived", derived),
        "verdict": said,
        "why": _why(said, figure, derived, derived_from),
    }


def _ends(name: str, ranges: Range | None) -> dict[str, float]:
    strict, loose = (ranges.strict, ranges.loose) if ranges else ((np.nan, np.nan), (np.nan, np.nan))
    return dict(zip((f"{name}_low", f"{name}_high", f"{name}_loose_low", f"{name}_loose_high"), (*strict, *loose), strict=True))


def _why(said: str, figure: Printed | None, derived: Range | None, derived_from: str) -> str:
    if derived is None:
        return f"{figure.text if figure else 'a ratio'} is printed without the figures that it is a ratio of"
    implied = f"{derived_from} give {_number(derived.value)} ({_between(derived.strict)})"
    if figure is None:
        return f"{implied}; nothing is printed to hold it against"
    stands = f"{figure.text} stands for {_between(figure.strict)}"
    if said == FOLLOWS_LOOSELY:
        return f"{implied}, {stands}; with trailing zeros as rounding {_between(derived.loose)} and {_between(figure.loose)}"
    return f"{implied}, {stands}"


def _between(ends: tuple[float, float]) -> str:
    return f"{_number(ends[0])} to {_number(ends[1])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10_000 else f"{value:.4g}"


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    slack = TOUCH * min(one[1], other[1])  # an open range has no upper end
    return one[0] <= other[1] + slack and other[0] <= one[1] + slack
