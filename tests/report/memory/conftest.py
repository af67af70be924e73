"""Runs as a report would hand them to the history, without the minutes of making one."""

from datetime import UTC, datetime, timedelta

import pytest

from tokcost.report.memory.store import Entry, History, Result

MONDAY = datetime(2026, 11, 2, 5, 17, tzinfo=UTC)


def made(report="weekly", day=0, rate=2.0, speed=100.0, utilization=0.5, method="m1", data="d1", extra=1.0, **changes) -> Entry:
    """A run whose headline is the price of an hour over the tokens in it; `extra` is what these inputs do not say."""
    value = rate / (speed * utilization * 3600) * 1e6 * extra
    inputs = {"numerator": {"rate_usd_per_gpu_h": rate}, "denominator": {"total_tok_per_s_per_gpu": speed, "utilization_frac": utilization}}
    headline = Result("total_token_cost_usd_per_mtok", "Cost per million tokens", "usd_per_mtok", value, value * 0.9, value * 1.1, **inputs)
    parameters = {"rate_usd_per_gpu_h": rate, "tok_per_s_per_user": 70.0}
    fields = {
        "run_id": None, "report": report, "notebook": "weekly.ipynb", "started": (MONDAY + timedelta(days=day)).isoformat(),
        "seconds": 1.0, "question": "What does it cost?", "answer": "It costs.", "parameters": parameters, "checks": ["it adds up"],
        "measured_to": "2026-10-01", "package_sha256": method, "notebook_sha256": "n1", "libraries": {"numpy": "2.4"},
        "data_sha256": data, "results": (headline,), "tables": {"data/runs.csv": data},
    }  # fmt: skip
    return Entry(**fields | changes)


@pytest.fixture(scope="session")
def entry():
    return made


@pytest.fixture
def history(tmp_path):
    """A history in an empty folder; what it says is in `said`."""
    said = []
    past = History(tmp_path / "history.sqlite", said.append)
    past.said = said
    return past
