"""Own points priced beside public runs at equal interactivity: what a token costs here and there, "not reached" outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tokcost import evidence, formulas
from tokcost.analysis.metric_rankings import COST
from tokcost.analysis.own_benchmark import NOT_STATED, THROUGHPUT, OwnBenchmark
from tokcost.load.capacity import LENGTH_TOLERANCE
from tokcost.quantities import check_value
from tokcost.serving.pareto_frontier import SPEED, Frontier, cost_at, frontier

OWN_PRICE = "own"
YOURS = "your files"


def price_of_hour(accelerator: str, *, price_basis: str, rate_vintage: str, rate_usd_per_gpu_h: float):
    """The price of an hour: your own where the basis is `own`, else the one in the dataset; None where there is none in the dataset.

    >>> price_of_hour("h200", price_basis="rental_3yr", rate_vintage="2026-03", rate_usd_per_gpu_h=9.9).value
    1.6
    >>> price_of_hour("not stated", price_basis="rental_3yr", rate_vintage="2026-03", rate_usd_per_gpu_h=9.9) is None
    True
    """
    if price_basis == OWN_PRICE:
        return float(check_value("rate_usd_per_gpu_h", rate_usd_per_gpu_h))
    return _on_file(accelerator, price_basis, rate_vintage)


@dataclass(frozen=True, eq=False)
class BesidePublic:
    """Own points beside public runs. `at_speed`: one row a system. `curves`: cost over speed of your files, of public
    runs on the same accelerator, and of the cheapest public system; `own_points` your measured points in the same columns.
    `missing`: why your files cannot be priced, or empty."""

    at_speed: pd.DataFrame
    curves: pd.DataFrame
    own_points: pd.DataFrame
    missing: str
    #: the public system to set yours against: the same accelerator, or else the cheapest at that speed, or else empty
    rival: str

    def reach(self, system: str) -> tuple[float, float]:
        """Slowest and fastest speed at which a system was measured; NaN where it has no price."""
        found = self.at_speed.loc[self.at_speed["system"] == system, _COLUMNS[2:4]]
        return tuple(map(float, found.iloc[0])) if len(found) else (np.nan, np.nan)

    def cost(self, system: str) -> float:
        """Cost per million tokens of a system at the speed asked for; NaN where not reached or not known."""
        found = self.at_speed.loc[self.at_speed["system"] == system, COST]
        return float(found.iloc[0]) if len(found) else np.nan


def compare_with_public(
    own: OwnBenchmark, rows: pd.DataFrame, *, rate, price_basis: str, rate_vintage: str, tok_per_s_per_user: float
) -> BesidePublic:
    """Price your points and the best public runs of each accelerator at equal interactivity.

    `rows` are measured rows of one model and one pair of lengths; `rate` is yours, from `price_of_hour`. Under a price of
    your own, public runs on your accelerator are priced at it, and other accelerators, whose price you do not state, are left out.
    """
    check_value(SPEED, tok_per_s_per_user)
    mine = own.front
    accelerator = own.said("accelerator")
    systems: dict[str, tuple[Frontier, object]] = {}
    if mine is not None and rate is not None:
        systems[YOURS] = (mine, rate)
    for name in sorted(rows["accelerator"].unique()):
        your_own = rate if name == accelerator else None
        public = your_own if price_basis == OWN_PRICE else _on_file(name, price_basis, rate_vintage)
        if public is not None:
            systems[f"{name.upper()} public"] = (frontier(rows, accelerator=name), public)
    at_speed = pd.DataFrame([_row(name, *system, tok_per_s_per_user) for name, system in systems.items()], columns=_COLUMNS)
    at_speed = at_speed.sort_values(COST, kind="stable", na_position="last").reset_index(drop=True)
    public = at_speed[at_speed["system"] != YOURS]
    rivals = [name for name in (f"{accelerator.upper()} public", *public["system"].head(1)) if name in systems]
    rival = rivals[0] if rivals else ""
    chosen = [name for name in dict.fromkeys([*rivals, YOURS]) if name in systems]
    curves = [_curve(name, *systems[name]) for name in chosen]
    points = pd.DataFrame(columns=[SPEED, COST, "series"])
    if YOURS in systems:
        points = mine.points.assign(series=YOURS)
        points[COST] = rate_over(points[THROUGHPUT], rate)
    columns = [SPEED, THROUGHPUT, COST, "rate_usd_per_gpu_h", "series"]
    table = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=columns)
    return BesidePublic(at_speed, table, points, _missing(own, mine, rate), rival)


#: public model -> what its name contains wherever it is served under its own name (letters and digits only)
SERVED_AS = {
    "dsr1": ("deepseekr1",),
    "gptoss120b": ("gptoss120b",),
    "llama70b": ("llama3170b", "llama3370b"),
    "minimaxm2.5": ("minimaxm25",),
}


def is_same_model(named: str, public: str) -> bool:
    """Whether a model's name in your files says that it is the model of the public runs; an alias of your own does not.

    Tokens of two models are not one unit: cost per million is compared within one model only.

    >>> is_same_model("/models/deepseek-ai/DeepSeek-R1-0528", "dsr1"), is_same_model("tiny-llama", "dsr1")
    (True, False)
    """
    bare = "".join(character for character in named.lower() if character.isalnum())
    return any(name in bare for name in SERVED_AS.get(public, ()))


def why_no_ratio(own: OwnBenchmark, *, model: str, isl: float, osl: float) -> str:
    """Why your tokens and public ones are not one good, so that a ratio of their costs would mislead; empty where they are.

    They are one good where your files name the model of the public runs (`is_same_model`) and both of your average lengths
    lie within a quarter of theirs.
    """
    reasons = []
    if not is_same_model(own.said("model"), model):
        reasons.append(f"your files name the model {own.said('model')}, the public runs {model}")
    mine = own.points[["isl", "osl"]].median()
    if mine.isna().any():
        reasons.append(f"your files do not state their lengths, the public runs have {isl:g}/{osl:g} tokens")
    elif (np.abs(mine / [isl, osl] - 1) > LENGTH_TOLERANCE).any():
        reasons.append(f"your requests have {mine['isl']:.0f}/{mine['osl']:.0f} tokens, the public runs {isl:g}/{osl:g}")
    return "; ".join(reasons)


def price_range(own: OwnBenchmark, *, tok_per_s_per_user: float) -> tuple[float, float] | tuple[None, None]:
    """Lowest and highest cost of your tokens over every price of your accelerator's hour in the dataset; None where that is not known."""
    mine = own.front
    if mine is None:
        return None, None
    on_file = evidence.load_table("hourly_rates")
    prices = on_file.loc[on_file["accelerator"] == own.said("accelerator"), "value"]
    throughput = mine.at(tok_per_s_per_user=tok_per_s_per_user)
    if prices.empty or np.isnan(throughput):
        return None, None
    return tuple(float(rate_over(throughput, price)) for price in (prices.min(), prices.max()))


def rate_over(throughput, rate):
    """Cost per million tokens at a throughput (input and output tokens per second and GPU)."""
    return formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=rate, total_tok_per_s_per_gpu=throughput)


def _on_file(accelerator: str, price_basis: str, rate_vintage: str):
    rates = evidence.load_table("hourly_rates").query("price_basis == @price_basis and rate_vintage == @rate_vintage")
    if accelerator not in set(rates["accelerator"]):
        return None
    return evidence.rate(accelerator=accelerator, price_basis=price_basis, rate_vintage=rate_vintage)


_COLUMNS = ["system", "n_points", "reach_from_tok_per_s_per_user", "reach_to_tok_per_s_per_user", "rate_usd_per_gpu_h", THROUGHPUT, COST]


def _row(name: str, curve: Frontier, rate, speed: float) -> dict:
    values = (name, curve.n_points, *curve.reach, float(rate), curve.at(tok_per_s_per_user=speed))
    return dict(zip(_COLUMNS, (*values, cost_at(curve, rate, tok_per_s_per_user=speed)), strict=True))


def _curve(name: str, curve: Frontier, rate) -> pd.DataFrame:
    return curve.curve(rate).assign(rate_usd_per_gpu_h=float(rate), series=name)


def _missing(own: OwnBenchmark, mine, rate) -> str:
    reasons = []
    if own.points["n_gpus"].isna().any():
        reasons.append("neither the files nor you say on how many GPUs they ran")
    if mine is None and own.points[SPEED].isna().all():
        reasons.append("the files do not say how fast a user is served")
    if mine is None and not reasons:
        reasons.append("the files do not count prompt and answer tokens together")
    if rate is None:
        chip = own.said("accelerator")
        no_price = f"there is no price in the dataset for {chip.upper()} at that basis and date"
        reasons.append("neither the files nor you say which accelerator" if chip == NOT_STATED else no_price)
    return " and ".join(reasons)
