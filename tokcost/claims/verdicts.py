"""From an audit and its measured rows to tables that a reader can judge by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost import quantities
from tokcost.claims.reproduction import speeds_where_ratio_holds
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import SPEED, Frontier

ROLES = ("baseline", "candidate")
_SHORT = {"rate_usd_per_gpu_h": "price", "total_tok_per_s_per_gpu": "speed", "total_token_cost_usd_per_mtok": "cost"}


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
    by = ""
    if row.role == "ratio" and row.derived_from != "the two printed figures":
        by = ", from " + " and ".join(_SHORT.get(name, name) for name in row.derived_from.split(" and "))
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


def largest_drop(best: Frontier) -> tuple[pd.Series, pd.Series]:
    """The edge of a curve: its two neighbouring runs between which throughput falls most for the speed gained, both as shares.

    A ratio to this curve leaps there, and beyond it says what the faster of the two runs does, not what the system could.
    Refuses a curve of a single run.
    """
    if best.n_on_front < 2:
        raise QuantityError(f"the curve of {best.label} is one run; an edge lies between two")
    front = best.front
    fall = np.diff(np.log(front[best.throughput])) / np.diff(np.log(front[SPEED]))
    return front.iloc[fall.argmin()], front.iloc[fall.argmin() + 1]


def ratio_coverage(ratios: pd.DataFrame, claimed: list[str]) -> pd.DataFrame:
    """For each case of `ratio_curves`: its lowest and highest ratio, and the speeds at which it rounds to each claimed figure.

    One row a case; stretches of speed as tuples of (from, to), an empty tuple for nowhere.

    >>> curve = pd.DataFrame({"series": "1k/1k", "tok_per_s_per_user": [20, 40, 60], "ratio": [5.0, 34.8, 39.0]})
    >>> ratio_coverage(curve, ["35x", "5x", "50x"]).iloc[0, 3:].tolist()
    [((40.0, 40.0),), ((20.0, 20.0),), ()]
    """
    rows = []
    for series, curve in ratios.groupby("series", sort=False):
        held = {figure: speeds_where_ratio_holds(curve, figure) for figure in claimed}
        ends = next(iter(held.values()))
        stretches = {f"rounds to {figure}": one.within for figure, one in held.items()}
        rows.append({"series": series, "min_ratio": ends.min_ratio, "max_ratio": ends.max_ratio, **stretches})
    return pd.DataFrame(rows)
