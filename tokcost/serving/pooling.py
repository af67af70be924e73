"""Which runs feed a figure: one rule for all reports.

All runs of a model, its lengths and an accelerator, from every campaign. A figure that needs more than throughput and speed
(a start, a number of GPUs) takes all runs of every campaign that state it, and says how many do not and what they would change.
A measurement that two campaigns hold counts once: the row that states more stays.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tokcost.evidence import load_table, measured
from tokcost.quantities import QuantityError, nearest

#: one measurement in two campaigns has these labels in common, and these figures to the digits that both give
_LABELS = ["model", "accelerator", "isl", "osl", "precision", "framework", "speculative", "deployment", "concurrency"]
_FIGURES = ["total_tok_per_s_per_gpu", "tok_per_s_per_user"]
_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Pool:
    """Runs of all campaigns that answer one question: `rows` state every column of `needs`, `excluded` lack one."""

    rows: pd.DataFrame
    excluded: pd.DataFrame
    needs: tuple[str, ...]

    @property
    def without_needs(self) -> pd.DataFrame:
        """All runs, whatever they state: what a headline would rest on if it did not need those columns."""
        return pd.concat([self.rows, self.excluded]).sort_index()

    def campaigns(self) -> pd.DataFrame:
        """The campaigns of the pool, how many of their runs count or lack a column, and how far one compares with another.

        Columns: `campaign`, `n_runs`, `n_excluded`, `comparability_note`.
        """
        counted = {"n_runs": self.rows["campaign"].value_counts(), "n_excluded": self.excluded["campaign"].value_counts()}
        table = pd.DataFrame(counted).fillna(0).astype(int).rename_axis("campaign").reset_index()
        notes = load_table("captures", campaign=list(table["campaign"]))
        return table.merge(notes[["campaign", "comparability_note"]], on="campaign", how="left")


def pool(*, model: str, isl: int, osl: int, accelerator: str | list[str] | None = None, needs: Iterable[str] = ()) -> Pool:
    """All runs of every campaign of a model, its lengths and, where one is named, an accelerator, that state the columns in `needs`.

    Columns: those of data/inference.csv, in `rows` and `excluded`.
    Raises: QuantityError for a column that runs do not have or that no run states; NoSuchRow, a kind of it, where there is no run.

    >>> runs = pool(model="dsr1", isl=1024, osl=1024, accelerator="h200", needs=["median_ttft_s"])
    >>> int(runs.rows["median_ttft_s"].isna().sum()), sorted(runs.excluded["campaign"].unique())
    (0, ['inferencex_dsr1_2026_04'])
    """
    asked = {"model": model, "isl": isl, "osl": osl} | ({"accelerator": accelerator} if accelerator is not None else {})
    runs = each_once(measured(**asked))
    if runs.empty:
        raise QuantityError(f"no accelerator is left to look for runs of model {model}, isl {isl}, osl {osl}; ask for others")
    needs = (needs,) if isinstance(needs, str) else tuple(needs)
    for name in needs:
        if name not in runs:
            raise QuantityError(f"runs have no column `{name}`{nearest(name, runs.columns)}")
    is_stated = runs[list(needs)].notna().all(axis=1)
    if not is_stated.any():
        said = ", ".join(f"{name} {value}" for name, value in asked.items())
        raise QuantityError(f"none of the {len(runs)} runs of {said} states {' and '.join(needs)}; ask for less or add a campaign")
    return Pool(runs[is_stated], runs[~is_stated], needs)


def each_once(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs without repeats: of one measurement in two campaigns the row that states more stays, the first of two alike."""
    n_stated = runs.replace("", np.nan).notna().sum(axis=1).to_numpy()
    figures, campaign = runs[_FIGURES].to_numpy(float), runs["campaign"].to_numpy()
    is_repeat = np.zeros(len(runs), dtype=bool)
    for places in runs.groupby(_LABELS, dropna=False).indices.values():
        for one, other in itertools.combinations(places, 2):
            if campaign[one] != campaign[other] and (abs(figures[one] - figures[other]) <= _SAME * abs(figures[other])).all():
                is_repeat[one if n_stated[one] < n_stated[other] else other] = True
    return runs[~is_repeat].reset_index(drop=True)
