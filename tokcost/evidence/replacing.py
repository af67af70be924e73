"""Files of data/ that change together: all are replaced, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tokcost.evidence.selection import DataError


def replace_files(directory: Path, texts: Mapping[str, str]) -> list[str]:
    """Put these files in the place of the old ones, each written aside first; the names of them.

    Raises: DataError where one cannot be written; then all are as they were.
    """
    waiting = [(directory / name, directory / f".{name}.new", text) for name, text in texts.items()]
    done: dict[Path, bytes] = {}
    try:
        for _, aside, text in waiting:
            aside.write_text(text, encoding="utf-8", newline="")
        for path, aside, _ in waiting:
            done[path] = path.read_bytes()
            os.replace(aside, path)
    except OSError as error:
        for path, before in done.items():
            path.write_bytes(before)
        raise DataError(f"cannot write {error.filename or directory}: {error.strerror}; nothing was changed") from None
    finally:
        for _, aside, _ in waiting:
            aside.unlink(missing_ok=True)
    return list(texts)
