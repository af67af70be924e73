"""What a GPU-hour cost, from a bill: FOCUS exports of a cloud and OpenCost's allocations of a cluster.

    rate = cost of the GPU time used / GPU-hours

One row per instance type, currency and cost basis; `focus` says which rows of a bill are GPU
time, and the notes what the price includes. Bases are never mixed: effective (commitments spread over use), billed
(what the invoice says), list, contracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.collect import Imported, files_of
from tokcost.importers.fields import as_finite, dig
from tokcost.importers.focus import SHORTEST_H, focus_rows
from tokcost.importers.point import UNEXPECTED, ImportProblem, Problem, as_problem
from tokcost.importers.table import frame
from tokcost.quantities import QuantityError

TEXT = ("source_file", "tool", "provider", "instance_type", "currency", "cost_basis", "source_sha256", "notes")
COLUMNS = (
    "source_file", "tool", "provider", "instance_type", "currency", "cost_basis", "n_rows", "gpu_time_h", "cost_usd", "cost",
    "rate_usd_per_gpu_h", "rate_per_gpu_h", "unused_cost", "source_sha256", "notes",
)  # fmt: skip


def bills(paths: Iterable[str | Path], *, instance_gpus: Mapping[str, int] | None = None) -> Imported:
    """Cost per GPU-hour by instance type, currency and cost basis, from FOCUS exports and OpenCost allocations.

    `paths` are files, or directories whose exports are found by their content.
    `instance_gpus` states GPUs per instance, such as {"p5.48xlarge": 8}, where the bill does
    not (FOCUS 1.0; from 1.1 on `SkuPriceDetails` may hold GpuCount). Rows of other services
    are ignored. `rate_usd_per_gpu_h` is filled for USD only; other currencies are not converted.

    Returns `Imported`: `points` is the table, a file that cannot be read becomes a problem.
    Columns: provider, instance_type, currency, cost_basis, n_rows, gpu_time_h, cost_usd, cost (own currency),
    rate_usd_per_gpu_h, rate_per_gpu_h (own currency), unused_cost, source_file, source_sha256, notes.
    Raises: QuantityError for a path that does not exist, or an instance with less than one GPU.

    >>> found = bills(["tests/samples/focus/focus_1.2.csv"])
    >>> first = found.points.iloc[0]
    >>> first.instance_type, first.cost_basis, round(float(first.rate_usd_per_gpu_h), 2)
    ('demo.8xgpu', 'effective', 3.67)
    """
    for name, count in (instance_gpus or {}).items():
        if not count >= 1:
            raise QuantityError(f"`instance_gpus` must be at least 1 per type, got {count} for {name}")
    found, rows = Imported(frame([], COLUMNS, TEXT)), []
    for path in files_of("billing", paths, found):
        try:
            found_rows = _rows(path, instance_gpus or {})
            about = {"source_file": str(path), "source_sha256": documents.sha256(path)}
            rows += [{**row, **about} for row in found_rows]
        except UNEXPECTED as error:
            found.problems.append(Problem(str(path), str(as_problem(error))))
    found.points = frame(rows, COLUMNS, TEXT)
    return found


def _rows(path: Path, instance_gpus: Mapping[str, int]) -> list[dict]:
    if documents.head(path).lstrip()[:1] == b"{":
        return _opencost(path)
    return focus_rows(path, instance_gpus)


def _opencost(path: Path) -> list[dict]:
    """OpenCost or Kubecost `/allocation`: each name with its GPU hours and cost, idle separately."""
    content = documents.read(path).content
    steps = dig(content, "data")
    if not isinstance(steps, list) or not all(step is None or isinstance(step, Mapping) for step in steps):
        raise ImportProblem("the JSON is no OpenCost allocation (a list `data` of steps)")
    rows = []
    totals: dict[str, list[float]] = {}
    for step in filter(None, steps):
        for name, allocation in step.items():
            hours = as_finite(dig(allocation, "gpuHours")) or 0.0
            cost = (as_finite(dig(allocation, "gpuCost")) or 0.0) + (as_finite(dig(allocation, "gpuCostAdjustment")) or 0.0)
            total = totals.setdefault(name, [0.0, 0.0, 0.0])
            total[0], total[1], total[2] = total[0] + hours, total[1] + cost, total[2] + 1
    for name, (hours, cost, count) in totals.items():
        if hours > SHORTEST_H:
            note = "idle GPUs that were paid" if name == "__idle__" else "the GPU's share alone, in the currency that OpenCost is set to"
            rows.append(
                {
                    "tool": "opencost",
                    "instance_type": name,
                    "currency": "unknown",
                    "cost_basis": "allocated",
                    "n_rows": count,
                    "gpu_time_h": hours,
                    "cost": cost,
                    "rate_per_gpu_h": cost / hours,
                    "notes": note,
                }  # fmt: skip
            )
    if not rows:
        raise ImportProblem("no allocation used a GPU (all gpuHours are 0), so that there is no price of a GPU-hour")
    return rows
