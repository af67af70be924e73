"""Throughput where nothing was measured: an estimate with a band, which one measured run of one's own corrects.

What a number rests on is said, and is one of four, the best first: measured (a run: `Frontier`), anchored (a run of the same model on
the same GPUs, at another load), calibrated (constants fitted to runs on other chips of the maker), textbook. `tc.serving.best_at`
takes the best there is. Give two digits of an estimate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost import evidence
from tokcost.quantities import LABELS, QuantityError, check_value, check_whole, nearest
from tokcost.serving.accuracy import ANCHORED, ANCHORED_OTHER, DENSE, DRAFTED, EXPERTS, TEXTBOOK, rests_on
from tokcost.serving.anchoring import OUTPUT, Anchor, checked_anchors, corrections, how_far
from tokcost.serving.architectures import architecture, has_experts
from tokcost.serving.bands import READINGS, steepness
from tokcost.serving.calibration import CALIBRATED_MAKER, NO_LINK, anchor_kept_frac, chip, constants, maker
from tokcost.serving.pareto_frontier import SPEED, is_on_front
from tokcost.serving.reading import NOT_REACHED, Bracket, Reading
from tokcost.serving.step_time import BYTES_PER_GIB, TERMS, Load, largest_batch, served, weight_bytes_per_gpu

TOTAL = "total_tok_per_s_per_gpu"
#: what binds, in words; where a batch does not fit, memory does
BINDS = dict(zip(TERMS, ("launch overhead", "reading weights", "reading the cache", "compute", "communication", "prefill"), strict=True))
MEMORY = "memory"
#: GPUs of the largest deployment that constants were fitted to
MOST_GPUS = 8
#: tokens of the longest prompt or answer that constants were fitted to, and how many times as many bands were tested at
LONGEST_TOK, TESTED_TIMES = 8192, 8
AT_LOAD, AT_SPEED = READINGS.values()
#: how much larger the load is that tells how steep a curve is
_STEP = 1.01


def estimate(
    model: str,
    accelerator: str,
    precision: str,
    *,
    batch: ArrayLike,
    isl: float,
    osl: float,
    tensor_parallel: int = 1,
    expert_parallel: int = 1,
    data_parallel_attention: bool = False,
    speculative: str = "none",
    anchor: Anchor | None = None,
    level: float = 0.8,
) -> pd.DataFrame:
    """Estimated throughput of a model on GPUs that serve it together, at one number of requests in flight or at many.

    `batch` counts requests over all GPUs, `isl` and `osl` are mean lengths. `tensor_parallel` GPUs hold one copy of the model; with
    `data_parallel_attention` each attends to its own requests. `expert_parallel` must divide them: measured runs with and without it
    differ by less than the band, and the estimate not at all. `anchor` is a measured run of the same model, GPUs, lengths and
    precision (a row of data/inference.csv, or a mapping with `concurrency`, `tok_per_s_per_user` and `output_tok_per_s_per_gpu`), or a
    table or list of several at different loads: the curve is moved to go through them, and less so with each doubling of the load. At a
    given speed one leaves a median error under 12 % on NVIDIA chips where it is near, or in the middle of the loads that are asked, and
    two leave 6 % between them; on AMD's chips these are 16 % and 11 % (data/estimate_accuracy.csv).

    `level` is the share of runs whose truth lies from `low_` to `high_`, on average over new chips and models: what is new about one
    moves all of its runs together, so that of a single one a band of 80 % held from half of the runs to nearly all, as a right one must.

    Columns: what was asked (`model`, `accelerator`, `precision`, `isl`, `osl`, `n_gpus`), `batch`, `tok_per_s_per_user`,
    `output_tok_per_s_per_gpu` and `total_tok_per_s_per_gpu`, each throughput with `low_` and `high_`; `largest_batch` (what fits;
    beyond it the row is NaN), `binds` (the largest term), seconds per output token by term (`overhead_s`, `weights_s`, `kv_s`,
    `compute_s`, `communication_s`, `prefill_s`: they add up to 1 / speed), `steepness` (the power by which errors at a speed are larger
    than those of a level curve, `bands.steepness`), and `basis`.
    Raises: QuantityError for an architecture or a chip that is not in the data, weights that do not fit, lengths far beyond those that
    were measured, and an anchor of something else.

    >>> one = estimate("llama70b", "h200", "fp8", batch=[1, 64], isl=1024, osl=1024, tensor_parallel=4)
    >>> one["basis"].unique().tolist(), one["binds"].tolist()
    (['calibrated, dense model'], ['reading weights', 'communication'])
    """
    _check(speculative, level, tensor_parallel, expert_parallel)
    for name, value, most in (("batch", batch, 1), ("isl", isl, 0), ("osl", osl, 0)):
        check_value(name, value)
        if np.ndim(value) > most:
            raise QuantityError(f"`{name}` must be one number{' or a row of them' if most else ''}, got {np.ndim(value)} dimensions")
    batches = np.atleast_1d(np.asarray(batch, dtype=float))
    sizes, rated = architecture(model, precision), chip(accelerator, precision)
    heads = int(evidence.load_table("model_architectures", model=model)["n_heads"].iloc[0])
    if heads % tensor_parallel and not data_parallel_attention:
        raise QuantityError(
            f"`tensor_parallel` {tensor_parallel} does not divide the {heads} attention heads of `{model}`; no server splits it so"
        )
    is_drafted = speculative == "mtp"
    if is_drafted and not sizes.has_draft_layer:
        raise QuantityError(f"`{model}` has no layer for speculative decoding in data/model_architectures.csv; estimate it with `none`")
    if tensor_parallel > 1 and rated.link_bytes_per_s == NO_LINK:
        raise QuantityError(f"data/accelerators.csv has no scale_up_gb_per_s of `{accelerator}`: it can be estimated with one GPU only")
    load = Load(batches, float(isl), float(osl), tensor_parallel, 1 if data_parallel_attention else tensor_parallel, is_drafted)
    fits = float(largest_batch(sizes, rated, load))
    if fits < 1:
        held, has = float(weight_bytes_per_gpu(sizes, load)) / BYTES_PER_GIB, rated.memory_bytes / BYTES_PER_GIB
        raise QuantityError(
            f"`{model}` in {precision} does not fit: {held:,.0f} GiB of weights for each of {tensor_parallel} `{accelerator}` with "
            f"{has:,.0f} GiB, and not one request beside them; split it over more GPUs or take a narrower precision"
        )
    for name, value in (("isl", load.isl), ("osl", load.osl)):
        if anchor is None and value > TESTED_TIMES * LONGEST_TOK:
            raise QuantityError(
                f"nothing says how far off an estimate of `{name}` {value:,.0f} would be: it is more than {TESTED_TIMES} times the longest "
                f"that was measured, {LONGEST_TOK:,}, and bands were tested that far only; give an anchor of that length"
            )
    of, basis = _constants(model, accelerator, is_drafted, anchor)
    asked = {
        "model": model,
        "accelerator": accelerator,
        "precision": precision,
        "isl": load.isl,
        "osl": load.osl,
        "n_gpus": tensor_parallel,
    }
    runs = None if anchor is None else checked_anchors(anchor, asked | {"speculative": speculative, "tensor_parallel": load.attention_gpus})

    def at(batch: Any) -> dict[str, Any]:
        """Terms, speed and output at loads, after the anchors have moved them."""
        found = served(sizes, rated, replace(load, batch=batch), of)
        faster = more = np.ones(np.shape(batch))
        if runs is not None:
            loads, speed, output = runs.to_numpy().T
            there = served(sizes, rated, replace(load, batch=loads), of)
            off = speed * there["tpot_s"], output / there[OUTPUT]
            faster, more = (np.exp(corrections(anchor_kept_frac(), batch, loads, np.log(one))) for one in off)
        terms = {name: np.broadcast_to(found[name], np.shape(batch)) / faster for name in TERMS}
        return terms | {SPEED: faster / found["tpot_s"], OUTPUT: found[OUTPUT] * more}

    found, beyond = at(batches), at(batches * _STEP)
    changes = {name: np.log(beyond[name] / found[name]) for name in (OUTPUT, SPEED)}
    bases = np.full(len(batches), basis, dtype=object)
    if runs is not None:
        bases = bases + how_far(batches, runs["concurrency"].to_numpy())
    rows = _table(found, fits, load, bases, level).assign(steepness=np.where(batches <= fits, steepness(*changes.values()), np.nan))
    return pd.concat([pd.DataFrame(asked, index=rows.index), rows], axis=1)


def _table(found: dict[str, Any], fits: float, load: Load, bases: np.ndarray, level: float) -> pd.DataFrame:
    batches = load.batch
    speed, output, *terms = (np.where(batches <= fits, found[name], np.nan) for name in (SPEED, OUTPUT, *TERMS))
    low, high = _bands(bases, AT_LOAD, level)
    columns = {"batch": batches, SPEED: speed}
    for name, throughput in ((OUTPUT, output), (TOTAL, output * (load.isl + load.osl) / load.osl)):
        columns |= {name: throughput, f"low_{name}": throughput * low, f"high_{name}": throughput * high}
    words = np.array(list(BINDS.values()))
    columns["largest_batch"] = np.full(batches.shape, np.floor(fits))
    columns["binds"] = np.where(batches <= fits, words[np.nan_to_num(terms).argmax(axis=0)], MEMORY)
    return pd.DataFrame(columns | dict(zip(TERMS, terms, strict=True)) | {"basis": bases})


def _check(speculative: str, level: float, tensor_parallel: int, expert_parallel: int) -> None:
    if speculative not in ("none", "mtp"):
        raise QuantityError(f"`speculative` must be none or mtp, got {speculative!r}{nearest(str(speculative), LABELS['speculative'])}")
    if not isinstance(level, float) or not 0 < level < 1:
        raise QuantityError(f"`level` must lie between 0 and 1, got {level}; 0.8 is a band that holds eight cases in ten")
    check_whole("tensor_parallel", tensor_parallel)
    check_whole("expert_parallel", expert_parallel)
    if tensor_parallel > MOST_GPUS:
        raise QuantityError(
            f"estimates hold for one deployment of up to {MOST_GPUS} GPUs, got `tensor_parallel` {tensor_parallel}; published runs of "
            "larger ones do not say how their pools split the model, so nothing could be fitted: take a measured run"
        )
    if tensor_parallel % expert_parallel:
        raise QuantityError(f"`expert_parallel` must divide the {tensor_parallel} GPUs, got {expert_parallel}")


def _constants(model: str, accelerator: str, is_drafted: bool, anchor: object):
    """The constants for a chip and what an estimate from them rests on."""
    is_calibrated = maker(accelerator) == CALIBRATED_MAKER
    if anchor is not None:
        return constants(), ANCHORED if is_calibrated else ANCHORED_OTHER
    if is_calibrated:
        return constants(), DRAFTED if is_drafted else EXPERTS if has_experts(model) else DENSE
    if is_drafted:
        raise QuantityError(
            f"nothing says how far off speculative decoding on `{accelerator}` would be; give an anchor, or estimate without"
        )
    return constants("textbook_value"), TEXTBOOK


def band(basis: str, reading: str, level: float) -> tuple[float, float]:
    """What an estimate must be multiplied by for the two ends of its band, by data/estimate_errors.csv; at a speed, of a level curve.

    >>> low, high = band("calibrated, dense model", "at a load", 0.8)
    >>> low < 1 < high
    True
    """
    rows = evidence.load_table("estimate_errors", basis=basis, reading=reading).sort_values("quantile_frac")
    ends = np.interp([(1 - level) / 2, (1 + level) / 2], rows["quantile_frac"], np.log(rows["truth_ratio"]))
    return cast(tuple[float, float], tuple(np.exp(ends).tolist()))


def _bands(bases: Any, reading: str, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the bands of many estimates."""
    known = {basis: band(basis, reading, level) for basis in dict.fromkeys(bases)}
    low, high = np.array([known[basis] for basis in bases]).reshape(-1, 2).T
    return low, high


def two_figures(value: float) -> float:
    """An estimate to the two significant figures that it is worth.

    >>> two_figures(2847.3), two_figures(0.4451)
    (2800.0, 0.45)
    """
    return float(f"{value:.2g}")


def estimated_curve(table: pd.DataFrame, *, throughput: str = TOTAL, level: float = 0.8, series: str = "estimate") -> pd.DataFrame:
    """The best of estimates at every speed, as a curve beside those of `Frontier.curve`: dashed throughout, with its band.

    `table` holds rows of `estimate` of one basis, of one split or of several.

    Columns: `tok_per_s_per_user`, the throughput with `low` and `high`, `is_hole` (true: a figure dashes it), `basis`, `steepness`,
    `series`.
    Raises: QuantityError for estimates of several bases.

    >>> rows = estimate("llama70b", "h200", "fp8", batch=[1, 8, 64], isl=1024, osl=1024, tensor_parallel=4)
    >>> bool(estimated_curve(rows)["is_hole"].all())
    True
    """
    bases = table["basis"].map(rests_on).unique()
    if len(bases) != 1:
        raise QuantityError(f"a curve rests on one basis, these estimates on {' and '.join(map(str, bases)) or 'none'}; choose one")
    known = table[table[throughput].notna()]
    front = known[is_on_front(known[SPEED], known[throughput])].sort_values(SPEED)
    low, high = (end ** front["steepness"].to_numpy() for end in _bands(front["basis"], AT_SPEED, level))
    value = front[throughput].to_numpy()
    columns = {SPEED: front[SPEED].to_numpy(), throughput: value, "low": value * low, "high": value * high}
    return pd.DataFrame(columns).assign(is_hole=True, **{name: front[name].to_numpy() for name in ("basis", "steepness")}, series=series)


def estimate_at(table: pd.DataFrame, *, tok_per_s_per_user: float, throughput: str = TOTAL, level: float = 0.8) -> Reading:
    """Estimated throughput at one speed, as a `Reading` whose `low` and `high` are its band and whose basis says what it rests on.

    What takes readings of measured frontiers takes it too (`tc.doubt.headline` adds its band to the doubts); it is never measured.

    >>> rows = estimate("llama70b", "h200", "fp8", batch=[1, 2, 4, 8, 16, 32, 64], isl=1024, osl=1024, tensor_parallel=4)
    >>> read = estimate_at(rows, tok_per_s_per_user=60)
    >>> read.low < read < read.high, read.bracket.basis
    (True, 'calibrated, dense model')
    """
    check_value(SPEED, tok_per_s_per_user)
    curve = estimated_curve(table, throughput=throughput, level=level)
    if curve.empty:  # no batch fits
        return Reading(np.nan, np.nan, np.nan, Bracket(np.nan, np.nan, np.nan, 0, NOT_REACHED))
    n = len(curve)
    columns = (curve[name] for name in (throughput, "low", "high", "steepness"))
    value, low, high, steep = (float(np.interp(tok_per_s_per_user, curve[SPEED], one, left=np.nan, right=np.nan)) for one in columns)
    if np.isnan(value):
        return Reading(np.nan, np.nan, np.nan, Bracket(np.nan, np.nan, np.nan, n, NOT_REACHED))
    basis, speed = curve["basis"].iloc[(curve[SPEED] - tok_per_s_per_user).abs().argmin()], float(tok_per_s_per_user)
    return Reading(value, low, high, Bracket(speed, speed, 1.0, n, str(basis), steep))
