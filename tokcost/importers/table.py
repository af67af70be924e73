"""The table of operating points: its columns, and how it is written."""

from __future__ import annotations

import glob
import os
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from tokcost.importers.point import LATENCIES, STATISTICS
from tokcost.quantities import QuantityError
from tokcost.spreadsheet import to_csv

TEXT = (
    "source_file", "run", "tool", "tool_version", "model", "accelerator", "token_source", "precision", "framework", "speculative",
    "deployment", "started", "source_sha256", "notes",
)  # fmt: skip
COLUMNS = (
    "source_file", "run", "tool", "tool_version", "model", "accelerator", "n_gpus", "concurrency", "isl", "osl",
    "duration_s", "n_requests", "n_failed", "input_tok", "cached_input_tok", "output_tok", "token_source",
    "total_tok_per_s_per_gpu", "output_tok_per_s_per_gpu", "input_tok_per_s_per_gpu", "tok_per_s_per_user",
    *(f"{statistic}_{latency}_s" for statistic in STATISTICS for latency in LATENCIES),
    "total_tok_per_s", "output_tok_per_s", "input_tok_per_s",
    "recorded_output_tok_per_s", "recorded_total_tok_per_s", "recorded_differs_frac",
    "gpu_energy_joule", "total_tok_per_joule", "output_tok_per_joule",
    "precision", "framework", "speculative", "deployment", "n_prefill_gpus", "n_decode_gpus", "started", "source_sha256", "notes",
)  # fmt: skip
#: what readers look for next to a result
_COMPANIONS = ("experiment_metadata", "benchmark_args", "benchmark_percentile")
SUFFIXES = (".csv", ".parquet", ".json")


def frame(rows: list[dict], columns: Sequence[str] = COLUMNS, text: Collection[str] = TEXT) -> pd.DataFrame:
    """Rows as a table with every column: text (None where nothing is said) or floats (NaN)."""
    return pd.DataFrame(
        {name: pd.Series([values.get(name) for values in rows], dtype=object if name in text else float) for name in columns},
    )


def check_output(path: Path) -> None:
    """Refuse an output that cannot be written, before anything is read."""
    if path.suffix.lower() not in SUFFIXES:
        raise QuantityError(f"--output must end in {', '.join(SUFFIXES)}, got {path.name}")
    if not path.absolute().parent.is_dir():
        raise QuantityError(f"--output is in {path.parent}, which is no directory; make it first")
    if path.is_dir():
        raise QuantityError(f"--output {path} is a directory; give a file name in it")
    if path.exists() and not path.is_file():
        raise QuantityError(f"--output {path} is no regular file but a pipe or a device; give a file name")
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise QuantityError('a .parquet output needs pyarrow: pip install "tokcost[large]", or write .csv') from None


def keep_sources(output: Path | None, paths: Iterable[Path]) -> None:
    """Refuse an output that is one of the files found in `paths`, read or not: a measurement is never written over."""
    if output is None or not output.exists():
        return
    mine = output.stat()
    for found in _every_file(paths):
        try:
            is_same = os.path.samestat(os.stat(found), mine)
        except OSError:
            continue
        if is_same:
            raise QuantityError(f"--output {output} is one of the files to import, or lies among them; give another name")


def _every_file(paths: Iterable[Path]) -> Iterator[Path]:
    """Files that are named, or lie below a folder that is, or next to a file that is, where tools keep what belongs to it."""
    for path in paths:
        if not path.is_dir():
            yield path
            yield from (near for near in path.parent.glob("*.json") if near.name.startswith(_COMPANIONS))
            yield from path.parent.glob(f"{glob.escape(path.name.removesuffix('_summary.json'))}_individual_responses.json")
            continue
        for folder, _, names in os.walk(path):
            yield from (Path(folder, name) for name in names)


def write(table: pd.DataFrame, path: Path | None) -> None:
    """Write the table by the suffix of `path` in one step (no half-written file), or as CSV to standard output.

    Bytes of a file name that are no text are written as \\xNN: one odd name must not cost the others their rows.
    Text that a spreadsheet would run stands after an apostrophe; `tokcost.spreadsheet.read_csv` takes it off.
    """
    table = table.assign(source_file=[_readable(name) for name in table["source_file"]])
    if path is None:
        to_csv(table, sys.stdout, lineterminator="\n")
        sys.stdout.flush()
        return
    path = Path(os.path.realpath(path))  # a link stays a link
    handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        if path.suffix.lower() == ".csv":
            to_csv(table, temporary, lineterminator="\n")
        elif path.suffix.lower() == ".json":
            table.to_json(temporary, orient="records", indent=1, double_precision=15)
        else:
            table.to_parquet(temporary, index=False)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _readable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
