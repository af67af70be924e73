"""Reading what others wrote: ordinary files of bounded size, as text; everything else is refused in a sentence."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from pathlib import Path

from tokcost.parameters.hints import cut
from tokcost.quantities import nearest
from tokcost.report.errors import ReportError

MOST_BYTES = 1_000_000
MOST_NOTEBOOK_BYTES = 64_000_000
_MANY_DOTS = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++\s*+\.\s*+){50}""")


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """The text of the ordinary file `path`, in UTF-8, with or without a byte order mark."""
    try:
        # Not waiting: a pipe without a writer would hold the run for ever.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            is_ordinary = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            content = file.read(most_bytes + 1) if is_ordinary else None
    except FileNotFoundError:
        raise ReportError(f"there is no file {path}{neighbour(path)}") from None
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        raise ReportError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if content is None:  # also of one that waits for somebody to write
        raise ReportError(f"{path} is no ordinary file; give one that holds its text")
    if len(content) > most_bytes:
        raise ReportError(f"{path} is larger than {most_bytes:,} bytes; it is no such file, or holds what belongs elsewhere")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReportError(f"{path} is not UTF-8 text; save it as UTF-8") from None


def neighbour(path: Path) -> str:
    """The end of an error sentence: the file beside `path` that may have been meant."""
    names = names_in(path.parent, path.suffix)
    return nearest(path.name, names) if names else ""


def names_in(folder: Path, suffix: str) -> list[str]:
    """The names in a folder that end in `suffix`, in order; none where there is no such folder."""
    try:
        return sorted(name for name in os.listdir(folder) if Path(name).suffix == suffix)
    except (OSError, ValueError):
        return []


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_toml(path: Path) -> dict:
    text = read_text(path)
    if _MANY_DOTS.search(text):  # the parser's memory grows with the square of them
        raise ReportError(f"{path} is not valid TOML: a key in it is nested too deep")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is not valid TOML: {_why(error)}") from None


def read_notebook(path: Path) -> dict:
    """The notebook as plain JSON: enough to know its parameters, without the import of a notebook library."""
    text = read_text(path, MOST_NOTEBOOK_BYTES)
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is not a notebook: {_why(error)}; open it in JupyterLab and save it again") from None
    wrong = _wrong_with(notebook)
    if wrong:
        raise ReportError(f"{path} is not a notebook in format 4: {wrong}; open it in JupyterLab and save it again")
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    metadata = notebook["metadata"]
    languages = (metadata.get("kernelspec", {}).get("language"), metadata.get("language_info", {}).get("name"))
    foreign = next((language for language in languages if language not in (None, "python", "ipython")), None)
    if foreign is not None:
        raise ReportError(f"{path} is written in {foreign}; reports run Python notebooks only")
    return notebook


def _wrong_with(notebook) -> str:
    """What keeps JSON from being a notebook that can be run, or nothing."""
    if not isinstance(notebook, dict):
        return "it holds no table of cells"
    if isinstance(notebook.get("nbformat"), bool) or notebook.get("nbformat") != 4:
        return f"its `nbformat` is {cut(repr(notebook['nbformat']), 20) if 'nbformat' in notebook else 'missing'}"
    if not isinstance(notebook.get("nbformat_minor", 0), int):
        return "its `nbformat_minor` is no number"
    metadata, cells = notebook.get("metadata"), notebook.get("cells")
    if not isinstance(metadata, dict) or not all(isinstance(metadata.get(key, {}), dict) for key in ("kernelspec", "language_info")):
        return "its metadata is no table"
    if not isinstance(cells, list):
        return "it has no list of cells"
    return next((f"cell {number} {wrong}" for number, cell in enumerate(cells, 1) if (wrong := _wrong_with_cell(cell))), "")


def _wrong_with_cell(cell) -> str:
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return "is neither code nor text"
    if not isinstance(cell.get("metadata"), dict):
        return "has no metadata"
    if not _is_texts(cell["metadata"].get("tags", [])):
        return "has tags that are no list of words"
    if not (isinstance(cell.get("source"), str) or _is_texts(cell.get("source"))):
        return "has no source"
    if cell["cell_type"] == "code" and not isinstance(cell.get("outputs", []), list):
        return "has outputs that are no list"
    return ""


def _is_texts(value) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return "a number in it has thousands of digits" if "digits" in str(error) else str(error)
