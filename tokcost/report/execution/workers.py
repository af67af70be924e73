"""Several pieces of work at once, each in a process of its own: what one leaves behind, or how it dies, is no matter to another."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from tokcost.report.execution.template import SYSTEM

#: how long a process that was told to end may take to do so
_FAREWELL_S = 5.0


@dataclass(frozen=True)
class Ended:
    """How a piece of work ended: its result, or why there is none."""

    task: Any
    result: Any
    why: str
    seconds: float


def each_in_a_process(tasks: Iterable, work: Callable, *, at_once: int, longest_s: float | None = None) -> Iterator[Ended]:
    """`work(task)` for each task, in the order in which they end; one that takes longer than `longest_s` is ended.

    A process is copied from this one, which must have no other thread, where the system does that safely; else started anew.
    """
    context: Any = multiprocessing.get_context("fork" if SYSTEM == "linux" else "spawn")
    gc.freeze()  # so that no copy copies all that is here as soon as it tidies up
    waiting = iter(tasks)
    running: dict[Any, tuple[Any, Any, float]] = {}  # the pipe of a result -> process, task, when it began
    try:
        while True:
            while len(running) < at_once and (task := next(waiting, None)) is not None:
                here, there = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(there, work, task))
                process.start()
                there.close()  # so that its end is heard when the process is gone
                running[here] = process, task, time.monotonic()
            if not running:
                return
            first = min(began for _, _, began in running.values())
            ready: list[Any] = connection.wait(list(running), longest_s and max(0.0, first + longest_s - time.monotonic()))
            for pipe in ready:
                process, task, began = running.pop(pipe)
                try:
                    result, why = pipe.recv(), ""
                except EOFError:
                    result, why = None, _ended(process)
                process.join()
                pipe.close()
                yield Ended(task, result, why, time.monotonic() - began)
            for pipe, (process, task, began) in list(running.items()):
                if longest_s and time.monotonic() - began >= longest_s and not pipe.poll():
                    del running[pipe]
                    _end(process)
                    pipe.close()
                    yield Ended(task, None, f"it took longer than the {longest_s:g} s that a report may take", time.monotonic() - began)
    finally:
        for process, _, _ in running.values():
            process.terminate()
        for process, _, _ in running.values():
            _end(process)


def _work(pipe, work, task) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        pipe.send(work(task))
    except KeyboardInterrupt:  # the parent says what is to be said
        os._exit(130)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _end(process) -> None:
    """Politely, so that it stops its kernel; then not."""
    process.terminate()
    process.join(_FAREWELL_S)
    process.kill()
    process.join()


def _ended(process) -> str:
    process.join()
    status = process.exitcode
    return f"its process was ended by {signal.Signals(-status).name}" if status < 0 else f"its process left with exit status {status}"
