"""`make prove-new-rows`: a sound new row breaks nothing.

In a copy of the project the made-up rows of docs/renew-the-evidence-in-ten-minutes.md (a chip, a price list, runs of a new model, an
MLPerf round), runs of the chip with the base model, a claim, and a provider with a price become part of data/. Then every test whose
truth is data/ runs there, doctests too, and every default report is made. Some five minutes of two cores; .github/workflows/test.yml
runs it beside `make test`, which has the short proof (tests/evidence/test_renew_page.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
#: what neither reads data/ nor is made from it
NO_DATA = "environment importers lab report schedule evidence/test_renew_page.py test_architecture.py"
#: outputs that are stored: new rows are meant to move them
STORED = [
    "tests/notebooks/test_scenarios.py::test_reports_say_the_same_numbers_as_their_notebooks_when_nothing_is_changed",
]


def main() -> int:
    sys.path.insert(0, str(ROOT / "tests" / "evidence"))
    from test_renew_page import MORE, PAGE, commands

    with tempfile.TemporaryDirectory(prefix="prove-new-rows-") as scratch:
        copy = Path(scratch, "tokcost")
        tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, tracked.split("\0")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        environment = {**os.environ, "PYTHONPATH": str(copy), "PATH": f"{BIN}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-eu", "-c", commands(PAGE)], cwd=copy, env=environment, check=True)
        shutil.rmtree(copy / "data")
        (copy / "practice").rename(copy / "data")
        for name, text in MORE.items():
            file, table = Path(scratch, name), name.partition(".")[0]
            file.write_text(text, encoding="utf-8")
            add = ["tokcost", "data", "add", file, "--as", table, "--source", "example_runs", "--no-headlines"]
            subprocess.run(add, cwd=copy, env=environment, check=True)
        left_out = [f"--ignore=tests/{name}" for name in NO_DATA.split()] + [f"--deselect={name}" for name in STORED]
        tests = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "tests", "tokcost", *left_out]
        failed = subprocess.run(tests, cwd=copy, env=environment).returncode
        claim = ["tokcost", "report", "15-court-of-claims", "-p", "claim_id=example_x100"]  # its terms stand nowhere
        failed = failed or subprocess.run(claim, cwd=copy, env=environment).returncode
        return failed or subprocess.run(["tokcost", "report", "reports"], cwd=copy, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
