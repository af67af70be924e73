"""Three inputs that a reader of a report moves: the page's own script works out the cost of a token again."""

from __future__ import annotations

from typing import SupportsFloat

from tokcost import quantities
from tokcost.show.numbers import num, percent, usd
from tokcost.show.sentences import Shown, literal_dollars

#: a slider goes this many times below and above the value that the report was made with
SPAN = 8


def what_if(
    *,
    rate_usd_per_gpu_h: SupportsFloat,
    total_tok_per_s_per_gpu: SupportsFloat,
    utilization_frac: SupportsFloat,
    price_usd_per_mtok: SupportsFloat,
    total_token_cost_usd_per_mtok: SupportsFloat,
) -> Shown:
    """The cost of a token at these inputs; in a report the reader moves the first three, and cost, curve and break-even follow.

    `total_token_cost_usd_per_mtok` is the cost that the notebook worked out, `price_usd_per_mtok` what a million tokens sell
    for. Without the page's script the sentence stands as it is.

    Raises: QuantityError for a value outside its plausible range.

    >>> what_if(rate_usd_per_gpu_h=1.41, total_tok_per_s_per_gpu=90, utilization_frac=1, price_usd_per_mtok=6,
    ...         total_token_cost_usd_per_mtok=4.3519).markdown
    'At \\\\$1.41 an hour, 90 tokens/s per GPU and 100% utilization, a million tokens cost **\\\\$4.35**.'
    """
    inputs = {
        "rate_usd_per_gpu_h": float(rate_usd_per_gpu_h),
        "total_tok_per_s_per_gpu": float(total_tok_per_s_per_gpu),
        "utilization_frac": float(utilization_frac),
        "price_usd_per_mtok": float(price_usd_per_mtok),
    }
    for name, value in inputs.items():
        quantities.check_value(name, value)
    text = (
        f"At {usd(inputs['rate_usd_per_gpu_h'])} an hour, {num(inputs['total_tok_per_s_per_gpu'])} tokens/s per GPU "
        f"and {percent(inputs['utilization_frac'])} utilization, a million tokens cost "
        f"**{usd(float(total_token_cost_usd_per_mtok))}**."
    )
    return Shown(literal_dollars(text), {"kind": "what_if", "inputs": inputs, "span": SPAN})
