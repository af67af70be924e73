"""Charts of the GPU-hour: every number that decides is written out, what is missing says why, and nothing depends on the machine."""

import math
import re

import pandas as pd
import pytest

from tokcost.show import hours

PARTS = pd.DataFrame(
    {
        "series": ["H200", "H200", "GB300", "GB300"],
        "component": ["Server", "Electricity", "Server", "Electricity"],
        "usd_per_gpu_h": [1.25, 0.08, 1.75, 0.004],
    }
)
TOTALS = pd.DataFrame({"series": ["H200", "GB300"], "usd_per_gpu_h": [1.33, 1.754], "low": [1.0, 1.4], "high": [2.0, 2.5]})
PRICES = pd.DataFrame(
    {
        "accelerator": ["h200", "gb300"],
        "label": ["Built up", "Nscale"],
        "group": ["built up here", "rented on demand"],
        "value": [1.87, math.nan],
        "low": [1.38, math.nan],
        "high": [2.78, math.nan],
        "note": ["", "no public GPU-hour price"],
    }
)
SWINGS = pd.DataFrame(
    {
        "input_name": ["economic_life_yr", "wacc_frac", "system_price_usd"],
        "low": [3.0, 0.06, 3_000_000.0],
        "high": [6.0, 0.09, 4_000_000.0],
        "rate_at_low_usd_per_gpu_h": [3.4, 2.3, 2.2],
        "rate_at_high_usd_per_gpu_h": [2.2, 2.5, 2.8],
    }
)
AGAINST = pd.DataFrame(
    {
        "accelerator": ["h200", "h200"],
        "price_basis": ["owning_hyperscaler"] * 2,
        "rate_vintage": ["2026-03", "2026-07"],
        "published_usd_per_gpu_h": [1.41, 1.22],
        "built_usd_per_gpu_h": [1.87, 1.87],
        "low_usd_per_gpu_h": [0.8, 0.8],
        "high_usd_per_gpu_h": [4.6, 4.6],
        "likely_low_usd_per_gpu_h": [1.38, 1.38],
        "likely_high_usd_per_gpu_h": [2.78, 2.78],
    }
)
PAIRS = pd.DataFrame({"label": ["H200 board", "B200 node"], "drawn": [0.55, 1.3], "built": [1.4, math.nan]})
REGIONS = pd.DataFrame({"name": ["Paris", "Nowhere"], "carbon_g_per_mtok": [0.5, math.nan], "group": ["others", "yours"]})
SHARES = pd.DataFrame({"name": ["provisioned", "average"], "share_frac": [0.098, 0.048], "group": ["utility", "facility"]})

FIGURES = {
    "waterfall": lambda alt: hours.plot_waterfall(PARTS, totals=TOTALS, by="series", alt=alt),
    "prices": lambda alt: hours.plot_prices(PRICES, by="accelerator", alt=alt),
    "brackets": lambda alt: hours.plot_brackets(AGAINST, alt=alt),
    "one_at_a_time": lambda alt: hours.plot_tornado(SWINGS, here=2.47, alt=alt),
    "pairs": lambda alt: hours.plot_dumbbell(PAIRS, label="label", first="drawn", second="built", x="provisioned_kw_per_gpu", alt=alt),
    "sorted": lambda alt: hours.plot_sorted(REGIONS, label="name", value="carbon_g_per_mtok", group="group", alt=alt),
}


def words(figure) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_every_time_and_has_its_finding_in_words(name):
    first, second = FIGURES[name]("a finding"), FIGURES[name]("a finding")
    assert first.svg == second.svg
    assert first._repr_mimebundle_()["text/plain"] == "a finding"


def test_a_waterfall_writes_every_part_and_each_total():
    shown = words(FIGURES["waterfall"]("x"))
    assert {"1.25", "0.08", "1.75", "1.33", "H200", "GB300", "One GPU-hour"} <= set(shown)
    assert "&lt;0.01" in shown, "a part below a cent is not shown as nothing"


def test_a_part_that_one_of_two_systems_lacks_is_zero_there():
    parts = pd.concat([PARTS, pd.DataFrame({"series": ["GB300"], "component": ["Rent"], "usd_per_gpu_h": [0.5]})])
    assert "0" in words(hours.plot_waterfall(parts, totals=TOTALS, by="series", alt="x"))


def test_a_price_that_is_not_public_says_so_and_gets_no_mark():
    figure = FIGURES["prices"]("x")
    assert {"no public GPU-hour price", "H200", "GB300"} <= set(words(figure))
    assert not [w for w in words(figure) if "nan" in w.lower()]


def test_the_bars_of_a_swing_carry_the_inputs_that_make_them():
    shown = set(words(FIGURES["one_at_a_time"]("x")))
    assert {"3", "6", "6%", "9%", "3 million", "4 million", "Economic life, years", "2.47"} <= shown


def test_brackets_name_the_vintages():
    assert {"2026-03", "2026-07", "built up", "H200, hyperscaler"} <= set(words(FIGURES["brackets"]("x")))


def test_a_missing_region_reads_not_known_and_a_share_reads_per_cent():
    assert "not known" in words(FIGURES["sorted"]("x"))
    shares = hours.plot_sorted(SHARES, label="name", value="share_frac", group="group", alt="x")
    assert {"9.8%", "4.8%"} <= set(words(shares))
