"""The same measured output at every provider: a rented hour at its price, date and term, tokens by the million, and what is not public."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from tokcost import formulas
from tokcost import quantities as q
from tokcost.evidence import load_table
from tokcost.hour.rental import Rental
from tokcost.labels import label_of
from tokcost.quantities import QuantityError, check_value
from tokcost.serving.reading import Reading

#: a list price that nobody looked at for longer than this is stale
STALE_AFTER_MONTHS = 6
#: what comes on top of the price of an hour, where a contract charges it; 0 says that it does not
EXTRAS = (
    *("egress_gb_per_gpu_h", "egress_usd_per_gb", "storage_gb_per_gpu", "storage_usd_per_gb_month"),
    *("interruptions_per_gpu_h", "lost_h"),
)
SPOT_ONLY = ("interruptions_per_gpu_h", "lost_h")
COST = "total_token_cost_usd_per_mtok"


def hour_offers(accelerator: str, *, on: str, providers: Iterable[str] | None = None) -> pd.DataFrame:
    """What each provider asks for an hour of a chip, by basis and term: its latest sight, and how old that is on a date.

    `on` is the date of the report (YYYY-MM or YYYY-MM-DD); later sights do not count. Where a provider lists several offers in a
    month, the lowest counts and `high` is the highest. A provider that was asked for and has no price is a row with the reason.

    Columns: `provider`, `price_basis`, `term`, `month`, `age_months`, `is_stale`, `rate_usd_per_gpu_h`, `high`, `note`.

    >>> offers = hour_offers("h200", on="2026-11", providers=["Nebius", "Nscale"]).set_index("provider")
    >>> offers.loc["Nscale", "note"], bool(offers.loc["Nebius", "is_stale"].iloc[0])
    ('no public price of a GPU-hour', False)
    """
    rows = load_table("rental_prices", accelerator=accelerator)
    rows = rows.assign(month=rows["month"].astype(str).str[:7])
    rows = rows[(rows["month"] <= on[:7]) & (rows["provider"] != "market index")]
    wanted = list(dict.fromkeys(providers)) if providers is not None else sorted(rows["provider"].unique())
    kept = rows[rows["provider"].isin(wanted)]
    keys = ["provider", "price_basis", "term"]
    latest = kept[kept["month"] == kept.groupby(keys)["month"].transform("max")]
    found = latest.groupby([*keys, "month"], as_index=False)["value"].agg(rate_usd_per_gpu_h="min", high="max")
    found.insert(4, "age_months", [_age(month, on) for month in found["month"]])
    found.insert(5, "is_stale", found["age_months"] > STALE_AFTER_MONTHS)
    known = load_table("providers").set_index("provider")["is_price_public"]
    unpriced = [
        {"provider": name, "note": _why(accelerator, bool(known.get(name, True)))} for name in wanted if name not in set(found["provider"])
    ]
    found["note"] = np.where(found["is_stale"], "nobody looked since", "")
    return pd.concat([found, pd.DataFrame(unpriced, columns=["provider", "note"])], ignore_index=True)


def _age(month: str, on: str) -> int:
    return q.months_old(month, dt.date(int(on[:4]), int(on[5:7]), 1))


def _why(accelerator: str, is_price_public: bool) -> str:
    return f"no {accelerator.upper()} price in the data" if is_price_public else "no public price of a GPU-hour"


def hour_costs(
    offers: pd.DataFrame,
    *,
    model: str,
    total_tok_per_s_per_gpu: float | Reading,
    utilization_frac: float,
    availability_frac: Mapping[str, float] | float = 1.0,
    support_frac: Mapping[str, float] | float = 0.0,
    extras: Mapping[str, Mapping[str, float]] | None = None,
) -> pd.DataFrame:
    """The cost per million delivered tokens at each offer, for one output at one speed.

    `total_tok_per_s_per_gpu` is a measured run, a reading between runs, or the estimate of a chip without runs
    (`tc.serving.estimate_at`): what a `Reading` leaves open, or the band of an estimate, comes out beside the cost.
    `availability_frac` is the share of the hours that work, failures and restarts taken off (providers call it goodput; here goodput
    is the share of requests that meet their limits): the tokens of the others are not made. `support_frac` is what
    support adds to the price; one number for all or by provider. `extras` has per provider what `EXTRAS` lists: storage, egress, and
    interruptions, which only spot has; what is not stated is 0.

    Columns: those of `offers`, `model`, `hour_usd_per_gpu_h` with all that is paid on top, `total_token_cost_usd_per_mtok`, NaN where
    no price is public, and for a `Reading` also the cost's `low_` and `high_` and the `basis` of the output.
    Raises: QuantityError for an extra that no contract charges, and for shares outside their range.

    >>> offers = pd.DataFrame({"provider": ["A", "B"], "price_basis": "on_demand", "rate_usd_per_gpu_h": [3.6, None]})
    >>> table = hour_costs(offers, model="dsr1", total_tok_per_s_per_gpu=2000, utilization_frac=0.5, availability_frac={"A": 0.8})
    >>> table["total_token_cost_usd_per_mtok"].round(3).tolist()
    [1.25, nan]
    """
    output = {COST: float(total_tok_per_s_per_gpu)}
    if isinstance(total_tok_per_s_per_gpu, Reading):  # more output is a lower cost
        output |= {f"low_{COST}": total_tok_per_s_per_gpu.high, f"high_{COST}": total_tok_per_s_per_gpu.low}
    rows = []
    for offer in offers.to_dict("records"):
        name, rate = offer["provider"], offer["rate_usd_per_gpu_h"]
        own = dict((extras or {}).get(name, {}))
        for unknown in set(own) - set(EXTRAS):
            raise QuantityError(f"`{unknown}` is nothing that a rented hour pays on top{q.nearest(unknown, EXTRAS)}")
        hour, costs = np.nan, dict.fromkeys(output, np.nan)
        if not pd.isna(rate):
            added = check_value("support_frac", _of(support_frac, name, 0.0))
            kept = check_value("availability_frac", _of(availability_frac, name, 1.0))
            rental = Rental(
                name=name,
                price_basis=offer["price_basis"],
                rate_usd_per_gpu_h=rate * (1 + added),
                **{one: own.get(one, 0.0) if one not in SPOT_ONLY or offer["price_basis"] == "spot" else 0.0 for one in EXTRAS},
            )
            hour = float(rental.rented_rate_usd_per_gpu_h)
            reached = {name: speed for name, speed in output.items() if not np.isnan(speed)}  # a curve may not reach the speed
            for name, speed in reached.items():
                delivered = formulas.delivered_total_tok_per_s_per_gpu(
                    total_tok_per_s_per_gpu=speed * kept, utilization_frac=utilization_frac
                )
                costs[name] = float(formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=hour, total_tok_per_s_per_gpu=delivered))
        rows.append(offer | {"model": model, "hour_usd_per_gpu_h": hour, **costs})
    table = pd.DataFrame(rows)
    return table.assign(basis=total_tok_per_s_per_gpu.bracket.basis) if isinstance(total_tok_per_s_per_gpu, Reading) else table


def _of(stated: Mapping[str, float] | float, name: str, default: float) -> float:
    return stated.get(name, default) if isinstance(stated, Mapping) else stated


def token_offers(model: str, *, isl: int, osl: int, on: str | None = None, providers: Iterable[str] | None = None) -> pd.DataFrame:
    """What the same checkpoint costs by the million at each provider, at a mix of prompt and answer tokens: the latest price of each.

    `on` is the date of the report, without one that of the newest price; later sights do not count. Where two catalogues list a
    provider, the one that anybody corrected counts, of two such the later sight. A provider's own name and the name under which it
    sells tokens (data/providers.csv) count as one. Prompt tokens that come from a cache are not counted in the mix.

    Columns: `provider`, `checkpoint`, `last_seen`, `age_months`, `is_stale`, the prices `input_price_usd_per_mtok`,
    `cached_input_price_usd_per_mtok` (NaN: not listed) and `output_price_usd_per_mtok`, `model`, `total_token_cost_usd_per_mtok`
    (of prompt and answer together, to set beside `hour_costs`), `note`.
    Raises: QuantityError for a model that no list has.

    >>> offers = token_offers("gptoss120b", isl=1024, osl=1024, on="2026-11", providers=["Nscale", "AWS"]).set_index("provider")
    >>> float(offers.loc["Nscale", "total_token_cost_usd_per_mtok"]), offers.loc["Nscale", "checkpoint"]
    (0.25, 'gpt-oss-120b')
    """
    history = load_table("api_price_history")
    on = str(history["last_seen"].max()) if on is None else on
    rows = history[(history["model"] == model) & (history["last_seen"].str[:7] <= on[:7])]
    if rows.empty:
        sold = ", ".join(sorted(set(history["model"]) - {""}))
        raise QuantityError(f"no price per million tokens of `{model}` by {on}; there are prices of {sold}")
    own = {row.sells_tokens_as: row.provider for row in load_table("providers").itertuples()}
    latest = rows.assign(provider=rows["provider"].replace(own)).sort_values(["is_unchecked", "last_seen"], ascending=[False, True])
    latest = latest.drop_duplicates("provider", keep="last").set_index("provider").sort_index()
    wanted = list(dict.fromkeys(providers)) if providers is not None else latest.index
    prices = [f"{name}_price_usd_per_mtok" for name in ("input", "cached_input", "output")]
    found = latest.reindex(wanted)
    table = found[["checkpoint", "last_seen", *prices]].rename_axis("provider").reset_index()
    ages = np.array([np.nan if pd.isna(seen) else _age(seen, on) for seen in table["last_seen"]])
    mixed = (isl * table[prices[0]] + osl * table[prices[2]]) / (isl + osl)
    notes = [_token_note(*one) for one in zip(ages, found["is_unchecked"], found["first_seen"], strict=True)]
    return table.assign(age_months=ages, is_stale=ages > STALE_AFTER_MONTHS, model=model, note=notes, **{COST: mixed})


def _token_note(age_months: float, is_unchecked: bool, first_seen: str) -> str:
    if np.isnan(age_months):
        return "does not list this checkpoint"
    if age_months > STALE_AFTER_MONTHS:
        return "nobody looked since"
    return f"the same since {first_seen[:7]}, and nobody may have looked" if is_unchecked else ""


def side_by_side(*tables: pd.DataFrame, tok_per_task: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Offers of several tables from the cheapest to the dearest: per million tokens of one model, or per task of several.

    Another model cuts the same text into another number of tokens, so a price per million of one says nothing beside that of
    another. `tok_per_task` states how many prompt and answer tokens a task takes with each model.

    Columns: those of the tables, and with `tok_per_task` also `task_cost_usd`.
    Raises: QuantityError for tables of different models without it, and for a model that it does not hold.

    >>> one, other = ({"provider": [name], "model": [name], "total_token_cost_usd_per_mtok": [1.0]} for name in ("a", "b"))
    >>> side_by_side(pd.DataFrame(one), pd.DataFrame(other), tok_per_task={"a": 2000, "b": 5000})["task_cost_usd"].tolist()
    [0.002, 0.005]
    """
    table = pd.concat(tables, ignore_index=True)
    models = sorted(table["model"].unique())
    if tok_per_task is None:
        if len(models) > 1:
            called = " and ".join(label_of("model", name) or name for name in models)
            raise QuantityError(
                f"prices per million tokens of {called} do not compare, for each counts tokens its own way; "
                "compare one model, or state `tok_per_task` of each"
            )
        return table.sort_values(COST, kind="stable").reset_index(drop=True)
    for model in models:
        if model not in tok_per_task:
            raise QuantityError(f"tok_per_task does not say how many tokens a task takes with {model}")
    table["task_cost_usd"] = table[COST] * table["model"].map(tok_per_task) / q.TOK_PER_MTOK
    return table.sort_values("task_cost_usd", kind="stable").reset_index(drop=True)
