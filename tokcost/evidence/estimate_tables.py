"""The tables that throughput is estimated from where nothing was measured, what that gave, and the own runs that it is tested on."""

from __future__ import annotations

from tokcost.evidence.columns import fact, flag, label, number, text, whole
from tokcost.evidence.tables import TAIL, Table

ARCHITECTURE_SIZES = (
    *("n_layers", "n_dense_layers", "hidden_size", "n_heads", "n_kv_heads", "head_size", "ffn_size", "n_experts", "n_experts_per_tok"),
    *("expert_ffn_size", "n_shared_experts"),
    *("vocabulary_size", "q_lora_rank", "kv_lora_rank", "rope_head_size", "sliding_window", "n_sliding_layers", "n_mtp_layers"),
)
#: what an estimate rests on, the best first
ESTIMATE_BASES = (
    *(
        f"{anchored}, {far}"
        for anchored in ("anchored", "anchored, other maker")
        for far in ("between two anchors", "half to twice its load", "another load")
    ),
    *(f"calibrated, {kind}" for kind in ("dense model", "model with experts", "speculative decoding")),
    "textbook",
)

ESTIMATE_TABLES: dict[str, Table] = {
    "accelerator_makers": Table(
        "Who makes an accelerator: effective constants carry over between chips of one maker.",
        {"accelerator": label("accelerator"), "maker": label("nvidia", "amd", "google", "amazon", "intel", "openai"), **TAIL},
        ("accelerator",),
    ),
    "model_architectures": Table(
        "Sizes of a model's layers, from its published configuration; 0 where it has no such part.",
        {
            **{name: text() for name in ("model", "name")},
            **{name: whole() for name in ARCHITECTURE_SIZES[:12]},
            "attention": label("gqa", "mla"),
            **{name: whole() for name in ARCHITECTURE_SIZES[12:]},
            "fp4_attention_precision": label("precision"),
            **{name: number() for name in ("published_total_parameters", "published_active_parameters")},
            **TAIL,
            "note": text(required=False),
        },
        ("model",),
    ),
    "calibration": Table(
        "Effective constants of the estimate of throughput, fitted to measured runs; what they are not is a utilization.",
        {
            "constant": text(),
            "value": fact(),
            "textbook_value": number(),
            "meaning": text(),
            "n_rows": whole(),
            "rows_sha256": text(),
            **TAIL,
        },
        ("constant",),
    ),
    "estimate_errors": Table(
        "What was measured over what was estimated without it: quantiles, by what the estimate rests on and whether load or speed is held.",
        {
            "basis": label(*ESTIMATE_BASES),
            "reading": label("at a load", "at a speed"),
            **{name: number() for name in ("quantile_frac", "truth_ratio")},
            "n_observations": whole(),
            **TAIL,
        },
        ("basis", "reading", "quantile_frac"),
    ),
    "estimate_accuracy": Table(
        "How far off estimates of throughput are, by method and by the chip or model that no constant was fitted to.",
        {
            "method": text(),
            "left_out": label("accelerator", "model", "run", "nothing"),
            "held_out": text(),
            "reading": label("at a load", "at a speed"),
            "n_observations": whole(),
            **{name: number() for name in ("median_error_frac", "high_error_frac")},
            **{f"{end}coverage_frac": number(required=False) for end in ("", "low_", "high_")},
            **TAIL,
        },
        ("method", "left_out", "held_out", "reading"),
    ),
    "own_gpu_runs": Table(
        "Static batches of one model on single cards, by level of software: prefill, decode step, power. Not comparable with servers.",
        {
            "model": label("model"),
            "accelerator": label("accelerator"),
            "precision": label("precision"),
            "software_level": label("eager_library", "library_direct_call", "cuda_graph", "fused_kernels", "fused_kernels_fp8"),
            **{name: whole() for name in ("batch", "isl", "osl")},
            "prefill_s": number(required=False),
            "is_prefill_scaled": flag(),
            "decode_step_s": number(required=False),
            "context_1024_decode_step_s": number(),
            "context_2048_decode_step_s": number(required=False),
            **{f"{name}_tok_per_s_per_gpu": number(required=False) for name in ("output", "total")},
            "tok_per_s_per_user": number(required=False),
            **{f"{phase}_average_w_per_gpu": number(required=False) for phase in ("decode", "prefill")},
            "decode_output_token_energy_joule_per_tok": number(required=False),
            "output_token_energy_joule_per_tok": number(required=False),
            "sm_clock_mhz": number(required=False),
            "is_power_limited": flag(),
            "driver": text(),
            "software": text(),
            **TAIL,
            "note": text(required=False),
        },
        ("accelerator", "software_level", "batch", "source_id"),
    ),
}
