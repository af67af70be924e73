"""Read numbers from one parsed object and remember what was odd about them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tokcost.importers.point import MS_PER_S, S_PER_MINUTE, STATISTICS, ImportProblem, Point

#: beyond any count of tokens or requests, any time in seconds, any cost
LARGEST = 1e18
#: unit as files spell it -> seconds
SECONDS = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "ms": 1 / MS_PER_S, "millisecond": 1 / MS_PER_S, "milliseconds": 1 / MS_PER_S,
    "us": 1 / MS_PER_S**2, "ns": 1 / MS_PER_S**3,
    "min": S_PER_MINUTE, "minute": S_PER_MINUTE,
}  # fmt: skip


def as_number(value: Any) -> float | None:
    """`value` as a float, or None if it is not a number at all.

    >>> as_number("24"), as_number(True), as_number("fast")
    (24.0, None, None)
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def as_finite(value: Any) -> float | None:
    """`value` as a finite float of a size that a cost, a time or a count can have, or None.

    >>> as_finite("24"), as_finite("inf"), as_finite(1e300)
    (24.0, None, None)
    """
    number = as_number(value)
    return number if number is not None and abs(number) < LARGEST else None


def as_text(value: Any) -> str | None:
    """`value` as a non-empty string, or None. Half a character, which no file could hold, is written out.

    >>> as_text(" x "), as_text(None), as_text(""), as_text(chr(0xD800))
    ('x', None, None, '\\\\ud800')
    """
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    return text.encode("utf-8", "backslashreplace").decode("utf-8") or None


def dig(content: Any, *keys: str | int) -> Any:
    """The value at a path of keys and indices, or None where the path ends early.

    >>> dig({"a": [{"b": 1}]}, "a", 0, "b"), dig({"a": None}, "a", "b")
    (1, None)
    """
    for key in keys:
        if isinstance(key, int):
            content = content[key] if isinstance(content, (list, tuple)) and len(content) > key else None
        else:
            content = content.get(key) if isinstance(content, Mapping) else None
    return content


class Fields:
    """Numbers of one object by key. What is odd about them ends up in the notes of `point`."""

    def __init__(self, content: Mapping, point: Point):
        if not isinstance(content, Mapping):
            raise ImportProblem(f"a {point.tool} result must be an object, this is {type(content).__name__}")
        self.content = content
        self.point = point
        self._infinite: list[str] = []
        self._text: list[str] = []

    def number(self, *path: str | int, negative: bool = False) -> float | None:
        """The finite number at `path`, or None where the file does not say it."""
        value, name = dig(self.content, *path), ".".join(map(str, path))
        number = as_number(value)
        if number is None:
            if value is not None and not isinstance(value, (Mapping, list)):
                self.point.note(f"`{name}` is {str(value)[:40]!r}, not a number, and is left empty")
            return None
        if isinstance(value, str):
            self._text.append(name)
        if not math.isfinite(number):
            self._infinite.append(name)
            return None
        if number < 0 and not negative:
            raise ImportProblem(f"`{name}` is {number:g}, which cannot be negative; the file is damaged or was edited")
        return number

    def required(self, *path: str | int, why: str) -> float:
        """The number at `path`; without it the file is no operating point."""
        number = self.number(*path)
        if number is None:
            name, value = ".".join(map(str, path)), dig(self.content, *path)
            state = "has no" if value is None else f"has {str(value)[:40]!r} for"
            raise ImportProblem(f"the file {state} `{name}`, without which {why}")
        return number

    def text(self, *path: str | int) -> str | None:
        return as_text(dig(self.content, *path))

    def latency(self, name: str, *path: str | int, scale: float = 1.0) -> None:
        """Keep a latency under its column name. A zero means that nothing was measured."""
        seconds = self.number(*path)
        if seconds:
            self.point.latency_s[name] = seconds * scale

    def finish(self) -> None:
        """Say what was odd: not-finite numbers and numbers written as text."""
        if self._infinite:
            self.point.note(f"not finite and therefore left empty: {', '.join(f'`{n}`' for n in dict.fromkeys(self._infinite))}")
        if self._text:
            self.point.note(f"{len(set(self._text))} numbers are written as text and were read as numbers")


def seconds_per(unit: Any, name: str) -> float:
    """Seconds in one of the file's own units; an unknown unit is an error, never a guess.

    >>> seconds_per("ms", "ttft")
    0.001
    """
    try:
        return SECONDS[str(unit).strip().lower()]
    except KeyError:
        raise ImportProblem(f"`{name}` is in {unit!r}, which is no unit of time that is known; allowed: {', '.join(SECONDS)}") from None


def statistics(name: str, seconds: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Mean, median and high percentiles of a latency, under their columns' names.

    >>> statistics("ttft", [1.0, 3.0])["mean_ttft_s"], statistics("ttft", [])
    (2.0, {})
    """
    if not len(seconds):
        return {}
    ranks = {"median": 50.0, **{s: float(s[1:]) for s in STATISTICS if s.startswith("p")}}
    values = {"mean": float(np.mean(seconds)), **{s: float(np.percentile(seconds, rank)) for s, rank in ranks.items()}}
    return {f"{statistic}_{name}_s": value for statistic, value in values.items() if value > 0}


def version_tuple(text: Any) -> tuple[int, ...]:
    """The leading numbers of a version, for comparing.

    >>> version_tuple("0.6.0.post1") < version_tuple("0.13")
    True
    """
    parts = []
    for part in str(text).lstrip("v").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts)


def note_if_newer(point: Point, what: str, found: Any, known: str) -> None:
    """Say that a file comes from a newer version than the ones this reader was checked with."""
    if found is not None and version_tuple(found)[: len(version_tuple(known))] > version_tuple(known):
        point.note(f"{what} {found} is newer than {known}, the newest that was checked; its fields were understood")
