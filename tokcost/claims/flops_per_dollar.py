"""Which rated arithmetic a printed "FLOPS per dollar" was made from: precision, dense or sparse, for each system."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost import quantities as q
from tokcost.claims.claim_audit import SYSTEMS, Claim, Range, as_range, claim, quotient, verdict
from tokcost.claims.printed import printed
from tokcost.evidence import Fact
from tokcost.quantities import QuantityError

PRINTED = "peak_pflop_per_s_per_usd_per_h"
RATE = "rate_usd_per_gpu_h"
_PEAK = re.compile(r"peak_(?P<precision>\w+?)_(?P<sparsity>dense|sparse)_tflop_per_s")


def flops_candidates(claim_id: str, *, rates: dict[str, Fact | float] | None = None, claims: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every rated arithmetic rate of each system over its price, held against the "FLOPS per dollar" printed for it.

    One row for each system, precision, and dense or sparse: `peak_pflop_per_s`, `derived` (at the printed price) with the
    range of what that price stands for, `printed`, `off_frac` (derived / printed - 1) and `verdict`; nearest first.
    `rates` (accelerator to fact or number) replaces the printed prices by exact ones.

    >>> table = flops_candidates("nvidia_2026_04_15_deepseek_r1")
    >>> table.loc[table["verdict"] == "follows", ["accelerator", "precision", "sparsity"]].values.tolist()
    [['h200', 'fp8', 'sparse'], ['gb300', 'fp4', 'dense']]
    """
    one = claim(claim_id, claims)
    rows = []
    for role in SYSTEMS:
        if not one.has(role, [PRINTED, RATE]):
            raise QuantityError(
                f"claim {claim_id} does not print both {PRINTED} and {RATE} of its {role}; there is nothing to hold peaks against"
            )
        figure = one.printed[role, PRINTED]
        for (precision, sparsity), derived in _per_dollar(one, role, rates).items():
            rows.append(
                {
                    "role": role,
                    "accelerator": one.accelerators[role],
                    "precision": precision,
                    "sparsity": sparsity,
                    "peak_pflop_per_s": _peaks(one.accelerators[role])[precision, sparsity],
                    "derived": derived.value,
                    "derived_low": derived.strict[0],
                    "derived_high": derived.strict[1],
                    "printed": figure.text,
                    "off_frac": derived.value / figure.value - 1,
                    "verdict": verdict(figure, derived),
                }
            )
    table = pd.DataFrame(rows)
    return table.iloc[np.lexsort((table["off_frac"].abs(), table["role"]))].reset_index(drop=True)


def flops_ratios(claim_id: str, *, rates: dict[str, Fact | float] | None = None, claims: pd.DataFrame | None = None) -> pd.DataFrame:
    """The "FLOPS per dollar" ratio for every pair of rated rates, like for like or not, against the ratio printed.

    Columns: `baseline` and `candidate` (precision, dense or sparse), `is_like_for_like` (the same on both sides), `ratio` with
    the range of what the printed prices stand for, `printed`, `verdict`.

    >>> table = flops_ratios("nvidia_2026_04_15_deepseek_r1").set_index(["baseline", "candidate"])
    >>> table["ratio"].round(2)["fp8 dense"].to_dict()
    {'bf16 dense': 0.67, 'fp8 dense': 1.34, 'fp4 dense': 4.03}
    """
    one = claim(claim_id, claims)
    found = one.ratios[one.ratios["quantity"] == PRINTED]
    figure = printed(found["printed"].iloc[0]) if len(found) else None
    sides = {role: _per_dollar(one, role, rates) for role in SYSTEMS}
    rows = []
    for baseline, under in sides["baseline"].items():
        for candidate, over in sides["candidate"].items():
            ratio = quotient(over, under)
            rows.append(
                {
                    "baseline": " ".join(baseline),
                    "candidate": " ".join(candidate),
                    "is_like_for_like": baseline == candidate,
                    "ratio": ratio.value,
                    "ratio_low": ratio.strict[0],
                    "ratio_high": ratio.strict[1],
                    "printed": figure.text if figure else "",
                    "verdict": verdict(figure, ratio),
                }
            )
    return pd.DataFrame(rows)


def _peaks(accelerator: str) -> dict[tuple[str, str], float]:
    """Rated PFLOP/s by precision and sparsity, where a data sheet says."""
    table = evidence.accelerators([accelerator])
    named = {name: _PEAK.fullmatch(name) for name in table.columns}
    rated = table.loc[accelerator]
    return {
        (found["precision"], found["sparsity"]): rated[name] / q.TFLOP_PER_PFLOP
        for name, found in named.items()
        if found and pd.notna(rated[name])
    }


def _per_dollar(one: Claim, role: str, rates: dict | None) -> dict[tuple[str, str], Range]:
    accelerator = one.accelerators[role]
    if rates is None:
        price = as_range(one.printed[role, RATE])
    elif accelerator in rates:
        exact = float(rates[accelerator])
        price = Range(exact, (exact, exact), (exact, exact))
    else:
        raise QuantityError(f"rates has no `{accelerator}`, the {role} of claim {one.claim_id}")
    return {key: quotient(Range(peak, (peak, peak), (peak, peak)), price) for key, peak in _peaks(accelerator).items()}
