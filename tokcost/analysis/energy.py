"""Energy as it was measured and priced: sweeps of one engine over concurrency, joules of every meter, electricity by state."""

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

_JOULE_COLUMNS = ("model", "how", "accelerator", "n_gpus", "concurrency", "output_tok_per_s_per_gpu")
_JOULE_COLUMNS += ("output_token_energy_joule_per_tok", "source_id")


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


def joules_per_token() -> pd.DataFrame:
    """Joules per output token at the boards, of every run of every table that states them: prefill counted, hosts and cooling not.

    Three kinds of run, so that `how` tells them apart: servers under a load (an engine), servers that answer real prompts (a task) and
    static batches on a card of our own (a level of software). `concurrency` is the number of sequences in flight, of a batch its size.

    Columns: `model` and `how` as their table has them, `accelerator`, `n_gpus`, `concurrency`, `output_tok_per_s_per_gpu`,
    `output_token_energy_joule_per_tok`, `source_id`.

    >>> runs = joules_per_token().query("accelerator == 'h100' and concurrency == 64").set_index("model")
    >>> runs.loc["meta-llama/Llama-3.1-8B-Instruct", "output_token_energy_joule_per_tok"].round(3)  # ML.ENERGY
    np.float64(0.119)
    >>> own = runs[runs["how"] == "fused_kernels"]
    >>> own.loc["llama8b", "output_token_energy_joule_per_tok"].round(3)
    np.float64(0.128)
    """
    served = evidence.load_table("power_measurements", boundary="chip").rename(columns={"engine": "how"})
    joule = served["average_w_per_gpu"] / served["output_tok_per_s_per_gpu"]
    served["output_token_energy_joule_per_tok"] = joule
    asked = evidence.load_table("token_energy").rename(columns={"task": "how"})
    own = evidence.load_table("own_gpu_runs").rename(columns={"software_level": "how", "batch": "concurrency"}).assign(n_gpus=1)
    runs = pd.concat([served, asked, own], ignore_index=True).dropna(subset=["concurrency", "output_token_energy_joule_per_tok"])
    return runs[list(_JOULE_COLUMNS)]


def industrial_usd_per_kwh_by_state() -> pd.Series:
    """The latest price of electricity to industry of each US state in the dataset; groups of states are excluded.

    >>> prices = industrial_usd_per_kwh_by_state()
    >>> prices.idxmin(), prices.idxmax()
    ('US, New Mexico', 'US, Hawaii')
    """
    rows = evidence.load_table("electricity")
    industrial = rows[(rows["customer"] == "industrial") & (rows["quantity"] == "electricity_usd_per_kwh")]
    return industrial[~industrial["region"].isin(_CENSUS_DIVISIONS)].groupby("region")["value"].last()
