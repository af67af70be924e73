"""FOCUS bills (1.0 to 1.4) of AWS, Azure, Google Cloud, OCI and others: which rows are GPU time, and what it cost.

Three kinds of rows pay for GPUs:
- an instance by the hour: hours x GPUs of the instance, as `SkuPriceDetails` says or as was given (AWS, Azure);
- GPUs by the hour, with rows of their own for the cores and the memory of the same machine, which are added to the
  cost and never to the hours (Google Cloud);
- GPU-hours as the unit (OCI).
Software and licences for an instance are not its price, and their hours are the instance's hours again: excluded.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.fields import as_finite, as_text, dig
from tokcost.importers.point import S_PER_MINUTE, SEPARATOR, ImportProblem
from tokcost.quantities import SECONDS_PER_HOUR

BASES = {"effective": "EffectiveCost", "billed": "BilledCost", "list": "ListCost", "contracted": "ContractedCost"}
#: shorter use is a slip of a number
SHORTEST_H = 1e-6
_NOTHING = {"", "null", "none", "nan"}
_UNIT = re.compile(r"(\d+)?\s*(?:(gpus?)[\s-]*)?(?:instances?[\s-]*)?(?:per\s*)?(h|hrs?|hours?|s|secs?|seconds?|mins?|minutes?|days?)")
_HOURS_PER = {"h": 1.0, "s": 1 / SECONDS_PER_HOUR, "m": S_PER_MINUTE / SECONDS_PER_HOUR, "d": 24.0}
#: a GPU, or a part next to it, that a row bills by itself
_GPU_PART = re.compile(r"(.*?\bGPU)s?\b.*\b(?:running|attached)\b", re.IGNORECASE)
_OTHER_PART = re.compile(r"\b(?:cores?|v?cpus?|ocpus?|ram|memory)\b", re.IGNORECASE)
_NO_HARDWARE = re.compile(r"\b(?:licen[cs]es?|software|marketplace|ebs-?optimized)\b", re.IGNORECASE)
#: where exports put the name of an instance type: (column, key of the JSON in it)
_TYPES = (
    ("SkuPriceDetails", "InstanceType"), ("SkuPriceDetails", "x_ServiceType"), ("SkuPriceDetails", "x_InstanceType"),
    ("x_SkuDetails", "ServiceType"), ("x_SkuDetails", "InstanceType"), ("x_InstanceType", None),
)  # fmt: skip
_DESCRIBED = ("ChargeDescription", "SkuMeter", "x_SkuMeterName", "x_SkuDescription", "ResourceType")
_PROVIDERS = ("ServiceProviderName", "ProviderName", "HostProviderName", "PublisherName")

_OF_INSTANCE = "the instance's price, with its CPUs and memory"
_OF_GPU_HOURS = "the bill counts GPU-hours; the price is the GPU's, with what its shape includes"
_OF_PARTS = "the machine's price: its GPUs, cores and memory, which the bill states apart"
_OF_GPUS = "the GPUs alone: no row of the bill could be tied to the cores and memory of their machine"
_OF_KINDS = "the GPUs alone: the cores and memory of their machine belong to several kinds of GPU and are excluded"


@dataclass
class _Use:
    """What one kind of GPU time came to under one currency."""

    provider: str | None
    instance_type: str
    currency: str
    gpu_hours: float = 0.0
    n_rows: int = 0
    #: basis -> sum, rows that state it
    costs: dict[str, list[float]] = field(default_factory=lambda: {basis: [0.0, 0] for basis in BASES})
    #: bases with a fraction of a unit somewhere
    fractional: set[str] = field(default_factory=set)
    is_committed: bool = False
    #: what the price includes, of each kind of its rows
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, line: Mapping, hours: float) -> None:
        self.gpu_hours += hours
        self.n_rows += 1
        self.is_committed |= line.get("CommitmentDiscountStatus") == "Used"
        for basis, column in BASES.items():
            cost = as_finite(line.get(column))
            if cost is not None:
                self.costs[basis][0] += cost
                self.costs[basis][1] += 1
                if cost != round(cost, 0):
                    self.fractional.add(basis)


@dataclass
class _Machine:
    """Rows of one machine whose GPUs, cores and memory are billed apart."""

    gpus: dict[str, list[tuple[dict, float]]] = field(default_factory=dict)
    others: list[dict] = field(default_factory=list)
    given: str | None = None


class Bill:
    """The GPU time of one bill."""

    def __init__(self, instance_gpus: Mapping[str, int]):
        self.given = {_words(name): (name, float(count)) for name, count in instance_gpus.items()}
        self.uses: dict[tuple, _Use] = {}
        self.machines: dict[tuple, _Machine] = {}
        self.unused: dict[str, float] = {}
        self.n_excluded = 0
        #: types that stand in the bill, and given ones whose rows have no hours: for the sentence of a refusal
        self.types: dict[str, None] = {}
        self.without_hours: dict[str, str] = {}

    def read(self, lines: Iterable[Mapping]) -> list[dict]:
        """Rows of the table, one per kind of GPU time, currency and cost basis."""
        for cells in lines:
            told = {key: value.strip() for key, value in cells.items() if key and isinstance(value, str)}
            line = {key: value for key, value in told.items() if value.lower() not in _NOTHING}
            if line.get("CommitmentDiscountStatus") == "Unused":
                currency = _currency(line)
                self.unused[currency] = self.unused.get(currency, 0.0) + (as_finite(line.get("EffectiveCost")) or 0.0)
            elif line.get("ChargeCategory") == "Usage" and line.get("ChargeClass") != "Correction":
                self._add(line)
        for (currency, _), machine in self.machines.items():
            self._add_machine(machine, currency)
        if not self.uses:
            raise ImportProblem(self._why_nothing())
        used = [use for use in self.uses.values() if use.gpu_hours > SHORTEST_H]
        if not used:
            raise ImportProblem(
                f"{next(iter(self.uses.values())).instance_type} was used for 0 hours, so that there is no price of an hour"
            )
        return [row for use in used for row in self._by_basis(use)]

    def _add(self, line: dict) -> None:
        details = _json(line.get("SkuPriceDetails"))
        described = " ".join(line.get(column) or "" for column in _DESCRIBED)
        kind = next(filter(None, (as_text(dig(_json(line.get(c)), key) if key else line.get(c)) for c, key in _TYPES)), None)
        given = self._given(kind, described if kind else f"{described} {line.get('Tags') or ''} {line.get('x_SystemLabels') or ''}")
        is_gpu_unit, hours = _hours(line)
        part = _GPU_PART.match(line.get("ChargeDescription") or "")
        if part or _OTHER_PART.search(described) and not is_gpu_unit:
            self._add_part(line, part and " ".join(part.group(1).split()), hours, given)
            return
        n_gpus = 1.0 if is_gpu_unit else as_finite(dig(details, "GpuCount")) or (given[1] if given and self._is_compute(line) else None)
        if hours is not None and self._is_compute(line):
            self.types.setdefault(kind or line.get("SkuMeter") or line.get("ChargeDescription") or "")
        if not n_gpus:
            return
        name = kind or line.get("SkuMeter") or line.get("SkuId") or "unknown"
        if given and (kind is None or _words(kind) in self.given):
            name = given[0]
        if _NO_HARDWARE.search(f"{described} {line.get('x_SkuMeterCategory') or ''} {line.get('ServiceName') or ''}"):
            self.n_excluded += 1
        elif hours is None:
            self.without_hours[name] = line.get("ConsumedUnit") or line.get("PricingUnit") or "no unit"
        else:
            use = self._use(line, name)
            use.notes[_OF_GPU_HOURS if is_gpu_unit else _OF_INSTANCE] = None
            use.add(line, hours * n_gpus)

    def _is_compute(self, line: Mapping) -> bool:
        return line.get("ServiceCategory") in (None, "Compute", "AI and Machine Learning", "Other")

    def _given(self, kind: str | None, described: str) -> tuple[str, float] | None:
        """The longest name that was given and stands in the row's words."""
        words = f" {_words(f'{kind or str()} | {described}')} "
        return self.given[max(found, key=len)] if (found := [name for name in self.given if f" {name} " in words]) else None

    def _use(self, line: Mapping, name: str) -> _Use:
        provider = next((line[column] for column in _PROVIDERS if column in line), None)
        return self.uses.setdefault((provider, name, _currency(line)), _Use(provider, name, _currency(line)))

    def _add_part(self, line: dict, gpu: str | None, hours: float | None, given: tuple[str, float] | None) -> None:
        place = line.get("ResourceId") or line.get("ResourceName") or (given and given[0]) or ""
        if not gpu and not place:
            return  # cores of nobody knows which machine
        machine = self.machines.setdefault((_currency(line), place), _Machine())
        machine.given = machine.given or (given and given[0])
        if gpu and hours is not None:
            machine.gpus.setdefault(gpu, []).append((line, hours))
        else:
            machine.others.append(line)

    def _add_machine(self, machine: _Machine, currency: str) -> None:
        if not machine.gpus:
            if machine.given:
                self.without_hours[machine.given] = "core-hours and memory, without a row for its GPUs"
            return
        is_one_kind = len(machine.gpus) == 1
        for gpu, rows in machine.gpus.items():
            name = (machine.given if is_one_kind else f"{machine.given}: {gpu}") if machine.given else gpu
            use = self._use(rows[0][0], name)
            for line, hours in rows:
                use.add(line, hours)
            use.notes[_OF_KINDS if not is_one_kind else _OF_PARTS if machine.others else _OF_GPUS] = None
            for line in machine.others if is_one_kind else ():
                use.add(line, 0.0)

    def _why_nothing(self) -> str:
        known = ", ".join(list(filter(None, self.types))[:5]) or "no compute by the hour"
        if self.without_hours:
            name, unit = next(iter(self.without_hours.items()))
            return f"{name} is in the bill, but counted in {unit}, not in hours of instances or GPUs, so that there is no price of an hour"
        if self.given:
            names = ", ".join(name for name, _ in self.given.values())
            return f"no usage row is of an instance type that --instance-gpus names ({names}); the bill has {known}"
        return (
            "no usage row could be tied to GPUs (no GpuCount in SkuPriceDetails); name the instance types with --instance-gpus TYPE=N; "
            f"the bill has {known}"
        )

    def _by_basis(self, use: _Use) -> Iterator[dict]:
        for basis, (total, count) in use.costs.items():
            if count != use.n_rows:
                continue
            notes, cost = list(use.notes), total
            if basis not in use.fractional and "billed" in use.fractional:
                notes.append(f"{BASES[basis]} is rounded to whole units in this export and cannot be used; take BilledCost")
                cost = None
            if basis == "billed" and use.is_committed:
                notes.append("a commitment covers part of the use, which BilledCost shows as free; take the effective basis")
            idle = self.unused.get(use.currency) if basis == "effective" else None
            if idle:
                notes.append("commitments that were paid and not used are in unused_cost, of the whole bill")
            if self.n_excluded:
                notes.append(f"{self.n_excluded} rows of software or licences for instances are excluded")
            rate = cost / use.gpu_hours if cost is not None else None
            is_usd = use.currency == "USD"
            yield {
                "tool": "focus", "provider": use.provider, "instance_type": use.instance_type,
                "currency": use.currency, "cost_basis": basis, "n_rows": use.n_rows, "gpu_time_h": use.gpu_hours,
                "cost_usd": cost if is_usd else None, "cost": cost, "rate_usd_per_gpu_h": rate if is_usd else None,
                "rate_per_gpu_h": rate, "unused_cost": idle, "notes": SEPARATOR.join(notes),
            }  # fmt: skip


def focus_rows(path: Path, instance_gpus: Mapping[str, int]) -> list[dict]:
    """The GPU time of a FOCUS export."""
    lines = csv.DictReader(documents.lines(path))
    names = set(lines.fieldnames or ())
    if {"GPUs", "GPUCost"} <= names:
        raise ImportProblem("OpenCost's CSV has no GPU hours, only average GPUs a day; export the allocation as JSON (/allocation)")
    if not {"BilledCost", "ChargeCategory"} <= names:
        raise ImportProblem("this is no FOCUS export (no columns BilledCost and ChargeCategory) and no OpenCost allocation")
    return Bill(instance_gpus).read(lines)


def _currency(line: Mapping) -> str:
    return line.get("BillingCurrency") or "unknown"


def _json(text: str | None):
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _words(name: str) -> str:
    """A name as clouds spell it in one place or another: `Standard_ND96isr_H100_v5` is `ND96isr H100 v5`.

    >>> _words("Standard_ND96isr_H100_v5"), _words("BoxUsage:p5.48xlarge")
    ('nd96isr h100 v5', 'boxusage p5 48xlarge')
    """
    return " ".join(re.findall(r"[a-z0-9|]+", name.lower().replace("standard_", "")))


def _hours(line: Mapping) -> tuple[bool, float | None]:
    """Whether the row counts GPUs by the hour, and its hours; None where its unit is no time.

    >>> _hours({"ConsumedQuantity": "36000", "ConsumedUnit": "seconds"}), _hours({"PricingQuantity": "16", "PricingUnit": "GPU Hours"})
    ((False, 10.0), (True, 16.0))
    """
    for kind in ("Consumed", "Pricing"):
        unit, quantity = _UNIT.fullmatch((line.get(f"{kind}Unit") or "").lower().strip()), as_finite(line.get(f"{kind}Quantity"))
        if unit and quantity is not None:
            block = float(unit.group(1) or 1) if kind == "Pricing" else 1.0
            return bool(unit.group(2)), quantity * block * _HOURS_PER[unit.group(3)[0]]
    return False, None
