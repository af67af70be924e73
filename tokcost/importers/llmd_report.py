"""llm-d's benchmark report, 0.1 and 0.2, in YAML or JSON: the common form of several load generators.

Every number carries its unit. The time of a run includes its start and stop, so that the duration here is requests /
request rate where the report has both. Failed requests are not counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, as_number, as_text, dig, note_if_newer, seconds_per
from tokcost.importers.point import S_PER_MINUTE, STATISTICS, ImportProblem, Point, all_known
from tokcost.quantities import SECONDS_PER_HOUR

NEWEST = "0.2"
_LATENCIES = {"ttft": "time_to_first_token", "tpot": "time_per_output_token", "e2e": "request_latency"}
_STATISTICS = {"mean": "mean", "median": "p50", **{s: s for s in STATISTICS if s.startswith("p")}}
#: of a day, an hour, a minute, a second
_SECONDS = (86400.0, SECONDS_PER_HOUR, S_PER_MINUTE, 1.0)
_ISO_TIME = re.compile(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")


def matches(content: Mapping) -> bool:
    """Is this a benchmark report of llm-d?"""
    return "version" in content and isinstance(dig(_aggregate(content), "requests"), Mapping) and "throughput" in _aggregate(content)


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a report."""
    point = Point("llm-d", tool_version=as_text(content.get("version")))
    note_if_newer(point, "benchmark report", point.tool_version, NEWEST)
    aggregate = _aggregate(content)
    fields = Fields(aggregate, point)
    total = fields.required("requests", "total", why="it is not known how many requests there were")
    point.n_failed = fields.number("requests", "failures") or 0.0
    point.n_requests = total - point.n_failed
    requests_per_s = fields.number("throughput", "request_rate", "mean") or fields.number("throughput", "requests_per_sec")
    point.duration_s = point.n_requests / requests_per_s if requests_per_s and point.n_requests else _duration(content)
    cut = fields.number("requests", "incomplete")
    if cut:
        point.note(f"{cut:g} requests were cut off at the end and are not counted; the report does not say with how many tokens")
    for name in ("input", "output"):
        mean = fields.number("requests", f"{name}_length", "mean")
        setattr(point, f"{name}_tok", None if mean is None else round(mean * point.n_requests, 6))
    point.recorded_output_tok_per_s = fields.number("throughput", "output_token_rate", "mean") or fields.number(
        "throughput", "output_tokens_per_sec"
    )
    for name, key in _LATENCIES.items():
        unit = dig(aggregate, "latency", key, "units")
        scale = seconds_per(str(unit).split("/")[0], key) if unit is not None else 1.0
        for statistic, theirs in _STATISTICS.items():
            fields.latency(f"{statistic}_{name}_s", "latency", key, theirs, scale=scale)
    gap_s = fields.number("latency", "inter_token_latency", "mean")
    point.chunk_gap_s = (
        gap_s * seconds_per(str(dig(aggregate, "latency", "inter_token_latency", "units")).split("/")[0], "itl") if gap_s else None
    )
    _scenario(point, content)
    point.note("the report does not say whether the server or the client counted the tokens")
    fields.finish()
    yield point


def _aggregate(content) -> Mapping:
    """The numbers of the whole run: where 0.2 or where 0.1 has them."""
    found = dig(content, "results", "request_performance", "aggregate") or content.get("metrics")
    return found if isinstance(found, Mapping) else {}


def _duration(content) -> float:
    stated = dig(content, "run", "time", "duration") or dig(content, "metrics", "time", "duration")
    parts = _ISO_TIME.fullmatch(str(stated))
    if parts and any(parts.groups()):
        return math.fsum(float(part or 0) * unit for part, unit in zip(parts.groups(), _SECONDS, strict=True))
    seconds = as_number(stated)
    if seconds is None:
        raise ImportProblem("the report has neither a request rate nor a duration, so that there is no throughput")
    return seconds


def _scenario(point: Point, content) -> None:
    """Model and accelerators, where the report describes the stack."""
    stack = [part for part in dig(content, "scenario", "stack") or [] if dig(part, "standardized", "kind") == "inference_engine"]
    parts = [dig(part, "standardized") for part in stack]
    point.model = next(filter(None, (as_text(dig(part, "model", "name")) for part in parts)), None) or as_text(
        dig(content, "scenario", "model", "name")
    )
    point.framework = next(filter(None, (as_text(dig(part, "tool")) for part in parts)), None)
    devices = [dig(part, "accelerator") for part in parts] or dig(content, "scenario", "host", "accelerator") or []
    names = list(dict.fromkeys(filter(None, (as_text(dig(device, "model")) for device in devices))))
    point.accelerator = ", ".join(names) or None
    replicas = [as_number(dig(part, "replicas")) or 1.0 for part in parts] or [1.0] * len(devices)
    counts = all_known(*(as_number(dig(device, "count")) for device in devices))
    if counts:
        point.n_gpus = math.fsum(count * n for count, n in zip(counts, replicas, strict=True))
    concurrency = as_number(dig(content, "scenario", "load", "standardized", "concurrency"))
    point.concurrency = concurrency if concurrency else None
