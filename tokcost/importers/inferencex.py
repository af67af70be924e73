"""InferenceX: run artefacts (`agg_*.json`), rows of its API, and the CSV that its dashboard exports.

All rates are per GPU already. In a disaggregated run the output rate is divided by the
decode GPUs only and the input rate by the prefill GPUs only; here both are brought to all
GPUs. Latencies are seconds; the dashboard's header says (ms) over numbers in seconds, so
the unit is read from the numbers: TPOT x interactivity is 1 in seconds, 1000 in milliseconds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers.fields import Fields, as_number, as_text
from tokcost.importers.point import MS_PER_S, STATISTICS, ImportProblem, Point, one_by_one

_LATENCIES = {"ttft": "ttft", "tpot": "tpot", "e2e": "e2el"}
#: dashboard column -> key of an artefact; latencies are added below
_CSV_KEYS = {
    "Model": "model", "ISL": "isl", "OSL": "osl", "Hardware": "hw", "Framework": "framework", "Precision": "precision", "TP": "tp",
    "Concurrency": "conc", "Date": "date", "Throughput/GPU (tok/s)": "tput_per_gpu", "Output Throughput/GPU (tok/s)": "output_tput_per_gpu",
    "Input Throughput/GPU (tok/s)": "input_tput_per_gpu", "Disaggregated": "disagg", "Num Prefill GPUs": "num_prefill_gpu",
    "Num Decode GPUs": "num_decode_gpu", "Spec Decoding": "spec_decoding", "Median Interactivity (tok/s/user)": "median_intvty",
}  # fmt: skip
_CSV_LATENCIES = {"TTFT": "ttft", "TPOT": "tpot", "E2E Latency": "e2el"}


def matches(content) -> bool:
    """Is this an InferenceX artefact or a row of its API?"""
    metrics = content.get("metrics") if isinstance(content.get("metrics"), Mapping) else content
    return "tput_per_gpu" in metrics and ("hw" in content or "hardware" in content)


def points(content, path: Path) -> Iterator[Point]:
    """The one operating point of a row."""
    yield _point({**content, **content["metrics"]} if isinstance(content.get("metrics"), Mapping) else content)


def matches_text(text: str) -> bool:
    """Is this a CSV export of the dashboard?"""
    header = next((line for line in text.splitlines() if line and not line.startswith("#")), "")
    return "Throughput/GPU (tok/s)" in header and "Hardware" in header


def points_from_text(text: str, path: Path) -> Iterator[Point | ImportProblem]:
    """One point per row of the export."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    header, *rows = csv.reader(io.StringIO("\n".join(lines)))
    yield from one_by_one(lambda number, row: _point_of_row(header, row, number), rows, "row {}", start=1)


def _point_of_row(header: list[str], cells: list[str], number: int) -> Point:
    if len(cells) != len(header):
        raise ImportProblem(f"{len(cells)} cells under a header of {len(header)}: the export is truncated or damaged, download it again")
    row = dict(zip(header, cells, strict=True))
    content = {key: row.get(column) or None for column, key in _CSV_KEYS.items()}
    for column, key in _CSV_LATENCIES.items():
        content |= {f"{s.lower()}_{key}": row.get(f"{s} {column} (ms)") for s in ("Mean", "Median", "P99")}
    point = _point({key: _plain(value) for key, value in content.items()})
    point.run = f"row {number}"
    return point


def _plain(value):
    """A CSV cell as JSON would hold it."""
    if value in ("true", "false"):
        return value == "true"
    number = as_number(value)
    return value if number is None else number


def _point(content: Mapping) -> Point:
    point = Point("inferencex", token_source="server usage", is_for_its_own_gpus=True)
    fields = Fields(content, point)
    point.started = as_text(content.get("date"))
    point.model = as_text(content.get("model"))
    point.accelerator = as_text(content.get("hw")) or as_text(content.get("hardware"))
    point.framework, point.precision = as_text(content.get("framework")), as_text(content.get("precision"))
    point.speculative = as_text(content.get("spec_decoding")) or as_text(content.get("spec_method"))
    point.concurrency = fields.number("conc")
    point.isl, point.osl = fields.number("isl"), fields.number("osl")
    _gpus(point, fields)
    _rates(point, fields)
    scale = _latency_scale(point, fields)
    for name, key in _LATENCIES.items():
        for statistic in STATISTICS:
            fields.latency(f"{statistic}_{name}_s", f"{statistic}_{key}", scale=scale)
    point.note("InferenceX publishes no request counts and no duration; its rates are taken as printed")
    fields.finish()
    return point


def _gpus(point: Point, fields: Fields) -> None:
    """All GPUs: prefill + decode of a disaggregated run, else TP x PP x PCP."""
    is_split = str(fields.content.get("disagg")).lower() in ("true", "1", "1.0")
    point.deployment = "disaggregated" if is_split else "aggregated"
    if is_split:
        point.n_prefill_gpus = fields.required("num_prefill_gpu", why="rates per prefill and per decode GPU cannot be brought together")
        point.n_decode_gpus = fields.required("num_decode_gpu", why="rates per prefill and per decode GPU cannot be brought together")
        point.n_gpus = point.n_prefill_gpus + point.n_decode_gpus
        return
    tensor = fields.number("tp") or fields.number("decode_tp")
    if tensor is None:
        raise ImportProblem("the row has no `tp`, without which the number of GPUs is not known")
    point.n_gpus = tensor * (fields.number("pp") or 1) * (fields.number("pcp_size") or 1)


def _rates(point: Point, fields: Fields) -> None:
    point.stated_total_tok_per_s = fields.required("tput_per_gpu", why="there is no rate") * point.n_gpus
    for name, pool in (("output", point.n_decode_gpus), ("input", point.n_prefill_gpus)):
        per_gpu = fields.number(f"{name}_tput_per_gpu")
        if per_gpu is not None:
            setattr(point, f"stated_{name}_tok_per_s", per_gpu * (pool or point.n_gpus))
    if point.n_decode_gpus:
        point.note("output was per decode GPU and input per prefill GPU; both are brought to all GPUs here")


def _latency_scale(point: Point, fields: Fields) -> float:
    """Seconds per unit of the latencies, from TPOT x interactivity."""
    tpot, interactivity = fields.number("median_tpot"), fields.number("median_intvty")
    if not tpot or not interactivity:
        return 1.0
    product = tpot * interactivity
    if 0.5 < product < 2:
        return 1.0
    if 0.5 < product / MS_PER_S < 2:
        point.note("TPOT x interactivity is 1000, so that the latencies were read as milliseconds")
        return 1 / MS_PER_S
    raise ImportProblem(
        f"median TPOT x interactivity is {product:.3g}, which is neither 1 (seconds) nor 1000 (milliseconds); the row is damaged"
    )
