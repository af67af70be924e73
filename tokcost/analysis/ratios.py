"""How many times cheaper, over speed, lengths and precision."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost.serving.compare import ratio_at
from tokcost.serving.pareto_frontier import SPEED, Frontier, frontier


def lengths(isl: int, osl: int) -> str:
    """Prompt and answer length as the field writes them.

    >>> lengths(8192, 1024), lengths(1000, 128)
    ('8k/1k', '1,000/128')
    """
    return "/".join(f"{n // 1024}k" if n % 1024 == 0 else f"{n:,}" for n in (isl, osl))


def cost_curves(rows: pd.DataFrame, systems: list[tuple[str, str]], *, isl: int, osl: int, rates: dict) -> pd.DataFrame:
    """Cost over interactivity, one series for each (accelerator, precision), between its slowest and fastest measured speed.

    `rates` maps accelerators to rates. Columns: the speed, throughput, cost, `accelerator`, `series`.
    """
    tables = [
        _best(rows, accelerator, precision, isl, osl)
        .curve(rates[accelerator])
        .assign(accelerator=accelerator, series=f"{accelerator} {precision}".upper())
        for accelerator, precision in systems
    ]
    return pd.concat(tables, ignore_index=True)


def ratio_curves(
    rows: pd.DataFrame, *, baseline: str, candidate: str, cases, of: str, facts: dict, tok_per_s_per_user=None
) -> pd.DataFrame:
    """The ratio at equal interactivity, above 1 in favour of the candidate, one series a case.

    `rows` are measured rows of one model; `cases` are tuples (ISL, OSL, baseline precision, candidate precision); `of` is
    "cost", "throughput" or "per_mw", and `facts` maps both accelerators to the rates or power figures that it needs.
    Without speeds of your own: 480 of them over everything that either system reached, NaN where only one did.
    Columns: `isl`, `osl`, `series`, the speed, `ratio`.
    """
    tables = []
    for isl, osl, baseline_precision, candidate_precision in cases:
        base = _best(rows, baseline, baseline_precision, isl, osl)
        cand = _best(rows, candidate, candidate_precision, isl, osl)
        speeds = _all_speeds(base, cand) if tok_per_s_per_user is None else np.atleast_1d(np.asarray(tok_per_s_per_user, dtype=float))
        ratio = ratio_at(
            cand, base, tok_per_s_per_user=speeds, of=of, candidate_fact=facts[candidate], baseline_fact=facts[baseline],
            differing=("precision", "speculative", "campaign"),
        )  # fmt: skip
        ours, theirs = candidate_precision.upper(), baseline_precision.upper()
        pair = f"{ours} on both" if ours == theirs else f"{ours} against {theirs}"
        tables.append(pd.DataFrame({"isl": isl, "osl": osl, "series": f"{lengths(isl, osl)}, {pair}", SPEED: speeds, "ratio": ratio}))
    return pd.concat(tables, ignore_index=True)


def _best(rows, accelerator: str, precision: str, isl: int, osl: int) -> Frontier:
    return frontier(rows, accelerator=accelerator, precision=precision, isl=isl, osl=osl)


def _all_speeds(first: Frontier, second: Frontier) -> np.ndarray:
    """Fine enough that the ends of both curves are on the grid: a ratio changes most where one ends."""
    ends = [*first.reach, *second.reach]
    return np.unique(np.concatenate([np.geomspace(min(ends), max(ends), 480).clip(min(ends), max(ends)), ends]))
