"""What a delivery says: the answers in a few lines, as plain text, as HTML for a mail, and as JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape, unescape

from tokcost.report.page.markdown import Prose
from tokcost.report.page.sanitize import text_of
from tokcost.schedule.make import Outcome
from tokcost.schedule.task import Task
from tokcost.show.text import visible

#: as many reports have lines of their own; the others are counted
MOST_SHOWN = 50
#: how a line with an alert begins
ALERT = "ALERT."


@dataclass(frozen=True)
class Summary:
    """The outcomes of a task; `troubles` are sentences about what could not be made or sent beside them."""

    task: Task
    outcomes: list[Outcome]
    troubles: list[str]

    @cached_property
    def status(self) -> str:
        """One word: failed, alert, changed or unchanged."""
        if any(outcome.failure for outcome in self.outcomes):
            return "failed"
        if any(outcome.alerts for outcome in self.outcomes):
            return "alert"
        return "changed" if any(outcome.changed for outcome in self.outcomes) else "unchanged"

    @property
    def title(self) -> str:
        first = next((one.result["question"] for one in self.outcomes if one.result), "")
        return _text(self.task.title or first) or self.task.path.stem

    @property
    def subject(self) -> str:
        before = {"failed": "Failed: ", "alert": "Alert: "}.get(self.status, "")
        return f"{before}{self.title}"

    def text(self) -> str:
        """The whole in plain text."""
        lines = [self.title, "=" * min(len(self.title), 78), ""]
        for one in self._shown:
            lines += [f"{one.name}:"] if len(self.outcomes) > 1 else []
            lines += [f"  {line}" for line in sentences(one)] + [""]
        return "\n".join([*lines, *self._ends()]).rstrip() + "\n"

    def html(self, pictures: dict[str, tuple[str, str]]) -> str:
        """The whole for a mail; `pictures`: report name -> (content id, alt text)."""
        parts = [f"<h1 style='font-size:1.3em'>{escape(self.title)}</h1>"]
        for one in self._shown:
            heading = f"<h2 style='font-size:1.1em'>{escape(one.name)}</h2>" if len(self.outcomes) > 1 else ""
            lines = sentences(one)
            body = "".join(f"<p>{escape(line)}</p>" for line in lines)
            if one.name in pictures:
                identity, alt = pictures[one.name]
                body += f'<p><img src="cid:{identity}" alt="{escape(alt)}" style="max-width:100%"></p>'
            parts.append(heading + body)
        parts += [f"<p>{escape(line)}</p>" for line in self._ends()]
        return f'<!doctype html><html lang="en"><body style="font-family:sans-serif">{"".join(parts)}</body></html>'

    def payload(self) -> dict:
        """The whole for programs; `text` is what chat systems show."""
        reports = [
            {
                "name": one.name,
                "failure": one.failure or None,
                "changed": one.changed,
                "alerts": one.alerts,
                "answer": _text(one.answer) or None,
                "results": one.result["results"] if one.result else [],
            }
            for one in self.outcomes
        ]
        return {"text": self.text(), "title": self.title, "status": self.status, "reports": reports, "troubles": self.troubles}

    @property
    def _shown(self) -> list[Outcome]:
        """Those that failed first: they are what a reader must not miss."""
        return sorted(self.outcomes, key=lambda one: not one.failure)[:MOST_SHOWN]

    def _ends(self) -> list[str]:
        more = len(self.outcomes) - MOST_SHOWN
        return ([f"And {more} more reports."] if more > 0 else []) + [visible(trouble) for trouble in self.troubles]


def sentences(one: Outcome, *, before: bool = True) -> list[str]:
    """What a report says, line by line: why it failed, or alerts, answer and interval, and the answer of the time `before`."""
    if one.failure:
        kept = "The report of the time before is as it was." if one.page.is_file() else ""
        return [line for line in (f"FAILED. {visible(one.failure)}", kept) if line]
    interval = ((one.result or {}).get("answer") or {}).get("interval") or ""
    earlier = f"Before: {_text(one.before)}" if before and one.changed and one.before else ""
    lines = [*(f"{ALERT} {visible(alert)}" for alert in one.alerts), _text(one.answer), _text(interval), earlier]
    return [line for line in lines if line] or ["It was made."]


def _text(markdown: str) -> str:
    """A sentence of a report without its markup."""
    return visible(unescape(text_of(Prose().line(markdown)))) if markdown else ""
