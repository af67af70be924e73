"""How many times cheaper, over all that the answer depends on: speed, lengths, precision, price lists, power figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tokcost import evidence, formulas
from tokcost.evidence import Fact
from tokcost.serving.compare import ratio_at
from tokcost.serving.pareto_frontier import SPEED, Frontier, frontier
from tokcost.serving.spline import MAX_FALL_RATIO


def ratio_curves(
    rows: pd.DataFrame, *, baseline: str, candidate: str, cases: list[tuple[int, int, str, str]], of: str, facts: dict[str, Fact],
    tok_per_s_per_user: float | Sequence[float] | None = None, n_speeds: int = 480, max_fall_ratio: float = MAX_FALL_RATIO,
) -> pd.DataFrame:  # fmt: skip
    """The ratio at equal interactivity, above 1 in favour of the candidate, one series a case.

    `rows` are measured rows of one model; `cases` are tuples (ISL, OSL, baseline precision, candidate precision); `of` is
    "cost", "throughput" or "per_mw", and `facts` maps both accelerators to the rates or power figures that it needs.
    Without speeds of your own: `n_speeds` of them over everything that either system reached and those of all runs on the curves,
    NaN where only one reached.
    In a hole of a curve its next faster run stands; `max_fall_ratio=math.inf` reads every hole, as published dashboards do.

    Columns: `isl`, `osl`, `series` (lengths and precisions in words), the speed, `ratio`, `is_hole` (the runs around it lie too
    far apart on one of the curves to be read between).
    Raises: QuantityError where a case was not measured, or where the two facts are of different bases or dates.

    >>> rows = evidence.measured(campaign="inferencex_dsr1_2026_04")
    >>> whose = {"price_basis": "owning_hyperscaler", "rate_vintage": "2026-03"}
    >>> rates = {name: evidence.rate(accelerator=name, **whose) for name in ("h200", "gb300")}
    >>> pair = {"baseline": "h200", "candidate": "gb300", "of": "cost", "facts": rates}
    >>> curve = ratio_curves(rows, cases=[(1024, 1024, "fp8", "fp4")], tok_per_s_per_user=[35, 100, 200], **pair)
    >>> curve["series"][0], curve["ratio"].round(1).tolist()
    ('1k/1k, FP4 against FP8', [8.3, 34.3, nan])
    """
    tables = []
    for isl, osl, baseline_precision, candidate_precision in cases:
        base = frontier(rows, accelerator=baseline, precision=baseline_precision, isl=isl, osl=osl)
        cand = frontier(rows, accelerator=candidate, precision=candidate_precision, isl=isl, osl=osl)
        asked = _all_speeds(base, cand, n_speeds) if tok_per_s_per_user is None else tok_per_s_per_user
        speeds = np.atleast_1d(np.asarray(asked, dtype=float))
        ratio = ratio_at(
            cand, base, tok_per_s_per_user=speeds, of=of, candidate_fact=facts[candidate], baseline_fact=facts[baseline],
            differing=("precision", "speculative", "campaign"), max_fall_ratio=max_fall_ratio,
        )  # fmt: skip
        ours, theirs = candidate_precision.upper(), baseline_precision.upper()
        pair = f"{ours} on both" if ours == theirs else f"{ours} against {theirs}"
        lengths = "/".join(f"{n // 1024}k" if n % 1024 == 0 else f"{n:,}" for n in (isl, osl))
        hole = np.fmax(base.fall_at(tok_per_s_per_user=speeds), cand.fall_at(tok_per_s_per_user=speeds)) > MAX_FALL_RATIO
        curve = {"isl": isl, "osl": osl, "series": f"{lengths}, {pair}", SPEED: speeds, "ratio": ratio, "is_hole": hole}
        tables.append(pd.DataFrame(curve))
    return pd.concat(tables, ignore_index=True)


def ratios_by_rate(*, baseline: str, candidate: str, throughput_ratio: float) -> pd.DataFrame:
    """What a throughput ratio makes of the cost under every price basis and vintage that the dataset has for both accelerators.

    Columns: `price_basis`, `rate_vintage`, both rates, `rate_ratio` (candidate / baseline), `ratio` (baseline cost / candidate cost).

    >>> table = ratios_by_rate(baseline="h200", candidate="gb300", throughput_ratio=64.09)
    >>> table.loc[table["rate_vintage"] == "2026-03", ["price_basis", "ratio"]].round(1).values.tolist()[0]
    ['owning_hyperscaler', 34.1]
    """
    table = _both("hourly_rates", ["price_basis", "rate_vintage"], "rate_usd_per_gpu_h", baseline, candidate)
    table["rate_ratio"] = table["candidate_rate_usd_per_gpu_h"] / table["baseline_rate_usd_per_gpu_h"]
    return table.assign(ratio=throughput_ratio / table["rate_ratio"])


def ratios_by_power(
    *, baseline: str, candidate: str, baseline_total_tok_per_s_per_gpu: float, candidate_total_tok_per_s_per_gpu: float
) -> pd.DataFrame:
    """Tokens/s per provisioned megawatt of two measured throughputs under every vintage of the power figures.

    Columns: `power_vintage`, both kW per GPU, both throughputs per MW, `ratio` (candidate / baseline).

    >>> throughput = {"baseline_total_tok_per_s_per_gpu": 93.153, "candidate_total_tok_per_s_per_gpu": 5970.26}
    >>> ratios_by_power(baseline="h200", candidate="gb300", **throughput).set_index("power_vintage")["ratio"].round(1).to_dict()
    {'2026-03': 52.8, '2026-07': 41.4}
    """
    table = _both("provisioned_power", ["power_vintage"], "provisioned_kw_per_gpu", baseline, candidate)
    for side, throughput in (("baseline", baseline_total_tok_per_s_per_gpu), ("candidate", candidate_total_tok_per_s_per_gpu)):
        table[f"{side}_total_tok_per_s_per_mw"] = formulas.total_tok_per_s_per_mw(
            total_tok_per_s_per_gpu=throughput, provisioned_kw_per_gpu=table[f"{side}_provisioned_kw_per_gpu"]
        )
    return table.assign(ratio=table["candidate_total_tok_per_s_per_mw"] / table["baseline_total_tok_per_s_per_mw"])


def _both(table: str, keys: list[str], quantity: str, baseline: str, candidate: str) -> pd.DataFrame:
    facts = evidence.load_table(table, accelerator=[baseline, candidate])
    wide = facts.pivot(index=keys, columns="accelerator", values="value")[[baseline, candidate]].dropna()
    return wide.set_axis([f"baseline_{quantity}", f"candidate_{quantity}"], axis=1).reset_index()


def _all_speeds(first: Frontier, second: Frontier, n: int) -> np.ndarray:
    """A grid over both curves and every run on them: a ratio is highest or lowest at a run, and changes most where a curve ends."""
    ends = [*first.reach, *second.reach]
    grid = np.geomspace(min(ends), max(ends), n).clip(min(ends), max(ends))
    return np.unique(np.concatenate([grid, first.front[SPEED], second.front[SPEED]]))
