"""How far off estimates are: measured runs that no constant was fitted to, at a load and at a speed, with and without an anchor.

Each chip, and each model, is left out in turn: constants are fitted to the runs of the others, and the runs left out are estimated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from tokcost import evidence
from tokcost.serving.architectures import has_experts
from tokcost.serving.calibration import CALIBRATED_MAKER, Cases, calibration_rows, constants, fitted
from tokcost.serving.step_time import Chip, Constants, Load, served

#: what estimates rest on, the best first
ANCHORED, ANCHORED_OTHER, CALIBRATED, TEXTBOOK = "anchored", "anchored, other maker", "calibrated", "textbook"
#: what their errors were found to depend on, each with a band of its own: the kind of model, and how far the load is from the anchor's
DENSE, EXPERTS, DRAFTED = (f"{CALIBRATED}, {kind}" for kind in ("dense model", "model with experts", "speculative decoding"))
NEAR, FAR = ", half to twice its load", ", another load"
ESTIMATED = (ANCHORED + NEAR, ANCHORED + FAR, ANCHORED_OTHER + NEAR, ANCHORED_OTHER + FAR, DENSE, EXPERTS, DRAFTED, TEXTBOOK)
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
#: what is said of each method
ACCURACY = [
    *("method", "left_out", "held_out", "reading", "n_observations", "median_error_frac", "high_error_frac"),
    *("coverage_frac", "low_coverage_frac", "high_coverage_frac"),
]
LEVELS = np.array([0, 0.005, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.995, 1])
#: an anchor is near where its load is at most that many times more or less
NEAR_RATIO = 2.01
#: shares of a correction that are tried
_KEPT = np.arange(0.7, 1.001, 0.01)
#: fewer chips or models than this say how far errors go, but not which way
_FEWEST = 5
_EVEN = (np.arange(200) + 0.5) / 200
#: the same of offsets; what lies outside of the last hundredth, a handful of chips cannot say
_EVEN_OFFSETS = (np.arange(50) + 0.5) / 50
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
    is_drafted = errors["speculative"] == "mtp"
    return errors.assign(basis=np.select([is_drafted, errors["model"].map(has_experts)], [DRAFTED, EXPERTS], DENSE))


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


def rests_on(basis: str) -> str:
    """The basis of an estimate without how far its load is from the anchor's.

    >>> rests_on("anchored, another load"), rests_on("calibrated, dense model")
    ('anchored', 'calibrated, dense model')
    """
    return basis.removesuffix(NEAR).removesuffix(FAR)


def anchored_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """What one measured run leaves of the errors of the others on its curve: same model, GPUs, lengths, software, other load.

    Some runs of each curve take turns as the anchor, spread over the load; constants, and how a correction fades, are those that the
    chip was left out of.

    Columns: those of `held_out_errors`, and `load_ratio`, by how many times the load of the anchor was more or less.
    """
    rows, found = calibration_rows(), []
    for name, basis, runs in _by_chip(errors):
        is_other = basis == TEXTBOOK
        of = constants("textbook_value") if is_other else fitted(rows[rows["accelerator"] != name])
        kept = fitted_kept_frac(errors[errors["held_out"] != name])
        cases = Cases(runs)
        anchor, other = _pairs(runs)
        output, speed, load = (runs[name].to_numpy(float) for name in ("output_tok_per_s_per_gpu", "tok_per_s_per_user", "concurrency"))
        more, faster = runs["at_load"].to_numpy()[anchor], np.log(speed * cases.served(of)["tpot_s"])[anchor]
        left = fading(kept, load[other], load[anchor])
        fades = fading(kept, _BATCHES[None, :], load[anchor][:, None])
        speeds, outputs = _curves(cases, of)
        curves = speeds[other] * np.exp(faster[:, None] * fades), outputs[other] * np.exp(more[:, None] * fades)
        logs = {"at_load": runs["at_load"].to_numpy()[other] - left * more, "at_speed": np.log(output[other] / _read(curves, speed[other]))}
        ratio = np.exp(np.abs(np.log(load[other] / load[anchor])))
        far = np.where(ratio <= NEAR_RATIO, NEAR, FAR).astype(object)
        found.append(runs.iloc[other].assign(**logs, load_ratio=ratio, basis=(ANCHORED_OTHER if is_other else ANCHORED) + far))
    return pd.concat(found, ignore_index=True)


def _by_chip(errors: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Runs of each chip that was left out, in the order of their load, by what was estimated with the same constants."""
    is_alone = errors["basis"].isin([DENSE, EXPERTS, DRAFTED, TEXTBOOK])
    chips = errors[is_alone & (errors["left_out"] == "accelerator")].sort_values("concurrency")
    for (name, is_drafted, is_other), runs in chips.groupby(["held_out", chips["basis"] == DRAFTED, chips["basis"] == TEXTBOOK]):
        yield name, TEXTBOOK if is_other else DRAFTED if is_drafted else CALIBRATED, runs.reset_index(drop=True)


def fading(kept_frac: float, load: np.ndarray, anchor_load: np.ndarray | float) -> np.ndarray:
    """Share of an anchor's correction that is left at another load: `kept_frac` for every doubling or halving.

    >>> fading(0.9, np.array([16.0, 32.0, 128.0]), 32.0).round(2).tolist()
    [0.9, 1.0, 0.81]
    """
    return kept_frac ** np.abs(np.log2(load / anchor_load))


def fitted_kept_frac(errors: pd.DataFrame) -> float:
    """Share of what an anchor corrects that is left at twice or half its load: that with the least mean error of the other runs.

    The farther two loads are apart, the less of an error they share: carried over whole, a correction at a small load makes estimates
    at sixteen times that load worse than no anchor does.
    """
    here, there, loads = [], [], []
    for _, basis, runs in _by_chip(errors):
        if basis != TEXTBOOK:
            anchor, other = _pairs(runs)
            logs, load = runs["at_load"].to_numpy(), runs["concurrency"].to_numpy(float)
            here.append(logs[anchor]), there.append(logs[other]), loads.append(load[other] / load[anchor])
    one, more, ratio = (np.concatenate(each) for each in (here, there, loads))
    return float(min(_KEPT, key=lambda kept: np.abs(more - fading(kept, ratio, 1.0) * one).mean()).round(2))


def _pairs(runs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Places of anchors and of the other runs on their curves."""
    pairs = []
    for places in runs.groupby(CURVE, dropna=False).indices.values():
        for i in np.unique(np.linspace(0, len(places) - 1, _ANCHORS).round().astype(int)):
            pairs += [(places[i], other) for other in places if other != places[i]]
    anchor, other = np.array(pairs, dtype=int).reshape(-1, 2).T
    return anchor, other


def quantiles(errors: pd.DataFrame, reading: str, levels: np.ndarray) -> np.ndarray:
    """Quantiles of measured over estimated for a chip or model that is none of those left out; each of these counts alike.

    A new one is off by something of its own, which is drawn as the offsets (medians) of those before were: from Student's t, as they
    are few. Its runs lie around that as the runs of those before lay around theirs. Where fewer than five were left out, which way they
    erred is chance, and the offset is taken around zero.
    """
    groups = errors.dropna(subset=[reading]).groupby(["left_out", "held_out"])[reading]
    offsets = groups.median().to_numpy()
    around = np.concatenate([np.quantile(one - one.median(), _EVEN) for _, one in groups])
    n = len(offsets)
    middle, n_free = (offsets.mean(), n - 1) if n >= _FEWEST else (0.0, n)
    apart = np.sqrt(((offsets - middle) ** 2).sum() / n_free * (1 + 1 / n))
    new = middle + apart * stats.t.ppf(_EVEN_OFFSETS, n_free)
    return np.exp(np.quantile((new[:, None] + around).ravel(), levels))


def is_held(errors: pd.DataFrame, reading: str, level: float = 0.8) -> pd.Series:
    """Whether each run lies in the band that the errors of the same basis on other chips or models alone would give; NaN without any."""
    held = pd.Series(np.nan, index=errors.index)
    known = errors.dropna(subset=[reading])
    for (basis, held_out), runs in known.groupby(["basis", "held_out"]):
        others = known[(known["basis"] == basis) & (known["held_out"] != held_out)]
        if len(others):
            low, high = np.log(quantiles(others, reading, np.array([(1 - level) / 2, (1 + level) / 2])))
            held[runs.index] = runs[reading].between(low, high).astype(float)
    return held


def coverage(runs: pd.DataFrame) -> tuple[float, float, float]:
    """Share of runs with `is_held`, and between which shares it may lie (95 %).

    Of one chip or model: by its curves, not its runs, as those on one curve err together. Of several, each counts alike, by how far
    they lie apart.

    >>> runs = pd.DataFrame({"held_out": [*"ab"], "is_held": [1.0, 0.6]})
    >>> float(coverage(runs)[0])
    0.8
    """
    known = runs.dropna(subset=["is_held"])
    shares = known.groupby("held_out")["is_held"].mean().to_numpy()
    if not len(shares):
        return np.nan, np.nan, np.nan
    if len(shares) > 1:
        off = stats.t.ppf(0.975, len(shares) - 1) * shares.std(ddof=1) / np.sqrt(len(shares))
        return shares.mean(), max(0.0, shares.mean() - off), min(1.0, shares.mean() + off)
    n = known.groupby(CURVE, dropna=False).ngroups
    low, high = stats.beta.ppf([0.025, 0.975], shares[0] * n + 0.5, (1 - shares[0]) * n + 0.5)
    return shares[0], low, high


def all_errors() -> pd.DataFrame:
    """Errors of all bases: chips and models left out, chips of other makers, and what an anchor leaves of both.

    Columns: those of `held_out_errors`, and `load_ratio` where there is an anchor.
    """
    own = pd.concat([held_out_errors("accelerator"), held_out_errors("model")], ignore_index=True)
    others = other_makers_errors()
    alone = pd.concat([own, others], ignore_index=True)
    return pd.concat([alone, anchored_errors(alone)], ignore_index=True)


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
    nearer), `coverage_frac` of an 80 % band from the errors of the others, with `low_` and `high_`.
    """
    errors = errors.reset_index(drop=True)
    plain = errors["basis"].isin([DENSE, EXPERTS])
    pooled = {CALIBRATED: plain, **{basis: errors["basis"].isin([basis + NEAR, basis + FAR]) for basis in (ANCHORED, ANCHORED_OTHER)}}
    methods = pooled | {basis: errors["basis"] == basis for basis in ESTIMATED}
    rows: list[tuple] = []
    for reading, said in READINGS.items():
        judged = errors.assign(is_held=is_held(errors, reading))
        for method, those in methods.items():
            for left_out, runs in judged[those].groupby("left_out"):
                for held_out, one in [("all", runs), *runs.groupby("held_out")]:
                    rows.append((f"estimate, {method}", left_out, held_out, said, *error_of(one[reading]), *coverage(one)))
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
