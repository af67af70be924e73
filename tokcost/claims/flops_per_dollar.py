"""Which rated arithmetic a printed "FLOPS per dollar" was made from: precision, dense or sparse, for each system."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost import quantities as q
from tokcost.claims.claim_audit import SYSTEMS, Claim, claim, exact, quotient, verdict
from tokcost.claims.printed import Range, printed
from tokcost.evidence import Fact
from tokcost.quantities import QuantityError

PRINTED = "peak_pflop_per_s_per_usd_per_h"
RATE = "rate_usd_per_gpu_h"
_PEAK = re.compile(r"peak_(?P<precision>\w+?)_(?P<sparsity>dense|sparse)_tflop_per_s")


def flops_candidates(claim_id: str, *, rates: dict[str, Fact | float] | None = None, claims: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every rated peak of each system over its price, held against the "FLOPS per dollar" printed for it, where one is.

    `rates` (accelerator to fact or number) replaces the printed prices by exact ones.

    Columns: the system, precision, dense or sparse, `peak_pflop_per_s`, `derived` (at the printed price) with the range of what
    that price stands for, `printed`, `off_frac` (derived / printed - 1) and `verdict`; nearest first.
    Raises: QuantityError for a system without a rate.

    >>> table = flops_candidates("nvidia_2026_04_15_deepseek_r1")
    >>> table.loc[table["verdict"] == "follows", ["accelerator", "precision", "sparsity"]].values.tolist()
    [['h200', 'fp8', 'sparse'], ['gb300', 'fp4', 'dense']]
    """
    one = claim(claim_id, claims)
    rows = []
    for role in SYSTEMS:
        if rates is None and not one.has(role, [RATE]):
            raise QuantityError(f"claim {claim_id} does not print {RATE} of its {role}; hand the price in: rates={{ACCELERATOR: USD}}")
        figure, accelerator = one.printed.get((role, PRINTED)), one.accelerators[role]
        for (precision, sparsity), peak, derived in _per_dollar(one, role, rates):
            off_frac = derived.value / figure.value - 1 if figure else np.nan
            held = (peak, derived.value, *derived.strict, figure.text if figure else "", off_frac, verdict(figure, derived))
            rows.append((role, accelerator, precision, sparsity, *held))
    columns = ["role", "accelerator", "precision", "sparsity", "peak_pflop_per_s"]
    columns += ["derived", "derived_low", "derived_high", "printed", "off_frac", "verdict"]
    table = pd.DataFrame(rows, columns=columns)
    return table.iloc[np.lexsort((table["off_frac"].abs(), table["role"]))].reset_index(drop=True)


def flops_ratios(claim_id: str, *, rates: dict[str, Fact | float] | None = None, claims: pd.DataFrame | None = None) -> pd.DataFrame:
    """The "FLOPS per dollar" ratio for every pair of rated peaks, like for like or not, against the ratio printed.

    Columns: `baseline` and `candidate` (precision, dense or sparse), `is_like_for_like` (the same on both sides), `ratio` with
    the range of what the printed prices stand for, `printed`, `verdict`.

    >>> table = flops_ratios("nvidia_2026_04_15_deepseek_r1").set_index(["baseline", "candidate"])
    >>> table["ratio"].round(2)["fp8 dense"].to_dict()
    {'bf16 dense': 0.67, 'fp8 dense': 1.34, 'fp4 dense': 4.03}
    """
    one = claim(claim_id, claims)
    found = one.ratios[one.ratios["quantity"] == PRINTED]
    figure = printed(found["printed"].iloc[0]) if len(found) else None
    rows = []
    for baseline, _, under in _per_dollar(one, "baseline", rates):
        for candidate, _, over in _per_dollar(one, "candidate", rates):
            ratio = quotient(over, under)
            held = (ratio.value, *ratio.strict, figure.text if figure else "", verdict(figure, ratio))
            rows.append((" ".join(baseline), " ".join(candidate), baseline == candidate, *held))
    columns = ["baseline", "candidate", "is_like_for_like", "ratio", "ratio_low", "ratio_high", "printed", "verdict"]
    return pd.DataFrame(rows, columns=columns)


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


def _per_dollar(one: Claim, role: str, rates: dict | None) -> list[tuple[tuple[str, str], float, Range]]:
    """Precision and sparsity, the peak rated for them, and that peak over the price of the hour."""
    price = one.printed[role, RATE] if rates is None else exact(float(one.rate_of(role, rates)))
    return [(key, peak, quotient(exact(peak), price)) for key, peak in _peaks(one.accelerators[role]).items()]
