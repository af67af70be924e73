"""The table of operating points: its columns, and how it is written."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pandas as pd

from tokcost.importers.point import LATENCIES, STATISTICS
from tokcost.quantities import QuantityError

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
SUFFIXES = (".csv", ".parquet", ".json")


def frame(rows: list[dict], columns=COLUMNS, text=TEXT) -> pd.DataFrame:
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
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise QuantityError('a .parquet output needs pyarrow: pip install "tokcost[large]", or write .csv') from None


def write(table: pd.DataFrame, path: Path | None) -> None:
    """Write the table by the suffix of `path` in one step (no half-written file), or as CSV to standard output.

    Bytes of a file name that are no text are written as \\xNN: one odd name must not cost the others their rows.
    """
    table = table.assign(source_file=[_readable(name) for name in table["source_file"]])
    if path is None:
        table.to_csv(sys.stdout, index=False, lineterminator="\n")
        sys.stdout.flush()
        return
    path = Path(os.path.realpath(path))  # a link stays a link
    handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        if path.suffix.lower() == ".csv":
            table.to_csv(temporary, index=False, lineterminator="\n")
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
