"""Import of a large log of single requests: time and memory beside pandas.read_json(lines=True).

    python benchmarks/bench_import.py [--requests 120000]

Each reading runs in a process of its own. Time is of the reading alone, the best of a few
runs; memory is the peak of the whole process.
Exit status 1 if the import is less than ten times faster.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "tests/samples/aiperf-0.13.0/c4/profile_export.jsonl"
ROUNDS = 5
PROMISED = 10.0

PANDAS = "import pandas\ndef read(path): return pandas.read_json(path, lines=True)"
TOKCOST = "from tokcost.importers import benchmarks\ndef read(path): return benchmarks([path], n_gpus=1)"
NOTHING = "def read(path): pass"
MEASURE = """
import json, resource, sys, time
begin = time.perf_counter()
read(sys.argv[1])
seconds = time.perf_counter() - begin
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def write_log(path: Path, requests: int) -> None:
    """Real records of a real run, repeated with times of their own."""
    records = [json.loads(line) for line in SAMPLE.read_bytes().splitlines()]
    with open(path, "w") as log:
        for number in range(requests):
            record = records[number % len(records)]
            record["metadata"]["benchmark_phase"] = "profiling"
            record["metadata"]["request_start_ns"] += 1_000_000
            record["metadata"]["request_end_ns"] += 1_000_000
            log.write(json.dumps(record, separators=(",", ":")) + "\n")


def measure(program: str, path: Path) -> tuple[float, float]:
    """Best seconds and highest peak (MiB) of a few runs."""
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", program + MEASURE, str(path)], capture_output=True, check=True, text=True).stdout)
        for _ in range(ROUNDS)
    ]
    return min(seconds for seconds, _ in runs), max(mib for _, mib in runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=30_000)
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        logs = {1: Path(folder, "profile_export.jsonl"), 4: Path(folder, "four_times.jsonl")}
        for times, log in logs.items():
            write_log(log, requests * times)
        packed = logs[1].with_suffix(".jsonl.gz")
        with open(logs[1], "rb") as plain, gzip.open(packed, "wb", compresslevel=1) as file:
            shutil.copyfileobj(plain, file)
        cases = [
            ("interpreter alone", NOTHING, logs[1]),
            ("pandas.read_json(lines=True)", PANDAS, logs[1]),
            ("tokcost import", TOKCOST, logs[1]),
            ("pandas, gzipped", PANDAS, packed),
            ("tokcost import, gzipped", TOKCOST, packed),
            ("tokcost import, four times the log", TOKCOST, logs[4]),
        ]
        print(f"{requests:,} requests, {logs[1].stat().st_size / 2**20:.1f} MiB ({packed.stat().st_size / 2**20:.1f} MiB gzipped)\n")
        print(f"{'':36}{'seconds':>9}{'MiB/s':>9}{'peak MiB':>10}")
        found = {}
        for name, program, log in cases:
            found[name] = seconds, mib = measure(program, log)
            size = (logs[1] if log == packed else log).stat().st_size / 2**20
            speed = f"{size / seconds:9.0f}" if program is not NOTHING else " " * 9
            print(f"{name:36}{seconds:9.3f}{speed}{mib:10.0f}", flush=True)
    faster = found["pandas.read_json(lines=True)"][0] / found["tokcost import"][0]
    print(f"\n{faster:.1f} times faster than pandas (promised: {PROMISED:g})")
    return 0 if faster >= PROMISED else 1


if __name__ == "__main__":
    sys.exit(main())
