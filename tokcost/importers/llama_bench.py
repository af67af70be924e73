"""llama.cpp's `llama-bench -o json` or `jsonl`: one stream, prompt processing and generation timed apart.

A test is of prompts alone (`pp512`), of generation alone (`tg128`), or of both one after the other. Each is a throughput of
one stream at batch size 1, repeated after a warm-up run that is not timed; it says nothing of many users at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, as_text
from tokcost.importers.point import MS_PER_S, Point

_NS_PER_S = MS_PER_S**3


def matches(content: Mapping) -> bool:
    """Is this a test of llama-bench?"""
    return {"build_commit", "n_prompt", "n_gen", "avg_ts"} <= set(content)


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one test of a row."""
    point = Point("llama-bench", token_source="server usage", concurrency=1.0, tool_version=as_text(content.get("build_number")))
    fields = Fields(content, point)
    prompt, answer = (fields.required(name, why="it is not known what was timed") for name in ("n_prompt", "n_gen"))
    tok_per_s = fields.required("avg_ts", why="there is no throughput")
    depth = fields.number("n_depth")
    point.run = "+".join(part for part, n in ((f"pp{prompt:g}", prompt), (f"tg{answer:g}", answer)) if n)
    point.run += f"@d{depth:g}" if depth else ""
    point.model, point.started = (
        as_text(content.get("model_type")) or as_text(content.get("model_filename")),
        as_text(content.get("test_time")),
    )
    point.framework = " ".join(filter(None, ("llama.cpp", as_text(content.get("backends")))))
    _gpus(point, content)
    point.isl, point.osl = prompt or None, answer or None
    if prompt and answer:
        seconds = (fields.number("avg_ns") or 0.0) / _NS_PER_S or (prompt + answer) / tok_per_s
        point.duration_s, point.n_requests, point.input_tok, point.output_tok = seconds, 1.0, prompt, answer
        point.recorded_total_tok_per_s = tok_per_s
    elif answer:
        point.stated_output_tok_per_s = tok_per_s
        point.latency_s |= {"mean_tpot_s": 1 / tok_per_s, "median_tpot_s": 1 / tok_per_s} if tok_per_s else {}
    else:
        point.stated_input_tok_per_s = point.stated_total_tok_per_s = tok_per_s
    what = "prompt and generation" if prompt and answer else "generation alone" if answer else "prompt processing alone"
    point.note(f"{what} of one stream at batch size 1: not comparable with a server under load")
    fields.finish()
    yield point


def _gpus(point: Point, content) -> None:
    """The devices that llama-bench names; with split mode `none` one of them works."""
    names = [name for name in re.split(r"[,;/]\s*", as_text(content.get("gpu_info")) or "") if name]
    if not names or content.get("n_gpu_layers") == 0:
        return
    point.accelerator = ", ".join(dict.fromkeys(names))
    point.n_gpus = 1.0 if content.get("split_mode") == "none" else float(len(names))
