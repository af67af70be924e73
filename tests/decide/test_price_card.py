"""Price entries that LiteLLM and Langfuse accept: their fields, USD per token, and calls priced as we would."""

import json
import re

import numpy as np
import pytest

from tokcost.decide import price_entry, write_price_card
from tokcost.formulas import request_revenue_usd
from tokcost.quantities import QuantityError

PRICES = {"input_price_usd_per_mtok": 0.05, "cached_input_price_usd_per_mtok": 0.01, "output_price_usd_per_mtok": 0.2}
CALL = {"input_tok": 1000, "cached_input_tok": 3000, "output_tok": 500}
OURS = request_revenue_usd(**CALL, **PRICES)


def test_litellm_prices_a_call_as_we_do():
    """Fields and units as in its model_prices_and_context_window.json: USD per token, cached reads apart."""
    card = price_entry("openai/my-r1", format="litellm", max_input_tok=131072, max_output_tok=8192, **PRICES)
    entry = card["openai/my-r1"]
    assert entry["litellm_provider"] == "openai" and entry["mode"] == "chat" and entry["max_input_tokens"] == 131072
    cost = 1000 * entry["input_cost_per_token"] + 3000 * entry["cache_read_input_token_cost"] + 500 * entry["output_cost_per_token"]
    assert cost == pytest.approx(OURS)


def test_langfuse_prices_a_call_as_we_do():
    """CreateModelRequest: exactly one default tier, priority 0 and no conditions; a pattern that matches the name and no other."""
    card = price_entry("my-r1.5", format="langfuse", **PRICES)
    assert set(card) == {"modelName", "matchPattern", "unit", "pricingTiers"} and card["unit"] == "TOKENS"
    (tier,) = card["pricingTiers"]
    assert tier["isDefault"] is True and tier["priority"] == 0 and tier["conditions"] == []
    cost = 1000 * tier["prices"]["input"] + 3000 * tier["prices"]["input_cached_tokens"] + 500 * tier["prices"]["output"]
    assert cost == pytest.approx(OURS)
    pattern = re.compile(card["matchPattern"])
    assert pattern.match("MY-R1.5") and not pattern.match("my-r1x5") and not pattern.match("my-r1.5-mini")


def test_what_is_not_stated_is_left_out_and_never_zero():
    card = price_entry("m", format="litellm", input_price_usd_per_mtok=1.0, output_price_usd_per_mtok=2.0)
    assert set(card["m"]) == {"input_cost_per_token", "output_cost_per_token", "litellm_provider", "mode"}


def test_a_card_is_plain_json(tmp_path):
    card = price_entry("m", format="langfuse", **PRICES)
    assert json.loads(write_price_card(tmp_path / "card.json", card).read_text(encoding="utf-8")) == card


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(QuantityError, match="must be one of litellm, langfuse"):
        price_entry("m", format="opencost", **PRICES)
    with pytest.raises(QuantityError, match="must be the name that calls use"):
        price_entry(" ", format="litellm", **PRICES)
    with pytest.raises(QuantityError, match="make it first"):
        write_price_card(tmp_path / "no" / "card.json", {})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"model": None}, "`model` must be the name that calls use"),
        ({"model": "a\nb"}, "in one line of printable characters"),
        ({"model": "a\u202eb"}, "in one line of printable characters"),
        ({"provider": ""}, "`provider` must be the name"),
        ({"max_input_tok": -5}, "`max_input_tok` must be a whole number of tokens"),
        ({"max_output_tok": "many"}, "`max_output_tok` must be a whole number of tokens"),
        ({"input_price_usd_per_mtok": float("nan")}, "must be a finite number"),
        ({"output_price_usd_per_mtok": np.array([1.0, 2.0])}, "must be one number, got 2; make an entry for each model"),
    ],
)
def test_what_a_gateway_would_choke_on_is_refused(wrong, says):
    with pytest.raises(QuantityError, match=says):
        price_entry(**{"model": "m", "format": "litellm", **PRICES} | wrong)


def test_a_card_that_cannot_be_written_is_answered_in_one_sentence(tmp_path):
    with pytest.raises(QuantityError, match="cannot write .*: Is a directory; name a file"):
        write_price_card(tmp_path, {})
    with pytest.raises(QuantityError, match="holds a price that is no finite number"):
        write_price_card(tmp_path / "card.json", {"m": {"input_cost_per_token": float("nan")}})
    assert not (tmp_path / "card.json").exists()
