"""Packages that only scheduled reports need: imported when they are used, missed in one sentence."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from tokcost.report.errors import ReportError


def needed(module: str) -> ModuleType:
    """A module of the extra `schedule`."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != module.split(".")[0]:
            raise
        raise ReportError(f'{module.split(".")[0]} is not installed; install it with: pip install "tokcost[schedule]"') from None
