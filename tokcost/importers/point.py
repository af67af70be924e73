"""One operating point as a benchmark file states it, before throughput is worked out.

A reader fills in what its file says, in base units (seconds, tokens), and leaves the rest
None. It never works out throughput: that happens once, in `normalise`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tokcost.quantities import QuantityError

MS_PER_S = 1000.0
S_PER_MINUTE = 60.0

#: between two sentences in the column `notes`
SEPARATOR = " | "

LATENCIES = ("ttft", "tpot", "e2e")
STATISTICS = ("mean", "median", "p90", "p95", "p99")


class ImportProblem(QuantityError):
    """A file, or one point in it, that cannot be read rightly; the message is one sentence."""


#: what a reader meets in a file that is laid out in ways that nobody expected
UNEXPECTED = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError, csv.Error)


def as_problem(error: Exception) -> ImportProblem:
    """One sentence about an error of `UNEXPECTED`; an ImportProblem is its own."""
    if isinstance(error, ImportProblem):
        return error
    if isinstance(error, UnicodeDecodeError):
        return ImportProblem("the file is not text in UTF-8; give the tool's JSON, JSONL, YAML or CSV output")
    detail = f"{type(error).__name__}: {str(error)[:80]}"
    return ImportProblem(f"it looks like a known result but is laid out differently ({detail})")


@dataclass(frozen=True)
class Problem:
    """What went wrong with which file."""

    source_file: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.source_file}: {self.sentence}"


@dataclass
class Point:
    """What one file says about one operating point. Token counts are of successful requests only."""

    tool: str
    run: str = ""
    tool_version: str | None = None
    started: str | None = None
    model: str | None = None
    accelerator: str | None = None
    n_gpus: float | None = None
    n_prefill_gpus: float | None = None
    n_decode_gpus: float | None = None
    #: the GPU count is part of the published result, so that no other number may be used
    is_for_its_own_gpus: bool = False
    precision: str | None = None
    framework: str | None = None
    speculative: str | None = None
    deployment: str | None = None
    concurrency: float | None = None
    #: all clients of this concurrency were kept busy (no request rate was set)
    is_closed_loop: bool = False
    isl: float | None = None
    osl: float | None = None
    duration_s: float | None = None
    n_requests: float | None = None
    n_failed: float | None = None
    input_tok: float | None = None
    output_tok: float | None = None
    total_tok: float | None = None
    cached_input_tok: float | None = None
    #: who counted the tokens: `server usage`, `client` or `requested` (the length that every answer was told to have)
    token_source: str | None = None
    #: output tokens as each of them counted, where a file has several counts
    counts: dict[str, float | None] = field(default_factory=dict)
    #: mean gap between streamed chunks, and tokens that a chunk holds
    chunk_gap_s: float | None = None
    chunk_tok: float = 1.0
    #: tokens that every answer was told to have, no less and no more
    told_osl: float | None = None
    #: the tool's TPOT rests on the client's count, or on one that was found wrong
    is_tpot_by_client: bool = False
    is_tpot_wrong: bool = False
    #: no count holds, and a note says why there is no throughput
    is_throughput_empty: bool = False
    #: joules of the boards by the tool's own telemetry, and how many boards it saw
    energy_joule: float | None = None
    energy_gpus: float | None = None
    stated_output_tok_per_joule: float | None = None
    stated_total_tok_per_joule: float | None = None
    #: throughput as the tool printed them, of the whole deployment
    recorded_output_tok_per_s: float | None = None
    recorded_total_tok_per_s: float | None = None
    #: throughput of a file that has no counts to work them out from
    stated_input_tok_per_s: float | None = None
    stated_output_tok_per_s: float | None = None
    stated_total_tok_per_s: float | None = None
    #: `median_ttft_s` and the like
    latency_s: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Say something about this point once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def one_by_one(read: Callable[[int, Any], Point], items: Iterable, name: str, start: int = 0) -> Iterator[Point | ImportProblem]:
    """The point of each item, or what is wrong with that one: a bad item does not cost the others their rows.

    >>> [str(found) for found in one_by_one(lambda number, item: Point(f"{1 / item:g}"), [0], "row {}")]
    ['row 0: it looks like a known result but is laid out differently (ZeroDivisionError: division by zero)']
    """
    for number, item in enumerate(items, start):
        try:
            yield read(number, item)
        except UNEXPECTED as error:
            yield ImportProblem(f"{name.format(number)}: {as_problem(error)}")


def all_known(*numbers: float | None) -> tuple[float, ...] | None:
    """The numbers, or None where one of them is missing.

    >>> all_known(1.0, 2.0), all_known(1.0, None)
    ((1.0, 2.0), None)
    """
    known = tuple(number for number in numbers if number is not None)
    return known if len(known) == len(numbers) else None


def per_request(tokens: float | None, requests: float | None) -> float | None:
    """Mean of a count, or None where there is none.

    >>> per_request(100.0, 4.0), per_request(100.0, 0.0), per_request(None, 4.0)
    (25.0, None, None)
    """
    return tokens / requests if tokens is not None and requests else None
