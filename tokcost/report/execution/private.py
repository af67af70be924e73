"""Private directories for what runs: held while their owner lives, swept when it was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

#: a Unix socket's path ends at 104 bytes on macOS, 108 on Linux; the kernel adds a few
LONGEST_SOCKET_PATH = 96
#: how the private directories are called
PREFIX = "tokcost-"


def private_directory() -> tuple[Path, int | None]:
    """A new one, and what holds it; those of runs that were killed are removed."""
    _sweep()
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    return directory, _lock(directory)


def _lock(directory: Path) -> int | None:
    """Hold a private directory for as long as this process lives; None where somebody else holds it or nobody can."""
    try:
        import fcntl

        handle = os.open(directory / "held", os.O_RDWR | os.O_CREAT, 0o600)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _sweep() -> None:
    """Remove the private directories of runs that were killed: nobody holds them any more."""
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            # One that was made this minute may not be held yet.
            if directory.is_symlink() or directory.stat().st_uid != os.getuid() or time.time() - directory.stat().st_mtime < 60:
                continue
        except (AttributeError, OSError):  # Windows, or gone
            continue
        handle = _lock(directory)
        if handle is not None:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(handle)
