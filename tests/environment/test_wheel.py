"""What is installed from the wheel works outside a checkout: tables, notebooks and definitions are in it."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """`tokcost ...` of the wheel, in an environment whose only tokcost is that one and that knows no checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, text=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", folder / "venv/bin/python", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(pip, check=True, capture_output=True, text=True)
    # What tokcost needs is taken from the environment that runs the tests. Its own .pth files, and with them the checkout, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TOKCOST"))}
    environment["JUPYTER_PATH"] = os.path.join(sys.prefix, "share", "jupyter")  # nbconvert's templates

    def run(*arguments, cwd, program="tokcost", **variables):
        command = [folder / "venv/bin" / program, *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment | variables, timeout=120)
        return SimpleNamespace(status=done.returncode, out=done.stdout, err=done.stderr)

    return run


def test_the_wheel_makes_a_workspace_whose_reports_run(installed, tmp_path):
    made = installed("new", "costs", cwd=tmp_path)
    assert made.status == 0 and "cd costs && tokcost report reports" in made.out
    workspace = tmp_path / "costs"
    assert {path.name for path in (workspace / "reports").iterdir()} == {path.name for path in ROOT.glob("reports/*.toml")}
    asked = installed("report", "reports", "--dry-run", cwd=workspace)
    assert asked.status == 0, asked.err
    done = installed("report", "reports/01-what-does-a-million-tokens-cost.toml", cwd=workspace)  # shows where they look
    assert done.status == 0, done.err
    assert list((workspace / "reports/output").glob("01-*.html"))


def test_the_kernel_of_the_wheel_is_forked_for_whoever_runs_it(installed, tmp_path):
    """By papermill, which knows nothing of it: the kernel specification and the entry point of the provisioner do it."""
    ask = "import os, sys\nprint('pandas' in sys.modules, open(f'/proc/{os.getppid()}/cmdline').read().count('template_process'))"
    cell = {"id": "a", "cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": ask}
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    program = (
        "import papermill, time\n"
        "run = lambda: papermill.execute_notebook('a.ipynb', 'b.ipynb', kernel_name='tokcost', language='python', progress_bar=False)\n"
        "run()  # the first kernel of a program does not wait for the imports\n"
        "from tokcost.report.execution.template import registered\n"
        "while not all(template.is_ready for template in registered.values()): time.sleep(0.1)\n"
        "run()"
    )
    ran = installed("-c", program, program="python", cwd=tmp_path)
    assert ran.status == 0, ran.err
    (output,) = json.loads((tmp_path / "b.ipynb").read_text())["cells"][0]["outputs"]
    assert "".join(output["text"]).split() == ["True", "1"]


def test_the_tables_of_the_wheel_are_in_order(installed, tmp_path):
    checked = installed("data", "check", cwd=tmp_path)
    assert checked.status == 0, checked.err
    assert str(ROOT) not in checked.out
