"""The interval in a report: the seconds that it adds to each notebook of the suite.

    python -m benchmarks.bench_interval [NOTEBOOK ...]

Each notebook runs in a copy of a process that has read ahead what a report's own process finds read, a few times; what counts is
the least processor time in `tokcost.doubt` that its interval takes: a headline, a cost or a ratio at a speed, hours of its own. What
notebook 10 teaches besides (draws, drivers, what it is worth to know) is in the second column and not promised here.
Exit status 1 if an interval takes 0.3 s or more.
"""

import functools
import gc
import inspect
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import without_isolation
from tokcost import doubt

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
ROUNDS = 3
PROMISED_S = 0.3
#: what a lesson does with doubt; every other function is there for an interval
LESSON = ("chance", "draw", "interval", "quantile_dots", "quantile_interval", "ratio", "scenarios", "shapley_effects", "sobol_indices",
          "throughput_interval", "tornado", "value_of_knowing")  # fmt: skip


class Clock:
    """Processor time in functions, those that they call themselves not counted again: seconds of an interval, and of a lesson."""

    def __init__(self):
        self.seconds = {False: 0.0, True: 0.0}
        self.is_running = False

    def timed(self, name: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def timed(*args, **kwargs):
            if self.is_running:
                return function(*args, **kwargs)
            self.is_running, begin = True, time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[name in LESSON] += time.process_time() - begin
                self.is_running = False

        return timed

    def wind(self) -> None:
        """Time every public function of the room wherever a module has it, and the hours of one's own."""
        functions = {getattr(doubt, name): name for name in dir(doubt) if inspect.isfunction(getattr(doubt, name))}
        timed = {function: self.timed(name, function) for function, name in functions.items()}
        for module in [one for name, one in sys.modules.items() if name.startswith("tokcost")]:
            for name, found in list(vars(module).items()):
                if inspect.isfunction(found) and found in timed:
                    setattr(module, name, timed[found])
        for name in ("headline", "__call__", "__getitem__"):
            setattr(doubt.OwnedHours, name, self.timed(name, getattr(doubt.OwnedHours, name)))
        inputs: Any = vars(doubt.OwnedHours)["inputs"]
        inputs.func = self.timed("inputs", inputs.func)


def seconds_of(path: Path) -> tuple[float, float, float]:
    """Processor seconds of a notebook for its interval, for lessons on doubt, and in all, in a process of its own."""
    read, write = os.pipe()
    if pid := os.fork():
        os.close(write)
        with os.fdopen(read) as said:
            found = said.read()
        os.waitpid(pid, 0)
        if not found:
            raise SystemExit(f"{path.name} fails; run it to see why")
        return tuple(json.loads(found))
    try:
        os.write(write, json.dumps(_run(path)).encode())
    finally:
        os._exit(0)


def _run(path: Path) -> tuple[float, float, float]:
    from IPython.core.interactiveshell import InteractiveShell

    clock = Clock()
    clock.wind()
    os.environ["TOKCOST_REPORT"] = "1"
    os.chdir(path.parent)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 # of this process alone
    shell, begin = InteractiveShell.instance(), time.process_time()
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            shell.run_cell("".join(cell["source"]), store_history=True).raise_error()
    return clock.seconds[False], clock.seconds[True], time.process_time() - begin


def main(paths: list[Path] | None = None) -> int:
    without_isolation.import_everything()  # as the process that those of reports are copied from
    gc.collect()
    gc.freeze()
    print(f"\n{'':42}{'interval, s':>12}{'lessons, s':>12}{'all cells, s':>14}   load {os.getloadavg()[0]:.1f}")
    worst = 0.0
    for path in paths or NOTEBOOKS:
        interval, lesson, whole = min(seconds_of(path) for _ in range(ROUNDS))
        print(f"{path.stem:42}{interval:12.3f}{lesson:12.3f}{whole:14.2f}", flush=True)
        worst = max(worst, interval)
    print(f"{worst:8.3g} s that an interval adds at most (promised: {PROMISED_S:g})")
    return 0 if worst < PROMISED_S else 1


if __name__ == "__main__":
    sys.exit(main([Path(one).resolve() for one in sys.argv[1:]]))
