"""When a measured serving row can be true: the rules that every row of data/inference.csv keeps.

Each rule gives True where a row keeps it or does not state enough to tell. The captures
were sorted by these rules; what broke one stands in data/excluded_rows.csv with the reason.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: input + output tokens over output tokens may differ this much from the nominal lengths, which are drawn at random around them
LENGTH_TOLERANCE_FRAC = 0.02
#: 1 / median TPOT and the stated interactivity are the same number, rounded
INTERACTIVITY_TOLERANCE_FRAC = 0.001
#: requests in flight that throughput and latency account for, as a share of the stated concurrency.
#: Lengths 0.9 of nominal give 0.9 to 1; ramp-up and tails lower it; above 1 a GPU was counted twice.
IN_FLIGHT_SHARE = (0.3, 1.1)


def in_flight_share(rows: pd.DataFrame) -> pd.Series:
    """Little's law: output rate of all GPUs x time of a request / (concurrency x OSL); 1 when all stated requests are in flight."""
    request_s = rows["median_ttft_s"] + (rows["osl"] - 1) * rows["median_tpot_s"]
    return rows["output_tok_per_s_per_gpu"] * rows["n_gpus"] * request_s / (rows["concurrency"] * rows["osl"])


def _output_is_part_of_total(rows):
    return ~(rows["output_tok_per_s_per_gpu"] > rows["total_tok_per_s_per_gpu"])


def _lengths_split_the_total(rows):
    stated = rows["total_tok_per_s_per_gpu"] / rows["output_tok_per_s_per_gpu"]
    return ~(np.abs(stated / ((rows["isl"] + rows["osl"]) / rows["osl"]) - 1) > LENGTH_TOLERANCE_FRAC)


def _interactivity_is_inverse_tpot(rows):
    return ~(np.abs(rows["tok_per_s_per_user"] * rows["median_tpot_s"] - 1) > INTERACTIVITY_TOLERANCE_FRAC)


def _requests_fit_the_concurrency(rows):
    share = in_flight_share(rows)
    return ~((share < IN_FLIGHT_SHARE[0]) | (share > IN_FLIGHT_SHARE[1]))


def _users_see_what_gpus_write(rows):
    written = rows["total_tok_per_s_per_gpu"] * rows["osl"] / (rows["isl"] + rows["osl"]) * rows["n_gpus"].fillna(1)
    return ~(written > IN_FLIGHT_SHARE[1] * rows["concurrency"] * rows["tok_per_s_per_user"])


def _pools_add_up(rows):
    pools = rows["n_prefill_gpus"] + rows["n_decode_gpus"]
    return ~((pools - rows["n_gpus"]).abs() > 0)


def _pools_belong_to_disaggregated(rows):
    return ~((rows["deployment"] == "aggregated") & (rows["n_prefill_gpus"].notna() | rows["n_decode_gpus"].notna()))


def _parallelism_divides_gpus(rows):
    return ~((rows["deployment"] == "aggregated") & (rows["n_gpus"] % rows["tensor_parallel"] > 0))


#: what must hold -> the rows where it does
RULES = {
    "output tokens are part of the total": _output_is_part_of_total,
    "input + output tokens agree with ISL and OSL to 2 %": _lengths_split_the_total,
    "interactivity is 1 / median TPOT": _interactivity_is_inverse_tpot,
    "throughput x latency accounts for 0.3 to 1.1 of the stated concurrency (Little's law)": _requests_fit_the_concurrency,
    "users together cannot receive less than the GPUs write": _users_see_what_gpus_write,
    "prefill and decode GPUs add up to all GPUs": _pools_add_up,
    "only disaggregated deployments have prefill and decode GPUs": _pools_belong_to_disaggregated,
    "the GPUs of an aggregated deployment are a multiple of its tensor parallelism": _parallelism_divides_gpus,
}


def broken_rules(rows: pd.DataFrame) -> list[tuple[int, str]]:
    """The rows that break a rule: (index label, rule), one entry each.

    >>> row = {"isl": 1024, "osl": 1024, "concurrency": 8, "n_gpus": 16, "tensor_parallel": None, "deployment": "disaggregated",
    ...        "n_prefill_gpus": 8, "n_decode_gpus": 8, "total_tok_per_s_per_gpu": 100.0, "output_tok_per_s_per_gpu": 50.0,
    ...        "median_ttft_s": 0.2, "median_tpot_s": 0.02, "tok_per_s_per_user": 50.0}
    >>> broken_rules(pd.DataFrame([row]))[0]
    (0, "throughput x latency accounts for 0.3 to 1.1 of the stated concurrency (Little's law)")
    """
    return [(line, rule) for rule, holds in RULES.items() for line in rows.index[~holds(rows)]]


#: two rows that agree in all of these are one measurement: throughput and latencies have more digits than chance
FIGURES = ["model", "accelerator", "isl", "osl", "concurrency", "total_tok_per_s_per_gpu", "median_ttft_s", "median_tpot_s"]


def repeats(rows: pd.DataFrame, old: pd.DataFrame) -> dict[int, str]:
    """The rows that are a measurement of `old`, or of an earlier row, once more: index label -> what they repeat.

    A row without latencies tells too little to know.
    """
    known = dict(_stated(old))
    found = {}
    for line, (figures, place) in zip(rows.index[rows["median_tpot_s"].notna()], _stated(rows), strict=True):
        if figures in known:
            found[line] = f"the same measurement as {known[figures]}"
        known.setdefault(figures, place)
    return found


def _stated(rows: pd.DataFrame) -> list[tuple[tuple, str]]:
    """Figures and place of each row that states its latencies."""
    stated = rows[rows["median_tpot_s"].notna()]
    figures = stated[FIGURES].fillna(-1).itertuples(index=False, name=None)
    return list(zip(figures, stated["campaign"] + ", " + stated["locator"], strict=True))
