"""What tests of several folders share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

# What is drawn is the same in each run, so that a change is what a failure comes from; `make fuzz` draws anew.
settings.register_profile("same draws", derandomize=True)
settings.load_profile("same draws")

#: run as a program, not imported
collect_ignore = ["warm_command.py"]
TOKCOST = Path(sys.executable).with_name("tokcost")
#: what the command itself imports, beside what kernels do
OF_THE_COMMAND = """tokcost.report.one:import_ahead tokcost.report.batch_command tokcost.report.command tokcost.report.batch
tokcost.report.page.index tokcost.report.page.trend tokcost.schedule.command""".split()


@pytest.fixture(scope="session")
def warm_tokcost(tmp_path_factory):
    """The path of a program that does what `tokcost` does in a fresh process, without the seconds that its imports take.

    Where processes cannot be forked it is the ordinary one.
    """
    from tokcost.report.execution.template import CannotFork, template_for

    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    try:
        template = template_for(environment, *OF_THE_COMMAND)
    except CannotFork:
        return TOKCOST
    program = tmp_path_factory.mktemp("bin") / "tokcost"
    source = Path(__file__).with_name("warm_command.py").read_text(encoding="utf-8")
    program.write_text(f"#!{sys.executable} -IS\n" + source.replace('os.environ["WARM_TEMPLATE"]', repr(template.path)))
    program.chmod(0o755)
    return program


@pytest.fixture(scope="session")
def tokcost(warm_tokcost):
    """Run `tokcost ...` in a process of its own; with variables that are read when Python starts, in an ordinary one."""

    def run(*arguments, cwd, **environment):
        is_ordinary = any(name.startswith(("PYTHON", "OPENBLAS", "MPL")) for name in environment)
        command = [TOKCOST if is_ordinary else warm_tokcost, *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)
        return SimpleNamespace(status=done.returncode, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture(scope="session")
def chromium_browser():
    """A real headless Chromium; where a machine has none the test is skipped, but never in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        how = "no Chromium on this machine: install one (Debian, Ubuntu: apt-get install chromium) to test reports in a browser"
        if os.environ.get("CI"):
            pytest.fail(how)
        pytest.skip(how)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def digits_of():
    """A function: a written number to how many significant digits it may have; zeros at the end of a whole one may be filling."""

    def may_have(text: str) -> set[int]:
        digits = text.replace(",", "").lstrip("-0.").partition("×")[0]
        counted = len(digits.replace(".", ""))
        return {counted} if "." in text else set(range(len(digits.rstrip("0")), counted + 1))

    return may_have
