"""What our own tokens cost, as a price entry that a gateway (LiteLLM) or a tracer (Langfuse) reads.

LiteLLM: an entry of `model_prices_and_context_window.json`, or of `litellm.register_model`, in USD per token. Langfuse: the body of
`POST /api/public/models` (CreateModelRequest of its OpenAPI document), one default tier with USD per usage type. Both then price
calls to a self-hosted model like those to an API.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from tokcost.quantities import TOK_PER_MTOK, QuantityError, check_value

FORMATS = ("litellm", "langfuse")
#: what Langfuse's own integrations call the classes of tokens
_LANGFUSE_USAGE = {"input": "input", "cached_input": "input_cached_tokens", "output": "output"}
_LITELLM_COST = {"input": "input_cost_per_token", "cached_input": "cache_read_input_token_cost", "output": "output_cost_per_token"}


def price_entry(
    model: str,
    *,
    input_price_usd_per_mtok: float,
    output_price_usd_per_mtok: float,
    cached_input_price_usd_per_mtok: float | None = None,
    format: str,
    provider: str = "openai",
    max_input_tok: int | None = None,
    max_output_tok: int | None = None,
) -> dict[str, Any]:
    """Our cost per million tokens of each class as a price entry for `litellm` or `langfuse`.

    Which part of a joint cost falls on which class is a convention (`tc.serving.split_cost`); state the rule where the card is used.
    `provider` is what LiteLLM routes by ("openai" for any server that speaks OpenAI's protocol).

    Raises: QuantityError for another format, a model without a printable name, and prices and limits that cannot be.

    >>> prices = {"input_price_usd_per_mtok": 0.05, "output_price_usd_per_mtok": 0.2}
    >>> price_entry("openai/my-r1", format="litellm", **prices)["openai/my-r1"]["output_cost_per_token"]
    2e-07
    >>> price_entry("my-r1", format="langfuse", **prices)["pricingTiers"][0]["prices"]
    {'input': 5e-08, 'output': 2e-07}
    """
    if format not in FORMATS:
        raise QuantityError(f"`format` must be one of {', '.join(FORMATS)}, got {format!r}")
    for name, text in (("model", model), ("provider", provider)):
        if not isinstance(text, str) or not text.strip() or not text.isprintable():
            raise QuantityError(f"`{name}` must be the name that calls use, in one line of printable characters; got {str(text)[:40]!r}")
    per_mtok = {"input": input_price_usd_per_mtok, "cached_input": cached_input_price_usd_per_mtok, "output": output_price_usd_per_mtok}
    per_token = {name: _per_token(f"{name}_price_usd_per_mtok", price) for name, price in per_mtok.items() if price is not None}
    if format == "litellm":
        for name, limit in (("max_input_tok", max_input_tok), ("max_output_tok", max_output_tok)):
            if limit is not None and (not isinstance(limit, int) or limit < 1):
                raise QuantityError(f"`{name}` must be a whole number of tokens, 1 or more, got {limit!r}")
        limits = {"max_input_tokens": max_input_tok, "max_output_tokens": max_output_tok, "max_tokens": max_output_tok}
        entry = {name: value for name, value in limits.items() if value is not None}
        entry |= {_LITELLM_COST[name]: price for name, price in per_token.items()}
        return {model: entry | {"litellm_provider": provider, "mode": "chat"}}
    prices = {_LANGFUSE_USAGE[name]: price for name, price in per_token.items()}
    tier = {"name": "Standard", "isDefault": True, "priority": 0, "conditions": [], "prices": prices}
    return {"modelName": model, "matchPattern": f"(?i)^{re.escape(model)}$", "unit": "TOKENS", "pricingTiers": [tier]}


def _per_token(name: str, usd_per_mtok: float) -> float:
    """As a price list writes it: 2e-07, and no 2.0000000000000002e-07."""
    if np.ndim(usd_per_mtok):
        raise QuantityError(f"`{name}` must be one number, got {np.size(usd_per_mtok)}; make an entry for each model")
    return float(f"{float(check_value(name, usd_per_mtok)) / TOK_PER_MTOK:.12g}")


def write_price_card(path: str | Path, card: dict[str, Any]) -> Path:
    """Write a card as JSON, and say where.

    Raises: QuantityError where the folder does not exist or the file cannot be written.

    >>> import tempfile
    >>> card = price_entry("my-r1", format="litellm", input_price_usd_per_mtok=0.05, output_price_usd_per_mtok=0.2)
    >>> write_price_card(Path(tempfile.mkdtemp()) / "prices.json", card).name
    'prices.json'
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise QuantityError(f"there is no folder {path.parent} to write {path.name} into; make it first")
    try:
        path.write_text(json.dumps(card, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise QuantityError(f"cannot write {path}: {error.strerror}; name a file in a folder that you may write to") from None
    except ValueError:  # JSON has no NaN
        raise QuantityError("the card holds a price that is no finite number; make it with price_entry") from None
    return path
