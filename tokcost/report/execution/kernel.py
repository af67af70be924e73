"""A kernel for one report: this very interpreter, a private directory, nothing of the user's profile, no network port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tokcost.report import data_directory

#: a Unix socket's path ends at 104 bytes on macOS, 108 on Linux; the kernel adds a few
LONGEST_SOCKET_PATH = 96


@contextlib.contextmanager
def light_import():
    """Hold off jsonschema's optional check of international links: it compiles a grammar for over a second.

    Notebook files hold no such links. What was there before is put back.
    """
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # an import of it fails, as if it were not installed
    try:
        yield
    finally:
        del sys.modules[name]


class Kernel:
    """A Python kernel that starts at once, in the background, and is gone when the `with` block ends.

    A kernel specification called `python3` that points elsewhere is not looked at. Where the system can, it talks
    through sockets in the private directory: no ports that parallel kernels race for.
    """

    def __init__(self, working_directory: Path):
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_core.utils import run_sync

        class Manager(AsyncKernelManager):
            def client(manager, **options):
                self.client = super().client(**options)
                return self.client

        self.client = None
        self.directory = Path(tempfile.mkdtemp(prefix="tokcost-"))
        self.manager = Manager(
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
            connection_file=str(self.directory / "connection.json"),
        )
        socket = str(self.directory / "socket")
        if os.name == "posix" and len(socket) <= LONGEST_SOCKET_PATH:
            self.manager.transport = "ipc"
            self.manager.ip = socket
        self.log = open(self.directory / "log", "w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        # Hash order and the user's IPython profile must not change a report.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "IPYTHONDIR": str(self.directory / "ipython")}
        environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
        if data := data_directory.chosen():
            environment[data_directory.VARIABLE] = str(data)
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
        """The last line that the process wrote outside of cells: why it died, if it said so."""
        self.log.seek(0)
        lines = [line.strip() for line in self.log if line.strip()]
        return lines[-1] if lines else ""

    def close(self) -> None:
        try:
            if self.client is not None:
                self.client.stop_channels()
            if self.manager.has_kernel:
                self._sync(self.manager.shutdown_kernel)(now=True)
        finally:
            self.log.close()
            shutil.rmtree(self.directory, ignore_errors=True)

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
