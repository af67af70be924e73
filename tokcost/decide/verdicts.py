"""From an audit and its measured rows to tables that a reader can judge by."""

from __future__ import annotations

import pandas as pd

from tokcost import quantities

ROLES = ("baseline", "candidate")


def audit_ranges(audit: pd.DataFrame) -> pd.DataFrame:
    """Every rebuilt figure of an audit relative to the figure that is printed: 1 is agreement.

    One row for each way to arrive at a printed figure: `label`, `low`, `ratio`, `high` (what follows from the
    parts, over the printed figure at face value), `printed_low`, `printed_high` (all that rounds to it), `verdict`.
    """
    held = audit[(audit["printed"] != "") & audit["derived"].notna()]
    face = (held["printed_low"] + held["printed_high"]) / 2
    return pd.DataFrame(
        {
            "label": [_label(row) for row in held.itertuples()],
            "low": held["derived_low"] / face,
            "ratio": held["derived"] / face,
            "high": held["derived_high"] / face,
            "printed_low": held["printed_low"] / face,
            "printed_high": held["printed_high"] / face,
            "verdict": held["verdict"],
        }
    ).reset_index(drop=True)


def _label(row) -> str:
    quantity = quantities.of(row.quantity)
    who = row.accelerator.upper() or "ratio"
    by = "" if row.derived_from == "the two printed figures" or row.role != "ratio" else ", from price and speed"
    return f"{quantity.label.split(' (')[0]}\n{who}: {row.printed}{by}"


def side_by_side(pair: pd.Series) -> pd.DataFrame:
    """The two measured runs of one row of `reproducing_points`, one row each."""
    shared = {name: pair[name] for name in ("model", "isl", "osl", "campaign") if name in pair}
    return pd.DataFrame(
        [
            {
                "role": role,
                **shared,
                **{name.removeprefix(f"{role}_"): value for name, value in pair.items() if name.startswith(f"{role}_")},
            }
            for role in ROLES
        ]
    )
