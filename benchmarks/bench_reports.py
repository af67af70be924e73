"""Reports per minute, side by side in one run on the suite's own notebooks: ours, what people do by hand, and what no isolation costs.

    python -m benchmarks.bench_reports [REPORTS [ROUNDS]]

Four ways to the same reports, in turn, ROUNDS times; a line each with the median and the range of the seconds, and the seconds
of processor time, which a busy machine changes less:

- `tokcost report`: a fresh process for each report, pages that lead to each other, history and index included (`tokcost batch`
  works by the same processes);
- `papermill` and then `jupyter nbconvert`, a process each;
- papermill's own API in a loop, with one exporter of nbconvert;
- the cells alone in processes with everything imported, one after another without isolation: what no way can beat.

Exit status 1 if the first is not faster than the second. Then 200 reports of a small notebook at 16 workers, of which none may
be lost, with the memory that this took (`benchmarks.bench_memory`).
"""

import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks import bench_memory

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BIN = Path(sys.executable).parent
CORES = os.cpu_count() or 1
OURS = "tokcost report"


def notebooks(n_reports: int) -> list[Path]:
    """As many notebooks of the suite as reports are asked for, from the first again where it has fewer."""
    return list(itertools.islice(itertools.cycle(NOTEBOOKS), n_reports))


def by_report(paths: list[Path], folder: Path) -> None:
    for number, path in enumerate(paths):
        (folder / f"r{number}.toml").write_text(f"notebook = {json.dumps(str(path))}\n")
    subprocess.run([sys.executable, "-m", "tokcost.cli", "report", folder, "-o", folder / "out", "-q"], check=True)


def by_processes(paths: list[Path], folder: Path) -> None:
    for number, path in enumerate(paths):
        ran = folder / f"r{number}.ipynb"
        for command in ([BIN / "papermill", path, ran], [BIN / "jupyter-nbconvert", "--to", "html", ran]):
            subprocess.run([*command, "--log-level", "ERROR"], check=True, capture_output=True, cwd=path.parent)


def by_loop(paths: list[Path], folder: Path) -> None:
    program = (
        "import sys, papermill, pathlib, nbconvert\n"
        "folder, *paths = sys.argv[1:]\n"
        "exporter = nbconvert.HTMLExporter()\n"
        "for number, path in enumerate(paths):\n"
        "    ran = f'{folder}/r{number}.ipynb'\n"
        "    papermill.execute_notebook(path, ran, progress_bar=False)\n"
        "    pathlib.Path(folder, f'r{number}.html').write_text(exporter.from_filename(ran)[0])\n"
    )
    subprocess.run([sys.executable, "-c", program, folder, *paths], check=True, capture_output=True, cwd=NOTEBOOKS[0].parent)


def without_isolation(paths: list[Path], folder: Path) -> None:
    from benchmarks.bench_reports import run_cells  # a shell takes the place of __main__: found by its own name, in the second run too

    with ProcessPoolExecutor(CORES, mp_context=get_context("fork")) as pool:
        assert all(pool.map(run_cells, map(str, paths)))


def run_cells(path: str) -> bool:
    from IPython.core.interactiveshell import InteractiveShell

    os.environ["TOKCOST_REPORT"] = "1"
    shell = InteractiveShell.instance()
    shell.reset()
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 # of this worker alone
    for cell in json.loads(Path(path).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            shell.run_cell("".join(cell["source"]), store_history=True).raise_error()
    return True


WAYS = {
    OURS: by_report,
    "papermill + jupyter nbconvert": by_processes,
    "papermill's API in a loop": by_loop,
    "cells alone, no isolation": without_isolation,
}


def compared(n_reports: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds by the clock and of processor time of each way, the ways in turn so that a busy minute is shared."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            with tempfile.TemporaryDirectory() as scratch:
                begin, before = time.perf_counter(), _processor_s()
                way(notebooks(n_reports), Path(scratch))
                seconds[name].append((time.perf_counter() - begin, _processor_s() - before))
    return seconds


def _processor_s() -> float:
    """Of all processes that were begun here and are done."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(n_reports: int = 16, rounds: int = 3) -> int:
    import tokcost.namespace
    from tokcost.evidence.catalog import read_ahead
    from tokcost.report.one import import_ahead

    for load in (tokcost.namespace.import_all, read_ahead, import_ahead):  # for the processes without isolation, copied from this one
        load()
    slowest = 0.0
    for number in dict.fromkeys((n_reports, 1)):
        found = compared(number, rounds)
        ours = statistics.median(clock for clock, _ in found[OURS])
        print(f"\n{number} reports, {CORES} cores, load {os.getloadavg()[0]:.1f}; {rounds} rounds")
        print(f"{'':34}{'median s':>9}{'range s':>16}{'a minute':>10}{'to ours':>9}{'processor s':>13}")
        for name, both in found.items():
            seconds = [clock for clock, _ in both]
            median, span = statistics.median(seconds), f"{min(seconds):.1f} to {max(seconds):.1f}"
            processor = statistics.median(processor for _, processor in both)
            print(f"{name:34}{median:9.1f}{span:>16}{number / median * 60:10.1f}{median / ours:9.2f}{processor:13.1f}")
        slowest = max(slowest, ours / statistics.median(clock for clock, _ in found["papermill + jupyter nbconvert"]))
    return max(int(slowest >= 1), bench_memory.main(200, 16))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
