"""How far off measured runs, readings between them and price lists turned out to be: quantiles, derived from the tables of data/.

    python -m tokcost.doubt.spreads      work data/observed_spreads.csv out again, after a change of the tables it comes from

Each row is a quantile of the truth over the figure that one would have used. A test recomputes the table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.doubt.distributions import from_quantiles
from tokcost.quantities import QuantityError, nearest
from tokcost.serving import frontier, leave_one_out
from tokcost.serving.bands import READINGS
from tokcost.serving.pareto_frontier import CONFIGURATION

if TYPE_CHECKING:
    from scipy.stats.distributions import rv_frozen

TABLE = "observed_spreads"
REPEAT, BETWEEN, NEXT_RUN = "repeat runs", "between two runs", "next faster run"
PRICES_TOGETHER, ONE_PRICE = "price list, all together", "price list, one accelerator"
LEVELS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
#: how many times throughput falls from the run on the one side to that on the other
FALLS = (1.0, 2.0, 3.0, 5.0, 10.0, np.inf)
#: how well a run says what was run, which decides how far a repeat of it may lie
ANY, AGGREGATED, STATED, NOT_STATED = "any", "aggregated", "disaggregated, GPUs stated", "disaggregated, GPUs not stated"

_CURVE = ["model", "isl", "osl", "campaign", *CONFIGURATION]
_SAME_RUN = [*_CURVE, "concurrency", "n_gpus", "tensor_parallel", "expert_parallel", "n_prefill_gpus", "n_decode_gpus", "run_date", "image"]
_LOCATOR = {
    REPEAT: "data/inference.csv, measured runs alike in all columns of a configuration; what the source leaves empty counts as alike",
    BETWEEN: "data/inference.csv, every inner run of every configuration left out in turn",
    NEXT_RUN: "data/inference.csv, every inner run of every configuration left out in turn",
    PRICES_TOGETHER: "data/hourly_rates.csv, average change from one vintage to the next, either way",
    ONE_PRICE: "data/hourly_rates.csv, change of one accelerator beside that average, either way",
}


def repeat_group(run: pd.Series) -> str:
    """Which repeats a run is like: a disaggregated one that does not state its GPUs may not have been repeated at all.

    Any, where nothing says how it was deployed.

    >>> repeat_group(pd.Series({"deployment": "disaggregated", "n_gpus": 56}))
    'disaggregated, GPUs stated'
    """
    deployment = run.get("deployment")
    if deployment in (AGGREGATED, "disaggregated"):
        return AGGREGATED if deployment == AGGREGATED else NOT_STATED if pd.isna(run["n_gpus"]) else STATED
    return ANY


def fall_group(fall_ratio: float) -> str:
    """The group of a fall of throughput between two runs: "2 to 3".

    >>> fall_group(1.0), fall_group(2.5), fall_group(80)
    ('1 to 2', '2 to 3', '10 and more')
    """
    k = int(np.searchsorted(FALLS[1:-1], fall_ratio))
    return f"{FALLS[k]:g} to {FALLS[k + 1]:g}" if np.isfinite(FALLS[k + 1]) else f"{FALLS[k]:g} and more"


def factor(doubt: str, group: str) -> rv_frozen:
    """What the truth may be, as a multiple of a figure, by the observed quantiles of data/observed_spreads.csv.

    Raises: QuantityError for a doubt or a group that was not observed.

    >>> factor("repeat runs", "aggregated").ppf([0.05, 0.95]).round(2).tolist()
    [0.96, 1.05]
    """
    evidence.load_table(TABLE)  # each time: a report cites what it used
    known = _quantiles(evidence.data_dir())
    if doubt not in (doubts := dict.fromkeys(one for one, _ in known)):
        raise QuantityError(f"no doubt `{doubt}` was observed{nearest(doubt, doubts)}")
    if (doubt, group) not in known:
        raise QuantityError(f"no group `{group}` was observed{nearest(group, [of for one, of in known if one == doubt])}")
    return _factor(evidence.data_dir(), doubt, group)


@cache
def _quantiles(folder: Path) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Levels and multiples of every doubt and group, from the table of a folder."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    rows = evidence.load_table(TABLE)
    for doubt, group, *one in zip(*(rows[name] for name in ("doubt", "group", "quantile_frac", "truth_ratio")), strict=True):
        found.setdefault((doubt, group), []).append(tuple(one))
    return found


@cache
def _factor(folder: Path, doubt: str, group: str) -> rv_frozen:
    levels, ratios = zip(*_quantiles(folder)[doubt, group], strict=True)
    return from_quantiles(levels, ratios)


def estimate_factor(basis: str, steepness: float = 1.0) -> rv_frozen:
    """What the truth may be at a speed, as a multiple of an estimate, by what it rests on and how steep its curve is there.

    From data/estimate_errors.csv; `steepness` is that of the reading's bracket, 1 on a level curve.

    >>> low, high = estimate_factor("calibrated, dense model").ppf([0.1, 0.9])
    >>> bool(low < 1 < high)
    True
    """
    rows = evidence.load_table("estimate_errors", basis=basis, reading=READINGS["at_speed"]).sort_values("quantile_frac")
    return from_quantiles(rows["quantile_frac"].tolist(), (rows["truth_ratio"] ** steepness).tolist())


def observed() -> pd.DataFrame:
    """The observed spreads, worked out from the tables of measured runs and prices.

    Columns: `doubt`, `group`, `quantile_frac`, `truth_ratio` (truth over figure, four digits), `n_observations`.
    """
    rows = []
    for doubt, group, logs in (*_repeats(), *_left_out(), *_revisions()):
        ratios = np.exp(np.quantile(logs, LEVELS))
        rows += [(doubt, group, level, float(f"{ratio:.4g}"), len(logs)) for level, ratio in zip(LEVELS, ratios, strict=True)]
    return pd.DataFrame(rows, columns=["doubt", "group", "quantile_frac", "truth_ratio", "n_observations"])


def _repeats() -> Iterator[tuple[str, str, np.ndarray]]:
    """How far a run lies from the average of its repeats; more by the share that it pulls that average to itself. Either way."""
    runs = evidence.measured(is_throughput_derived=False)
    logs = np.log(runs["total_tok_per_s_per_gpu"])
    alike = logs.groupby([runs[name] for name in _SAME_RUN], dropna=False)
    n = alike.transform("size")
    away = ((logs - alike.transform("mean")) * np.sqrt(n / (n - 1).clip(lower=1)))[n > 1]
    groups = runs.loc[away.index].apply(repeat_group, axis=1)
    for group in (AGGREGATED, STATED, NOT_STATED, ANY):
        yield REPEAT, group, _either_way(away if group == ANY else away[groups == group])


def _left_out() -> Iterator[tuple[str, str, np.ndarray]]:
    """The runs that were left out, over what was read at their place and over the next faster run."""
    errors = left_out_runs()
    for doubt, column in ((BETWEEN, "read_ratio"), (NEXT_RUN, "next_ratio")):
        for low, high in pairwise(FALLS):
            here = errors[(errors["fall_ratio"] > low) & (errors["fall_ratio"] <= high)]
            yield doubt, fall_group(min(high, 2 * low)), np.log(here[column].to_numpy())


def left_out_runs() -> pd.DataFrame:
    """Every inner run of every measured configuration, left out in turn.

    Columns: `curve` (a number for each configuration) and those of `serving.leave_one_out`.
    """
    curves = [frontier(rows) for _, rows in evidence.measured().groupby(_CURVE, dropna=False)]
    return pd.concat([leave_one_out(one).assign(curve=k) for k, one in enumerate(curves) if one.n_on_front > 2], ignore_index=True)


def _revisions() -> Iterator[tuple[str, str, np.ndarray]]:
    """How far price lists moved: all accelerators of a list together, and one beside the others."""
    rates = evidence.load_table("hourly_rates")
    for basis, rows in rates.groupby("price_basis"):
        logs = np.log(rows.pivot(index="accelerator", columns="rate_vintage", values="value").sort_index(axis=1))
        changes = logs.diff(axis=1).iloc[:, 1:].dropna(axis=1, how="all")
        yield PRICES_TOGETHER, str(basis), _either_way(changes.mean())
        yield ONE_PRICE, str(basis), _either_way((changes - changes.mean()).stack().dropna())


def _either_way(logs: pd.Series) -> np.ndarray:
    return np.concatenate([logs.to_numpy(), -logs.to_numpy()])


def as_csv() -> str:
    """The text of data/observed_spreads.csv, as the tables of runs and prices have it now."""
    tail = {"source_id": "tokcost_derived", "date": "2026-11-27", "kind": "measured"}
    table = observed().assign(**tail)
    table.insert(6, "locator", table["doubt"].map(_LOCATOR))
    return table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)


def main() -> None:
    """Write data/observed_spreads.csv."""
    (evidence.data_dir() / f"{TABLE}.csv").write_text(as_csv(), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
