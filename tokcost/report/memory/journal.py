"""The history as the making of reports uses it: what cannot be recorded is said, and no report fails or waits long for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tokcost.report.memory.bridge import Bridge, bridge, last_comparable
from tokcost.report.memory.remember import entry_of, table_contents
from tokcost.report.memory.rows import moved_rows
from tokcost.report.memory.store import Entry, History, HistoryError
from tokcost.report.request.reading import read_notebook

T = TypeVar("T")


@dataclass(frozen=True)
class Since:
    """What a report says of the run before: why its headline moved, and which data rows did, a sentence each."""

    bridge: Bridge
    rows: list[str]


class Journal:
    """The history of one invocation. After a first failure it is left alone: each report would wait for it again."""

    def __init__(self, path: Path, say: Callable[[str], None]):
        self.history, self.say = History(path, say), say
        self.fault = ""

    def entry(self, record: dict, notebook: Path) -> Entry | None:
        """A report that was just made, as the history keeps it."""
        return self._try(lambda: entry_of(record, read_notebook(notebook)))

    def since(self, entry: Entry | None) -> Since | None:
        """Why the headline moved since the last comparable run, where there is one."""
        return self._try(lambda: entry and self._since(entry))

    def _since(self, entry: Entry) -> Since | None:
        earlier = self.history.runs(entry.report)
        last = last_comparable(earlier, entry)
        found = last and bridge(last, entry, earlier)
        if not found:
            return None
        now = table_contents(entry)
        return Since(found, moved_rows(found.changed_tables, lambda sha256: now.get(sha256) or self.history.content(sha256)))

    def record(self, name: str, entry: Entry | None) -> None:
        """Append a run, or say why it is not in the history."""
        self._try(lambda: entry and self.history.record(entry, table_contents(entry)))
        if self.fault:
            self.say(f"{name} is made but not recorded: {self.fault}")

    def _try(self, action: Callable[[], T]) -> T | None:
        if self.fault:
            return None
        try:
            return action()
        except Exception as error:  # memory is no reason to lose a report
            self.fault = str(error) if isinstance(error, HistoryError) else f"{self.history.path}: {type(error).__name__}: {error}"
            return None
