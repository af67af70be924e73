"""The run between two others: the present code on the data and parameters of the earlier one, so that method and world come apart."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tokcost.errors import InputError
from tokcost.parameters.settings import Layer, Setting, settings
from tokcost.paths import DATA, chosen_data, using_data
from tokcost.report.errors import ReportError, ReportFailed
from tokcost.report.memory.remember import NAMED, entry_of, named_files
from tokcost.report.memory.store import Entry, History
from tokcost.report.request.declared import read_parameters
from tokcost.report.request.definition import Job, notebook_job
from tokcost.report.request.reading import read_notebook


def run_between(before: Entry, after: Entry, past: History) -> Entry:
    """What the method of `after` gives in the world of `before`; it is not recorded.

    Raises: ReportError where that cannot be made any more: the code, the notebook, a table or a private parameter is not at hand.
    """
    from tokcost.report.execution.run import execute
    from tokcost.report.page.contents import split_contents
    from tokcost.report.page.record import record

    job = _job(after)
    chosen = _settings(job, before)
    with _data_of(before, past):
        try:
            run = execute(job, chosen)
            contents = split_contents(run.notebook, job.name)
        except ReportFailed as failure:
            raise ReportError(f"the present code does not run on the data of run {before.run_id}: {failure}") from None
        middle = entry_of(record(run, contents), read_notebook(job.notebook), named_files(chosen, job.notebook))
    if middle.method_sha256 != after.method_sha256:
        again = f"make the report again, and compare run {before.run_id} with that"
        raise ReportError(f"run {after.run_id} was made with other code than there is now; {again}")
    return middle


def _job(entry: Entry) -> Job:
    for name in (entry.notebook, entry.notebook.removesuffix(".ipynb")):
        with contextlib.suppress(InputError):
            return notebook_job(name)
    raise ReportError(f"there is no {entry.notebook} here to run again; change to the folder that holds it")


def _settings(job: Job, entry: Entry) -> list[Setting]:
    chosen = settings(read_parameters(job.notebook), [Layer(f"run {entry.run_id}", entry.parameters)])
    for setting in chosen:
        if setting.changed and isinstance(setting.value, str) and not setting.parameter.choices:
            raise ReportError(f"run {entry.run_id} set `{setting.parameter.name}`, whose value may be private and was not kept whole")
    return chosen


@contextlib.contextmanager
def _data_of(entry: Entry, past: History) -> Iterator[None]:
    """A copy of the data, with the tables that a run used as they were then, in the place of the project's own."""
    with tempfile.TemporaryDirectory(prefix="evidence-of-run-") as scratch:
        folder = Path(scratch, "data")
        shutil.copytree(chosen_data() or DATA, folder)
        for file, sha256 in entry.tables.items():
            if file.startswith(NAMED):
                continue  # as they are now: where they have changed, the run is of another world and tells nothing apart
            content = past.content(sha256)
            if content is None:
                raise ReportError(f"{file} was not kept as run {entry.run_id} used it")
            (folder / Path(file).name).write_bytes(content)
        with using_data(folder):
            yield
