"""What a cell of data/base_case.csv may hold: a name of the vocabulary, and a value that this name allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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


#: what the base case takes the newest of: its name, and the table and the filter in which that is to be found for both systems
_NEWEST = {"rate_vintage": ("hourly_rates", "price_basis"), "power_vintage": ("provisioned_power", "")}


def newer_lists(base: Mapping[str, object], tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """The lists of both systems that are newer than those of the base case, by name: it is due to be moved to them.

    >>> base = {"rate_vintage": "2026-03", "price_basis": "own", "baseline_accelerator": "a", "candidate_accelerator": "b"}
    >>> lists = pd.DataFrame({"accelerator": ["a", "b", "a"], "price_basis": "own", "rate_vintage": ["2026-07", "2026-07", "2026-09"]})
    >>> newer_lists(base, {"hourly_rates": lists})
    {'rate_vintage': '2026-07'}
    """
    found = {}
    for name, (table, filtered) in _NEWEST.items():
        if table in tables:
            rows = tables[table]
            rows = rows[rows[filtered] == base[filtered]] if filtered else rows
            systems = [base["baseline_accelerator"], base["candidate_accelerator"]]
            held = [set(rows.loc[rows["accelerator"] == system, name]) for system in systems]
            newest = max(set.intersection(*held), default="")
            if newest > str(base[name]):
                found[name] = newest
    return found
