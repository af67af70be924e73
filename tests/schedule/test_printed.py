"""What is printed for others to keep time by is read by them, at the same times as ours."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from click.testing import CliRunner

from tokcost.cli import main
from tokcost.report.request.declared import read_parameters
from tokcost.schedule.printed import FORMS, calendar
from tokcost.schedule.timing import Timing

ROOT = Path(__file__).parents[2]
WEEKLY = '[schedule]\ncron = "0 6 * * mon"\ntime_zone = "Europe/Berlin"\n'
MAILED = 'name = "weekly"\n' + WEEKLY + '[deliver]\nemail = ["${BOSS}"]\n'


def printed(form: str, target: str = ".") -> str:
    done = CliRunner().invoke(main, ["schedule", target, "--print", form, "--output", "out 100%"])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(autouse=True)
def definitions(define, notebook):
    notebook(), define(MAILED, "a week's cost"), define(WEEKLY.replace("0 6 * * mon", "15 7 * * 6,7"), "weekend"), define("", "never")


@pytest.mark.parametrize("form", FORMS)
def test_what_has_no_time_is_left_out_and_variables_are_named(form):
    text = printed(form)
    assert "never" not in text and "BOSS" in text and "TOKCOST_SMTP_PASSWORD" in text


@pytest.mark.parametrize("form", FORMS)
def test_where_nothing_has_a_time_it_is_said(form):
    done = CliRunner().invoke(main, ["schedule", "never.toml", "--print", form])
    assert done.exit_code == 2 and "none of the definitions has a [schedule]" in done.stderr


def test_a_line_of_the_crontab_makes_the_report(define, tmp_path):
    define(WEEKLY, "plain")
    *_, zone, line = printed("crontab", "plain.toml").splitlines()
    assert zone == "CRON_TZ=Europe/Berlin"
    time, command = re.fullmatch(r"(\S+ \S+ \S+ \S+ \S+) (.+)", line).groups()
    assert time == "0 6 * * mon" and not re.search(r"(?<!\\)%", command), "cron ends a command at a bare %"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", command.replace(r"\%", "%")], cwd="/", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out 100%" / "plain.html").is_file()


@pytest.fixture
def units(tmp_path):
    """The units that the printed script writes, beside a `systemctl` that keeps what it is told."""
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "systemctl"
    stub.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(tmp_path / "told"))}\n')
    stub.chmod(0o755)
    environment = os.environ | {"PATH": f"{stub.parent}:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(tmp_path / "config")}
    subprocess.run(["sh"], input=printed("systemd"), text=True, check=True, env=environment)
    return tmp_path / "config" / "systemd" / "user"


def test_the_script_for_systemd_writes_a_service_and_a_timer_each_and_starts_the_timers(units, tmp_path):
    assert sorted(path.name for path in units.iterdir()) == [
        f"tokcost-{name}.{kind}" for name in ("a-week-s-cost", "weekend") for kind in ("service", "timer")
    ]
    told = (tmp_path / "told").read_text().splitlines()
    assert told == ["--user daemon-reload", "--user enable --now tokcost-a-week-s-cost.timer tokcost-weekend.timer"]


needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(units):
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", *units.iterdir()], capture_output=True, text=True)
    complaints = [line for line in found.stderr.splitlines() if "tokcost" in line]
    assert not complaints


@needs_systemd
@pytest.mark.parametrize(
    "cron", ["0 6 * * mon", "*/20 5-7 * * sat,sun", "30 8 1,15 * *", "0 6 1 jan,jul mon", "59 23 31 12 *", "0 0 * * 1-5"]
)
def test_systemd_keeps_the_same_times_as_we_do(cron):
    timing, moment, ours = Timing(cron, "UTC"), datetime(2026, 11, 27, 12, 5, tzinfo=UTC), []
    for _ in range(4):
        moment = timing.after(moment)
        ours.append(moment)
    command = ["systemd-analyze", "calendar", "--iterations=4", "--base-time=2026-11-27 12:05:00 UTC", *calendar(timing)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"TZ": "UTC", "LC_ALL": "C"}).stdout
    theirs = {
        datetime.strptime(found, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for found in re.findall(r"(\d{4}-\S+ \d\d:\d\d:\d\d) UTC", said)
    }
    assert set(ours) <= theirs


def test_the_workflow_for_github_runs_each_report_at_its_own_time():
    workflow = yaml.safe_load(printed("github"))
    when = workflow[True]["schedule"]  # YAML 1.1 reads `on` as true
    assert when == [{"cron": "0 6 * * mon", "timezone": "Europe/Berlin"}, {"cron": "15 7 * * 0,6", "timezone": "Europe/Berlin"}]
    (job,) = workflow["jobs"].values()
    assert job["env"]["BOSS"] == "${{ secrets.BOSS }}"
    runs = {step["run"]: step["if"] for step in job["steps"] if "if" in step and "run" in step}
    assert runs["tokcost schedule weekend.toml --once --output 'out 100%'"].endswith("github.event.schedule == '15 7 * * 0,6')")
    for step in job["steps"]:
        assert "uses" not in step or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])


def test_github_is_not_given_two_times_that_it_cannot_tell_apart(define):
    define(WEEKLY.replace("Europe/Berlin", "UTC"), "other")
    done = CliRunner().invoke(main, ["schedule", ".", "--print", "github"])
    assert done.exit_code == 2 and "GitHub cannot tell 0 6 * * mon in one time zone from 0 6 * * mon in another" in done.stderr


def test_the_file_for_airflow_is_python_and_makes_a_dag_of_each_report(monkeypatch):
    """Against stand-ins of the four names that it imports."""
    dags, tasks = [], []

    class Dag:
        def __init__(self, **options):
            self.__dict__ |= options
            dags.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    names = {
        "pendulum": {"datetime": lambda *date, tz: date},
        "airflow": {"DAG": Dag},
        "airflow.providers.standard.operators.bash": {"BashOperator": lambda **options: tasks.append(options)},
        "airflow.timetables.trigger": {"CronTriggerTimetable": lambda cron, timezone: (cron, timezone)},
    }
    for name, content in names.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    exec(compile(printed("airflow"), "dags.py", "exec"), {})
    assert [(dag.dag_id, dag.schedule) for dag in dags] == [
        ("tokcost-a-week-s-cost", ("0 6 * * mon", "Europe/Berlin")),
        ("tokcost-weekend", ("15 7 * * 6,7", "Europe/Berlin")),
    ]
    assert not any(dag.catchup for dag in dags) and shlex.split(tasks[0]["bash_command"])[-4].endswith("a week's cost.toml")


def test_the_example_for_airflow_runs_a_notebook_that_there_is_with_parameters_that_it_has(monkeypatch):
    """Against stand-ins of the four names that it imports."""
    tasks = []
    names = {
        "pendulum": {"datetime": lambda *date, tz: date},
        "airflow": {"DAG": lambda **options: nullcontext(options)},
        "airflow.providers.papermill.operators.papermill": {"PapermillOperator": lambda **options: tasks.append(options)},
        "airflow.timetables.trigger": {"CronTriggerTimetable": lambda cron, timezone: Timing(cron, timezone)},
    }
    for name, content in names.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    exec(compile((ROOT / "docs" / "airflow_dag.py").read_text(encoding="utf-8"), "airflow_dag.py", "exec"), {})
    assert len(tasks) == 2 and all("{{ ds }}" in task["output_nb"] for task in tasks)
    for task in tasks:
        known = {parameter.name for parameter in read_parameters(ROOT / "notebooks" / Path(task["input_nb"]).name)}
        assert set(task["parameters"]) <= known
