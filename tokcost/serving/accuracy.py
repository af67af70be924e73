"""How far off estimates are: measured runs that no constant was fitted to, at a load and at a speed, with and without an anchor.

Each chip, and each model, is left out in turn: constants are fitted to the runs of the others, and the runs left out are estimated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tokcost.serving.calibration import CALIBRATED_MAKER, Cases, calibration_rows, constants, fitted, is_fitted
from tokcost.serving.step_time import Constants, Load, served

#: what estimates rest on, the best first; each is a group of data/observed_spreads.csv
MEASURED, ANCHORED, CALIBRATED, TEXTBOOK = "measured", "anchored", "calibrated", "textbook"
DRAFTED = "calibrated, speculative decoding"
#: runs that an anchor speaks for
ALIKE = ["model", "accelerator", "precision", "framework", "speculative"]
#: how many runs of each kind take a turn as the anchor of the others, from the lowest load to the highest
_ANCHORS = 5
_BATCHES = np.geomspace(0.25, 16384, 97)


def at_speed(cases: Cases, of: Constants, tok_per_s_per_user: Any, scale: Any = 1.0) -> np.ndarray:
    """Output tokens per second and GPU at a speed, one for each case: read off its own curve over the load; NaN where not reached.

    `scale` makes the whole server that many times as fast, as an anchor does.
    """
    loads = cases.load
    wide = {name: np.asarray(value, dtype=float)[:, None] for name, value in vars(cases.models).items()}
    chips = type(cases.chips)(**{name: np.asarray(value)[:, None] for name, value in vars(cases.chips).items()})
    columns = {name: np.asarray(value)[:, None] for name, value in vars(loads).items() if name != "batch"}
    grid = served(type(cases.models)(**wide), chips, Load(batch=_BATCHES[None, :], **columns), of)
    speed, output = 1 / grid["tpot_s"], grid["output_tok_per_s_per_gpu"]
    asked = np.broadcast_to(np.asarray(tok_per_s_per_user, dtype=float) / scale, len(speed))
    read = [np.interp(a, s[::-1], o[::-1], left=np.nan, right=np.nan) for a, s, o in zip(asked, speed, output, strict=True)]
    return np.array(read) * scale


def held_out_errors(by: str, rows: pd.DataFrame | None = None, *, only: list[str] | None = None) -> pd.DataFrame:
    """Runs of each chip (`by="accelerator"`) or model, estimated with constants fitted to the runs of all others.

    Columns: those that tell the runs, `held_out` (what was left out), `basis`, and logarithms of measured over estimated output
    tokens per second and GPU: `at_load` at the requests in flight of the run, `at_speed` at its speed, `textbook` at its load with
    textbook constants.
    """
    rows = calibration_rows() if rows is None else rows
    rows = rows[rows["maker"] == CALIBRATED_MAKER]
    textbook = constants("textbook_value")
    found = []
    for name in only or sorted(rows[by].unique()):
        rest = rows[rows[by] != name]
        if not is_fitted(rest).any() or not (here := rows[rows[by] == name]).shape[0]:
            continue
        cases = Cases(here)
        found.append(_errors(cases, fitted(rest)).assign(held_out=name, textbook=cases.log_errors(textbook)))
    errors = pd.concat(found, ignore_index=True)
    return errors.assign(basis=np.where(errors["speculative"] == "mtp", DRAFTED, CALIBRATED))


def _errors(cases: Cases, of: Constants, scale: Any = 1.0) -> pd.DataFrame:
    output, speed = (cases.rows[name].to_numpy(float) for name in ("output_tok_per_s_per_gpu", "tok_per_s_per_user"))
    at_load = cases.log_errors(of) - np.log(scale)
    return cases.rows.assign(at_load=at_load, at_speed=np.log(output / at_speed(cases, of, speed, scale)))


def other_makers_errors(rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Runs on chips of other makers, estimated with textbook constants: nothing fitted carries over to their software.

    Columns: those of `held_out_errors`.
    """
    rows = calibration_rows() if rows is None else rows
    others = rows[(rows["maker"] != CALIBRATED_MAKER) & (rows["speculative"] != "mtp")]
    errors = _errors(Cases(others), constants("textbook_value"))
    return errors.assign(held_out=errors["accelerator"], basis=TEXTBOOK, textbook=errors["at_load"])


def anchored_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """What one measured run of the same model, chip, precision, framework and drafting leaves of the errors of the others.

    Some runs of each kind take turns as the anchor, spread over the load; others may have other lengths and splits. The constants are those
    that the chip was left out of.

    Columns: those of `held_out_errors`.
    """
    constants_of = {}
    rows = calibration_rows()
    found = []
    for (name, _, _, _, _), kind in errors.groupby(["held_out", "model", "precision", "framework", "speculative"]):
        if len(kind) < 2:
            continue
        nvidia = kind["basis"].iloc[0] != TEXTBOOK
        if name not in constants_of:
            constants_of[name] = fitted(rows[(rows["accelerator"] != name)]) if nvidia else constants("textbook_value")
        kind = kind.sort_values("concurrency").reset_index(drop=True)
        cases = Cases(kind)
        for i in np.unique(np.linspace(0, len(kind) - 1, _ANCHORS).round().astype(int)):
            one = _errors(cases, constants_of[name], float(np.exp(kind["at_load"].iloc[i])))
            found.append(one.drop(index=i))
    return pd.concat(found, ignore_index=True).assign(basis=ANCHORED)


def without(term: str, of: Constants) -> Constants:
    """The constants with one effect left out: its time made nothing."""
    gone = {name: 0.0 if name.endswith("_s") else np.inf for name in EFFECTS[term]}
    return replace(of, **gone)


#: effect of the formula -> the constants whose terms are its time
EFFECTS = {
    "launch overhead": ("fixed_step_s", "layer_s", "expert_layer_s", "request_s"),
    "reading weights": ("weight_bandwidth_frac", "expert_bandwidth_frac"),
    "reading the cache": ("kv_bandwidth_frac",),
    "arithmetic of decode": ("decode_compute_frac", "decode_attention_frac"),
    "gathering between GPUs": ("all_reduce_s", "all_reduce_link_frac", "prefill_link_frac"),
    "prefill of others": ("prefill_compute_frac", "prefill_expert_compute_frac", "prefill_attention_frac", "prefill_link_frac", "request_s"),
}
