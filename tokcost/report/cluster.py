"""The same reports on the machines of a Dask cluster that is there already."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tokcost.report.errors import ReportError
from tokcost.report.execution.workers import Ended
from tokcost.report.memory.remember import place
from tokcost.report.one import Task, make


def connected(address: str):
    """An engine of a batch that works on the cluster at `address`; raises ReportError where there is none."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ReportError('Dask is not installed; install it with: pip install "tokcost[dask]"') from None
    try:
        client: Any = Client(address, set_as_default=False)  # how long to wait is a setting of Dask
    except (OSError, ValueError) as error:
        raise ReportError(f"no Dask scheduler answers at {address}: {error}; give the address that it prints at its start") from None

    def engine(tasks: Iterable[Task]) -> Iterator[Ended]:
        """A worker that is lost loses nothing: Dask gives what it had to another, and only what is given back counts."""
        began = time.monotonic()
        try:
            by_key = {f"tokcost-{client.id}-{number}": task for number, task in enumerate(tasks)}
            futures = [client.submit(make, _absolute(task), key=key, pure=False) for key, task in by_key.items()]
            for future in as_completed(futures, loop=client.loop):
                error = future.exception()
                why = f"the cluster gave it up: {type(error).__name__}: {error}" if error else ""
                yield Ended(by_key[future.key], None if why else future.result(), why, time.monotonic() - began)
                future.release()
        finally:
            client.close()

    return engine


def _absolute(task: Task) -> Task:
    """Workers stand in other folders; files are reached by the same path on all machines."""
    job = replace(task.plan.job, notebook=task.plan.job.notebook.absolute())
    options = replace(task.options, history=(task.options.history or place(task.directory)).absolute())
    return replace(task, plan=replace(task.plan, job=job), directory=task.directory.absolute(), options=options)
