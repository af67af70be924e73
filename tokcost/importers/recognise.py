"""Which reader a file belongs to, from its content; and what other files of the tools are."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from tokcost.importers import (
    aiperf,
    conversations,
    evalscope,
    genai_bench,
    guidellm,
    inference_perf,
    inferencex,
    llama_bench,
    llmd_report,
    llmperf,
    mlperf,
    trtllm,
    vllm,
    vllm_offline,
)
from tokcost.importers.fields import dig

#: readers of JSON or YAML objects; the first whose `matches` says so reads the object
READERS = (
    aiperf, guidellm, inferencex, genai_bench, llmperf, inference_perf, llmd_report, mlperf, trtllm, evalscope, llama_bench, conversations,
    vllm, vllm_offline,
)  # fmt: skip
#: readers of tables; the first whose `matches_text` knows the beginning reads the file
TEXT_READERS = (inferencex, conversations)

#: keys that tell a file which tools write next to their results; the first that has all of them
_COMPANIONS = {
    "AIPerf's time slices of a run": {"timeslices"},
    "AIPerf's averages over repeated runs, which are imported one by one": {"aggregation_type"},
    "AIPerf's manifest of phases": {"phases", "schema_version"},
    "AIPerf's configuration of a run": {"benchmark_id", "cfg"},
    "AIPerf's copy of server metrics or GPU telemetry": {"schema_version", "warnings", "phase"},
    "AIPerf's copy of server metrics": {"metrics_phase"},
    "perf_analyzer's raw times, summarised by genai-perf": {"experiments", "service_kind"},
    "inference-perf's check of its own reports": {"reports", "global"},
    "inference-perf's configuration": {"load", "server", "api"},
    "EvalScope's arguments of a run": {"parallel", "api", "dataset", "url"},
    "EvalScope's throughput over time": {"n_samples", "wall_time_s", "rows"},
    "EvalScope's timeline of a run": {"wall_start", "points"},
    "EvalScope's percentiles, which are read with the summary next to them": {"Percentiles"},
    "inference-perf's single requests": {"start_time", "end_time", "request", "response"},
    "genai-bench's description of an experiment": {"benchmark_version", "experiment_folder_name"},
    "llmperf's single responses": {"inter_token_latency_s", "ttft_s"},
    "vLLM's copy of a result in PyTorch's form": {"benchmark", "metric"},
    "the prompts that AIPerf or genai-perf sent": {"data"},
}


def reader(content: Any) -> ModuleType | None:
    """The module that reads this object, or None.

    >>> reader({"hw": "h200", "tput_per_gpu": 98.8}).__name__.split(".")[-1]
    'inferencex'
    """
    if not isinstance(content, Mapping):
        return None
    return next((module for module in READERS if module.matches(content)), None)


def companion(content: Any) -> str | None:
    """What a file is that a tool writes next to its results, or None."""
    if isinstance(content, list):
        content = content[0] if content else None
    if not isinstance(content, Mapping):
        return None
    keys = set(content)
    for what, needed in _COMPANIONS.items():
        if needed <= keys:
            return what
    if dig(content, "metadata", "aggregation_type") is not None:
        return "AIPerf's averages over repeated runs, which are imported one by one"
    return None


def other_kind(content: Any) -> str | None:
    """`power`, `server` or `billing`, if the file is evidence of another kind than operating points."""
    if isinstance(content, str):
        return _kind_of_text(content)
    if isinstance(content, list):
        content = content[0] if content else None
    if not isinstance(content, Mapping):
        return None
    if "telemetry_data" in content and "gpu_index" in content:
        return "power"
    if dig(content, "data", "resultType") is not None:
        result = dig(content, "data", "result")
        names = {str(dig(series, "metric", "__name__")) for series in result} if isinstance(result, list) else set()
        return "power" if any(name.startswith("DCGM") for name in names) else "server"
    if isinstance(content.get("data"), list) and content.get("code") == 200:
        return "billing"
    return None


def _kind_of_text(text: str) -> str | None:
    start = text[:65536]
    first = next((line for line in start.splitlines() if line.strip()), "")
    if "DCGM_FI_DEV_" in start:
        return "power"
    if "# TYPE vllm:" in start or "\nvllm:" in start:
        return "server"
    if "power.draw" in first or " W," in first:
        return "power"
    if {"BilledCost", "ChargeCategory"} <= set(first.replace('"', "").split(",")) or "GPUCost" in first.split(","):
        return "billing"
    return None


def companion_text(text: str) -> str | None:
    """What a text file is that a tool writes next to its results, or None."""
    first = text.lstrip().split("\n", 1)[0]
    if first.startswith(("Metric,avg", "Metric,Unit")):
        return "AIPerf's or genai-perf's rounded CSV; the JSON next to it is exact"
    if first.startswith(("Type,Run Id", ",Run", "Run Info", "Benchmark")):
        return "GuideLLM's CSV; the JSON or YAML next to it is the one to import"
    return None
