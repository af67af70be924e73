"""The effective constants of the estimate: read from data/calibration.csv, and fitted again to the measured runs.

    tokcost calibrate      fit them again and write data/calibration.csv, after a change of the measured runs

Only runs of one deployment on chips of one maker are fitted, without speculative decoding, and one constant more to those with it;
nothing is fitted for one chip, one model or one framework. The own runs on single cards are never fitted, only tested.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.evidence import NoSuchRow
from tokcost.quantities import QuantityError
from tokcost.serving.architectures import architecture, stacked
from tokcost.serving.pooling import each_once
from tokcost.serving.step_time import BYTES_PER_GIB, CONSTANTS, Chip, Constants, Load, served

TABLE = "calibration"
#: the row that is no constant of a step: how an anchor's correction fades
KEPT = "anchor_kept_frac"
#: the maker whose chips are calibrated; software sets the numbers of others, and no constant carries over
CALIBRATED_MAKER = "nvidia"
#: runs with random lengths of 0.8 to 1 times the nominal ones; the other campaigns hold them fixed
MEAN_LENGTH_FRAC = {"aiconfigurator_nvidia": 1.0}
RANDOM_LENGTH_FRAC = 0.9

#: where no source rates the link: nothing passes over it, and more than one GPU is refused
NO_LINK = np.inf
#: the unit of a misfit: what a run may be off (logarithm) before it counts less than by its square, and a constant from its textbook value
_MISFIT, _AWAY = 0.1, 0.3
#: runs of one model, chip, precision and framework together weigh by the root of their number
_GROUP = ["model", "precision", "accelerator", "framework"]
_WIDEST = 100.0
_DIGITS = 4
_BYTES_PER_GB, _FLOP_PER_TFLOP = 1e9, 1e12


def chip(accelerator: str, precision: str) -> Chip:
    """What an accelerator is rated at, from its rows of data/accelerators.csv.

    Memory is what is usable of it, in GiB as vendors count; arithmetic that the chip has no rate for in this precision (FP4 weights
    on a Hopper) is done in bf16.

    Raises: NoSuchRow for an accelerator without rows; QuantityError, of which that is a kind, where a figure is missing.

    >>> chip("h200", "fp8").memory_bytes_per_s
    4800000000000.0
    """
    evidence.load_table("accelerator_makers", accelerator=accelerator)  # an unknown name is answered with the nearest
    memory, bf16 = _rated(accelerator, "memory_gb"), _rated(accelerator, "peak_bf16_dense_tflop_per_s")
    own = _rated(accelerator, f"peak_{precision}_dense_tflop_per_s", required=False) or bf16
    link = _rated(accelerator, "scale_up_gb_per_s", required=False)
    return Chip(
        memory_bytes=(memory.value if memory.low is None else memory.low) * BYTES_PER_GIB,
        memory_bytes_per_s=_rated(accelerator, "memory_bandwidth_gb_per_s").value * _BYTES_PER_GB,
        link_bytes_per_s=link.value * _BYTES_PER_GB if link else NO_LINK,
        flop_per_s=own.value * _FLOP_PER_TFLOP,
        bf16_flop_per_s=bf16.value * _FLOP_PER_TFLOP,
    )


def _rated(accelerator: str, quantity: str, *, required: bool = True) -> Any:
    """One rating, as a fact; None where no source states one that is not required."""
    try:
        return evidence.fact("accelerators", accelerator=accelerator, quantity=quantity)
    except NoSuchRow:
        if required:
            raise QuantityError(
                f"no estimate for `{accelerator}`: data/accelerators.csv has no {quantity} of it; a chip is rows of that table"
            ) from None
        return None


def maker(accelerator: str) -> str:
    """Who makes an accelerator, from data/accelerator_makers.csv.

    >>> maker("h200"), maker("mi355x")
    ('nvidia', 'amd')
    """
    return evidence.load_table("accelerator_makers", accelerator=accelerator)["maker"].iloc[0]


def constants(column: str = "value") -> Constants:
    """The effective constants as fitted, or with `textbook_value` what one would take without a measurement.

    >>> constants("textbook_value").decode_compute_frac
    0.5
    """
    rows = evidence.load_table(TABLE).set_index("constant")[column]
    return Constants(**{name: float(rows[name]) for name in CONSTANTS})


def anchor_kept_frac() -> float:
    """Share of what an anchor corrects that is left at twice or half its load.

    >>> 0.8 < anchor_kept_frac() < 1
    True
    """
    return float(evidence.load_table(TABLE, constant=KEPT)["value"].iloc[0])


def mean_length_frac(campaign: str) -> float:
    """Mean length of the requests of a campaign as a share of the nominal length that its rows state.

    >>> mean_length_frac("inferencex_api_2026_06"), mean_length_frac("aiconfigurator_nvidia")
    (0.9, 1.0)
    """
    return MEAN_LENGTH_FRAC.get(campaign, RANDOM_LENGTH_FRAC)


def load_of(rows: pd.DataFrame) -> Load:
    """The load of measured runs; attention is data-parallel where fewer GPUs split it than serve."""
    share = rows["campaign"].map(mean_length_frac).to_numpy(float)
    n_gpus, split = rows["n_gpus"].to_numpy(float), rows["tensor_parallel"].to_numpy(float)
    lengths = {name: rows[name].to_numpy(float) * share for name in ("isl", "osl")}
    is_drafted = (rows["speculative"] == "mtp").to_numpy()
    return Load(rows["concurrency"].to_numpy(float), **lengths, n_gpus=n_gpus, attention_gpus=split, is_drafted=is_drafted)


class Cases:
    """Measured runs as what the formulas take: sizes of their models, ratings of their chips, loads; one a row."""

    def __init__(self, rows: pd.DataFrame):
        self.rows = rows.reset_index(drop=True)
        pairs = list(zip(rows["model"], rows["precision"], strict=True))
        sized = {pair: architecture(*pair) for pair in set(pairs)}
        self.models = stacked([sized[pair] for pair in pairs])
        where = list(zip(rows["accelerator"], rows["precision"], strict=True))
        rated = {pair: chip(*pair) for pair in set(where)}
        self.chips = Chip(**{name: np.array([getattr(rated[pair], name) for pair in where]) for name in asdict(next(iter(rated.values())))})
        self.load = load_of(rows)

    def served(self, of: Constants) -> dict[str, Any]:
        return served(self.models, self.chips, self.load, of)

    def log_errors(self, of: Constants) -> np.ndarray:
        """Logarithm of what was measured over what is estimated, in output tokens per second and GPU."""
        return np.log(self.rows["output_tok_per_s_per_gpu"].to_numpy(float) / self.served(of)["output_tok_per_s_per_gpu"])


def calibration_rows(**where: object) -> pd.DataFrame:
    """Measured runs that the estimate can be held against: one deployment that says its GPUs and how they split, each once.

    Columns: those of data/inference.csv, and `maker`.

    >>> sorted(calibration_rows()["deployment"].unique())
    ['aggregated']
    """
    rows = evidence.measured(deployment="aggregated", **where)
    rows = rows[rows[["n_gpus", "tensor_parallel", "output_tok_per_s_per_gpu"]].notna().all(axis=1)]
    rows = rows[rows["model"].isin(evidence.load_table("model_architectures")["model"])]
    there = list(rows["accelerator"].unique())
    makers = evidence.load_table("accelerator_makers", accelerator=there).set_index("accelerator")["maker"]
    return each_once(rows).assign(maker=lambda kept: kept["accelerator"].map(makers))


def is_fitted(rows: pd.DataFrame) -> pd.Series:
    """Which runs the constants are fitted to: one maker, no speculative decoding."""
    return (rows["maker"] == CALIBRATED_MAKER) & (rows["speculative"] != "mtp")


def fitted(rows: pd.DataFrame) -> Constants:
    """Constants fitted to runs: least squares of logarithms that lets outliers be, each constant held near its textbook value.

    The speed-up of drafting is fitted last, to the runs with it (where there are none it stays at its textbook value).
    """
    from scipy.optimize import least_squares

    textbook = constants("textbook_value")
    plain = rows[is_fitted(rows)]
    cases = Cases(plain)
    n_alike = plain.groupby(_GROUP)["model"].transform("size").to_numpy(float)
    weight = n_alike**-0.25
    weight /= np.sqrt(np.mean(weight**2))
    names = [name for name in CONSTANTS if name != "draft_tok_per_step"]
    start = np.log([getattr(textbook, name) for name in names])
    top = np.array([0.0 if name.endswith("_frac") else start[k] + np.log(_WIDEST) for k, name in enumerate(names)])

    def of(logs: np.ndarray) -> Constants:
        return replace(textbook, **dict(zip(names, np.exp(logs).tolist(), strict=True)))

    def misfits(logs: np.ndarray) -> np.ndarray:
        r = weight * cases.log_errors(of(logs)) / _MISFIT
        soft = np.sign(r) * np.sqrt(2 * (np.sqrt(1 + r**2) - 1))
        return np.concatenate([soft, (logs - start) / _AWAY])

    found = of(least_squares(misfits, start, bounds=(start - np.log(_WIDEST), top)).x)
    drafted = rows[(rows["speculative"] == "mtp") & (rows["maker"] == CALIBRATED_MAKER)]
    if len(drafted):
        draft = Cases(drafted)

        def off(log: np.ndarray) -> np.ndarray:
            return draft.log_errors(replace(found, draft_tok_per_step=float(np.exp(log[0])))) / _MISFIT

        gain = least_squares(off, [np.log(textbook.draft_tok_per_step)], loss="soft_l1").x[0]
        found = replace(found, draft_tok_per_step=float(np.exp(gain)))
    return found


def rows_sha256(rows: pd.DataFrame) -> str:
    """A fingerprint of the runs that were fitted: which they are, and their figures."""
    said = rows[["campaign", "locator", "concurrency", "n_gpus", "output_tok_per_s_per_gpu"]].sort_values(["campaign", "locator"])
    return hashlib.sha256(said.to_csv(index=False, float_format="%.9g").encode()).hexdigest()


def calibration_state() -> str:
    """To how many runs the constants were fitted and when; and what to do where the data has others now.

    New runs need no new fit at once: an estimate stays what it was, and says so, until `tokcost calibrate` takes them in.

    >>> calibration_state().startswith("fitted on ")
    True
    """
    kept, runs = evidence.load_table(TABLE).iloc[0], _fitted_rows()
    state = f"fitted on {kept['date']} to {kept['n_rows']:,} runs"
    if not is_calibration_due():
        return state
    return f"{state}, not to the {len(runs):,} that the data has now; `tokcost calibrate` takes half a minute to fit them again"


def is_calibration_due() -> bool:
    """Whether the data has other runs than those that the constants were fitted to.

    >>> is_calibration_due()
    False
    """
    return rows_sha256(_fitted_rows()) != evidence.load_table(TABLE)["rows_sha256"].iloc[0]


def _fitted_rows() -> pd.DataFrame:
    """The runs of the maker whose chips are calibrated."""
    runs = calibration_rows()
    return runs[runs["maker"] == CALIBRATED_MAKER]


def renewed(date: str, kept_frac: float) -> pd.DataFrame:
    """data/calibration.csv with the constants fitted again, how an anchor fades, the date and the fingerprint of the runs.

    Columns: those of data/calibration.csv.
    """
    runs = _fitted_rows()
    found: Mapping[str, float] = asdict(fitted(runs)) | {KEPT: kept_frac}
    table = evidence.load_table(TABLE)
    values = [float(f"{found[name]:.{_DIGITS}g}") for name in table["constant"]]
    return table.assign(value=values, date=date, n_rows=len(runs), rows_sha256=rows_sha256(runs))
