"""How far off estimates are: measured runs that no constant was fitted to, at a load and at a speed, with and without an anchor.

Each chip, and each model, is left out in turn: constants are fitted to the runs of the others, and the runs left out are estimated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.serving.calibration import CALIBRATED_MAKER, Cases, calibration_rows, constants, fitted
from tokcost.serving.step_time import Chip, Constants, Load, served

#: what estimates rest on, the best first; each is a group of data/observed_spreads.csv
MEASURED, ANCHORED, CALIBRATED, TEXTBOOK = "measured", "anchored", "calibrated", "textbook"
DRAFTED = "calibrated, speculative decoding"
ANCHORED_OTHER = "anchored, other maker"
#: what is not measured and has a band of its own
ESTIMATED = (ANCHORED, ANCHORED_OTHER, CALIBRATED, DRAFTED, TEXTBOOK)
#: runs on one curve, which an anchor speaks for
CURVE = [
    *("model", "accelerator", "precision", "framework", "speculative", "isl", "osl", "n_gpus", "tensor_parallel", "expert_parallel"),
    *("run_date", "image"),
]
#: how many runs of a curve take a turn as the anchor of the others, from the lowest load to the highest
_ANCHORS = 5
#: how methods of our own begin in data/estimate_accuracy.csv
OWN_METHODS = ("estimate", "textbook")
#: the two questions that an estimate answers: a column of errors, and how tables say it
READINGS = {"at_load": "at a load", "at_speed": "at a speed"}
LEVELS = np.array([0, 0.005, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.995, 1])
#: an anchor is near where its load is at most that many times more or less
NEAR_RATIO = 2.01
#: fewer chips or models than this say how far errors go, but not which way
_FEWEST = 5
_BATCHES = np.geomspace(0.25, 16384, 97)


def _curves(cases: Cases, of: Constants) -> tuple[np.ndarray, np.ndarray]:
    """Estimated speed and output over the load, one row a case."""
    models = type(cases.models)(**{name: value[:, None] for name, value in vars(cases.models).items()})
    chips = Chip(**{name: value[:, None] for name, value in vars(cases.chips).items()})
    load = Load(**{name: np.asarray(value)[:, None] for name, value in vars(cases.load).items()} | {"batch": _BATCHES[None, :]})
    found = served(models, chips, load, of)
    return 1 / found["tpot_s"], found["output_tok_per_s_per_gpu"]


def _read(curves: tuple[np.ndarray, np.ndarray], tok_per_s_per_user: np.ndarray) -> np.ndarray:
    """Output at a speed, one for each curve; NaN where it does not reach."""
    rows = zip(*curves, tok_per_s_per_user, strict=True)
    return np.array([np.interp(asked, speed[::-1], output[::-1], left=np.nan, right=np.nan) for speed, output, asked in rows])


def held_out_errors(by: str, rows: pd.DataFrame | None = None, *, only: list[str] | None = None) -> pd.DataFrame:
    """Runs of each chip (`by="accelerator"`) or model, estimated with constants fitted to the runs of all others.

    Columns: those that tell the runs, `left_out` (a chip or a model), `held_out` (which), `basis`, and logarithms of measured over
    estimated output tokens per second and GPU: `at_load` at the requests in flight of the run, `at_speed` at its speed, `textbook`
    at its load with textbook constants.

    >>> errors = held_out_errors("model", only=["llama8b"])
    >>> errors["held_out"].unique().tolist(), bool(errors["at_load"].abs().median() < 0.1)
    (['llama8b'], True)
    """
    every = calibration_rows() if rows is None else rows
    runs = every[every["maker"] == CALIBRATED_MAKER]
    textbook = constants("textbook_value")
    found = []
    for name in only or sorted(runs[by].unique()):
        cases = Cases(runs[runs[by] == name])
        found.append(_errors(cases, fitted(runs[runs[by] != name])).assign(held_out=name, textbook=cases.log_errors(textbook)))
    errors = pd.concat(found, ignore_index=True).assign(left_out=by)
    return errors.assign(basis=np.where(errors["speculative"] == "mtp", DRAFTED, CALIBRATED))


def _errors(cases: Cases, of: Constants) -> pd.DataFrame:
    output, speed = (cases.rows[name].to_numpy(float) for name in ("output_tok_per_s_per_gpu", "tok_per_s_per_user"))
    return cases.rows.assign(at_load=cases.log_errors(of), at_speed=np.log(output / _read(_curves(cases, of), speed)))


def other_makers_errors() -> pd.DataFrame:
    """Runs on chips of other makers, estimated with textbook constants: nothing fitted carries over to their software.

    Columns: those of `held_out_errors`.
    """
    rows = calibration_rows()
    others = rows[(rows["maker"] != CALIBRATED_MAKER) & (rows["speculative"] != "mtp")]
    errors = _errors(Cases(others), constants("textbook_value"))
    return errors.assign(left_out="accelerator", held_out=errors["accelerator"], basis=TEXTBOOK, textbook=errors["at_load"])


def anchored_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """What one measured run leaves of the errors of the others on its curve: same model, GPUs, lengths, software, other load.

    Some runs of each curve take turns as the anchor, spread over the load; constants are those that the chip was left out of.

    Columns: those of `held_out_errors`, and `load_ratio`, by how many times the load of the anchor was more or less.
    """
    rows, found = calibration_rows(), []
    for (name, basis), runs in errors.groupby(["held_out", "basis"]):
        is_other = basis == TEXTBOOK
        of = constants("textbook_value") if is_other else fitted(rows[rows["accelerator"] != name])
        cases = Cases(runs.sort_values("concurrency"))
        runs = cases.rows
        anchor, other = _pairs(runs)
        output, speed, load = (runs[name].to_numpy(float) for name in ("output_tok_per_s_per_gpu", "tok_per_s_per_user", "concurrency"))
        more, faster = np.exp(runs["at_load"].to_numpy()[anchor]), (speed * cases.served(of)["tpot_s"])[anchor]
        speeds, outputs = _curves(cases, of)
        read = _read((speeds[other], outputs[other]), speed[other] / faster) * more
        logs = {"at_load": runs["at_load"].to_numpy()[other] - np.log(more), "at_speed": np.log(output[other] / read)}
        away = np.exp(np.abs(np.log(load[other] / load[anchor])))
        found.append(runs.iloc[other].assign(**logs, load_ratio=away, basis=ANCHORED_OTHER if is_other else ANCHORED))
    return pd.concat(found, ignore_index=True)


def _pairs(runs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Places of anchors and of the other runs on their curves."""
    pairs = []
    for places in runs.groupby(CURVE, dropna=False).indices.values():
        for i in np.unique(np.linspace(0, len(places) - 1, _ANCHORS).round().astype(int)):
            pairs += [(places[i], other) for other in places if other != places[i]]
    anchor, other = np.array(pairs, dtype=int).reshape(-1, 2).T
    return anchor, other


def quantiles(errors: pd.DataFrame, reading: str, levels: np.ndarray) -> np.ndarray:
    """Quantiles of measured over estimated, in which each chip or model that was left out counts alike, however many runs it has.

    A new chip or model is one more of them: that is what a band has to hold. Where fewer than five were left out, which way they erred
    is chance, and errors count either way.
    """
    even = np.linspace(0, 1, 201)
    groups = errors.dropna(subset=[reading]).groupby(["left_out", "held_out"])[reading]
    logs = np.concatenate([np.quantile(one, even) for _, one in groups])
    if groups.ngroups < _FEWEST:
        logs = np.concatenate([logs, -logs])
    return np.exp(np.quantile(logs, levels))


def coverage(errors: pd.DataFrame, reading: str, level: float = 0.8) -> pd.DataFrame:
    """Share of the runs of each chip or model left out that lie in the band which the errors of the others alone would give.

    Columns: `left_out`, `held_out`, `coverage_frac`.
    """
    found = []
    for (left_out, held_out), runs in errors.dropna(subset=[reading]).groupby(["left_out", "held_out"]):
        others = errors[(errors["held_out"] != held_out)]
        if len(others):
            low, high = np.log(quantiles(others, reading, np.array([(1 - level) / 2, (1 + level) / 2])))
            found.append((left_out, held_out, float(runs[reading].between(low, high).mean())))
    return pd.DataFrame(found, columns=["left_out", "held_out", "coverage_frac"])


def all_errors() -> pd.DataFrame:
    """Errors of all bases: chips and models left out, chips of other makers, and what an anchor leaves of both.

    Columns: those of `held_out_errors`, and `load_ratio` where there is an anchor.
    """
    own = pd.concat([held_out_errors("accelerator"), held_out_errors("model")], ignore_index=True)
    others = other_makers_errors()
    chips = pd.concat([own[own["left_out"] == "accelerator"], others], ignore_index=True)
    return pd.concat([own, others, anchored_errors(chips)], ignore_index=True)


def error_quantiles(errors: pd.DataFrame) -> pd.DataFrame:
    """What bands are made of: quantiles of measured over estimated, by basis, at a load and at a speed.

    Columns: `basis`, `reading`, `quantile_frac`, `truth_ratio`, `n_observations`.
    """
    rows = []
    for basis, of_basis in errors.groupby("basis"):
        for reading, said in READINGS.items():
            found, n = quantiles(of_basis, reading, LEVELS), int(of_basis[reading].notna().sum())
            rows += [(basis, said, level, float(f"{ratio:.3g}"), n) for level, ratio in zip(LEVELS, found, strict=True)]
    return pd.DataFrame(rows, columns=["basis", "reading", "quantile_frac", "truth_ratio", "n_observations"])


def accuracy_table(errors: pd.DataFrame) -> pd.DataFrame:
    """How far off estimates were, by method and by what was left out; `all` pools the chips, or the models, that took turns.

    Columns: `method`, `left_out`, `held_out`, `reading`, `n_observations`, `median_error_frac`, `high_error_frac` (nine in ten are
    nearer), `coverage_frac` of an 80 % band from the errors of the others.
    """
    near = errors[(errors["basis"] == ANCHORED) & (errors["load_ratio"] <= NEAR_RATIO)]
    methods = {f"estimate, {basis}": runs for basis, runs in errors.groupby("basis")} | {
        "estimate, anchored at half to twice the load": near
    }
    rows = []
    for method, runs in methods.items():
        for reading, said in READINGS.items():
            covered = coverage(runs, reading).set_index(["left_out", "held_out"])["coverage_frac"]
            for left_out, those in runs.groupby("left_out"):
                mean = covered.get(left_out, pd.Series(dtype=float)).mean() if left_out in covered.index else np.nan
                rows.append((method, left_out, "all", said, *error_of(those[reading]), mean))
                for held_out, one in those.groupby("held_out"):
                    rows.append((method, left_out, held_out, said, *error_of(one[reading]), covered.get((left_out, held_out), np.nan)))
    plain = errors[(errors["basis"] == CALIBRATED) & (errors["left_out"] == "accelerator")]
    for held_out, one in [("all", plain), *plain.groupby("held_out")]:
        rows.append(("textbook formulas", "nothing", held_out, READINGS["at_load"], *error_of(one["textbook"]), np.nan))
    names = ["method", "left_out", "held_out", "reading", "n_observations", "median_error_frac", "high_error_frac", "coverage_frac"]
    return pd.DataFrame(rows, columns=names)


def peers() -> pd.DataFrame:
    """The rows of data/estimate_accuracy.csv that other tools gave, which `make accuracy` renews.

    Columns: those of data/estimate_accuracy.csv.
    """
    rows = evidence.load_table("estimate_accuracy")
    return rows[~rows["method"].str.startswith(OWN_METHODS)]


def error_of(logs: pd.Series) -> tuple[int, float, float]:
    """Number of runs, median error and that of nine in ten, as shares of what was measured.

    >>> error_of(pd.Series(np.log([1.0, 1.25, 0.8])))
    (3, 0.2, 0.24)
    """
    errors = np.abs(np.exp(-logs.dropna().to_numpy(float)) - 1)
    median, high = (float(f"{np.quantile(errors, level):.3g}") for level in (0.5, 0.9))
    return len(errors), median, high
