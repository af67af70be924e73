"""How long a server takes for one token of every user, term by term, and what it therefore delivers.

    time per token = overhead + weights + cache + compute + communication   of the step that decodes the batch
                   + (batch - 1) x prefill of a request / answer length     prefill of others, in the same steps

The terms add up: what is measured shows little overlap. Each is a size over a rated speed, and a constant of data/calibration.csv
says which share of the rated speed served runs were found to reach. These effective constants hold everything that the terms leave
out (paging, schedulers, imbalance); they are no utilization of anything and are not to be read as such.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

import numpy as np

from tokcost.serving.architectures import BYTES_BF16, FLOP_PER_PARAMETER, Architecture

#: the terms, in the order of tables and figures
TERMS = ("overhead_s", "weights_s", "kv_s", "compute_s", "communication_s", "prefill_s")
#: attention and the block after it each gather their parts from all GPUs
ALL_REDUCES_PER_LAYER = 2
#: with one draft token, a step checks it and the one that it follows
TOK_PER_DRAFTED_STEP = 2

#: share of the memory that a server fills, and what it needs there besides weights and cache
FILLED_FRAC = 0.92
RESERVED_BYTES = 3e9
BYTES_PER_GIB = 2.0**30


@dataclass(frozen=True)
class Constants:
    """The effective constants, one row each of data/calibration.csv, which says what each means."""

    fixed_step_s: float
    layer_s: float
    expert_layer_s: float
    weight_bandwidth_frac: float
    expert_bandwidth_frac: float
    kv_bandwidth_frac: float
    decode_compute_frac: float
    decode_attention_frac: float
    all_reduce_s: float
    all_reduce_link_frac: float
    request_s: float
    prefill_compute_frac: float
    prefill_expert_compute_frac: float
    prefill_attention_frac: float
    prefill_link_frac: float
    first_token_prefills: float
    first_token_prefills_per_root_batch: float
    draft_tok_per_step: float


CONSTANTS = tuple(field.name for field in fields(Constants))


@dataclass(frozen=True)
class Chip:
    """What one accelerator is rated at, in bytes and operations per second; numbers, or arrays with one a run."""

    memory_bytes: Any
    memory_bytes_per_s: Any
    link_bytes_per_s: Any
    flop_per_s: Any
    bf16_flop_per_s: Any


@dataclass(frozen=True)
class Load:
    """What is served how: requests in flight over all GPUs, mean lengths, GPUs that hold one copy, and how many split attention.

    `attention_gpus` is `n_gpus` with tensor parallelism and 1 with data-parallel attention, where each GPU attends to its own requests.
    """

    batch: Any
    isl: Any
    osl: Any
    n_gpus: Any
    attention_gpus: Any
    is_drafted: Any = False

    @property
    def own_batch(self) -> Any:
        """Sequences whose attention one GPU takes part in."""
        return self.batch * self.attention_gpus / self.n_gpus

    @property
    def tok_per_step(self) -> Any:
        return np.where(self.is_drafted, TOK_PER_DRAFTED_STEP, 1)


def read_experts_frac(share_frac: Any, n_tok: Any) -> Any:
    """Share of the experts that a step reads: those that at least one of its tokens chose, each choosing by chance.

    >>> float(read_experts_frac(8 / 256, 1)), round(float(read_experts_frac(8 / 256, 64)), 3)
    (0.03125, 0.869)
    """
    return 1 - (1 - share_frac) ** n_tok


def cache_share_frac(model: Architecture | SimpleNamespace, attention_gpus: Any) -> Any:
    """Share of a sequence's cache that each of the GPUs that split its attention holds: by heads, as far as there are heads.

    >>> from tokcost.serving.architectures import architecture
    >>> float(cache_share_frac(architecture("qwen3-235b", "fp8"), 8)), float(cache_share_frac(architecture("dsr1", "fp8"), 8))
    (0.25, 1.0)
    """
    heads = np.maximum(model.n_kv_heads, 1)
    return np.where(model.n_kv_heads == 0, 1.0, np.maximum(1, heads / attention_gpus) / heads)


def cache_bytes(model: Architecture | SimpleNamespace, n_tok: Any) -> Any:
    """Cache of one sequence of that many tokens, whole."""
    return model.cache_bytes_per_tok * n_tok + model.windowed_cache_bytes_per_tok * np.minimum(n_tok, model.window)


def weight_bytes_per_gpu(model: Architecture | SimpleNamespace, load: Load) -> Any:
    """Weights that each GPU holds: attention, embeddings and head split as attention is, the rest over all."""
    return (model.attention_bytes + 2 * model.head_bytes) / load.attention_gpus + (model.ffn_bytes + model.expert_bytes) / load.n_gpus


def largest_batch(model: Architecture | SimpleNamespace, chip: Chip, load: Load) -> Any:
    """How many requests of full length fit beside the weights, over all GPUs; below 1 not even one."""
    left = FILLED_FRAC * chip.memory_bytes - RESERVED_BYTES - weight_bytes_per_gpu(model, load)
    one = cache_bytes(model, load.isl + load.osl) * cache_share_frac(model, load.attention_gpus)
    return left / one * load.n_gpus / load.attention_gpus


def _seen(model: Architecture | SimpleNamespace, n_tok: Any) -> Any:
    """Tokens that attention of an average layer looks back on."""
    windowed = model.windowed_layers_frac
    return (1 - windowed) * n_tok + windowed * np.minimum(n_tok, model.window)


def all_reduces(model: Architecture | SimpleNamespace, load: Load) -> Any:
    """All-reduces of a step; with data-parallel attention one a layer is left, of experts."""
    per_layer = np.where(load.attention_gpus < load.n_gpus, ALL_REDUCES_PER_LAYER - 1, ALL_REDUCES_PER_LAYER)
    return np.where(load.n_gpus > 1, per_layer * model.n_layers, 0)


def step_terms(model: Architecture | SimpleNamespace, chip: Chip, load: Load, of: Constants) -> dict[str, Any]:
    """Seconds of one decode step by term: overhead, weights, cache, compute, communication. One step makes a token for each user."""
    n_tok = load.batch * load.tok_per_step
    context = load.isl + load.osl / 2
    dense = (model.attention_bytes + model.head_bytes) / load.attention_gpus + model.ffn_bytes / load.n_gpus
    experts = model.expert_bytes * read_experts_frac(model.expert_share_frac, n_tok) / load.n_gpus
    cache = load.own_batch * cache_bytes(model, context) * cache_share_frac(model, load.attention_gpus)
    matrices = FLOP_PER_PARAMETER * model.active_parameters * n_tok / load.n_gpus
    tok_attended = load.own_batch * load.tok_per_step * _seen(model, context)
    attention = model.decode_attention_flop_per_tok * tok_attended / load.attention_gpus
    moved = 2 * (load.n_gpus - 1) / load.n_gpus * load.own_batch * load.tok_per_step * model.hidden_size * BYTES_BF16
    return {
        "overhead_s": of.fixed_step_s + model.n_layers * of.layer_s + model.n_expert_layers * of.expert_layer_s,
        "weights_s": (dense / of.weight_bandwidth_frac + experts / of.expert_bandwidth_frac) / chip.memory_bytes_per_s,
        "kv_s": cache / of.kv_bandwidth_frac / chip.memory_bytes_per_s,
        "compute_s": matrices / of.decode_compute_frac / chip.flop_per_s + attention / of.decode_attention_frac / chip.bf16_flop_per_s,
        "communication_s": all_reduces(model, load) * (of.all_reduce_s + moved / of.all_reduce_link_frac / chip.link_bytes_per_s),
    }


def request_prefill_s(model: Architecture | SimpleNamespace, chip: Chip, load: Load, of: Constants, *, is_alone: bool = True) -> Any:
    """Seconds of the whole deployment that the prompt of one request takes: arithmetic or reading all weights once, and gathering.

    Where not `is_alone`, the prompt is taken in pieces along with steps that decode others: these read the weights anyway.
    """
    share = np.where(model.n_expert_layers > 0, of.prefill_expert_compute_frac, of.prefill_compute_frac)
    matrices = FLOP_PER_PARAMETER * model.active_parameters * load.isl / share / chip.flop_per_s
    attention = model.prefill_attention_flop_per_tok * load.isl * _looked_back_on(model, load.isl)
    compute = (matrices + attention / of.prefill_attention_frac / chip.bf16_flop_per_s) / load.n_gpus
    read = read_experts_frac(model.expert_share_frac, load.isl)
    dense_bytes = model.attention_bytes + model.head_bytes + model.ffn_bytes
    weights = (dense_bytes + model.expert_bytes * read) / load.n_gpus / chip.memory_bytes_per_s if is_alone else 0.0
    tok_moved = load.isl * load.attention_gpus / load.n_gpus
    moved = 2 * (load.n_gpus - 1) / load.n_gpus * tok_moved * model.hidden_size * BYTES_BF16
    gather = all_reduces(model, load) * moved / of.prefill_link_frac / chip.link_bytes_per_s
    return of.request_s + np.hypot(compute, weights) + gather


def _looked_back_on(model: Architecture | SimpleNamespace, isl: Any) -> Any:
    """Tokens that a token of the prompt looks back on, on average: half of the prompt, or a window where that is shorter."""
    windowed = model.windowed_layers_frac
    return (1 - windowed) * isl / 2 + windowed * np.minimum(isl / 2, model.window)


def served(model: Architecture | SimpleNamespace, chip: Chip, load: Load, of: Constants) -> dict[str, Any]:
    """Terms of the time of one token, their sum, the first token's time, and output tokens per second and GPU.

    Every request in flight is replaced as it ends, so that each token waits for the prefill of its share of the other requests; the
    first token comes after its own prefill, some of those before it in the queue, and a step.
    """
    step = step_terms(model, chip, load, of)
    written = np.where(load.is_drafted, of.draft_tok_per_step, 1.0)
    prefill = request_prefill_s(model, chip, load, of)
    terms = {name: seconds / written for name, seconds in step.items()}
    terms["prefill_s"] = (load.batch - 1) * request_prefill_s(model, chip, load, of, is_alone=False) / load.osl
    tpot = sum(terms.values())
    queued = of.first_token_prefills + of.first_token_prefills_per_root_batch * np.sqrt(load.batch)
    ttft = prefill * queued + sum(step.values())
    output = load.batch * load.osl / (ttft + (load.osl - 1) * tpot) / load.n_gpus
    return terms | {"tpot_s": tpot, "ttft_s": ttft, "output_tok_per_s_per_gpu": output}
