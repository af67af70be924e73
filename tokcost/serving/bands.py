"""Bands of estimates: how wide they must be for a chip or model that is new, and how many of its runs such a band can be asked to hold.

What is new about a chip or a model, and about each software on it, moves all of its runs together. So a band that is right holds its
share on average over new chips and models, and of a single one more or fewer: how many more or fewer follows from how much of the
errors moves together (`right_band_range`), and no width of a band changes that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

#: the two questions that an estimate answers: a column of errors, and how tables say it
READINGS = {"at_load": "at a load", "at_speed": "at a speed"}
LEVELS = np.array([0, 0.005, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.995, 1])
#: runs that err together: one model on one chip by one software
TOGETHER = ["model", "accelerator", "precision", "framework"]
#: fewer runs than this do not say how far they spread
_TELLING = 10
#: fewer chips or models than this say how far errors go, but not which way
_FEWEST = 5
_EVEN = (np.arange(200) + 0.5) / 200
#: the same of offsets; what lies outside of the last hundredth, a handful of chips cannot say
_EVEN_OFFSETS = (np.arange(50) + 0.5) / 50
_N_SIMULATED = 4000
#: all shares of one simulation lie in their ranges with this probability
_SURE = 0.95


def steepness(output_change: np.ndarray, speed_change: np.ndarray) -> np.ndarray:
    """Root of 1 and the percent of output that a percent more speed costs: errors at a speed are that power of those of a flat curve.

    A curve that is off by a percent is off by more at a speed, where it falls: the more, the steeper. In full proportion to that, bands
    would be too wide where it falls off altogether. Of the powers tried, the root gave the sharpest bands that hold their share.

    >>> float(steepness(np.array(-0.03), np.array(0.01)))
    2.0
    """
    return np.sqrt(1 + np.abs(output_change / speed_change))


def scores(errors: pd.DataFrame, reading: str) -> pd.Series:
    """Errors (logarithms) as bands count them: at a speed, divided by how steep the curve is there."""
    return errors[reading] / errors["steepness"] if reading == "at_speed" else errors[reading]


def quantiles(errors: pd.DataFrame, reading: str, levels: np.ndarray) -> np.ndarray:
    """Quantiles of measured over estimated for a chip or model that is none of those left out; each of these counts alike.

    A new one is off by something of its own, which is drawn as the offsets (medians) of those before were: from Student's t, as they
    are few. Its runs lie around that as the runs of those before lay around theirs. Where fewer than five were left out, which way they
    erred is chance, and the offset is taken around zero. At a speed, of a curve that is level there.
    """
    known = errors.assign(score=scores(errors, reading)).dropna(subset=["score"])
    groups = known.groupby(["left_out", "held_out"])["score"]
    offsets = groups.median().to_numpy()
    around = np.concatenate([np.quantile(one - one.median(), _EVEN) for _, one in groups])
    n = len(offsets)
    middle, n_free = (offsets.mean(), n - 1) if n >= _FEWEST else (0.0, n)
    apart = np.sqrt(((offsets - middle) ** 2).sum() / n_free * (1 + 1 / n))
    new = middle + apart * stats.t.ppf(_EVEN_OFFSETS, n_free)
    return np.exp(np.quantile((new[:, None] + around).ravel(), levels))


def error_quantiles(errors: pd.DataFrame) -> pd.DataFrame:
    """What bands are made of: quantiles of measured over estimated, by basis, at a load and at a speed.

    Columns: `basis`, `reading`, `quantile_frac`, `truth_ratio` (at a speed, of a curve that is level there), `n_observations`.
    """
    rows = []
    for basis, of_basis in errors.groupby("basis"):
        for reading, said in READINGS.items():
            found, n = quantiles(of_basis, reading, LEVELS), int(of_basis[reading].notna().sum())
            rows += [(basis, said, level, float(f"{ratio:.3g}"), n) for level, ratio in zip(LEVELS, found, strict=True)]
    return pd.DataFrame(rows, columns=["basis", "reading", "quantile_frac", "truth_ratio", "n_observations"])


def is_held(errors: pd.DataFrame, reading: str, level: float = 0.8, *, by: pd.Series | None = None) -> pd.Series:
    """Whether each run lies in the band that the errors of the same basis on other chips or models alone would give; NaN without any.

    No run of the chip or model itself has a say, not even one that was estimated while something else was left out; nor one that is
    false in `by`, where that is given.
    """
    held = pd.Series(np.nan, index=errors.index)
    known = errors.assign(score=scores(errors, reading), may_say=True if by is None else by).dropna(subset=["score"])
    for (basis, left_out, held_out), runs in known.groupby(["basis", "left_out", "held_out"]):
        others = known[known["may_say"] & (known["basis"] == basis) & (known[str(left_out)] != held_out)]
        if len(others):
            low, high = np.log(quantiles(others, reading, np.array([(1 - level) / 2, (1 + level) / 2])))
            held[runs.index] = runs["score"].between(low, high).astype(float)
    return held


def spread(runs: pd.DataFrame) -> tuple[float, float, np.ndarray]:
    """How far `score` spreads: from chip to chip (or model), on one from software to software, and from run to run of each of these.

    Standard deviations. The first two are what is left of the spread of means when the spread of what they are means of is taken off,
    and not below zero; the third is one for each software that has ten runs or more, or one for all where none has.

    >>> runs = pd.DataFrame({"held_out": [*"aabb"], **{name: [*"ccdd"] for name in TOGETHER}, "score": [0.9, 1.1, -1.1, -0.9]})
    >>> chips, software, within = spread(runs)
    >>> round(chips, 1), software, within.round(2).tolist()
    (1.4, 0.0, [0.14])
    """
    alike = runs.groupby(["held_out", *TOGETHER], dropna=False)["score"]
    variance, sizes, means = alike.var(), alike.size(), alike.mean()
    pooled = float((variance * (sizes - 1)).sum() / max(1, (sizes - 1).sum()))
    noise = pooled * float((1 / sizes).mean())
    telling = variance[sizes >= _TELLING].to_numpy()
    by_chip = means.groupby("held_out")
    n_free = (by_chip.size() - 1).sum()
    around = float(((means - by_chip.transform("mean")) ** 2).sum() / n_free) if n_free else 0.0
    software = max(0.0, around - noise)
    chips = max(0.0, float(np.nan_to_num(by_chip.mean().var())) - float(((software + noise) / by_chip.size()).mean()))
    return float(np.sqrt(chips)), float(np.sqrt(software)), np.sqrt(telling if len(telling) else np.array([pooled]))


def right_band_shares(runs: pd.DataFrame, reading: str, level: float = 0.8) -> pd.DataFrame:
    """What a band that is exactly right would hold of chips or models like these: simulated shares, one column each, one row a draw.

    Errors are drawn with the spreads that were found (normal; of each basis its own), for as many runs of as many software on each chip.
    The band is the one that holds its share of all that is drawn, so that nothing but chance and what moves together sets the shares
    of single chips apart.
    """
    rng = np.random.default_rng(1)
    known = runs.assign(score=scores(runs, reading)).dropna(subset=["score"])
    cells = known.groupby(["held_out", *TOGETHER, "basis"], dropna=False).size().reset_index(name="n")
    chip, names = pd.factorize(cells["held_out"])
    alike = cells.groupby(["held_out", *TOGETHER], dropna=False).ngroup().to_numpy()
    of_chip = rng.standard_normal((_N_SIMULATED, len(names)))[:, chip]
    of_software = rng.standard_normal((_N_SIMULATED, alike.max() + 1))[:, alike]
    rank = rng.random((_N_SIMULATED, alike.max() + 1))[:, alike]
    held = np.empty((_N_SIMULATED, len(cells)))
    for basis, one in known.groupby("basis"):
        those = (cells["basis"] == basis).to_numpy()
        chips, software, found = spread(one)
        offset = chips * of_chip[:, those] + software * of_software[:, those]
        within = np.sort(found)[(rank[:, those] * len(found)).astype(int)]
        half = np.quantile(np.abs(offset + within * rng.standard_normal(offset.shape)), level)
        within = np.maximum(within, max(half, 1e-3) * 1e-9)  # also where all err alike
        share = stats.norm.cdf((half - offset) / within) - stats.norm.cdf((-half - offset) / within)
        held[:, those] = rng.binomial(cells["n"].to_numpy()[those], share)
    return pd.DataFrame({name: held[:, chip == k].sum(axis=1) / cells["n"][chip == k].sum() for k, name in enumerate(names)})


def right_band_range(shares: pd.DataFrame) -> pd.DataFrame:
    """Between which shares a right band holds each chip or model, all of them at once in 95 of 100 cases, and all on average.

    Columns: `low` and `high`, by name, and one row more, `all`.
    """
    tail = (1 - _SURE) / 2
    rows = shares.quantile([tail / shares.shape[1], 1 - tail / shares.shape[1]]).T
    rows.loc["all"] = shares.mean(axis=1).quantile([tail, 1 - tail]).to_numpy()
    return rows.set_axis(["low", "high"], axis=1)
