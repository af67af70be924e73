"""What a scheduler says: one line with the time for each thing that happens, and never a secret."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from datetime import datetime

from tokcost.schedule.secrets import struck_out
from tokcost.show.text import visible


class Log:
    """Lines on stderr; `addresses` are those of the deliveries, for what in them is secret."""

    def __init__(self, addresses: Iterable[str] = ()):
        self.addresses = list(addresses)

    def say(self, sentence: str) -> None:
        now = datetime.now().astimezone().isoformat(" ", timespec="seconds")
        with contextlib.suppress(OSError):  # a log that is full is no reason to lose a report
            print(f"{now} {visible(struck_out(sentence, self.addresses))}", file=sys.stderr, flush=True)
