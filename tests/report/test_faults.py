"""One fault is one FAILED line: what else was asked for is made, and streams, neighbours and left-overs do no harm."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOKCOST = Path(sys.executable).with_name("tokcost")
GOOD = [("markdown", "# Q?"), ("code", "x = 1.0  # a number, 0 to 10", "parameters"), ("code", "x")]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, tokcost, notebook):
    """Bad notebooks and definitions before good ones, beside results of other programs, in one call."""
    folder = tmp_path_factory.mktemp("mixed")
    notebook(folder / "good.ipynb", *GOOD)
    notebook(folder / "half.ipynb", ("markdown", "# \ud800 Half?"), *GOOD[1:])
    (folder / "format.ipynb").write_text('{"nbformat": 99}')
    (folder / "nothing.ipynb").write_text('{"cells": [], "metadata": null, "nbformat": 4}')
    (folder / "deep.toml").write_text("a = " + "[" * 5000)
    (folder / "lost.toml").write_text('notebook = "nowhere.ipynb"')
    (folder / "wild.toml").write_text('notebook = "good.ipynb"\n[parameters]\nx = 99')
    (folder / "title.toml").write_text('notebook = "good.ipynb"\ntitle = "![a](/etc/passwd) <script>f()</script> *b*"')
    out = folder / "out"
    out.mkdir()
    for name, text in {"old": '{"schema": 0}', "other": '{"a": 1}', "broken": "[", "odd": '{"schema": 1, "question": 5}'}.items():
        (out / f"{name}.result.json").write_text(text)
        (out / f"{name}.html").write_text("")
    (out / "folder.result.json").mkdir()
    os.mkfifo(out / "pipe.result.json")
    names = ["format.ipynb", "nothing.ipynb", "deep.toml", "lost.toml", "wild.toml", "title.toml", "half.ipynb", "good.ipynb"]
    return out, tokcost("report", *names, "-o", "out", cwd=folder)


def test_each_bad_file_is_one_failed_line_and_the_others_are_made(mixed):
    out, run = mixed
    assert run.status == 1 and "Traceback" not in run.err
    failed = {line.split()[1].rstrip(":"): line for line in run.err.splitlines() if line.startswith("FAILED ")}
    assert set(failed) == {"format", "nothing", "deep", "lost", "wild"}
    assert "its `nbformat` is 99" in failed["format"] and "nested too deep" in failed["deep"]
    assert "must be in [0, 10], got 99" in failed["wild"]
    made = [f"out/{name}.{end}" for name in ("title", "half", "good") for end in ("html", "result.json", "ipynb")]
    assert run.out.split() == [*made, "out/index.html", "out/glossary.html"]


def test_results_of_others_are_left_out_with_a_note_and_the_index_is_written(mixed):
    out, run = mixed
    for name in ("old", "other", "broken", "odd", "folder", "pipe"):
        assert sum(f"{name}.result.json" in line and "left out" in line for line in run.err.splitlines()) == 1, name
    page = (out / "index.html").read_text()
    assert page.count("<li") == 8 and page.count('class="failed"') == 5 and "old.html" not in page


def test_a_title_from_a_definition_and_half_a_character_are_text(mixed):
    out, _ = mixed
    page = (out / "title.html").read_text()
    for where in ("title", "h1"):
        assert f"<{where}>![a](/etc/passwd) &lt;script&gt;f()&lt;/script&gt; *b*</{where}>" in page
    assert "\ufffd Half?</h1>" in (out / "half.html").read_text()


@pytest.mark.parametrize(
    "arguments",
    ["bad.toml", "good.ipynb nowhere.ipynb", "good.ipynb bad.toml -p x=99", "good.ipynb bad.toml --dry-run", "bad.toml no.ipynb"],
)
def test_what_is_wrong_with_the_whole_request_still_stops_it(tmp_path, tokcost, notebook, arguments):
    notebook(tmp_path / "good.ipynb", *GOOD)
    (tmp_path / "bad.toml").write_text("=")
    run = tokcost("report", *arguments.split(), "-o", "out", cwd=tmp_path)
    assert run.status == 2 and run.err.count("\n") == 1 and run.out == "" and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("streams", "status", "says"),
    [("1>&- 2>&- 0<&-", 0, ""), ("1>/dev/full", 2, "cannot write to standard output: No space left"), ("2>/dev/full", 0, "")],
)
def test_streams_that_are_closed_or_full_lose_no_report(tmp_path, notebook, streams, status, says):
    notebook(tmp_path / "a.ipynb", *GOOD)
    command = f"{TOKCOST} report a.ipynb -o out {streams}"
    run = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert run.returncode == status and says in run.stderr and "Traceback" not in run.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.html", "a.result.json", "a.ipynb", "history.sqlite"}


def test_names_that_are_no_text_come_out_as_they_are(tmp_path, notebook, warm_tokcost):
    notebook(tmp_path / "a.ipynb", *GOOD)
    (tmp_path / os.fsdecode(b"caf\xe9.ipynb")).write_bytes((tmp_path / "a.ipynb").read_bytes())
    command = [warm_tokcost, b"report", b"caf\xe9.ipynb", b"a.ipynb", b"-o", b"o\xe9"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    assert run.returncode == 1 and b"cannot name a report" in run.stderr and run.stdout.splitlines()[0] == b"o\xe9/a.html"


def test_thousands_of_lines_at_once_are_shown_to_the_last(tmp_path, tokcost, notebook):
    notebook(tmp_path / "a.ipynb", *GOOD, ("code", "import sys\nfor n in range(5000): print(n); sys.stdout.flush()"))
    run = tokcost("report", "a.ipynb", "-o", "out", cwd=tmp_path)
    assert run.status == 0 and "\n4999\n" in (tmp_path / "out" / "a.html").read_text()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
            "the kernel died: ended by SIGKILL, as a system does when memory runs out",
        ),
        ("import os\nos._exit(7)", "the kernel died: it left with exit status 7"),
        ("raise MemoryError", "MemoryError"),
        ("raise ValueError('x' * 1_000_000)", "ValueError: xxx"),
        ("raise ValueError('\\ud800')", "an error that it could not tell"),
    ],
)
def test_a_cell_that_ends_badly_is_named_for_what_it_is(tmp_path, tokcost, notebook, source, says):
    notebook(tmp_path / "a.ipynb", *GOOD, ("code", source))
    run = tokcost("report", "a.ipynb", "-o", "out", cwd=tmp_path)
    assert run.status == 1 and f"FAILED a: cell 4 of a.ipynb failed: {says}" in run.err and len(run.err) < 2000


def test_private_folders_of_killed_runs_are_swept_and_those_in_use_are_not(tmp_path, tokcost, notebook):
    notebook(tmp_path / "a.ipynb", *GOOD)
    temporary = tmp_path / "temporary"
    for name in ("tokcost-killed", "tokcost-running", "tokcost-new", "other"):
        (temporary / name).mkdir(parents=True)
    hour_ago = time.time() - 3600
    with open(temporary / "tokcost-running" / "held", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for name in ("tokcost-killed", "tokcost-running", "other"):
            os.utime(temporary / name, (hour_ago, hour_ago))
        assert tokcost("report", "a.ipynb", "-o", "out", cwd=tmp_path, TMPDIR=str(temporary)).status == 0
    assert sorted(path.name for path in temporary.iterdir()) == ["other", "tokcost-new", "tokcost-running"]


def test_a_notebook_that_ran_before_under_papermill_runs_again(tmp_path, tokcost, notebook):
    path = notebook(tmp_path / "a.ipynb", *GOOD)
    content = json.loads(path.read_text())
    content["metadata"]["papermill"] = ["of", "an", "earlier", "run"]
    path.write_text(json.dumps(content))
    assert tokcost("report", "a.ipynb", "-o", "out", cwd=tmp_path).status == 0


def test_a_notebook_imports_what_lies_beside_it_and_its_kernel_does_not(tmp_path, tokcost, notebook):
    notebook(tmp_path / "a.ipynb", *GOOD, ("code", "import beside\nprint(beside.word)"))
    (tmp_path / "beside.py").write_text("word = 'found'")
    (tmp_path / "zmq.py").write_text("raise SystemExit('not the library')")
    run = tokcost("report", "a.ipynb", "-o", "out", cwd=tmp_path)
    assert run.status == 0 and "found" in (tmp_path / "out" / "a.html").read_text()
