"""How Jupyter starts a kernel without waiting for imports: it is forked from a template process that has done them.

`jupyter_client` finds this provisioner by its entry point, so whatever runs the kernel `tokcost` (JupyterLab, papermill,
nbclient, nbval) gets a fresh process in a few hundredths of a second. Where that is not possible the kernel starts as any
other does, and the reason is logged.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tokcost.report.execution.template import CannotFork, ForkedProcess, template_for

_RUN = "tokcost.report.execution.kernel_process:main"


def cannot_stand_for(command: list[str]) -> str:
    """Why a copy of a process of this interpreter is not what a kernel's command asks for; "" where it is."""
    if os.path.realpath(command[0]) == os.path.realpath(sys.executable):
        return ""
    return f"the kernel specification asks for another interpreter, {command[0]}"


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel of this package as a copy of a process that has everything imported."""

    #: why the last kernel was started in the ordinary way; "" where it was forked
    cold_reason = ""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        environment = options.get("env") or dict(os.environ)
        try:
            if why := cannot_stand_for(cmd):
                raise CannotFork(why)
            template = template_for(environment)
            streams = (_number(options.get("stdout"), 1), _number(options.get("stderr"), 2))
            arguments = ["tokcost-kernel", *cmd[cmd.index("-f") :]]
            self.process = template.fork(_RUN, arguments, environment, str(options.get("cwd") or os.getcwd()), streams)
        except CannotFork as reason:
            self.cold_reason = str(reason)
            self.log.info("This kernel starts in the ordinary way: %s", reason)
            return await super().launch_kernel(cmd, **options)
        self.cold_reason = ""
        self.pid = self.pgid = self.process.pid
        self.cwd = options.get("cwd", os.getcwd())
        return self.connection_info

    async def wait(self) -> int | None:
        """As the original, which looks once in 0.1 s; a report waits for this."""
        while isinstance(self.process, ForkedProcess) and self.process.poll() is None:
            await asyncio.sleep(0.002)
        return await super().wait()


def _number(stream: Any, standard: int) -> int:
    """The descriptor that a child is to write to, as `subprocess` understands it."""
    return standard if stream is None else stream if isinstance(stream, int) else stream.fileno()
