"""Histories of prices: tokens by model and provider, GPU-hours by month."""

from __future__ import annotations

from tokcost.evidence.columns import date, fact, flag, label, number, quantity, source, text, whole
from tokcost.evidence.tables import Table, value_within_range

PRICE_TABLES: dict[str, Table] = {
    "api_price_history": Table(
        "What a provider asked for a million tokens of one listing, when it was seen first and last, and which measured model it is.",
        {
            **{name: text() for name in ("provider", "family", "listing")},
            "model": label("model", required=False),
            "checkpoint": text(required=False),
            "input_price_usd_per_mtok": number(),
            "cached_input_price_usd_per_mtok": number(required=False),
            "output_price_usd_per_mtok": number(),
            "first_seen": date(),
            "last_seen": date(),
            "is_unchecked": flag(),
            "condition": text(required=False),
            "source_id": source(),
            "locator": text(),
            "kind": label("kind"),
            "note": text(required=False),
        },
        ("provider", "listing", "condition", "first_seen", "source_id", "locator"),
    ),
    "gpu_prices_monthly": Table(
        "The median price of a GPU-hour in one month at one provider, and whether it only repeats an earlier month's.",
        {
            **{name: text() for name in ("provider", "accelerator", "offer")},
            "month": date(),
            "n_observations": whole(),
            "quantity": quantity("rate_usd_per_gpu_h"),
            **{name: fact(required=name == "value") for name in ("value", "low", "high")},
            "is_repeat": flag(),
            "source_id": source(),
            "locator": text(),
            "kind": label("kind"),
            "note": text(required=False),
        },
        ("provider", "accelerator", "offer", "month", "source_id", "locator"),
        (value_within_range,),
    ),
}
