"""Power logs: watts and joules per GPU from nvidia-smi, DCGM exporter, Prometheus or AIPerf's telemetry.

All of them see the board alone, not the server around it. Clip a log to the benchmark's
time and keep the GPUs that served: idle neighbours in the log add watts and no tokens.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost.importers import documents
from tokcost.importers.collect import Imported, files_of
from tokcost.importers.exposition import Scrape, read_range, read_scrape
from tokcost.importers.fields import as_number, as_text, dig
from tokcost.importers.point import MS_PER_S, SEPARATOR, ImportProblem, Problem
from tokcost.importers.table import frame
from tokcost.quantities import W_PER_KW, QuantityError

#: a working or idle accelerator draws within these; outside, the log's unit is not what it says
LOWEST_W, HIGHEST_W = 5.0, 3000.0
#: a pause this many times the usual interval is a gap
GAP_FACTOR = 5.0
POWER, ENERGY = "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
TEXT = ("source_file", "gpu", "accelerator", "start", "end", "source_sha256", "notes")
COLUMNS = (
    "source_file",
    "gpu",
    "accelerator",
    "n_samples",
    "start",
    "end",
    "duration_s",
    "average_w",
    "highest_w",
    "energy_joule",
    "source_sha256",
    "notes",
)
_NS_PER_S = MS_PER_S**3


@dataclass
class _Log:
    """Samples of one GPU."""

    gpu: str
    accelerator: str | None = None
    samples: list[tuple[float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    energy_joule: float | None = None


def import_power(
    paths: Iterable[str | Path],
    *,
    start=None,
    end=None,
    gpus: Iterable[int | str] | None = None,
    timezone: str = "UTC",
    seconds: float | None = None,
) -> Imported:
    """Average power and energy per GPU, one row per GPU and file.

    `paths` are files, or directories whose power logs are found by their content. `start`, `end`
    clip to the benchmark's time (anything pandas.Timestamp reads, or seconds since 1970); `gpus`
    keeps these indices; `timezone` is that of nvidia-smi's local times. Two DCGM scrapes make one
    energy: their difference (`seconds` between them, if no `.time` files stand beside). Average
    power is weighted by time; the log's ends are not extrapolated.
    """
    window = tuple(None if t is None else _seconds(t, timezone) for t in (start, end))
    if None not in window and window[0] >= window[1]:
        raise QuantityError(f"`start` must be before `end`, got {start} and {end}")
    keep = None if gpus is None else {str(gpu) for gpu in gpus}
    found, rows, scrapes = Imported(frame([], COLUMNS, TEXT)), [], []
    for path in files_of("power", paths, found):
        try:
            logs = list(_logs(path, timezone, scrapes))
            rows += [_row(log, path, window) for log in logs if keep is None or log.gpu in keep]
        except ImportProblem as problem:
            found.problems.append(Problem(str(path), str(problem)))
    if seconds is not None and len(scrapes) == 2:
        scrapes[0].at_s, scrapes[1].at_s = 0.0, float(seconds)
    try:
        for log in _between(scrapes):
            if keep is None or log.gpu in keep:
                rows.append(_row(log, max(scrapes, key=lambda scrape: scrape.at_s).path, window))
    except ImportProblem as problem:
        found.problems.append(Problem(" and ".join(str(s.path) for s in scrapes), str(problem)))
    found.points = frame(rows, COLUMNS, TEXT)
    return found


def _logs(path: Path, timezone: str, scrapes: list[Scrape]) -> Iterator[_Log]:
    start = documents.head(path)
    if b'"telemetry_data"' in start.split(b"\n", 1)[0] and b'"gpu_index"' in start:
        yield from _telemetry(path)
    elif start.lstrip()[:1] == b"{":
        yield from _ranges(path)
    elif b"DCGM_FI_DEV_" in start:
        scrapes.append(read_scrape(path))
    else:
        yield from _nvidia_smi(documents.read_text(path), timezone)


def _nvidia_smi(text: str, timezone: str) -> Iterator[_Log]:
    rows = list(csv.reader(io.StringIO(text), skipinitialspace=True))
    header = rows[0] if rows else []
    column = next((i for i, name in enumerate(header) if name.startswith("power.draw")), None)
    if column is None or "timestamp" not in header:
        raise ImportProblem(
            "the power log has no header with timestamp and power.draw; log again without `noheader`, which hides the units"
        )
    if "[W]" not in header[column]:
        raise ImportProblem(f"power is in {header[column]!r}, nvidia-smi writes power.draw [W]; the header was edited, log again")
    when, index = header.index("timestamp"), header.index("index") if "index" in header else None
    name = header.index("name") if "name" in header else None
    logs: dict[str, _Log] = {}
    missing, damaged = 0, 0
    for cells in rows[1:]:
        if cells == header or not cells:
            continue
        if len(cells) != len(header):
            damaged += 1
            continue
        watts = as_number(cells[column].removesuffix("W").strip())
        if watts is None:
            missing += 1
            continue
        gpu = cells[index] if index is not None else "0"
        log = logs.setdefault(gpu, _Log(gpu, cells[name] if name is not None else None))
        log.samples.append((_seconds(cells[when], timezone), watts))
    for log in logs.values():
        if missing:
            log.notes.append(f"{missing} samples of the log say [N/A] and are left out")
        if damaged:
            log.notes.append(f"{damaged} lines of the log are cut off and are left out")
        yield log


def _telemetry(path: Path) -> Iterator[_Log]:
    """AIPerf's telemetry; a GPU that two endpoints report is one GPU."""
    logs: dict[str, _Log] = {}
    sources: dict[str, str] = {}
    with documents.open_bytes(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
            except ValueError:
                raise ImportProblem(f"line {number} is no telemetry record; the file is truncated, copy it again") from None
            data = dig(record, "telemetry_data") or {}
            watts = next((as_number(v) for k, v in data.items() if k.endswith("power_usage")), None)
            when, uuid = as_number(dig(record, "timestamp_ns")), str(dig(record, "gpu_uuid"))
            source = str(dig(record, "telemetry_source_url") or dig(record, "dcgm_url"))
            if watts is None or when is None or sources.setdefault(uuid, source) != source:
                continue
            log = logs.setdefault(uuid, _Log(str(dig(record, "gpu_index")), as_text(dig(record, "gpu_model_name"))))
            log.samples.append((when / _NS_PER_S, watts))
    yield from logs.values()


def _ranges(path: Path) -> Iterator[_Log]:
    for labels, values in read_range(path):
        if labels.get("__name__") not in (POWER, None):
            raise ImportProblem(f"the range is of {labels.get('__name__')!r}; ask Prometheus for {POWER}")
        yield _Log(str(labels.get("gpu", "0")), labels.get("modelName"), values)


def _between(scrapes: list[Scrape]) -> Iterator[_Log]:
    """Energy per GPU between the first and the last scrape, from the counter in millijoules."""
    if not scrapes:
        return
    if len(scrapes) != 2 or None in (scrapes[0].at_s, scrapes[1].at_s):
        raise ImportProblem(
            "one scrape of DCGM is a moment, not an average; give two, each with a .time file (seconds since 1970) of the same name, "
            "or a Prometheus range; or give the seconds between them"
        )
    before, after = sorted(scrapes, key=lambda scrape: scrape.at_s)
    for name, labels, value in after.samples:
        if name != ENERGY:
            continue
        start = before.total(ENERGY, UUID=labels.get("UUID", ""))
        if start is None or value < start:
            raise ImportProblem(
                "the energy counter of a GPU is missing or fell between the scrapes: it was reset or they are not in order; "
                "give two scrapes of one run, before and after"
            )
        seconds, joules = after.at_s - before.at_s, (value - start) / MS_PER_S
        log = _Log(labels.get("gpu", "0"), labels.get("modelName"), energy_joule=joules)
        log.samples = [(before.at_s, joules / seconds), (after.at_s, joules / seconds)]
        log.notes.append("average from the energy counter; the highest power is not known")
        yield log


def _row(log: _Log, path: Path, window: tuple[float | None, float | None]) -> dict:
    known = [sample for sample in log.samples if all(map(math.isfinite, sample))]
    if len(known) < len(log.samples):
        log.notes.append(f"{len(log.samples) - len(known)} samples are no numbers and are left out")
    samples = sorted(s for s in known if (window[0] is None or s[0] >= window[0]) and (window[1] is None or s[0] <= window[1]))
    if len(samples) < 2:
        raise ImportProblem(
            f"GPU {log.gpu} has {len(samples)} samples in the time asked for; the log and the benchmark do not overlap, check the timezone"
        )
    times, watts = np.array(samples).T
    seconds = float(times[-1] - times[0])
    if seconds <= 0:
        raise ImportProblem(f"all samples of GPU {log.gpu} have the same time, so that they cover none")
    joules = float(np.trapezoid(watts, times))
    average_w = joules / seconds
    if not LOWEST_W <= average_w <= HIGHEST_W:
        raise ImportProblem(
            f"GPU {log.gpu} draws {average_w:.4g} W on average, outside [{LOWEST_W:g}, {HIGHEST_W:g}] W of any accelerator; "
            f"the log's unit is wrong by a factor such as {W_PER_KW:g}"
        )
    pauses = np.diff(times)
    usual_s = float(np.median(pauses))
    if len(pauses) > 1 and usual_s > 0 and pauses.max() > GAP_FACTOR * usual_s:
        log.notes.append(
            f"the log has a gap of {pauses.max():.3g} s (usual interval {usual_s:.3g} s); power in it is taken as a straight line"
        )
    start, end = (pd.Timestamp(t, unit="s", tz="UTC").isoformat() if times[0] else None for t in (times[0], times[-1]))
    return {
        "source_file": str(path), "gpu": log.gpu, "accelerator": log.accelerator, "n_samples": len(samples), "start": start, "end": end,
        "duration_s": seconds, "average_w": average_w, "highest_w": math.nan if log.energy_joule is not None else float(watts.max()),
        "energy_joule": joules, "source_sha256": documents.sha256(path), "notes": SEPARATOR.join(log.notes) or None,
    }  # fmt: skip


def _seconds(when, timezone: str) -> float:
    """A time as seconds since 1970; a time without zone is local to `timezone`."""
    if isinstance(when, (int, float)):
        return float(when)
    try:
        stamp = pd.Timestamp(when)
        stamp = stamp.tz_localize(timezone) if stamp.tzinfo is None else stamp
    except (ValueError, TypeError, KeyError) as error:
        raise ImportProblem(f"{str(when)[:40]!r} is no time that can be read ({type(error).__name__})") from None
    return stamp.timestamp()
