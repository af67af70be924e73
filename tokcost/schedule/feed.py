"""The Atom feed of a folder of reports: an entry for each answer that changed, failed or set off an alert.

The feed is its own memory: an entry is added where what a report says differs from the newest entry of that report. So the
folder can be published anywhere, and a feed that is brought back from there goes on.
"""

from __future__ import annotations

import os
import uuid
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from tokcost.report.errors import ReportError
from tokcost.report.execution.files import locked, write_all
from tokcost.report.page.index import FEED
from tokcost.report.request.reading import MOST_NOTEBOOK_BYTES, read_text
from tokcost.schedule.make import Outcome
from tokcost.schedule.summary import ALERT, sentences
from tokcost.show.text import visible

#: older entries fall out
MOST_ENTRIES = 100
_ATOM = "http://www.w3.org/2005/Atom"
_TITLE = "What inference really costs: changed answers"
ET.register_namespace("", _ATOM)


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def update(directory: Path, outcomes: list[Outcome]) -> int:
    """Add what is new in `outcomes` to the feed of `directory`, which is begun where there is none; how many entries came."""
    with locked(directory):
        feed = _read(directory / FEED)
        said = {}
        for entry in reversed(feed.findall(_tag("entry"))):
            said[entry.findtext(_tag("title"), "").partition(": ")[0]] = entry.findtext(_tag("summary"), "")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        new = [_entry(one, now) for one in outcomes if _is_new(one, said.get(one.name, ""))]
        if new or not (directory / FEED).is_file():
            kept = feed.findall(_tag("entry"))
            for entry in kept:
                feed.remove(entry)
            feed.extend([*new, *kept][:MOST_ENTRIES])
            updated = feed.find(_tag("updated"))
            assert updated is not None  # `_read` sees to it
            updated.text = now
            ET.indent(feed)
            text = '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(feed, encoding="unicode") + "\n"
            write_all(directory, {FEED: text})
    return len(new)


def _is_new(one: Outcome, last: str) -> bool:
    """Whether a report says something else than its newest entry; an alert is told once, and its absence is no news."""
    without_alerts = "\n".join(line for line in last.splitlines() if not line.startswith(ALERT))
    return _summary(one) not in (last, without_alerts)


def _summary(one: Outcome) -> str:
    return "\n".join(sentences(one, before=False))


def _entry(one: Outcome, now: str) -> ET.Element:
    entry = ET.Element(_tag("entry"))
    what = "failed" if one.failure else "alert" if one.alerts else "answer"
    ET.SubElement(entry, _tag("title")).text = f"{visible(one.name)}: {what}"
    ET.SubElement(entry, _tag("id")).text = uuid.uuid4().urn
    ET.SubElement(entry, _tag("updated")).text = now
    if one.page.is_file():
        ET.SubElement(entry, _tag("link"), href=quote(os.fsencode(one.page.name)))
    ET.SubElement(entry, _tag("summary")).text = _summary(one)
    return entry


def _read(path: Path) -> ET.Element:
    """The feed that lies there; a new one where there is none or it is damaged."""
    if path.is_file():
        try:
            feed = ET.fromstring(read_text(path, MOST_NOTEBOOK_BYTES))
            if feed.tag == _tag("feed") and feed.find(_tag("updated")) is not None:
                return feed
        except (ReportError, ET.ParseError):
            pass
        path.replace(path.with_name(f"{FEED}.damaged"))
    feed = ET.Element(_tag("feed"))
    ET.SubElement(feed, _tag("title")).text = _TITLE
    ET.SubElement(feed, _tag("id")).text = uuid.uuid4().urn
    ET.SubElement(feed, _tag("updated"))
    ET.SubElement(ET.SubElement(feed, _tag("author")), _tag("name")).text = "tokcost"
    ET.SubElement(feed, _tag("link"), href="index.html")
    return feed
