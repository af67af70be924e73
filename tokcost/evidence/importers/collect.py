"""Import files and directories of benchmark results into one table of operating points."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tokcost.evidence.importers import aiperf_records, documents, inferencex, recognise
from tokcost.evidence.importers.normalise import row
from tokcost.evidence.importers.point import ImportProblem, Point, Problem
from tokcost.evidence.importers.table import frame
from tokcost.quantities import LABELS, QuantityError

#: within a directory only these are opened; everything else is listed as skipped
READABLE = (".json", ".jsonl", ".yaml", ".yml", ".csv", ".prom", ".txt")
#: two files with the same measurement (JSON and YAML of one run): the first of these is kept
_PREFERENCE = {".json": 0, ".jsonl": 1, ".yaml": 2, ".yml": 2, ".csv": 3}
_USE = {
    "power": "a power log, not an operating point; import it with `--kind power` or `import_power`",
    "server": "a scrape or range of server metrics, not an operating point by itself; give two with `--kind server` or `import_server_metrics`",
    "billing": "a billing export, not an operating point; import it with `--kind billing` or `import_billing`",
}


@dataclass
class Imported:
    """What an import found: `points` (one row each), `problems` (files or parts that failed), `skipped` (file, what it is)."""

    points: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)


def import_benchmarks(paths: Iterable[str | Path], *, n_gpus: float | None = None, accelerator: str | None = None) -> Imported:
    """Operating points of benchmark files and directories, one row each.

    Each file's tool is recognised from its content. Units are converted once; rates are
    tokens of successful requests / duration, then / GPUs. What a file does not say stays
    empty and is not guessed; `n_gpus` and `accelerator` state it for all files.

    Parameters: `paths` files or directories (a directory is searched, a sweep gives a row
    per point); `n_gpus` GPUs of the deployment; `accelerator` their name.
    Returns `Imported`: a file that cannot be read becomes a problem, the others are imported.
    Raises QuantityError for a wrong call: a path that does not exist, a GPU count below 1.

    >>> found = import_benchmarks(["tests/samples/vllm-0.32.0/serve_c4.json"], n_gpus=2)
    >>> round(float(found.points.output_tok_per_s_per_gpu[0]), 2)
    595.78
    """
    if n_gpus is not None and not n_gpus >= 1:
        raise QuantityError(f"`n_gpus` must be at least 1, got {n_gpus}; give all GPUs of the deployment")
    found = Imported(frame([]))
    rows: list[dict] = []
    seen: dict[tuple, str] = {}
    logs: list[tuple[Path, bool]] = []
    for path, is_named in _files(paths, found):
        try:
            document = documents.read(path)
            if document.form == "records" and not is_named:
                logs.append((path, is_named))
                continue
            _import(document, is_named, rows, seen, found, n_gpus, _canonical(accelerator))
        except (ImportProblem, OSError) as error:
            found.problems.append(Problem(str(path), _sentence(error)))
    summarised = {Path(r["source_file"]).parent for r in rows if r["tool"] == "aiperf"}
    for path, is_named in logs:
        if path.parent in summarised:
            found.skipped.append(Problem(str(path), "AIPerf's single requests, summarised beside it"))
            continue
        try:
            _import(documents.Document(path, "records", None), is_named, rows, seen, found, n_gpus, _canonical(accelerator))
        except (ImportProblem, OSError) as error:
            found.problems.append(Problem(str(path), _sentence(error)))
    _drop_summaries(rows, found)
    rows.sort(key=lambda r: (str(Path(r["source_file"]).parent), r["tool"], r["concurrency"] or 0))
    found.points = frame(rows)
    return found


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the file cannot be opened ({error.strerror}); check its permissions"
    return str(error)


def _canonical(accelerator: str | None) -> str | None:
    """The vocabulary's spelling of an accelerator, or the name as given."""
    if accelerator is None:
        return None
    return accelerator.lower() if accelerator.lower() in LABELS["accelerator"] else accelerator


def _files(paths: Iterable[str | Path], found: Imported) -> Iterator[tuple[Path, bool]]:
    """Every file to open, and whether it was named itself."""
    paths = [Path(path) for path in paths]
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise QuantityError(f"{missing} does not exist; give a file or a directory of benchmark results")
    opened: set[Path] = set()
    for top in paths:
        inside = _walk(top) if top.is_dir() else [top]
        for path in sorted(inside, key=lambda p: (p.parent, _PREFERENCE.get(_suffix(p), 9), p.name)):
            if path.resolve() in opened:
                continue
            opened.add(path.resolve())
            if top.is_dir() and _suffix(path) not in READABLE:
                found.skipped.append(Problem(str(path), "not a format that benchmark tools write results in"))
                continue
            yield path, not top.is_dir()


def _walk(top: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        if "phase_manifest.json" in names and "phases" in folders:
            folders.remove("phases")  # AIPerf's copies per phase of what stands beside them
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _suffix(path: Path) -> str:
    return path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _import(document, is_named, rows, seen, found: Imported, n_gpus, accelerator) -> None:
    """Add the document's rows, or say what it is instead."""
    path = document.path
    before = (len(rows), len(found.problems), len(found.skipped))
    for label, points in _parts(document):
        try:
            for point in points:
                point.run = point.run or label
                _add(row(point, n_gpus, accelerator), path, rows, seen, found)
        except ImportProblem as error:
            found.problems.append(Problem(str(path), f"{label}: {error}" if label else str(error)))
    if document.damage:
        found.problems.append(Problem(str(path), document.damage + (" (the part before it was imported)" if len(rows) > before[0] else "")))
    if (len(rows), len(found.problems), len(found.skipped)) == before:
        _not_imported(document, is_named, found)


def _parts(document) -> Iterator[tuple[str, Iterator[Point]]]:
    """The document's readable parts with a label each."""
    content = document.content
    if document.form == "records":
        yield "", aiperf_records.points(document.path)
    elif document.form == "text":
        if inferencex.matches_text(content):
            yield "", inferencex.points_from_text(content, document.path)
    else:
        parts = [content] if document.form == "object" else content
        for number, part in enumerate(parts, start=1):
            reader = recognise.reader(part)
            if reader is not None:
                yield (f"row {number}" if len(parts) > 1 else ""), reader.points(part, document.path)


def _add(values: dict, path: Path, rows: list, seen: dict, found: Imported) -> None:
    """Keep a row, unless the same measurement was read from another file."""
    names = "tool model concurrency duration_s n_requests input_tok output_tok total_tok_per_s median_ttft_s run_of_file"
    key = tuple(values.get(name) for name in names.split()) + ((values["run"],) if values["duration_s"] is None else ())
    if key in seen and values["duration_s"] is not None and seen[key] != str(path):
        found.skipped.append(Problem(str(path), f"the same measurement as in {seen[key]}"))
        return
    seen.setdefault(key, str(path))
    rows.append({"source_file": str(path), "source_sha256": documents.sha256(path), **values})


def _drop_summaries(rows: list[dict], found: Imported) -> None:
    """inference-perf's summary mixes the load stages that lie beside it."""
    staged = {Path(r["source_file"]).parent for r in rows if r["tool"] == "inference-perf" and r["run"] != "summary"}
    for r in [r for r in rows if r["run"] == "summary" and Path(r["source_file"]).parent in staged]:
        rows.remove(r)
        found.skipped.append(Problem(r["source_file"], "inference-perf's mix of all load stages, which are imported one by one"))


def _not_imported(document, is_named: bool, found: Imported) -> None:
    """Say what a file is that gave no row: a problem if it was named, else a skipped file."""
    content = document.content
    kind = recognise.other_kind(content)
    beside = recognise.companion_text(content) if isinstance(content, str) else recognise.companion(content)
    if kind:
        what = _USE[kind]
    elif beside:
        what = beside
    elif recognise.reader(content if document.form == "object" else (content or [None])[0] if document.form == "rows" else None):
        what = "a result without a single row in tokens/s"
    else:
        what = "not a result of a benchmark tool that is known; known are " + ", ".join(TOOLS)
    target = found.problems if is_named else found.skipped
    target.append(Problem(str(document.path), f"this is {what}" if is_named else what))


TOOLS = "AIPerf genai-perf vLLM SGLang GuideLLM inference-perf genai-bench llmperf InferenceX MLPerf".split()
