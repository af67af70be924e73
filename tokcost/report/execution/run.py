"""Execute a notebook with its settings through Papermill, and be sure that it ran to its end."""

from __future__ import annotations

import itertools
import json
import logging
import re
import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tokcost.parameters.hints import cut
from tokcost.parameters.settings import DEFAULT, Setting
from tokcost.report.errors import ReportFailed
from tokcost.report.execution.kernel import Kernel, light_import
from tokcost.report.request.definition import Job
from tokcost.report.request.reading import read_notebook

CELL_TIMEOUT_S = 600
#: characters of a source line that an error repeats
LONGEST_QUOTE = 100
#: characters of what an error says
LONGEST_SENTENCE = 1000
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class Run:
    """An executed notebook: all cells done, no error."""

    job: Job
    settings: list[Setting]
    notebook: Any
    started: datetime
    seconds: float
    warnings: list[str]


class _Watch:
    """What a run is doing: the notebook in Papermill's hands and the cell that is at work."""

    def __init__(self, on_cell):
        self.notebook: Any = None
        self.index, self._tell = 0, on_cell

    def begin(self, notebook):
        self.notebook = notebook

    def cell(self, cell, cell_index):
        self.index = cell_index
        self._tell(cell_index + 1, len(self.notebook.cells))


def execute(
    job: Job, settings: list[Setting], *, on_cell=lambda number, of: None, timeout_s: int = CELL_TIMEOUT_S, memory_mb: int | None = None
) -> Run:
    """Run the notebook of `job` to its end, or raise `ReportFailed` that names the cell and the error.

    `on_cell(number, of)` is called as each cell starts; `memory_mb` is what the kernel may take.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    watch = _Watch(on_cell)
    error = None
    try:
        kernel = Kernel(job.notebook.resolve().parent, memory_mb)
    except Exception as problem:
        raise ReportFailed(f"{job.name}: no Python kernel could be started: {type(problem).__name__}: {_last_line(problem)}") from None
    with kernel:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _papermill(job, settings, kernel, watch, timeout_s)
        except Exception as problem:  # whatever stops a run is a failed report; Ctrl-C is not an Exception
            error = problem
        last_words = kernel.last_words()
    if watch.notebook is not None:
        _join_streams(watch.notebook)
    _require_no_error(job, watch, error, last_words, memory_mb)
    require_complete(job, watch.notebook)
    return Run(job, settings, watch.notebook, started, time.monotonic() - clock, _stderr_of(watch.notebook))


def _papermill(job, settings, kernel, watch, timeout_s):
    with light_import():
        import papermill
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    copy = kernel.directory / "notebook.ipynb"  # papermill reads braces in a path as fields
    notebook = read_notebook(job.notebook)
    notebook["metadata"].pop("papermill", None)  # of an earlier run
    copy.write_text(json.dumps(notebook), encoding="utf-8")
    papermill.execute_notebook(
        str(copy),
        None,
        parameters={s.parameter.name: s.value for s in settings if s.origin != DEFAULT},
        kernel_name="python3",
        language="python",
        progress_bar=False,
        request_save_on_cell_execute=False,
        km=kernel.manager,
        on_notebook_start=watch.begin,
        on_cell_start=watch.cell,
        execution_timeout=timeout_s,
        iopub_timeout=30,
    )


def _require_no_error(job, watch, error, last_words, memory_mb):
    notebook = watch.notebook
    if notebook is None:
        why = "; ".join(filter(None, [_last_line(error), last_words]))
        raise ReportFailed(f"{job.name}: the run did not start: {why}")
    # Papermill marks a failure with cells of its own; they are not the reader's.
    notebook.cells = [c for c in notebook.cells if "papermill-error-cell-tag" not in c.metadata.get("tags", [])]
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                text = f"sys.exit({output.evalue})" if output.ename == "SystemExit" else f"{output.ename}: {_last_line(output.evalue)}"
                raise _failed(job, notebook, index, _with_limit(text.removesuffix(": "), memory_mb))
    if error is None:
        return
    cell = notebook.cells[min(watch.index, len(notebook.cells) - 1)]
    if type(error).__name__ == "DeadKernelError":
        text = "the kernel died" + (f": {last_words}" if last_words else "")
    elif isinstance(error, TimeoutError) and "IOPub" in str(error):
        text = "the cell printed more, and faster, than could be taken up; print less, or in one piece"
    elif isinstance(error, TimeoutError):
        text = "the cell took too long; raise --timeout, or make it faster"
    elif type(error).__name__ == "PapermillExecutionError":  # an error that left no output of its own
        text = _named_on_stderr(cell) or last_words or "an error that it could not tell: memory ran out, or its text cannot be sent"
    else:
        text = f"{type(error).__name__}: {_last_line(error)}"
    raise _failed(job, notebook, watch.index, _with_limit(text, memory_mb))


def _with_limit(text: str, memory_mb: int | None) -> str:
    """The error of a cell; of one that had no memory left under a limit, with the limit."""
    ran_out = memory_mb is not None and re.match(r"\w*MemoryError\b", text)
    return f"{text}; the limit is {memory_mb} MB, raise --memory or load less" if ran_out else text


def _named_on_stderr(cell) -> str:
    """The error of a cell whose kernel could only print it, such as one without memory for more."""
    said = "".join(output.text for output in cell.get("outputs", []) if output.output_type == "stream" and output.name == "stderr")
    return next((line for line in reversed(said.splitlines()) if re.match(r"\w*(?:Error|Exception)\b", line)), "")


def _join_streams(notebook) -> None:
    """What a cell printed in many pieces, in one. (What nbclient has for it takes minutes for one long line.)"""

    def stream(output):
        return output.name if output.output_type == "stream" else id(output)

    for cell in notebook.cells:
        if cell.get("outputs"):
            groups = [list(group) for _, group in itertools.groupby(cell.outputs, key=stream)]
            for first, *others in groups:
                if others:
                    first.text = "".join(output.text for output in (first, *others))
            cell.outputs = [group[0] for group in groups]


def require_complete(job: Job, notebook) -> None:
    """Refuse a notebook with a code cell that was not run: no error was seen, but the end was not reached."""
    for index, cell in enumerate(notebook.cells):
        skipped = "skip-execution" in cell.metadata.get("tags", [])
        if cell.cell_type == "code" and cell.source.strip() and not cell.execution_count and not skipped:
            raise _failed(job, notebook, index, "the cell was not run")


def _failed(job, notebook, index, what) -> ReportFailed:
    """Where it went wrong, counted as the reader's own notebook counts its cells."""
    where = f"cell {_number(notebook, index)} of {job.notebook.name}"
    return ReportFailed(f"{job.name}: {where} failed: {cut(what, LONGEST_SENTENCE)} ({_quoted(notebook.cells[index])})", notebook)


def _quoted(cell) -> str:
    """The line of a cell at which it failed, where the traceback says so, else how the cell starts."""
    lines = cell.source.splitlines()
    traceback = "\n".join("\n".join(o.get("traceback", [])) for o in cell.get("outputs", []) if o.output_type == "error")
    places = re.findall(rf"\bCell In\[{cell.get('execution_count')}\], line (\d+)", _ANSI.sub("", traceback))
    if places and 0 < int(places[0]) <= len(lines):
        return f"line {places[0]}: {cut(lines[int(places[0]) - 1].strip(), LONGEST_QUOTE)}"
    first = next((line.strip() for line in lines if line.strip()), "")
    return f"the cell starts: {cut(first, LONGEST_QUOTE)}"


def _last_line(text) -> str:
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _stderr_of(notebook) -> list[str]:
    """What cells wrote to stderr: for the log, never for the report. Of a warning, the line that says it."""
    said = []
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr" and output.text.strip():
                lines = [line.strip() for line in output.text.splitlines() if line.strip()]
                line = next((line for line in lines if "Warning" in line), lines[-1])
                said.append(f"cell {_number(notebook, index)}: {re.sub(r'^.*?:[0-9]+: ', '', line)}")
    return said


def _number(notebook, index: int) -> int:
    """The place of a cell as the reader's own notebook counts, where Papermill has injected none."""
    return index + 1 - any("injected-parameters" in c.metadata.get("tags", []) for c in notebook.cells[:index])
