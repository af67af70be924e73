"""Own, colocate, rent or call the API: what each costs month by month for one demand path, and what that is worth today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost.decide.demand_path import ServedPath
from tokcost.decide.investment import Appraisal, appraise
from tokcost.hour.cashflow import Nominal, months, schedule_value_frac
from tokcost.hour.deployment import Deployment
from tokcost.quantities import HOURS_PER_MONTH, MONTHS_PER_YEAR, SECONDS_PER_HOUR, TOK_PER_MTOK, QuantityError, check_value


class Way(Protocol):
    """A way to serve: what is paid at the end of each month, month 0 (before the first month of service) first."""

    def cost_usd_by_month(self, path: ServedPath) -> np.ndarray: ...


@dataclass(frozen=True)
class Own:
    """GPUs bought as the peak grows, in a place that a deployment describes: its own building or a colocation.

    Each purchase is paid `install_delay_yr` before it serves; those of the first months before month 0 count as of month 0, with
    interest at the deployment's cost of capital. What was bought is sold when the path ends at its value by age, a straight line
    from the price to the residual value at the end of the economic life, and is bought anew when the life ends earlier. Where the
    deployment states a tax rate, capital and what its depreciation saves count as what they must earn before tax, so that all ways
    are compared before tax at one cost of capital.

    Raises: QuantityError for a deployment in real money: rents and prices are nominal.
    """

    deployment: Deployment

    def __post_init__(self):
        if self.deployment.money != "nominal":
            raise QuantityError("rents and prices are nominal; state the deployment's `wacc_frac` in nominal money as well")

    def cost_usd_by_month(self, path: ServedPath) -> np.ndarray:
        node, n = self.deployment, path.n_months
        capital = float(sum(node.capital_usd_per_gpu().values())) * path.gpus_per_replica
        life, delay = months("life_yr", node.economic_life_yr), months("install_delay_yr", node.install_delay_yr)
        held = np.maximum.accumulate(path.peak_replicas)
        running = float(node.running_cost_usd_per_gpu_h() * node.availability_frac)  # paid in every hour
        usd = np.zeros(n + 1)
        usd[1:] = held * path.gpus_per_replica * running * HOURS_PER_MONTH
        grows = 1 + float(Nominal(node.wacc_frac).per_month)
        for start, bought in enumerate(np.diff(held, prepend=0)):
            first = start
            while bought and first < n:
                early = max(0, delay - first)
                used = min(life, n - first)
                taxed, shield = self._tax(used)
                usd[max(0, first - delay)] += bought * capital * grows**early * taxed
                usd[first] -= bought * capital * shield
                usd[first + used] -= bought * capital * (1 - (1 - float(node.residual_frac)) * used / life)
                first += life
        return usd

    def _tax(self, n_months: int) -> tuple[float, float]:
        """What a dollar of price must earn before tax, and what its depreciation saves as of the start of service, if so long held."""
        node = self.deployment
        if node.tax_frac is None or node.depreciation is None:
            return 1.0, 0.0
        held_yr = max(n_months, 3) / MONTHS_PER_YEAR  # shorter than a quarter, the schedule says nothing
        value = schedule_value_frac(
            depreciation=node.depreciation, book_life_yr=node.book_life_yr, wacc_frac=node.wacc_frac, life_yr=held_yr
        )
        return 1 / (1 - node.tax_frac), node.tax_frac * float(value) / (1 - node.tax_frac)


@dataclass(frozen=True)
class Rent:
    """GPUs by the hour: those of the peak in all hours (reserved), or those that follow the load (on demand, spot).

    `rate_usd_per_gpu_h` may be a row of months (`rent_path_usd_per_gpu_h`). Spot is on demand with a share of the paid time lost:
    `kept_availability_frac` (`tc.hour.rental.kept_availability_frac`); the lost time is rented again.
    """

    rate_usd_per_gpu_h: Any
    follows_load: bool
    kept_availability_frac: float = 1.0

    def cost_usd_by_month(self, path: ServedPath) -> np.ndarray:
        check_value("rate_usd_per_gpu_h", self.rate_usd_per_gpu_h)
        check_value("availability_frac", self.kept_availability_frac)
        replicas = path.paid_replicas if self.follows_load else np.maximum.accumulate(path.peak_replicas)
        rate = _by_month(self.rate_usd_per_gpu_h, path) / self.kept_availability_frac
        return np.concatenate([[0.0], replicas * path.gpus_per_replica * HOURS_PER_MONTH * rate])


@dataclass(frozen=True)
class CallApi:
    """Tokens bought by the million, at the price of the same checkpoint; a number, or a row of months."""

    price_usd_per_mtok: Any

    def cost_usd_by_month(self, path: ServedPath) -> np.ndarray:
        check_value("price_usd_per_mtok", self.price_usd_per_mtok)
        return np.concatenate([[0.0], path.demand_mtok * _by_month(self.price_usd_per_mtok, path)])


def _by_month(value: ArrayLike, path: ServedPath) -> np.ndarray:
    numbers = np.asarray(value, dtype=float)
    if numbers.ndim and numbers.shape != (path.n_months,):
        raise QuantityError(f"a price by month needs one number for each of the {path.n_months} months, got {numbers.shape}")
    return np.broadcast_to(numbers, path.n_months)


def compare_ways(path: ServedPath, ways: Mapping[str, Way], *, wacc_frac: float) -> pd.DataFrame:
    """Every way to serve one demand path, the cheapest first.

    Columns: way, present_cost_usd (all payments, discounted), total_token_cost_usd_per_mtok (the price of a million tokens that
    would just pay for it: discounted cost over discounted tokens), first_year_cost_usd, share_of_cheapest_ratio.
    Raises: QuantityError where no month asks for a token.

    >>> day = tc.load.hourly_profile([1, 1, 4], isl=1000, osl=1000)
    >>> path = tc.decide.served_path([60_000] * 12, profile=day, gpus_per_replica=8, total_tok_per_s_per_gpu=1000, scale_up_delay_h=0)
    >>> ways = {"reserved": Rent(2.0, follows_load=False), "on demand": Rent(4.0, follows_load=True), "API": CallApi(1.5)}
    >>> found = compare_ways(path, ways, wacc_frac=0.1).set_index("way")["total_token_cost_usd_per_mtok"]
    >>> {way: round(usd, 3) for way, usd in found.items()}
    {'reserved': 1.168, 'on demand': 1.298, 'API': 1.5}
    """
    discounts = Nominal(wacc_frac).discounts(np.arange(path.n_months + 1))
    tokens = float((path.demand_mtok * discounts[1:]).sum())
    if not tokens > 0:
        raise QuantityError("the demand path asks for no token in any month: there is nothing to compare per token")
    rows = []
    for name, way in ways.items():
        usd = way.cost_usd_by_month(path)
        worth = float((usd * discounts).sum())
        rows.append((name, worth, worth / tokens, float(usd[:13].sum())))
    columns = ["way", "present_cost_usd", "total_token_cost_usd_per_mtok", "first_year_cost_usd"]
    table = pd.DataFrame(rows, columns=columns).sort_values("present_cost_usd", ignore_index=True)
    return table.assign(share_of_cheapest_ratio=table["present_cost_usd"] / table["present_cost_usd"].iloc[0])


def saving(path: ServedPath, way: Way, instead_of: Way, *, wacc_frac: float) -> Appraisal:
    """What one way saves against another, appraised as an investment: NPV, IRR and payback of the difference of their payments.

    >>> day = tc.load.hourly_profile([1.0], isl=1000, osl=1000)
    >>> path = tc.decide.served_path([20_000] * 24, profile=day, gpus_per_replica=8, total_tok_per_s_per_gpu=1000, scale_up_delay_h=0)
    >>> round(saving(path, CallApi(1.0), CallApi(1.5), wacc_frac=0.0).npv_usd)
    240000
    """
    return appraise(instead_of.cost_usd_by_month(path) - way.cost_usd_by_month(path), wacc_frac=wacc_frac)


def mixed_fleet(generations: pd.DataFrame, *, demand_tok_per_s: float) -> pd.DataFrame:
    """A fleet of several generations, each at its price and age, filled from the one whose tokens cost least to run.

    `generations` has a row each: name, n_gpus, total_tok_per_s_per_gpu, rate_usd_per_gpu_h (paid in any case: what is still owed
    for it, or its rent) and running_cost_usd_per_gpu_h (paid only while it works: electricity). Demand beyond all is not served.

    Columns: those given, utilization_frac, delivered_tok_per_s, cost_usd_per_h, marginal_usd_per_mtok, and in the last row, name
    "all", the sums; total_token_cost_usd_per_mtok is cost over tokens, pooled in the last row and no mean of the rows.

    >>> rows = [("old", 10, 100.0, 1.0, 0.1), ("new", 10, 1000.0, 3.0, 0.2)]
    >>> columns = ["name", "n_gpus", "total_tok_per_s_per_gpu", "rate_usd_per_gpu_h", "running_cost_usd_per_gpu_h"]
    >>> found = mixed_fleet(pd.DataFrame(rows, columns=columns), demand_tok_per_s=10_500)
    >>> found["utilization_frac"].round(3).tolist(), round(float(found["total_token_cost_usd_per_mtok"].iloc[-1]), 3)
    ([1.0, 0.5, 0.955], 1.124)
    """
    for name in ("total_tok_per_s_per_gpu", "rate_usd_per_gpu_h"):
        check_value(name, generations[name].to_numpy())
    check_value("cost_usd_per_gpu_h", generations["running_cost_usd_per_gpu_h"].to_numpy())
    per_mtok = TOK_PER_MTOK / SECONDS_PER_HOUR
    marginal = generations["running_cost_usd_per_gpu_h"] / generations["total_tok_per_s_per_gpu"] * per_mtok
    table = generations.assign(marginal_usd_per_mtok=marginal).sort_values("marginal_usd_per_mtok", ignore_index=True)
    capacity = table["n_gpus"] * table["total_tok_per_s_per_gpu"]
    delivered = (demand_tok_per_s - (capacity.cumsum() - capacity)).clip(0, capacity)
    used = delivered / capacity
    cost = table["n_gpus"] * (table["rate_usd_per_gpu_h"] + used * table["running_cost_usd_per_gpu_h"])
    table = table.assign(utilization_frac=used, delivered_tok_per_s=delivered, cost_usd_per_h=cost)
    sums = {"name": "all", "n_gpus": table["n_gpus"].sum(), "delivered_tok_per_s": delivered.sum(), "cost_usd_per_h": cost.sum()}
    table = pd.concat([table, pd.DataFrame([sums | {"utilization_frac": delivered.sum() / capacity.sum()}])], ignore_index=True)
    with np.errstate(divide="ignore"):
        each = table["cost_usd_per_h"] / table["delivered_tok_per_s"] * per_mtok
    return table.assign(total_token_cost_usd_per_mtok=each.where(table["delivered_tok_per_s"] > 0))
