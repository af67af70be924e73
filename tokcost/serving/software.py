"""What software alone gives: the same accelerator over dated versions; and MLPerf, which counts on its own.

Two kinds of evidence, never mixed. MLPerf rounds give the best result of each round: output tokens, other
submitters and hosts from round to round. InferenceX dates give one configuration run again: input + output
tokens, at equal concurrency. First weeks of a new model or chip gain most, so short spans are not annualised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.quantities import FEWEST_OF_MEDIAN, Numbers, QuantityError, check_value, formula, median_of_many, nearest
from tokcost.serving.pareto_frontier import frontier

DAYS_PER_YEAR = 365.0

#: benchmark -> the throughput that it counts
COUNTS = {"MLPerf": "output_tok_per_s_per_gpu", "InferenceX": "total_tok_per_s_per_gpu"}

#: MLPerf systems that hold more than one kind of accelerator, or one that is not told apart here
NOT_ONE_CHIP = ("mixed", "other")
#: what stays the same from one MLPerf round to the next
_MLPERF_SAME = ["accelerator", "model", "scenario", "n_gpus"]
#: what stays the same when a serving configuration is run again
_RUN_SAME = [
    *("model", "accelerator", "precision", "framework", "speculative", "deployment", "isl", "osl", "concurrency"),
    *("n_gpus", "tensor_parallel", "expert_parallel", "n_prefill_gpus", "n_decode_gpus"),
]
PROGRESS = [
    *("evidence_class", "accelerator", "model", "workload", "from_date", "from_version", "from_value"),
    *("to_date", "to_version", "to_value", "ratio", "elapsed_yr"),
]


@dataclass(frozen=True)
class BenchmarkResult:
    """One published throughput with the rules it was measured under."""

    benchmark: str
    model: str
    rules: str
    value: float

    def __post_init__(self):
        if self.benchmark not in COUNTS:
            raise QuantityError(f"`{self.benchmark}` is no known benchmark; known: {', '.join(COUNTS)}")
        check_value(COUNTS[self.benchmark], self.value)


def result_ratio(candidate: BenchmarkResult, baseline: BenchmarkResult) -> float:
    """Candidate over baseline throughput, of one benchmark under one set of rules.

    >>> offline = BenchmarkResult("MLPerf", "llama2-70b-99.9", "closed, offline", 13072)
    >>> result_ratio(offline, BenchmarkResult("InferenceX", "llama70b", "8192/1024", 2000))
    Traceback (most recent call last):
    tokcost.quantities.QuantityError: MLPerf counts output tokens, InferenceX input + output, under other loads and latency limits: \
a ratio across them says nothing; compare each only with its own kind
    """
    if candidate.benchmark != baseline.benchmark:
        counted = {"MLPerf": "output tokens", "InferenceX": "input + output"}
        first, second = (f"{result.benchmark} {{}}{counted[result.benchmark]}" for result in (candidate, baseline))
        raise QuantityError(
            f"{first.format('counts ')}, {second.format('')}, under other loads and latency limits: "
            "a ratio across them says nothing; compare each only with its own kind"
        )
    for what in ("model", "rules"):
        ours, theirs = getattr(candidate, what), getattr(baseline, what)
        if ours != theirs:
            raise QuantityError(f"{what} of the two {candidate.benchmark} results is {ours} and {theirs}; compare like with like")
    return candidate.value / baseline.value


@formula
def annualised_ratio(*, ratio: Numbers, elapsed_yr: Numbers) -> Numbers:
    """The gain that a year would bring at this pace: the ratio to the power of one over the years. Definition: compound growth.

    >>> annualised_ratio(ratio=1.21, elapsed_yr=2)
    1.1
    """
    return ratio ** (1 / elapsed_yr)


def mlperf_results(**where: object) -> pd.DataFrame:
    """MLPerf rows of the catalog where each named column has the value, or one of the values, given.

    Columns: those of `data/mlperf_inference.csv`.

    >>> rows = mlperf_results(model="llama2-70b-99.9", scenario="offline", accelerator="h200", division="closed")
    >>> float(rows["output_tok_per_s_per_gpu"].max())
    4487.88
    """
    return evidence.load_table("mlperf_inference", **where).reset_index(drop=True)


def mlperf_best(rows: pd.DataFrame, *, by: tuple[str, ...] = ("accelerator",)) -> pd.DataFrame:
    """The best result per accelerator of each group, with the number of results and, of five or more, their median.

    One model, scenario and division at a time: others do not compare. `by=("accelerator", "round")` gives each round.

    Columns: those of `by`, the throughput, where the best comes from, `n_results` and the median throughput.
    Raises: QuantityError for rows of more than one model, scenario or division.

    >>> rows = mlperf_results(model="llama2-70b-99.9", scenario="offline", division="closed", accelerator=["h100", "h200"])
    >>> mlperf_best(rows)[["accelerator", "round"]].values.tolist()
    [['h200', 'v4.1'], ['h100', 'v5.1']]
    """
    for name in ("model", "scenario", "division"):
        if rows[name].nunique() != 1:
            shown = ", ".join(sorted(rows[name].unique()))
            raise QuantityError(f"MLPerf results compare within one {name}, these are {shown}; choose one")
    throughput = COUNTS["MLPerf"]
    groups = rows.groupby(list(by), sort=True)
    best = rows.loc[groups[throughput].idxmax().sort_values()]
    of_group = groups[throughput].agg(n_results="size", **{f"median_{throughput}": median_of_many}).reset_index()
    columns = [
        *by,
        throughput,
        *(name for name in ("round", "published_date", "submitter", "n_gpus", "is_inferred", "locator") if name not in by),
    ]
    return best[columns].merge(of_group, on=list(by)).sort_values(throughput, ascending=False, ignore_index=True)


def mlperf_progress(rows: pd.DataFrame, *, is_same_submitter: bool = False) -> pd.DataFrame:
    """Best of a round against best of the round before: same accelerator and count of them, model and scenario, closed division.

    With `is_same_submitter` each submitter is compared with itself: fewer pairs, but hosts and people change less.

    Columns: `PROGRESS`, which every table of progress here has: what was compared, its two dates, versions and values, `ratio`,
    `elapsed_yr`.

    >>> pairs = mlperf_progress(mlperf_results(model="llama2-70b-99.9", accelerator="h200", scenario="offline", n_gpus=8))
    >>> pairs[["from_version", "ratio"]].round(2).values.tolist()[0]
    ['MLPerf v4.1 (NVIDIA)', 1.01]
    """
    same = [*_MLPERF_SAME, *(["submitter"] if is_same_submitter else [])]
    closed = rows[(rows["division"] == "closed") & ~rows["accelerator"].isin(NOT_ONE_CHIP)]
    best = closed.loc[closed.groupby([*same, "round"])[COUNTS["MLPerf"]].idxmax()].sort_values([*same, "published_date"])
    kind = "mlperf_same_submitter" if is_same_submitter else "mlperf_best_of_round"
    return _progress(
        best,
        same,
        date=best["published_date"],
        version="MLPerf " + best["round"] + " (" + best["submitter"] + ")",
        value=best[COUNTS["MLPerf"]],
        workload=best["scenario"] + ", " + best["n_gpus"].astype(int).astype(str) + " GPUs",
        evidence_class=kind,
    )


def run_progress(rows: pd.DataFrame) -> pd.DataFrame:
    """A serving configuration's last run against its first, at equal concurrency and parallelism: only date and software differ.

    Best of a day where it ran several times. Rows whose date is unknown or a period are not used.

    Columns: `PROGRESS`.

    >>> pairs = run_progress(evidence.measured(campaign="inferencex_api_history", accelerator="h200"))
    >>> float(pairs["ratio"].median().round(2))
    1.0
    """
    dated = rows[rows["run_date"].str.fullmatch(r"\d{4}-\d{2}-\d{2}")]
    best = dated.loc[dated.groupby([*_RUN_SAME, "run_date"], dropna=False)[COUNTS["InferenceX"]].idxmax()].sort_values("run_date")
    ends = best.groupby(_RUN_SAME, dropna=False)
    best = pd.concat([ends.head(1), ends.tail(1)]).drop_duplicates().sort_values([*_RUN_SAME, "run_date"])
    lengths = best["isl"].astype(int).astype(str) + "/" + best["osl"].astype(int).astype(str)
    return _progress(
        best,
        _RUN_SAME,
        date=best["run_date"],
        version=best["framework"] + " " + best["image"],
        value=best[COUNTS["InferenceX"]],
        workload=lengths + ", concurrency " + best["concurrency"].astype(int).astype(str),
        evidence_class="inferencex_same_configuration",
    )


def versions_at(
    rows: pd.DataFrame, *, tok_per_s_per_user: float, by: str = "image", throughput: str = COUNTS["InferenceX"]
) -> pd.DataFrame:
    """The same accelerator by software version (or `by="run_date"`): its best run at least so fast, with points and dates.

    NaN where the runs of a version do not reach the interactivity. `ratio` is against the first version that does.

    Columns: `by`, `first_date`, `last_date`, `n_points`, the throughput, `ratio`.
    Raises: QuantityError where the rows do not say the version.

    >>> rows = pd.DataFrame({"model": "m", "accelerator": "h200", "isl": 1, "osl": 1, "image": ["v1", "v2"],
    ...                      "run_date": ["2026-01-01", "2026-03-01"], "tok_per_s_per_user": 50, "total_tok_per_s_per_gpu": [4.0, 6.0]})
    >>> versions_at(rows, tok_per_s_per_user=50)[["image", "ratio"]].values.tolist()
    [['v1', 1.0], ['v2', 1.5]]
    """
    if by not in rows:
        raise QuantityError(f"the rows have no column `{by}`{nearest(by, rows.columns)}")
    found = []
    named = rows[rows[by].notna() & (rows[by] != "")]
    if named.empty:
        raise QuantityError(f"none of the {len(rows)} rows says its `{by}`")
    for version, runs in named.groupby(by):
        curve = frontier(runs, throughput=throughput)
        read: Any = curve.at(tok_per_s_per_user=tok_per_s_per_user)  # the run at least as fast delivers the least of the two around it
        found.append(
            {by: version, "first_date": curve.first_date, "last_date": curve.last_date, "n_points": curve.n_points} | {throughput: read.low}
        )
    table = pd.DataFrame(found).sort_values(["first_date", by], ignore_index=True)
    reached = table[throughput].dropna()
    return table.assign(ratio=table[throughput] / (reached.iloc[0] if len(reached) else np.nan))


def published_progress() -> pd.DataFrame:
    """Throughput before and after as others published it (table software_progress), with the class of evidence of each pair.

    What a source states of interactivity stands in the table and not here: it is another quantity.

    Columns: `PROGRESS`.

    >>> bool((published_progress()["ratio"] > 0).all())
    True
    """
    rows = evidence.load_table("software_progress")
    rows = rows[rows["quantity"].isin(["total_tok_per_s_per_gpu", "throughput_ratio"])]
    elapsed = _years(rows["from_date"], rows["to_date"])
    return rows.assign(ratio=rows["to_value"] / rows["from_value"], elapsed_yr=elapsed)[PROGRESS]


def yearly_gain(progress: pd.DataFrame, *, min_elapsed_yr: float, by: tuple[str, ...] = ("evidence_class",)) -> pd.DataFrame:
    """The gain of a year with its spread: quartiles over pairs, and all pairs pooled (all gains over all years).

    Pairs closer than `min_elapsed_yr` are counted in `n_too_short` and excluded: raised to a year, a week of
    noise becomes a revolution.

    Columns: those of `by`, `n_pairs`, `n_too_short`, `n_slower`, and the annualised ratio as `median_`, `p25_`, `p75_`, `low_`, `high_`
    and `pooled_`; NaN where every pair is too short. Median and quartiles are of five pairs or more, otherwise NaN.

    >>> pairs = pd.DataFrame({"evidence_class": "runs", "ratio": [1.44, 4.0, 9.0], "elapsed_yr": [2.0, 2.0, 0.1]})
    >>> gain = yearly_gain(pairs, min_elapsed_yr=0.5).iloc[0]
    >>> int(gain["n_too_short"]), round(float(gain["high_annualised_ratio"]), 2), float(gain["median_annualised_ratio"])
    (1, 2.0, nan)
    """
    check_value("elapsed_yr", min_elapsed_yr)
    found = []
    for group, pairs in progress.groupby(list(by)):
        long = pairs[pairs["elapsed_yr"] >= min_elapsed_yr]
        yearly = annualised_ratio(ratio=long["ratio"], elapsed_yr=long["elapsed_yr"])
        years = long["elapsed_yr"].sum()
        pooled = np.exp(np.log(long["ratio"]).sum() / years) if years else np.nan
        low, high = yearly.min(), yearly.max()
        quarter, three_quarters = yearly.quantile([0.25, 0.75]) if len(long) >= FEWEST_OF_MEDIAN else (np.nan, np.nan)
        found.append(
            dict(zip(by, group, strict=True))
            | {"n_pairs": len(long), "n_too_short": len(pairs) - len(long), "n_slower": int((long["ratio"] < 1).sum())}
            | {"median_annualised_ratio": median_of_many(yearly), "p25_annualised_ratio": quarter, "p75_annualised_ratio": three_quarters}
            | {"low_annualised_ratio": low, "high_annualised_ratio": high, "pooled_annualised_ratio": pooled}
        )
    return pd.DataFrame(found)


def _progress(rows: pd.DataFrame, same: list[str], *, date, version, value, workload, evidence_class: str) -> pd.DataFrame:
    """Each row against the one before it in its group; `rows` are sorted by group and date."""
    facts = rows[["accelerator", "model"]].assign(date=date, version=version, value=value, workload=workload, evidence_class=evidence_class)
    before = facts.groupby([rows[name] for name in same], dropna=False)[["date", "version", "value"]].shift()
    pairs = facts.join(before.add_prefix("from_")).rename(columns={"date": "to_date", "version": "to_version", "value": "to_value"})
    pairs = pairs[pairs["from_date"].notna()]
    elapsed = _years(pairs["from_date"], pairs["to_date"])
    return pairs.assign(ratio=pairs["to_value"] / pairs["from_value"], elapsed_yr=elapsed)[PROGRESS].reset_index(drop=True)


def _years(first: pd.Series, last: pd.Series) -> pd.Series:
    return (pd.to_datetime(last) - pd.to_datetime(first)).dt.days / DAYS_PER_YEAR
