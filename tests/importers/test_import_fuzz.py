"""A short run of `make fuzz`: real files, damaged at random, give rows or a sentence."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("seed", [0, 1000])
def test_damaged_files_give_rows_or_a_sentence(seed):
    command = [sys.executable, "-W", "error", Path(__file__).with_name("fuzz.py"), "600", "--seed", str(seed), "--files", "150"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
