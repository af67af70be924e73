"""`make bench`: every benchmark in turn, ratios side by side in one run."""

import sys

from benchmarks import bench_doubt, bench_import, bench_interval, bench_replay, bench_reports, bench_startup

if __name__ == "__main__":
    sys.exit(max(one.main() for one in (bench_startup, bench_import, bench_doubt, bench_interval, bench_replay, bench_reports)))
