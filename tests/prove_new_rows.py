"""`make prove-new-rows`: a sound new row breaks nothing.

In a copy of the project the made-up rows of docs/renew-the-evidence-in-ten-minutes.md (a chip, a price list, runs of a new model, an
MLPerf round), a claim and a provider become part of data/. Then every test that reads data/ runs there, and every default report is made.
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
#: tests whose truth is data/: all but those of stored outputs, which new rows are meant to move
READ_DATA = "evidence hour serving load doubt claims decide analysis test_one_truth.py test_sources.py notebooks/test_any_parameters.py"


def main() -> int:
    sys.path.insert(0, str(ROOT / "tests" / "evidence"))
    from test_renew_page import CLAIM, PAGE, PROVIDER, commands

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
        for table, text in (("claims", CLAIM), ("providers", PROVIDER)):
            file = Path(scratch, f"{table}.csv")
            file.write_text(text, encoding="utf-8")
            add = ["tokcost", "data", "add", file, "--as", table, "--source", "example_runs", "--no-headlines"]
            subprocess.run(add, cwd=copy, env=environment, check=True)
        tests = [f"tests/{name}" for name in READ_DATA.split()] + ["--ignore=tests/evidence/test_renew_page.py"]  # its rows are in already
        failed = subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "2", *tests], cwd=copy, env=environment).returncode
        return failed or subprocess.run(["tokcost", "report", "reports"], cwd=copy, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
