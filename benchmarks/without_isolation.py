"""The same reports as `tokcost report`, by the same code, without a process for each: what isolation costs, and papermill with it.

    python -m benchmarks.without_isolation FOLDER NOTEBOOK...

Everything is imported once; then as many workers as there are processors are copied, and each makes one report after another: the
cells in a shell of IPython of its own, which is only emptied in between, and our page of what they show. What a notebook imports,
sets or leaves behind, the next one finds.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

#: what the cell that runs has shown
of_this_cell: list[Any] = []


def import_everything() -> None:
    """What the processes of reports, and those of their kernels, are copied with."""
    from tokcost.report.execution.template import IMPORTED, WHEN_IDLE
    from tokcost.report.execution.template_process import import_named
    from tokcost.report.one import import_ahead

    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # the debugger, which nobody uses, has nothing to say
    import_named([*IMPORTED, *WHEN_IDLE])
    import_ahead()


def make(path: str, folder: str, *, page: bool = True) -> bool:
    """One report in this process: its cells and, with `page`, the files of the report."""
    import nbformat

    notebook: Any = nbformat.read(path, 4)
    begin, started = time.monotonic(), datetime.now(UTC)
    os.environ["TOKCOST_REPORT"] = "1"
    os.chdir(Path(path).parent)
    shell = _shell()
    shell.reset()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            printed = io.StringIO()
            of_this_cell.clear()
            with contextlib.redirect_stdout(printed):
                shell.run_cell(cell.source, store_history=True).raise_error()
            streams = [nbformat.v4.new_output("stream", name="stdout", text=printed.getvalue())] if printed.getvalue() else []
            cell.outputs, cell.execution_count = [*streams, *of_this_cell], shell.execution_count
    if page:
        _publish(path, folder, notebook, started, time.monotonic() - begin)
    return True


def _shell() -> Any:
    """The shell of this process, which keeps what cells show in the place of sending it."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from nbformat.v4 import new_output

    class Result(DisplayHook):
        def __call__(self, result=None):
            if result is not None:
                data, metadata = self.compute_format_data(result)
                self.update_user_ns(result)
                shown = new_output("execute_result", data=data, metadata=metadata, execution_count=self.prompt_count)
                of_this_cell.append(shown)

    class Display(DisplayPublisher):
        def publish(self, data, metadata=None, **more):
            of_this_cell.append(new_output("display_data", data=data, metadata=metadata or {}))

    class Shell(InteractiveShell):
        displayhook_class, display_pub_class = Result, Display

    return Shell._instance or Shell.instance()  # pyright: ignore[reportAttributeAccessIssue]


def _publish(path: str, folder: str, notebook: Any, started: datetime, seconds: float) -> None:
    from tokcost.report.execution.run import Run
    from tokcost.report.one import Options, Task, published
    from tokcost.report.progress import Progress
    from tokcost.report.request.definition import notebook_job
    from tokcost.report.request.plan import plan

    (ready,), _ = plan([notebook_job(path)], [])
    run = Run(ready.job, ready.settings, notebook, started, seconds, [])
    published(Task(ready, Path(folder), Options(False, False, 600)), run, Progress(quiet=True))


def main(folder: str, *paths: str) -> None:
    import_everything()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        assert all(pool.map(partial(make, folder=folder), paths))


if __name__ == "__main__":
    from benchmarks.without_isolation import main  # by its own name, as the workers know it

    main(*sys.argv[1:])
