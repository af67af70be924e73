"""The history as the making of reports uses it: what cannot be recorded is said, and no report fails or waits long for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from tokcost.report.memory.alerts import judged
from tokcost.report.memory.bridge import Bridge, bridge, last_comparable
from tokcost.report.memory.remember import table_contents
from tokcost.report.memory.rows import moved_rows
from tokcost.report.memory.store import AlertState, Entry, History, HistoryError, Result
from tokcost.report.request.alerts import Alert

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

    def since(self, entry: Entry) -> Since | None:
        """Why the headline moved since the last comparable run, where there is one."""
        return self._try(lambda: self._since(entry))

    def _since(self, entry: Entry) -> Since | None:
        earlier = self.history.runs(entry.report)
        last = last_comparable(earlier, entry)
        found = last and bridge(last, entry, earlier)
        if not found:
            return None
        now = table_contents(entry)
        return Since(found, moved_rows(found.changed_tables, lambda sha256: now.get(sha256) or self.history.content(sha256)))

    def by_report(self, last: int) -> dict[str, list[Entry]]:
        """The last runs of each report, the oldest first."""
        found: dict[str, list[Entry]] = {}
        for entry in self._try(lambda: self.history.runs(last=last)) or []:
            found.setdefault(entry.report, []).append(entry)
        return found

    def record(
        self, entry: Entry, alerts: Sequence[Alert] = (), show: Callable[[Result, float], str] = lambda result, value: f"{value:g}"
    ) -> tuple[AlertState, ...]:
        """Append a run with its alerts judged, or say why it is not in the history; `show` writes a value of a result."""
        states: list[AlertState] = []

        def complete(earlier: list[Entry]) -> Entry:
            last = last_comparable(earlier, entry)
            was_on = {state.alert: state.is_on for past in earlier for state in past.alerts if state.is_on is not None}
            states[:] = [judged(alert, entry, last, was_on.get(alert.text), show) for alert in alerts]
            return replace(entry, alerts=tuple(states))

        self._try(lambda: self.history.record(entry, table_contents(entry), complete))
        if self.fault:
            complete([])
            again = "; an alert that was on before is told again" if alerts else ""
            self.say(f"{entry.report} is made but not recorded: {self.fault}{again}")
        return tuple(states)

    def _try(self, action: Callable[[], T]) -> T | None:
        if self.fault:
            return None
        try:
            return action()
        except Exception as error:  # memory is no reason to lose a report
            self.fault = str(error) if isinstance(error, HistoryError) else f"{self.history.path}: {type(error).__name__}: {error}"
            return None
