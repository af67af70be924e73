"""What a notebook says follows from its numbers, at inputs far from its own."""

import pytest

HOUR, WATT = "04-what-is-in-a-gpu-hour", "05-tokens-per-watt"
OWN = "09-your-own-benchmark"


def test_the_largest_part_of_the_hour_is_named_whichever_it_is(run_cells):
    """Ten years at 2 % and 0.40 USD per kWh: electricity costs more than the machine."""
    names = run_cells(HOUR, operator="neocloud", economic_life_yr=10.0, wacc_frac=0.02, electricity_usd_per_kwh=0.4)
    assert names["share"]["Electricity"] > names["share"].iloc[0] and names["lead"] == "The largest part goes to electricity"


def test_an_input_of_ones_own_may_still_be_the_road_to_the_published_hour(run_cells):
    names = run_cells(HOUR, economic_life_yr=2.0, wacc_frac=0.02, electricity_usd_per_kwh=0.02)
    assert all("economic life" in road for road in names["said"].values())
    assert [float(life) for _, life in names["found"].values()] == pytest.approx([5.7, 3.5], abs=0.1)


def test_electricity_is_that_of_the_stated_load_pue_and_price(run_cells):
    names = run_cells(WATT, pue=2.5, average_load_frac=1.0)
    node = names["candidate"]
    assert names["mine"] == pytest.approx(node.critical_kw_per_gpu * 2.5 * 0.08 / node.availability_frac / node.owned_rate_usd_per_gpu_h)
    assert names["own"].max() < names["mine"] and names["way"] == "less"
    # 558 kg of running against 128 to 318 kg of making
    assert names["clean"] > names["made"]["max"] and names["weighs"] == "running still decides"


def test_a_single_run_lies_at_one_speed(run_cells):
    names = run_cells(OWN, benchmark_path="tests/samples/guidellm-0.2.1", stated_gpus=1)
    assert names["yours"] == "you have no point; yours lie at 335 tokens/s"
    assert names["known"].set_index("what").loc["Speed per user", "value"] == "335 tokens/s"
