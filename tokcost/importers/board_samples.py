"""The samples of each board in a power log, whichever tool wrote it.

Read are nvidia-smi (`--query-gpu ... --format=csv`, and `dmon`), amd-smi (CSV and JSON), DCGM exporter (two scrapes, or a
Prometheus range) and AIPerf's telemetry. A board is known by its UUID or bus id, else by its host and index: what
several pods, MIG instances, time slices or endpoints report of one board is one board.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost.importers import documents
from tokcost.importers.exposition import Scrape, read_range, read_scrape
from tokcost.importers.fields import as_number, as_text, dig
from tokcost.importers.point import MS_PER_S, ImportProblem

POWER, ENERGY = "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
NS_PER_S = MS_PER_S**3
#: seconds since 1970 beyond these digits are milliseconds
_MS_SINCE_1970 = 1e11
_S_PER_DAY = 86400.0
#: AIPerf's names of a board's watts, by version and vendor
_TELEMETRY = ("nvidia_power_usage", "amd_power", "gpu_power_usage")
#: columns of a log -> what they tell
_COLUMNS = {
    "when": ("timestamp",),
    "index": ("index", "gpu"),
    "uuid": ("uuid", "gpu_uuid", "pci.bus_id", "gpu_bus_id", "serial", "gpu_serial", "bdf"),
    "name": ("name", "gpu_name"),
    "host": ("hostname", "host", "node"),
}
_AMD_POWER = ("socket_power", "average_socket_power", "current_socket_power", "power_usage")


@dataclass
class Board:
    """Samples (time in seconds, watts) of one board."""

    gpu: str
    host: str | None = None
    uuid: str | None = None
    accelerator: str | None = None
    samples: list[tuple[float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: from a counter, where the log has one
    energy_joule: float | None = None
    #: False where the log tells the time of day without the date
    is_dated: bool = True


class _Boards(dict):
    """Boards by what tells them apart."""

    def of(self, gpu: str | None, host: str | None = None, uuid: str | None = None, accelerator: str | None = None) -> Board:
        return self.setdefault(uuid or (host, gpu), Board(gpu or uuid or "0", host, uuid, accelerator))


def boards(path: Path, timezone: str, scrapes: list[Scrape]) -> Iterator[Board]:
    """The boards of one log. A DCGM scrape is kept in `scrapes`: only two of them tell an energy."""
    start = documents.head(path)
    if b'"telemetry_data"' in start.split(b"\n", 1)[0] and b'"gpu_index"' in start:
        yield from _telemetry(path)
    elif start.lstrip()[:1] == b"[" or b'"gpu_data"' in start[:4096]:
        yield from _amd_json(path, timezone)
    elif start.lstrip()[:1] == b"{":
        yield from _ranges(path)
    elif b"DCGM_FI_DEV_" in start:
        scrapes.append(read_scrape(path))
    elif re.match(rb"#\s*(?:gpu|Date|Time)\b", start.lstrip(), re.IGNORECASE):
        yield from _dmon(path, timezone)
    else:
        yield from _table(path, timezone)


def _table(path: Path, timezone: str) -> Iterator[Board]:
    """nvidia-smi's or amd-smi's CSV."""
    rows = csv.reader(documents.lines(path), skipinitialspace=True)
    header = next((row for row in rows if row), [])
    column = _places(header)
    watts_in = [i for i, name in enumerate(header) if name.startswith("power.draw")]
    is_nvidia = bool(watts_in)
    if is_nvidia and "[W]" not in header[watts_in[0]]:
        raise ImportProblem(f"power is in {header[watts_in[0]]!r}, nvidia-smi writes power.draw [W]; the header was edited, log again")
    watts_in = watts_in or [header.index(name) for name in _AMD_POWER if name in header]
    if not watts_in or "when" not in column:
        raise ImportProblem(
            "the power log has no header with timestamp and power.draw (nvidia-smi) or socket_power (amd-smi); "
            "log again without `noheader`, which hides the units, and with the time"
        )
    found, missing, damaged = _Boards(), 0, 0
    for cells in rows:
        if cells == header or not cells:
            continue
        if len(cells) != len(header):
            damaged += 1
            continue
        watts = next(filter(lambda number: number is not None, (as_number(cells[i].removesuffix("W").strip()) for i in watts_in)), None)
        if watts is None:
            missing += 1
            continue
        about = {name: as_text(cells[place]) for name, place in column.items()}
        board = found.of(about.get("index"), about.get("host"), about.get("uuid"), about.get("name"))
        board.samples.append((seconds(cells[column["when"]], timezone), watts))
    if not {"index", "uuid"} & set(column):
        _require_one_board(found.values())
    for board in found.values():
        if missing:
            board.notes.append(f"{missing} samples of the log say [N/A] and are excluded")
        if damaged:
            board.notes.append(f"{damaged} lines of the log are cut off and are excluded")
        yield board


def _places(header: list[str]) -> dict[str, int]:
    """What is told -> the first column that tells it."""
    return {what: header.index(name) for what, names in _COLUMNS.items() for name in reversed(names) if name in header}


def _require_one_board(found: Iterable[Board]) -> None:
    """Without an index, the rows of several boards come in bursts: short pauses within one, a long one after it."""
    for board in found:
        pauses = np.diff(sorted(when for when, _ in board.samples))
        if len(pauses) and np.percentile(pauses, 25) < 0.1 * np.percentile(pauses, 90):
            raise ImportProblem("the log has rows of several GPUs and no column that tells them apart; log again with index or uuid")


def _dmon(path: Path, timezone: str) -> Iterator[Board]:
    """nvidia-smi dmon: columns under a header that is repeated; `-` is no sample."""
    found, header, days, last = _Boards(), [], 0.0, None
    for line in documents.lines(path):
        cells = re.split(r"[,\s]+", line.strip().lstrip("#").strip())
        if line.lstrip().startswith("#"):
            names = [cell.lower() for cell in cells]
            header = names if "gpu" in names else header
            continue
        if len(cells) != len(header) or "pwr" not in header:
            continue
        row = dict(zip(header, cells, strict=True))
        if "time" not in row:
            raise ImportProblem("the log of nvidia-smi dmon has no times; log again with `nvidia-smi dmon -s p -o DT`")
        watts = as_number(row["pwr"])
        if watts is None:
            continue
        board = found.of(row["gpu"])
        board.is_dated = "date" in row
        when = seconds(f"{row.get('date', '1970-01-01')} {row['time']}", timezone if board.is_dated else "UTC")
        days += _S_PER_DAY if not board.is_dated and last is not None and when < last - _S_PER_DAY / 2 else 0.0
        last = when
        board.samples.append((when + days, watts))
    if not found:
        raise ImportProblem("the log of nvidia-smi dmon has no power (column pwr); log again with `nvidia-smi dmon -s p -o DT`")
    yield from found.values()


def _amd_json(path: Path, timezone: str) -> Iterator[Board]:
    """`amd-smi metric --power --json`, once or watched."""
    content = documents.read(path).content
    rows = content if isinstance(content, list) else dig(content, "gpu_data") or []
    found = _Boards()
    for row in rows:
        reading = next((dig(row, "power", name) for name in _AMD_POWER if dig(row, "power", name) is not None), None)
        watts = as_number(dig(reading, "value") if isinstance(reading, Mapping) else reading)
        if watts is None:
            continue
        if dig(row, "timestamp") is None:
            raise ImportProblem("the readings of amd-smi have no timestamp; log again with `amd-smi metric --power --watch 1 --csv`")
        found.of(as_text(dig(row, "gpu"))).samples.append((seconds(dig(row, "timestamp"), timezone), watts))
    if not found:
        raise ImportProblem("the JSON holds no power of amd-smi (power.socket_power of each gpu)")
    yield from found.values()


def _telemetry(path: Path) -> Iterator[Board]:
    """AIPerf's telemetry; a GPU that two endpoints report is one GPU."""
    found, sources = _Boards(), {}
    for number, line in enumerate(documents.lines(path), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise ImportProblem(f"line {number} is no telemetry record; the file is truncated, copy it again") from None
        data = dig(record, "telemetry_data")
        watts = next((as_number(dig(data, name)) for name in _TELEMETRY if dig(data, name) is not None), None)
        when, uuid = as_number(dig(record, "timestamp_ns")), as_text(dig(record, "gpu_uuid"))
        source = str(dig(record, "telemetry_source_url") or dig(record, "dcgm_url"))
        if watts is None or when is None or sources.setdefault(uuid, source) != source:
            continue
        board = found.of(as_text(dig(record, "gpu_index")), as_text(dig(record, "hostname")), uuid, as_text(dig(record, "gpu_model_name")))
        board.samples.append((when / NS_PER_S, watts))
    yield from found.values()


def _of_labels(found: _Boards, labels: Mapping[str, str]) -> Board:
    host = next((labels[name] for name in ("Hostname", "hostname", "node", "instance") if labels.get(name)), None)
    return found.of(labels.get("gpu"), host, labels.get("UUID") or labels.get("pci_bus_id"), labels.get("modelName"))


def _ranges(path: Path) -> Iterator[Board]:
    found = _Boards()
    for labels, values in read_range(path):
        if labels.get("__name__") not in (POWER, None):
            raise ImportProblem(f"the range is of {labels.get('__name__')!r}; ask Prometheus for {POWER}")
        _of_labels(found, labels).samples += values
    yield from found.values()


def between(scrapes: list[Scrape]) -> Iterator[Board]:
    """Energy per board between two scrapes, from the counter in millijoules. The rows of one board repeat its counter."""
    if not scrapes:
        return
    timed = sorted((scrape.at_s, number) for number, scrape in enumerate(scrapes) if scrape.at_s is not None)
    if len(scrapes) != 2 or len(timed) != 2:
        raise ImportProblem(
            "one scrape of DCGM is a moment, not an average; give two, each with a .time file (seconds since 1970) of the same name, "
            "or a Prometheus range; or give the seconds between them"
        )
    (begin_s, first), (end_s, last) = timed
    if begin_s == end_s:
        raise ImportProblem("both scrapes were made at the same time, so that they cover none; give two, before and after")
    counters = []
    for scrape in (scrapes[first], scrapes[last]):
        found = _Boards()
        for name, labels, value in scrape.samples:
            if name == ENERGY:
                board = _of_labels(found, labels)
                board.energy_joule = max(board.energy_joule or 0.0, value / MS_PER_S)
        counters.append(found)
    for key, board in counters[1].items():
        start = counters[0].get(key)
        if start is None or board.energy_joule is None or start.energy_joule is None or board.energy_joule < start.energy_joule:
            raise ImportProblem(
                "the energy counter of a GPU is missing or fell between the scrapes: it was reset or they are not in order; "
                "give two scrapes of one run, before and after"
            )
        board.energy_joule -= start.energy_joule
        watts = board.energy_joule / (end_s - begin_s)
        board.samples = [(begin_s, watts), (end_s, watts)]
        board.notes.append("average from the energy counter; the highest power is not known")
        yield board


def seconds(when: str | float, timezone: str) -> float:
    """A time as seconds since 1970; a time without zone is local to `timezone`.

    >>> seconds("1970-01-01 01:00", "UTC"), seconds("1789515524", "UTC"), seconds("2026/01/01 00:00:00", "Europe/Berlin")
    (3600.0, 1789515524.0, 1767222000.0)
    """
    number = as_number(when) if isinstance(when, (int, float)) or str(when).replace(".", "", 1).isdecimal() else None
    if number is not None and not re.fullmatch(r"\d{8}", str(when)):
        return number / MS_PER_S if number > _MS_SINCE_1970 else number
    try:
        stamp = pd.Timestamp(when)
        return (stamp.tz_localize(timezone) if stamp.tzinfo is None else stamp).timestamp()
    except (ValueError, TypeError, KeyError, OverflowError):
        raise ImportProblem(f"{str(when)[:40]!r} is no time that can be read, such as 2026-01-31 12:00:00 or seconds since 1970") from None
