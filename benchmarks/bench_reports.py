"""Reports per minute, side by side in one run on the suite's own notebooks: ours, what people do by hand, and what no isolation costs.

    python -m benchmarks.bench_reports [REPORTS [ROUNDS]]

Five ways to the same reports, in turn, ROUNDS times; a line each with the median and the range of the seconds, and the seconds
of processor time, which a busy machine changes less:

- `tokcost report`: a fresh process for each report, pages that lead to each other, history and index included (`tokcost batch`
  works by the same processes);
- `papermill` and then `jupyter nbconvert`, a process each;
- papermill's own API in a loop, with one exporter of nbconvert;
- the same code without isolation (`benchmarks.without_isolation`): as many processes as processors, copied from one that has imported
  everything, each of which runs the cells of one notebook after another and makes our page of them. Its imports count, as ours do;
  history and index, which ours has, are not made;
- the cells alone, in such processes, whose imports were done before: no page is made. What no way can beat.

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
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks import bench_memory, without_isolation

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


def same_code(paths: list[Path], folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "benchmarks.without_isolation", folder, *paths], check=True, cwd=ROOT)


def cells_alone(paths: list[Path], folder: Path) -> None:
    with ProcessPoolExecutor(CORES, mp_context=get_context("fork")) as pool:
        assert all(pool.map(partial(without_isolation.make, folder=str(folder), page=False), map(str, paths)))


WAYS = {
    OURS: by_report,
    "papermill + jupyter nbconvert": by_processes,
    "papermill's API in a loop": by_loop,
    "the same code, no isolation": same_code,
    "cells alone, no isolation, warm": cells_alone,
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
    without_isolation.import_everything()  # for the cells alone, in processes that are copied from this one
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
