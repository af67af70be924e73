"""Where a claimed figure comes from in measured rows, and at which interactivity a claimed ratio holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tokcost import formulas
from tokcost.claims.claim_audit import SYSTEMS, Claim, claim
from tokcost.claims.printed import printed
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import SPEED

THROUGHPUT = "total_tok_per_s_per_gpu"
#: what two rows must share to be held side by side
SAME = ("model", "isl", "osl", "campaign")
#: what is shown of each row, where it is known
SHOWN = (
    *("precision", "framework", "speculative", "deployment", "concurrency", "n_gpus", "n_prefill_gpus", "n_decode_gpus", "users_per_gpu"),
    *("label_basis", "run_date", "locator", SPEED, THROUGHPUT),
)


def reproducing_points(
    claim_id: str,
    rows: pd.DataFrame,
    *,
    rates: dict,
    provisioned_kw: dict | None = None,
    within_frac: float = 0.01,
    claims: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Pairs of measured rows at equal interactivity (within `within_frac`), ranked by how many printed figures they give.

    `rates` and `provisioned_kw` map the claim's accelerators to facts of the catalog or to numbers. A figure is
    given when the row's value lies in the printed range: `n_reproduced` counts trailing zeros as rounding,
    `n_reproduced_strictly` does not; `n_ratios_reproduced` counts the printed ratios, strictly. `n_as_good` is how many pairs
    do as well as this one in `n_reproduced`: a single one is evidence, many are not. `misses` names the rest.
    """
    one = claim(claim_id, claims)
    sides = {role: _side(rows, one, role, rates, provisioned_kw or {}) for role in SYSTEMS}
    pairs = sides["baseline"].merge(sides["candidate"], on=[name for name in SAME if name in rows])
    gap = pairs[f"candidate_{SPEED}"] / pairs[f"baseline_{SPEED}"] - 1
    pairs = pairs[gap.abs() <= within_frac].reset_index(drop=True)
    if pairs.empty:
        raise QuantityError(
            f"no two measured rows of {' and '.join(one.accelerators.values())} lie within {within_frac:.2%} of one interactivity"
        )
    checks = _printed_parts(one, pairs)
    pairs["n_figures"] = len(checks)
    for reading, column in (("loose", "n_reproduced"), ("strict", "n_reproduced_strictly")):
        pairs[column] = sum(
            (_lies_in(pairs[name], getattr(figure, reading)) for name, figure in checks.items()), np.zeros(len(pairs), dtype=int)
        )
    ratios = _printed_ratios(one, pairs)
    pairs["n_ratios"] = len(ratios)
    pairs["n_ratios_reproduced"] = sum((_lies_in(value, figure.strict) for value, figure in ratios), np.zeros(len(pairs), dtype=int))
    pairs["misses"] = [
        ", ".join(name for name, figure in checks.items() if not figure.loose[0] <= row[name] <= figure.loose[1])
        for row in pairs.to_dict("records")
    ]
    pairs["n_as_good"] = pairs.groupby("n_reproduced")["n_reproduced"].transform("size")
    best_first = ["n_reproduced", "n_reproduced_strictly", "n_ratios_reproduced"]
    return pairs.sort_values(best_first, ascending=False, kind="stable").reset_index(drop=True)


@dataclass(frozen=True)
class RatioCoverage:
    """At which interactivity a ratio is what was claimed, in numbers ready for a sentence.

    `within`: stretches (from, to) where the ratio rounds to the claimed figure; `at_least`: where it is that or more.
    Ends are as fine as the speeds of the curve.
    """

    claimed: str
    low: float
    high: float
    within: tuple[tuple[float, float], ...]
    at_least: tuple[tuple[float, float], ...]
    min_ratio: float
    min_at_tok_per_s_per_user: float
    max_ratio: float
    max_at_tok_per_s_per_user: float
    reach: tuple[float, float]

    @property
    def is_held_anywhere(self) -> bool:
        return bool(self.at_least)


def speeds_where_ratio_holds(curve: pd.DataFrame, claimed: str, *, ratio: str = "ratio") -> RatioCoverage:
    """Where a ratio curve (`tok_per_s_per_user` and a ratio) is within the range that rounds to `claimed`, or above.

    >>> curve = pd.DataFrame({"tok_per_s_per_user": [20, 40, 60, 80], "ratio": [5.0, 34.8, 39.0, np.nan]})
    >>> held = speeds_where_ratio_holds(curve, "35x lower")
    >>> held.within, held.at_least, held.min_ratio, held.reach
    (((40.0, 40.0),), ((40.0, 60.0),), 5.0, (20.0, 60.0))
    """
    figure = printed(claimed)
    curve = curve.sort_values(SPEED)
    speed, value = curve[SPEED].to_numpy(float), curve[ratio].to_numpy(float)
    known = ~np.isnan(value)
    if not known.any():
        raise QuantityError(f"the curve of {ratio} has no value: one of the two systems reaches none of these speeds")
    low, high = figure.strict
    lowest, highest = np.nanargmin(value), np.nanargmax(value)
    return RatioCoverage(
        claimed=claimed,
        low=low,
        high=high,
        within=_stretches(speed, (value >= low) & (value <= high)),
        at_least=_stretches(speed, value >= low),
        min_ratio=float(value[lowest]),
        min_at_tok_per_s_per_user=float(speed[lowest]),
        max_ratio=float(value[highest]),
        max_at_tok_per_s_per_user=float(speed[highest]),
        reach=(float(speed[known][0]), float(speed[known][-1])),
    )


def _side(rows: pd.DataFrame, one: Claim, role: str, rates: dict, provisioned_kw: dict) -> pd.DataFrame:
    """The measured rows of one system with what its printed figures can be held against, names prefixed by the role."""
    accelerator = one.accelerators[role]
    if accelerator not in rates:
        raise QuantityError(f"rates has no `{accelerator}`, the {role} of claim {one.claim_id}")
    side = rows[(rows["accelerator"] == accelerator) & rows[THROUGHPUT].notna() & rows[SPEED].notna()]
    if side.empty:
        raise QuantityError(f"no measured row of `{accelerator}`, the {role} of claim {one.claim_id}")
    if {"concurrency", "n_gpus"} <= set(side):
        side = side.assign(users_per_gpu=side["concurrency"] / side["n_gpus"])
    same = [name for name in SAME if name in side]
    shown = side[[name for name in SHOWN if name in side]].copy()
    rate = rates[accelerator]
    shown["total_token_cost_usd_per_mtok"] = formulas.total_token_cost_usd_per_mtok(
        rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=side[THROUGHPUT]
    )
    if accelerator in provisioned_kw:
        kw = provisioned_kw[accelerator]
        shown["total_tok_per_s_per_mw"] = formulas.total_tok_per_s_per_mw(
            total_tok_per_s_per_gpu=side[THROUGHPUT], provisioned_kw_per_gpu=kw
        )
    return pd.concat([side[same], shown.add_prefix(f"{role}_")], axis=1)


def _printed_parts(one: Claim, pairs: pd.DataFrame) -> dict:
    return {f"{role}_{name}": figure for (role, name), figure in one.printed.items() if f"{role}_{name}" in pairs}


def _printed_ratios(one: Claim, pairs: pd.DataFrame) -> list:
    """Each printed ratio that the pairs can be held against: the values of the pairs, the printed figure."""
    found = []
    for row in one.ratios.itertuples():
        if f"candidate_{row.quantity}" in pairs and f"baseline_{row.quantity}" in pairs:
            value = pairs[f"candidate_{row.quantity}"] / pairs[f"baseline_{row.quantity}"]
            found.append((1 / value if row.direction == "inverse" else value, printed(row.printed)))
    return found


def _lies_in(values: pd.Series, ends: tuple[float, float]) -> np.ndarray:
    return values.between(*ends).to_numpy().astype(int)


def _stretches(speed: np.ndarray, holds: np.ndarray) -> tuple[tuple[float, float], ...]:
    """First and last speed of every unbroken run in which `holds` is true."""
    edges = np.diff(np.concatenate([[0], holds.astype(int), [0]]))
    return tuple(
        (float(speed[a]), float(speed[b - 1])) for a, b in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    )
