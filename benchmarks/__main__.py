"""`make bench`: every benchmark in turn, ratios side by side in one run."""

import sys

from benchmarks import bench_doubt, bench_import, bench_reports, bench_startup

if __name__ == "__main__":
    sys.exit(max(main() for main in (bench_startup.main, bench_import.main, bench_doubt.main, bench_reports.main)))
