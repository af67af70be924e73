"""How old the rows of a table may be before a figure that rests on them should be looked at again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from tokcost.quantities import months_old

#: table -> months that its newest row may be old; a table that is not here does not age: a claim, a term, a published example
LASTS_MONTHS = {
    "hourly_rates": 4, "rental_prices": 3, "providers": 3, "api_price_history": 4, "gpu_prices_monthly": 6,
    "inference": 6, "mlperf_inference": 9, "software_progress": 9, "power_measurements": 12, "provisioned_power": 6,
    "accelerators": 12, "systems": 18, "operators": 18, "system_prices": 12, "capex_shares": 18, "operating_costs": 18,
    "construction": 18, "colocation": 18, "depreciation_lives": 18, "cost_of_capital": 6,
    "electricity": 12, "pue": 24, "carbon_intensity": 24, "embodied_carbon": 24, "water_use": 36,
    "traffic": 36, "own_gpu_runs": 12, "token_energy": 12,
}  # fmt: skip
#: the columns that tell of when a row speaks, the most telling first
_WHEN = ("run_date", "month", "rate_vintage", "power_vintage", "last_seen", "published_date", "to_date", "date")


@dataclass(frozen=True)
class Age:
    """How old a table is."""

    table: str
    newest: str
    months: int
    lasts_months: int

    @property
    def is_stale(self) -> bool:
        return self.months > self.lasts_months


def newest(rows: pd.DataFrame) -> str:
    """The date of which the newest row speaks; of a period its end.

    >>> newest(pd.DataFrame({"date": ["2024", "2025-01/2025-06"]}))
    '2025-06'
    """
    column = next((name for name in _WHEN if name in rows), None)
    return "" if column is None else max(str(value).rpartition("/")[2] for value in rows[column])


def ages(today: dt.date | None = None) -> list[Age]:
    """The age of every table that ages, the stalest first.

    >>> [age.months for age in ages(dt.date(2026, 11, 27)) if age.table == "claims"]  # a claim does not age
    []
    """
    from tokcost.evidence.catalog import examined

    found = []
    for table, lasts in LASTS_MONTHS.items():
        rows, _ = examined(table)
        if rows is not None and (last := newest(rows)):
            found.append(Age(table, last, months_old(last, today or dt.date.today()), lasts))
    return sorted(found, key=lambda age: age.months / age.lasts_months, reverse=True)
