"""What a GPU-hour cost, from a bill: FOCUS exports of a cloud and OpenCost's allocations of a cluster.

    rate = cost of used instance hours / (instance hours x GPUs per instance)

One row per instance type, currency and cost basis. The instance's price includes its CPUs,
memory and disks. Bases are never mixed: effective (commitments spread over use), billed
(what the invoice says), list, contracted.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.collect import Imported, files_of
from tokcost.importers.fields import as_number, as_text, dig
from tokcost.importers.point import SEPARATOR, ImportProblem, Problem
from tokcost.importers.table import frame
from tokcost.quantities import QuantityError

BASES = {"effective": "EffectiveCost", "billed": "BilledCost", "list": "ListCost", "contracted": "ContractedCost"}
_HOURS = {"hour", "hours", "hrs", "hr"}
_NOTHING = {"", "null", "none", "nan"}
TEXT = ("source_file", "tool", "provider", "instance_type", "currency", "cost_basis", "source_sha256", "notes")
COLUMNS = (
    "source_file", "tool", "provider", "instance_type", "currency", "cost_basis", "n_rows", "gpu_time_h", "cost_usd", "cost",
    "rate_usd_per_gpu_h", "rate_per_gpu_h", "unused_cost", "source_sha256", "notes",
)  # fmt: skip


@dataclass
class _Use:
    """What one instance type used under one currency."""

    provider: str | None
    instance_type: str
    currency: str
    gpu_hours: float = 0.0
    n_rows: int = 0
    costs: dict[str, list[float]] = field(default_factory=lambda: {basis: [] for basis in BASES})
    is_committed: bool = False
    unused: dict[str, float] = field(default_factory=dict)


def import_billing(paths: Iterable[str | Path], *, instance_gpus: Mapping[str, int] | None = None) -> Imported:
    """Cost per GPU-hour by instance type, currency and cost basis.

    `paths` are files, or directories whose exports are found by their content.
    `instance_gpus` states GPUs per instance, such as {"p5.48xlarge": 8}, where the bill does
    not (FOCUS 1.0; from 1.1 on `SkuPriceDetails` may hold GpuCount). Rows of other services
    are ignored. `rate_usd_per_gpu_h` is filled for USD only; other currencies are not converted.
    """
    for name, count in (instance_gpus or {}).items():
        if not count >= 1:
            raise QuantityError(f"`instance_gpus` must be at least 1 per type, got {count} for {name}")
    found, rows = Imported(frame([], COLUMNS, TEXT)), []
    for path in files_of("billing", paths, found):
        try:
            rows += _rows(path, dict(instance_gpus or {}))
        except ImportProblem as problem:
            found.problems.append(Problem(str(path), str(problem)))
    found.points = frame(rows, COLUMNS, TEXT)
    return found


def _rows(path: Path, instance_gpus: dict[str, int]) -> list[dict]:
    if documents.head(path).lstrip()[:1] == b"{":
        return _opencost(path)
    text = documents.read_text(path)
    bill = csv.DictReader(io.StringIO(text))
    names = set(bill.fieldnames or ())
    if {"GPUs", "GPUCost"} <= names:
        raise ImportProblem("OpenCost's CSV has no GPU hours, only average GPUs a day; export the allocation as JSON (/allocation)")
    if not {"BilledCost", "ChargeCategory"} <= names:
        raise ImportProblem("this is no FOCUS export (no columns BilledCost and ChargeCategory) and no OpenCost allocation")
    return _focus(bill, path, instance_gpus)


def _focus(bill: csv.DictReader, path: Path, instance_gpus: dict[str, int]) -> list[dict]:
    uses: dict[tuple, _Use] = {}
    unused: dict[str, float] = {}
    for cells in bill:
        line = {key: None if value is None or value.strip().lower() in _NOTHING else value.strip() for key, value in cells.items() if key}
        currency = line.get("BillingCurrency") or "unknown"
        if line.get("CommitmentDiscountStatus") == "Unused":
            unused[currency] = unused.get(currency, 0.0) + (as_number(line.get("EffectiveCost")) or 0.0)
            continue
        if line.get("ChargeCategory") != "Usage" or line.get("ChargeClass") == "Correction":
            continue
        found = _instance(line, instance_gpus)
        hours = _hours(line)
        if found is None or hours is None:
            continue
        name, gpus = found
        provider = line.get("ServiceProviderName") or line.get("ProviderName")
        use = uses.setdefault((provider, name, currency), _Use(provider, name, currency))
        use.gpu_hours += hours * gpus
        use.n_rows += 1
        use.is_committed |= line.get("CommitmentDiscountStatus") == "Used"
        for basis, column in BASES.items():
            cost = as_number(line.get(column))
            if cost is not None:
                use.costs[basis].append(cost)
    if not uses:
        raise ImportProblem(
            "no usage row could be tied to GPUs (no GpuCount in SkuPriceDetails); name the instance types with --instance-gpus TYPE=N"
        )
    return [r for use in uses.values() for r in _by_basis(use, path, unused)]


def _instance(line: dict, instance_gpus: dict[str, int]) -> tuple[str, float] | None:
    """Instance type and its GPUs: as the bill says, else as was given."""
    try:
        details = json.loads(line.get("SkuPriceDetails") or "{}")
    except ValueError:
        details = {}
    gpus, kind = as_number(dig(details, "GpuCount")), as_text(dig(details, "InstanceType"))
    if gpus:
        return kind or line.get("SkuId") or "unknown", gpus
    described = " ".join(line.get(column) or "" for column in ("ChargeDescription", "SkuMeter", "ResourceType", "Tags"))
    words = set(described.replace('"', " ").replace(",", " ").split()) | {kind}
    return next(((name, float(count)) for name, count in instance_gpus.items() if name in words), None)


def _hours(line: dict) -> float | None:
    for quantity, unit in (("ConsumedQuantity", "ConsumedUnit"), ("PricingQuantity", "PricingUnit")):
        if (line.get(unit) or "").lower() in _HOURS and as_number(line.get(quantity)) is not None:
            return as_number(line[quantity])
    return None


def _by_basis(use: _Use, path: Path, unused: dict[str, float]) -> Iterator[dict]:
    if use.gpu_hours <= 0:
        raise ImportProblem(f"{use.instance_type} was used for 0 hours, so that there is no price of an hour")
    for basis, costs in use.costs.items():
        if len(costs) != use.n_rows:
            continue
        notes = ["the instance's price, with its CPUs, memory and disks"]
        cost: float | None = sum(costs)
        if basis != "billed" and _is_rounded(costs, use.costs["billed"]):
            notes.append(f"{BASES[basis]} is rounded to whole units in this export and cannot be used; take BilledCost")
            cost = None
        if basis == "billed" and use.is_committed:
            notes.append("a commitment covers part of the use, which BilledCost shows as free; take the effective basis")
        idle = unused.get(use.currency) if basis == "effective" else None
        if idle:
            notes.append("commitments that were paid and not used are in unused_cost, of the whole bill")
        rate = cost / use.gpu_hours if cost is not None else None
        is_usd = use.currency == "USD"
        yield {
            "source_file": str(path), "tool": "focus", "provider": use.provider, "instance_type": use.instance_type,
            "currency": use.currency,
            "cost_basis": basis, "n_rows": use.n_rows, "gpu_time_h": use.gpu_hours, "cost_usd": cost if is_usd else None, "cost": cost,
            "rate_usd_per_gpu_h": rate if is_usd else None, "rate_per_gpu_h": rate, "unused_cost": idle,
            "source_sha256": documents.sha256(path), "notes": SEPARATOR.join(notes),
        }  # fmt: skip


def _is_rounded(costs: list[float], billed: list[float]) -> bool:
    """Whole numbers beside invoiced cents: the export rounded this column."""
    return all(cost == round(cost) for cost in costs) and any(cost != round(cost) for cost in billed) and costs != billed


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
            hours = as_number(dig(allocation, "gpuHours")) or 0.0
            cost = (as_number(dig(allocation, "gpuCost")) or 0.0) + (as_number(dig(allocation, "gpuCostAdjustment")) or 0.0)
            total = totals.setdefault(name, [0.0, 0.0, 0.0])
            total[0], total[1], total[2] = total[0] + hours, total[1] + cost, total[2] + 1
    for name, (hours, cost, count) in totals.items():
        if hours > 0:
            note = "idle GPUs that were paid" if name == "__idle__" else "the GPU's share alone, in the currency that OpenCost is set to"
            rows.append(
                {
                    "source_file": str(path),
                    "tool": "opencost",
                    "instance_type": name,
                    "currency": "unknown",
                    "cost_basis": "allocated",
                    "n_rows": count,
                    "gpu_time_h": hours,
                    "cost": cost,
                    "rate_per_gpu_h": cost / hours,
                    "source_sha256": documents.sha256(path),
                    "notes": note,
                }  # fmt: skip
            )
    if not rows:
        raise ImportProblem("no allocation used a GPU (all gpuHours are 0), so that there is no price of a GPU-hour")
    return rows
