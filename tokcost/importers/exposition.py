"""Prometheus: the text that `/metrics` answers with, and the JSON of its query_range API."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.fields import as_number, dig
from tokcost.importers.point import ImportProblem

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass
class Scrape:
    """Samples of one scrape: (name, labels, value), and when it was made (seconds since 1970, if known)."""

    path: Path
    samples: list[tuple[str, dict[str, str], float]]
    at_s: float | None

    def total(self, name: str, **labels: str) -> float | None:
        """Sum of a metric over all label sets that agree with `labels`; None if it is not there."""
        found = [value for n, ls, value in self.samples if n == name and all(ls.get(k) == v for k, v in labels.items())]
        return math.fsum(found) if found else None

    def label(self, name: str, label: str) -> str | None:
        """The first value of a label of a metric."""
        return next((ls[label] for n, ls, _ in self.samples if n == name and label in ls), None)


def read_scrape(path: Path) -> Scrape:
    """Parse the text of `/metrics`; its time comes from a file of the same name with suffix `.time`."""
    samples, line = [], "\n"
    for number, line in enumerate(documents.lines(path), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _SAMPLE.fullmatch(line.rstrip("\r\n"))
        value = as_number(found.group(3)) if found else None
        if found is None or value is None:
            raise ImportProblem(f"line {number} is no metric sample; the scrape is truncated or damaged, scrape again")
        samples.append((found.group(1), dict(_LABEL.findall(found.group(2) or "")), value))
    if samples and not line.endswith("\n"):
        raise ImportProblem("the scrape ends in the middle of a line; it is truncated, scrape again")
    if not samples:
        raise ImportProblem("the file holds no metric samples")
    return Scrape(path, samples, _time_of(path))


def _time_of(path: Path) -> float | None:
    name = path.with_suffix(".time")
    try:
        return as_number(documents.read_text(name, largest=100).strip()) if name.exists() else None
    except (OSError, ImportProblem):
        return None


def read_range(path: Path) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    """Series of a query_range answer: labels and (time in seconds, value); a NaN is no sample."""
    content = documents.read(path).content
    if dig(content, "status") == "error":
        raise ImportProblem(f"Prometheus answered with an error: {str(dig(content, 'error'))[:80]}")
    result = dig(content, "data", "result")
    if dig(content, "data", "resultType") != "matrix" or not isinstance(result, list):
        raise ImportProblem("this is no range of samples (resultType matrix); ask Prometheus with /api/v1/query_range")
    series = []
    for item in result:
        labels = dig(item, "metric")
        pairs = [(as_number(dig(p, 0)), as_number(dig(p, 1))) for p in dig(item, "values") or [] if isinstance(p, list)]
        values = [(t, v) for t, v in pairs if t is not None and v is not None and math.isfinite(v)]
        series.append((dict(labels) if isinstance(labels, Mapping) else {}, values))
    if not any(values for _, values in series):
        raise ImportProblem("the range holds no samples; check the query and its time range")
    return series
