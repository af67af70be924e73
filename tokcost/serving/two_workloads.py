"""What a prompt token and an answer token take of a GPU, from two measured workloads at one speed.

A benchmark measures one mix of prompt and answer. Two mixes on one system at one speed are two equations in two unknowns:

    GPU-seconds of a request = prompt tokens x GPU-seconds each + answer tokens x GPU-seconds each

Held against a third measured mix it is off by what notebook 17 shows; lengths far beyond those measured are worse, because an
answer token after a long prompt reads more of the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tokcost.quantities import Numbers, QuantityError, check_value
from tokcost.serving.tokens import SplitRule


def gpu_s_per_tok(*, isl: Any, osl: Any, total_tok_per_s_per_gpu: Any) -> tuple[Numbers, Numbers]:
    """GPU-seconds of a fresh prompt token and of an answer token, from two workloads: each argument is a pair of numbers or arrays.

    Noise may make a part negative, which no token is: it is then 0, and the other carries all.
    Raises: QuantityError where one of the two is not known at that speed, or both have one ratio of prompt to answer.

    >>> prompt, answer = gpu_s_per_tok(isl=(1000, 8000), osl=(1000, 1000), total_tok_per_s_per_gpu=(2000 / 5, 9000 / 12))
    >>> round(prompt, 6), round(answer, 6)
    (0.001, 0.004)
    """
    if any(np.isnan(np.asarray(one, dtype=float)).any() for one in total_tok_per_s_per_gpu):
        raise QuantityError("at this speed one of the two workloads has no measured run; ask for a lower speed per user")
    for name, pair in (("isl", isl), ("osl", osl), ("total_tok_per_s_per_gpu", total_tok_per_s_per_gpu)):
        for one in pair:
            check_value(name, one)
    (p1, p2), (o1, o2) = isl, osl
    determinant = p2 * o1 - p1 * o2
    if determinant == 0:
        raise QuantityError("both workloads have one ratio of prompt to answer; two tell the tokens apart only where it differs")
    g1, g2 = ((p + o) / np.asarray(speed, dtype=float) for p, o, speed in zip(isl, osl, total_tok_per_s_per_gpu, strict=True))
    prompt = np.clip((g2 * o1 - g1 * o2) / determinant, 0.0, g1 / p1)
    answer = np.maximum(g1 - prompt * p1, 0.0) / o1
    return (prompt, answer) if np.ndim(prompt) else (float(prompt), float(answer))


def workload_weights(*, isl: Any, osl: Any, total_tok_per_s_per_gpu: Any, cached_to_fresh_ratio: float = 0.0) -> SplitRule:
    """Classes count as two measured workloads tell them apart; fresh input is 1.

    `cached_to_fresh_ratio` is the time of a cached prompt token over that of a fresh one (0: it takes none).
    Raises: QuantityError where the longer prompts were no slower: then prompts have no weight that could be measured.

    >>> rule = workload_weights(isl=(1000, 8000), osl=(1000, 1000), total_tok_per_s_per_gpu=(2000 / 5, 9000 / 12))
    >>> round(rule.output_weight_ratio, 6)
    4.0
    """
    check_value("cached_to_fresh_ratio", cached_to_fresh_ratio, high=1)
    prompt, answer = gpu_s_per_tok(isl=isl, osl=osl, total_tok_per_s_per_gpu=total_tok_per_s_per_gpu)
    if not np.min(prompt) > 0:
        long, short = sorted(zip(isl, osl, total_tok_per_s_per_gpu, strict=True), key=lambda one: one[0] / one[1], reverse=True)
        took = [f"{(p + o) / float(np.min(speed)):.2g} GPU-seconds a request at {p:,} prompt tokens" for p, o, speed in (long, short)]
        raise QuantityError(
            f"the measured runs at this speed took {took[0]} and {took[1]}: what a prompt token takes does not follow; "
            "ask for a lower speed per user, or another accelerator"
        )
    return SplitRule("by two workloads", 1.0, cached_to_fresh_ratio, float(answer / prompt))
