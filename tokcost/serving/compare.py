"""Two systems at equal interactivity, and how far to trust the curve.

A ratio is a number only between equals: the same model, lengths, tokens, price basis, dates of the
rates. What may differ on request must be named (`differing=`), so that the reader sees it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tokcost import formulas
from tokcost.evidence import Fact
from tokcost.quantities import Numbers, QuantityError, nearest, require_alike, token_class
from tokcost.serving.pareto_frontier import (
    SPEED,
    Frontier,
    cost_at,
    metric_at,
    require_fact_of,
)
from tokcost.serving.reading import Reading, Readings, quotient
from tokcost.serving.spline import MAX_FALL_RATIO, steffen

#: labels that must be equal, or named in `differing`
ON_REQUEST = ("precision", "speculative", "campaign")
VINTAGES = ("rate_vintage", "power_vintage")


def ratio_at(
    candidate: Frontier,
    baseline: Frontier,
    *,
    tok_per_s_per_user: ArrayLike,
    of: str = "cost",
    candidate_fact: Fact | Numbers | None = None,
    baseline_fact: Fact | Numbers | None = None,
    price_basis: str | None = None,
    rate_vintage: str | None = None,
    power_vintage: str | None = None,
    differing: tuple[str, ...] = (),
    max_fall_ratio: float = MAX_FALL_RATIO,
) -> Readings:
    """How many times better the candidate is at equal interactivity; NaN where either was not reached.

    One speed gives a `Reading`: its bounds are the least and the most that the runs on either side of both curves allow.
    In a hole of a curve its next faster run stands (`Frontier.at`); `max_fall_ratio=math.inf` reads every hole, as published
    dashboards do.

    `of="throughput"`: candidate / baseline. `of="per_mw"`: the same per provisioned MW. `of="cost"`:
    baseline / candidate cost, so that above 1 always favours the candidate. For cost the facts are
    rates (USD per GPU-hour), per MW they are provisioned kW per GPU: labelled facts of the catalog, or
    plain numbers with `price_basis` and `rate_vintage` (for kW `power_vintage`) declared for both.

    Raises: QuantityError for unequal models, lengths, token classes or price bases, for unequal precision, speculative decoding,
    campaign or vintage unless `differing` names them, and for a fact that is missing or of another accelerator.

    >>> rows = tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024)
    >>> old, new = tc.frontier(rows, accelerator="h200", precision="fp8"), tc.frontier(rows, accelerator="gb300", precision="fp8")
    >>> ratio_at(new, old, tok_per_s_per_user=[35, 100, 200], of="throughput").round(1).tolist()
    [6.0, 19.2, nan]
    """
    _require_comparable(candidate, baseline, differing)
    where = {"tok_per_s_per_user": tok_per_s_per_user, "max_fall_ratio": max_fall_ratio}
    if of == "throughput":
        return _ratio(candidate.at(**where), baseline.at(**where))
    if of not in ("cost", "per_mw"):
        raise QuantityError(f"a ratio can be of cost, throughput or per_mw, got `{of}`{nearest(of, ['cost', 'throughput', 'per_mw'])}")
    what = "rate" if of == "cost" else "provisioned kW"
    for side, curve, fact in (("candidate", candidate, candidate_fact), ("baseline", baseline, baseline_fact)):
        if fact is None:
            raise QuantityError(f"a ratio of {of} needs `{side}_fact`: the {what} of {curve.accelerator}")
        require_fact_of(curve, fact, what)
    if of == "cost":
        declared = {"price_basis": price_basis, "rate_vintage": rate_vintage}
        _require_same_labels(candidate_fact, baseline_fact, declared, differing)
        return _ratio(cost_at(baseline, baseline_fact, **where), cost_at(candidate, candidate_fact, **where))
    _require_same_labels(candidate_fact, baseline_fact, {"power_vintage": power_vintage}, differing)
    return _ratio(per_mw_at(candidate, candidate_fact, **where), per_mw_at(baseline, baseline_fact, **where))


def per_mw_at(
    curve: Frontier, provisioned: Fact | Numbers, *, tok_per_s_per_user: ArrayLike, max_fall_ratio: float = MAX_FALL_RATIO
) -> Readings:
    """Tokens per second for each provisioned megawatt at an interactivity; NaN where not reached.

    `provisioned` is a labelled fact of the catalog or kW per GPU, utility side: no PUE on top.

    Raises: QuantityError for a curve of output or input tokens, and for the power of another accelerator.

    >>> h200 = tc.frontier(tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024), accelerator="h200", precision="fp8")
    >>> power = tc.provisioned_power(accelerator="h200", power_vintage="2026-03")
    >>> per_mw_at(h200, power, tok_per_s_per_user=[60, 900]).round(-3).tolist()
    [301000.0, nan]
    """
    if token_class(curve.throughput) != "total":
        raise QuantityError(f"tokens per MW count input and output; build the curve of total_tok_per_s_per_gpu, not {curve.throughput}")
    require_fact_of(curve, provisioned, "provisioned kW")
    where = {"tok_per_s_per_user": tok_per_s_per_user, "max_fall_ratio": max_fall_ratio}
    return metric_at(curve, formulas.total_tok_per_s_per_mw, **where, provisioned_kw_per_gpu=provisioned)


def base_speed(frontiers: Iterable[Frontier], *, between: tuple[float, float] = (30.0, 100.0)) -> float:
    """The speed at which systems are best compared by what was run: the next faster run of each is nearest, so little is read between.

    Of the measured speeds on the curves within `between` (tokens/s per user, speeds at which people read along) the one with the
    least distance, as a ratio, to the next run at least as fast of the curve that has it furthest; rounded down to a whole number.

    Raises: QuantityError where no speed in that range was reached by all.

    >>> import pandas as pd
    >>> from tokcost.serving.pareto_frontier import frontier
    >>> rows = pd.DataFrame({"model": "m", "accelerator": ["h200"] * 3 + ["b200"] * 3, "isl": 1024, "osl": 1024,
    ...     "tok_per_s_per_user": [20, 40, 71, 30, 70.4, 120], "total_tok_per_s_per_gpu": [900.0, 500.0, 300.0, 9000.0, 5000.0, 800.0]})
    >>> base_speed([frontier(rows, accelerator=name) for name in ("h200", "b200")])
    70.0
    """
    curves = [curve.front[SPEED].to_numpy(float) for curve in frontiers]
    measured = np.unique(np.concatenate(curves))
    slowest_end = min(curve.max() for curve in curves)
    asked = measured[(measured >= between[0]) & (measured <= min(between[1], slowest_end))]
    if not asked.size:
        raise QuantityError(f"no speed between {between[0]:g} and {between[1]:g} tokens/s per user was reached on all curves")
    furthest = np.max([curve[np.searchsorted(curve, asked)] / asked for curve in curves], axis=0)
    return float(np.floor(asked[furthest.argmin()]))


def leave_one_out(curve: Frontier) -> pd.DataFrame:
    """How well the curve gives back measured points that it was not shown, against splining the cost.

    Every point of the front but the two ends (beyond them nothing is claimed) is left out in turn.
    Both errors are of the cost, and the same at any rate: `|predicted / measured - 1|`.

    Columns: the speed, the throughput measured there, `fall_ratio` (how many times it falls between the points to either side,
    which bounds the first error), `next_ratio` and `read_ratio` (the throughput measured over that of the next faster point and
    over what was read), `derived_cost_error_frac` and `splined_cost_error_frac`.

    >>> gb300 = tc.frontier(tc.measured(campaign="inferencex_dsr1_2026_04", isl=1024), accelerator="gb300")
    >>> leave_one_out(gb300)[["derived_cost_error_frac", "splined_cost_error_frac"]].median().round(3).tolist()
    [0.074, 0.132]
    """
    front = curve.front
    speed, throughput = front[SPEED].to_numpy(float), front[curve.throughput].to_numpy(float)
    inner = range(1, len(speed) - 1)
    read, splined = [], []
    for i in inner:
        others = np.arange(len(speed)) != i
        read.append(throughput[i] / steffen(speed[others], throughput[others])(speed[i]))
        splined.append(abs(throughput[i] * steffen(speed[others], 1 / throughput[others])(speed[i]) - 1))
    read = np.array(read, dtype=float)
    return pd.DataFrame(
        {
            SPEED: speed[1:-1],
            curve.throughput: throughput[1:-1],
            "fall_ratio": throughput[:-2] / throughput[2:],
            "next_ratio": throughput[1:-1] / throughput[2:],
            "read_ratio": read,
            "derived_cost_error_frac": np.abs(read - 1),
            "splined_cost_error_frac": np.array(splined, dtype=float),
        }
    )


def _ratio(over: Readings, under: Readings) -> Readings:
    if isinstance(over, Reading) and isinstance(under, Reading):
        return quotient(over, under)
    ratio: Any = over / under
    return ratio.rename("ratio") if isinstance(ratio, pd.Series) else ratio


def _require_comparable(candidate: Frontier, baseline: Frontier, differing) -> None:
    known = (*ON_REQUEST, *VINTAGES)
    for name in differing:
        if name not in known:
            raise QuantityError(f"`{name}` cannot be allowed to differ{nearest(name, known)}")
    require_alike(candidate.throughput, baseline.throughput)
    for name in ("model", "isl", "osl", *ON_REQUEST):
        ours, theirs = getattr(candidate, name), getattr(baseline, name)
        if ours != theirs and name not in differing:
            hint = f"; if that is meant, say differing=({name!r},)" if name in ON_REQUEST else "; compare like with like"
            sides = f"{ours or 'not stated'} for {candidate.label} and {theirs or 'not stated'} for {baseline.label}"
            raise QuantityError(f"{name} is {sides}{hint}")


def _require_same_labels(candidate_fact, baseline_fact, declared: dict[str, str | None], differing) -> None:
    for name, stated in declared.items():
        own = [getattr(fact, name, None) for fact in (candidate_fact, baseline_fact)]
        if stated and any(label and label != stated for label in own):
            raise QuantityError(
                f"{name} is declared as {stated}, the facts say {' and '.join(filter(None, own))}; declare it for plain numbers only"
            )
        ours, theirs = (label or stated for label in own)
        if not ours or not theirs:
            raise QuantityError(f"{name} of a plain number is not known; give a fact of the catalog, or declare {name}=...")
        if ours != theirs and name not in differing:
            hint = f"; if that is meant, say differing=({name!r},)" if name in VINTAGES else "; take both on one basis"
            raise QuantityError(f"{name} is {ours} for the candidate and {theirs} for the baseline{hint}")
