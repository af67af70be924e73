"""The index over time: headline, change, sparkline with words, alerts that are on, also beside a report that failed."""

import re

import pytest

from tokcost.report.memory.store import AlertState
from tokcost.report.page.trend import trend

ON = AlertState("cost_ratio > 1", True, False, "is 2.0×")


def test_a_first_run_has_a_headline_and_no_line(entry):
    assert trend([entry()]) == '<div class="trend"><div>Cost per million tokens: <b>$11.11</b></div></div>'


def test_change_and_sparkline_are_of_runs_that_were_asked_the_same(entry):
    other = entry(day=1, parameters={"tok_per_s_per_user": 35.0}, rate=9.0)
    html = trend([entry(day=0), other, entry(day=2, rate=1.8), entry(day=3, rate=2.2)])
    assert "<span>+$2.22 since 4 November 2026</span>" in html
    assert 'aria-label="3 runs, from $11.11 to $12.22, between $10.00 and $12.22"' in html
    points = [float(y) for y in re.findall(r"[\d.]+,([\d.]+)", re.search(r'points="([^"]+)"', html)[1])]
    assert points[1] > points[0] > points[2], "a line rises where the value does"


def test_a_headline_that_does_not_move_is_level(entry):
    html = trend([entry(day=day) for day in range(3)])
    assert "unchanged since 3 November 2026" in html and len(set(re.findall(r"[\d.]+,([\d.]+)", html.split("points=")[1]))) == 1


def test_an_alert_that_is_on_says_since_when(entry):
    off, fired = AlertState(ON.alert, False, False, ""), AlertState(ON.alert, True, True, "is 3.0×")
    html = trend([entry(day=0, alerts=(off,)), entry(day=1, alerts=(fired,)), entry(day=2, alerts=(ON,))])
    assert "<strong>Alert</strong>, since 3 November 2026: <code>cost_ratio &gt; 1</code>, is 2.0×." in html
    assert "new in this run" in trend([entry(day=1, alerts=(fired,))]) and "Alert" not in trend([entry(alerts=(off,))])


@pytest.fixture(scope="module")
def index(tmp_path_factory, tokcost, notebook):
    """Two reports, twice; the second time one of them fails."""
    folder = tmp_path_factory.mktemp("index")
    source = "import tokcost as tc\n1 / fragile\ntc.result('total_token_cost_usd_per_mtok', rate_usd_per_gpu_h / 0.36)"
    parameters = "rate_usd_per_gpu_h = 1.8  # price of an hour, 0.1 to 30\nfragile = 1.0  # a number, 0 to 1"
    for name in ("good", "fragile"):
        notebook(folder / f"{name}.ipynb", ("markdown", "# Q?"), ("code", parameters, "parameters"), ("code", source))
        (folder / f"{name}.toml").write_text(f'notebook = "{name}.ipynb"\nalerts = ["total_token_cost_usd_per_mtok > 9"]\n')
    assert tokcost("report", "good.toml", "fragile.toml", "-o", "out", cwd=folder).status == 0
    price = ("-p", "rate_usd_per_gpu_h=3.6")
    assert tokcost("report", "fragile.toml", "-p", "fragile=0", "-o", "out", *price, cwd=folder).status == 1
    assert tokcost("report", "good.toml", "-o", "out", *price, cwd=folder).status == 3
    return (folder / "out" / "index.html").read_text()


def test_each_report_has_its_trend_its_alert_and_the_status_of_its_last_run(index):
    fragile, good = index.split("<li")[1:]
    assert "Failed" in fragile and "<b>$5.00</b>" in fragile and "spark" not in fragile
    assert "<b>$10.00</b>" in good and "Alert</strong>, new in this run" in good
