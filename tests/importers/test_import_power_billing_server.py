"""Power, bills and server counters: numbers that can be checked by hand."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tokcost import importers
from tokcost.quantities import QuantityError

SAMPLES = Path(__file__).parents[1] / "samples"
OK = SAMPLES / "_malformed/nvidia_smi_synthetic_ok.csv"


def test_a_log_is_clipped_to_the_benchmark_and_its_gpus():
    """The synthetic log rises 1 W a second from 510 W on GPU 1: 515 to 524 W between second 5 and 15."""
    found = importers.power_logs([OK], start="2026-01-01 00:00:05", end="2026-01-01 00:00:15", gpus=[1])
    assert found.points.gpu.tolist() == ["1"]
    row = found.points.iloc[0]
    assert (row.n_samples, row.average_w, row.highest_w) == (10, 519.5, 524)
    assert row.energy_joule == pytest.approx(519.5 * 9)


def test_times_without_zone_are_local_to_the_zone_given():
    found = importers.power_logs([OK], start="2025-12-31T23:00:05Z", end="2025-12-31T23:00:15Z", timezone="Europe/Berlin", gpus=[1])
    assert found.points.n_samples.tolist() == [10]
    missed = importers.power_logs([OK], start="2026-02-01", end="2026-02-02")
    assert "do not overlap" in missed.problems[0].sentence
    with pytest.raises(QuantityError, match="`start` must be before `end`"):
        importers.power_logs([OK], start=2, end=1)


def test_dcgm_energy_counter():
    """Counter of GPU 0 over 10.013 s, in millijoules: 497.43 W on average."""
    points = importers.power_logs([SAMPLES / "dcgm/before.prom", SAMPLES / "dcgm/after.prom"]).points
    assert points.duration_s.tolist() == pytest.approx([10.013046] * 2)
    assert points.energy_joule.tolist() == pytest.approx([4980.793, 4596.286])
    assert points.average_w.tolist() == pytest.approx([4980.793 / 10.013046, 4596.286 / 10.013046], rel=1e-6)
    assert "a moment, not an average" in importers.power_logs([SAMPLES / "dcgm/before.prom"]).problems[0].sentence


def test_prometheus_range_and_aiperf_telemetry():
    points = importers.power_logs([SAMPLES / "prometheus-2.42/query_range_dcgm_power.json"]).points
    assert points.duration_s.tolist() == [32, 32] and points.average_w.between(380, 520).all()
    points = importers.power_logs([SAMPLES / "aiperf-0.13.0/c4/gpu_telemetry_export.jsonl"]).points
    assert points.gpu.tolist() == ["0", "1"] and points.average_w.between(380, 520).all()


def test_prometheus_counters_equal_the_benchmark():
    """984,381 - 958,781 = 25,600 output tokens: what the benchmark that ran meanwhile counted."""
    names = ("query_range_generation_tokens_total.json", "query_range_prompt_tokens_total.json")
    point = importers.server_metrics([SAMPLES / "prometheus-2.42" / name for name in names], n_gpus=2).points.iloc[0]
    assert (point.output_tok, point.input_tok, point.duration_s) == (25600, 4093797 - 4042586, 30)
    assert point.output_tok_per_s_per_gpu == pytest.approx(25600 / 30 / 2)


def test_two_scrapes_of_vllm():
    """24 requests of the benchmark and 2 of its warm-up, 64 tokens each; 2,816 of 3,589 prompt tokens came from the cache."""
    before, after = (SAMPLES / f"vllm-0.32.0/metrics/metrics_{when}_c4.prom" for when in ("before", "after"))
    point = importers.server_metrics([before, after]).points.iloc[0]
    assert (point.n_requests, point.output_tok, point.input_tok, point.cached_input_tok) == (26, 26 * 64, 3589, 2816)
    assert point.mean_e2e_s == pytest.approx(0.2067, rel=1e-3)
    reset = importers.server_metrics([after, before], seconds=5)
    assert "the server was restarted" in reset.problems[0].sentence
    with pytest.raises(QuantityError, match="two scrapes"):
        importers.server_metrics([before])


def test_focus_price_bases_and_traps():
    """15 hours of 8 GPUs: 440 USD effective, 200 USD billed because a commitment paid the rest, 600 USD list."""
    points = importers.bills([SAMPLES / "focus/focus_1.2.csv"]).points
    usd = points[points.currency == "USD"].set_index("cost_basis")
    assert (usd.gpu_time_h == 120).all()
    assert usd.rate_usd_per_gpu_h.to_dict() == pytest.approx(
        {"effective": 440 / 120, "billed": 200 / 120, "list": 600 / 120, "contracted": 440 / 120}
    )
    assert usd.unused_cost["effective"] == 24
    assert "take the effective basis" in usd.notes["billed"]
    euro = points[points.currency == "EUR"]
    assert euro.rate_per_gpu_h.tolist() == [4.0] * 4 and euro.rate_usd_per_gpu_h.isna().all()


def test_focus_rounded_effective_cost_is_not_used():
    """FOCUS 1.0 names no GPUs; 1.75 h cost 2.842 USD = 1.624 USD/h, while EffectiveCost is rounded to whole dollars."""
    name = SAMPLES / "focus/focus_1.0_rounded.csv"
    assert "--instance-gpus" in importers.bills([name]).problems[0].sentence
    bill = importers.bills([name], instance_gpus={"g5.4xlarge": 1}).points.set_index("cost_basis")
    assert bill.rate_usd_per_gpu_h["billed"] == pytest.approx(1.624)
    assert bill.rate_usd_per_gpu_h[["effective", "contracted"]].isna().all()
    assert "rounded to whole units" in bill.notes["effective"]


def test_opencost_allocation():
    """48 GPU-hours for 60 - 12 + 60 = 108; idle stands in a row of its own."""
    points = importers.bills([SAMPLES / "opencost/allocation.json"]).points.set_index("instance_type")
    assert points.rate_per_gpu_h.to_dict() == {"inference": 2.25, "__idle__": 2.0}
    assert points.rate_usd_per_gpu_h.isna().all()
    assert "all gpuHours are 0" in importers.bills([SAMPLES / "opencost/allocation_without_gpus.json"]).problems[0].sentence


def test_a_bad_file_beside_a_good_one(tmp_path):
    bad = tmp_path / "a.json"
    bad.write_text(json.dumps({"code": 200, "data": "x"}))
    found = importers.bills([bad, SAMPLES / "focus/focus_1.2.csv"])
    assert len(found.problems) == 1 and len(found.points) == 8


@pytest.mark.parametrize(
    ("read", "folder"),
    [(importers.power_logs, "aiperf-0.13.0/c4"), (importers.power_logs, "dcgm"), (importers.bills, "focus")],
)
def test_a_folder_gives_what_its_files_of_that_kind_give(read, folder):
    files = [path for path in sorted((SAMPLES / folder).iterdir()) if re.search(r"\.prom|focus|telemetry_export\.jsonl", path.name)]
    one_by_one, found = read(files), read([SAMPLES / folder])
    assert len(one_by_one.points) and found.problems == one_by_one.problems
    pd.testing.assert_frame_equal(found.points, one_by_one.points)
    named = {Path(item.source_file).name for item in found.skipped}
    assert named == {path.name for path in (SAMPLES / folder).iterdir() if path.is_file()} - {path.name for path in files}
