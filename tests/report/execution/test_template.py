"""Kernels forked from a template process: as fresh as any other, gone with whoever asked, and ordinary ones where that cannot be."""

import logging
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from tokcost.report.execution import template
from tokcost.report.execution.kernel_process import START
from tokcost.report.execution.provisioner import WarmProvisioner, cannot_stand_for
from tokcost.report.execution.run import execute
from tokcost.report.request.definition import notebook_job
from tokcost.report.request.plan import plan

pytestmark = pytest.mark.usefixtures("warm_tokcost")


@pytest.fixture
def ran(notebook, tmp_path):
    """A function: run cells in a fresh kernel, and what they print."""

    def run(*sources: str) -> list[str]:
        rest = [("code", source) for source in sources]
        path = notebook(tmp_path / "a.ipynb", ("markdown", "# Q?"), ("code", "x = 1.0  # a number, 0 to 10", "parameters"), *rest)
        (ready,), _ = plan([notebook_job(str(path))], [])
        cells = execute(ready.job, ready.settings).notebook.cells
        return [output.text.strip() for cell in cells for output in cell.get("outputs", []) if output.output_type == "stream"]

    return run


def gone(pid: int) -> bool:
    """Whether a process ends within a few seconds."""
    for _ in range(500):
        try:
            if " Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except OSError:  # there is no such process
            return True
        time.sleep(0.02)
    return False


def test_a_kernel_is_a_copy_whose_libraries_are_there_and_no_two_share_anything(ran):
    spoil = "import builtins, os, pandas, random, sys\nbuiltins.left = 1\nos.environ['LEFT'] = '1'\npandas.options.display.max_rows = 3"
    first = ran(f"import sys\nprint('pandas' in sys.modules)\n{spoil}\nprint(os.getpid(), random.random())")
    second = ran(
        "import builtins, os, pandas, random\nprint(hasattr(builtins, 'left'), 'LEFT' in os.environ, pandas.options.display.max_rows)",
        "print(os.getpid(), random.random())",
    )
    assert first[0].startswith("True") and second[0] == "False False 60"
    assert not set(first[0].split()[1:]) & set(second[1].split()), "another process, another random state"


def test_a_template_that_nobody_waits_for_reads_the_tables_and_kernels_find_them_read(ran):
    ask = "from tokcost.evidence import catalog\nprint(catalog._examined.cache_info().currsize > 0)"
    assert any(ran(ask) == ["True"] for _ in range(20))  # the first may have come sooner


def test_numpy_draws_anew_in_each_kernel(ran):
    draw = "import numpy\nprint(numpy.random.random())"
    assert ran(draw) != ran(draw)


def test_pandas_shows_what_it_shows_in_an_ordinary_kernel(ran, monkeypatch):
    ask = "import pandas\nprint(pandas.options.display.max_columns, pandas.options.display.width)"
    warm = ran(ask)
    monkeypatch.setattr(template, "registered", {})
    monkeypatch.setattr(template, "SYSTEM", "elsewhere")
    assert ran(ask) == warm


def test_where_processes_cannot_be_copied_the_kernel_starts_as_any_other_and_the_log_says_why(ran, monkeypatch, caplog):
    monkeypatch.setattr(template, "registered", {})
    monkeypatch.setattr(template, "SYSTEM", "elsewhere")
    with caplog.at_level(logging.INFO, "traitlets"):
        assert ran("print(1)") == ["1"]
    assert "starts in the ordinary way: a process with imported libraries is copied on Linux only" in caplog.text


def test_another_interpreter_than_this_one_is_started_as_it_is_asked_for():
    assert cannot_stand_for(["/usr/bin/other", "-f", "x"]) == "the kernel specification asks for another interpreter, /usr/bin/other"
    for start in (["-m", "ipykernel_launcher"], ["-Xfrozen_modules=off", "-m", "ipykernel_launcher"], ["-c", START]):
        assert cannot_stand_for([sys.executable, *start, "-f", "x"]) == ""


def test_the_interpreter_of_another_environment_is_another_although_it_is_a_link_to_the_same_program(tmp_path):
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.symlink_to(os.path.realpath(sys.executable))
    assert cannot_stand_for([str(other), "-m", "ipykernel_launcher", "-f", "x"]).endswith(f"asks for another interpreter, {other}")


def test_a_kernel_of_another_language_that_this_interpreter_runs_is_left_to_itself():
    said = "the kernel specification asks for another kernel than that of IPython"
    assert cannot_stand_for([sys.executable, "-m", "bash_kernel", "-f", "x"]) == said
    assert cannot_stand_for([sys.executable, "kernel.py", "x"]) == said


@pytest.mark.parametrize("is_ready", [True, False])
def test_the_usual_kernel_is_a_warm_one_where_that_is_the_default_and_never_waits_for_its_imports(ran, monkeypatch, tmp_path, is_ready):
    ran("'the template has done its imports'")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(template.Template, "is_ready", is_ready)
    monkeypatch.setattr(WarmProvisioner, "waits", False)
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", "tokcost-warm")
    manager, client = start_new_kernel(kernel_name="python3", cwd="here", env=os.environ | {"PYTHONHASHSEED": "0"})
    try:
        code = "import os, sys\nassert os.getcwd().endswith('/here') and 'pandas' in sys.modules"
        assert client.execute(code, reply=True, timeout=60)["content"]["status"] == ("ok" if is_ready else "error")
        assert manager.provisioner.cold_reason == (
            "" if is_ready else "what kernels need is being imported, for those that start after this one"
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.context.term()


def test_a_library_that_runs_a_thread_forbids_copying(tmp_path):
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    busy = tmp_path / "busy_library.py"
    busy.write_text("import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()")
    environment["PYTHONPATH"] = f"{tmp_path}:{environment.get('PYTHONPATH', '')}"
    other = template.begun(environment, "busy_library")
    with open(os.devnull, "w") as nowhere, pytest.raises(template.CannotFork, match="a library runs a thread"):
        other.fork("signal:pause", [""], environment, "/", (nowhere.fileno(), nowhere.fileno()))


@pytest.fixture
def waiting():
    """A forked process that waits for ever."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    with open(os.devnull, "w") as nowhere:
        yield template.template_for(environment).fork("signal:pause", [""], environment, "/", (nowhere.fileno(), nowhere.fileno()))


def test_how_a_process_ended_is_told(waiting):
    assert waiting.poll() is None
    waiting.kill()
    assert waiting.wait(5) == -signal.SIGKILL


def test_a_process_is_gone_with_whoever_asked_for_it(waiting):
    waiting._connection.close()  # as when the asker is killed
    assert gone(waiting.pid)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def of_another_template():
    """A forked process that waits, of a template that a test may spoil."""
    environment = {**os.environ, "PYTHONHASHSEED": "2", "A_SECRET": "x"}
    other = template.begun(environment, "signal")
    with open(os.devnull, "w") as nowhere:
        yield other, lambda: other.fork("signal:pause", [""], environment, "/", (nowhere.fileno(), nowhere.fileno()))


def test_a_template_that_is_killed_or_does_not_answer_leaves_no_process_behind_and_holds_nobody_up(of_another_template, monkeypatch):
    other, fork = of_another_template
    child = fork()
    of_it = parent_of(child.pid)
    monkeypatch.setattr(template, "PATIENCE_S", 0.1)
    os.kill(of_it, signal.SIGSTOP)
    with pytest.raises(template.CannotFork, match="the template process does not answer: timed out"):
        fork()
    os.kill(of_it, signal.SIGKILL)
    assert gone(child.pid) and child.wait(5) == -signal.SIGKILL
    with pytest.raises(template.CannotFork, match="the template process does not answer"):
        fork()


def test_what_the_environment_of_the_first_asker_holds_is_not_handed_on(of_another_template):
    child = of_another_template[1]()
    assert b"A_SECRET" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    child.kill()
    assert child.wait(5) == -signal.SIGKILL


def test_a_package_that_changed_is_imported_anew(monkeypatch):
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    monkeypatch.setattr(template, "package_stamp", lambda: (1, 2))
    with pytest.raises(template.CannotFork, match="files of tokcost have changed since they were imported"):
        template.template_for(environment)
