"""`tokcost import`: benchmark files in, one table out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from tokcost.importers.point import SEPARATOR
from tokcost.quantities import LABELS, QuantityError, nearest, of

KINDS = ("points", "server", "power", "billing")
MOST_GPUS = round(of("n_gpus").high)


@click.command(name="import", no_args_is_help=True)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--gpus", type=click.IntRange(1, MOST_GPUS), help="All GPUs of the deployment. Without it the columns per GPU stay empty.")
@click.option("--gpu", "accelerator", help="Name of the GPU, such as h200. Benchmark files rarely say it.")
@click.option("--output", type=click.Path(path_type=Path), help="File to write: .csv, .parquet or .json; else CSV to standard output.")
@click.option("--kind", type=click.Choice(KINDS), default="points", show_default=True, help="What the files are evidence of.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="server, power: time between two scrapes.")
@click.option("--start", help="power: begin of the benchmark, a date with time or seconds since 1970.")
@click.option("--end", help="power: end of the benchmark.")
@click.option("--gpu-index", multiple=True, help="power: keep this GPU of the log; may be repeated.")
@click.option("--timezone", default="UTC", show_default=True, help="power: zone of times that name none (nvidia-smi).")
@click.option("--instance-gpus", multiple=True, metavar="TYPE=N", help="billing: GPUs of an instance type, if the bill does not say.")
def import_files(
    paths: tuple[Path, ...], gpus: int | None, accelerator: str | None, output: Path | None, kind: str, **options: Any
) -> None:
    """Import benchmark results from PATHS (files or directories; with --kind server: files) as one tidy table.

    \b
      tokcost import results/ --gpus 8 --gpu h200 --output mine.csv         a sweep of any tool
      tokcost import power.csv --kind power                                 a power log of nvidia-smi
      tokcost import before.txt after.txt --kind server --seconds 300       counters of a server in use

    Each file's tool and version are recognised from its content: AIPerf, genai-perf, vLLM
    (serve, throughput, multi-turn), SGLang, TensorRT-LLM, GuideLLM, inference-perf, llm-d,
    genai-bench, EvalScope, llmperf, LMBenchmark, llama-bench, InferenceX, MLPerf. One row
    per operating point; a directory of a sweep becomes a curve. Empty cells: the file does
    not say it, and nothing is guessed.

    \b
    --kind points   operating points (the default)
    --kind server   exactly two scrapes of vLLM's /metrics, before and after (their
                    times from a .time file next to each, or --seconds), or Prometheus
                    query_range files of its token counters: one operating point
    --kind power    nvidia-smi (CSV and dmon) and amd-smi logs, DCGM exporter scrapes,
                    Prometheus ranges of DCGM power, AIPerf's GPU telemetry: watts and
                    joules of each board, once
    --kind billing  FOCUS exports (1.0 to 1.4) or OpenCost allocations: dollars per GPU-hour

    \b
    What counts (a note says each with its size, where the file knows it):
    - requests that succeeded; those that the end of a run cut off do not count
    - the time that the tool measured; warm-up that it sets aside is not in it, and a
      load that rises during the run is no steady state
    - the server's count of tokens; where the client's differs by more than a fifth,
      the one that the stream confirms, and no throughput where nothing decides

    \b
    Exit status: 0 all files were imported; 1 some were not (the others are written);
    2 nothing was imported: a wrong call, or no file that could be read (nothing is written).
    """
    from tokcost.importers import table

    try:
        if output is not None:
            table.check_output(output)
            table.keep_sources(output, paths)
        elif sys.stdout is None or getattr(sys.stdout, "name", "") == os.devnull:  # the command line puts it where none was open
            raise QuantityError("standard output is closed, so that there is nowhere to write; give --output FILE")
        if accelerator and accelerator.lower() not in LABELS["accelerator"]:
            click.echo(f"note: --gpu {accelerator} is not in the vocabulary{nearest(accelerator.lower(), LABELS['accelerator'])}", err=True)
        found = _import(paths, gpus, accelerator, kind, options)
    except QuantityError as error:
        raise click.UsageError(str(error)) from None
    if len(found.points):
        try:
            table.write(found.points, output)
        except OSError as error:
            if isinstance(error, BrokenPipeError):  # a reader that has seen enough, such as `head`
                raise
            if output is None:  # what is left in the buffer must not be tried again at the end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            where = f"--output {output}" if output else "standard output"
            raise click.UsageError(f"{where} cannot be written ({error.strerror})" + ("; nothing was" if output else "")) from None
    try:
        _report(found, gpus, kind, output)
    except OSError:  # standard error is full or closed: nobody can be told, but the caller can see it
        sys.exit(2)
    sys.exit(2 if not len(found.points) else 1 if found.problems else 0)


#: options that only one or two kinds take
_TAKES = {
    "server": {"seconds"},
    "power": {"seconds", "start", "end", "gpu_index", "timezone"},
    "billing": {"instance_gpus"},
    "points": set(),
}


def _import(paths, gpus, accelerator, kind, options):
    given = {name for name, value in options.items() if value and (name, value) != ("timezone", "UTC")}
    for name in sorted(given - _TAKES[kind]):
        kinds = " or ".join(k for k, takes in _TAKES.items() if name in takes)
        raise QuantityError(f"--{name.replace('_', '-')} belongs to --kind {kinds}, not to {kind}")
    if kind in ("power", "billing") and (gpus or accelerator):
        raise QuantityError(f"--gpus and --gpu belong to operating points, not to --kind {kind}")
    if kind == "server":
        from tokcost.importers.server import server_metrics

        return server_metrics(paths, seconds=options["seconds"], n_gpus=gpus, accelerator=accelerator)
    if kind == "power":
        from tokcost.importers.power import power_logs

        window = {name: _when(options[name]) for name in ("start", "end")}
        return power_logs(paths, **window, gpus=options["gpu_index"] or None, timezone=options["timezone"], seconds=options["seconds"])
    if kind == "billing":
        from tokcost.importers.billing import bills

        return bills(paths, instance_gpus=dict(map(_pair, options["instance_gpus"])))
    from tokcost.importers.collect import benchmarks

    return benchmarks(paths, n_gpus=gpus, accelerator=accelerator)


def _when(text: str | None) -> str | float | None:
    """Seconds since 1970 as a number, anything else as it stands."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _pair(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if not name or not (count.isdecimal() and count.isascii()) or not 1 <= len(count) <= 6 or int(count) < 1:
        raise QuantityError(f"--instance-gpus must be TYPE=N, such as p5.48xlarge=8, got {text!r}")
    return name, int(count)


def _report(found, gpus, kind: str, output: Path | None) -> None:
    """Problems, notes and what was skipped, on standard error."""
    for problem in found.problems:
        click.echo(f"problem: {problem}", err=True)
    for sentence, points in _by_note(found.points).items():
        more = f" and {len(points) - 1} more" if len(points) > 1 else ""
        click.echo(f"note: {points[0]}{more}: {sentence}", err=True)
    if len(found.points) and kind in ("points", "server") and gpus is None and found.points["n_gpus"].isna().any():
        empty = int(found.points["n_gpus"].isna().sum())
        click.echo(f"note: {empty} rows have no GPU count and so nothing per GPU; give all GPUs of the deployment with --gpus N", err=True)
    for what in dict.fromkeys(item.sentence for item in found.skipped):
        files = {item.source_file for item in found.skipped if item.sentence == what}
        names = sorted({Path(file).name for file in files})
        click.echo(f"skipped {len(files)}: {', '.join(names[:4])}{', ...' if len(names) > 4 else ''} ({what})", err=True)
    where = output or "standard output"
    done = f"{len(found.points)} rows to {where}" if len(found.points) else "nothing was imported, nothing is written"
    if not (len(found.points) or found.problems or found.skipped):
        done = f"there is no file to import; {done}"
    n_skipped = len({item.source_file for item in found.skipped})
    click.echo(f"{done}; {len(found.problems)} problems, {n_skipped} files skipped", err=True)


def _by_note(points) -> dict[str, list[str]]:
    """Each sentence of the notes with the points that it is about."""
    said: dict[str, list[str]] = {}
    for _, point in points.iterrows():
        run = point.get("run")
        name = f"{point['source_file']} [{run}]" if isinstance(run, str) else point["source_file"]
        for sentence in point["notes"].split(SEPARATOR) if isinstance(point["notes"], str) else []:
            said.setdefault(sentence, []).append(name)
    return said
