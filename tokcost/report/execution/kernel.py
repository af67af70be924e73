"""A kernel for one report: this very interpreter, a private directory, nothing of the user's profile, no network port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from tokcost.paths import DATA_VARIABLE, chosen_data
from tokcost.report.execution.kernel_process import MEMORY_VARIABLE, MOST_MESSAGES_WAITING, START
from tokcost.report.execution.private import LONGEST_SOCKET_PATH, private_directory
from tokcost.report.execution.template import ONE_THREAD, CannotFork, template_for
from tokcost.show.rows import ASKED as REPORT_ASKED


@contextlib.contextmanager
def light_import():
    """Hold off jsonschema's optional check of international links: it compiles a grammar for over a second.

    Notebook files hold no such links. What was there before is put back.
    """
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # pyright: ignore[reportArgumentType] # an import of it fails, as if it were not installed
    try:
        yield
    finally:
        del sys.modules[name]


def _environment() -> dict[str, str]:
    """What a kernel finds: hash order and the user's IPython profile must not change a report."""
    environment = {**ONE_THREAD, **os.environ, "PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1", REPORT_ASKED: "1"}
    if data := chosen_data():
        environment[DATA_VARIABLE] = str(data)
    return environment


def begin_imports() -> None:
    """Have imported, in the background, what kernels need; where kernels start one by one there is nothing to begin."""
    with contextlib.suppress(CannotFork):
        template_for(_environment())


class Kernel:
    """A Python kernel that starts at once, in the background, and is gone when the `with` block ends.

    A kernel specification called `python3` that points elsewhere is not looked at. Where the system can, it talks
    through sockets in the private directory: no ports that parallel kernels race for.
    """

    def __init__(self, working_directory: Path, memory_mb: int | None = None):
        import zmq
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_core.utils import run_sync

        from tokcost.report.execution.client import Client
        from tokcost.report.execution.provisioner import WarmProvisioner

        kernel = self

        class Manager(AsyncKernelManager):
            client_factory = Client  # pyright: ignore[reportAssignmentType]

            def client(self, **options):
                kernel.client = super().client(**options)
                kernel.client.context.setsockopt(zmq.RCVHWM, MOST_MESSAGES_WAITING)
                kernel.client.context.setsockopt(zmq.RECONNECT_IVL, 5)  # ms; by default a kernel that is not there yet costs 100
                return kernel.client

        self.client: Any = None
        self.directory, self._held = private_directory()
        self.manager = Manager(
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
            connection_file=str(self.directory / "connection.json"),
        )
        specification = self.manager.kernel_spec
        assert specification is not None  # of `python3`, which IPython brings
        specification.argv = [sys.executable, "-c", START, "-f", "{connection_file}"]
        self.manager.provisioner = WarmProvisioner(parent=self.manager, kernel_id=self.manager.kernel_id, kernel_spec=specification)
        self.manager.provisioner.waits = True
        socket = str(self.directory / "socket")
        if os.name == "posix" and len(socket) <= LONGEST_SOCKET_PATH:
            self.manager.transport = "ipc"
            self.manager.ip = socket
        self.log = open(self.directory / "log", "w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        environment = {**_environment(), "IPYTHONDIR": str(self.directory / "ipython")}
        if memory_mb is not None:
            environment[MEMORY_VARIABLE] = str(memory_mb)
        self._sync = run_sync
        try:
            self._sync(self.manager.start_kernel)(
                cwd=str(working_directory),
                env=environment,
                stdout=self.log,
                stderr=self.log,
                extra_arguments=["--HistoryManager.hist_file=:memory:"],
            )
        except BaseException:
            self.close()
            raise

    def last_words(self) -> str:
        """Why the process died: how it ended, and the last line that it wrote outside of cells."""
        process = getattr(self.manager.provisioner, "process", None)
        status = process.poll() if process else None
        ended = ""
        if status is not None and status < 0:
            ended = f"ended by {_signal_name(-status)}"
            ended += ", as a system does when memory runs out" if _signal_name(-status) == "SIGKILL" else ""
        elif status:
            ended = f"it left with exit status {status}"
        self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - 10_000))
        lines = [line.strip() for line in self.log if line.strip()]
        return "; ".join(filter(None, [ended, *lines[-1:]]))

    def close(self) -> None:
        try:
            if self.client is not None:
                self.client.stop_channels()
            if self.manager.has_kernel:
                self._sync(self.manager.shutdown_kernel)(now=True)
        finally:
            self.log.close()
            shutil.rmtree(self.directory, ignore_errors=True)
            if self._held is not None:
                os.close(self._held)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._drop_what_waits()
        self.close()

    def _drop_what_waits(self) -> None:
        """After an interruption the client still waits for an answer; let it go, or it complains of the dead kernel."""
        from jupyter_core.utils import ensure_event_loop

        loop = ensure_event_loop()
        waiting = set() if loop.is_running() else asyncio.all_tasks(loop)
        for task in waiting:
            task.cancel()
        if waiting:
            loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
