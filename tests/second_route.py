"""Figures of the notebooks by a second route: pandas and numpy on data/*.csv, and nothing of the package on that side."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
MIME = "application/vnd.tokcost.v1+json"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / f"{name}.csv", dtype={"rate_vintage": str, "date": str})


def outputs(number: str) -> list[dict]:
    (path,) = (ROOT / "notebooks").glob(f"{number}-*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]


def results(number: str) -> dict[str, dict]:
    return {data[MIME]["name"]: data[MIME] for data in outputs(number) if data.get(MIME, {}).get("kind") == "result"}


def answer(number: str) -> str:
    said = next(data[MIME] for data in outputs(number) if data.get(MIME, {}).get("kind") == "answer")
    return " ".join(said[part] or "" for part in ("text", "decision", "detail", "interval")).replace("\\", "")


BASE = table("base_case").set_index("name")["value"]
SPEED = float(BASE["tok_per_s_per_user"])
RUNS = table("inference").query("model == 'dsr1' and osl == 1024")


def hour(accelerator: str, vintage: str = BASE["rate_vintage"], basis: str = BASE["price_basis"]) -> float:
    rows = table("hourly_rates").query("accelerator == @accelerator and rate_vintage == @vintage and price_basis == @basis")
    return float(rows["value"].iloc[0])


def runs(accelerator: str, isl: int = 1024, **where: str) -> pd.DataFrame:
    rows = RUNS[(RUNS["accelerator"] == accelerator) & (RUNS["isl"] == isl)]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows


def without_warning(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows["note"].fillna("").str.contains("accuracy warning")]


def fast_run(rows: pd.DataFrame, speed: float) -> float:
    """Throughput of the cheapest run at least so fast."""
    return float(rows.loc[rows["tok_per_s_per_user"] >= speed, "total_tok_per_s_per_gpu"].max())


def usd_per_mtok(usd_per_h: float, tok_per_s: float) -> float:
    return usd_per_h / (tok_per_s * 3600) * 1e6


def front(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Speeds and throughputs of the runs that no other run beats, by rising speed."""
    best = rows.sort_values(["tok_per_s_per_user", "total_tok_per_s_per_gpu"], ascending=False)
    best = best[best["total_tok_per_s_per_gpu"] > best["total_tok_per_s_per_gpu"].cummax().shift(fill_value=0.0)]
    best = best.drop_duplicates("tok_per_s_per_user")[::-1]
    return best["tok_per_s_per_user"].to_numpy(), best["total_tok_per_s_per_gpu"].to_numpy()


def read(rows: pd.DataFrame, speed: float) -> float:
    """Steffen's monotone cubic through the front (Astronomy & Astrophysics 239, 443); the next run where it falls fivefold.

    At an end the slope is that of the parabola which meets the neighbour's.
    """
    x, y = front(rows)
    i = int(np.searchsorted(x, speed, side="right")) - 1
    if x[i] == speed:
        return float(y[i])
    if y[i] / y[i + 1] > 5:
        return float(y[i + 1])
    secant = np.diff(y) / np.diff(x)

    def slope(k: int) -> float:
        if k in (0, len(x) - 1):
            return float((3 * secant[min(k, len(secant) - 1)] - slope(1 if k == 0 else k - 1)) / 2)
        before, after = secant[k - 1], secant[k]
        h, g = x[k] - x[k - 1], x[k + 1] - x[k]
        return float((np.sign(before) + np.sign(after)) * min(abs(before), abs(after), abs(before * g + after * h) / (h + g) / 2))

    width, t = x[i + 1] - x[i], (speed - x[i]) / (x[i + 1] - x[i])
    value = (1 + 2 * t) * (1 - t) ** 2 * y[i] + t * (1 - t) ** 2 * width * slope(i)
    return float(value + t**2 * (3 - 2 * t) * y[i + 1] + t**2 * (t - 1) * width * slope(i + 1))


def between(rows: pd.DataFrame, speed: float) -> tuple[float, float]:
    """Throughput of the runs of the front on either side: the faster, which is the least, and the slower, which is the most."""
    x, y = front(rows)
    return float(y[np.searchsorted(x, speed, side="left")]), float(y[np.searchsorted(x, speed, side="right") - 1])


H200, GB300 = runs("h200", precision="fp8"), runs("gb300", precision="fp4")
#: the two runs behind the published table, and the speed at which they ran
CLAIM = RUNS[RUNS["campaign"] == "inferencex_dsr1_2026_04"]
CLAIM_H200 = CLAIM.query("accelerator == 'h200' and isl == 1024 and tok_per_s_per_user > 116.71 and tok_per_s_per_user < 116.73")
CLAIM_GB300 = CLAIM.query("accelerator == 'gb300' and isl == 1024 and precision == 'fp4' and 116.8 < tok_per_s_per_user < 116.9")
CLAIM_RATIO = float(CLAIM_GB300["total_tok_per_s_per_gpu"].iloc[0] / CLAIM_H200["total_tok_per_s_per_gpu"].iloc[0])
EDGE = float(CLAIM_H200["tok_per_s_per_user"].iloc[0])
OPERATOR = table("operators").query("operator == 'hyperscaler'").set_index("quantity")["value"].astype(float)


def system(accelerator: str) -> pd.Series:
    return table("systems").query("accelerator == @accelerator").set_index("quantity")["value"].astype(float)


def kwh_per_h(accelerator: str) -> float:
    """What the facility draws for one accelerator, averaged over busy and idle hours."""
    busy, used = float(BASE["average_load_frac"]), float(BASE["utilization_frac"])
    load = busy * used + OPERATOR["idle_load_frac"] * (1 - used)
    return float(system(accelerator)["critical_kw_per_gpu"] * load * float(BASE["pue"]))


def own_hour(accelerator: str) -> float:
    """Level monthly payments that return the capital with its tax, and a year's running cost, over the available hours; no sale."""
    o, here = OPERATOR, system(accelerator)
    wacc, tax, life = o["wacc_frac"], o["tax_frac"], int(float(BASE["economic_life_yr"]))
    macrs = [0.20, 0.32, 0.192, 0.1152, 0.1152, 0.0576]
    straight = [1 / o["facility_life_yr"]] * int(o["facility_life_yr"])

    def paid_per_yr(capital: float, years: int, schedule: list[float]) -> float:
        relief = tax * sum(share * (1 + wacc) ** -min(year, years) for year, share in enumerate(schedule, start=1))
        waited = (1 + wacc) ** o["install_delay_yr"] - 1
        months = (1 + wacc) ** (-np.arange(1, 12 * years + 1) / 12)
        return capital * (1 - relief + waited) / (1 - tax) / months.sum() * 12

    it = here["system_price_usd"] / here["n_gpus"] * (1 + o["networking_frac"] + o["storage_frac"] + o["cpu_nodes_frac"])
    building = here["critical_kw_per_gpu"] * o["construction_usd_per_kw"]
    running = kwh_per_h(accelerator) * 8760 * float(BASE["electricity_usd_per_kwh"]) + it * o["maintenance_frac"]
    running += o["staff_cost_usd_per_gpu_yr"] + (it + building) * (o["insurance_frac"] + o["property_tax_frac"])
    capital = paid_per_yr(it, life, macrs) + paid_per_yr(building, len(straight), straight)
    return float((capital + running) / (8760 * o["availability_frac"]))


OWN = {name: own_hour(name) for name in ("h200", "gb300")}


def ratio(old: pd.DataFrame, new: pd.DataFrame, speed: float, hours: tuple[float, float], how) -> float:
    return usd_per_mtok(hours[0], how(old, speed)) / usd_per_mtok(hours[1], how(new, speed))


NOW, THEN = (hour("h200"), hour("gb300")), (hour("h200", "2026-03"), hour("gb300", "2026-03"))
OURS = (OWN["h200"], OWN["gb300"])
PLAIN = runs("h200", precision="fp8", speculative="none", deployment="aggregated")
PAST = float(min(speed for speed in front(H200)[0] if speed > EDGE))


#: draws of the second route: an error of about 0.2 % in a quantile
N_DRAWS = 200_000
_DICE = np.random.default_rng(1)


def drawn(quantiles) -> np.ndarray:
    """Draws, each share once, in random order."""
    return quantiles(_DICE.permutation((np.arange(N_DRAWS) + 0.5) / N_DRAWS))


def multiples(doubt: str, group: str) -> np.ndarray:
    """What the truth was, times the figure: straight lines between the observed quantiles; a value seen often lies amid its levels."""
    rows = table("observed_spreads").query("doubt == @doubt and group == @group").groupby("truth_ratio")["quantile_frac"]
    levels = rows.agg(lambda levels: (levels.min() + levels.max()) / 2).sort_index()
    levels.iloc[[0, -1]] = 0.0, 1.0
    return drawn(lambda shares: np.interp(shares, levels, levels.index))


def pert(low: float, value: float, high: float) -> np.ndarray:
    """A beta whose mean weighs the value four times."""
    span = high - low
    return low + span * _DICE.beta(1 + 4 * (value - low) / span, 1 + 4 * (high - value) / span, N_DRAWS)


def throughputs(rows: pd.DataFrame, speed: float) -> np.ndarray:
    """What a system may deliver at a speed: read between its runs, never outside of the two, and run again."""
    x, y = front(rows)
    faster, slower = int(np.searchsorted(x, speed)), int(np.searchsorted(x, speed, side="right")) - 1
    run = rows[rows["tok_per_s_per_user"] == x[faster]].sort_values("total_tok_per_s_per_gpu").iloc[-1]
    how = "aggregated" if run["deployment"] == "aggregated" else "disaggregated, GPUs stated"
    again = multiples("repeat runs", how if how == "aggregated" or run["n_gpus"] > 0 else "disaggregated, GPUs not stated")
    if faster == slower or slower < 0:
        return y[faster] * again
    fall = y[slower] / y[faster]
    basis = "between two runs" if fall <= 5 else "next faster run"
    group = next((f"{low} to {high}" for low, high in ((1, 2), (2, 3), (3, 5), (5, 10)) if fall <= high), "10 and more")
    return (read(rows, speed) * multiples(basis, group)).clip(y[faster], y[slower]) * again


def hours(accelerator: str, vintage: str = BASE["rate_vintage"], revised: np.ndarray | float = 1.0) -> np.ndarray:
    """An hour of the list that may be revised: all prices together by `revised`, and each a little by itself."""
    return hour(accelerator, vintage) * revised * multiples("price list, one accelerator", BASE["price_basis"])


def nine_of_ten(value: float, draws: np.ndarray) -> tuple[float, float]:
    """The 5 and the 95 % quantile, or the value where it lies beyond."""
    low, high = np.quantile(draws, [0.05, 0.95])
    return min(low, value), max(high, value)
