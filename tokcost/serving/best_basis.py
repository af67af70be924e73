"""The best that is known of a chip at one speed: a measured run before an estimate, and of estimates the one that rests on more."""

from __future__ import annotations

from typing import cast

import pandas as pd

from tokcost.quantities import QuantityError, check_value
from tokcost.serving.accuracy import ANCHORED, CALIBRATED, TEXTBOOK
from tokcost.serving.calibration import MEAN_LENGTH_FRAC, RANDOM_LENGTH_FRAC
from tokcost.serving.estimation import TOTAL, estimate_at
from tokcost.serving.pareto_frontier import SPEED, Frontier
from tokcost.serving.reading import Reading

#: kinds of estimates, the best first
_BEST_FIRST = (ANCHORED, CALIBRATED, TEXTBOOK)


def best_basis(measured: Frontier | None, estimates: pd.DataFrame, *, tok_per_s_per_user: float) -> Frontier | pd.DataFrame:
    """What knows most of a chip at a speed: the measured curve where it reaches that speed, else the estimates of the best basis that do.

    `measured` is the curve of the runs that there are, or None; `estimates` holds rows of `tc.serving.estimate`, of one basis or of
    several: anchored ones come before calibrated ones, and these before textbook ones. Runs and estimates are never mixed.

    Raises: QuantityError where neither reaches the speed, and for estimates of another model, chip, precision or lengths than the runs.

    >>> rows = tc.serving.estimate("llama70b", "b300", "fp8", batch=[8, 16, 32], isl=1024, osl=1024, tensor_parallel=4)
    >>> best_basis(None, rows, tok_per_s_per_user=60)["basis"].iloc[0]
    'calibrated, dense model'
    """
    check_value(SPEED, tok_per_s_per_user)
    if measured is not None:
        _require_alike(measured, estimates)
        if measured.reach[1] >= tok_per_s_per_user:
            return measured
    for kind in _BEST_FIRST:
        rows = estimates[estimates["basis"].str.partition(",")[0] == kind]
        if (rows[SPEED] >= tok_per_s_per_user).any():
            return rows
    ran = "there is no run" if measured is None else f"runs reach {measured.reach[1]:.4g}"
    said = f"estimates {estimates[SPEED].max():.2g}" if estimates[SPEED].notna().any() else "no estimate fits"
    raise QuantityError(f"nothing is known at {tok_per_s_per_user:g} tok/s/user: {ran}, {said}; ask for a lower speed or a smaller batch")


def best_at(
    measured: Frontier | None, estimates: pd.DataFrame, *, tok_per_s_per_user: float, throughput: str = TOTAL, level: float = 0.8
) -> Reading:
    """Throughput at a speed on the best basis that there is, with its bounds; `bracket.basis` names the basis.

    What takes a throughput takes it: `tc.decide`, `tc.load` and `tc.doubt.headline`, which adds the band of an estimate to the doubts.
    `tc.load.best_point` is the same for a replica. Where all that is known is faster, the slowest stands: it is fast enough.

    Raises: QuantityError as `best_basis` does.

    >>> rows = tc.serving.estimate("llama70b", "b300", "fp8", batch=[8, 16, 32], isl=1024, osl=1024, tensor_parallel=4)
    >>> best_at(None, rows, tok_per_s_per_user=70).bracket.basis
    'calibrated, dense model'
    """
    best = best_basis(measured, estimates, tok_per_s_per_user=tok_per_s_per_user)
    if isinstance(best, Frontier):
        return cast(Reading, best.at(tok_per_s_per_user=max(tok_per_s_per_user, best.reach[0])))
    slowest = float(best.loc[best[throughput].notna(), SPEED].min())
    return estimate_at(best, tok_per_s_per_user=max(tok_per_s_per_user, slowest), throughput=throughput, level=level)


def _require_alike(measured: Frontier, estimates: pd.DataFrame) -> None:
    lengths = {*MEAN_LENGTH_FRAC.values(), RANDOM_LENGTH_FRAC}
    for name in ("model", "accelerator", "precision", "isl", "osl"):
        ran = getattr(measured, name)
        for asked in estimates[name].unique():
            if ran == asked or (name in ("isl", "osl") and any(abs(asked / (ran * frac) - 1) < 0.02 for frac in lengths)):
                continue
            raise QuantityError(f"the runs have {name} `{ran}` and the estimates `{asked}`: an estimate stands in for its own chip only")
