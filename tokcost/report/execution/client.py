"""The side of a report at which the messages of its kernel arrive."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

#: how long an answer is waited for before it is asked for again
_ANSWER_S, _CONNECTION_S = 1.0, 0.2


class Client(AsyncKernelClient):
    """jupyter_client's own, which begins as soon as the kernel has answered."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As the original, which then listens for another 0.2 s: what is left over belongs to no cell, and is passed over."""
        end = time.monotonic() + (timeout or float("inf"))
        while not await self._answered():
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _answered(self) -> bool:
        self.kernel_info()
        try:
            reply: dict[str, Any] = await self.shell_channel.get_msg(timeout=_ANSWER_S)
            await self.iopub_channel.get_msg(timeout=_CONNECTION_S)  # of a channel that is not connected yet nothing comes
        except Empty:
            return False
        if reply["msg_type"] != "kernel_info_reply":
            return False
        self._handle_kernel_info_reply(reply)
        return True
