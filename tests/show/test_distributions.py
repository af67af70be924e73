"""Distributions: the same picture every time, every category named, colours that a dark page knows."""

import re

import pandas as pd

from tokcost.show import plot_strip

PRICES = pd.DataFrame(
    {
        "month": ["2026-02", "2026-01", "2026-02", "2026-03"],
        "accelerator": ["h200", "h200", "h200", "gb300"],
        "rate_usd_per_gpu_h": [3.0, 2.5, 4.0, 9.0],
    }
)


def strip():
    return plot_strip(PRICES, x="month", y="rate_usd_per_gpu_h", by="accelerator", alt="Prices differ.")


def words(figure) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)


def test_it_is_the_same_every_time():
    assert strip().svg == strip().svg


def test_categories_stand_in_order_whatever_the_order_of_rows():
    months = [word for word in words(strip()) if word.startswith("2026")]
    assert months == sorted(months) and len(set(months)) == 3
    assert {"H200", "GB300"} <= set(words(strip()))


def test_a_price_scale_starts_at_zero():
    assert any(word.strip("0.") == "" for word in words(strip()))
