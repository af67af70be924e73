"""Writing that is all or nothing: a file is either the old one or the whole new one, also when two runs meet."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from tokcost.report.errors import ReportError, ReportFailed


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` by way of a temporary file beside it."""
    write_all(Path(path).parent, {Path(path).name: text})


def write_all(directory: Path, texts: dict[str, str]) -> list[Path]:
    """Write files (name -> text) into `directory`: first all of them aside, then each renamed to its place.

    So a full disk or an interruption leaves every earlier file as it was.
    """
    aside: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            aside[path] = _write_aside(path, text)
        for path, temporary in aside.items():
            os.replace(temporary, path)
    except OSError as error:
        raise ReportFailed(f"cannot write to {directory}: {error.strerror or error}") from None
    finally:
        for temporary in aside.values():
            temporary.unlink(missing_ok=True)
    return list(aside)


def _write_aside(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def prepare(directory: Path) -> None:
    """Make the output directory and try whether it can be written to, before minutes are spent on running."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ReportError(f"cannot write reports to {directory}: {error.strerror or error}; choose another with --output") from None


@contextlib.contextmanager
def locked(directory: Path):
    """Only one run at a time puts files into `directory` (or reads what the index says of it)."""
    try:
        import fcntl
    except ImportError:  # Windows: single files are still whole
        yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
