"""How well a rated figure predicts measured output: peak arithmetic against memory bandwidth.

Two accelerators make a pair where everything else was the same: model, weight precision, lengths,
framework, speculative decoding, number of GPUs, how they are split, and concurrency. The pair's
measured throughput ratio is then held against the ratio of what the data sheets say.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.quantities import QuantityError

#: all that the two sides of a pair share; measured on one node each, so that no pool sizes differ
EQUAL = (
    *("model", "precision", "isl", "osl", "framework", "speculative", "deployment"),
    *("n_gpus", "tensor_parallel", "expert_parallel", "concurrency"),
)
BANDWIDTH = "memory_bandwidth_gb_per_s"


def matched_pairs(rows: pd.DataFrame, *, throughput: str = "output_tok_per_s_per_gpu") -> pd.DataFrame:
    """Pairs of accelerators measured under equal conditions, with the ratios that predict them.

    Only aggregated deployments that say how many GPUs they used and how; repeats count as their median.
    `pair` names the two alphabetically; `slower` and `faster` are named by what was measured, so that `throughput_ratio`
    is 1 or more. `peak_flop_ratio` is of rated dense arithmetic at the precision of the weights (NaN where either is not
    rated for it), `bandwidth_ratio` of rated memory bandwidth, both in the same direction.

    Columns: what a pair shares (`EQUAL`), `pair`, `slower`, `faster`, and the three ratios.
    Raises: QuantityError where a column that tells equal conditions is missing.

    >>> matched_pairs(evidence.measured(model="dsr1"))[["throughput_ratio", "bandwidth_ratio"]].median().round(1).tolist()
    [1.4, 1.3]
    """
    missing = [name for name in (*EQUAL, "accelerator", throughput) if name not in rows]
    if missing:
        raise QuantityError(f"equal conditions cannot be told: the rows have no column `{missing[0]}`")
    rows = rows[(rows["deployment"] == "aggregated") & rows[[throughput, "n_gpus", "tensor_parallel"]].notna().all(axis=1)]
    measured = rows.groupby([*EQUAL, "accelerator"], dropna=False)[throughput].median().reset_index()
    group = measured.groupby(list(EQUAL), dropna=False).ngroup().to_numpy()
    order = np.lexsort((measured[throughput], group))  # within a group from the slowest to the fastest
    measured = measured.iloc[order]
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(starts, append=len(measured))
    every = [start + np.stack(np.triu_indices(size, 1)) for start, size in zip(starts, sizes, strict=True) if size > 1]
    if not every:
        return pd.DataFrame(columns=[*EQUAL, "pair", "slower", "faster", "throughput_ratio", "peak_flop_ratio", "bandwidth_ratio"])
    slow, fast = (measured.iloc[side].reset_index(drop=True) for side in np.concatenate(every, axis=1))
    rated = evidence.accelerators(sorted(measured["accelerator"].unique()))
    names = slow["accelerator"], fast["accelerator"]
    peaks = {one: _ratio(rated[f"peak_{one}_dense_tflop_per_s"], *names) for one in slow["precision"].unique()}
    return slow[list(EQUAL)].assign(
        pair=[" / ".join(sorted(name.upper() for name in pair)) for pair in zip(*names, strict=True)],
        slower=names[0],
        faster=names[1],
        throughput_ratio=fast[throughput] / slow[throughput],
        peak_flop_ratio=sum(ratio.where(slow["precision"] == precision, 0.0) for precision, ratio in peaks.items()),
        bandwidth_ratio=_ratio(rated[BANDWIDTH], *names),
    )


def _ratio(rating: pd.Series, slower: pd.Series, faster: pd.Series) -> pd.Series:
    return faster.map(rating) / slower.map(rating)
