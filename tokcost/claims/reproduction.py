"""Where a claimed figure comes from in measured rows, and at which interactivity a claimed ratio holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tokcost import evidence, formulas
from tokcost.claims.claim_audit import SYSTEMS, Claim, claim
from tokcost.claims.printed import Printed, printed
from tokcost.evidence import Fact
from tokcost.evidence.catalog import examined
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import SPEED, Frontier

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
    rates: dict[str, Fact | float],
    provisioned_kw: dict[str, Fact | float] | None = None,
    within_frac: float = 0.01,
    claims: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Pairs of measured rows at equal interactivity (within `within_frac`), ranked by how many printed figures they give.

    `rates` and `provisioned_kw` map the claim's accelerators to facts of the catalog or to numbers. A figure is
    given when the row's value lies in the printed range: `n_reproduced` counts trailing zeros as rounding,
    `n_reproduced_strictly` does not; `n_ratios_reproduced` counts the printed ratios, strictly. `n_as_good` is how many pairs
    do as well as this one in `n_reproduced`: a single one is evidence, many are not. `misses` names the rest.

    Columns: what both runs share (`SAME`), then each run's own under `baseline_` and `candidate_`, then the counts.
    Raises: QuantityError where a system has no rate or no measured row, or no two rows lie at one interactivity.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04")
    >>> best = reproducing_points("nvidia_2026_04_15_deepseek_r1", rows, rates={"h200": 1.41, "gb300": 2.65}).iloc[0]
    >>> int(best["n_reproduced"]), int(best["n_figures"]), int(best["n_as_good"])
    (4, 4, 1)
    """
    one = claim(claim_id, claims)
    sides = {role: _side(rows, one, role, rates, provisioned_kw or {}) for role in SYSTEMS}
    pairs = sides["baseline"].merge(sides["candidate"], on=[name for name in SAME if name in rows])
    gap = pairs[f"candidate_{SPEED}"] / pairs[f"baseline_{SPEED}"] - 1
    pairs = pairs[gap.abs() <= within_frac].reset_index(drop=True)
    if pairs.empty:
        systems = " and ".join(one.accelerators.values())
        raise QuantityError(f"no two measured rows of {systems} lie within {within_frac:.2%} of one interactivity")
    figures = {f"{role}_{name}": figure for (role, name), figure in one.printed.items() if f"{role}_{name}" in pairs}
    loose, strict = (_met({name: (pairs[name], figure) for name, figure in figures.items()}, pairs, kind) for kind in ("loose", "strict"))
    ratios = _met(_printed_ratios(one, pairs), pairs, "strict")
    pairs["n_figures"], pairs["n_ratios"] = len(figures), ratios.shape[1]
    for column, met in (("n_reproduced", loose), ("n_reproduced_strictly", strict), ("n_ratios_reproduced", ratios)):
        pairs[column] = met.sum(axis=1).astype(int)
    pairs["misses"] = [", ".join(loose.columns[~row]) for row in loose.to_numpy(dtype=bool)]
    pairs["n_as_good"] = pairs.groupby("n_reproduced")["n_reproduced"].transform("size")
    best_first = ["n_reproduced", "n_reproduced_strictly", "n_ratios_reproduced"]
    return pairs.sort_values(best_first, ascending=False, kind="stable").reset_index(drop=True)


def of_its_time(claim_id: str, *, price_basis: str = "owning_hyperscaler") -> tuple[dict[str, Fact], dict[str, Fact]]:
    """Price of an hour and provisioned power of the two systems of a claim, from the newest lists that are no later than the claim.

    Raises: NoSuchRow where no list of that time has a system.

    >>> rates, kw = of_its_time("nvidia_2026_04_15_deepseek_r1")
    >>> rates["h200"].rate_vintage, kw["gb300"].power_vintage
    ('2026-03', '2026-03')
    """
    one = claim(claim_id)
    said = max(evidence.load_table("claims", claim_id=claim_id)["date"])
    names = list(one.accelerators.values())

    def newest(table: str, vintage: str, **where: str) -> dict[str, Fact]:
        lists, _ = examined(table)  # looked at, not used: only the rows of the one list are
        of_then = sorted({row for row in lists.loc[lists["accelerator"].isin(names), vintage] if row <= said}) if lists is not None else []
        return {name: evidence.fact(table, accelerator=name, **where, **{vintage: (of_then or [said])[-1]}) for name in names}

    return newest("hourly_rates", "rate_vintage", price_basis=price_basis), newest("provisioned_power", "power_vintage")


@dataclass(frozen=True)
class RatioCoverage:
    """At which interactivity a ratio is what was claimed.

    `within`: stretches (from, to) where the ratio rounds to the claimed figure; `at_least`: where it is that or more; empty
    for nowhere. Ends are as fine as the speeds of the curve.
    """

    within: tuple[tuple[float, float], ...]
    at_least: tuple[tuple[float, float], ...]
    min_ratio: float
    max_ratio: float


def speeds_where_ratio_holds(curve: pd.DataFrame, claimed: str, *, ratio: str = "ratio") -> RatioCoverage:
    """Where a ratio curve (`tok_per_s_per_user` and a ratio) is within the range that rounds to `claimed`, or above.

    Raises: QuantityError where the curve has no value at all.

    >>> curve = pd.DataFrame({"tok_per_s_per_user": [20, 40, 60, 80], "ratio": [5.0, 34.8, 39.0, np.nan]})
    >>> held = speeds_where_ratio_holds(curve, "35x lower")
    >>> held.within, held.at_least, held.min_ratio, held.max_ratio
    (((40.0, 40.0),), ((40.0, 60.0),), 5.0, 39.0)
    """
    curve = curve.sort_values(SPEED)
    speed, value = curve[SPEED].to_numpy(float), curve[ratio].to_numpy(float)
    if np.isnan(value).all():
        raise QuantityError(f"the curve of {ratio} has no value: one of the two systems reaches none of these speeds")
    low, high = printed(claimed).strict
    return RatioCoverage(
        within=stretches(speed, (value >= low) & (value <= high)),
        at_least=stretches(speed, value >= low),
        min_ratio=float(np.nanmin(value)),
        max_ratio=float(np.nanmax(value)),
    )


def largest_drop(best: Frontier) -> tuple[pd.Series, pd.Series]:
    """The edge of a curve: its two neighbouring runs between which throughput falls most for the speed gained, both as shares.

    A ratio to this curve leaps there, and beyond it says what the faster of the two runs does, not what the system could.

    Raises: QuantityError for a curve of a single run.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04")
    >>> last, after = largest_drop(tc.frontier(rows, accelerator="h200", precision="fp8", isl=1024, osl=1024))
    >>> float(last["tok_per_s_per_user"].round(1)), float(after["tok_per_s_per_user"].round(1))
    (116.7, 117.3)
    """
    if best.n_on_front < 2:
        raise QuantityError(f"the curve of {best.label} is one run; an edge lies between two")
    front = best.front
    fall = np.diff(np.log(front[best.throughput])) / np.diff(np.log(front[SPEED]))
    return front.iloc[fall.argmin()], front.iloc[fall.argmin() + 1]


def _side(rows: pd.DataFrame, one: Claim, role: str, rates: dict, provisioned_kw: dict) -> pd.DataFrame:
    """The measured rows of one system with what its printed figures can be held against, names prefixed by the role."""
    accelerator, rate = one.accelerators[role], one.rate_of(role, rates)
    side = rows[(rows["accelerator"] == accelerator) & rows[THROUGHPUT].notna() & rows[SPEED].notna()]
    if side.empty:
        raise QuantityError(f"no measured row of `{accelerator}`, the {role} of claim {one.claim_id}")
    if {"concurrency", "n_gpus"} <= set(side):
        side = side.assign(users_per_gpu=side["concurrency"] / side["n_gpus"])
    same = [name for name in SAME if name in side]
    shown = side[[name for name in SHOWN if name in side]].copy()
    shown["total_token_cost_usd_per_mtok"] = formulas.total_token_cost_usd_per_mtok(
        rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=side[THROUGHPUT]
    )
    if accelerator in provisioned_kw:
        shown["total_tok_per_s_per_mw"] = formulas.total_tok_per_s_per_mw(
            provisioned_kw_per_gpu=provisioned_kw[accelerator], total_tok_per_s_per_gpu=side[THROUGHPUT]
        )
    return pd.concat([side[same], shown.add_prefix(f"{role}_")], axis=1)


def _printed_ratios(one: Claim, pairs: pd.DataFrame) -> dict[str, tuple[pd.Series, Printed]]:
    """Each printed ratio that the pairs can be held against: the values of the pairs, the printed figure."""
    found = {}
    for row in one.ratios.itertuples():
        if f"candidate_{row.quantity}" in pairs and f"baseline_{row.quantity}" in pairs:
            value = pairs[f"candidate_{row.quantity}"] / pairs[f"baseline_{row.quantity}"]
            found[row.quantity] = (1 / value if row.direction == "inverse" else value, printed(row.printed))
    return found


def _met(figures: dict[str, tuple[pd.Series, Printed]], pairs: pd.DataFrame, reading: str) -> pd.DataFrame:
    """Which pairs lie in the range of each printed figure: one row a pair, one column a figure."""
    met = {name: values.between(*getattr(figure, reading)) for name, (values, figure) in figures.items()}
    return pd.DataFrame(met, index=pairs.index, dtype=bool)


def stretches(speed: np.ndarray, holds: np.ndarray) -> tuple[tuple[float, float], ...]:
    """First and last speed of every unbroken run in which `holds` is true."""
    edges = np.diff(np.concatenate([[0], holds.astype(int), [0]]))
    return tuple(
        (float(speed[a]), float(speed[b - 1])) for a, b in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    )
