"""The tables of data/: which columns each one has and what a cell may hold.

A table is a file `data/<name>.csv`. To add one, add its entry to `TABLES`: most are
`facts(...)`, one number a row, or `dated(...)` where several sources and dates speak of the same thing.
"""

from __future__ import annotations

from dataclasses import replace

from tokcost.evidence.base_values import names_and_values_are_allowed
from tokcost.evidence.columns import date, fact, flag, label, number, quantity, source, text, whole
from tokcost.evidence.estimate_tables import ESTIMATE_TABLES
from tokcost.evidence.schema_prices import PRICE_TABLES
from tokcost.evidence.tables import (
    TAIL,
    Table,
    attribution_where_asked,
    dated,
    each_term_is_defined_once,
    facts,
    joules_are_watts_over_rate,
    no_measurement_stands_twice,
    ratios_have_a_direction,
    rows_are_sound,
    value_within_range,
)
from tokcost.evidence.traffic_tables import TRAFFIC_TABLES

ACCELERATOR_QUANTITIES = (
    *(f"peak_{precision}_dense_tflop_per_s" for precision in ("bf16", "fp8", "fp4")),
    *(f"peak_{precision}_sparse_tflop_per_s" for precision in ("fp8", "fp4")),
    *("memory_gb", "memory_bandwidth_gb_per_s", "scale_up_gb_per_s", "rated_power_w", "accelerator_price_usd"),
)
COUNTS = ("n_gpus", "tensor_parallel", "expert_parallel", "n_prefill_gpus", "n_decode_gpus")
_ACCELERATOR = {"accelerator": label("accelerator")}

TABLES: dict[str, Table] = {
    "sources": Table(
        "Where numbers come from: publisher, locator, licence, and the attribution that a report prints.",
        {
            **{name: text() for name in ("source_id", "title", "publisher", "locator")},
            "date": date(),
            "grade": label("grade"),
            "licence": text(),
            "attribution": text(required=False),
            "note": text(required=False),
        },
        ("source_id",),
        (attribution_where_asked,),
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
        (rows_are_sound, no_measurement_stands_twice),
    ),
    "mlperf_inference": Table(
        "MLPerf Inference results of language models: output tokens per second of a whole system, by round, division and scenario.",
        {
            "round": text(),
            "published_date": date(),
            "division": label("closed", "open"),
            "availability": label("available", "preview", "rdi"),
            **{name: text() for name in ("submitter", "system", "platform", "accelerator", "accelerator_name")},
            "n_gpus": whole(),
            "model": text(),
            "scenario": label("offline", "server", "interactive"),
            "output_tok_per_s": number(),
            "output_tok_per_s_per_gpu": number(),
            "system_power_w": number(required=False),
            "weight_types": text(required=False),
            "software": text(required=False),
            "is_inferred": flag(),
            "source_id": source(),
            "locator": text(),
            "kind": label("kind"),
            "note": text(required=False),
        },
        ("source_id", "locator"),
    ),
    "software_progress": Table(
        "The same accelerator and model before and after a change of software, as published; MLPerf rounds are in mlperf_inference.",
        {
            **{name: text() for name in ("accelerator", "model", "workload", "metric")},
            "quantity": quantity("total_tok_per_s_per_gpu", "throughput_ratio", "interactivity_ratio"),
            "from_date": date(),
            "from_version": text(),
            "from_value": fact(),
            "to_date": date(),
            "to_version": text(),
            "to_value": fact(),
            "evidence_class": label("engine_version", "first_days", "configuration_change", "vendor_statement", "project_statement"),
            **TAIL,
            "note": text(required=False),
        },
        ("accelerator", "model", "workload", "metric", "from_date", "from_version", "to_version"),
    ),
    "claims": Table(
        "Published claims, number by number as printed: a baseline, a candidate and their ratio for each quantity.",
        {
            "claim_id": text(),
            "title": text(),
            "role": label("baseline", "candidate", "ratio"),
            "accelerator": label("accelerator", required=False),
            "quantity": quantity(),
            "printed": text(),
            "direction": label("as_is", "inverse", required=False),
            **TAIL,
            "note": text(required=False),
        },
        ("claim_id", "role", "quantity"),
        (ratios_have_a_direction,),
    ),
    "claim_terms": Table(
        "What a claim says, and does not say, about the conditions of its numbers, and which measured runs that selects.",
        {
            "claim_id": text(),
            "term": text(),
            "is_stated": flag(),
            "stated": text(required=False),
            "role": label("baseline", "candidate", required=False),
            "column": text(required=False),
            "value": text(required=False),
            **TAIL,
            "note": text(required=False),
        },
        ("claim_id", "term"),
    ),
    "terms": Table(
        "Terms of the glossary, each in a sentence, or the quantity of the vocabulary that it is.",
        {
            "term": text(),
            "also": text(required=False),
            "quantity": text(required=False),
            "definition": text(required=False),
            "reference": text(required=False),
        },
        ("term",),
        (each_term_is_defined_once,),
    ),
    "labels": Table(
        "What chips, models, price lists, precisions and load profiles are called, and what serving tools call a model.",
        {"name": text(), "value": text(required=False), "label": text(), "served_as": text(required=False)},
        ("name", "value"),
    ),
    "captures": Table(
        "How many rows each capture of measurements held, so that kept and excluded rows can be counted, and how far it compares.",
        {"campaign": text(), "table": text(), "n_rows": whole(), "comparability_note": text(), **TAIL, "note": text(required=False)},
        ("campaign",),
    ),
    "excluded_rows": Table(
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
    "operating_costs": dated("Rules and list prices for what is paid besides capital and energy.", "item"),
    "carbon_intensity": dated(
        "Grid carbon by cloud region or country and year; a region that lies in one US state names it.",
        *("region", "name", "grid", "country", "state", "year"),
        labels={"state": text(required=False), "year": whole()},
    ),
    "water_use": dated(
        "Water per kilowatt-hour, at the site and at the power plant, by country, US state or for the world (WOR).",
        *("boundary", "region", "subject"),
    ),
    "clock_limits": dated("What a limit on the clock saves of a token's energy, and what output it leaves.", "study", "hardware", "scope"),
    "embodied_carbon": dated("Carbon of making an accelerator.", "subject", "scope"),
    "rental_prices": replace(
        dated(
            "Prices of a rented GPU-hour by provider, accelerator, basis, term and month.",
            *("provider", "accelerator", "price_basis", "term", "offer", "month", "n_observations"),
            labels=_ACCELERATOR | {"price_basis": label("price_basis"), "month": date(), "n_observations": whole()},
        ),
        key=("provider", "accelerator", "offer", "month", "date", "source_id", "value", "locator"),
    ),
    "systems": facts("The reference systems: what differs between chips.", "accelerator", "system", labels=_ACCELERATOR, is_tiered=True),
    "operators": facts("The reference operators: what does not depend on the chip.", "operator", is_tiered=True),
    "published_cost_shares": facts("Hamilton's and Barroso's cost models: inputs and printed results.", "model", "item", is_tiered=True),
    "levelised_cost_examples": facts("Published levelised-cost examples: inputs and results.", "example", "item", is_tiered=True),
    "providers": Table(
        "Providers that a reader asks for first; a price that is not published stays empty.",
        {
            "provider": text(),
            "sells_tokens_as": text(required=False),
            "is_price_public": flag(),
            "quantity": quantity("rate_usd_per_gpu_h"),
            **{name: fact(required=False) for name in ("value", "low", "high")},
            **TAIL,
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
            **TAIL,
            "tier": text(),
            "note": text(),
        },
        ("benchmark", "locator", "workload", "source_id"),
    ),
    "token_energy": Table(
        "Joules per output token, measured at the boards of a server that answers real prompts: by model, task, chip and batch.",
        {
            **{name: text() for name in ("model", "task")},
            **{name: number() for name in ("published_total_parameters", "published_active_parameters")},
            **_ACCELERATOR,
            "precision": label("precision"),
            **{name: whole() for name in ("n_gpus", "tensor_parallel", "expert_parallel", "data_parallel", "concurrency")},
            **{name: number() for name in ("output_tok", "output_tok_per_s_per_gpu", "average_w_per_gpu", "median_itl_s")},
            "output_token_energy_joule_per_tok": number(),
            **TAIL,
            "note": text(required=False),
        },
        ("source_id", "locator"),
        (joules_are_watts_over_rate,),
    ),
    "excluded_hour_rows": Table(
        "What was in a source on the cost of an hour and is not in a table, and why.",
        {"table": text(), "source_id": source(), "locator": text(), "reason": text()},
        ("table", "source_id", "locator"),
    ),
    "evidence_widths": Table(
        "How far off a figure may be that states no range of its own, by the kind of its evidence.",
        {"evidence_kind": label("kind"), "spread_ratio": number(), **TAIL, "note": text(required=False)},
        ("evidence_kind",),
    ),
    "observed_spreads": Table(
        "How far off runs, readings and price lists turned out to be: quantiles of the truth over the figure, derived from other tables.",
        {
            **{name: text() for name in ("doubt", "group")},
            **{name: number() for name in ("quantile_frac", "truth_ratio")},
            "n_observations": whole(),
            **TAIL,
        },
        ("doubt", "group", "quantile_frac"),
    ),
    "base_case": Table(
        "The one set of inputs that every notebook begins with, each with its reason.",
        {name: text() for name in ("name", "value", "reason")},
        ("name",),
        (names_and_values_are_allowed,),
    ),
}

TABLES |= ESTIMATE_TABLES | PRICE_TABLES | TRAFFIC_TABLES
