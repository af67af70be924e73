"""Every measured comparison that a published claim may mean: its cases, at equal speed, at each price list.

Which runs a claim may mean is data: rows of `data/claim_terms.csv` that name a column of the runs or of a price list, and values.
What the claim does not say is not chosen for it: every measured combination is tried.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tokcost import evidence, formulas
from tokcost.claims.claim_audit import COST, SYSTEMS, THROUGHPUT, Claim
from tokcost.evidence import rows_where
from tokcost.labels import label_of
from tokcost.quantities import QuantityError, phrase
from tokcost.serving.pareto_frontier import SPEED, Frontier, frontier
from tokcost.serving.pooling import each_once

PER_MW = "total_tok_per_s_per_mw"
RATE = "rate_usd_per_gpu_h"
#: (role, or empty for both; column) -> the values that a claim allows
Conditions = dict[tuple[str, str], list[str]]
#: what the runs of both systems share in a case
JOB = ["model", "isl", "osl"]


@dataclass(frozen=True)
class _Per:
    """What a throughput is divided by: its quantity, the table of its rows, and the labels that the rows of two systems share."""

    formula: Callable[..., Any]
    quantity: str
    table: str
    labels: tuple[str, ...]


_PER = {
    COST: _Per(formulas.total_token_cost_usd_per_mtok, RATE, "hourly_rates", ("price_basis", "rate_vintage")),
    PER_MW: _Per(formulas.total_tok_per_s_per_mw, "provisioned_kw_per_gpu", "provisioned_power", ("power_vintage",)),
}
TESTABLE = (*_PER, THROUGHPUT)


@dataclass(frozen=True, eq=False)
class Case:
    """One comparison: what it is (`labels`), the curves of its systems, their output at each speed, and what it is divided by.

    `runs_of_candidate` holds the candidate's runs of the same workload in every precision.
    """

    labels: dict[str, Any]
    curves: dict[str, Frontier]
    speeds: np.ndarray
    output: dict[str, np.ndarray]
    per: dict[str, float]
    runs_of_candidate: pd.DataFrame

    def value(self, quantity: str, role: str) -> np.ndarray:
        """The quantity of one system at each speed: its output, or what its price or power makes of it."""
        if quantity not in _PER:
            return self.output[role]
        return _PER[quantity].formula(**{_PER[quantity].quantity: self.per[role], THROUGHPUT: self.output[role]})

    def gain(self, quantity: str) -> np.ndarray:
        """How many times better the candidate is; the value itself where there is no baseline."""
        if "baseline" not in self.curves:
            return self.value(quantity, "candidate")
        ratio = self.value(quantity, "candidate") / self.value(quantity, "baseline")
        return 1 / ratio if quantity == COST else ratio

    def at(self, place: int, quantity: str) -> pd.DataFrame:
        """The arithmetic at one of the speeds, a row for each system: what was measured, what it is divided by, and the result."""
        rows = []
        for role, curve in self.curves.items():
            row = {"role": role, "accelerator": curve.accelerator, "precision": curve.precision, SPEED: float(self.speeds[place])}
            row[THROUGHPUT] = float(self.output[role][place])
            if quantity in _PER:
                row |= {_PER[quantity].quantity: self.per[role], quantity: float(self.value(quantity, role)[place])}
            rows.append(row)
        return pd.DataFrame(rows)


def conditions(claim_id: str, terms: pd.DataFrame | None = None) -> Conditions:
    """What the terms of a claim select: (role or empty, column of the runs or of a price list) -> the values allowed.

    >>> conditions("nvidia_2026_04_15_deepseek_r1")["", "campaign"]
    ['inferencex_dsr1_2026_04']
    """
    table = evidence.load_table("claim_terms") if terms is None else terms
    rows = table[(table["claim_id"] == claim_id) & (table["column"] != "") & (table["value"] != "")]
    return {(row.role, row.column): str(row.value).split() for row in rows.itertuples()}


def cases(one: Claim, quantity: str, where: Conditions, names: Mapping[str, str]) -> tuple[list[Case], list[str]]:
    """Every measured case of a claim, or what is missing that there is none; `names` is what the claim calls its systems.

    Raises: QuantityError for a condition on a column that runs do not have.
    """
    roles = SYSTEMS if len(one.ratios) else SYSTEMS[1:]
    if quantity not in TESTABLE:
        is_in_print = all(one.has(role, [quantity]) for role in roles)
        return [], [] if is_in_print else [f"{_lower(quantity)} of {_and(names, roles)} on one workload"]
    asked = {role: {column: values for (whose, column), values in where.items() if whose in ("", role)} for role in roles}
    every = {role: each_once(evidence.measured(accelerator=known)) for role in roles if (known := _known(asked[role]))}
    sides = {role: runs for role in every if len(runs := _allowed(every[role], asked[role]))}
    if len(sides) < len(roles):
        unmeasured = [role for role in roles if role not in sides]
        on = [value for (whose, column), values in where.items() if (whose, column) == ("", "model") for value in values]
        model = f" on {' or '.join(label_of('model', name) or name for name in on)}" if on else ""
        return [], [f"output of {_and(names, unmeasured)} at a stated speed per user{model}"]
    pairs = list(_pairs(sides, where))
    if not pairs:
        return [], [f"output of {_and(names, roles)} on one model, with the same lengths, at one speed"]
    any_precision = {column: values for column, values in asked["candidate"].items() if column != "precision"}
    of_candidate = _allowed(every["candidate"], any_precision)
    lists = _lists(one, quantity, roles, where)
    found = [case for pair in pairs for case in _priced(*pair, of_candidate, lists)]
    if not found:
        return [], [f"{_lower(_PER[quantity].quantity)} of {_and(names, roles)} in one list"]
    return found, []


def _and(names: Mapping[str, str], roles: Iterable[str]) -> str:
    return " and of ".join(names.get(role, f"the {role}, which is not named,") for role in roles)


def _known(asked: dict[str, list[str]]) -> list[str]:
    """The accelerators of a condition that runs were measured on."""
    measured = set(evidence.load_table("inference")["accelerator"])
    return [name for name in asked.get("accelerator", []) if name in measured]


def _allowed(runs: pd.DataFrame, asked: dict[str, list[str]]) -> pd.DataFrame:
    elsewhere = {"accelerator", SPEED, *(label for per in _PER.values() for label in per.labels)}
    for column, values in asked.items():
        if column not in elsewhere:
            if column not in runs:
                raise QuantityError(f"a term of the claim selects by `{column}`, which runs do not have; give a column of inference.csv")
            runs = runs[runs[column].astype(str).isin(values)]
    return runs


def _pairs(sides: dict[str, pd.DataFrame], where: Conditions) -> Iterator[tuple[dict[str, Frontier], np.ndarray]]:
    """The curves of every two systems (or of the one that is claimed about) on one workload, and the speeds that they share."""
    jobs = {role: dict(tuple(runs.groupby(JOB))) for role, runs in sides.items()}
    for job in sorted(set.intersection(*(set(runs) for runs in jobs.values()))):
        curves = {role: [frontier(rows) for _, rows in runs[job].groupby(["accelerator", "precision"])] for role, runs in jobs.items()}
        for some in itertools.product(*curves.values()):
            speeds = _speeds(some, where.get(("", SPEED), []))
            if speeds.size:
                yield dict(zip(curves, some, strict=True)), speeds


def _priced(pair: dict[str, Frontier], speeds: np.ndarray, of_candidate: pd.DataFrame, lists: list[tuple[str, Callable]]) -> Iterator[Case]:
    """The case of a pair for each list that prices (or powers) its systems."""
    priced = {said: {role: value(role, curve.accelerator) for role, curve in pair.items()} for said, value in lists}
    priced = {said: per for said, per in priced.items() if None not in per.values()}
    if not priced:
        return
    output = {role: np.asarray(curve.at(tok_per_s_per_user=speeds), dtype=float) for role, curve in pair.items()}
    candidate = pair["candidate"]
    labels: dict[str, Any] = {name: getattr(candidate, name) for name in JOB}
    runs = rows_where(of_candidate, labels | {"accelerator": candidate.accelerator})
    for role, curve in pair.items():
        labels |= {f"{role}_accelerator": curve.accelerator, f"{role}_precision": curve.precision}
    for said, per in priced.items():
        yield Case(labels | {"list": said}, pair, speeds, output, per, runs)


def _speeds(curves: Iterable[Frontier], stated: list[str]) -> np.ndarray:
    """The measured speeds that all curves reach, or those that the claim states: one, or `from-to`."""
    curves = list(curves)
    slow, fast = max(curve.reach[0] for curve in curves), min(curve.reach[1] for curve in curves)
    measured = np.unique(np.concatenate([curve.front[SPEED].to_numpy(float) for curve in curves]))
    if stated:
        ends = [float(end) for one in stated for end in re.split(r"(?<=\d)-", one)]
        slow, fast = max(slow, min(ends)), min(fast, max(ends))
        measured = np.union1d(measured, ends)
    return measured[(measured >= slow) & (measured <= fast)]


def _lists(one: Claim, quantity: str, roles: Iterable[str], where: Conditions) -> list[tuple[str, Callable[[str, str], float | None]]]:
    """Each price list or power list, by name, with what it says of a role and its accelerator; printed prices come before lists."""
    per = _PER.get(quantity)
    if per is None:
        return [("", lambda role, accelerator: 1.0)]
    if all(one.has(role, [per.quantity]) for role in roles):
        return [("as printed", lambda role, accelerator: one.printed[role, per.quantity].value)]
    rows = evidence.load_table(per.table)
    for label in per.labels:
        if allowed := where.get(("", label)):
            rows = rows[rows[label].isin(allowed)]
    found = []
    for labels, some in rows.groupby(list(per.labels)):
        value = dict(zip(some["accelerator"], some["value"].astype(float), strict=True))
        found.append((" ".join(map(str, labels)), lambda role, accelerator, value=value: value.get(accelerator)))
    return found


def _lower(quantity: str) -> str:
    label = phrase(quantity)
    return label[:1].lower() + label[1:]
