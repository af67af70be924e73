"""Energy as it was measured and priced: sweeps of one engine over concurrency, the price of electricity by state."""

from __future__ import annotations

import pandas as pd

from tokcost import evidence

#: groups of states, which some price lists hold as well as the states
_CENSUS_DIVISIONS = tuple(
    f"US, {name}"
    for name in (
        *("New England", "Middle Atlantic", "East North Central", "West North Central", "South Atlantic"),
        *("East South Central", "West South Central", "Mountain", "Pacific"),
    )
)


def board_sweeps(measured: pd.DataFrame) -> pd.DataFrame:
    """One sweep over concurrency at the boards for each accelerator and model, from `hour.measured_and_provisioned`.

    Runs of one sweep share engine and number of GPUs. Of several sweeps the longest is kept, and of equally long ones that
    with the most tokens per joule: never a mixture, which would be a curve that nobody measured.

    Columns: those of `measured`.

    >>> runs = tc.hour.measured_and_provisioned(tc.load_table("power_measurements"), provisioned_kw_per_gpu={})
    >>> board_sweeps(runs)["boundary"].unique().tolist()
    ['chip']
    """
    boards = measured[(measured["boundary"] == "chip") & measured["concurrency"].notna()]
    pair, sweep = ["accelerator", "model"], ["accelerator", "model", "engine", "n_gpus"]
    kinds = boards.groupby(sweep, sort=False)["measured_output_tok_per_joule"].agg(["size", "max"]).reset_index()
    kept = kinds.sort_values(["size", "max"], ascending=False).drop_duplicates(pair)[sweep]
    return boards.merge(kept, on=sweep)


def industrial_usd_per_kwh_by_state() -> pd.Series:
    """The latest price of electricity to industry of each US state in the dataset; groups of states are excluded.

    >>> prices = industrial_usd_per_kwh_by_state()
    >>> prices.idxmin(), prices.idxmax()
    ('US, New Mexico', 'US, Hawaii')
    """
    rows = evidence.load_table("electricity")
    industrial = rows[(rows["customer"] == "industrial") & (rows["quantity"] == "electricity_usd_per_kwh")]
    return industrial[~industrial["region"].isin(_CENSUS_DIVISIONS)].groupby("region")["value"].last()
