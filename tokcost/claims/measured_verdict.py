"""The verdict on a published claim by measured runs: where it is supported, what brings the gain, what is missing to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tokcost import evidence
from tokcost.claims.claim_audit import DOES_NOT_FOLLOW, FOLLOWS, FOLLOWS_LOOSELY, TOUCH, Claim, audit_figures, claim
from tokcost.claims.measured_cases import COST, Case, cases, conditions
from tokcost.claims.printed import Printed, printed
from tokcost.claims.reproduction import stretches
from tokcost.evidence import NoSuchRow, rows_where
from tokcost.serving.pareto_frontier import Frontier, frontier

HOLDS_AT = "holds only at"
CANNOT_BE_KNOWN = "cannot be known"
AUDIT_VERDICTS = (FOLLOWS, FOLLOWS_LOOSELY, HOLDS_AT, DOES_NOT_FOLLOW, CANNOT_BE_KNOWN)
PRICE = "price of the hour or power"


@dataclass(frozen=True, eq=False)
class Audit:
    """What is left of a claim, by the measured runs that it may mean (`audit`).

    `verdict` is one of `AUDIT_VERDICTS`; `figures` says what follows from print alone (`audit_figures`). `cases` has a row for each
    measured combination that the claim leaves open: model, lengths, systems, precisions, price or power list, the least and the most
    that was measured, and `supported`, the stretches of speed at which it is at least what is printed. `point` is the
    arithmetic where the measured figure comes nearest to the printed one, a row for each system, and `shares` what the gain there is a
    product of: chip, precision, decoding, price. `missing` is what would have to be published to know.
    """

    claim_id: str
    title: str
    publisher: str
    quantity: str
    printed: Printed
    verdict: str
    figures: pd.DataFrame
    cases: pd.DataFrame
    point: pd.DataFrame
    shares: pd.DataFrame
    missing: tuple[str, ...]

    @property
    def supported(self) -> pd.DataFrame:
        """The cases in which the figure is reached at some speed."""
        return self.cases[self.cases["supported"].map(bool).astype(bool)]

    @property
    def support_frac(self) -> float:
        """The share of all measured points, over cases and speeds, at which the figure is reached; NaN where nothing was measured."""
        n = self.cases["n_speeds"].sum()
        return float(self.cases["n_supported"].sum() / n) if n else np.nan

    @property
    def speeds(self) -> tuple[float, float]:
        """Slowest and fastest speed at which any case reaches the figure; NaN where none does."""
        ends = [end for one in self.supported["supported"] for stretch in one for end in stretch]
        return (min(ends), max(ends)) if ends else (np.nan, np.nan)


def audit(claim_id: str, claims: pd.DataFrame | None = None, terms: pd.DataFrame | None = None) -> Audit:
    """The verdict on a claim's cost ratio, or else on the first ratio that it prints, or else on its first figure.

    Every case that the claim leaves open is compared at equal speed, at the measured speeds that both systems reach. A gain is
    supported where it is at least what is printed, rounding allowed. In all cases at all speeds: "follows", or "follows within
    rounding" where it takes the rounding of the printed parts as well; in some: "holds only at"; in none: "does not follow". "Up to" claims
    no more than one such case. Without runs, or without prices, of both systems: "cannot be known".

    Raises: QuantityError for a claim that is not there, or that cannot be read.

    >>> found = audit("nvidia_2026_04_15_deepseek_r1")
    >>> found.verdict, len(found.supported) > 0, audit("aws_2024_12_trn2").verdict
    ('holds only at', True, 'cannot be known')
    """
    one = claim(claim_id, claims)
    table = evidence.load_table("claim_terms") if terms is None else terms
    stated = table[table["claim_id"] == claim_id]
    figures = audit_figures(claim_id, claims)
    quantity, figure, strict, loose = _on_trial(one, figures)
    found, missing = cases(one, quantity, conditions(claim_id, table), _names(stated))
    gains = [case.gain(quantity) for case in found]
    better = np.less_equal if _is_absolute_cost(one, quantity) else np.greater_equal
    held = {end: [_reaches(gain, limit, better) for gain in gains] for end, limit in (("strict", strict), ("loose", loose))}
    nearest = _nearest(found, gains, loose, held["loose"])
    rows = [_row(case, gain, holds) for case, gain, holds in zip(found, gains, held["loose"], strict=True)]
    publisher = stated.loc[stated["term"] == "publisher", "stated"]
    said = _verdict(held)
    return Audit(
        claim_id=claim_id,
        title=one.title,
        publisher=publisher.iloc[0] if len(publisher) else one.title.partition(",")[0],
        quantity=quantity,
        printed=figure,
        verdict=said,
        figures=figures,
        cases=pd.DataFrame(rows, columns=None if rows else ["least", "most", "n_speeds", "n_supported", "supported"]),
        point=nearest[0].at(nearest[1], quantity).assign(**nearest[0].labels) if nearest else pd.DataFrame(),
        shares=_of(nearest, quantity),
        missing=tuple(missing) if said == FOLLOWS else (*missing, *stated.loc[~stated["is_stated"], "term"]),
    )


def _on_trial(one: Claim, figures: pd.DataFrame) -> tuple[str, Printed, float, float]:
    """The quantity, what is printed of it, and what a measured gain must reach: by the strict reading, and by rounding.

    Rounding is that of the printed parts that it is a ratio of: a ratio printed from 4.20 and 0.12 may be any from 33.6 to 36.6. That
    zeros which end a figure may be filling is left out here: it would let 5 times support a claim of 10.
    """
    if not len(one.ratios):
        (_, quantity), figure = next(iter(one.printed.items()))
        end = 1 if quantity == COST else 0
        return quantity, figure, figure.strict[end], figure.strict[end]
    ratios = one.ratios.set_index("quantity")
    quantity = COST if COST in ratios.index else str(ratios.index[0])
    figure = printed(str(ratios.loc[quantity, "printed"]))
    of_parts = figures[(figures["role"] == "ratio") & (figures["quantity"] == quantity) & (figures["verdict"] == FOLLOWS)]
    ends = [figure.strict, *of_parts[["derived_low", "derived_high"]].itertuples(index=False)]
    if (ratios.loc[quantity, "direction"] == "inverse") == (quantity == COST):
        return quantity, figure, figure.strict[0], min(low for low, _ in ends)
    return quantity, figure, 1 / figure.strict[1], min(1 / high for _, high in ends)


def _names(stated: pd.DataFrame) -> dict[str, str]:
    rows = stated[(stated["column"] == "accelerator") & (stated["role"] != "")]
    return dict(zip(rows["role"], rows["stated"], strict=True))


def _is_absolute_cost(one: Claim, quantity: str) -> bool:
    return quantity == COST and not len(one.ratios)


def _reaches(gain: np.ndarray, limit: float, better) -> np.ndarray:
    return better(gain, limit) | np.isclose(gain, limit, rtol=TOUCH, atol=0)


def _verdict(held: dict[str, list[np.ndarray]]) -> str:
    if not held["loose"]:
        return CANNOT_BE_KNOWN
    strict, loose = (np.concatenate(held[reading]) for reading in ("strict", "loose"))
    if strict.all():
        return FOLLOWS
    if loose.all():
        return FOLLOWS_LOOSELY
    return HOLDS_AT if loose.any() else DOES_NOT_FOLLOW


def _row(case: Case, gain: np.ndarray, holds: np.ndarray) -> dict:
    return case.labels | {
        "from_speed": case.speeds[0],
        "to_speed": case.speeds[-1],
        "n_speeds": len(case.speeds),
        "least": float(gain.min()),
        "most": float(gain.max()),
        "n_supported": int(holds.sum()),
        "supported": stretches(case.speeds, holds),
    }


def _nearest(found: list[Case], gains: list[np.ndarray], limit: float, is_supported: list[np.ndarray]) -> tuple[Case, int] | None:
    """The case and the place of its speed where the measured figure comes nearest to what is printed; one that supports it first."""
    points = [
        (not supports, abs(float(np.log(gain / limit))), number, place)
        for number, (some, flags) in enumerate(zip(gains, is_supported, strict=True))
        for place, (gain, supports) in enumerate(zip(some, flags, strict=True))
    ]
    if not points:
        return None
    *_, number, place = min(points)
    return found[number], place


def _shares(case: Case, place: int, whole: float) -> pd.DataFrame:
    """What the gain there is a product of: chip, then precision, then decoding, then price.

    Each step is the best that was run of the candidate; a step that was not measured is joined to the next ("chip + precision").

    Columns: `part`, `ratio`.
    """
    speed = float(case.speeds[place])
    old, new = case.curves["baseline"], case.curves["candidate"]
    before = float(case.output["baseline"][place])
    as_before = {"precision": old.precision} | {"speculative": _decoding(old, speed)}
    steps = {"chip": as_before, "precision": as_before | {"precision": new.precision}, "decoding": {"precision": new.precision}}
    rows = case.runs_of_candidate
    parts, waiting, reached = [], [], 1.0
    for name, where in steps.items():
        waiting.append(name)
        ratio = _output(rows, where, speed) / before
        if not np.isnan(ratio):
            parts.append((" + ".join(waiting), ratio / reached))
            waiting, reached = [], ratio
    parts.append((PRICE, whole / reached))
    table = pd.DataFrame(parts, columns=["part", "ratio"])
    return table[~np.isclose(table["ratio"], 1, rtol=TOUCH)].reset_index(drop=True)


def _of(nearest: tuple[Case, int] | None, quantity: str) -> pd.DataFrame:
    if nearest is None or "baseline" not in nearest[0].curves:
        return pd.DataFrame(columns=["part", "ratio"])
    case, place = nearest
    return _shares(case, place, float(case.gain(quantity)[place]))


def _decoding(curve: Frontier, speed: float) -> str:
    run = curve.run_at(tok_per_s_per_user=speed)
    return "" if run is None else str(run.get("speculative", ""))


def _output(rows: pd.DataFrame, where: dict[str, str], speed: float) -> float:
    try:
        kept = rows_where(rows, {column: value for column, value in where.items() if value})
    except NoSuchRow:
        return np.nan
    return float(frontier(kept).at(tok_per_s_per_user=speed))  # pyright: ignore[reportArgumentType]
