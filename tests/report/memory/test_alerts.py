"""An alert fires once per flip: over a week of runs, and as a command whose exit status says so."""

import dataclasses
import threading

import pytest

from tokcost.report.memory.journal import Journal
from tokcost.report.request.alerts import parse_alert

COST = "total_token_cost_usd_per_mtok"


@pytest.fixture
def week(history, entry):
    """Run a week of values past alerts; returns, for each day, the alerts that fired."""

    def run(alerts, days, change=lambda entry, day: entry):
        fired = []
        for day, value in enumerate(days):
            headline = dataclasses.replace(entry().results[0], value=value, low=value and value - 1, high=value and value + 1)
            today = change(entry(day=day, results=(headline,)), day)
            states = Journal(history.path, history.said.append).record(today, [parse_alert(alert) for alert in alerts])
            assert not history.said and not any(state.is_fault for state in states)
            fired.append([state.alert for state in states if state.fired])
        return fired

    return run


@pytest.mark.parametrize(
    ("alert", "days", "fires_on"),
    [
        (f"{COST} > 5", [4, 6, 7, 6, 4, 4, 6], [1, 6]),
        (f"{COST} < 5", [4, 6, 4], [0, 2]),
        (f"high of {COST} >= 7", [5, 6, 6, 5, 6], [1, 4]),
        (f"{COST} > 5", [6, None, 6, 4, None, 6], [0, 5]),
        (f"{COST} changes by 10%", [10, 10.5, 12, 12, 9], [2, 4]),
        (f"{COST} changes by 1", [10, 10.9, 12, 12], [2]),
        (f"{COST} crosses 5", [4, 6, 6, 4, 4, 6], [1, 3, 5]),
        ("data older than 35 days", [1, 1, 1, 1, 1, 1, 1], [4]),
    ],
)
def test_each_alert_fires_once_per_flip(week, alert, days, fires_on):
    fired = week([alert], days)
    assert [day for day, alerts in enumerate(fired) if alerts] == fires_on


def test_a_winner_that_changes_is_told_when_it_does(week):
    def named(run, day):
        label = f"Cheapest: {'GB300' if day in (2, 3) else 'H200'}"
        return dataclasses.replace(run, results=(dataclasses.replace(run.results[0], label=label),))

    assert [bool(alerts) for alerts in week([f"label of {COST} changes"], [1] * 6, named)] == [False, False, True, False, True, False]


def test_a_change_is_one_against_the_last_run_that_was_asked_the_same(week):
    def asked(run, day):
        return dataclasses.replace(run, parameters={"tok_per_s_per_user": 35.0 if day == 1 else 70.0})

    assert week([f"{COST} changes by 10%"], [10, 20, 10], asked) == [[], [], []]


def test_a_result_that_the_report_does_not_have_is_said_with_those_it_has(history, entry):
    (state,) = Journal(history.path, print).record(entry(), [parse_alert("cost_ratio > 1")])
    assert state.is_fault and state.is_on is None and state.said == f"the report has no result `cost_ratio`; it has {COST}"


@pytest.mark.parametrize(
    ("alert", "change", "said"),
    [
        (f"high of {COST} > 7", {"high": None}, f"the report gives `{COST}` without a range; leave out `high of`"),
        ("data older than 90 days", {}, "the report rests on no measured run, so that nothing in it can be older"),
    ],
)
def test_an_alert_that_could_never_fire_is_said_and_not_silent(history, entry, alert, change, said):
    run = dataclasses.replace(entry(), results=(dataclasses.replace(entry().results[0], **change),), measured_to="")
    (state,) = Journal(history.path, print).record(run, [parse_alert(alert)])
    assert state.is_fault and not state.fired and state.said == said


def test_of_many_runs_at_once_one_tells_the_alert(history, entry):
    told = []

    def run():
        states = Journal(history.path, history.said.append).record(entry(), [parse_alert(f"{COST} > 5")])
        told.extend(state for state in states if state.fired)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1 and len(history.runs()) == 8 and not history.said


def test_without_a_history_an_alert_is_told_and_so_is_the_fault(tmp_path, entry):
    said = []
    (state,) = Journal(tmp_path, said.append).record(entry(), [parse_alert(f"{COST} > 5")])
    assert state.fired and said[0].endswith("; an alert that was on before is told again")


@pytest.fixture(scope="module")
def alerting(tmp_path_factory, tokcost, notebook):
    """A definition whose price passes a level, stays above it, and has an alert on a result that is not there."""
    folder = tmp_path_factory.mktemp("alerting")
    source = "import tokcost as tc\ntc.result('total_token_cost_usd_per_mtok', rate_usd_per_gpu_h / 0.36)"
    parameters = "rate_usd_per_gpu_h = 1.8  # price of an hour, 0.1 to 30"
    notebook(folder / "weekly.ipynb", ("markdown", "# Q?"), ("code", parameters, "parameters"), ("code", source))
    (folder / "weekly.toml").write_text(f'notebook = "weekly.ipynb"\nalerts = ["{COST} > 9"]\n')
    (folder / "wrong.toml").write_text('notebook = "weekly.ipynb"\nname = "wrong"\nalerts = ["cost_ratio > 9"]\n')
    prices = [("-p", f"rate_usd_per_gpu_h={price}") for price in ("1.8", "3.6", "3.7")]
    return folder, [tokcost("report", "weekly.toml", "-o", "out", "--quiet", *price, cwd=folder) for price in prices]


def test_the_exit_status_says_that_an_alert_fired_and_only_when_it_did(alerting):
    _, runs = alerting
    assert [run.status for run in runs] == [0, 3, 0]
    assert runs[1].err == f"ALERT weekly: {COST} > 9: is $10.00\n" and runs[2].err == ""


def test_an_alert_that_cannot_be_judged_is_a_failure_and_the_report_is_made(alerting, tokcost):
    folder, _ = alerting
    run = tokcost("report", "wrong.toml", "-o", "out2", "--quiet", cwd=folder)
    assert run.status == 1 and (folder / "out2" / "wrong.html").is_file()
    assert run.err == f"FAILED alert of wrong: cost_ratio > 9: the report has no result `cost_ratio`; it has {COST}\n"
