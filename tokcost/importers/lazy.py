"""Large JSON: decoded key by key when asked for, so that what a point does not need never becomes Python objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tokcost.importers.point import ImportProblem

#: parts of one file, beyond any result
MOST_PARTS = 200_000
#: keys and brackets of one file; more than these, and more than one in so many bytes, is no result
MOST_MARKS, BYTES_PER_MARK = 500_000, 16
_PIECE_BYTES = 2**22


class LazyObject(Mapping):
    """A JSON object over a buffer. Only what is asked for becomes Python objects."""

    def __init__(self, raw: bytes | memoryview):
        self._values = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])

    def __getitem__(self, key):
        value = unpacked(self._values[key])
        if value is _DAMAGED:
            raise ImportProblem(f"the value of `{key[:40]}` is not valid JSON; copy the file again")
        return value

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)


def check_marks(raw: bytes | memoryview) -> None:
    """Refuse a text that is almost nothing but keys and brackets: decoding it would take many times its size."""
    marks = 0
    for start in range(0, len(raw), _PIECE_BYTES):
        piece = bytes(raw[start : start + _PIECE_BYTES])
        marks += piece.count(b'":') + piece.count(b"{") + piece.count(b"[")
    if marks > MOST_MARKS and marks * BYTES_PER_MARK > len(raw):
        raise ImportProblem("the JSON comes to more values than any result; it was not read")


_DAMAGED = object()


def unpacked(raw: bytes | memoryview) -> Any:
    """The value of a JSON text, its objects not yet decoded; a mark of its own where the text is no JSON."""
    view = memoryview(raw)
    first = bytes(view[:4096]).lstrip()[:1]
    try:
        if first == b"{":
            return LazyObject(raw)
        if first == b"[":
            items = msgspec.json.decode(raw, type=list[msgspec.Raw])
            is_of_objects = bool(items) and bytes(memoryview(items[0])[:1]) in (b"{", b"[")
            if is_of_objects and len(items) > MOST_PARTS:
                raise ImportProblem(f"a list of the file has {len(items)} parts, more than any result; it was not read")
            return [unpacked(item) for item in items] if is_of_objects else msgspec.json.decode(raw)
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _DAMAGED


def each_line(raw: bytes | memoryview) -> tuple[list, str | None]:
    """The documents of a file with one a line, and a sentence about the first line that is none."""
    found = []
    for number, place in enumerate(re.finditer(rb"[^\r\n]*\S[^\r\n]*", raw), start=1):
        content = unpacked(memoryview(raw)[place.start() : place.end()])
        if not isinstance(content, (LazyObject, list)):
            return found, f"the JSON document number {number} is truncated or no valid JSON; copy the file again or run the benchmark again"
        found.append(content)
        if len(found) > MOST_PARTS:
            return [], f"the file has more than {MOST_PARTS} lines, more than any result; it was not read"
    return found, None
