"""Your own points and public runs, priced at equal interactivity, and whether the two costs may be compared at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tokcost import evidence, formulas
from tokcost.analysis.metric_rankings import COST
from tokcost.analysis.own_benchmark import NOT_STATED, THROUGHPUT, OwnBenchmark
from tokcost.doubt.at_speed import times_cheaper, token_cost
from tokcost.doubt.headlines import NOT_KNOWN, Headline
from tokcost.evidence import Fact
from tokcost.labels import label_of, served_as
from tokcost.load.capacity import LENGTH_TOLERANCE
from tokcost.quantities import check_value
from tokcost.serving.pareto_frontier import SPEED, Frontier, frontier

OWN_PRICE = "own"
YOURS = "your files"
NO_RIVAL = "no public system"
#: public runs read every prompt in full: more than this share from a cache is another job
CACHED_TOLERANCE_FRAC = 0.05
_COLUMNS = ["system", "n_points", "reach_from_tok_per_s_per_user", "reach_to_tok_per_s_per_user", "rate_usd_per_gpu_h", THROUGHPUT]
_COLUMNS += [COST]


def price_of_hour(accelerator: str, *, price_basis: str, rate_vintage: str, rate_usd_per_gpu_h: float) -> Fact | float | None:
    """The price of an hour: your own where the basis is `own`, else the one in the dataset; None where the dataset has none.

    >>> price_of_hour("h200", price_basis="rental_3yr", rate_vintage="2026-03", rate_usd_per_gpu_h=9.9).value
    1.6
    >>> price_of_hour("not stated", price_basis="rental_3yr", rate_vintage="2026-03", rate_usd_per_gpu_h=9.9) is None
    True
    """
    if price_basis == OWN_PRICE:
        return float(check_value("rate_usd_per_gpu_h", rate_usd_per_gpu_h))
    return _listed_price(accelerator, price_basis, rate_vintage)


@dataclass(frozen=True, eq=False)
class PublicComparison:
    """Your points and public runs. `systems`: one row a system that has a price, with its `status`, `priced` or `not reached`; the
    cost is that of the cheapest measured run at least as fast. `headline`: yours with its interval; `ratio`: the rival's cost over
    yours with its interval, NaN where they may not be compared. `rival`: the public system to set
    yours against, on the same accelerator, or else the cheapest at that speed. `curves`: cost over speed, of your files, of `rival`
    and of the cheapest public system; `points`: the measured runs that they go through, in the same columns. Where the job differs,
    yours alone is drawn, if it has a price. `missing`: why your files cannot be priced, or empty; `differs`: why your tokens
    and public ones are not one good, or empty."""

    systems: pd.DataFrame
    curves: pd.DataFrame
    points: pd.DataFrame
    rival: str
    missing: str
    differs: str
    headline: Headline
    ratio: Headline

    @property
    def at_speed(self) -> pd.DataFrame:
        """The ranking: `systems` by cost, without your files where their job differs."""
        is_ranked = (self.systems["system"] != YOURS) | (not self.differs)
        return self.systems[is_ranked].reset_index(drop=True)

    @property
    def own(self) -> pd.Series:
        """The row of your files in `systems`; where they have no price its numbers are NaN and its status is `not priced`."""
        return self._system(YOURS)

    @property
    def public(self) -> pd.Series:
        """The same of the `rival`."""
        return self._system(self.rival)

    @property
    def cost_ratio(self) -> float:
        """What the rival's token costs over what yours costs: above 1 yours is cheaper. NaN where they may not be compared."""
        return self.ratio.value

    @property
    def status(self) -> str:
        """Yours against the rival's: `not comparable`, `not priced`, `not reached`, `cheaper`, `tied` or `more expensive`."""
        if self.differs:
            return "not comparable"
        for obstacle in ("not priced", "not reached"):
            if obstacle in (self.own["status"], self.public["status"]):
                return obstacle
        return "tied" if self.cost_ratio == 1 else "cheaper" if self.cost_ratio > 1 else "more expensive"

    def _system(self, name: str) -> pd.Series:
        return self.systems.set_index("system").reindex([name]).fillna({"status": "not priced"}).iloc[0]


def compare_with_public(
    own: OwnBenchmark, rows: pd.DataFrame, *, rate: Fact | float | None, price_basis: str, rate_vintage: str, tok_per_s_per_user: float
) -> PublicComparison:
    """Price your points and the best public runs of each accelerator at equal interactivity.

    `rows` are measured rows of one model and one pair of lengths; `rate` is yours, from `price_of_hour`. Under a price of your
    own, public runs on your accelerator are priced at it; other accelerators, whose price you do not state, are excluded.

    >>> own = tc.analysis.own_benchmark("data/benchmark_example", stated_gpus=8, accelerator="h200")
    >>> public = tc.measured(model="dsr1", isl=1024, osl=1024)
    >>> found = compare_with_public(own, public, rate=2.5, price_basis="own", rate_vintage="2026-09", tok_per_s_per_user=100)
    >>> found.rival, found.status, found.own["status"], round(float(found.own["total_token_cost_usd_per_mtok"]), 2)
    ('H200 public', 'not comparable', 'priced', 1.65)
    """
    check_value(SPEED, tok_per_s_per_user)
    mine, accelerator = own.front, own.label("accelerator")
    priced: dict[str, tuple[Frontier, Fact | float]] = {}
    if mine is not None and rate is not None:
        priced[YOURS] = (mine, rate)
    for name in sorted(rows["accelerator"].unique()):
        your_own = rate if name == accelerator else None
        price = your_own if price_basis == OWN_PRICE else _listed_price(name, price_basis, rate_vintage)
        if price is not None:
            priced[f"{name.upper()} public"] = (frontier(rows, accelerator=name), price)
    systems = pd.DataFrame([_row(name, *system, tok_per_s_per_user) for name, system in priced.items()], columns=_COLUMNS)
    systems = systems.sort_values(COST, kind="stable", na_position="last").reset_index(drop=True)
    systems["status"] = np.where(systems[COST].isna(), "not reached", "priced")
    cheapest = systems.loc[systems["system"] != YOURS, "system"].head(1)
    rivals = [name for name in (f"{accelerator.upper()} public", *cheapest) if name in priced]
    differs = differences(own, **rows.iloc[0][["model", "isl", "osl"]])
    drawn = [YOURS] if differs and YOURS in priced else [name for name in dict.fromkeys((*rivals, YOURS)) if name in priced]
    curves = [priced[name][0].curve(priced[name][1]).assign(rate_usd_per_gpu_h=float(priced[name][1]), series=name) for name in drawn]
    points = [_points(priced[name][0], priced[name][1]).assign(series=name) for name in drawn]
    at: Any = {"tok_per_s_per_user": tok_per_s_per_user}
    reached = set(systems.loc[systems["status"] == "priced", "system"])
    headline = token_cost(*priced[YOURS], **at) if YOURS in reached else NOT_KNOWN
    ratio = NOT_KNOWN
    if rivals and not differs and {YOURS, rivals[0]} <= reached:
        pair = [priced[rivals[0]], priced[YOURS]]
        rates = {curve.accelerator: price for curve, price in pair}
        ratio = times_cheaper(*(curve for curve, _ in pair), rates=rates, **at)
    return PublicComparison(
        headline=headline,
        ratio=ratio,
        systems=systems,
        curves=pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=[*_COLUMNS[4:], SPEED, "series"]),
        points=pd.concat(points, ignore_index=True) if points else pd.DataFrame(columns=[SPEED, COST, "series"]),
        rival=rivals[0] if rivals else NO_RIVAL,
        missing=_missing(own, mine, rate),
        differs=differs,
    )


def is_same_model(named: str, public: str) -> bool:
    """Whether a model's name in your files says that it is the model of the public runs; an alias of your own does not.

    Tokens of two models are not one unit: cost per million is compared within one model only.

    >>> is_same_model("/models/deepseek-ai/DeepSeek-R1-0528", "dsr1"), is_same_model("tiny-llama", "dsr1")
    (True, False)
    """
    bare = "".join(character for character in named.lower() if character.isalnum())
    return any(name in bare for name in served_as(public))


def differences(own: OwnBenchmark, *, model: str, isl: float, osl: float) -> str:
    """Why your tokens and public ones are not one good, so that a ratio of their costs would mislead; empty where they are.

    They are one good where your files name the model of the public runs (`is_same_model`), both of your average lengths lie
    within a quarter of theirs, and your server did not read prompts from its cache, as far as the files say it.
    """
    reasons = []
    if not is_same_model(own.label("model"), model):
        reasons.append(f"your files name the model {own.label('model')}, the public runs {label_of('model', model) or model}")
    mine = own.points[["isl", "osl"]].median()
    if mine.isna().any():
        reasons.append(f"your files do not state their lengths, the public runs have {isl:g}/{osl:g} tokens")
    elif (np.abs(mine / [isl, osl] - 1) > LENGTH_TOLERANCE).any():
        reasons.append(f"your requests have {mine['isl']:.0f}/{mine['osl']:.0f} tokens, the public runs {isl:g}/{osl:g}")
    if own.cached_frac > CACHED_TOLERANCE_FRAC:
        reasons.append(f"your server read {own.cached_frac:.0%} of the prompt tokens from its cache, the public runs none")
    return "; ".join(reasons)


def _listed_price(accelerator: str, price_basis: str, rate_vintage: str) -> Fact | None:
    rates = evidence.load_table("hourly_rates").query("price_basis == @price_basis and rate_vintage == @rate_vintage")
    if accelerator not in set(rates["accelerator"]):
        return None
    return evidence.rate(accelerator=accelerator, price_basis=price_basis, rate_vintage=rate_vintage)


def _row(name: str, curve: Frontier, rate: Fact | float, speed: float) -> dict:
    read: Any = curve.at(tok_per_s_per_user=speed)  # between the run at least as fast, which delivers the least, and the slower one
    cost = _cost(rate, np.array([read.low]))
    return dict(zip(_COLUMNS, (name, curve.n_points, *curve.reach, float(rate), read.low, *cost), strict=True))


def _points(curve: Frontier, rate: Fact | float) -> pd.DataFrame:
    return curve.front[[SPEED]].assign(**{COST: _cost(rate, curve.front[THROUGHPUT])})


def _cost(rate: Fact | float, throughput):
    return formulas.total_token_cost_usd_per_mtok(rate_usd_per_gpu_h=float(rate), total_tok_per_s_per_gpu=throughput)


def _missing(own: OwnBenchmark, mine: Frontier | None, rate: Fact | float | None) -> str:
    reasons = []
    if own.points["n_gpus"].isna().any():
        reasons.append("neither the files nor you say on how many GPUs they ran")
    if mine is None and own.points[SPEED].isna().all():
        reasons.append("the files do not say how fast a user is served")
    if mine is None and not reasons:
        reasons.append("the files do not count prompt and answer tokens together")
    if rate is None:
        chip = own.label("accelerator")
        no_price = f"there is no price in the dataset for {chip.upper()} at that basis and date"
        reasons.append("neither the files nor you say which accelerator" if chip == NOT_STATED else no_price)
    return " and ".join(reasons)
