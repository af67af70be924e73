"""`tokcost batch`: many reports at once, whatever happens to one of them, to the batch, or to the machine."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tokcost.paths import DATA
from tokcost.report.memory.store import History

PARAMETER = ("code", "x = 1.0  # a number, 0 to 100", "parameters")
CELLS = [("markdown", "# Q?"), PARAMETER, ("code", "assert x != 4, 'four'\nprint(x)")]
ENDINGS = ("html", "result.json", "ipynb")


@pytest.fixture
def batch(tmp_path, notebook, tokcost):
    """A function: `tokcost batch` of a notebook for values of x, in a folder of its own."""
    notebook(tmp_path / "a.ipynb", *CELLS)

    def run(values, *options, **more):
        (tmp_path / "each.csv").write_text("name,x\n" + "".join(f"n{x},{x}\n" for x in values))
        return tokcost("batch", "a.ipynb", "--each", "each.csv", "-o", "out", *options, cwd=tmp_path, **more)

    return run


def x_of(path: Path) -> float:
    return json.loads(path.read_text())["parameters"]["x"]["value"]


def require_whole(out: Path, values) -> None:
    """Each report is there, says its own value, and nothing else lies around."""
    for x in values:
        assert x_of(out / f"a-n{x}.result.json") == x and (out / f"a-n{x}.html").read_text().rstrip().endswith("</html>")
        json.loads((out / f"a-n{x}.ipynb").read_text())
    beside = {"index.html", "glossary.html", "batch.jsonl"}
    found = {path.name for path in out.iterdir() if path.name != "failed" and not path.name.startswith("history.sqlite")}
    assert found - beside == {f"a-n{x}.{ending}" for x in values for ending in ENDINGS}


def made_per_report(out: Path) -> Counter:
    return Counter(entry.report for entry in History(out / "history.sqlite").runs())


def test_one_that_fails_costs_no_other_and_the_table_says_so(batch, tmp_path):
    run = batch([1, 2, 4, 3])
    out = tmp_path / "out"
    assert run.status == 1 and "4 reports in out: 3 made, 1 failed" in run.out
    rows = {line.split()[0]: line.split()[1] for line in run.out.splitlines() if line.startswith("  a-n")}
    assert rows == {"a-n1": "made", "a-n2": "made", "a-n3": "made", "a-n4": "failed"}
    assert "FAILED a-n4: cell 3 of a.ipynb failed: AssertionError: four" in run.err
    assert "(4 of 4;" in run.err and " a minute, 0 s left" in run.err
    require_whole(out, [1, 2, 3])
    assert made_per_report(out) == {"a-n1": 1, "a-n2": 1, "a-n3": 1}
    assert (out / "failed" / "a-n4.ipynb").is_file() and 'href="a-n3.html"' in (out / "index.html").read_text()


def test_resume_makes_what_failed_is_missing_or_has_other_inputs(batch, tmp_path, notebook):
    out = tmp_path / "out"
    assert batch([1, 2, 4]).status == 1
    (out / "a-n2.html").unlink()
    (tmp_path / "each.csv").write_text("")
    again = batch([1, 2, 5], "--resume")
    assert again.status == 0 and "2 reports to make, 1 are made and unchanged" in again.err
    assert made_per_report(out) == {"a-n1": 1, "a-n2": 2, "a-n5": 1}
    assert "3 unchanged" in batch([1, 2, 5], "--resume").out
    notebook(tmp_path / "a.ipynb", *CELLS, ("code", "print('more')"))
    assert "3 made" in batch([1, 2, 5], "--resume").out


def test_a_changed_table_makes_again_only_the_reports_that_read_it(tmp_path, tokcost, notebook):
    data = tmp_path / "data"
    data.mkdir()
    for table in DATA.glob("*.csv"):
        (data / table.name).write_bytes(table.read_bytes())
    read = ("code", "import tokcost as tc\ntc.load_table('hourly_rates')\ntc.sources(tc.provenance())")
    for name, cells in {"reads": [*CELLS, read], "other": CELLS}.items():
        notebook(tmp_path / f"{name}.ipynb", *cells)
    command = ("batch", "reads.ipynb", "other.ipynb", "-o", "out", "--resume")
    assert "2 made" in tokcost(*command, cwd=tmp_path, TOKCOST_DATA_DIR=str(data)).out
    rates = data / "hourly_rates.csv"
    rates.write_text(rates.read_text().replace(",1.41,", ",1.42,"))
    assert "1 made, 1 unchanged" in tokcost(*command, cwd=tmp_path, TOKCOST_DATA_DIR=str(data)).out


def test_one_that_takes_too_long_or_too_much_is_ended_and_the_others_are_made(batch, tmp_path, notebook):
    hungry = "import time\nif x == 7: time.sleep(60)\nif x == 8: bytearray(2_000_000_000)\nprint(x)"
    notebook(tmp_path / "a.ipynb", *CELLS[:2], ("code", hungry))
    run = batch([1, 7, 8], "--report-timeout", "4", "--memory", "1000")
    assert run.status == 1 and "1 made, 2 failed" in run.out
    assert "FAILED a-n7: it took longer than the 4 s that a report may take" in run.err
    assert "FAILED a-n8: cell 3 of a.ipynb failed: MemoryError; the limit is 1000 MB, raise --memory" in run.err
    require_whole(tmp_path / "out", [1])


def working_in(folder: Path) -> list[int]:
    """Processes that stand in a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if Path(os.readlink(place)).is_relative_to(folder):
                found.append(int(place.parent.name))
        except OSError:  # gone, or somebody else's
            continue
    return found


def gone(folder: Path) -> bool:
    for _ in range(500):
        if not working_in(folder):
            return True
        time.sleep(0.01)
    return False


def test_killed_ten_times_and_resumed_nothing_is_lost_or_torn(batch, tmp_path, warm_tokcost):
    """Ten times kill -9 to the process that leads, each time a report later; its workers and their kernels go with it."""
    pid = tmp_path / "pid"
    command = [warm_tokcost, "batch", "a.ipynb", "--each", "each.csv", "-o", "out", "--workers", "2", "--resume"]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    for killed in range(10):
        values = list(range(11, 14 + 3 * killed))  # three more each time: work is left, however fast the machine is
        (tmp_path / "each.csv").write_text("name,x\n" + "".join(f"n{x},{x}\n" for x in values))
        with subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"WARM_PID_FILE": str(pid)}, **streams) as process:
            if killed:
                assert any(": made in" in line for line in process.stderr), "a report more than the last time"
            time.sleep(0.02 * (killed % 3))
            with contextlib.suppress(ProcessLookupError):  # it was done already
                os.kill(int(pid.read_text()) if pid.exists() else process.pid, signal.SIGKILL)
        assert gone(tmp_path), "workers and kernels end with the batch"
        pid.unlink(missing_ok=True)
    last = batch(values, "--resume")
    assert last.status == 0 and "unchanged" in last.out
    require_whole(tmp_path / "out", values)
    runs = made_per_report(tmp_path / "out")
    assert set(runs) == {f"a-n{x}" for x in values} and sum(runs.values()) <= len(values) + 10, "at most the one that was being written"


def test_two_batches_at_once_in_one_folder_leave_whole_reports(batch, tmp_path, warm_tokcost):
    values = [1, 2, 3]
    (tmp_path / "each.csv").write_text("name,x\n" + "".join(f"n{x},{x}\n" for x in values))
    command = [warm_tokcost, "batch", "a.ipynb", "--each", "each.csv", "-o", "out", "-q"]
    runs = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(run.communicate(timeout=100)[1], run.returncode) for run in runs] == [("", 0), ("", 0)]
    require_whole(tmp_path / "out", values)
    assert made_per_report(tmp_path / "out") == {f"a-n{x}": 2 for x in values}


def test_more_workers_than_processors_lose_nothing(batch, tmp_path):
    values = list(range(20, 37))
    run = batch(values, "--workers", "16")
    assert run.status == 0 and f"{len(values)} made" in run.out
    require_whole(tmp_path / "out", values)
    assert set(made_per_report(tmp_path / "out").values()) == {1}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own of 180 kB at out/; a function mounts it with other options."""
    place = tmp_path / "out"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=180k", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip("this user may not mount a file system")

    def again(options: str) -> None:
        for _ in range(500):  # busy while somebody writes
            done = subprocess.run(["mount", "-o", f"remount,{options}", place], capture_output=True)
            if not done.returncode:
                return
            time.sleep(0.01)
        raise AssertionError(done.stderr)

    yield again
    subprocess.run(["umount", "--lazy", place], check=True)


def test_on_a_full_disk_what_was_made_is_whole_and_with_more_room_the_rest_is_made(batch, tmp_path, small_disk):
    values = list(range(11, 17))
    run = batch(values, "--workers", "2")
    assert run.status == 1 and "No space left on device" in run.err and "Traceback" not in run.err
    rows = {line.split()[0]: line.split()[1] for line in run.out.splitlines() if line.startswith("  a-n")}
    assert set(rows.values()) == {"made", "failed"}
    require_whole(tmp_path / "out", [x for x in values if rows[f"a-n{x}"] == "made"])
    small_disk("size=20m")
    assert batch(values, "--resume").status == 0
    require_whole(tmp_path / "out", values)


def test_where_nothing_can_be_written_nothing_is_begun(batch, small_disk):
    small_disk("ro")
    run = batch([1, 2])
    assert (
        run.status == 2 and run.err == "tokcost batch: cannot write reports to out: Read-only file system; choose another with --output\n"
    )


def test_a_folder_that_becomes_read_only_meanwhile_costs_no_report_that_was_made(batch, tmp_path, notebook, small_disk, warm_tokcost):
    notebook(tmp_path / "a.ipynb", *CELLS[:2], ("code", "import time\ntime.sleep(0.2)\nprint(x)"))
    small_disk("size=20m")
    values = list(range(11, 17))
    (tmp_path / "each.csv").write_text("name,x\n" + "".join(f"n{x},{x}\n" for x in values))
    command = [warm_tokcost, "batch", "a.ipynb", "--each", "each.csv", "-o", "out", "--workers", "1"]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert any(": made in" in line for line in run.stderr)
    small_disk("ro")
    out, err = run.communicate(timeout=100)
    rows = {line.split()[0]: line.split()[1] for line in out.splitlines() if line.startswith("  a-n")}
    assert run.returncode == 1 and set(rows.values()) == {"made", "failed"} and "Read-only file system" in err and "Traceback" not in err
    small_disk("rw")
    require_whole(tmp_path / "out", [x for x in values if rows[f"a-n{x}"] == "made"])
    assert batch(values, "--resume").status == 0
    require_whole(tmp_path / "out", values)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("a.ipynb other.ipynb --each each.csv", "--each takes one notebook"),
        ("a.ipynb --each nowhere.csv", "nowhere.csv"),
        ("a.ipynb --workers 0", "must be 1 or more, got 0"),
        ("a.ipynb --memory 10", "must be 100 or more, got 10"),
        ("a.ipynb --dask tcp://127.0.0.1:9 --workers 2", "a Dask cluster has its own workers: leave them out"),
        ("a.ipynb -o a.ipynb", "cannot write reports to a.ipynb"),
    ],
)
def test_a_request_that_is_wrong_is_answered_in_one_sentence_and_nothing_is_written(batch, tmp_path, tokcost, arguments, says):
    run = tokcost("batch", *arguments.split(), cwd=tmp_path)
    assert run.status == 2 and says in run.err and run.err.count("\n") == 1 and not (tmp_path / "out").exists()
