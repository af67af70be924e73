"""Power logs: watts and joules of each board, from the logs that `board_samples` reads.

    energy = integral of power over the time that was asked for, each board once

All of them see the board alone, not the server around it. Clip a log to the benchmark's
time and keep the GPUs that served: idle neighbours in the log add watts and no tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from tokcost.importers import documents
from tokcost.importers.board_samples import Board, between, boards
from tokcost.importers.board_samples import seconds as seconds_of
from tokcost.importers.collect import Imported, files_of
from tokcost.importers.exposition import Scrape
from tokcost.importers.point import SEPARATOR, UNEXPECTED, ImportProblem, Problem, as_problem
from tokcost.importers.table import frame
from tokcost.quantities import W_PER_KW, QuantityError

#: a working or idle accelerator draws within these; outside, the log's unit is not what it says
LOWEST_W, HIGHEST_W = 5.0, 3000.0
#: seconds since 1970 beyond any log
LATEST_S = 1e11
#: a single reading beyond is damaged, not a unit
MOST_W = 1e7
#: a pause this many times the usual interval is a gap
GAP_FACTOR = 5.0
#: two readings of one board at one time that differ by more are two meters, or parts of the board
SAME_READING_FRAC = 0.05
TEXT = ("source_file", "gpu", "host", "gpu_uuid", "accelerator", "start", "end", "source_sha256", "notes")
COLUMNS = (
    "source_file", "gpu", "host", "gpu_uuid", "accelerator", "n_samples", "start", "end", "duration_s", "average_w", "highest_w",
    "energy_joule", "source_sha256", "notes",
)  # fmt: skip


def power_logs(
    paths: Iterable[str | Path],
    *,
    start: str | float | None = None,
    end: str | float | None = None,
    gpus: Iterable[int | str] | None = None,
    timezone: str = "UTC",
    seconds: float | None = None,
) -> Imported:
    """Average power and energy of each board, one row per board and file.

    `paths` are files, or directories whose power logs are found by their content. `start`, `end`
    clip to the benchmark's time (anything pandas.Timestamp reads, or seconds since 1970); `gpus`
    keeps these indices or UUIDs; `timezone` is that of times that name none. Two DCGM scrapes make one
    energy: their difference (`seconds` between them, if no `.time` files stand next to them). Average
    power is weighted by time; the log's ends are not extrapolated.

    Returns `Imported`: `points` is the table, a file that cannot be read becomes a problem.
    Columns: gpu, host, gpu_uuid, accelerator, n_samples, start, end, duration_s, average_w, highest_w, energy_joule,
    source_file, source_sha256, notes.
    Raises: QuantityError for a wrong call: a path that does not exist, an unknown time zone, an end before the start.

    >>> found = power_logs(["tests/samples/_malformed/nvidia_smi_synthetic_ok.csv"], gpus=[1])
    >>> board = found.points.iloc[0]
    >>> float(board.average_w), float(board.energy_joule), float(board.duration_s)
    (524.5, 15210.5, 29.0)
    """
    _require_call(start, end, timezone, seconds)
    begin_s, end_s = (None if t is None else seconds_of(t, timezone) for t in (start, end))
    if begin_s is not None and end_s is not None and begin_s >= end_s:
        raise QuantityError(f"`start` must be before `end`, got {start} and {end}")
    window = (begin_s, end_s)
    keep = None if gpus is None else {str(gpu) for gpu in gpus}
    found, scrapes = Imported(frame([], COLUMNS, TEXT)), []
    rows: list[dict] = []
    for path in files_of("power", paths, found):
        try:
            seen = list(boards(path, timezone, scrapes))
            rows += [_row(board, path, window) for board in seen if _is_kept(board, keep)]
            if seen and not any(_is_kept(board, keep) for board in seen):
                raise ImportProblem(
                    f"the log has no GPU {' or '.join(sorted(keep or ()))}; it has {', '.join(board.gpu for board in seen)}"
                )
        except UNEXPECTED as error:
            found.problems.append(Problem(str(path), str(as_problem(error))))
    try:
        rows += _of_scrapes(scrapes, seconds, window, keep)
    except ImportProblem as problem:
        found.problems.append(Problem(" and ".join(str(s.path) for s in scrapes), str(problem)))
    _say_twice(rows)
    found.points = frame(rows, COLUMNS, TEXT)
    return found


def _require_call(start, end, timezone: str, seconds: float | None) -> None:
    """A wrong call is refused before anything is read."""
    for name, value in (("start", start), ("end", end), ("seconds", seconds)):
        if isinstance(value, (int, float)) and not abs(value) < LATEST_S:
            raise QuantityError(f"`{name}` must be a number of seconds, got {value}")
    if seconds is not None and seconds <= 0:
        raise QuantityError(f"`seconds` must be more than 0, got {seconds}")
    try:
        pd.Timestamp(0).tz_localize(timezone)
    except (ValueError, TypeError, KeyError):
        raise QuantityError(f"`timezone` is {timezone!r}, which is no time zone; give one such as UTC or Europe/Berlin") from None


def _is_kept(board: Board, keep: set[str] | None) -> bool:
    return keep is None or board.gpu in keep or board.uuid in keep


def _of_scrapes(scrapes: list[Scrape], seconds: float | None, window, keep) -> list[dict]:
    if seconds is not None and len(scrapes) == 2:
        scrapes[0].at_s, scrapes[1].at_s = 0.0, float(seconds)
    return [_row(board, max(scrapes, key=lambda s: s.at_s or 0.0).path, window) for board in between(scrapes) if _is_kept(board, keep)]


def _say_twice(rows: list[dict]) -> None:
    """A board that two logs saw at the same time has its energy in both rows."""
    for number, row in enumerate(rows):
        for other in rows[:number]:
            is_same = row["gpu_uuid"] and row["gpu_uuid"] == other["gpu_uuid"] and row["start"] and other["start"]
            if is_same and row["start"] < other["end"] and other["start"] < row["end"]:
                said = f"the same board at the same time is in {Path(other['source_file']).name}: count its energy once"
                row["notes"] = SEPARATOR.join(filter(None, (row["notes"], said)))


def _samples(board: Board, window: tuple[float | None, float | None]) -> tuple[np.ndarray, np.ndarray]:
    """Times and watts within the window, one reading a time: pods, slices and instances of a board repeat it."""
    known = [(when, watts) for when, watts in board.samples if abs(when) < LATEST_S and 0 <= watts <= MOST_W]
    if len(known) < len(board.samples):
        board.notes.append(f"{len(board.samples) - len(known)} samples are no numbers, or no power of a board, and are excluded")
    if not board.is_dated and window != (None, None):
        raise ImportProblem("the log has no dates, so that it cannot be clipped; log again with `nvidia-smi dmon -s p -o DT`")
    samples = sorted(s for s in known if (window[0] is None or s[0] >= window[0]) and (window[1] is None or s[0] <= window[1]))
    if not samples:
        return np.array([]), np.array([])
    when, watts = np.array(samples).T
    times, first = np.unique(when, return_index=True)
    highest, lowest = np.maximum.reduceat(watts, first), np.minimum.reduceat(watts, first)
    n_apart = int((highest - lowest > SAME_READING_FRAC * highest).sum())
    if n_apart:
        board.notes.append(f"at {n_apart} times the rows of this board differ (instances of it, or two meters); the highest was taken")
    return times, highest


def _row(board: Board, path: Path, window: tuple[float | None, float | None]) -> dict:
    times, watts = _samples(board, window)
    if len(times) < 2:
        raise ImportProblem(
            f"GPU {board.gpu} has {len(times)} samples in the time asked for; the log and the benchmark do not overlap, check the timezone"
            if board.samples and window != (None, None)
            else f"GPU {board.gpu} has samples of {len(times)} times only, and an energy needs two; log for as long as the benchmark runs"
        )
    joules = float(np.trapezoid(watts, times))
    average_w = joules / float(times[-1] - times[0])
    if not LOWEST_W <= average_w <= HIGHEST_W:
        raise ImportProblem(
            f"GPU {board.gpu} draws {average_w:.4g} W on average, outside [{LOWEST_W:g}, {HIGHEST_W:g}] W of any accelerator; "
            f"the log's unit is wrong by a factor such as {W_PER_KW:g}"
        )
    pauses = np.diff(times)
    usual_s = float(np.median(pauses))
    if len(pauses) > 1 and pauses.max() > GAP_FACTOR * usual_s:
        board.notes.append(
            f"the log has a gap of {pauses.max():.3g} s (usual interval {usual_s:.3g} s); power in it is taken as a straight line"
        )
    is_dated = board.is_dated and times[0] > 0
    start, end = (pd.Timestamp(t, unit="s", tz="UTC").isoformat() if is_dated else None for t in (times[0], times[-1]))
    return {
        "source_file": str(path), "gpu": board.gpu, "host": board.host, "gpu_uuid": board.uuid, "accelerator": board.accelerator,
        "n_samples": len(times), "start": start, "end": end, "duration_s": float(times[-1] - times[0]), "average_w": average_w,
        "highest_w": math.nan if board.energy_joule is not None else float(watts.max()), "energy_joule": joules,
        "source_sha256": documents.sha256(path), "notes": SEPARATOR.join(board.notes) or None,
    }  # fmt: skip
