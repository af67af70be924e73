"""Yearly gains of software side by side, one row for each kind of evidence."""

from __future__ import annotations

import re

import pandas as pd

from tokcost.serving.software import yearly_gain

#: kind of evidence -> how people read it, in the order of how much it bears
EVIDENCE = {
    "mlperf_same_submitter": "MLPerf, same submitter",
    "mlperf_best_of_round": "MLPerf, best of a round",
    "inferencex_same_configuration": "InferenceX, run again",
    "vendor_statement": "stated by vendors",
    "project_statement": "stated by projects",
    "engine_version": "engine versions",
    "configuration_change": "other configuration too",
    "first_days": "first weeks of a model",
}


def missing_combinations(missing: pd.DataFrame) -> pd.DataFrame:
    """Why the combinations of a decomposition (`Decomposition.missing`) are missing, in words for people.

    >>> missing_combinations(pd.DataFrame({"why": ["no measured row is h200, fp4, none, aggregated"]}))["combination"].tolist()
    ['no run in the dataset is H200, FP4, no MTP, aggregated']
    """
    words = (
        missing["why"]
        .str.replace("no measured row", "no run in the dataset")
        .str.replace(", none,", ", no MTP,")
        .str.replace(", mtp,", ", MTP,")
    )
    return pd.DataFrame({"combination": [re.sub(r"\b[a-z]+\d\w*", lambda name: name.group().upper(), text) for text in words]})


def yearly_gains(progress: list[pd.DataFrame], *, min_elapsed_yr: float) -> pd.DataFrame:
    """`yearly_gain` of several tables of dated pairs, each kind of evidence a row of its own with a `label`; kinds are never pooled.

    >>> pairs = pd.DataFrame({"evidence_class": ["vendor_statement", "first_days"], "ratio": [1.6, 9.0], "elapsed_yr": [1.0, 0.02]})
    >>> yearly_gains([pairs], min_elapsed_yr=0.25)[["label", "n_pairs", "median_annualised_ratio"]].values.tolist()
    [['stated by vendors', 1, 1.6], ['first weeks of a model', 0, nan]]
    """
    gains = yearly_gain(pd.concat(progress, ignore_index=True), min_elapsed_yr=min_elapsed_yr)
    known = [*EVIDENCE, *sorted(set(gains["evidence_class"]) - set(EVIDENCE))]
    gains = gains.sort_values("evidence_class", key=lambda kinds: kinds.map(known.index), ignore_index=True)
    return gains.assign(label=gains["evidence_class"].map(lambda kind: EVIDENCE.get(kind, kind.replace("_", " "))))
