"""The headline of every notebook on one state of data/: the cells up to its first `tc.result`, at its defaults, in one process.

`python -m tokcost.renew.headlines NOTEBOOK...` writes them as JSON, on the data that TOKCOST_DATA_DIR names; `moved` compares two states,
for the notebooks that use a table which changed. Tables and figures of a notebook are left out: no headline rests on them. What a
notebook has stored is not worked out again, as long as the tables that it used are what they were.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Set
from hashlib import sha256
from pathlib import Path

from tokcost.evidence.selection import DataError
from tokcost.paths import DATA_VARIABLE, NOTEBOOKS

#: the type under which a notebook talks to its report
MIME = "application/vnd.tokcost.v1+json"
#: the least change that is told: below it a headline stays as printed
LEAST_FRAC = 5e-5
DOES_NOT_RUN = "does not run"


def headline_of(notebook: Path) -> dict | None:
    """Label, value and range of the first result of a notebook that runs at its defaults; None where it gives none.

    >>> headline_of(NOTEBOOKS / "01-what-does-a-million-tokens-cost.ipynb")["value"] > 0
    True
    """
    names: dict = {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "notebook-only" in cell["metadata"].get("tags", []):
            continue
        tree = ast.parse(source)
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr) or not ast.unparse(last).startswith("tc."):
            exec(compile(tree, notebook.name, "exec"), names)
            continue
        exec(compile(ast.Module(tree.body[:-1], []), notebook.name, "exec"), names)
        if ast.unparse(last).startswith("tc.result("):
            shown = eval(compile(ast.Expression(last.value), notebook.name, "eval"), names)
            data = getattr(shown, "data", None) or {}
            if data.get("kind") == "result":
                return {name: data.get(name) for name in ("label", "value", "low", "high")}
    return None


def headlines(names: Iterable[str]) -> dict[str, dict]:
    """The headline of each notebook, or why it has none."""
    found: dict[str, dict] = {}
    for name in names:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                found[name] = headline_of(NOTEBOOKS / f"{name}.ipynb") or {"label": "no result"}
        except Exception as error:
            found[name] = {"label": f"{DOES_NOT_RUN}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    return found


def using(tables: Set[str]) -> list[str]:
    """The notebooks that use one of these tables, as their stored outputs say; one without outputs may.

    >>> using({"clock_limits"})
    ['05-tokens-per-watt']
    """
    kept = {path.stem: _stored(path)[1] for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    return [name for name, used in kept.items() if not used or used.keys() & tables]


def _stored(notebook: Path) -> tuple[dict | None, dict[str, tuple[str, str]]]:
    """The headline in the outputs of a notebook, and what they rest on: the file and its SHA-256, by table."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [output.get("data", {}).get(MIME) or {} for cell in cells for output in cell.get("outputs", [])]
    first = next((one for one in shown if one.get("kind") == "result"), None)
    tables = [table for one in shown if one.get("kind") == "sources" for table in one["tables"]]
    used = {table["table"]: (Path(table["file"]).name, table["sha256"]) for table in tables}
    return first and {name: first.get(name) for name in ("label", "value", "low", "high")}, used


def _known(name: str, directory: Path) -> dict | None:
    """The stored headline of a notebook whose tables stand in the directory as it used them; None otherwise."""
    headline, used = _stored(NOTEBOOKS / f"{name}.ipynb")
    is_so = all((directory / file).is_file() and sha256((directory / file).read_bytes()).hexdigest() == sha for file, sha in used.values())
    return headline if used and is_so else None


def moved(before: Path, after: Path, tables: Set[str]) -> list[tuple[str, dict, dict]]:
    """The headlines that differ between two data directories that differ in these tables, in value or range: notebook, before, after.

    Raises: DataError where the notebooks cannot be run.
    """
    names = using(tables)
    known = {name: headline for name in names if (headline := _known(name, before))}
    unknown = [name for name in names if name not in known]
    found: dict[Path, dict[str, dict]] = {before: known, after: {}}
    share = max(1, (os.cpu_count() or 1) // (2 if unknown else 1))
    runs = [(where, _started(where, part)) for where, some in ((before, unknown), (after, names)) for part in _dealt(some, share)]
    for where, run in runs:
        found[where] |= _finished(run)
    return [(name, found[before][name], found[after][name]) for name in names if not _alike(found[before][name], found[after][name])]


def _dealt(names: list[str], n_parts: int) -> list[list[str]]:
    """The names in so many parts at most, each with its share of the first and of the last."""
    return [names[first::n_parts] for first in range(min(n_parts, len(names)))]


def _alike(was: dict, now: dict) -> bool:
    """Whether a headline is the same; of a notebook that does not run nobody knows, also where it did not run before."""
    if now["label"].startswith(DOES_NOT_RUN):
        return False
    pairs = [(was.get(name), now.get(name)) for name in ("value", "low", "high")]
    same = all(a == b or (a and b and math.isclose(a, b, rel_tol=LEAST_FRAC)) for a, b in pairs)
    return same and ("value" in now or was["label"] == now["label"])


def _started(directory: Path, names: list[str]) -> subprocess.Popen:
    environment = os.environ | {DATA_VARIABLE: str(directory)}
    command = [sys.executable, "-m", __name__, *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def _finished(run: subprocess.Popen) -> dict[str, dict]:
    out, err = run.communicate()
    if run.returncode:
        raise DataError(f"the headlines cannot be worked out: {(err.strip().splitlines() or ['no reason given'])[-1]}")
    return json.loads(out)


if __name__ == "__main__":
    print(json.dumps(headlines(sys.argv[1:])))
