"""`tokcost batch --dask`: a real scheduler and two worker processes on this machine, one of them killed half-way."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter

import pytest

from tokcost.report.memory.store import History

CELLS = [("markdown", "# Q?"), ("code", "x = 1.0  # a number, 0 to 100", "parameters"), ("code", "import os\nprint(x)")]


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler, and its two workers."""
    quiet = {"cwd": tmp_path, "stderr": subprocess.PIPE, "text": True}
    started = []

    def start(module: str, *options: str):
        command = [sys.executable, "-m", f"distributed.cli.{module}", *options, "--host", "127.0.0.1", "--no-dashboard"]
        started.append(subprocess.Popen(command, **quiet))
        return started[-1]

    try:
        scheduler = start("dask_scheduler", "--port", "0")
        address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
        workers = [start("dask_worker", address, "--nworkers", "1", "--nthreads", "1", "--no-nanny") for _ in range(2)]
        for worker in workers:
            assert any("Registered to" in line for line in worker.stderr)
        yield address, workers
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_a_worker_that_is_killed_half_way_costs_nothing_and_nothing_is_remembered_twice(cluster, tmp_path, notebook, warm_tokcost):
    address, workers = cluster
    notebook(tmp_path / "a.ipynb", *CELLS)
    values = range(1, 9)
    (tmp_path / "each.csv").write_text("name,x\n" + "".join(f"n{x},{x}\n" for x in values))
    command = [warm_tokcost, "batch", "a.ipynb", "--each", "each.csv", "-o", "out", "--dask", address]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = []
    assert any("(2 of 8;" in line for line in run.stderr if not said.append(line)), "".join(said)
    os.kill(workers[0].pid, signal.SIGKILL)
    out, err = run.communicate(timeout=100)
    assert run.returncode == 0 and "8 reports in out: 8 made" in out, err
    for x in values:
        assert json.loads((tmp_path / "out" / f"a-n{x}.result.json").read_text())["parameters"]["x"]["value"] == x
    assert Counter(entry.report for entry in History(tmp_path / "out" / "history.sqlite").runs()) == {f"a-n{x}": 1 for x in values}


def test_a_scheduler_that_does_not_answer_is_said(tmp_path, notebook, tokcost, monkeypatch):
    notebook(tmp_path / "a.ipynb", *CELLS)
    run = tokcost("batch", "a.ipynb", "--dask", "tcp://127.0.0.1:9", cwd=tmp_path, DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="1s")
    assert run.status == 2 and "no Dask scheduler answers at tcp://127.0.0.1:9" in run.err
    assert not (tmp_path / "reports").exists()
