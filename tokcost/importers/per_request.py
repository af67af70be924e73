"""One row a request, from the files that keep single requests: what goodput is counted on.

vLLM `bench serve --save-result --save-detailed` and AIPerf's `profile_export.jsonl`. The table is held in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from tokcost.importers import documents
from tokcost.importers.aiperf_records import single_requests
from tokcost.importers.fields import LARGEST
from tokcost.importers.point import UNEXPECTED, ImportProblem, as_problem

COLUMNS = ["ttft_s", "tpot_s", "e2e_s", "output_tok", "is_failed"]
_DETAILED = {"ttfts", "itls", "output_lens", "errors"}


def requests(path: str | Path) -> pd.DataFrame:
    """Every request of a file; NaN where it does not say. TPOT is the time after the first token over the tokens after the first.

    Columns: `ttft_s`, `tpot_s`, `e2e_s`, `output_tok`, `is_failed`.
    Raises: ImportProblem for a file without single requests; the message says how to make the tool keep them.

    >>> requests("tests/samples/aiperf-0.13.0/c4/profile_export.jsonl").is_failed.any()
    np.False_
    """
    path = Path(path)
    try:
        rows = [_row(*request) for request in _requests(path)]
    except UNEXPECTED as error:
        raise ImportProblem(f"{path.name}: {as_problem(error)}") from None
    if not rows:
        raise ImportProblem(f"{path.name} holds no request of the profiling phase")
    return pd.DataFrame(rows, columns=COLUMNS)


def _requests(path: Path) -> Iterator[tuple]:
    document = documents.read(path)
    if document.form == "records":
        yield from single_requests(path)
    elif document.form == "object" and isinstance(document.content, Mapping) and set(document.content) >= _DETAILED:
        columns = (document.content[name] for name in ("ttfts", "itls", "output_lens", "errors"))
        for ttft_s, gaps_s, output_tok, error in zip(*columns, strict=True):
            yield ttft_s, ttft_s + sum(gaps_s), output_tok, bool(error)
    else:
        raise ImportProblem("it holds no single requests; with vLLM add --save-detailed, with AIPerf give profile_export.jsonl")


def _row(ttft_s: float | None, e2e_s: float | None, output_tok: float | None, is_failed: bool) -> tuple:
    if is_failed:
        return None, None, None, None, True
    for value in (ttft_s, e2e_s, output_tok):
        if value is not None and not 0 <= value < LARGEST:
            raise ImportProblem(f"a request has {value:g} for a time or a count, which cannot be; the file is damaged")
    tpot_s = None
    if output_tok and output_tok > 1 and ttft_s is not None and e2e_s is not None:
        tpot_s = (e2e_s - ttft_s) / (output_tok - 1)
    return ttft_s, tpot_s, e2e_s, output_tok, False
