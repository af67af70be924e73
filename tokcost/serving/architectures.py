"""What a served model asks of a chip: bytes of its weights, bytes of its cache, arithmetic of a token. A model is a row of data/.

Sizes follow from the published configuration: matrices are counted, norms and biases (below a thousandth) are not. A step reads
the output head but not the table of input embeddings, of which it needs one row a token.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from types import SimpleNamespace

import numpy as np

from tokcost import evidence
from tokcost.quantities import QuantityError, nearest

#: bytes of a stored parameter; FP4 has one more byte, its scale, for every 16
BYTES_PER_PARAMETER = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5 + 1 / 16}
#: what caches, activations and the output head are kept in; servers quantise the cache only where one asks for it
BYTES_BF16 = BYTES_PER_PARAMETER["bf16"]
#: matrices of a gated feed-forward block: gate, up and down
_FFN_MATRICES = 3
#: multiply and add
FLOP_PER_PARAMETER = 2
LATENT = "mla"


@dataclass(frozen=True)
class Architecture:
    """The sizes of one model, whole: bytes at a precision, per token or for all layers, before any split over GPUs.

    `n_kv_heads` is 0 where the cache is latent (MLA) and cannot be split by heads; `expert_share_frac` is the share of routed experts
    that one token uses (1 without experts). A token of the cache takes `cache_bytes_per_tok` in all layers that see the whole context,
    and `windowed_cache_bytes_per_tok` in those that see the last `window` tokens.
    """

    model: str
    precision: str
    n_layers: int
    n_expert_layers: int
    hidden_size: int
    n_kv_heads: int
    attention_bytes: float
    ffn_bytes: float
    expert_bytes: float
    head_bytes: float
    expert_share_frac: float
    cache_bytes_per_tok: float
    windowed_cache_bytes_per_tok: float
    window: int
    active_parameters: float
    total_parameters: float
    decode_attention_flop_per_tok: float
    prefill_attention_flop_per_tok: float
    windowed_layers_frac: float
    has_draft_layer: bool

    @property
    def weight_bytes(self) -> float:
        """All weights in memory; the head counts twice, as the table of embeddings is as large."""
        return self.attention_bytes + self.ffn_bytes + self.expert_bytes + 2 * self.head_bytes


def architecture(model: str, precision: str) -> Architecture:
    """The sizes of a model with its weights in a precision, from its row of data/model_architectures.csv.

    Raises: QuantityError for a precision that is none; NoSuchRow, a kind of it, for a model that has no row.

    >>> llama = architecture("llama8b", "bf16")
    >>> round(llama.total_parameters / 1e9, 2), llama.cache_bytes_per_tok
    (8.03, 131072.0)
    """
    if precision not in BYTES_PER_PARAMETER:
        raise QuantityError(f"unknown precision `{precision}`{nearest(precision, BYTES_PER_PARAMETER)}")
    row = evidence.load_table("model_architectures", model=model).iloc[0]
    return _sized(precision, *(row[name] for name in _SIZES))


def has_experts(model: str) -> bool:
    """Whether a step of the model chooses among experts.

    >>> has_experts("dsr1"), has_experts("llama70b")
    (True, False)
    """
    return bool(evidence.load_table("model_architectures", model=model)["n_experts"].iloc[0])


_SIZES = (
    *("model", "n_layers", "n_dense_layers", "hidden_size", "n_heads", "n_kv_heads", "head_size", "ffn_size", "n_experts"),
    *("n_experts_per_tok", "expert_ffn_size", "n_shared_experts", "vocabulary_size", "attention", "q_lora_rank", "kv_lora_rank"),
    *("rope_head_size", "sliding_window", "n_sliding_layers", "n_mtp_layers", "fp4_attention_precision"),
)


@functools.lru_cache(maxsize=256)
def _sized(precision: str, *sizes) -> Architecture:
    a = SimpleNamespace(**{name: value if isinstance(value, str) else int(value) for name, value in zip(_SIZES, sizes, strict=True)})
    if a.attention == LATENT:
        key_size = a.head_size + a.rope_head_size
        queries = a.hidden_size * a.q_lora_rank + a.q_lora_rank * a.n_heads * key_size
        latents = a.hidden_size * (a.kv_lora_rank + a.rope_head_size) + a.kv_lora_rank * a.n_heads * 2 * a.head_size
        attention = queries + latents + a.n_heads * a.head_size * a.hidden_size
        cached = a.kv_lora_rank + a.rope_head_size
        decode_width, prefill_width = a.n_heads * (cached + a.kv_lora_rank), a.n_heads * (key_size + a.head_size)
    else:
        attention = 2 * a.hidden_size * a.head_size * (a.n_heads + a.n_kv_heads)
        cached = 2 * a.n_kv_heads * a.head_size
        decode_width = prefill_width = 2 * a.n_heads * a.head_size
    n_expert_layers = a.n_layers - a.n_dense_layers
    ffn = _FFN_MATRICES * a.hidden_size * (a.ffn_size * a.n_dense_layers + a.expert_ffn_size * a.n_shared_experts * n_expert_layers)
    experts = _FFN_MATRICES * a.hidden_size * a.expert_ffn_size * a.n_experts * n_expert_layers
    share = a.n_experts_per_tok / a.n_experts if a.n_experts else 1.0
    head = a.vocabulary_size * a.hidden_size
    kept = BYTES_PER_PARAMETER[a.fp4_attention_precision if precision == "fp4" else precision]
    per_parameter = BYTES_PER_PARAMETER[precision]
    return Architecture(
        model=a.model,
        precision=precision,
        n_layers=a.n_layers,
        n_expert_layers=n_expert_layers,
        hidden_size=a.hidden_size,
        n_kv_heads=0 if a.attention == LATENT else a.n_kv_heads,
        attention_bytes=attention * a.n_layers * kept,
        ffn_bytes=ffn * per_parameter,
        expert_bytes=experts * per_parameter,
        head_bytes=head * BYTES_BF16,
        expert_share_frac=share,
        cache_bytes_per_tok=cached * BYTES_BF16 * (a.n_layers - a.n_sliding_layers),
        windowed_cache_bytes_per_tok=cached * BYTES_BF16 * a.n_sliding_layers,
        window=a.sliding_window,
        active_parameters=attention * a.n_layers + ffn + experts * share + head,
        total_parameters=attention * a.n_layers + ffn + experts + 2 * head,
        decode_attention_flop_per_tok=FLOP_PER_PARAMETER * decode_width * a.n_layers,
        prefill_attention_flop_per_tok=FLOP_PER_PARAMETER * prefill_width * a.n_layers,
        windowed_layers_frac=a.n_sliding_layers / a.n_layers,
        has_draft_layer=a.n_mtp_layers > 0,
    )


def stacked(architectures: list[Architecture]) -> SimpleNamespace:
    """Sizes of many models side by side, as arrays: one a row of a table of runs.

    >>> stacked([architecture("llama8b", "bf16"), architecture("dsr1", "fp8")]).n_layers.tolist()
    [32.0, 61.0]
    """
    names = [field.name for field in fields(Architecture) if field.name not in ("model", "precision")]
    return SimpleNamespace(**{name: np.array([getattr(one, name) for one in architectures], dtype=float) for name in names})
