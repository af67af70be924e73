"""benchmarks/gpu: what is worked out from seconds and joules, and that a machine without a card is told so in a sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu.measure import CONTEXTS, Measured, row, watts_between, why_not
from tokcost.evidence.schema import TABLES

ROOT = Path(__file__).parents[2]


def test_a_row_follows_from_seconds_and_watts():
    """A step of 10 ms whatever the context, 8 sequences, 0.77 s of prefill: 8 x 1,024 tokens in 0.77 + 1,023 x 0.01 = 11 s."""
    flat = dict.fromkeys(CONTEXTS, 0.01)
    found = row(Measured(8, 0.77, False, flat, 0.01, 500.0, 700.0, 1980, False))
    assert float(found["output_tok_per_s_per_gpu"]) == pytest.approx(8 * 1024 / 11, rel=1e-5)
    assert float(found["tok_per_s_per_user"]) == pytest.approx(100)
    assert float(found["decode_output_token_energy_joule_per_tok"]) == pytest.approx(500 * 0.01 / 8)
    assert float(found["output_token_energy_joule_per_tok"]) == pytest.approx((700 * 0.77 + 500 * 10.23) / 8192, rel=1e-5)
    assert set(found) <= set(TABLES["own_gpu_runs"].columns)


def test_a_card_at_its_power_limit_is_slower_by_as_much_in_every_step():
    rising = {context: 0.01 + context * 1e-6 for context in CONTEXTS}
    found = row(Measured(8, 1.0, True, rising, 1.02 * rising[1536], 700.0, 700.0, 1700, True))
    assert float(found["decode_step_s"]) == pytest.approx(1.02 * (0.01 + 1536 * 1e-6), rel=1e-4)
    assert found["is_power_limited"] == found["is_prefill_scaled"] == "true"


def test_watts_are_those_between_changes_of_the_counter():
    counter = [(0.0, 0.0), (0.1, 0.0), (0.2, 60.0), (0.3, 60.0), (1.2, 660.0), (1.3, 660.0)]
    assert watts_between(counter, 0.0, 1.3) == pytest.approx(600)
    with pytest.raises(SystemExit, match="energy counter of this card did not move"):
        watts_between(counter[:2], 0.0, 1.3)


@pytest.mark.skipif(not why_not(), reason="there is a card here")
def test_without_a_card_it_says_so_and_writes_nothing(tmp_path):
    command = [sys.executable, ROOT / "benchmarks" / "gpu" / "measure.py", "--output", tmp_path / "card.csv"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("nothing is measured: ") and not (tmp_path / "card.csv").exists()
