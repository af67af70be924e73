"""Your own benchmark: what your files hold, and what they leave open.

Nothing is guessed. A GPU count, an accelerator or a price that neither the files nor you state is named as missing,
and what depends on it stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost import importers
from tokcost.evidence import Fact
from tokcost.importers import ImportProblem
from tokcost.paths import DATA, located
from tokcost.quantities import QuantityError
from tokcost.serving.pareto_frontier import SPEED, Frontier, frontier
from tokcost.serving.service_limits import goodput

THROUGHPUT = "total_tok_per_s_per_gpu"
NOT_STATED = "not stated"
#: prompts and answers this much longer or shorter are another workload
SAME_LENGTH_FRAC = 0.1
#: files of a toy model on a CPU that ship with the project: they show the page and say nothing of a cost
EXAMPLE = DATA / "benchmark_example"
#: larger logs of single requests are not opened here
LARGEST_LOG_BYTES = 200_000_000


@dataclass(frozen=True, eq=False)
class OwnBenchmark:
    """What was found. `points`: the operating points of one workload, one row each. `excluded_runs`: `source_file`, `what` it
    is, `reason`. `requests`: single requests where a file keeps them, with their `source_file`. `n_read`: operating points read.
    `is_example`: they are the files that ship with the project, of a toy model on a CPU: their cost is nobody's."""

    points: pd.DataFrame
    excluded_runs: pd.DataFrame
    requests: pd.DataFrame
    n_read: int
    is_example: bool = False

    @property
    def n_set_aside(self) -> int:
        """Operating points that were read and not used; each has its reason in `excluded_runs`."""
        return int((self.excluded_runs["what"] == "point set aside").sum())

    def label(self, name: str) -> str:
        """A label of the points in use, such as their `model`; `not stated` where they carry none."""
        values = [str(value) for value in self.points[name].dropna().unique() if value != ""]
        return ", ".join(values) or NOT_STATED

    @property
    def cached_frac(self) -> float:
        """Share of the prompt tokens that the server read from its cache; NaN where no file says it."""
        counted = self.points.dropna(subset=["cached_input_tok", "input_tok"])
        return float(counted["cached_input_tok"].sum() / counted["input_tok"].sum()) if len(counted) else float("nan")

    @property
    def front(self) -> Frontier | None:
        """The curve through the points; None where there is no throughput per GPU or no speed per user."""
        known = self.points.dropna(subset=[THROUGHPUT, SPEED])
        if known.empty:
            return None
        # One workload: its lengths are the middle ones. The rate of the importer is per all GPUs already.
        labels = {"model": self.label("model"), "accelerator": self.label("accelerator")}
        lengths = {name: max(1.0, known[name].median().round()) for name in ("isl", "osl")}
        return frontier(known[[SPEED, THROUGHPUT, "concurrency", "n_gpus"]].assign(**labels, **lengths))

    def goodput(self, *, ttft_limit_s: float, tpot_limit_s: float) -> pd.DataFrame:
        """Share of requests within both limits, one row for each file that keeps single requests; empty where none does."""
        if self.requests.empty:
            return pd.DataFrame(columns=["source_file", "n_requests", "n_good", "goodput_frac"])
        return goodput(self.requests, ttft_limit_s=ttft_limit_s, tpot_limit_s=tpot_limit_s, by="source_file")


def own_benchmark(benchmark_path: str, *, stated_gpus: float = 0, accelerator: str = NOT_STATED) -> OwnBenchmark:
    """Read the results of a benchmark: a file, or a folder with a sweep.

    `benchmark_path` is absolute, begins with `~`, or is relative to the folder of this project. `stated_gpus` (0: the files
    say it) and `accelerator` (`not stated`: the files say it) are what you add. Points without a successful
    request, and points of another workload than most, are set aside with the reason.

    Raises: InputError where nothing is there; QuantityError where nothing is a benchmark result, and says what was found instead.

    >>> own = own_benchmark("data/benchmark_example", stated_gpus=1, accelerator="h200")
    >>> len(own.points), own.label("tool"), own.label("model")
    (3, 'guidellm', 'tiny-llama')
    """
    path = located(benchmark_path, "benchmark_path")
    found = importers.benchmarks([path], n_gpus=stated_gpus or None, accelerator=None if accelerator == NOT_STATED else accelerator)
    excluded_runs = [_excluded(path, p.source_file, "not readable", p.sentence) for p in found.problems]
    excluded_runs += [_excluded(path, p.source_file, "not a point", p.sentence) for p in found.skipped]
    rows = found.points
    if rows.empty:
        reasons = "; ".join(f"{row['source_file']}: {row['reason']}" for row in excluded_runs[:3]) or "there is no file in it"
        raise QuantityError(f"{benchmark_path} holds no benchmark result that can be read: {reasons}")
    requests = _requests(rows["source_file"], path)
    is_failed = rows["n_requests"] == 0
    is_used = ~is_failed & _largest_group(rows[~is_failed]).reindex(rows.index, fill_value=False).astype(bool)
    for index, row in rows[~is_used].iterrows():
        reason = "no request succeeded, so it has no throughput" if is_failed[index] else f"another workload: {_workload(row)}"
        excluded_runs.append(_excluded(path, row["source_file"], "point set aside", reason))
    points = rows[is_used].reset_index(drop=True)
    if points.empty:
        raise QuantityError(f"not one request succeeded in {benchmark_path}; look into the log of the server, then run the benchmark again")
    points["source_file"] = points["source_file"].map(lambda name: _within(path, name))
    table = pd.DataFrame(excluded_runs, columns=["source_file", "what", "reason"])
    return OwnBenchmark(points, table, requests, len(rows), path.resolve().is_relative_to(EXAMPLE.resolve()))


def known_and_missing(own: OwnBenchmark, *, stated_gpus: float, accelerator: str, rate: Fact | float | None) -> pd.DataFrame:
    """What the comparison rests on and who says it. `rate` is the price of the hour: of the price list, your own number, or None.

    Columns: `what`, `value` and `said_by` (`missing` and `nobody` where it is not known), and what follows `without_it`.

    >>> own = own_benchmark("data/benchmark_example", accelerator="h200")
    >>> table = known_and_missing(own, stated_gpus=0, accelerator="h200", rate=2.5)
    >>> table.loc[table["said_by"] == "nobody", "what"].tolist()
    ['GPUs of the deployment', 'Prompt tokens from the cache', 'Precision']
    """
    counts, speeds, lengths = own.points["n_gpus"], own.points[SPEED].dropna(), own.points[["isl", "osl"]].dropna().median()
    gpus = "" if counts.isna().any() else ", ".join(f"{n:g}" for n in sorted(counts.unique()))
    chip, model, precision = (own.label(name).replace(NOT_STATED, "") for name in ("accelerator", "model", "precision"))
    listed = f"{rate.price_basis.replace('_', ' ')}, {rate.rate_vintage}" if isinstance(rate, Fact) else ""
    price = "" if rate is None else f"{float(rate):,.2f} USD, {listed or 'your own'}"
    length = "" if lengths.isna().any() else f"{lengths['isl']:,.0f} and {lengths['osl']:,.0f}"
    ends = dict.fromkeys(f"{end:,.0f}" for end in (speeds.min(), speeds.max())) if len(speeds) else {}
    speed = f"{' to '.join(ends)} tokens/s" if ends else ""
    cached = "" if np.isnan(own.cached_frac) else f"{own.cached_frac:.0%}"
    you, files = "you", "your files"
    rows = [
        (
            "GPUs of the deployment",
            gpus,
            you if gpus == f"{stated_gpus:g}" else files,
            "no throughput per GPU, no cost: state their number",
        ),
        (
            "Accelerator",
            chip.upper(),
            files if accelerator == NOT_STATED else you,
            "no price, no public runs of the same: state the accelerator",
        ),
        (
            "Price of the GPU-hour",
            price,
            "the price list" if listed else you,
            "no cost: choose a priced accelerator, or a price of your own",
        ),
        ("Model", model, files, "nobody can tell whether the public runs are of the same model"),
        ("Prompt and answer tokens", length, files, "nobody can tell whether the public runs have the same lengths"),
        ("Prompt tokens from the cache", cached, files, "nobody can tell whether every prompt was read in full"),
        ("Speed per user", speed, files, "no curve: have the tool stream answers and keep TPOT"),
        ("Precision", precision, files, "a ratio to public runs may be one of precision"),
    ]
    table = pd.DataFrame(rows, columns=["what", "value", "said_by", "without_it"])
    is_missing = table["value"] == ""
    table.loc[is_missing, ["value", "said_by"]] = "missing", "nobody"
    table.loc[~is_missing, "without_it"] = ""
    return table


def _largest_group(rows: pd.DataFrame) -> pd.Series:
    """The most points that share model, accelerator and, nearly, both lengths; the first of several as large."""
    best = pd.Series(False, index=rows.index, dtype=bool)
    for _, row in rows.iterrows():
        same = pd.Series(True, index=rows.index)
        for name in ("model", "accelerator"):
            same &= (rows[name] == row[name]) | (rows[name].isna() & pd.isna(row[name]))
        for name in ("isl", "osl"):
            same &= ((rows[name] / row[name] - 1).abs() <= SAME_LENGTH_FRAC) | (rows[name].isna() & pd.isna(row[name]))
        if same.sum() > best.sum():
            best = same
    return best


def _workload(row) -> str:
    lengths = "lengths not stated" if pd.isna(row["isl"]) or pd.isna(row["osl"]) else f"{row['isl']:.0f}/{row['osl']:.0f} tokens"
    model, chip = (row[name] or NOT_STATED for name in ("model", "accelerator"))
    return f"model {model}, accelerator {str(chip).upper() if chip != NOT_STATED else chip}, {lengths}"


def _requests(files: pd.Series, top: Path) -> pd.DataFrame:
    """Single requests of the files themselves, or of the log that AIPerf keeps next to its summary."""
    tables = []
    for name in dict.fromkeys(files):
        logs = [Path(name).with_name(f"profile_export.jsonl{suffix}") for suffix in ("", ".gz")]
        for path in dict.fromkeys([Path(name), *logs]):
            if path.suffix in (".json", ".jsonl", ".gz") and path.is_file() and path.stat().st_size <= LARGEST_LOG_BYTES:
                try:
                    tables.append(importers.requests(path).assign(source_file=_within(top, str(path))))
                except ImportProblem:
                    continue  # a summary: most tools keep no single requests
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _excluded(top: Path, source_file: str, what: str, reason: str) -> dict:
    return {"source_file": _within(top, source_file), "what": what, "reason": reason.replace(f"{top}/", "")}


def _within(top: Path, name: str) -> str:
    path = Path(name)
    return str(path.relative_to(top)) if top.is_dir() and path.is_relative_to(top) else path.name
