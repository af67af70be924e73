"""A short run of `make fuzz`: real files, damaged at random, give rows or a sentence."""

import subprocess
import sys
from pathlib import Path


def test_damaged_files_give_rows_or_a_sentence():
    command = [sys.executable, "-W", "error", Path(__file__).with_name("fuzz.py"), "600", "--seed", "0", "--files", "150"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
