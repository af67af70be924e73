"""Many reports of a small notebook in one batch: none may be lost or made twice, and memory must stay flat.

    python -m benchmarks.bench_memory [REPORTS [WORKERS]]

Prints the resident memory of the leading process, of the process that kernels are copied from, and of the largest worker and kernel
that were at work, at each twentieth of the way. Exit status 1 if the leading process or that of the kernels took a tenth more at the
end than after a tenth of the reports.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tokcost.report.memory.store import History

GROWTH = 1.1


def write_small(folder: Path, n_reports: int) -> None:
    """A notebook of one parameter, and the table that makes a report of each of its values."""
    cell = {"id": "a", "metadata": {}}
    code = cell | {"cell_type": "code", "execution_count": None, "outputs": []}
    parameters = code | {"metadata": {"tags": ["parameters"]}, "source": "x = 1.0  # a number, 0 to 100000"}
    cells = [cell | {"cell_type": "markdown", "source": "# Q?"}, parameters | {"id": "b"}, code | {"id": "c", "source": "print(x)"}]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    (folder / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    (folder / "each.csv").write_text("name,x\n" + "".join(f"n{x},{x}\n" for x in range(n_reports)))


def require_all(folder: Path, n_reports: int) -> None:
    runs = Counter(entry.report for entry in History(folder / "out" / "history.sqlite").runs())
    values = [json.loads((folder / "out" / f"a-n{x}.result.json").read_text())["parameters"]["x"]["value"] for x in range(n_reports)]
    assert values == list(range(n_reports)) and set(runs.values()) == {1} and len(runs) == n_reports


def resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:  # it has ended
        return 0.0
    return pages * resource.getpagesize() / 1e6


def children(pid: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def taken(leader: int) -> tuple[float, float, float, float]:
    """Megabytes of the leading process, of the template of kernels, of the largest worker and of the largest kernel."""
    own = children(leader)
    templates = [pid for pid in own if b"template_process" in command_of(pid)]
    kernels = [resident_mb(pid) for template in templates for pid in children(template)]
    workers = [resident_mb(pid) for pid in own if pid not in templates]
    return resident_mb(leader), max(map(resident_mb, templates), default=0.0), max(workers, default=0.0), max(kernels, default=0.0)


def main(n_reports: int = 1000, n_workers: int = os.cpu_count() or 1) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_small(folder, n_reports)
        command = [sys.executable, "-m", "tokcost.cli", "batch", "a.ipynb", "--each", "each.csv", "-o", "out", "--workers", str(n_workers)]
        begin = time.perf_counter()
        run = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        print(f"\n{'reports made':>12}{'leader MB':>11}{'template MB':>13}{'worker MB':>11}{'kernel MB':>11}")
        found = {}
        for line in run.stderr or ():
            made = re.search(rf"\((\d+) of {n_reports};", line)
            if made and int(made[1]) % (n_reports // 20) == 0 and int(made[1]) < n_reports:
                found[int(made[1])] = taken(run.pid)
                print("{:12,}{:11.1f}{:13.1f}{:11.1f}{:11.1f}".format(int(made[1]), *found[int(made[1])]), flush=True)
        assert run.wait() == 0
        require_all(folder, n_reports)
        minutes = (time.perf_counter() - begin) / 60
    early, late = (found[place] for place in (n_reports // 10, n_reports // 20 * 19))
    print(f"{n_reports:,} reports at {n_workers} workers: none lost, none twice, {n_reports / minutes:.0f} a minute;", end=" ")
    print(f"leader {early[0]:.0f} to {late[0]:.0f} MB, template {early[1]:.0f} to {late[1]:.0f} MB")
    return int(any(after > GROWTH * before for before, after in zip(early[:2], late[:2], strict=True)))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
