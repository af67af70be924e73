"""How Jupyter starts a kernel without waiting for imports: it is forked from a template process that has done them.

`jupyter_client` finds this provisioner by its entry point, so whatever runs the kernel `tokcost` (JupyterLab, papermill,
nbclient, nbval) gets a fresh process in a few hundredths of a second. With JUPYTER_DEFAULT_PROVISIONER_NAME=tokcost-warm it
starts the kernel `python3` too, as `tokcost lab` has it. Where that is not possible, or not yet, a kernel starts as any other
does, and the reason is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tokcost.report.execution.kernel_process import START
from tokcost.report.execution.template import PATIENCE_S, CannotFork, ForkedProcess, template_for

_RUN = "tokcost.report.execution.kernel_process:main"


#: what starts IPython's kernel, in the commands of kernel specifications
_OF_IPYTHON = (["-m", "ipykernel_launcher"], ["-m", "ipykernel"], ["-m", _RUN.partition(":")[0]], ["-c", START])
#: an option of Python that changes nothing of what a kernel computes
_OF_NO_MATTER = "-Xfrozen_modules=off"


def cannot_stand_for(command: list[str]) -> str:
    """Why a copy of a process of this interpreter is not what a kernel's command asks for; "" where it is."""
    if not _is_this_interpreter(command[0]):
        return f"the kernel specification asks for another interpreter, {command[0]}"
    started = [word for word in command[1:] if word != _OF_NO_MATTER]
    if started[:2] not in _OF_IPYTHON or "-f" not in started:
        return "the kernel specification asks for another kernel than that of IPython"
    return ""


def _is_this_interpreter(path: str) -> bool:
    """Also in the same environment: those of two virtual environments are links to one program."""
    same = [(os.path.realpath(program), os.path.realpath(os.path.dirname(program))) for program in (path, sys.executable)]
    return same[0] == same[1]


async def _to_read(connection: socket.socket) -> None:
    """Wait until there is something to read, and let the event loop do what else it has to: a server has many."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), PATIENCE_S)
    except TimeoutError:  # which is then said as that of the socket
        connection.settimeout(0)
    finally:
        loop.remove_reader(connection)


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel of this package as a copy of a process that has everything imported."""

    #: why the last kernel was started in the ordinary way; "" where it was forked
    cold_reason = ""
    #: whether a kernel waits for the imports of the template; the first of a program that does not starts as any other
    waits = False

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        environment = options.get("env") or dict(os.environ)
        try:
            if why := cannot_stand_for(cmd):
                raise CannotFork(why)
            template = template_for(environment)
            if not (self.waits or template.is_ready):
                raise CannotFork("what kernels need is being imported, for those that start after this one")
            streams = (_number(options.get("stdout"), 1), _number(options.get("stderr"), 2))
            arguments = ["tokcost-kernel", *cmd[cmd.index("-f") :]]
            asked = template.ask(_RUN, arguments, environment, os.path.abspath(options.get("cwd") or ""), streams)
            await _to_read(asked)
            self.process = template.given(asked)
        except CannotFork as reason:
            self.cold_reason = str(reason)
            self.log.info("This kernel starts in the ordinary way: %s", reason)
            return await super().launch_kernel(cmd, **options)
        self.cold_reason = ""
        self.pid = self.pgid = self.process.pid
        self.cwd = options.get("cwd", os.getcwd())
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """As the original, but it is gone then: a manager that sees it there looks again after 0.1 s."""
        await super().kill(restart)
        with contextlib.suppress(TimeoutError):  # which the manager is to say
            await asyncio.wait_for(self.wait(), PATIENCE_S)

    async def wait(self) -> int | None:
        """As the original, which looks once in 0.1 s; a report waits for this."""
        while isinstance(self.process, ForkedProcess) and self.process.poll() is None:
            await asyncio.sleep(0.002)
        return await super().wait()


def warm_by_default() -> None:
    """Let this process start kernels of IPython so, whatever kernel it is that a notebook names, where that can be."""
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    KernelProvisionerFactory.instance().default_provisioner_name = "tokcost-warm"


def _number(stream: Any, standard: int) -> int:
    """The descriptor that a child is to write to, as `subprocess` understands it."""
    return standard if stream is None else stream if isinstance(stream, int) else stream.fileno()
