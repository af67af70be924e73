"""What aiconfigurator says of measured runs: runs as CSV on standard input, its tokens per second on standard output.

Runs in an environment of its own (`make accuracy` builds it): nothing of this project is imported here.
"""

import contextlib
import csv
import logging
import math
import sys

#: model and precision -> checkpoint, and the modes that it does not say itself
MODELS = {
    ("llama8b", "bf16"): ("meta-llama/Meta-Llama-3.1-8B", {}),
    ("llama8b", "fp8"): ("meta-llama/Meta-Llama-3.1-8B", {"gemm_quant_mode": "fp8"}),
    ("llama70b", "fp8"): ("nvidia/Llama-3.1-70B-Instruct-FP8", {}),
    ("llama70b", "fp4"): ("meta-llama/Meta-Llama-3.1-70B", {"gemm_quant_mode": "nvfp4"}),
    ("qwen3-32b", "bf16"): ("Qwen/Qwen3-32B", {}),
    ("qwen3-32b", "fp8"): ("Qwen/Qwen3-32B-FP8-Static-PerTensor", {}),
    ("qwen3-235b", "fp8"): ("Qwen/Qwen3-235B-A22B-FP8", {}),
    ("gptoss120b", "fp4"): ("openai/gpt-oss-120b", {}),
    ("minimaxm2.5", "fp8"): ("MiniMaxAI/MiniMax-M2.5", {}),
    ("minimaxm2.5", "fp4"): ("nvidia/MiniMax-M2.5-NVFP4", {}),
    ("dsr1", "fp8"): ("deepseek-ai/DeepSeek-R1", {}),
    ("dsr1", "fp4"): ("nvidia/DeepSeek-V3.1-NVFP4", {}),
}
BACKENDS = {"trt": "trtllm", "trtllm": "trtllm", "vllm": "vllm", "sglang": "sglang"}


def predicted(run: dict) -> float:
    """Output tokens per second and GPU of one run; an error where aiconfigurator has no answer."""
    from aiconfigurator.cli.api import cli_estimate  # pyright: ignore[reportMissingImports]

    path, modes = MODELS[run["model"], run["precision"]]
    n_gpus, split, experts = (int(float(run[name] or 1)) for name in ("n_gpus", "tensor_parallel", "expert_parallel"))
    parts = n_gpus // split
    result = cli_estimate(
        path,
        f"{run['accelerator']}_sxm",
        backend_name=BACKENDS[run["framework"]],
        isl=round(float(run["isl"])),
        osl=round(float(run["osl"])),
        batch_size=math.ceil(float(run["concurrency"]) / parts),
        tp_size=split,
        attention_dp_size=parts,
        moe_tp_size=n_gpus // experts,
        moe_ep_size=experts,
        **modes,
    )
    return float(result.raw["tokens/s/gpu"])


def main() -> None:
    logging.disable(logging.CRITICAL)
    out = csv.writer(sys.stdout)
    out.writerow(["row", "output_tok_per_s_per_gpu"])
    for run in csv.DictReader(sys.stdin):
        with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):  # no data for a case is no answer
            value = predicted(run)
            out.writerow([run["row"], value])


if __name__ == "__main__":
    main()
