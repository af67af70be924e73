"""Whether bands hold for requests, loads and deployments larger than any that constants were fitted to.

Constants and bands are those of small ones alone, of other chips; large ones on the chip that was left out are estimated with them.
"""

from __future__ import annotations

import pandas as pd

from tokcost.serving.accuracy import ACCURACY, DENSE, EXPERTS, error_of, estimated_errors
from tokcost.serving.bands import READINGS, is_held, right_band_range, right_band_shares
from tokcost.serving.calibration import calibration_rows, fitted, is_fitted

#: what grows, up to where constants are fitted, and from where they are judged
GROWTHS = (("isl", 1024, 8000), ("osl", 1024, 8192), ("concurrency", 16, 65), ("n_gpus", 2, 8))
BEYOND, ALL_SIZES = "estimate, extrapolated", "estimate, fitted to all sizes"


def extrapolated_errors(column: str, most: float, least: float) -> pd.DataFrame:
    """Runs of each chip with at least `least` in a column, estimated from runs of the others with at most `most`; and small ones so too.

    Columns: those of `tc.serving.held_out_errors`, and `is_small`.
    """
    rows = calibration_rows()
    rows, found = rows[is_fitted(rows)], []
    is_small, is_large = rows[column] <= most, rows[column] >= least
    for name in sorted(rows.loc[is_large, "accelerator"].unique()):
        here = rows["accelerator"] == name
        runs = rows[here & (is_small | is_large)]
        found.append(estimated_errors(runs, fitted(rows[is_small & ~here])).assign(held_out=name))
    return pd.concat(found, ignore_index=True).assign(left_out="accelerator", is_small=lambda runs: runs[column] <= most)


def extrapolation_table(errors: pd.DataFrame) -> pd.DataFrame:
    """How far off estimates are on what is larger than all that they were fitted to, and how many of these runs their bands hold.

    `errors` are those of `accuracy.held_out_errors` by chip: the same runs, fitted to all sizes.

    Columns: those of `accuracy.accuracy_table`; `held_out` says what was judged and what was fitted.
    """
    plain = errors[errors["basis"].isin([DENSE, EXPERTS]) & (errors["left_out"] == "accelerator")].reset_index(drop=True)
    rows = []
    for column, most, least in GROWTHS:
        if not (plain[column] >= least).any():
            continue
        beyond = extrapolated_errors(column, most, least)
        said = f"{column} {least} and more, beyond {most}"
        for reading, name in READINGS.items():
            for method, of, by in ((BEYOND, beyond, beyond["is_small"]), (ALL_SIZES, plain, None)):
                judged = of.assign(is_held=is_held(of, reading, by=by))[of[column] >= least]
                share = judged.groupby("held_out")["is_held"].mean().mean()
                right = right_band_range(right_band_shares(judged, reading)).loc["all"]
                rows.append((method, "accelerator", said, name, *error_of(judged[reading]), share, *right))
    return pd.DataFrame(rows, columns=ACCURACY)
