"""One row a request, from the files that keep single requests: what goodput is counted on.

vLLM `bench serve --save-result --save-detailed` and AIPerf's `profile_export.jsonl`. Small and medium
files: the table is held in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tokcost.importers.documents import open_bytes
from tokcost.importers.fields import seconds_per
from tokcost.importers.point import UNEXPECTED, ImportProblem, as_problem

COLUMNS = ["ttft_s", "tpot_s", "e2e_s", "output_tok", "is_failed"]
_DETAILED = {"ttfts", "itls", "output_lens", "errors"}


def import_requests(path: str | Path) -> pd.DataFrame:
    """`ttft_s`, `tpot_s`, `e2e_s`, `output_tok` and `is_failed` of every request of a file; NaN where it does not say.

    TPOT is the time after the first token over the tokens after the first. Raises ImportProblem for a file
    without single requests; the message says how to make the tool keep them.
    """
    path = Path(path)
    try:
        return _table(path)
    except ImportProblem:
        raise
    except UNEXPECTED as error:
        raise ImportProblem(f"{path.name}: {as_problem(error)}") from None


def _table(path: Path) -> pd.DataFrame:
    with open_bytes(path) as file:
        text = file.read().decode("utf-8-sig")
    documents = list(_documents(text, path))
    if all(isinstance(document, dict) and "metadata" in document for document in documents) and documents:
        rows = [_aiperf(record) for record in documents if record["metadata"].get("benchmark_phase") == "profiling"]
    elif len(documents) == 1 and isinstance(documents[0], dict) and documents[0].keys() >= _DETAILED:
        rows = list(_vllm(documents[0]))
    else:
        fix = "with vLLM add --save-detailed, with AIPerf give profile_export.jsonl"
        raise ImportProblem(f"{path.name} holds no single requests; {fix}")
    if not rows:
        raise ImportProblem(f"{path.name} holds no request of the profiling phase")
    return pd.DataFrame(rows, columns=COLUMNS)


def _documents(text: str, path: Path) -> Iterator:
    """The file as one JSON document, or as one on each line."""
    try:
        yield json.loads(text)
    except json.JSONDecodeError:
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    raise ImportProblem(f"{path.name} line {number} is not JSON; is the file cut off?") from None


def _row(ttft_s, e2e_s, output_tok, is_failed: bool) -> tuple:
    if is_failed:
        return None, None, None, None, True
    has_more = bool(output_tok and output_tok > 1 and ttft_s is not None and e2e_s is not None)
    return ttft_s, (e2e_s - ttft_s) / (output_tok - 1) if has_more else None, e2e_s, output_tok, False


def _vllm(content: dict) -> Iterator[tuple]:
    columns = (content[name] for name in ("ttfts", "itls", "output_lens", "errors"))
    for ttft_s, gaps_s, output_tok, error in zip(*columns, strict=True):
        yield _row(ttft_s, ttft_s + sum(gaps_s), output_tok, bool(error))


def _aiperf(record: dict) -> tuple:
    metrics = record.get("metrics") or {}
    seconds = {}
    for name in ("time_to_first_token", "request_latency"):
        found = metrics.get(name)
        seconds[name] = found["value"] * seconds_per(found["unit"], name) if found else None
    output_tok = (metrics.get("usage_completion_tokens") or metrics.get("output_sequence_length") or {}).get("value")
    return _row(*seconds.values(), output_tok, bool(record.get("error")))
