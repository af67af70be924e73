"""The tables of data/: which columns each one has, what a cell may hold, what makes a row unique.

A table is a file `data/<name>.csv`. To add one, add its entry to `TABLES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from tokcost.evidence import soundness
from tokcost.evidence.columns import Column, date, fact, flag, label, number, quantity, source, text, whole

#: a check of whole rows: table in (indexed by line number), (line, column, what is wrong and the fix) out
RowCheck = Callable[[pd.DataFrame], Iterator[tuple[int, str, str]]]


@dataclass(frozen=True)
class Table:
    """One table: what it holds, its columns, the columns that together are unique, checks of whole rows."""

    about: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    checks: tuple[RowCheck, ...] = ()


def value_within_range(rows: pd.DataFrame):
    """low <= value <= high, and a range has both ends."""
    for line, row in rows[["value", "low", "high"]].iterrows():
        if pd.isna(row["low"]) != pd.isna(row["high"]):
            given, missing = ("high", "low") if pd.isna(row["low"]) else ("low", "high")
            yield line, missing, f"is empty while {given} is {row[given]:g}; give both ends of the range or none"
        elif pd.notna(row["low"]) and row["low"] > row["high"]:
            yield line, "low", f"{row['low']:g} is above high {row['high']:g}; a range needs low <= value <= high; are the two swapped?"
        elif pd.notna(row["low"]) and not row["low"] <= row["value"] <= row["high"]:
            span = f"{row['low']:g} to {row['high']:g}"
            yield line, "value", f"{row['value']:g} is outside its own range {span}; widen the range or correct the value"


def _attribution_where_asked(rows: pd.DataFrame):
    asking = rows["licence"].str.startswith("CC-BY") | rows["publisher"].str.contains("SemiAnalysis|MLCommons|Epoch AI", regex=True)
    for line in rows.index[asking & (rows["attribution"] == "")]:
        yield line, "attribution", f"is empty; {rows.at[line, 'publisher']} asks for one; write the text that a report must print"


def _ratios_have_a_direction(rows: pd.DataFrame):
    for line, row in rows.iterrows():
        is_ratio = row["role"] == "ratio"
        if is_ratio != (row["direction"] != ""):
            yield line, "direction", "belongs in ratio rows and only there: as_is (candidate / baseline) or inverse (baseline / candidate)"
        if is_ratio == (row["accelerator"] != ""):
            yield line, "accelerator", "must be empty in ratio rows and named in all others"


def _rows_are_sound(rows: pd.DataFrame):
    for line, rule in soundness.broken_rules(rows):
        yield line, "locator", f"this row breaks a rule of a sound measurement: {rule}; correct it or move it to left_out.csv"


#: what every fact ends in: its source, where in it, its date, what kind of evidence it is
_TAIL = {"source_id": source(), "locator": text(), "date": date(), "kind": label("kind")}


def facts(about: str, *keys: str, of: tuple[str, ...] = (), labels: dict[str, Column] | None = None, is_tiered: bool = False) -> Table:
    """A table of one fact a row: key columns, quantity, value, low, high, source, locator, date, kind, note.

    `of` lists the quantities that it may hold (none: any of the vocabulary), `labels` the key columns that are
    not free text; `is_tiered` adds a column that says how far the source is to be trusted.
    """
    columns = {name: (labels or {}).get(name, text()) for name in keys}
    columns |= {"quantity": quantity(*of), "value": fact(), "low": fact(required=False), "high": fact(required=False)} | _TAIL
    columns |= {"tier": text()} if is_tiered else {}
    return Table(about, columns | {"note": text(required=False)}, (*keys, "quantity"), (value_within_range,))


def dated(about: str, *keys: str, labels: dict[str, Column] | None = None) -> Table:
    """A tiered table of facts in which several sources and dates may speak of the same thing."""
    table = facts(about, *keys, labels=labels, is_tiered=True)
    return replace(table, key=(*table.key, "date", "source_id"))


ACCELERATOR_QUANTITIES = (
    "peak_bf16_dense_tflop_per_s",
    "peak_fp8_dense_tflop_per_s",
    "peak_fp4_dense_tflop_per_s",
    "peak_fp8_sparse_tflop_per_s",
    "peak_fp4_sparse_tflop_per_s",
    "memory_gb",
    "memory_bandwidth_gb_per_s",
    "rated_power_w",
    "accelerator_price_usd",
)
COUNTS = ("n_gpus", "tensor_parallel", "expert_parallel", "n_prefill_gpus", "n_decode_gpus")
_ACCELERATOR = {"accelerator": label("accelerator")}

TABLES: dict[str, Table] = {
    "sources": Table(
        "Where numbers come from: publisher, locator, licence, and the attribution that a report prints.",
        {
            **{name: text() for name in ("source_id", "title", "publisher", "locator")},
            "date": date(),
            "licence": text(),
            "attribution": text(required=False),
            "note": text(required=False),
        },
        ("source_id",),
        (_attribution_where_asked,),
    ),
    "accelerators": facts(
        "What an accelerator is rated at: dense FLOPS by precision, memory, bandwidth, power; prices where sourced.",
        "accelerator",
        of=ACCELERATOR_QUANTITIES,
        labels=_ACCELERATOR,
    ),
    "hourly_rates": facts(
        "Modelled price of a GPU-hour, by accelerator, price basis and vintage of the model.",
        "accelerator",
        "price_basis",
        "rate_vintage",
        of=("rate_usd_per_gpu_h",),
        labels=_ACCELERATOR | {"price_basis": label("price_basis"), "rate_vintage": label("rate_vintage")},
    ),
    "provisioned_power": facts(
        "All-in utility power that must be built for one accelerator (no PUE on top), by vintage of the figure.",
        "accelerator",
        "power_vintage",
        of=("provisioned_kw_per_gpu",),
        labels=_ACCELERATOR | {"power_vintage": label("power_vintage")},
    ),
    "inference": Table(
        "Measured serving runs: configuration, throughput per all GPUs, latency, interactivity.",
        {
            "model": text(),
            "accelerator": label("accelerator"),
            "precision": label("precision"),
            "framework": text(),
            "speculative": label("speculative"),
            "deployment": label("deployment"),
            "isl": whole(),
            "osl": whole(),
            "concurrency": whole(),
            **{name: whole(required=False) for name in COUNTS},
            "total_tok_per_s_per_gpu": number(),
            "output_tok_per_s_per_gpu": number(required=False),
            "is_throughput_derived": flag(),
            "median_ttft_s": number(required=False),
            "median_tpot_s": number(required=False),
            "tok_per_s_per_user": number(),
            "run_date": date(required=False),
            "image": text(required=False),
            "label_basis": label("stated", "matched", "inferred"),
            "campaign": text(),
            "source_id": source(),
            "locator": text(),
            "kind": label("kind"),
            "note": text(required=False),
        },
        ("campaign", "locator"),
        (_rows_are_sound,),
    ),
    "claims": Table(
        "Published claims, number by number as printed: a baseline, a candidate and their ratio for each quantity.",
        {
            "claim_id": text(),
            "title": text(),
            "role": label("baseline", "candidate", "ratio"),
            "accelerator": label(*_ACCELERATOR["accelerator"].values, required=False),
            "quantity": quantity(),
            "printed": text(),
            "direction": label("as_is", "inverse", required=False),
            **_TAIL,
            "note": text(required=False),
        },
        ("claim_id", "role", "quantity"),
        (_ratios_have_a_direction,),
    ),
    "claim_terms": Table(
        "What a claim says, and does not say, about the conditions of its numbers.",
        {"claim_id": text(), "term": text(), "is_stated": flag(), "stated": text(required=False), **_TAIL, "note": text(required=False)},
        ("claim_id", "term"),
    ),
    "captures": Table(
        "How many rows each capture of measurements held, so that kept and left-out rows can be counted against it.",
        {"campaign": text(), "table": text(), "n_rows": whole(), **_TAIL, "note": text(required=False)},
        ("campaign",),
    ),
    "left_out": Table(
        "What was in a source and is not in a table, and why.",
        {"table": text(), "source_id": source(), "locator": text(), "reason": text()},
        ("table", "source_id", "locator"),
    ),
}

#: what a GPU-hour is made of: prices, lives, power, carbon, the reference deployments and published examples
TABLES |= {
    "electricity": dated("Electricity prices by US state and by country, customer class and period.", "region", "customer", "period"),
    "pue": dated("Power usage effectiveness by operator and year.", "operator"),
    "construction": dated("Cost of building a data center per kilowatt of critical IT power.", "region", "building"),
    "colocation": dated("Monthly rent per kilowatt of critical IT power.", "region", "contract"),
    "capex_shares": dated("What AI data centers cost all-in, and the parts of it.", "subject", "item"),
    "system_prices": dated("Prices of accelerators, servers and racks.", "accelerator", "system", labels=_ACCELERATOR),
    "depreciation_lives": dated("Lives of servers and buildings, in the books and in critics' eyes.", "company", "use"),
    "cost_of_capital": dated("What capital costs: filed debt, weighted averages.", "company", "instrument"),
    "operating_costs": dated("Rules and list prices for what is paid beside capital and energy.", "item"),
    "carbon_intensity": dated(
        "Grid carbon by cloud region or country and year.", "region", "name", "grid", "year", labels={"year": whole()}
    ),
    "water_use": dated("Water per kilowatt-hour, at the site and at the power plant.", "boundary", "subject"),
    "embodied_carbon": dated("Carbon of making an accelerator.", "subject", "scope"),
    "rental_prices": replace(
        dated(
            "Prices of a rented GPU-hour by provider, accelerator, basis, term and month.",
            *("provider", "accelerator", "price_basis", "term", "offer", "month", "n_observations"),
            labels=_ACCELERATOR | {"price_basis": label("price_basis"), "month": date(), "n_observations": whole()},
        ),
        key=("provider", "accelerator", "offer", "month", "date", "source_id", "value", "locator"),
    ),
    "systems": facts(
        "The reference systems: what differs between chips.", "accelerator", "system", labels=_ACCELERATOR, is_tiered=True
    ),
    "operators": facts("The reference operators: what does not depend on the chip.", "operator", is_tiered=True),
    "published_cost_shares": facts("Hamilton's and Barroso's cost models: inputs and printed results.", "model", "item", is_tiered=True),
    "levelised_cost_examples": facts("Published levelised-cost examples: inputs and results.", "example", "item", is_tiered=True),
    "providers": Table(
        "Providers that a reader asks for first; a price that is not published stays empty.",
        {
            "provider": text(),
            "is_price_public": flag(),
            "quantity": quantity("rate_usd_per_gpu_h"),
            **{name: fact(required=False) for name in ("value", "low", "high")},
            **_TAIL,
            "tier": text(),
            "note": text(),
        },
        ("provider",),
        (value_within_range,),
    ),
    "power_measurements": Table(
        "Measured power with throughput: boards and whole systems, serving and MLPerf.",
        {
            "accelerator": label("accelerator"),
            **{name: text() for name in ("system", "benchmark", "model")},
            "engine": text(required=False),
            "workload": text(),
            "boundary": label("chip", "node", "it", "facility", "utility"),
            "concurrency": whole(required=False),
            "n_gpus": whole(),
            **{name: whole(required=False) for name in ("isl", "osl")},
            **{name: number(required=False) for name in ("output_tok_per_s_per_gpu", "total_tok_per_s_per_gpu")},
            **{f"{what}_w_per_gpu": number(required=False) for what in ("average", "highest", "idle")},
            "nameplate_w_per_gpu": number(),
            **_TAIL,
            "tier": text(),
            "note": text(),
        },
        ("benchmark", "locator", "workload", "source_id"),
    ),
    "left_out_hour": Table(
        "What was in a source on the cost of an hour and is not in a table, and why.",
        {"table": text(), "source_id": source(), "locator": text(), "reason": text()},
        ("table", "source_id", "locator"),
    ),
}
