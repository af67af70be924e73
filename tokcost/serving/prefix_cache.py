"""What a prefix cache costs and saves: reading a cached token back, reading a new one after a long context, holding the cache.

Benchmarks run without a cache and with prompts of a few thousand tokens. These are what physics says beside them: bytes over a
rated speed, and operations beside those of the measured prompts. None is a measurement of a cache at work.
"""

from __future__ import annotations

from tokcost.quantities import Numbers, check_value
from tokcost.serving.architectures import FLOP_PER_PARAMETER, Architecture

_BYTES_PER_GB = 1e9


def read_gpu_s_per_tok(*, kv_byte_per_tok: Numbers, kv_read_gb_per_s: Numbers) -> Numbers:
    """GPU-seconds to read one cached token from its tier, if the GPU waits for it: its bytes over the speed of one GPU's link.

    The most that it costs where reading overlaps with other requests, and the least where several GPUs hold copies.

    >>> read_gpu_s_per_tok(kv_byte_per_tok=70_000, kv_read_gb_per_s=70)
    1e-06
    """
    check_value("kv_byte_per_tok", kv_byte_per_tok)
    check_value("kv_read_gb_per_s", kv_read_gb_per_s)
    return kv_byte_per_tok / (kv_read_gb_per_s * _BYTES_PER_GB)


def context_ratio(model: Architecture, *, context_tok: Numbers, measured_context_tok: Numbers) -> Numbers:
    """How many times longer a prompt token takes after this much context than after that of the measured runs, by its operations.

    >>> round(context_ratio(tc.serving.architecture("dsr1", "fp8"), context_tok=64_000, measured_context_tok=4096), 1)
    4.2
    """
    check_value("prompt_tok", context_tok)
    check_value("prompt_tok", measured_context_tok)
    alone, over_context = FLOP_PER_PARAMETER * model.active_parameters, model.prefill_attention_flop_per_tok
    return (alone + over_context * context_tok) / (alone + over_context * measured_context_tok)


def hold_s(*, gpu_s_per_tok: Numbers, memory_gb: float, kv_byte_per_tok: float) -> Numbers:
    """Seconds after which a cached token in GPU memory has cost as much as to read it anew: the rent of the memory that it fills.

    A GPU whose memory is full of cache can do nothing else, so a byte of it costs its share of the GPU.

    >>> hold_s(gpu_s_per_tok=1e-4, memory_gb=140, kv_byte_per_tok=70_000)
    200.0
    """
    check_value("gpu_s_per_tok", gpu_s_per_tok)
    check_value("memory_gb", memory_gb)
    check_value("kv_byte_per_tok", kv_byte_per_tok)
    return gpu_s_per_tok * memory_gb * _BYTES_PER_GB / kv_byte_per_tok
