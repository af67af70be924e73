"""What a cell of data/base_case.csv may hold: a name of the vocabulary, and a value that this name allows."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tokcost.quantities import LABELS, QuantityError, check_value, find, nearest


def typed(name: str, text: str) -> float | int | str:
    """A cell as a number, where its name is a quantity, or as one of the choices of its label.

    Raises: QuantityError for a name or a value that the vocabulary does not have.

    >>> typed("pue", "1.15"), typed("isl", "1024"), typed("baseline_accelerator", "h200")
    (1.15, 1024, 'h200')
    """
    quantity = find(name)
    if quantity is None:
        return _choice(name, text)
    try:
        number = float(text)
    except ValueError:
        raise QuantityError(f"'{text}' is not a number; write digits with a decimal point") from None
    check_value(name, number)
    return int(number) if quantity.unit == "count" and number.is_integer() else number


def names_and_values_are_allowed(rows: pd.DataFrame) -> Iterator[tuple[int, str, str]]:
    """Every row whose name or value the vocabulary does not have."""
    for line, name, text in zip(rows.index, rows["name"], rows["value"], strict=True):
        if find(name) is None and _label(name) is None:
            yield line, "name", f"unknown name '{name}'{nearest(name, LABELS)}; it must be a quantity or a label of the vocabulary"
            continue
        try:
            typed(name, text)
        except QuantityError as problem:
            yield line, "value", str(problem)


def _label(name: str) -> str | None:
    return next((label for label in LABELS if name == label or name.endswith(f"_{label}")), None)


def _choice(name: str, text: str) -> str:
    label = _label(name)
    if label is None:
        raise QuantityError(f"unknown name `{name}`{nearest(name, LABELS)}")
    allowed = LABELS[label]
    if allowed and text not in allowed:
        raise QuantityError(f"unknown {label} '{text}'{nearest(text, allowed)}")
    return text
