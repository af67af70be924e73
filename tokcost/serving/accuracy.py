"""How far off estimates are: measured runs that no constant was fitted to, at a load and at a speed, with and without an anchor.

Each chip, and each model, is left out in turn: constants are fitted to the runs of the others, and the runs left out are estimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.quantities import QuantityError
from tokcost.serving.anchoring import BETWEEN, FAR, NEAR, corrections, fading, how_far
from tokcost.serving.architectures import has_experts
from tokcost.serving.bands import READINGS, is_held, right_band_range, right_band_shares, steepness
from tokcost.serving.calibration import CALIBRATED_MAKER, Cases, calibration_rows, constants, fitted, is_fitted
from tokcost.serving.step_time import Chip, Constants, Load, served

#: what estimates rest on, the best first
ANCHORED, ANCHORED_OTHER, CALIBRATED, TEXTBOOK = "anchored", "anchored, other maker", "calibrated", "textbook"
#: what their errors were found to depend on, each with a band of its own: the kind of model, and how far the load is from the anchor's
DENSE, EXPERTS, DRAFTED = (f"{CALIBRATED}, {kind}" for kind in ("dense model", "model with experts", "speculative decoding"))
MIDDLE = ", in the middle of the loads"
ESTIMATED = (*(basis + far for basis in (ANCHORED, ANCHORED_OTHER) for far in (BETWEEN, NEAR, FAR)), DENSE, EXPERTS, DRAFTED, TEXTBOOK)
#: runs on one curve, which an anchor speaks for
CURVE = [
    *("model", "accelerator", "precision", "framework", "speculative", "isl", "osl", "n_gpus", "tensor_parallel", "expert_parallel"),
    *("run_date", "image"),
]
#: how many runs of a curve take a turn as the anchor of the others, from the lowest load to the highest
_ANCHORS = 5
#: how methods of our own begin in data/estimate_accuracy.csv
OWN_METHODS = ("estimate", "textbook")
#: what is said of each method
ACCURACY = [
    *("method", "left_out", "held_out", "reading", "n_observations", "median_error_frac", "high_error_frac"),
    *("coverage_frac", "low_coverage_frac", "high_coverage_frac"),
]
#: fewer runs than this are not fitted to, the chip or model with most of them left out
FEWEST_RUNS = 100
#: shares of a correction that are tried
_KEPT = np.arange(0.7, 1.001, 0.01)
_BATCHES = np.geomspace(0.25, 16384, 97)


def _curves(cases: Cases, of: Constants) -> tuple[np.ndarray, np.ndarray]:
    """Estimated speed and output over the load, one row a case."""
    models = type(cases.models)(**{name: value[:, None] for name, value in vars(cases.models).items()})
    chips = Chip(**{name: value[:, None] for name, value in vars(cases.chips).items()})
    load = Load(**{name: np.asarray(value)[:, None] for name, value in vars(cases.load).items()} | {"batch": _BATCHES[None, :]})
    found = served(models, chips, load, of)
    return 1 / found["tpot_s"], found["output_tok_per_s_per_gpu"]


def _off_at_speed(curves: Sequence[np.ndarray], runs: pd.DataFrame) -> dict[str, np.ndarray]:
    """Errors of output at the speeds of runs, and how steep the curves of estimates are there; NaN where they do not reach."""
    speeds, outputs = curves
    steep = steepness(*(np.gradient(np.log(one), axis=1) for one in (outputs, speeds)))
    asked, measured = runs[["tok_per_s_per_user", "output_tok_per_s_per_gpu"]].to_numpy(float).T
    rows = [
        [np.interp(at, speed[::-1], one[::-1], left=np.nan, right=np.nan) for one in two]
        for at, speed, *two in zip(asked, speeds, outputs, steep, strict=True)
    ]
    there, steep = np.array(rows).reshape(-1, 2).T
    return {"at_speed": np.log(measured / there), "steepness": steep}


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
    found = [
        estimated_errors(runs[runs[by] == name], fitted(runs[runs[by] != name])).assign(held_out=name)
        for name in only or sorted(runs[by].unique())
    ]
    errors = pd.concat(found, ignore_index=True)
    return errors.assign(left_out=by, textbook=Cases(errors).log_errors(constants("textbook_value")))


def estimated_errors(runs: pd.DataFrame, of: Constants) -> pd.DataFrame:
    """Runs, and how far off constants are on them, by the kind of model.

    Columns: those that tell the runs, `basis`, `at_load`, `at_speed` and `steepness`, as in `held_out_errors`.
    """
    cases = Cases(runs)
    logs = {"at_load": cases.log_errors(of), **_off_at_speed(_curves(cases, of), cases.rows)}
    has = {name: has_experts(name) for name in cases.rows["model"].unique()}
    kind = np.select([cases.rows["speculative"] == "mtp", cases.rows["model"].map(has)], [DRAFTED, EXPERTS], DENSE)
    return cases.rows.assign(**logs, basis=kind)


def other_makers_errors() -> pd.DataFrame:
    """Runs on chips of other makers, estimated with textbook constants: nothing fitted carries over to their software.

    Columns: those of `held_out_errors`.
    """
    rows = calibration_rows()
    others = rows[(rows["maker"] != CALIBRATED_MAKER) & (rows["speculative"] != "mtp")]
    if others.empty:
        return others.assign(left_out="accelerator", held_out="", basis=TEXTBOOK)
    errors = estimated_errors(others, constants("textbook_value"))
    return errors.assign(left_out="accelerator", held_out=errors["accelerator"], basis=TEXTBOOK, textbook=errors["at_load"])


def rests_on(basis: str) -> str:
    """The basis of an estimate without how far its load is from the anchor's.

    >>> rests_on("anchored, another load"), rests_on("calibrated, dense model")
    ('anchored', 'calibrated, dense model')
    """
    return basis.removesuffix(BETWEEN).removesuffix(NEAR).removesuffix(FAR)


def anchored_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """What measured runs leave of the errors of the others on their curve: same model, GPUs, lengths, software, other loads.

    Some runs of each curve take turns as the anchor, spread over the load, and any two of them for the runs between these; constants
    are those that the chip was left out of, and so is how a correction fades. A chip of another maker never had a say in either.

    Columns: those of `held_out_errors`, and `is_middle`, true where the anchor is one, in the middle of the loads of its curve.
    """
    rows, found = calibration_rows(), []
    for name, basis, runs in _by_chip(errors):
        of, kept = fitted(rows[rows["accelerator"] != name]), fitted_kept_frac(errors[errors["held_out"] != name])
        cases = Cases(runs)
        speed, load = (runs[name].to_numpy(float) for name in ("tok_per_s_per_user", "concurrency"))
        more, faster = cases.log_errors(of), np.log(speed * cases.served(of)["tpot_s"])
        curves = _curves(cases, of)
        for anchor, other, is_middle in (_pairs(runs), _between(runs)):
            near = load[anchor]
            left = more[other] - corrections(kept, load[other], near, more[anchor])
            moved = [
                curve[other] * np.exp(corrections(kept, _BATCHES[None, :], near[:, None, :], off[anchor][:, None, :]))
                for curve, off in zip(curves, (faster, more), strict=True)
            ]
            logs = {"at_load": left, **_off_at_speed(moved, runs.iloc[other])}
            kind = (ANCHORED_OTHER if basis == TEXTBOOK else ANCHORED) + how_far(load[other], near)
            found.append(runs.iloc[other].assign(**logs, is_middle=is_middle, basis=kind))
    return pd.concat(found, ignore_index=True)


def _by_chip(errors: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Runs of each chip that was left out, in the order of their load, by what was estimated with the same constants."""
    is_alone = errors["basis"].isin([DENSE, EXPERTS, DRAFTED, TEXTBOOK])
    chips = errors[is_alone & (errors["left_out"] == "accelerator")].sort_values("concurrency")
    for (name, is_drafted, is_other), runs in chips.groupby(["held_out", chips["basis"] == DRAFTED, chips["basis"] == TEXTBOOK]):
        yield name, TEXTBOOK if is_other else DRAFTED if is_drafted else CALIBRATED, runs.reset_index(drop=True)


def fitted_kept_frac(errors: pd.DataFrame) -> float:
    """Share of what an anchor corrects that is left at twice or half its load: that with the least mean error of the other runs.

    The farther two loads are apart, the less of an error they share: carried over whole, a correction at a small load makes estimates
    at sixteen times that load worse than no anchor does.
    """
    here, there, loads = [], [], []
    for _, basis, runs in _by_chip(errors):
        if basis != TEXTBOOK:
            anchor, other, _ = _pairs(runs)
            anchor = anchor[:, 0]
            logs, load = runs["at_load"].to_numpy(), runs["concurrency"].to_numpy(float)
            for kept, part in ((here, logs[anchor]), (there, logs[other]), (loads, load[other] / load[anchor])):
                kept.append(part)
    one, more, ratio = (np.concatenate(each) for each in (here, there, loads))
    return float(min(_KEPT, key=lambda kept: np.abs(more - fading(kept, ratio, 1.0) * one).mean()).round(2))


def _pairs(runs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of anchors and of the other runs on their curves, and whether the anchor is the middle one: of three or more, that which is
    nearest to the geometric mean of the lowest and the highest load."""
    pairs, logs = [], np.log(runs["concurrency"].to_numpy(float))
    for places, turns in _turns(runs):
        log = logs[places]
        middle = np.abs(log - (log[0] + log[-1]) / 2).argmin() if len(places) > 2 else -1
        for i in np.unique([*turns, max(middle, 0)]):
            pairs += [(places[i], other, i == middle) for other in places if other != places[i]]
    anchor, other, is_middle = np.array(pairs, dtype=int).reshape(-1, 3).T
    return anchor[:, None], other, is_middle.astype(bool)


def _between(runs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of two anchors and of a run between their loads; never the middle one."""
    load = runs["concurrency"].to_numpy(float)
    places = [
        (places[low], places[high], other)
        for places, turns in _turns(runs)
        for low, high in combinations(turns, 2)
        for other in places
        if load[places[low]] < load[other] < load[places[high]]
    ]
    found = np.array(places, dtype=int).reshape(-1, 3)
    return found[:, :2], found[:, 2], np.zeros(len(found), dtype=bool)


def _turns(runs: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of the runs of each curve, by load, and which of them take turns as anchors."""
    for places in runs.groupby(CURVE, dropna=False).indices.values():
        yield places, np.unique(np.linspace(0, len(places) - 1, _ANCHORS).round().astype(int))


def all_errors() -> pd.DataFrame:
    """Errors of all bases: chips and models left out, chips of other makers, and what an anchor leaves of both.

    Columns: those of `held_out_errors`, and `is_middle` where there is an anchor.
    Raises: QuantityError where too few runs are left to fit to without one of the chips or models.
    """
    _check_enough()
    own = pd.concat([held_out_errors("accelerator"), held_out_errors("model")], ignore_index=True)
    others = other_makers_errors()
    alone = pd.concat([own, others], ignore_index=True)
    return pd.concat([alone, anchored_errors(alone)], ignore_index=True)


def _check_enough() -> None:
    runs = calibration_rows()
    runs = runs[is_fitted(runs)]
    for by in ("accelerator", "model"):
        n_left = len(runs) - runs[by].value_counts().max() if len(runs) else 0
        if n_left < FEWEST_RUNS:
            raise QuantityError(
                f"bands come from leaving out each {by} in turn, and without the one with most runs {n_left} of {len(runs)} are left in "
                f"data/inference.csv; {FEWEST_RUNS} or more are needed, with n_gpus and tensor_parallel: add runs of another {by}"
            )


def accuracy_table(errors: pd.DataFrame) -> pd.DataFrame:
    """How far off estimates were, by method and by what was left out; `all` pools the chips, or the models, that took turns.

    Columns: `method`, `left_out`, `held_out`, `reading`, `n_observations`, `median_error_frac`, `high_error_frac` (nine in ten are
    nearer), `coverage_frac` of an 80 % band from the errors of the others (over several, each counts alike), and between which
    shares, `low_` and `high_`, it lies in 95 of 100 cases where the band is right (`right_band_range`).
    """
    errors = errors.reset_index(drop=True)
    plain = errors["basis"].isin([DENSE, EXPERTS])
    pooled = {CALIBRATED: plain, **{basis: errors["basis"].isin([basis + NEAR, basis + FAR]) for basis in (ANCHORED, ANCHORED_OTHER)}}
    methods = pooled | {basis: errors["basis"] == basis for basis in ESTIMATED}
    if "is_middle" in errors:
        methods |= {basis + MIDDLE: pooled[basis] & (errors["is_middle"] == True) for basis in (ANCHORED, ANCHORED_OTHER)}  # noqa: E712
    rows: list[tuple] = []
    for reading, said in READINGS.items():
        judged = errors.assign(is_held=is_held(errors, reading))
        for method, those in methods.items():
            for left_out, runs in judged[those].groupby("left_out"):
                shares = runs.groupby("held_out")["is_held"].mean().dropna()
                right = right_band_range(right_band_shares(runs, reading)) if len(shares) > 1 else None
                for held_out, one in [("all", runs), *runs.groupby("held_out")]:
                    share = shares.mean() if held_out == "all" else shares.get(held_out, np.nan)
                    range_ = (np.nan, np.nan) if right is None else right.loc[held_out]
                    rows.append((f"estimate, {method}", left_out, held_out, said, *error_of(one[reading]), share, *range_))
    chips = errors[plain & (errors["left_out"] == "accelerator")]
    for held_out, one in [("all", chips), *chips.groupby("held_out")]:
        rows.append(("textbook formulas", "nothing", held_out, READINGS["at_load"], *error_of(one["textbook"]), *[np.nan] * 3))
    return pd.DataFrame(rows, columns=ACCURACY)


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
