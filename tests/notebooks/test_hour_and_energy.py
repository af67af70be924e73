"""What the notebooks of the hour (04) and of its energy (05) say and hand on, at inputs far from their own."""

import pytest

from tokcost.hour import reference_deployment

HOUR, WATT = "04-what-is-in-a-gpu-hour", "05-tokens-per-watt"


def text(shown) -> str:
    """All sentences that were displayed."""
    return "\n".join(one.markdown for one in shown if hasattr(one, "markdown"))


def result(shown, name: str) -> dict:
    return next(one.data for one in shown if getattr(one, "data", None) and one.data.get("name") == name)


def rows(shown, caption: str) -> list[list[str]]:
    """The cells of a displayed table."""
    return next(one for one in shown if caption in getattr(one, "caption", "")).rows


def row(shown, caption: str, start: str) -> list[str]:
    """The first row whose text starts so."""
    return next(cells for cells in rows(shown, caption) if " ".join(cells).startswith(start))


@pytest.fixture(scope="module")
def watt(displayed):
    return displayed(WATT)


def test_the_largest_part_of_the_hour_is_named_whichever_it_is(displayed):
    """Ten years at 2 % and 0.80 USD per kWh: electricity costs more than the machine."""
    shown = displayed(HOUR, operator="neocloud", economic_life_yr=10.0, wacc_frac=0.02, electricity_usd_per_kwh=0.8, rate_vintage="2026-07")
    assert "largest part of an owned GB300 hour is the electricity" in text(shown)


def test_a_cause_in_the_dataset_is_not_said_of_inputs_of_ones_own(displayed):
    """The H200 is more than a quarter above its constant by what is on file; where a life of two years adds to it, that is the reader's."""
    assert "The likely cause: systems are priced here as a neocloud bought them" in text(displayed(HOUR))
    assert "The likely cause" not in text(displayed(HOUR, economic_life_yr=2.0))
    assert "The likely cause" not in text(displayed(HOUR, operator="neocloud", rate_vintage="2026-07"))


def test_an_input_of_ones_own_may_still_be_the_road_to_the_published_hour(displayed):
    shown = displayed(HOUR, economic_life_yr=2.0, wacc_frac=0.02, electricity_usd_per_kwh=0.02, rate_vintage="2026-03")
    roads = [line for line in text(shown).splitlines() if "alone would do it" in line]
    assert len(roads) == 2 and all("economic life" in road for road in roads)
    lives = [float(row(shown, "The value that alone would do it", name)[-1]) for name in ("H200", "GB300")]
    assert all(3 < life < 6 for life in lives), "outside the sourced lives"


def test_a_speed_that_was_not_reached_has_no_cost(displayed):
    """H200 was not measured at 250 tokens/s per user, GB300 was."""
    shown = displayed(HOUR, tok_per_s_per_user=250.0)
    assert row(shown, "USD per million tokens", "H200")[1:] == ["not reached"] * 3
    assert result(shown, "candidate_total_token_cost_usd_per_mtok")["value"] > 0
    assert result(shown, "cost_ratio")["value"] is None


def test_electricity_is_that_of_the_stated_load_pue_and_price(displayed):
    shown = displayed(WATT, pue=2.5, average_load_frac=1.0)
    node = reference_deployment("gb300", "hyperscaler").with_inputs(pue=2.5, average_load_frac=1.0, electricity_usd_per_kwh=0.0725)
    load = 0.7 * 1.0 + 0.3 * node.idle_load_frac
    by_hand = node.critical_kw_per_gpu * load * 2.5 * 0.0725 / node.availability_frac / node.owned_rate_usd_per_gpu_h
    share = result(shown, "energy_share_frac")
    assert share["low"] < share["value"] < share["high"] and share["value"] == pytest.approx(by_hand)


def test_the_load_of_serving_boards_is_an_end_of_the_load_in_doubt(displayed, watt):
    """By hand: the busiest GB300 board drew 579.7 of 1,400 W; the other 467 W of 1,867 at their rating make a load of 0.561.

    No board of a GB200 was measured: its load lies between the sourced ones, and is less in doubt.
    """
    busiest = (0.5797 + 1.86667 - 1.4) / 1.86667
    assert f"Load with all else at its rating: {busiest * 100:.0f}%" in text(watt)
    found, other = result(watt, "gb300_total_tok_per_joule"), displayed(WATT, candidate_accelerator="gb200")
    assert "Load with all else at its rating: not known" in text(other)
    assert found["shares"]["average load"] > result(other, "gb200_total_tok_per_joule")["shares"]["average load"] > 0
    assert found["low"] < found["value"] < found["high"] < found["value"] * 0.76 / busiest * 1.3


def test_about_a_tenth_holds_on_provisioned_power_alone(watt):
    shares = [cells for cells in rows(watt, "as a share of the hour") if cells[0] == "H200"]
    by_power = {cells[2]: cells[-1] for cells in shares}
    assert by_power["provisioned, 2026-03"] == f"{1.73 * 0.0725 / 1.41 * 100:.2f}%"
    assert float(by_power["average, built up here"].rstrip("%")) < 6


def test_a_power_limit_pairs_the_same_platform_and_bounds_what_it_saves(watt):
    """By hand from MLPerf Inference v4.1: 31,302.7 and 25,262.1 tokens/s of 8 GPUs; 6,152.98 W."""
    kept = 25_262.1 / 31_302.7
    llama = row(watt, "with and without a power limit", "H200 llama2-70b-99 offline")
    assert llama[5] == f"{kept * 100:.1f}%" and llama[7] == f"{6_152.98 / 8 / kept:.0f}"
    assert all(float(cells[7]) < float(cells[8].replace(",", "")) for cells in rows(watt, "with and without a power limit"))


def test_a_clock_limit_is_break_even_where_the_more_expensive_hour_eats_the_saved_electricity(watt):
    """A token of one dollar at break-even: the hour without electricity over less output, and what is left of electricity."""
    share = result(watt, "energy_share_frac")["value"]
    for *_, saved, kept, even, cost in rows(watt, "What a clock limit does"):
        energy = share * (1 - float(saved.rstrip("%")) / 100)
        assert (1 - share) / (float(even.rstrip("%")) / 100) + energy == pytest.approx(1, abs=1e-3)
        if kept == "not published":
            assert cost == "not published"
        else:
            assert (float(cost) < 1) == (float(kept.rstrip("%")) > float(even.rstrip("%")))


def test_carbon_and_water_that_are_not_known_are_said_to_be_so(displayed):
    """Doha: a grid in the dataset, power plants whose water is not."""
    shown = displayed(WATT, region="me-central1")
    assert "embodied carbon (g) not known" in text(shown) and "water at the power plant (L) not known" in text(shown)
    assert result(shown, "water_l_per_mtok")["value"] is None
    assert row(shown, "Carbon and water of a million tokens", "Doha")[3] == "not known"
