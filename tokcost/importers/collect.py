"""Import files and directories of benchmark results into one table of operating points."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tokcost.importers import aiperf_records, documents, recognise
from tokcost.importers.checks import MOST_GPUS
from tokcost.importers.normalise import row
from tokcost.importers.point import UNEXPECTED, ImportProblem, Point, Problem, as_problem
from tokcost.importers.table import frame
from tokcost.quantities import LABELS, QuantityError

#: within a directory only these are opened; everything else is listed as skipped
READABLE = (".json", ".jsonl", ".yaml", ".yml", ".csv", ".prom", ".txt", ".xlsx")
#: two files with the same measurement (JSON and YAML of one run): the first of these is kept
_PREFERENCE = {".json": 0, ".jsonl": 1, ".yaml": 2, ".yml": 2, ".csv": 3}
_USE = {
    "power": "a power log, not an operating point; import it with `--kind power` or `power_logs`",
    "server": "server metrics, which are an operating point only in pairs; read them with `tokcost import --kind server`",
    "billing": "a billing export, not an operating point; import it with `--kind billing` or `bills`",
}


TOOLS = (
    "AIPerf", "genai-perf", "vLLM", "SGLang", "TensorRT-LLM", "GuideLLM", "inference-perf", "llm-d", "genai-bench", "EvalScope", "llmperf",
    "LMBenchmark", "llama-bench", "InferenceX", "MLPerf",
)  # fmt: skip
#: two rows that agree in all of these are one measurement (the duration has nanoseconds); without a duration, in everything
_IDENTITY = ("tool", "model", "concurrency", "duration_s", "n_requests", "input_tok", "output_tok", "total_tok_per_s", "median_ttft_s")


@dataclass
class Imported:
    """What an import found: `points` (one row each), `problems` (files or parts that failed), `skipped` (file, what it is)."""

    points: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)


def benchmarks(paths: Iterable[str | Path], *, n_gpus: float | None = None, accelerator: str | None = None) -> Imported:
    """Operating points of benchmark files and directories, one row each.

    Each file's tool is recognised from its content. Units are converted once; throughput is
    tokens of successful requests / duration, then / GPUs. What a file does not say stays
    empty and is not guessed; `n_gpus` and `accelerator` state it for all files.

    Parameters: `paths` files or directories (a directory is searched, a sweep gives a row
    per point); `n_gpus` GPUs of the deployment; `accelerator` their name.
    Returns `Imported`: `points` is the table; a file that cannot be read becomes a problem, the others are imported.
    Columns: tool, model, accelerator, n_gpus, concurrency, isl, osl, tok_per_s_per_user, total_, output_ and
    input_tok_per_s (and each per GPU), mean, median and percentiles of ttft, tpot and e2e in seconds, notes, and more.
    Raises: QuantityError for a wrong call: a path that does not exist, a GPU count below 1.

    >>> found = benchmarks(["tests/samples/vllm-0.32.0/bench_serve/serve_c4.json"], n_gpus=2)
    >>> round(float(found.points.output_tok_per_s_per_gpu[0]), 2)
    595.78
    """
    require_gpus(n_gpus)
    paths = [Path(path) for path in paths]
    collector = _Collector(n_gpus, canonical(accelerator))
    logs = []
    for path, is_named in _files(paths, collector.found):
        log = collector.read(path, is_named)
        if log is not None:
            logs.append(log)
    for log in logs:
        collector.read_log(log)
    collector.drop_summaries()
    named = {str(path): number for number, path in enumerate(paths)}
    collector.rows.sort(key=lambda values: _place(values, named))
    collector.found.points = frame(collector.rows)
    return collector.found


@dataclass
class _Collector:
    """Rows so far, and everything that is said about files."""

    n_gpus: float | None
    accelerator: str | None
    found: Imported = field(default_factory=lambda: Imported(pd.DataFrame()))
    rows: list[dict] = field(default_factory=list)
    #: measurement -> the file that it was read from first
    seen: dict[tuple, str] = field(default_factory=dict)
    #: folders with an AIPerf summary, kept or known from elsewhere
    summarised: set[Path] = field(default_factory=set)

    def read(self, path: Path, is_named: bool) -> Path | None:
        """Import one file; a request log inside a directory waits until its summary may have been seen."""
        try:
            document = documents.read(path)
            if document.form == "records" and not is_named:
                return path
            self._import(document, is_named)
        except OSError as error:
            self._problem(path, f"the file cannot be read ({error.strerror}); copy it again")
        except UNEXPECTED as error:
            self._problem(path, str(as_problem(error)))
        return None

    def read_log(self, path: Path) -> None:
        """Import a request log, unless its summary lies next to it."""
        if path.parent in self.summarised:
            self._skip(path, "AIPerf's single requests, summarised next to it")
        else:
            self._import(documents.Document(path, "records", None), is_named=False)

    def drop_summaries(self) -> None:
        """Drop what says again what its stages say, which lie next to it: inference-perf's summary, and their copies in llm-d's form."""
        stages = [values for values in self.rows if values["tool"] == "inference-perf"]
        staged = {Path(values["source_file"]).parent for values in stages if values["run"] != "summary"}
        for values in stages:
            if values["run"] == "summary" and Path(values["source_file"]).parent in staged:
                self.rows.remove(values)
                self._skip(Path(values["source_file"]), "inference-perf's mix of all load stages, which are imported one by one")
        for values in [values for values in self.rows if values["tool"] == "llm-d" and Path(values["source_file"]).parent in staged]:
            self.rows.remove(values)
            self._skip(Path(values["source_file"]), "a stage in llm-d's form, whose JSON next to it is exact")

    def _problem(self, path: Path, sentence: str) -> None:
        self.found.problems.append(Problem(str(path), sentence))

    def _skip(self, path: Path, sentence: str) -> None:
        self.found.skipped.append(Problem(str(path), sentence))

    def _import(self, document: documents.Document, is_named: bool) -> None:
        """Add the document's rows, or say what it is instead."""
        path = document.path
        with ThreadPoolExecutor(1) as aside:  # hashing a log of gigabytes need not wait for its decoding
            digest = aside.submit(documents.sha256, path)
            self._import_points(document, is_named, digest)

    def _import_points(self, document: documents.Document, is_named: bool, digest: Future) -> None:
        path = document.path
        before = (len(self.rows), len(self.found.problems), len(self.found.skipped))
        for label, points in _parts(document):
            for found in _each(points):
                about = label
                try:
                    if isinstance(found, ImportProblem):
                        raise found
                    about = found.run = found.run or label
                    self._add(row(found, self.n_gpus, self.accelerator), path, digest)
                except UNEXPECTED as error:
                    self._problem(path, f"{about}: {as_problem(error)}" if about else str(as_problem(error)))
        n_other = len(_unknown(document))
        if n_other and len(self.rows) > before[0]:
            self._skip(path, f"{n_other} of its {len(document.content)} parts are no result that is known")
        if document.damage:
            self._problem(path, document.damage + (" (the part before it was imported)" if len(self.rows) > before[0] else ""))
        if (len(self.rows), len(self.found.problems), len(self.found.skipped)) == before:
            what = _not_a_point(document)
            if is_named:
                self._problem(path, f"this is {what}")
            else:
                self._skip(path, what)

    def _add(self, values: dict, path: Path, digest: Future) -> None:
        """Keep a row, unless the same measurement was read from another file."""
        if values["tool"] == "aiperf" and path.suffix == ".json":
            self.summarised.add(path.parent)
        names = _IDENTITY if values["duration_s"] is not None else sorted(set(values) - {"run"})
        key = tuple(values[name] for name in names)
        first = self.seen.setdefault(key, str(path))
        if first != str(path):
            self._skip(path, f"the same measurement as in {first}")
        else:
            self.rows.append({"source_file": str(path), "source_sha256": digest.result(), **values})


def files_of(kind: str, paths: Iterable[str | Path], found: Imported) -> Iterator[Path]:
    """Each file that is named, and of each directory those whose content is of `kind` (`power`, `billing`); the others are skipped."""
    for path, is_named in _files([Path(path) for path in paths], found):
        try:
            if is_named or recognise.other_kind(documents.read(path).content) == kind:
                yield path
            else:
                found.skipped.append(Problem(str(path), f"no evidence of --kind {kind}"))
        except ImportProblem as problem:
            found.problems.append(Problem(str(path), str(problem)))


def _place(values: dict, named: dict[str, int]) -> tuple:
    """Where a row stands: in the order of the call; what one directory holds as curves of rising concurrency."""
    path = Path(values["source_file"])
    number = next((named[str(p)] for p in (path, *path.parents) if str(p) in named), 0)
    if str(path) in named:
        return (number,)
    return (number, *(values[name] or "" for name in ("tool", "tool_version", "model")), values["concurrency"] or 0)


def require_gpus(n_gpus: float | None) -> None:
    """Refuse a number that no deployment has."""
    if n_gpus is not None and not 1 <= n_gpus <= MOST_GPUS:
        raise QuantityError(f"`n_gpus` must be at least 1, got {n_gpus}; give all GPUs of the deployment")


def canonical(accelerator: str | None) -> str | None:
    """The vocabulary's spelling of an accelerator, or the name as given."""
    if accelerator is None:
        return None
    return accelerator.lower() if accelerator.lower() in LABELS["accelerator"] else accelerator


def _files(paths: list[Path], found: Imported) -> Iterator[tuple[Path, bool]]:
    """Every file to open, and whether it was named itself."""
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise QuantityError(f"{missing} does not exist; give a file or a directory of benchmark results")
    opened: set[str] = set()
    for top in paths:
        inside = _walk(top, found) if top.is_dir() else [top]
        for path in sorted(inside, key=lambda p: (p.parent, _PREFERENCE.get(_suffix(p), 9), p.name)):
            real = os.path.realpath(path)  # unlike Path.resolve it survives links that lead to themselves
            if real in opened:
                continue
            opened.add(real)
            if top.is_dir() and _suffix(path) not in READABLE:
                found.skipped.append(Problem(str(path), "not a format that benchmark tools write results in"))
                continue
            yield path, not top.is_dir()


def _walk(top: Path, found: Imported) -> Iterator[Path]:
    """The files below a folder. What cannot be entered or is not followed is said."""

    def closed(error: OSError) -> None:
        found.problems.append(Problem(str(error.filename), f"the folder cannot be read ({error.strerror}); check its permissions"))

    for folder, folders, names in os.walk(top, onerror=closed):
        for name in [name for name in folders if Path(folder, name).is_symlink()]:
            found.skipped.append(Problem(str(Path(folder, name)), "a link to a folder, which is not followed; name it to import it"))
        if "phase_manifest.json" in names and "phases" in folders:
            folders.remove("phases")  # AIPerf's copies per phase of what stands next to them
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _suffix(path: Path) -> str:
    return path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _each(points: Iterator[Point | ImportProblem]) -> Iterator[Point | ImportProblem]:
    """What a reader gives, and as the last thing the error that ended it."""
    try:
        yield from points
    except UNEXPECTED as error:
        yield as_problem(error)


def _parts(document) -> Iterator[tuple[str, Iterator[Point | ImportProblem]]]:
    """The document's readable parts with a label each."""
    content = document.content
    if document.form == "records":
        yield "", aiperf_records.points(document.path)
    elif document.form == "text":
        for reader in recognise.TEXT_READERS:
            if reader.matches_text(content):
                yield "", reader.points_from_text(document.path)
                return
    else:
        parts = [content] if document.form == "object" else content
        for number, part in enumerate(parts, start=1):
            reader = recognise.reader(part)
            if reader is not None:
                yield (f"row {number}" if len(parts) > 1 else ""), reader.points(part, document.path)


def _unknown(document: documents.Document) -> list:
    """Parts of a file of several that no reader knows."""
    return [part for part in document.content if recognise.reader(part) is None] if document.form == "rows" else []


def _not_a_point(document: documents.Document) -> str:
    """What a file is that gave no row."""
    content = document.content
    kind = recognise.other_kind(content)
    if kind:
        return _USE[kind]
    companion = recognise.companion_text(content) if isinstance(content, str) else recognise.companion(content)
    if companion:
        return companion
    if recognise.reader(content[0] if isinstance(content, list) and content else content):
        return "a result without a single row in tokens/s"
    return "not a result of a benchmark tool that is known; known are " + ", ".join(TOOLS)
