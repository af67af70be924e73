"""The tables of recorded traffic: its rhythm, what it asks for, how long its requests are, and where their cache may lie."""

from __future__ import annotations

from tokcost.evidence.columns import fact, label, number, quantity, text, whole
from tokcost.evidence.tables import TAIL, Table, facts

TRAFFIC_QUANTITIES = (
    *("arrival_cv", "gap_cv", "answer_length_cv", "offered_request_per_s", "weekend_to_weekday_ratio"),
    *("isl", "osl", "prompt_to_output_ratio", "cached_input_frac", "reasoning_frac"),
    *("requests_per_session", "turns_per_session", "median_turns_per_session", "median_gap_s"),
    *("median_input_tok", "median_cached_input_tok", "median_output_tok"),
)

TRAFFIC_TABLES: dict[str, Table] = {
    "traffic_hours": Table(
        "The rhythm of recorded services: the request rate of each hour, relative to the mean, and its busiest minutes over the hour.",
        {
            "trace": text(),
            "hour": whole(),
            "first_weekday": text(required=False),
            "relative_rate_ratio": number(),
            "within_hour_peak_ratio": number(),
            "peak_window_s": number(),
            **TAIL,
        },
        ("trace", "hour"),
    ),
    "traffic": facts(
        "What recorded services are asked for: arrivals and how uneven they are, lengths, cached shares, sessions.",
        "trace",
        of=TRAFFIC_QUANTITIES,
    ),
    "traffic_lengths": Table(
        "Quantiles of the lengths of recorded requests, and of the share of a prompt that a cache could give.",
        {
            "trace": text(),
            "quantity": quantity("isl", "osl", "cached_input_frac", "reasoning_frac"),
            "quantile_frac": number(),
            "value": fact(),
            **TAIL,
            "note": text(required=False),
        },
        ("trace", "quantity", "quantile_frac"),
    ),
    "memory_tiers": facts(
        "How fast one GPU reads a prefix cache back from a tier of memory other than its own.",
        "accelerator",
        "tier",
        of=("kv_read_gb_per_s",),
        labels={"accelerator": label("accelerator")},
    ),
}
