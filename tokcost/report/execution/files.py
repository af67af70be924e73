"""Writing that is all or nothing: the files of a report are all the old ones or all the new ones, also when two runs meet."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tokcost.report.errors import ReportError, ReportFailed

#: a file on its way to its place, or an earlier one kept until all the others are in theirs
_ASIDE = re.compile(r"\..+\.(?:html|json|ipynb|svg|csv|xlsx)\.\w{8}\.tmp")
_HALVES = re.compile("[\ud800-\udfff]")


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` by way of a temporary file beside it."""
    write_all(Path(path).parent, {Path(path).name: text})


def write_all(directory: Path, texts: Mapping[str, str | bytes]) -> list[Path]:
    """Write files (name -> text, or bytes as they are) into `directory`: first all of them aside, then each renamed to its place.

    So a full disk, a place that is taken or an interruption leaves every earlier file as it was.
    """
    aside: dict[Path, Path] = {}
    earlier: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for name, text in texts.items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            aside[path] = _write_aside(path, text)
        for path, temporary in aside.items():
            if path.is_file():
                earlier[path] = _kept_aside(path)
            os.replace(temporary, path)
            done.append(path)
    except BaseException as error:
        for path in done:
            if path in earlier:
                os.replace(earlier[path], path)
            else:
                path.unlink()
        if isinstance(error, OSError):
            raise ReportFailed(f"cannot write to {directory}: {error.strerror or error}") from None
        raise
    finally:
        for temporary in [*aside.values(), *earlier.values()]:
            temporary.unlink(missing_ok=True)
    return list(aside)


def _write_aside(path: Path, text: str | bytes) -> Path:
    handle, name = _temporary(path)
    try:
        with open(handle, "wb") as file:
            file.write(text if isinstance(text, bytes) else _HALVES.sub("\N{REPLACEMENT CHARACTER}", text).encode())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)


def _kept_aside(path: Path) -> Path:
    """A second name for a file, so that it can be put back."""
    handle, name = _temporary(path)
    os.close(handle)
    os.unlink(name)
    try:
        os.link(path, name)
    except OSError:  # a file system without second names
        Path(name).write_bytes(path.read_bytes())
    return Path(name)


def _temporary(path: Path) -> tuple[int, str]:
    return tempfile.mkstemp(prefix=f".{path.name[:200]}.", suffix=".tmp", dir=path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def prepare(directory: Path, names: list[str]) -> None:
    """Make the output directory and try whether `names` can be written there, before minutes are spent on running.

    What an earlier run that was killed left behind is swept.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
        for place in (directory / name for name in names):
            if os.path.lexists(place) and not place.is_file():
                raise ReportError(f"{place} is no file that a report can take the place of; move it away, or choose another --output")
        if os.path.lexists(directory / "failed") and not (directory / "failed").is_dir():
            raise ReportError(f"{directory / 'failed'} is no folder; move it away, or choose another --output")
        with locked(directory):  # whoever writes holds the lock: now nothing is on its way
            for folder in (directory, directory / "failed", *directory.glob("*.tables")):
                for path in folder.iterdir() if folder.is_dir() else ():
                    if _ASIDE.fullmatch(path.name):
                        path.unlink(missing_ok=True)
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
