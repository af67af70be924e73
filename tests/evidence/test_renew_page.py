"""The page "Renew the evidence in ten minutes", followed literally; and with its rows in it data/ breaks no promise."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import tokcost as tc
from tokcost.doubt import spreads
from tokcost.evidence import check_all
from tokcost.paths import NOTEBOOKS
from tokcost.renew import headlines

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "renew-the-evidence-in-ten-minutes.md").read_text(encoding="utf-8")


def commands(page: str) -> str:
    """What a reader of the page types."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.S | re.M))


@pytest.fixture(scope="module")
def renewed(tmp_path_factory, warm_tokcost):
    """A folder in which every command of the page was run, and what they said; `make prove-new-rows` works out the headlines too."""
    folder = tmp_path_factory.mktemp("renew")
    shutil.copytree(ROOT / "data", folder / "data")
    environment = {**os.environ, "PATH": f"{warm_tokcost.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    typed = commands(PAGE).replace('"$@"', '--no-headlines "$@"')
    done = subprocess.run(["sh", "-eu", "-c", typed], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_every_step_of_the_page_says_what_the_page_says(renewed):
    folder, said = renewed
    assert said.index("5 rows for accelerators.csv\ndry run: nothing was written") < said.index("5 rows for accelerators.csv\nwritten: ")
    for table, n_rows in {"accelerators": 5, "hourly_rates": 6, "provisioned_power": 1, "mlperf_inference": 1}.items():
        assert f"{n_rows} {'row' if n_rows == 1 else 'rows'} for {table}.csv" in said
    assert "2 rows for inference.csv\nexcluded: runs.json: row 3: breaks a rule of a sound measurement" in said
    assert "practice/ is in order" in said


def test_the_chip_the_model_and_the_price_list_are_choices_of_a_report_that_ranks_them(renewed):
    folder, _ = renewed
    made = json.loads((folder / "report" / "02-input-or-output-metrics.result.json").read_text(encoding="utf-8"))
    assert made["parameters"]["model"]["value"] == "newmoe" and all(check["passed"] for check in made["checks"])
    (cheapest,) = (result for result in made["results"] if result["name"] == "total_token_cost_usd_per_mtok")
    assert cheapest["label"] == "Cheapest million tokens: X100"
    assert cheapest["value"] == pytest.approx(1.90 / 1100 / 3600 * 1e6)
    assert "INT4" in (folder / "report" / "02-input-or-output-metrics.html").read_text(encoding="utf-8")


def test_with_runs_of_the_chip_a_claim_and_a_provider_besides_the_tables_keep_every_promise(renewed, monkeypatch, tokcost):
    """The short proof that sound new rows break nothing; `make prove-new-rows` runs the tests and all reports on such a copy."""
    folder, _ = renewed
    monkeypatch.setenv("TOKCOST_DATA_DIR", str(folder / "practice"))
    for name, text in MORE.items():
        (folder / name).write_text(text, encoding="utf-8")
        adding = ("data", "add", folder / name, "--as", name.partition(".")[0], "--source", "example_runs", "--no-headlines")
        run = tokcost(*adding, cwd=folder, TOKCOST_DATA_DIR=str(folder / "practice"))
        assert run.status == 0, run.err
    assert check_all() == []
    assert (folder / "practice" / "observed_spreads.csv").read_text(encoding="utf-8") == spreads.as_csv()
    audited = tc.claims.audit_figures("example_x100").set_index("role")
    assert audited.loc["ratio", "derived"] == pytest.approx(2)
    found = headlines.headlines(path.stem for path in NOTEBOOKS.glob("*.ipynb") if path.stem[:2] in LISTING_ALL)
    assert [one["label"] for one in found.values() if "value" not in one] == []
    assert found["14-choosing-a-provider"]["label"].endswith("Example Cloud"), "its hour is the cheapest"


#: the notebooks that go through all chips, providers or claims of the data
LISTING_ALL = {"02", "06", "08", "14", "15", "17"}


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


CLAIM = """claim_id,title,role,accelerator,quantity,printed,direction,locator,date,kind
example_x100,"Example: the X100 against H200",baseline,h200,total_tok_per_s_per_gpu,550,,page 1,2026-11-02,vendor_claim
example_x100,"Example: the X100 against H200",candidate,x100,total_tok_per_s_per_gpu,1100,,page 1,2026-11-02,vendor_claim
example_x100,"Example: the X100 against H200",ratio,,total_tok_per_s_per_gpu,2x,as_is,page 1,2026-11-02,vendor_claim
"""
PROVIDER = """provider,is_price_public,quantity,locator,date,kind,tier,note
Example Cloud,true,rate_usd_per_gpu_h,price page,2026-11,list_price,company statement,list prices in rental_prices.csv
"""
RENT = """provider,accelerator,price_basis,term,offer,month,n_observations,quantity,value,locator,date,kind,tier
Example Cloud,h200,on_demand,hour,on-demand,2026-11,1,rate_usd_per_gpu_h,2.2,price page,2026-11-02,list_price,company statement
"""
#: file -> rows that the page does not add; the table is its name
MORE = {"inference.json": json.dumps([*runs_of_the_chip()]), "claims.csv": CLAIM, "providers.csv": PROVIDER, "rental_prices.csv": RENT}
