"""InferenceX: run artefacts (`agg_*.json`), rows of its API, and the CSV that its dashboard exports.

All throughput is per GPU already. In a disaggregated run the output throughput is divided by the
decode GPUs only and the input throughput by the prefill GPUs only; here both are brought to all
GPUs. A row without decode GPUs is of workers that prefill and decode. Agentic artefacts, nested and
flat, have counts and a duration, by AIPerf's client. Latencies are seconds; the dashboard's header says (ms) over numbers in seconds, so
the unit is read from the numbers: TPOT x interactivity is 1 in seconds, 1000 in milliseconds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokcost.importers import documents
from tokcost.importers.fields import Fields, as_number, as_text, dig
from tokcost.importers.point import MS_PER_S, STATISTICS, ImportProblem, Point, all_known, one_by_one

_LATENCIES = {"ttft": "ttft", "tpot": "tpot", "e2e": "e2el"}
#: throughput per GPU that adds up this well is of the same GPUs
SUM_TOLERANCE_FRAC = 0.02
#: dashboard column -> key of an artefact; latencies are added below
_CSV_KEYS = {
    "Model": "model", "ISL": "isl", "OSL": "osl", "Hardware": "hw", "Framework": "framework", "Precision": "precision", "TP": "tp",
    "Concurrency": "conc", "Date": "date", "Throughput/GPU (tok/s)": "tput_per_gpu", "Output Throughput/GPU (tok/s)": "output_tput_per_gpu",
    "Input Throughput/GPU (tok/s)": "input_tput_per_gpu", "Disaggregated": "disagg", "Num Prefill GPUs": "num_prefill_gpu",
    "Num Decode GPUs": "num_decode_gpu", "Spec Decoding": "spec_decoding", "Median Interactivity (tok/s/user)": "median_intvty",
}  # fmt: skip
_CSV_LATENCIES = {"TTFT": "ttft", "TPOT": "tpot", "E2E Latency": "e2el"}


#: runs whose cache hit rates were filled in from another system (SemiAnalysisAI/InferenceX-app, pull request 975)
_FILLED_RUNS = ("31633154542", "32242794988", "32809502132")
_FILLED = re.compile(r"gap_?filled|backfill|borrowed", re.IGNORECASE)


def matches(content: Mapping) -> bool:
    """Is this an InferenceX artefact or a row of its API?"""
    nested = content.get("metrics")
    metrics = nested if isinstance(nested, Mapping) else content
    has_throughput = "tput_per_gpu" in metrics or "total_tput_tps" in metrics or dig(content, "request_metrics", "throughput") is not None
    return has_throughput and ("hw" in content or "hardware" in content)


def points(content: Mapping, path: Path) -> Iterator[Point]:
    """The one operating point of a row."""
    metrics = content["metrics"] if isinstance(content.get("metrics"), Mapping) else {}
    yield _point({**content, **metrics, **_flat(content.get("request_metrics"))})


def _flat(nested) -> dict:
    """The nested numbers of an agentic artefact under the names of the flat one."""
    found = {}
    for name in ("ttft", "tpot", "e2el", "intvty"):
        statistics = dig(nested, "latency", name)
        found |= {f"{key}_{name}": value for key, value in statistics.items()} if isinstance(statistics, Mapping) else {}
    for name in ("total", "output", "input"):
        found[f"{name}_tput_tps"] = dig(nested, "throughput", name, "tokens_per_second")
        prefix = "" if name == "total" else f"{name}_"
        found[f"{prefix}tput_per_gpu"] = dig(nested, "throughput", "per_gpu", f"{name}_tput_tps")
    found["duration_seconds"] = dig(nested, "throughput", "duration_seconds")
    found["mean_input_tokens"] = dig(nested, "tokens", "input", "mean")
    found["mean_output_tokens_actual"] = dig(nested, "tokens", "output_actual", "mean")
    return {key: value for key, value in found.items() if value is not None}


def matches_text(text: str) -> bool:
    """Is this a CSV export of the dashboard?"""
    header = next((line for line in text.splitlines() if line and not line.startswith("#")), "")
    return "Throughput/GPU (tok/s)" in header and "Hardware" in header


def points_from_text(path: Path) -> Iterator[Point | ImportProblem]:
    """One point per row of the export."""
    header, *rows = csv.reader(line for line in documents.lines(path) if line.strip() and not line.startswith("#"))
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
    point.n_gpus = _gpus(point, fields)
    _throughputs(point, fields, point.n_gpus)
    scale = _latency_scale(point, fields)
    for name, key in _LATENCIES.items():
        for statistic in STATISTICS:
            theirs = "p50" if statistic == "median" and f"median_{key}" not in content else statistic
            fields.latency(f"{statistic}_{name}_s", f"{theirs}_{key}", scale=scale)
    _energy(point, fields)
    if _is_filled(content):
        point.note("the cache hit rates of this row were filled in from another system: they are not of this run")
    fields.finish()
    return point


def _gpus(point: Point, fields: Fields) -> float:
    """All GPUs: prefill + decode of a disaggregated run; the workers of one that is not; on one node TP x PP x PCP."""
    prefill, decode = (_pool(fields, role) for role in ("prefill", "decode"))
    is_split = _is_true(fields.content.get("disagg")) and decode != 0
    point.deployment = "disaggregated" if is_split else "aggregated"
    if is_split:
        if prefill is None or decode is None:
            missing = "num_prefill_gpu" if prefill is None else "num_decode_gpu"
            raise ImportProblem(
                f"the row has no `{missing}`, without which throughput per prefill and per decode GPU cannot be brought together"
            )
        point.n_prefill_gpus, point.n_decode_gpus = prefill, decode
        return prefill + decode
    if prefill and (_is_true(fields.content.get("is_multinode")) or decode == 0):
        point.note("prefill and decode share their workers: the row is not disaggregated, and its GPUs are those of the workers")
        return max(prefill, decode or 0.0)
    tensor = fields.number("tp") or fields.number("decode_tp")
    if tensor is None:
        raise ImportProblem("the row has no `tp`, without which the number of GPUs is not known")
    return tensor * (fields.number("pp") or 1) * (fields.number("pcp_size") or 1)


def _pool(fields: Fields, role: str) -> float | None:
    """GPUs of a role: as stated, or its workers x TP x PP x PCP."""
    stated, workers, tensor = (fields.number(name) for name in (f"num_{role}_gpu", f"{role}_num_workers", f"{role}_tp"))
    if stated is not None or workers is None or tensor is None:
        return stated
    return workers * tensor * (fields.number(f"{role}_pp") or 1) * (fields.number(f"{role}_pcp_size") or 1)


def _is_true(value) -> bool:
    return str(value).lower() in ("true", "1", "1.0")


def _throughputs(point: Point, fields: Fields, n_gpus: float) -> None:
    seconds, requests = fields.number("duration_seconds"), fields.number("num_requests_successful")
    means = all_known(*(fields.number(name) for name in ("mean_input_tokens", "mean_output_tokens_actual")))
    if seconds and requests and means:
        point.duration_s, point.n_requests, point.token_source = seconds, requests, "client"
        point.input_tok, point.output_tok = (round(mean * requests, 6) for mean in means)
        point.recorded_output_tok_per_s, point.recorded_total_tok_per_s = fields.number("output_tput_tps"), fields.number("total_tput_tps")
        point.note("an agentic run, with prompts and answers of any length; tokens are counted by AIPerf's client")
        return
    per_gpu = fields.number("tput_per_gpu")
    if per_gpu is None:
        point.stated_total_tok_per_s = fields.required("total_tput_tps", why="there is no throughput")
    else:
        point.stated_total_tok_per_s = per_gpu * n_gpus
    parts = [fields.number(f"{name}_tput_per_gpu") for name in ("output", "input")]
    both = all_known(*parts)
    is_of_all = per_gpu is not None and both is not None and abs(sum(both) - per_gpu) <= SUM_TOLERANCE_FRAC * per_gpu
    for name, part, pool in zip(("output", "input"), parts, (point.n_decode_gpus, point.n_prefill_gpus), strict=True):
        if part is not None:
            setattr(point, f"stated_{name}_tok_per_s", part * (n_gpus if is_of_all or not pool else pool))
    if point.n_decode_gpus and not is_of_all:
        point.note("output was per decode GPU and input per prefill GPU; both are brought to all GPUs here")
    point.note("InferenceX publishes no request counts and no duration; its throughput is taken as printed")


def _energy(point: Point, fields: Fields) -> None:
    """Energy of the boards, where InferenceX found its own measurement valid."""
    if not fields.number("power_valid"):
        return
    point.energy_joule = fields.number("total_gpu_energy_j")
    for name in ("total", "output"):
        joules = fields.number(f"joules_per_{name}_token")
        if joules:
            setattr(point, f"stated_{name}_tok_per_joule", 1 / joules)


def _is_filled(content: Mapping) -> bool:
    """Whether a mark of the row, or the run that it is of, says that its cache hits are another system's."""
    is_of_run = any(run in str(content.get("run_url") or content.get("github_run_id") or "") for run in _FILLED_RUNS)
    has_hits = any("cache_hit_rate" in key for key in content)
    return (is_of_run and has_hits) or any(_FILLED.search(key) and value not in (None, False, "", 0) for key, value in content.items())


def _latency_scale(point: Point, fields: Fields) -> float:
    """Seconds per unit of the latencies, from TPOT x interactivity."""
    statistic = "median" if "median_tpot" in fields.content else "p50"
    tpot, interactivity = fields.number(f"{statistic}_tpot"), fields.number(f"{statistic}_intvty")
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
