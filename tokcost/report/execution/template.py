"""Asking a template process for a fresh process: it is started when first asked, and gone when this program is."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tokcost.report.execution.private import LONGEST_SOCKET_PATH, private_directory

#: a file beside a notebook is the notebook's to import, but must not stand in for what the template itself is made of
_START = "import sys; del sys.path[0]; from tokcost.report.execution.template_process import main; main()"
#: variables that are read when a process starts or imports, and never again: a template serves those that agree on them
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "MPL", "OMP_", "OPENBLAS_", "MKL_", "JE_", "HOME", "XDG_")
#: what a template needs besides; nothing else of whoever asks first may be seen by those who ask later
_NEEDED = ("PATH", "TMP", "TEMP", "TOKCOST_")
#: what a template puts beside its socket when its imports are done
READY = ".ready"
#: a template that is not done with its imports by then never will be
PATIENCE_S = 60.0
#: without these a library that is imported starts threads, and a process with threads cannot be copied
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
#: arrays of up to 32 MB, and 64 MB of what is free, stay with the process: the next array does not ask for, and clear, new memory
KEEPS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}
#: where a process is copied safely; elsewhere system libraries start threads, or there is no fork
SYSTEM = sys.platform
_INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
#: what a template has imported, and called, before it answers: the debugger, which every kernel of IPython loads, as well
IMPORTED = (
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "tokcost.report.execution.kernel_process",
    "tokcost.namespace:import_all",
)
#: what it does after that whenever nobody waits for an answer: a report alone begins sooner, and reads by itself what it needs
WHEN_IDLE = ("tokcost.evidence.catalog:read_ahead", "seaborn", "tokcost.doubt.sampling:read_ahead")
#: stands between the two
THEN = "then"


class CannotFork(RuntimeError):
    """Why a process has to be started in the ordinary way."""


class ForkedProcess:
    """A process that a template forked, with as much of `subprocess.Popen` as a kernel provisioner asks of it."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int):
        self._connection, self.pid = connection, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._heard(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._heard(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return status

    def _heard(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                said = _said(self._connection)
            except (BlockingIOError, TimeoutError):
                return None
            except OSError:
                said = {}
            # A template that ends takes its children along.
            self.returncode = said.get("status", -signal.SIGKILL)
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Template:
    """Where a template process listens."""

    def __init__(self, path: str):
        self.path, self.package = path, package_stamp()

    @property
    def is_ready(self) -> bool:
        """Whether its imports are done: whoever asks before that waits for them."""
        return os.path.exists(self.path + READY)

    def fork(self, run: str, arguments: list[str], environment: dict[str, str], directory: str, streams: tuple[int, int]) -> ForkedProcess:
        """A process that calls the function `run` (module:function); raises `CannotFork` where the template cannot give one."""
        return self.given(self.ask(run, arguments, environment, directory, streams))

    def ask(self, run: str, arguments: list[str], environment: dict[str, str], directory: str, streams: tuple[int, int]) -> socket.socket:
        """Ask for a process, without waiting: there is something to read when it is `given`."""
        request = {"run": run, "arguments": arguments, "environment": environment, "directory": directory}
        text = json.dumps(request).encode()
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        try:
            connection.connect(self.path)
            socket.send_fds(connection, [b"%08d" % len(text)], list(streams))
            connection.sendall(text)
        except OSError as error:
            connection.close()
            raise _no_answer(error) from None
        return connection

    def given(self, connection: socket.socket) -> ForkedProcess:
        """The process that was asked for through `connection`."""
        try:
            said: dict[str, Any] = _said(connection)
        except OSError as error:
            connection.close()
            raise _no_answer(error) from None
        if "pid" not in said:
            connection.close()
            raise CannotFork(str(said.get("refused", "the template process ended before it answered")))
        return ForkedProcess(connection, said["pid"])


def _no_answer(error: OSError) -> CannotFork:
    return CannotFork(f"the template process does not answer: {error.strerror or error}")


#: the templates of this program, by what they had at the start
registered: dict[frozenset, Template] = {}


def template_for(environment: dict[str, str], *more: str) -> Template:
    """The template for processes with this environment; raises `CannotFork` where there can be none.

    If there is none yet it is begun, with IMPORTED and `more` (modules, or module:function) done, and WHEN_IDLE afterwards.
    """
    start = start_of(environment)
    if start not in registered:
        registered[start] = begun(environment, *IMPORTED, *more, THEN, *WHEN_IDLE)
    if registered[start].package != package_stamp():
        raise CannotFork("files of tokcost have changed since they were imported; start this program anew for fast kernels")
    return registered[start]


def start_of(environment: dict[str, str]) -> frozenset:
    """What must agree between a template and the process that it is to become."""
    return frozenset(_of(environment, _READ_AT_START).items())


def package_stamp() -> tuple[int, int]:
    """What changes when a file of this package does."""
    walk = os.walk(Path(__file__).parents[2])  # faster than a glob; each kernel asks
    times = [os.stat(os.path.join(folder, name)).st_mtime_ns for folder, _, names in walk for name in names if name.endswith(".py")]
    return len(times), max(times)


def _of(environment: dict[str, str], beginnings: tuple[str, ...]) -> dict[str, str]:
    settled = {**ONE_THREAD, **_INLINE, **environment}
    return {name: value for name, value in settled.items() if name.startswith(beginnings)}


def begun(environment: dict[str, str], *imported: str) -> Template:
    """A template process of this program, with these modules imported and functions (module:function) called; later those after THEN."""
    if SYSTEM != "linux":
        raise CannotFork("a process with imported libraries is copied on Linux only")
    directory, held = private_directory()
    path = str(directory / "template")
    template = Template(path)  # before the imports: a file that changes meanwhile is told
    if len(path) > LONGEST_SOCKET_PATH:
        shutil.rmtree(directory)
        raise CannotFork("the path of the folder for temporary files is too long for a socket")
    with socket.socket(socket.AF_UNIX) as listener, open(directory / "log", "wb") as log:
        listener.bind(path)  # whoever connects before the imports are done waits
        listener.listen(128)
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(listener.fileno()), *imported],
            env=_of(environment, (*_READ_AT_START, *_NEEDED)) | KEEPS_MEMORY,
            pass_fds=[listener.fileno()],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    owner = os.getpid()

    def end() -> None:
        if os.getpid() != owner:  # of a process that was forked from it
            return
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)
        if held is not None:
            os.close(held)

    atexit.register(end)
    return template


def _said(connection: socket.socket) -> dict[str, Any]:
    """The next line of JSON; empty where nothing more will come."""
    line = b""
    while not line.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            return {}
        line += part
    return json.loads(line)
