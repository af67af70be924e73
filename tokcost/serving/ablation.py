"""What each effect of the estimate is worth: how far off it is with the effect left out; and static batches, one term at a time.

The constants are those fitted to all runs, so that these errors show what an effect does, not how far off a new case would be.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.serving.accuracy import error_of
from tokcost.serving.architectures import architecture
from tokcost.serving.calibration import Cases, calibration_rows, chip, constants, is_fitted
from tokcost.serving.step_time import Constants, Load, request_prefill_s, step_terms

#: effect -> the constants whose terms are its time
EFFECTS = {
    "launch overhead": ("fixed_step_s", "layer_s", "expert_layer_s"),
    "reading weights": ("weight_bandwidth_frac", "expert_bandwidth_frac"),
    "reading the cache": ("kv_bandwidth_frac",),
    "arithmetic of decode": ("decode_compute_frac", "decode_attention_frac"),
    "communication": ("all_reduce_s", "all_reduce_link_frac", "prefill_link_frac"),
    "prefill of others": (
        "prefill_compute_frac",
        "prefill_expert_compute_frac",
        "prefill_attention_frac",
        "prefill_link_frac",
        "request_s",
    ),
}


def without_effect(effect: str, of: Constants) -> Constants:
    """The constants with one effect left out: what it takes time for takes none.

    >>> without_effect("reading weights", constants()).weight_bandwidth_frac
    inf
    """
    return replace(of, **{name: 0.0 if name.endswith("_s") else np.inf for name in EFFECTS[effect]})


def ablation_table() -> pd.DataFrame:
    """How far off the fitted estimate is as it stands, and with each effect left out, on all runs that it was fitted to.

    Columns: `left_out` ("nothing" first), `median_error_frac`, `median_ratio` (estimate over measured: above 1 is too optimistic).

    >>> ablation_table()["left_out"].iloc[0]
    'nothing'
    """
    runs = calibration_rows()
    cases, of = Cases(runs[is_fitted(runs)]), constants()
    rows = []
    for effect in ("nothing", *EFFECTS):
        logs = pd.Series(cases.log_errors(of if effect == "nothing" else without_effect(effect, of)))
        rows.append((effect, error_of(logs)[1], float(np.exp(-logs.median()))))
    return pd.DataFrame(rows, columns=["left_out", "median_error_frac", "median_ratio"])


def static_batches(column: str = "value") -> pd.DataFrame:
    """The own runs of data/own_gpu_runs.csv beside what the terms of a step and of prefill say of them. Nothing is fitted to these.

    `column` takes the fitted constants or, as `textbook_value`, those of textbooks.

    Columns: `accelerator`, `software_level`, `batch`, `decode_step_s` and `prefill_s` as measured, `estimated_step_s`,
    `estimated_prefill_s`, and `step_ratio` and `prefill_ratio`, estimated over measured.

    >>> bool(static_batches()["step_ratio"].between(0, 2).all())
    True
    """
    rows, of = evidence.load_table("own_gpu_runs").dropna(subset=["decode_step_s"]), constants(column)
    found = []
    sizes_of, ratings_of = functools.cache(architecture), functools.cache(chip)
    for run in rows.itertuples():
        where = sizes_of(run.model, run.precision), ratings_of(run.accelerator, run.precision)
        load = Load(float(run.batch), float(run.isl), float(run.osl), 1, 1)
        step, prefill = sum(step_terms(*where, load, of).values()), run.batch * request_prefill_s(*where, load, of)
        found.append((step, float(prefill)))
    measured = rows[["accelerator", "software_level", "batch", "decode_step_s", "prefill_s"]].reset_index(drop=True)
    estimated = pd.DataFrame(found, columns=["estimated_step_s", "estimated_prefill_s"]).astype(float)
    ratios = {
        f"{what}_ratio": estimated[f"estimated_{what}_s"] / measured[name]
        for what, name in (("step", "decode_step_s"), ("prefill", "prefill_s"))
    }
    return pd.concat([measured, estimated], axis=1).assign(**ratios)
