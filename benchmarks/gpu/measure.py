"""Measure your own card: one model shape at rising batch, with the card's energy counter, in a few minutes.

    python benchmarks/gpu/measure.py --output card.csv
    tokcost data add card.csv --as own_gpu_runs --source our_card --source-is ...

Static batches, 1,024 tokens in and out, plain PyTorch in CUDA graphs: it tells cards apart, and is no measure of a server. Needs an
NVIDIA card with 20 GB or more, PyTorch 2.5 or newer and nvidia-ml-py 12.535 or newer, and not tokcost itself; changes no setting of the
card. The card is the first that CUDA_VISIBLE_DEVICES leaves.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

ISL = OSL = 1024
CONTEXTS = (1024, 1280, 1536, 1792, 2048)
BATCHES = (1, 4, 8, 16, 32, 64, 96, 128, 192, 256)
#: prompts that are read at a time, and how often: the time of all is worked out of so many chunks
CHUNK, CHUNKS_RUN = 16, 4
#: so long a step is repeated, back to back: the energy counter moves every tenth of a second
WINDOW_S = 2.1
#: reasons for a lower clock that are the limit on power, in NVML's bits
_POWER_REASONS = 0x4 | 0x80
#: memory of a card that holds the weights, in bf16, and a request or two
LEAST_GB = 20


@dataclass
class Measured:
    """What was timed and metered at one batch."""

    batch: int
    prefill_s: float
    is_prefill_scaled: bool
    step_s: dict[int, float]
    sustained_s: float
    decode_w: float
    prefill_w: float
    sm_clock_mhz: float
    is_power_limited: bool


def row(one: Measured) -> dict[str, str]:
    """The columns of `own_gpu_runs` that follow from what was measured.

    Steps grow along a line over the context; where a sustained step is slower than its place on the line, as at the limit on power, all
    are taken to be slower by as much.
    """
    slope, base = statistics.linear_regression(list(one.step_s), list(one.step_s.values()))
    middle = CONTEXTS[len(CONTEXTS) // 2]
    mean = statistics.mean(base + slope * place for place in range(ISL + 1, ISL + OSL)) * one.sustained_s / (base + slope * middle)
    total_s = one.prefill_s + mean * (OSL - 1)
    joules = one.prefill_w * one.prefill_s + one.decode_w * mean * (OSL - 1)
    figures = {
        "prefill_s": one.prefill_s,
        "decode_step_s": mean,
        "context_1024_decode_step_s": one.step_s[CONTEXTS[0]],
        "context_2048_decode_step_s": one.step_s[CONTEXTS[-1]],
        "output_tok_per_s_per_gpu": one.batch * OSL / total_s,
        "total_tok_per_s_per_gpu": one.batch * (ISL + OSL) / total_s,
        "tok_per_s_per_user": 1 / mean,
        "decode_average_w_per_gpu": one.decode_w,
        "prefill_average_w_per_gpu": one.prefill_w,
        "decode_output_token_energy_joule_per_tok": one.decode_w * mean / one.batch,
        "output_token_energy_joule_per_tok": joules / (one.batch * OSL),
        "sm_clock_mhz": one.sm_clock_mhz,
    }
    flags = {"is_prefill_scaled": one.is_prefill_scaled, "is_power_limited": one.is_power_limited}
    return {"batch": str(one.batch)} | {k: f"{v:.6g}" for k, v in figures.items()} | {k: str(v).lower() for k, v in flags.items()}


class Sample(NamedTuple):
    """What the card said of itself at a moment."""

    at_s: float
    joules: float
    sm_clock_mhz: float = 0.0
    reasons: int = 0


class Window(NamedTuple):
    """A call repeated back to back: seconds of one, and what the card did meanwhile."""

    seconds: float
    average_w: float
    sm_clock_mhz: float
    is_power_limited: bool


def watts_between(samples: list[Sample]) -> float:
    """Average watts between the first and the last change of the energy counter."""
    changes = [now for before, now in zip(samples, samples[1:], strict=False) if now.joules != before.joules]
    if len(changes) < 2:
        raise SystemExit("the energy counter of this card did not move: it has none, or another program holds NVML")
    return (changes[-1].joules - changes[0].joules) / (changes[-1].at_s - changes[0].at_s)


@dataclass
class Meter:
    """The energy counter, the clock and what limits it, sampled every 20 ms in a thread: after the load the clock is another one."""

    nvml: Any
    card: Any
    samples: list[Sample] = field(default_factory=list)

    def read(self) -> Sample:
        joules = self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.card) / 1000
        clock, reasons = self.nvml.nvmlDeviceGetClockInfo(self.card, 1), self.nvml.nvmlDeviceGetCurrentClocksEventReasons(self.card)
        return Sample(time.monotonic(), joules, clock, reasons)

    def start(self) -> None:
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while True:
            self.samples.append(self.read())
            time.sleep(0.02)

    def sustained(self, call: Callable[[], None], wait: Callable[[], None]) -> Window:
        """What a call takes that is repeated back to back."""
        wait()
        begin, n = time.monotonic(), 0
        while time.monotonic() - begin < WINDOW_S:
            call()
            n += 1
            if n % 8 == 0:  # not so far ahead of the card that the window has no end
                wait()
        wait()
        end = time.monotonic()
        inside = [one for one in self.samples if begin <= one.at_s <= end]
        watts = watts_between(inside)
        limited = statistics.mean(bool(one.reasons & _POWER_REASONS) for one in inside) > 0.5
        return Window((end - begin) / n, watts, statistics.median(one.sm_clock_mhz for one in inside), limited)


def measure(torch, model, meter: Meter, batch: int) -> Measured:
    """Time and meter one batch."""
    shape, wait = model.shape, torch.cuda.synchronize
    caches = model.caches(batch, ISL + OSL)
    chunk = min(CHUNK, batch)
    prompts = torch.randint(0, shape.vocab, (chunk, ISL), device=model.device)
    part = [(keys[:chunk], values[:chunk]) for keys, values in caches]

    def read() -> None:
        model.forward(prompts, part, 0)

    read()
    n_chunks = -(-batch // chunk)
    prefill_s = statistics.median(timed(torch, read) for _ in range(CHUNKS_RUN)) * batch / chunk
    prefill = meter.sustained(read, wait)
    newest = torch.randint(0, shape.vocab, (batch, 1), device=model.device)
    graphs = {}
    for context in CONTEXTS:
        graphs[context] = captured(torch, lambda context=context: model.forward(newest, caches, context - 1))
    step_s = {context: statistics.median(timed(torch, graph.replay) for _ in range(10)) for context, graph in graphs.items()}
    decode = meter.sustained(graphs[CONTEXTS[2]].replay, wait)
    is_scaled = n_chunks > CHUNKS_RUN
    return Measured(batch, prefill_s, is_scaled, step_s, decode.seconds, decode.average_w, prefill.average_w, *decode[2:])


def timed(torch, call: Callable[[], None]) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    call()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000


def captured(torch, call: Callable[[], None]):
    """The call as a CUDA graph, after two runs beside it that set everything up."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        call()
        call()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # the meter's thread does not disturb it
        call()
    return graph


def why_not() -> str:
    """Why nothing can be measured here; "" where it can."""
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed here"
    if not torch.cuda.is_available():
        return "there is no NVIDIA card here that PyTorch can use"
    try:
        import pynvml  # noqa: F401
    except ImportError:
        return "nvidia-ml-py is not installed here, so that the energy counter cannot be read"
    gigabytes = torch.cuda.get_device_properties(0).total_memory / 1e9
    return "" if gigabytes >= LEAST_GB else f"the card has {gigabytes:.0f} GB, and the weights with one request need {LEAST_GB}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure your own card; `tokcost data add --as own_gpu_runs` takes the file.")
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    given = parser.parse_args(arguments)
    if not given.output.absolute().parent.is_dir():
        parser.error(f"there is no folder {given.output.absolute().parent}")
    if reason := why_not():
        print(f"nothing is measured: {reason}")
        return 0
    import pynvml
    import torch

    from benchmarks.gpu.model import Model, Shape

    try:
        meter = _meter(torch, pynvml)
    except pynvml.NVMLError as problem:
        print(f"nothing is measured: the energy counter of the card cannot be read ({problem})")
        return 0
    name, driver = torch.cuda.get_device_name(0), pynvml.nvmlSystemGetDriverVersion()
    board = f"{name}, board {str(torch.cuda.get_device_properties(0).uuid)[:4]}"  # boards of one kind differ
    same = {"model": "llama8b", "card": name, "precision": "bf16", "software_level": "cuda_graph"}
    same |= {"isl": str(ISL), "osl": str(OSL), "driver": driver, "software": f"torch {torch.__version__}, CUDA {torch.version.cuda}"}
    same |= {"date": dt.date.today().isoformat(), "kind": "measured"}
    rows = []
    with torch.inference_mode(), suppress(torch.OutOfMemoryError):
        model = Model(Shape(), "cuda")
        for batch in BATCHES:
            free, _ = torch.cuda.mem_get_info()
            if batch * (ISL + OSL) * model.shape.cache_bytes_per_token > 0.8 * free:
                break
            rows.append(same | row(measure(torch, model, meter, batch)) | {"locator": f"{board}, cuda_graph, batch {batch}"})
            print(f"batch {batch}: {rows[-1]['output_tok_per_s_per_gpu']} output tokens/s, {rows[-1]['tok_per_s_per_user']} per user")
            torch.cuda.empty_cache()
    if not rows:
        print("nothing is measured: the memory of the card is not free for the weights and one request")
        return 1
    if len(rows) < len(BATCHES):
        print(f"batch {BATCHES[len(rows)]} does not fit: the measurement ends here")
    with open(given.output, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} rows to {given.output}")
    return 0


def _meter(torch, nvml) -> Meter:
    """The meter of the card that PyTorch uses, whatever number NVML gives it; it reads once, so that what it cannot read shows."""
    nvml.nvmlInit()
    meter = Meter(nvml, nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(0).uuid}"))
    meter.read()
    meter.start()
    return meter


if __name__ == "__main__":
    sys.exit(main())
