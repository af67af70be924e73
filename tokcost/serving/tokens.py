"""Input, cached input and output tokens: one joint cost, split by a named rule; and what a request and a task cost.

The same GPU-hours read prompts and write answers, so there is no fact about what each of them costs.
A split is a convention, and a report names the one it took:

    by tokens            every token counts the same
    by price weight      as the market prices the classes
    by processing time   as long as each class keeps the accelerators busy; a step that serves many at once is shared by them
    by two workloads     as throughput differs between two measured mixes of prompt and answer (two_workloads.py)

Whatever the rule, the parts add up to the joint cost to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tokcost import quantities as q
from tokcost.quantities import Numbers, QuantityError, check_value, check_whole, formula

CLASSES = ("input", "cached_input", "output")


@dataclass(frozen=True)
class TokenUse:
    """Tokens of a request, an hour or a bill. `input_tok` are fresh prompt tokens: cached ones are not in it.

    >>> TokenUse(input_tok=800, cached_input_tok=7200, answer_tok=300, reasoning_tok=700).output_tok
    1000
    """

    input_tok: float
    cached_input_tok: float
    answer_tok: float
    reasoning_tok: float

    def __post_init__(self):
        for name in ("input_tok", "cached_input_tok", "answer_tok", "reasoning_tok"):
            check_value(name, getattr(self, name))

    @property
    def output_tok(self) -> float:
        """Answer and reasoning: the model writes both with the same steps."""
        return self.answer_tok + self.reasoning_tok

    @property
    def total_tok(self) -> float:
        return self.input_tok + self.cached_input_tok + self.output_tok

    def of(self, token_class: str) -> float:
        return getattr(self, f"{token_class}_tok")


@dataclass(frozen=True)
class SplitRule:
    """What one token of each class counts in a joint cost, and the name of the convention."""

    name: str
    input_weight_ratio: float
    cached_input_weight_ratio: float
    output_weight_ratio: float

    def __post_init__(self):
        for token_class in CLASSES:
            check_value(f"{token_class}_weight_ratio", self.of(token_class))

    def of(self, token_class: str) -> float:
        return getattr(self, f"{token_class}_weight_ratio")

    def work(self, input_tok: Numbers, cached_input_tok: Numbers, output_tok: Numbers) -> Numbers:
        """What these tokens count together, in fresh prompt tokens where the rule counts those as 1."""
        parts = zip(CLASSES, (input_tok, cached_input_tok, output_tok), strict=True)
        return sum(self.of(name) * tok for name, tok in parts)  # pyright: ignore[reportReturnType]


def token_weights() -> SplitRule:
    """Every token counts the same, read or written, fresh or cached.

    >>> token_weights().output_weight_ratio
    1.0
    """
    return SplitRule("by tokens", 1.0, 1.0, 1.0)


def price_weights(
    *, input_price_usd_per_mtok: float, cached_input_price_usd_per_mtok: float, output_price_usd_per_mtok: float
) -> SplitRule:
    """Classes count as a price list prices them; fresh input is 1.

    >>> rule = price_weights(input_price_usd_per_mtok=1.0, cached_input_price_usd_per_mtok=0.1, output_price_usd_per_mtok=4.0)
    >>> rule.output_weight_ratio
    4.0
    """
    prices = (input_price_usd_per_mtok, cached_input_price_usd_per_mtok, output_price_usd_per_mtok)
    check_value("price_usd_per_mtok", input_price_usd_per_mtok)
    check_value("price_usd_per_mtok", output_price_usd_per_mtok)
    cached = np.asarray(cached_input_price_usd_per_mtok, dtype=float)
    check_value("price_usd_per_mtok", np.where(cached == 0, 1.0, cached))  # some lists give it away
    return SplitRule("by price weight", *(price / input_price_usd_per_mtok for price in prices))


def processing_time_weights(
    *, isl: float, concurrency: float, median_ttft_s: float, median_tpot_s: float, cached_to_fresh_ratio: float
) -> SplitRule:
    """Classes count as long as they take the machine: TTFT over ISL for a prompt token, TPOT over concurrency for an answer token.

    One step of decoding writes a token for each of `concurrency` answers in flight, so each bears its share of the step; a prompt
    is read at once. TTFT holds waiting as well: take a point whose queue is short, or input looks too expensive.
    `cached_to_fresh_ratio` is the time of a cached prompt token over that of a fresh one (0: it takes none).

    >>> times = {"median_ttft_s": 0.5, "median_tpot_s": 0.02, "cached_to_fresh_ratio": 0}
    >>> processing_time_weights(isl=1000, concurrency=10, **times).output_weight_ratio
    4.0
    """
    for name, value in (("isl", isl), ("concurrency", concurrency), ("median_ttft_s", median_ttft_s), ("median_tpot_s", median_tpot_s)):
        check_value(name, value)
    check_value("cached_to_fresh_ratio", cached_to_fresh_ratio, high=1)
    return SplitRule("by processing time", 1.0, cached_to_fresh_ratio, (median_tpot_s / concurrency) / (median_ttft_s / isl))


def split_cost(use: TokenUse, rule: SplitRule, *, cost_usd: float) -> pd.DataFrame:
    """The joint cost split over the classes by the rule.

    Parts are rounded to the last digit of the joint cost, and the largest is what the others leave:
    they add up exactly, in any order. A class without tokens has no cost per million (NaN).

    Columns: `token_class`, `tok`, `cost_usd`, `share_frac`, `allocated_cost_usd_per_mtok`, `rule`.
    Raises: QuantityError where the rule gives none of the tokens a weight.

    >>> table = split_cost(TokenUse(8e6, 0, 1e6, 0), token_weights(), cost_usd=9.0)
    >>> table["cost_usd"].tolist(), table["rule"].unique().tolist()
    ([8.0, 0.0, 1.0], ['by tokens'])
    """
    check_value("cost_usd", cost_usd)
    tok = np.array([use.of(name) for name in CLASSES], dtype=float)
    weight = tok * [rule.of(name) for name in CLASSES]
    if not weight.sum() > 0:
        raise QuantityError(f"the rule {rule.name} gives none of these tokens a weight; nothing can carry the cost")
    share = weight / weight.sum()
    last_digit = np.spacing(float(cost_usd))
    parts = np.round(share * cost_usd / last_digit) * last_digit
    largest = int(np.argmax(parts))
    parts[largest] = cost_usd - np.delete(parts, largest).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(tok > 0, parts / tok * q.TOK_PER_MTOK, np.nan)
    return pd.DataFrame(
        {"token_class": CLASSES, "tok": tok, "cost_usd": parts, "share_frac": share, "allocated_cost_usd_per_mtok": each, "rule": rule.name}
    )


@formula
def request_cost_usd(
    *,
    input_tok: Numbers,
    cached_input_tok: Numbers,
    output_tok: Numbers,
    input_token_allocated_cost_usd_per_mtok: Numbers,
    cached_input_token_allocated_cost_usd_per_mtok: Numbers,
    output_token_allocated_cost_usd_per_mtok: Numbers,
) -> Numbers:
    """What one request costs: its tokens of each class times their allocated cost. Reasoning tokens are output. Definition.

    >>> cost = {"input": 1.0, "cached_input": 0.1, "output": 4.0}
    >>> cost = {f"{name}_token_allocated_cost_usd_per_mtok": value for name, value in cost.items()}
    >>> round(request_cost_usd(input_tok=1000, cached_input_tok=10_000, output_tok=500, **cost), 9)
    0.004
    """
    return (
        input_tok * input_token_allocated_cost_usd_per_mtok
        + cached_input_tok * cached_input_token_allocated_cost_usd_per_mtok
        + output_tok * output_token_allocated_cost_usd_per_mtok
    ) / q.TOK_PER_MTOK


def _attempts(success, retries):
    return (1 - (1 - success) ** (retries + 1)) / success


@formula
def expected_attempts(*, success_frac: Numbers, max_retries: Numbers) -> Numbers:
    """Average number of attempts at a task when each succeeds alike and a failure is retried so many times at most.

    Identity: the mean of a geometric distribution that is cut off, (1 - failure^(retries + 1)) / success.

    >>> expected_attempts(success_frac=0.5, max_retries=2)
    1.75
    """
    check_whole("max_retries", max_retries)
    return _attempts(success_frac, max_retries)


@formula
def task_success_frac(*, success_frac: Numbers, max_retries: Numbers) -> Numbers:
    """Share of tasks that are solved within the allowed attempts. Identity: one less the chance that every attempt fails.

    >>> task_success_frac(success_frac=0.5, max_retries=2)
    0.875
    """
    check_whole("max_retries", max_retries)
    return 1 - (1 - success_frac) ** (max_retries + 1)


@formula
def started_task_cost_usd(*, request_cost_usd: Numbers, requests_per_task: Numbers, success_frac: Numbers, max_retries: Numbers) -> Numbers:
    """Average cost of a task that is begun, solved or not: every attempt is paid. Identity: attempts times the cost of one.

    >>> started_task_cost_usd(request_cost_usd=0.01, requests_per_task=4, success_frac=0.5, max_retries=2)
    0.07
    """
    check_whole("max_retries", max_retries)
    return request_cost_usd * requests_per_task * _attempts(success_frac, max_retries)


@formula
def solved_task_cost_usd(*, request_cost_usd: Numbers, requests_per_task: Numbers, success_frac: Numbers) -> Numbers:
    """Cost of a task that is solved, failed ones included: the cost of an attempt over its success rate.

    The number of retries does not enter: more of them cost more and solve more in the same proportion. Identity.

    >>> solved_task_cost_usd(request_cost_usd=0.01, requests_per_task=4, success_frac=0.5)
    0.08
    """
    return request_cost_usd * requests_per_task / success_frac
