"""`make prove-new-rows`: a sound new row breaks nothing.

In a copy of the project the made-up rows of docs/renew-the-evidence-in-ten-minutes.md (a chip, a price list, runs of a new model, an
MLPerf round), runs of the chip with the base model, a claim, and a provider with a price become part of data/. Then every test whose
truth is data/ runs there, doctests too, and every default report is made. Some four minutes of two cores; .github/workflows/test.yml
runs it beside `make test`, which has the short proof (tests/evidence/test_renew_page.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
#: what neither reads data/ nor is made from it
NO_DATA = "environment importers lab report schedule evidence/test_renew_page.py test_architecture.py"
#: outputs that are stored: new rows are meant to move them
STORED = [
    "tests/notebooks/test_scenarios.py::test_reports_say_the_same_numbers_as_their_notebooks_when_nothing_is_changed",
]
RENT = """provider,accelerator,price_basis,term,offer,month,n_observations,quantity,value,locator,date,kind,tier
Example Cloud,h200,on_demand,hour,on-demand,2026-11,1,rate_usd_per_gpu_h,2.2,price page,2026-11-02,list_price,company statement
"""


def runs_of_the_chip() -> Iterator[dict]:
    """An InferenceX export: three mixes, two precisions, four loads; requests in flight over their time, less a twentieth."""
    for isl, osl in ((1024, 1024), (8192, 1024), (1024, 8192)):
        for precision, faster in (("fp8", 1.0), ("fp4", 1.3)):
            for concurrency, tpot_s in ((4, 0.007), (16, 0.009), (64, 0.014), (256, 0.03)):
                tpot_s, ttft_s = tpot_s / faster, 1e-4 * isl * (1 + concurrency / 64) / faster
                output = 0.95 * concurrency * osl / (ttft_s + (osl - 1) * tpot_s) / 8
                metrics = {
                    "tput_per_gpu": output * (1 + isl / osl),
                    "output_tput_per_gpu": output,
                    "input_tput_per_gpu": output * isl / osl,
                }
                metrics |= {"median_ttft": ttft_s, "median_tpot": tpot_s, "median_intvty": 1 / tpot_s}
                row = {"hardware": "x100", "framework": "vllm", "model": "dsr1", "precision": precision, "spec_method": "none"}
                row |= {"disagg": False, "isl": isl, "osl": osl, "conc": concurrency, "decode_tp": 8, "num_prefill_gpu": 8}
                yield row | {"num_decode_gpu": 8, "date": "2026-11-02", "metrics": metrics}


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
        more = {"inference": json.dumps([*runs_of_the_chip()]), "claims": CLAIM, "providers": PROVIDER, "rental_prices": RENT}
        for table, text in more.items():
            file = Path(scratch, f"{table}.{'json' if table == 'inference' else 'csv'}")
            file.write_text(text, encoding="utf-8")
            add = ["tokcost", "data", "add", file, "--as", table, "--source", "example_runs", "--no-headlines"]
            subprocess.run(add, cwd=copy, env=environment, check=True)
        left_out = [f"--ignore=tests/{name}" for name in NO_DATA.split()] + [f"--deselect={name}" for name in STORED]
        tests = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "tests", "tokcost", *left_out]
        failed = subprocess.run(tests, cwd=copy, env=environment).returncode
        return failed or subprocess.run(["tokcost", "report", "reports"], cwd=copy, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
