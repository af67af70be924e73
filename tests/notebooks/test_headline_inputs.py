"""What a notebook's headline is said to be a ratio of is all that it is: a bridge between two runs then leaves nothing unexplained."""

import json
import math
from pathlib import Path

import pytest

from tokcost.quantities import SECONDS_PER_HOUR, TOK_PER_MTOK, W_PER_KW

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
#: unit of a headline -> what turns its inputs' ratio into it
CONSTANT = {"usd_per_mtok": TOK_PER_MTOK / SECONDS_PER_HOUR, "tok_per_joule": 1 / W_PER_KW, "ratio": 1.0, "frac": 1.0, "usd_per_gpu_h": 1.0}


def stated_ratios():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                data = output.get("data", {}).get("application/vnd.tokcost.v1+json", {})
                if "numerator" in data:
                    yield pytest.param(data, id=f"{path.stem}-{data['name']}")


@pytest.mark.parametrize("result", list(stated_ratios()))
def test_a_headline_is_the_ratio_of_its_inputs(result):
    ratio = math.prod(result["numerator"].values()) / math.prod(result["denominator"].values())
    per_token = any(name.endswith("usd_per_mtok") for name in (*result["numerator"], *result["denominator"]))
    constant = SECONDS_PER_HOUR / TOK_PER_MTOK if per_token else CONSTANT[result["unit"]]
    assert result["value"] == pytest.approx(ratio * constant, rel=1e-8)
