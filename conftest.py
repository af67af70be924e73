"""For all tests: property tests without a stopwatch; and which committed notebook outputs moved, with the command that renews them."""

import os
import re

import hypothesis

# Time belongs to benchmarks. In CI the same examples every time: a red build must be red again.
hypothesis.settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("suite")


def pytest_terminal_summary(terminalreporter):
    moved: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("failed"):
        found = re.match(r"(.+\.ipynb)::Cell (\d+)", report.nodeid)
        if found:
            moved.setdefault(found.group(1), []).append(found.group(2))
    if moved:
        terminalreporter.section("committed notebook outputs that moved")
        for notebook, cells in sorted(moved.items()):
            terminalreporter.line(f"{notebook}: code cells {', '.join(cells)} (counted from 0)")
        terminalreporter.line("If the change is meant: make notebooks, read the diff, and name what moved under Numbers in CHANGELOG.md.")
