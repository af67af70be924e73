"""The rows behind a table or a figure: kept with it, and handed to a report that asks for them, as CSV."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: what the kernel of a report sets; elsewhere outputs go without rows and figures without their form for a phone, so that
#: notebooks that people save stay small
ASKED = "TOKCOST_REPORT"
#: what is set where outputs are stored: nothing is shown that only a running kernel can draw
STILL = "TOKCOST_STILL"
MIME = "text/csv"


def with_rows(bundle: dict, frame: pd.DataFrame | None, *, digits: int = 10) -> dict:
    """What Jupyter shows and, where a report asks for it, the rows that it shows."""
    return bundle if frame is None or ASKED not in os.environ else {**bundle, MIME: as_csv(frame, digits)}


def as_csv(frame: pd.DataFrame, digits: int = 10) -> str:
    r"""`frame` as CSV, numbers to so many digits, the same on every machine; an index that says something is a column too.

    >>> import pandas as pd
    >>> as_csv(pd.DataFrame({"cost_usd": [0.1 + 0.2, None]}, index=pd.Index(["h200", "gb300"], name="accelerator")))
    'accelerator,cost_usd\nh200,0.3\ngb300,\n'
    """
    is_a_count = frame.index.name is None and frame.index.nlevels == 1 and frame.index.dtype.kind in "iu"
    return (frame if is_a_count else frame.reset_index()).to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n")


def rows_drawn(given: dict) -> pd.DataFrame | None:
    """The rows of the frames among the arguments of a plot; of several, a column `drawn_as` says which row is whose."""
    import pandas as pd

    frames = {name: _drawn(value, given) for name, value in given.items() if isinstance(value, pd.DataFrame)}
    if len(frames) > 1:
        return pd.concat(frames, names=["drawn_as"]).droplevel(-1)
    return next(iter(frames.values()), None)


def _drawn(frame: pd.DataFrame, given: dict) -> pd.DataFrame:
    """Of a figure of `x` and `y` the columns that it shows; other figures say by themselves which columns they take."""
    if "x" not in given or "y" not in given:
        return frame
    named = [given.get("by"), *(given["x"].values() if isinstance(given["x"], dict) else [given["x"]]), given["y"], "is_hole"]
    return frame[[name for name in dict.fromkeys(named) if name in frame]]
