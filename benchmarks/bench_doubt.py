"""Intervals: time for the same error beside plain NumPy, pandas rows, monaco and chaospy; memory; indices; a headline.

    python benchmarks/bench_doubt.py [--peers FOLDER]

The model is the cost of a million delivered tokens of three owned systems at once, every part of the hour in doubt. The error is
that of the 5 and 95 % quantiles, as a share, over independent seeds, against a long run. Random draws lose error with
the root of their number, so the time in which a peer would reach the error of this package follows from its own time and error.
Peers are read from FOLDER where they are not installed (`make bench` puts them there). Exit status 1 if a promise is not kept.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tokcost as tc
from tokcost import doubt

SYSTEMS = {"h200": 250.0, "b200": 1200.0, "gb300": 5600.0}  # tokens per second and GPU
PROMISED = {"times less time than NumPy": 100.0, "MiB for 10 million draws": 500.0, "s for 20 indices": 2.0, "s for a headline": 0.3}
LEVELS = (0.05, 0.95)
#: five scrambles of 2^21 draws are the least that is ten million
N_SCRAMBLES = 5
TEN_MILLION = N_SCRAMBLES * 2**21

NODES = {name: tc.reference_deployment(name, "hyperscaler") for name in SYSTEMS}
_OF_SYSTEM = set(tc.load_table("systems")["quantity"])


def inputs() -> dict:
    """What the operator pays is one input for all systems; what a system costs and draws is its own."""
    found = {}
    for name in SYSTEMS:
        for quantity, value in doubt.from_rows(tc.hour.reference_inputs(name, "hyperscaler")).items():
            found[f"{name}_{quantity}" if quantity in _OF_SYSTEM else quantity] = value
    return found


def costs(**given) -> dict[str, np.ndarray]:
    """USD per million delivered tokens of each system."""
    shared = {name: value for name, value in given.items() if name not in _OF_SYSTEM and name.split("_")[0] not in SYSTEMS}
    found = {}
    for name, speed in SYSTEMS.items():
        own = {key.removeprefix(f"{name}_"): value for key, value in given.items() if key.startswith(f"{name}_")}
        hour = sum(NODES[name].without_ranges(**shared, **own).components().values())
        found[name] = hour / (speed * given["utilization_frac"] * 3600) * 1e6
    return found


def _ends(results: dict[str, np.ndarray]) -> np.ndarray:
    return np.array([np.quantile(one, LEVELS, overwrite_input=True) for one in results.values()])


def smoothed(n: int, seed: int) -> np.ndarray:
    return doubt.interval(costs, inputs(), n_draws=n, seed=seed)[["low", "high"]].to_numpy()


def counted(n: int, seed: int) -> np.ndarray:
    return _ends(doubt.draw(costs, inputs(), n_draws=n, n_replicates=N_SCRAMBLES, seed=seed).values)


def plain_numpy(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return _ends(costs(**{name: _random(one, n, rng) for name, one in inputs().items()}))


def _random(one, n: int, rng: np.random.Generator):
    """Draws by NumPy's own generator, the fastest there is."""
    if doubt.distributions.is_known(one):
        return one
    if one.dist.name == "beta":
        a, b = one.args
        return one.kwds["loc"] + one.kwds["scale"] * rng.beta(a, b, n)
    return one.kwds["scale"] * rng.lognormal(0, one.args[0], n)


def pandas_rows(n: int, seed: int) -> np.ndarray:
    import pandas as pd

    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({name: _random(one, n, rng) for name, one in inputs().items()})
    return _ends(dict(rows.apply(lambda row: pd.Series(costs(**row)), axis=1).items()))


def monaco(n: int, seed: int) -> np.ndarray:
    import monaco as mc  # pyright: ignore[reportMissingImports]

    uncertain, known = _told_apart()

    def postprocess(case, *found):
        for name, cost in zip(SYSTEMS, found, strict=True):
            case.addOutVal(name=name, val=float(cost))

    functions = {
        "preprocess": lambda case: tuple(float(case.invals[name].val) for name in uncertain),
        "run": lambda *values: tuple(costs(**known, **dict(zip(uncertain, values, strict=True))).values()),
        "postprocess": postprocess,
    }
    sim = mc.Sim(name="cost", ndraws=n, fcns=functions, seed=seed + 1, verbose=False)
    for name, one in uncertain.items():
        sim.addInVar(name=name, dist=one.dist, distkwargs=_named(one))
    sim.runSim()
    return _ends({name: np.array(sim.outvars[name].nums, dtype=float) for name in SYSTEMS})


def _told_apart() -> tuple[dict, dict]:
    """The uncertain inputs and the known ones."""
    known = {name: one for name, one in inputs().items() if doubt.distributions.is_known(one)}
    return {name: one for name, one in inputs().items() if name not in known}, known


def _named(one) -> dict:
    return dict(one.kwds) | ({"a": one.args[0], "b": one.args[1]} if one.dist.name == "beta" else {"s": one.args[0]})


def chaospy(n: int, seed: int) -> np.ndarray:
    import chaospy as cp  # pyright: ignore[reportMissingImports]

    uncertain, known = _told_apart()
    drawn = cp.J(*[_chaospy(cp, one) for one in uncertain.values()]).sample(n, rule="sobol", seed=seed + 1)
    return _ends(costs(**known, **dict(zip(uncertain, drawn, strict=True))))


def _chaospy(cp, one):
    loc, scale = one.kwds.get("loc", 0.0), one.kwds["scale"]
    if one.dist.name == "beta":
        return cp.Beta(*one.args, lower=loc, upper=loc + scale)
    return cp.LogNormal(mu=np.log(scale), sigma=one.args[0])


def measured(method: Callable[[int, int], np.ndarray], n: int, exact: np.ndarray, seeds: int) -> tuple[float, float]:
    """Best seconds of a run, and the root mean square of its errors as a share."""
    seconds, errors = [], []
    for seed in range(seeds):
        begin = time.perf_counter()
        found = method(n, seed)
        seconds.append(time.perf_counter() - begin)
        errors.append(found / exact - 1)
    return min(seconds), float(np.sqrt(np.mean(np.square(errors))))


MEMORY = """
import json, resource, sys, time
sys.path[:0] = sys.argv[2:]
from benchmarks import bench_doubt as bench
begin = time.perf_counter()
getattr(bench, sys.argv[1])(bench.TEN_MILLION, 0)
print(json.dumps([time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def memory(method: str) -> tuple[float, float]:
    """Seconds and peak MiB of ten million draws, in a process of its own."""
    command = [sys.executable, "-c", MEMORY, method, str(Path(__file__).parents[1])]
    return tuple(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))


def indices() -> tuple[float, float]:
    """Seconds and largest error of the indices of Sobol's g-function of 20 inputs."""
    a = np.array([0, 1, 4.5, 9, *[99] * 16])
    given = {f"x{k}": doubt.uniform(0, 1) for k in range(20)}

    def g(**x):
        return np.prod([(np.abs(4 * x[name] - 2) + one) / (1 + one) for name, one in zip(given, a, strict=True)], axis=0)

    begin = time.perf_counter()
    found = doubt.sobol_indices(g, given).set_index("input_name").loc[list(given)]
    seconds = time.perf_counter() - begin
    alone = 1 / (3 * (1 + a) ** 2)
    variance = np.prod(1 + alone) - 1
    total = alone * np.prod(1 + alone) / (1 + alone) / variance
    return seconds, max(np.abs(found["first_frac"] - alone / variance).max(), np.abs(found["total_frac"] - total).max())


def headline() -> float:
    """Seconds that the interval of a ratio adds to a report, the best of a few."""
    rows = tc.serving.pool(model="dsr1", isl=1024, osl=1024).rows
    at: dict[str, Any] = {name: tc.frontier(rows, accelerator=name).at(tok_per_s_per_user=70) for name in ("h200", "gb300")}
    rates = {f"{name}_rate": tc.rate(accelerator=name, price_basis="owning_hyperscaler", rate_vintage="2026-09") for name in at}
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        doubt.headline(lambda **of: of["h200_rate"] / of["h200"] / (of["gb300_rate"] / of["gb300"]), readings=at, prices=rates)
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=".venv/bench")
    sys.path.append(str(Path(parser.parse_args().peers).resolve()))
    warnings.simplefilter("ignore")
    exact = smoothed(2**14, 999)
    n_uncertain = len(_told_apart()[0])
    print(f"three systems at once, {n_uncertain} uncertain inputs; error of the 5 and 95 % quantiles, as a share\n")
    cases = [("tokcost", smoothed, 2**11, 8), ("tokcost, counted", counted, N_SCRAMBLES * 2**13, 8), ("plain NumPy", plain_numpy, 2**17, 8),
             ("chaospy", chaospy, 2**15, 2), ("monaco", monaco, 2**9, 2), ("pandas rows", pandas_rows, 2**10, 2)]  # fmt: skip
    found = {}
    print(f"{'':18}{'draws':>10}{'seconds':>10}{'error':>10}{'seconds for the error of tokcost':>34}")
    for name, method, n, seeds in cases:
        try:
            seconds, error = measured(method, n, exact, seeds)
        except ImportError:
            print(f"{name:18} is not installed")
            continue
        found[name] = seconds, error
        same = seconds * (error / found["tokcost"][1]) ** 2
        print(f"{name:18}{n:10,}{seconds:10.3f}{error:10.5f}{same:34.2f}", flush=True)
    numpy_s, numpy_error = found["plain NumPy"]
    kept = {"times less time than NumPy": numpy_s * (numpy_error / found["tokcost"][1]) ** 2 / found["tokcost"][0]}
    print(f"\n{'10 million draws':24}{'seconds':>9}{'peak MiB':>10}")
    for name, method in (("tokcost, counted", "counted"), ("plain NumPy", "plain_numpy")):
        seconds, mib = memory(method)
        print(f"{name:24}{seconds:9.1f}{mib:10.0f}", flush=True)
        kept.setdefault("MiB for 10 million draws", mib)
    kept["s for 20 indices"], error = indices()
    kept["s for a headline"] = headline()
    print(f"\nlargest error of 20 Sobol indices: {error:.3f}")
    for what, value in kept.items():
        print(f"{value:8.3g} {what} (promised: {PROMISED[what]:g})")
    more = "times less time than NumPy"
    return 0 if all(value >= PROMISED[what] if what == more else value < PROMISED[what] for what, value in kept.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
