"""Real runs: a report that ends well, and every way in which one can fail without harm to what was good."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tokcost.report.memory.store import History

ROOT = Path(__file__).parents[3]


def cells(*sources, parameter="x = 1.0  # a number, 0 to 10"):
    return [("markdown", "# Does it run?"), ("code", parameter, "parameters"), *(("code", source) for source in sources)]


def files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def troubled(tmp_path_factory, tokcost, notebook):
    """A good first run of two reports; then one of them fails, beside reports that fail in other ways and one that does not."""
    folder = tmp_path_factory.mktemp("troubled")
    notebook(folder / "fragile.ipynb", *cells("z = 1\ny = 1 / x", "'the end'"))
    notebook(folder / "linker.ipynb", ("markdown", "# Linked?\n\n[to](exits.ipynb), [good](fragile.ipynb)"), *cells("x")[1:])
    notebook(folder / "exits.ipynb", *cells("import sys\nsys.exit(0)", "'never'"))
    notebook(folder / "dies.ipynb", *cells("import os, sys\nprint('last words', file=sys.__stderr__, flush=True)\nos._exit(3)", "1"))
    notebook(folder / "killed.ipynb", *cells("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "1"))
    notebook(folder / "slow.ipynb", *cells("import time\ntime.sleep(60)"))
    first = tokcost("report", "fragile.ipynb", "linker.ipynb", "--output", "out", cwd=folder)
    assert first.status == 0, first.err
    before = files(folder / "out")
    names = ["linker", "fragile", "exits", "dies", "killed", "slow"]
    second = tokcost("report", *(f"{n}.ipynb" for n in names), "-p", "x=0", "--timeout", "2", "--output", "out", cwd=folder)
    return folder / "out", before, second


def test_one_failed_report_is_a_failed_run_but_the_others_are_made(troubled):
    output, before, run = troubled
    assert run.status == 1
    made = [f"linker.{end}" for end in ("html", "result.json", "ipynb")]
    assert run.out.splitlines() == [f"out/{name}" for name in (*made, "index.html", "glossary.html")]


def test_a_failure_says_cell_line_and_error(troubled):
    said = troubled[2].err
    assert "FAILED fragile: cell 3 of fragile.ipynb failed: ZeroDivisionError: float division by zero (line 2: y = 1 / x)" in said
    assert "FAILED exits: cell 3 of exits.ipynb failed: sys.exit(0) (the cell starts: import sys)" in said
    assert "FAILED dies: cell 3 of dies.ipynb failed: the kernel died" in said
    assert "FAILED killed: cell 3 of killed.ipynb failed: the kernel died" in said
    assert "FAILED slow: cell 3 of slow.ipynb failed: the cell took too long; raise --timeout" in said
    assert "Traceback" not in said


def test_an_earlier_good_report_stays_byte_for_byte(troubled):
    output, before, _ = troubled
    for name in ("fragile.html", "fragile.result.json", "fragile.ipynb"):
        assert (output / name).read_bytes() == before[name]


def test_what_ran_of_a_failed_report_is_kept_and_nothing_else(troubled):
    output, _, _ = troubled
    for name in ("exits", "dies", "killed", "slow"):
        assert not list(output.glob(f"{name}.*"))
    partial = json.loads((output / "failed" / "fragile.ipynb").read_text())
    assert [c["cell_type"] for c in partial["cells"]] == ["markdown", "code", "code", "code", "code"]
    assert any(o["output_type"] == "error" for c in partial["cells"] for o in c.get("outputs", []))
    assert sorted(p.stem for p in (output / "failed").iterdir()) == ["dies", "exits", "fragile", "killed", "slow"]
    assert not [p for p in output.rglob("*") if p.suffix == ".tmp"]


def test_the_index_marks_what_failed_and_links_what_is_there(troubled):
    page = (troubled[0] / "index.html").read_text()
    assert page.count('class="failed"') == 5
    assert 'href="linker.html"' in page and 'href="fragile.html"' in page and 'href="exits.html"' not in page
    assert "The report above is the earlier one." in page


def test_a_link_to_a_report_that_failed_is_plain_text(troubled):
    page = (troubled[0] / "linker.html").read_text()
    assert "exits.html" not in page and 'href="fragile.html"' in page


def test_a_report_that_succeeds_again_takes_its_failure_back(troubled, tokcost):
    output, _, _ = troubled
    run = tokcost("report", "fragile.ipynb", "--output", "out", "--quiet", cwd=output.parent)
    assert (run.status, run.out, run.err) == (0, "", "")
    assert not (output / "failed" / "fragile.ipynb").exists()
    assert (output / "index.html").read_text().count('class="failed"') == 4


@pytest.mark.parametrize(("how", "names"), [(signal.SIGINT, "a"), (signal.SIGTERM, "a"), (signal.SIGINT, "ab")])
def test_an_interruption_stops_every_kernel_and_leaves_nothing_half_written(tmp_path, notebook, warm_tokcost, how, names):
    for name in names:
        notebook(tmp_path / f"{name}.ipynb", *cells(f"import os, time\nopen('{name}.pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"))
    command = [warm_tokcost, "report", *(f"{name}.ipynb" for name in names), "--output", "out", "--workers", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    pids = [tmp_path / f"{name}.pid" for name in names]
    while not all(pid.exists() and pid.read_text() for pid in pids):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(how)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert err == "tokcost report: interrupted; reports that were not finished are as they were\n" and out == ""
    assert files(tmp_path / "out") == {}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_several_reports_are_made_at_once_and_told_in_the_order_that_was_asked(tmp_path, notebook, tokcost):
    """Each waits for the other to have begun, which one after the other never could."""
    meet = "import pathlib, time\npathlib.Path('{0}.here').touch()\nwhile not pathlib.Path('{1}.here').exists(): time.sleep(0.01)\n"
    notebook(tmp_path / "b.ipynb", *cells(meet.format("b", "a") + "time.sleep(0.5)", "x"))
    notebook(tmp_path / "a.ipynb", *cells(meet.format("a", "b"), "x"))
    notebook(tmp_path / "hangs.ipynb", *cells("import time\ntime.sleep(60)"))
    names = ("b.ipynb", "hangs.ipynb", "a.ipynb")
    run = tokcost("report", *names, "-o", "out", "--workers", "3", "--report-timeout", "5", cwd=tmp_path)
    assert run.status == 1 and "FAILED hangs: it took longer than the 5 s that a report may take" in run.err
    ends = ("html", "result.json", "ipynb")
    assert run.out.split() == [*(f"out/{name}.{end}" for name in "ba" for end in ends), "out/index.html", "out/glossary.html"]
    page = (tmp_path / "out" / "b.html").read_text()
    assert 'href="a.html"' in page and "hangs.html" not in page


def test_two_runs_into_one_directory_leave_whole_files(tmp_path, notebook, warm_tokcost):
    for name in ("a", "b"):
        notebook(tmp_path / f"{name}.ipynb", *cells("x"))
    command = [warm_tokcost, "report", "a.ipynb", "b.ipynb", "--output", "out", "--quiet", "-p"]
    runs = [subprocess.Popen([*command, f"x={n}"], cwd=tmp_path) for n in (2, 3)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    for name in ("a", "b"):
        x = json.loads((tmp_path / "out" / f"{name}.result.json").read_text())["parameters"]["x"]["value"]
        page = (tmp_path / "out" / f"{name}.html").read_text()
        assert page.endswith("</html>") or page.endswith("</html>\n")
        assert f"-p x={x}" in page, "page and result are of one run"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [f"{n}.{e}" for n in "ab" for e in ("html", "ipynb", "result.json")] + ["glossary.html", "history.sqlite", "index.html"]
    )
    assert sorted(entry.report for entry in History(tmp_path / "out" / "history.sqlite").runs()) == ["a", "a", "b", "b"]


def test_a_kernel_called_python3_that_points_elsewhere_is_not_used(tmp_path, tokcost, notebook):
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"}))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("raise SystemExit('the user profile ran')")
    notebook(tmp_path / "a.ipynb", *cells(f"import sys\nprint(sys.executable == {sys.executable!r})\nprint('warned', file=sys.stderr)"))
    run = tokcost("report", "a.ipynb", cwd=tmp_path, JUPYTER_PATH=str(tmp_path / "jupyter"), IPYTHONDIR=str(tmp_path / "ipython"))
    assert run.status == 0, run.err
    page = (tmp_path / "reports" / "output" / "a.html").read_text()
    assert ">True\n<" in page
    assert "warned" not in page and "a: warning in cell 3: warned" in run.err
    assert re.search(r"^a: 3 cells in \d+\.\d s, reports/output/a.html$", run.err, re.M)
    assert run.err.count("\n") == 2, "one plain line per report, and nothing of the kernel's own noise"
    assert not (tmp_path / "reports" / "output" / "index.html").exists()


def test_a_cell_that_was_never_run_is_a_failed_report(tmp_path):
    """Papermill itself calls such a run a success."""
    from nbformat.v4 import new_code_cell, new_notebook

    from tokcost.report.errors import ReportFailed
    from tokcost.report.execution.run import require_complete
    from tokcost.report.request.definition import Job

    ran, skipped = new_code_cell("1", execution_count=1), new_code_cell("2", metadata={"tags": ["skip-execution"]})
    job = Job("a", tmp_path / "a.ipynb")
    require_complete(job, new_notebook(cells=[ran, skipped, new_code_cell(" ")]))
    with pytest.raises(ReportFailed, match=r"a: cell 2 of a.ipynb failed: the cell was not run \(the cell starts: 3\)"):
        require_complete(job, new_notebook(cells=[ran, new_code_cell("3")]))


@pytest.mark.parametrize(
    ("source", "traceback", "says"),
    [
        ("a = 1\nb = 1 / 0", "Cell In[3], line 2\n----> 2 b", "line 2: b = 1 / 0"),
        ("a = 1\nhelp_(0)", "Cell In[3], line 2\nCell In[1], line 1, in help_", "line 2: help_(0)"),
        ("a = 1\nhelp_(0)", "Cell In[1], line 9", "the cell starts: a = 1"),
        ("\n\nb = 2\n", "the kernel died", "the cell starts: b = 2"),
        ("x = " + "9" * 200, "", "the cell starts: x = " + "9" * 93 + "..."),
        ("x = " + "9" * 200, "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39mIn[3]\x1b[39m, line 1", "line 1: x = " + "9" * 93 + "..."),
    ],
)
def test_the_line_that_failed_is_quoted_where_the_traceback_knows_it(source, traceback, says):
    from nbformat.v4 import new_code_cell, new_output

    from tokcost.report.execution.run import _quoted

    error = new_output("error", ename="E", evalue="", traceback=[traceback])
    assert _quoted(new_code_cell(source, execution_count=3, outputs=[error])) == says


def test_a_data_directory_named_from_here_is_found_by_the_kernel_and_the_page_says_so(tmp_path, tokcost, notebook):
    """The kernel runs in the folder of the notebook; the environment was meant from where the user stands."""
    data = tmp_path / "data"
    shutil.copytree(ROOT / "data", data, ignore=shutil.ignore_patterns("benchmark_example"))
    show = ("code", "import tokcost as tc\ntc.load_table('hourly_rates')\ntc.sources(tc.provenance())")
    notebook(tmp_path / "deep" / "er" / "a.ipynb", *cells("x"), show)

    def page():
        run = tokcost("report", "deep/er/a.ipynb", "-q", cwd=tmp_path, TOKCOST_DATA_DIR="data")
        assert run.status == 0, run.err
        return (tmp_path / "reports" / "output" / "a.html").read_text()

    assert "other data" not in page(), "a copy, byte for byte, gives the same report"
    rates = data / "hourly_rates.csv"
    rates.write_text(rates.read_text().replace(",1.41,", ",1.42,"))
    foot = page().partition("<footer>")[2]
    assert "other data than the project's:</strong> <code>data/hourly_rates.csv</code> differs" in foot
    assert "TOKCOST_DATA_DIR" in foot[foot.index("To make this report again") :] and str(tmp_path) not in foot


def test_a_large_page_is_made_and_said(tmp_path, tokcost, notebook):
    notebook(tmp_path / "a.ipynb", *cells("print('x' * 1_200_000)"))
    run = tokcost("report", "a.ipynb", cwd=tmp_path)
    assert run.status == 0 and "a: the page is 1.2 MB; show fewer points" in run.err


def test_a_page_that_cannot_be_made_is_a_failed_report_and_the_index_knows(tmp_path, tokcost, notebook):
    broken = "display({'text/plain': 'x', 'application/vnd.tokcost.v1+json': {'kind': 'result', 'name': 'a_usd', 'label': 'A'}}, raw=True)"
    notebook(tmp_path / "broken.ipynb", *cells(broken))
    notebook(tmp_path / "good.ipynb", *cells("x"))
    run = tokcost("report", "broken.ipynb", "good.ipynb", cwd=tmp_path)
    assert run.status == 1 and "FAILED broken: the page could not be made" in run.err and "Traceback" not in run.err
    output = tmp_path / "reports" / "output"
    assert (output / "good.html").exists() and not (output / "broken.html").exists()
    assert (output / "index.html").read_text().count('class="failed"') == 1
