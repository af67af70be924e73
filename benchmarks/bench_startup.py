"""Start-up: `import tokcost`, with a first formula and a first table, beside `import pandas` alone.

    python benchmarks/bench_startup.py

Each line is a process of its own, the best of a few runs. Exit status 1 if the package adds 0.3 s or more to pandas.
"""

import subprocess
import sys
import time

ROUNDS = 7
PROMISED_S = 0.3

CASES = {
    "interpreter alone": "pass",
    "import tokcost": "import tokcost",
    "import pandas": "import pandas",
    "import pandas, tokcost": "import pandas, tokcost",
    "first formula": "import pandas, tokcost as tc; tc.total_token_cost_usd_per_mtok",
    "first table": "import pandas, tokcost as tc; tc.load_table('hourly_rates')",
    "first figure": "import pandas, tokcost as tc; tc.plot_curves",
}


def seconds(program: str) -> float:
    """The best of a few runs."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> int:
    found = {name: seconds(program) for name, program in CASES.items()}
    print(f"{'':36}{'seconds':>9}")
    for name, best in found.items():
        print(f"{name:36}{best:9.3f}")
    added = found["import pandas, tokcost"] - found["import pandas"]
    print(f"\ntokcost adds {added:.3f} s to pandas (promised: less than {PROMISED_S:g})")
    return 0 if added < PROMISED_S else 1


if __name__ == "__main__":
    sys.exit(main())
