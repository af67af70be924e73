"""A file with new evidence as rows of a data table: each cell a text, as the table writes it; nothing is guessed.

Any table takes a CSV of its own columns. Besides, `inference` takes operating points (what `tokcost import` reads or has written),
`mlperf_inference` the `summary_results.json` of a round, `power_measurements` a power log, and `token_energy` a model's file of the
ML.ENERGY leaderboard.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from tokcost.evidence.schema import TABLES
from tokcost.evidence.selection import DataError
from tokcost.importers import documents
from tokcost.importers.point import ImportProblem
from tokcost.labels import LABELS, label_of, served_as
from tokcost.quantities import nearest

Row = dict[str, str]


def rows_of_file(path: Path, table: str, given: Row) -> list[Row]:
    """The rows of `table` that the file holds; `given` fills the columns that it leaves empty, and a quantity of which there is one only.

    Raises: DataError where the file is nothing that the table takes, or says something else than `given`.
    """
    if not path.exists():
        raise DataError(f"there is no file {path}")
    columns = TABLES[table].columns
    only = {name: column.values[0] for name, column in columns.items() if column.kind == "quantity" and len(column.values) == 1}
    rows = []
    for number, row in enumerate(_read(path, table, given), 1):
        told = {name: text for name, text in row.items() if text != ""}
        for name, text in given.items():
            if told.get(name, text) != text:
                raise DataError(f"{path.name} row {number}: {name} is {told[name]} in the file, --set says {text}; leave one of them out")
        rows.append(only | given | told)
    if not rows:
        raise DataError(f"{path} holds no row for `{table}`")
    return rows


def _read(path: Path, table: str, given: Row) -> list[Row]:
    """The rows as the reader for this file gives them; what is damaged, endless or no file is one sentence."""
    try:
        read = _own_columns if _is_of(path, TABLES[table].columns) else _READERS.get(table, _own_columns)
        return list(read(path, table, given))
    except (ImportProblem, OSError) as problem:
        raise DataError(f"cannot read {path.name[:80]}: {getattr(problem, 'strerror', None) or problem}") from None


def _is_of(path: Path, columns) -> bool:
    """Whether a file is a CSV of some of the columns of a table."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    first = documents.head(path).decode(errors="replace").splitlines()[:1]
    try:
        header = next(csv.reader(first), [])
    except csv.Error:
        return False
    return bool(header) and set(header) <= set(columns)


def _own_columns(path: Path, table: str, given: Row, besides: tuple[str, ...] = ()) -> Iterator[Row]:
    columns = TABLES[table].columns
    for _, row in documents.table(path):
        for name in row:
            if name not in columns and name not in besides:
                raise DataError(f"{path.name}: `{name}` is no column of `{table}`{nearest(name, columns)}; {_takes(table)}")
        yield row


def _takes(table: str) -> str:
    more = {"inference": "or a benchmark file", "mlperf_inference": "or a summary_results.json", "power_measurements": "or a power log"}
    more |= {"token_energy": "or a model's file of the ML.ENERGY leaderboard", "own_gpu_runs": "or the file of benchmarks/gpu/measure.py"}
    return f"`{table}` takes a CSV of its columns {more.get(table, '')}".rstrip()


def _operating_points(path: Path, table: str, given: Row) -> Iterator[Row]:
    points = _points(path, given)
    for point in points.to_dict("records"):
        told = {name: value for name, value in point.items() if value == value and value not in (None, "")}
        place = Path(str(told.get("source_file", path.name))).name
        chip, model = str(told.get("accelerator", "")), str(told.get("model", ""))
        yield {
            "model": given.get("model") or model_of(model) or model,
            "accelerator": given.get("accelerator") or chip_of(chip) or chip,
            "speculative": given.get("speculative") or str(told.get("speculative", "unlabelled")),
            **{name: str(told.get(name, "")) for name in ("precision", "framework", "deployment")},
            **{name: _number(told.get(name), whole=True) for name in _COUNTS},
            **{name: _number(told.get(name)) for name in _FIGURES},
            "is_throughput_derived": "false",
            "run_date": str(told.get("started", ""))[:10],
            "label_basis": "stated",
            "locator": ": ".join(filter(None, (place, str(told.get("run", ""))))),
            "kind": "measured",
        }


_COUNTS = ("isl", "osl", "concurrency", "n_gpus", "n_prefill_gpus", "n_decode_gpus")
_FIGURES = ("total_tok_per_s_per_gpu", "output_tok_per_s_per_gpu", "median_ttft_s", "median_tpot_s", "tok_per_s_per_user")


def _points(path: Path, given: Row) -> pd.DataFrame:
    """Operating points: those that `tokcost import` has written, or what it reads from a file or a folder."""
    if path.suffix.lower() == ".csv" and documents.head(path).startswith(b"source_file,"):
        from tokcost.spreadsheet import read_csv

        return read_csv(path)
    from tokcost.importers import benchmarks

    try:
        n_gpus = float(given["n_gpus"]) if "n_gpus" in given else None
    except ValueError:
        raise DataError(f"--set n_gpus={given['n_gpus']}: write a number") from None
    found = benchmarks([path], n_gpus=n_gpus, accelerator=given.get("accelerator"))
    if found.problems:
        raise DataError([str(problem) for problem in found.problems])
    return found.points


def _mlperf(path: Path, table: str, given: Row) -> Iterator[Row]:
    file = path / "summary_results.json" if path.is_dir() else path
    try:
        content = json.loads(documents.read_text(file))
        results = [row for row in content if str(row["Performance_Units"]).lower().replace(" ", "") in ("tokens/s", "tokens/sec")]
    except ImportProblem:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError(f"{file} is no summary_results.json of an MLPerf round") from None
    for row in results:
        n_gpus = _product(row.get("Nodes"), row.get("a#"))
        if n_gpus is None:  # chips of several kinds: no throughput per chip follows
            continue
        division, model, scenario = str(row["Category"]), str(row.get("Model") or row["UsedModel"]), str(row["Scenario"])
        rate = float(row["Performance_Result"])
        place = "/".join((division, str(row["Submitter"]), str(row["Platform"]), model, scenario))
        yield {
            "round": str(row.get("version", "")),
            "division": division.lower(),
            "availability": str(row.get("Availability", "")).lower(),
            **{name: str(row.get(theirs, "")) for name, theirs in _MLPERF.items()},
            "accelerator": chip_of(str(row.get("Accelerator", ""))) or "other",
            "n_gpus": f"{n_gpus:g}",
            "model": model,
            "scenario": scenario.lower(),
            "output_tok_per_s": _number(rate),
            "output_tok_per_s_per_gpu": f"{rate / n_gpus:.7g}",
            "is_inferred": "true" if row.get("inferred") else "false",
            "locator": f"{file.name}#{row.get('Location') or place}",
            "kind": "measured",
        }


_MLPERF = {"submitter": "Submitter", "system": "System", "platform": "Platform", "accelerator_name": "Accelerator"}
_MLPERF |= {"weight_types": "weight_data_types", "software": "Software"}


def _product(nodes, per_node) -> float | None:
    try:
        return float(nodes) * float(per_node) or None
    except (TypeError, ValueError):
        return None


def _power_log(path: Path, table: str, given: Row) -> Iterator[Row]:
    from tokcost.importers import power_logs

    found = power_logs([path])
    if found.problems:
        raise DataError([str(problem) for problem in found.problems])
    boards = found.points
    chips = {chip_of(str(name)) or str(name) for name in boards["accelerator"].dropna()}
    yield {
        "accelerator": given.get("accelerator") or "".join(chips if len(chips) == 1 else ()),
        "boundary": "chip",
        "n_gpus": str(len(boards)),
        "average_w_per_gpu": _number(boards["average_w"].mean()),
        "highest_w_per_gpu": _number(boards["highest_w"].max()),
        "locator": path.name,
        "date": str(boards["start"].min())[:10],
        "kind": "measured",
    }


def _ml_energy(path: Path, table: str, given: Row) -> Iterator[Row]:
    """Configurations of one model and task; files of models that make pictures or films hold no token and are left out of a folder."""
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        try:
            content = json.loads(documents.read_text(file))
            ways = [(number, one) for number, one in enumerate(content["configurations"]) if "energy_per_token_joules" in one]
            yield from (_of_ml_energy(content, one, f"{file.name}#configurations/{number}") for number, one in ways)
        except ImportProblem:
            raise
        except (ValueError, KeyError, TypeError, RecursionError):
            raise DataError(f"{file} is no file of a model of the ML.ENERGY leaderboard") from None


def _of_ml_energy(model: dict, one: dict, locator: str) -> Row:
    n_gpus, precision = one["num_gpus"], str(model["weight_precision"])
    return {
        "model": str(model["model_id"]),
        "task": str(model["task"]),
        **{f"published_{ours}_parameters": _number(1e9 * model[f"{theirs}_params_billions"], whole=True) for ours, theirs in _PARAMETERS},
        "accelerator": chip_of(str(one["gpu_model"])) or str(one["gpu_model"]),
        "precision": {"bfloat16": "bf16", "mxfp4": "fp4"}.get(precision, precision),
        "n_gpus": _number(n_gpus, whole=True),
        **{f"{how}_parallel": _number(one["parallelization"][f"{how}_parallel"], whole=True) for how in ("tensor", "expert", "data")},
        "concurrency": _number(one["max_num_seqs"], whole=True),
        "output_tok": _number(one["avg_output_len"]),
        "output_tok_per_s_per_gpu": _number(one["output_throughput_tokens_per_sec"] / n_gpus),
        "average_w_per_gpu": _number(one["avg_power_watts"] / n_gpus),
        "median_itl_s": _number(one["median_itl_ms"] / 1000),
        "output_token_energy_joule_per_tok": _number(one["energy_per_token_joules"]),
        "locator": locator,
        "kind": "measured",
    }


_PARAMETERS = (("total", "total"), ("active", "activated"))


def _card_runs(path: Path, table: str, given: Row) -> Iterator[Row]:
    """What benchmarks/gpu wrote on a machine that has no tokcost: the card by the name that its driver gives."""
    for row in _own_columns(path, table, given, ("card",)):
        card = row.pop("card", "")
        yield row | {"accelerator": row.get("accelerator") or given.get("accelerator") or chip_of(card) or card}


_READERS: dict[str, Callable[[Path, str, Row], Iterator[Row]]] = {
    "inference": _operating_points,
    "mlperf_inference": _mlperf,
    "power_measurements": _power_log,
    "token_energy": _ml_energy,
    "own_gpu_runs": _card_runs,
}


def model_of(name: str) -> str:
    """The model of data/labels.csv that a tool calls `name`, or nothing: the one whose name in tools is the longest part of it.

    >>> model_of("deepseek-ai/DeepSeek-R1-0528"), model_of("gptoss120b"), model_of("Mine-7B")
    ('dsr1', 'gptoss120b', '')
    """
    bare = _bare(name)
    found = {part: model for model in LABELS["model"] for part in (*served_as(model), _bare(model)) if part in bare}
    return found[max(found, key=len)] if found else ""


def chip_of(name: str) -> str:
    """The chip of data/labels.csv that `name` names, or nothing: the one whose name is the longest part of it.

    >>> chip_of("NVIDIA H100-PCIe-80GB"), chip_of("gb300-nvl72"), chip_of("NVIDIA GB200"), chip_of("Arc B60")
    ('h100_pcie', 'gb300', 'gb200', '')
    """
    bare = _bare(name)
    names = {part: chip for chip in LABELS["accelerator"] for part in (_bare(chip), _bare(label_of("accelerator", chip) or chip))}
    found = [part for part in names if part in bare]
    return names[max(found, key=len)] if found else ""


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _number(value, *, whole: bool = False) -> str:
    """A number as the tables write it: ten digits and decimals at most, a count without a fraction; nothing where there is none."""
    if value is None or value != value:
        return ""
    return f"{round(float(value))}" if whole else f"{round(float(value), 10):.10g}"
