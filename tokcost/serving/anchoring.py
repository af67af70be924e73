"""What measured runs correct of an estimate: at their own load all of it, less with each doubling away from them.

Between two runs the correction passes from one to the other. Both follow from one assumption, that errors at two loads share what
`fading` says: the correction is the best guess from the runs (kriging with an exponential correlation of the logarithm of the load).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from tokcost.evidence.soundness import IN_FLIGHT_SHARE
from tokcost.quantities import QuantityError, check_value
from tokcost.serving.calibration import mean_length_frac
from tokcost.serving.pareto_frontier import SPEED

OUTPUT = "output_tok_per_s_per_gpu"
#: how far the load that is asked is from those of the anchors, each with a band of its own
NEAR, FAR, BETWEEN = ", half to twice its load", ", another load", ", between two anchors"
#: an anchor is near where its load is at most that many times more or less
NEAR_RATIO = 2.01
#: one measured run, or several of one software at different loads
Anchor: TypeAlias = "Mapping[str, Any] | pd.Series | pd.DataFrame | Sequence[Mapping[str, Any] | pd.Series]"
_STATED = ("concurrency", SPEED, OUTPUT)


def fading(kept_frac: float, load: np.ndarray, anchor_load: np.ndarray | float) -> np.ndarray:
    """Share of an anchor's correction that is left at another load: `kept_frac` for every doubling or halving.

    >>> fading(0.9, np.array([16.0, 32.0, 128.0]), 32.0).round(2).tolist()
    [0.9, 1.0, 0.81]
    """
    return kept_frac ** np.abs(np.log2(load / anchor_load))


def corrections(kept_frac: float, load: np.ndarray, anchor_loads: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Correction (logarithm) at loads, from what anchors correct at theirs; the last axis of `anchor_loads` and `logs` counts anchors.

    One anchor's fades; between two that correct alike it hardly does, and at each of them it is its own.

    >>> corrections(0.5, np.array([4.0, 8.0, 16.0]), np.array([8.0]), np.array([0.2])).tolist()
    [0.1, 0.2, 0.1]
    >>> corrections(0.5, np.array([4.0, 8.0, 16.0, 32.0]), np.array([4.0, 16.0]), np.array([0.2, 0.2])).round(2).tolist()
    [0.2, 0.16, 0.2, 0.1]
    """
    shared = fading(kept_frac, anchor_loads[..., :, None], anchor_loads[..., None, :])
    weights = np.linalg.solve(shared, logs[..., None])[..., 0]
    return (fading(kept_frac, load[..., None], anchor_loads) * weights).sum(axis=-1)


def how_far(load: np.ndarray, anchor_loads: np.ndarray) -> np.ndarray:
    """How far loads are from those of the anchors, as the basis of an estimate says it.

    >>> how_far(np.array([8.0, 20.0, 64.0]), np.array([16.0])).tolist()
    [', half to twice its load', ', half to twice its load', ', another load']
    >>> how_far(np.array([20.0]), np.array([4.0, 64.0])).tolist()
    [', between two anchors']
    """
    nearest = np.abs(np.log(load[..., None] / anchor_loads)).min(axis=-1)
    said = np.where(nearest <= np.log(NEAR_RATIO), NEAR, FAR).astype(object)
    is_between = (load >= anchor_loads.min(axis=-1)) & (load <= anchor_loads.max(axis=-1)) & (anchor_loads.shape[-1] > 1)
    return np.where(is_between, BETWEEN, said)


def checked_anchors(anchor: Anchor, asked: dict[str, Any]) -> pd.DataFrame:
    """The load, speed and output of anchors, one a row, if each is a run of what is asked; lengths may be nominal ones.

    Raises: QuantityError for what is no run, contradicts itself or is of something else, and for runs that do not go together.
    """
    given: Any = anchor
    rows = given.to_dict("records") if isinstance(given, pd.DataFrame) else [given] if isinstance(given, Mapping | pd.Series) else given
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(row, Mapping | pd.Series) for row in rows):
        raise QuantityError(
            f"`anchor` must be a measured run (a row of data/inference.csv or a mapping) or a table of several, got {type(anchor).__name__}"
        )
    runs = [_checked(row, asked) for row in rows]
    if not runs:
        raise QuantityError("`anchor` has no run; leave it out, or give one with " + ", ".join(_STATED))
    if len(said := {str(run["framework"]) for run in runs if "framework" in run}) > 1:
        raise QuantityError(f"anchors must be runs of one software, these have framework {' and '.join(sorted(said))}; keep those of one")
    table = pd.DataFrame([{name: float(run[name]) for name in _STATED} for run in runs])
    if (twice := table["concurrency"].duplicated()).any():
        raise QuantityError(f"two anchors have {table.loc[twice, 'concurrency'].iloc[0]:g} requests in flight; give their median, or one")
    return table


def _checked(anchor: Mapping[str, Any] | pd.Series, asked: dict[str, Any]) -> dict[str, Any]:
    """One anchor, if it is a run of what is asked: what it says of itself must agree."""
    run = {str(name): value for name, value in dict(anchor).items() if not (isinstance(value, float) and np.isnan(value))}
    for name in _STATED:
        if name not in run:
            raise QuantityError(f"the anchor must state `{name}`; give a measured run with concurrency, {SPEED} and {OUTPUT}")
        check_value(name, run[name])
    read, written = float(run["concurrency"]) * float(run[SPEED]), float(run[OUTPUT]) * asked["n_gpus"]
    if not IN_FLIGHT_SHARE[0] * read <= written <= IN_FLIGHT_SHARE[1] * read:
        raise QuantityError(
            f"the anchor contradicts itself: its GPUs write {written:g} tokens/s and its users receive {read:g}; "
            f"give {OUTPUT} for each of the {asked['n_gpus']} GPUs, and all requests in flight as concurrency"
        )
    share = mean_length_frac(str(run["campaign"])) if "campaign" in run else 1.0
    for name, wanted in asked.items():
        if name not in run or run[name] in (wanted, "unlabelled"):
            continue
        if name in ("isl", "osl") and np.isclose(float(run[name]) * share, wanted, rtol=0.02):
            continue
        nominal = f" (mean lengths are {share:g} of the nominal ones that it states)" if name in ("isl", "osl") and share < 1 else ""
        raise QuantityError(
            f"the anchor has {name} `{run[name]}`, asked is `{wanted}`{nominal}; a run corrects estimates of its own model, GPUs, split "
            "and lengths only, at any number of requests in flight: ask for what it ran, or estimate without an anchor"
        )
    return run
