"""What a number was made with: fingerprints of the code that computes, apart from the data that it computes with."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
#: parts of the package that run, show or write what the others compute
_COMPUTES_NOTHING = ("report", "cli.py", "glossary.py", "shipped", "teaching", "workbook.py", "workspace.py")
#: cells that are no part of what a report computes; parameters are recorded by their values
_LEFT_OUT = {"parameters", "injected-parameters", "exercise", "attempt", "solution"}
#: libraries whose version can move a number
LIBRARIES = ("numpy", "pandas", "scipy")


@functools.cache
def package_sha256() -> str:
    """Of the code and the vocabulary of this package that compute."""
    files = sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".csv") and _computes(path.relative_to(PACKAGE)))
    return sha256(part for path in files for part in (path.relative_to(PACKAGE).as_posix().encode(), path.read_bytes()))


def notebook_sha256(notebook: dict) -> str:
    """Of the code cells of a notebook that compute."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code" and not _LEFT_OUT & set(c["metadata"].get("tags", []))]
    return sha256("".join(cell["source"]).strip().encode("utf-8", "surrogatepass") for cell in cells)


def sha256(parts: Iterable[bytes]) -> str:
    """Of several parts, each with its length, so that they cannot run into each other.

    >>> sha256([b"ab", b"c"]) == sha256([b"a", b"bc"])
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _computes(path: Path) -> bool:
    return path.parts[0] not in _COMPUTES_NOTHING
