"""A configuration as people write it: accelerator, precision, speculative decoding, deployment, framework."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def configuration_label(configuration: Mapping[str, object] | pd.Series) -> str:
    """The values of a configuration (column -> value) in their order, as people write them.

    >>> configuration_label({"accelerator": "gb300", "precision": "fp8", "speculative": "none", "deployment": "aggregated"})
    'GB300, FP8, no MTP, aggregated'
    """
    return ", ".join(_word(str(name), str(value)) for name, value in configuration.items())


def _word(name: str, value: str) -> str:
    if name == "speculative":
        return {"none": "no MTP", "unlabelled": "MTP not stated"}.get(value, value.upper())
    return value.upper() if name in ("accelerator", "precision") else value
