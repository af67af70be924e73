"""A definition says when and to whom; what is wrong in it is answered with file, key and fix."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from tokcost.cli import main
from tokcost.report.errors import ReportError
from tokcost.report.request import definition
from tokcost.schedule.keys import MEANINGS, json_schema
from tokcost.schedule.task import read_tasks

ROOT = Path(__file__).parents[2]
FULL = """title = "Ours"
[each]
accelerator = ["h200", "gb300"]
[schedule]
cron = "0 6 * * mon"
time_zone = "Europe/Berlin"
[deliver]
when = "change"
email = ["finance@example.com", "${BOSS}"]
webhook = "${TEAM_WEBHOOK}"
folder = "s3://our-bucket/reports"
pdf = true
"""


def test_a_definition_says_what_is_made_when_and_where_it_goes(define, notebook):
    notebook()
    (task,) = read_tasks(str(define(FULL)))
    assert task.reports == ("ours-h200", "ours-gb300") and task.title == "Ours"
    assert task.timing.in_words() == "At 06:00 on Monday, Europe/Berlin"
    assert task.delivery.email == ("finance@example.com", "${BOSS}") and task.delivery.pdf


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("schedule = 3", r"ours.toml: `schedule` must be a table, got 3; write its lines under \[schedule\]"),
        ('[schedule]\ncorn = "x"', r"ours.toml: \[schedule\] has an unknown key `corn`; did you mean `cron`"),
        ('[schedule]\ncron = "0 6 * * mon"', r'\[schedule\] does not say its `time_zone`; add a line such as time_zone = "Europe/Berlin"'),
        ('[schedule]\ncron = 6\ntime_zone = "UTC"', r'`schedule.cron` must be text, got 6; write cron = "0 6 \* \* mon"'),
        ('[schedule]\ncron = "0 6 * *"\ntime_zone = "UTC"', r"ours.toml: `schedule.cron` '0 6 \* \*' has 4 fields"),
        ('[deliver]\nemial = ["a@b.c"]', r"\[deliver\] has an unknown key `emial`; did you mean `email`"),
        ('[deliver]\nemail = "a@b.c"', r'`deliver.email` must be a list of texts, got \'a@b.c\'; write email = \["finance@example.com"\]'),
        ('[deliver]\nemail = ["Ann"]', "`deliver.email` 'Ann' is no address"),
        ('[deliver]\nemail = ["a@b.c\\nBcc: d@e.f"]', "is no address"),
        ('[deliver]\nwebhook = "ftp://x"', "`deliver.webhook` must begin with https://"),
        ('[deliver]\nemail = ["a@b.c"]\nwhen = "often"', "`deliver.when` must be one of always, change, alert, got 'often'"),
        ("[deliver]\npdf = true", "`deliver.pdf` is set, but it goes nowhere; add email, webhook or folder"),
        ("[parameters]\nrate = 2", "ours.toml: cost.ipynb has no parameter `rate`"),
    ],
)
def test_a_wrong_definition_is_answered_with_file_key_and_fix(define, notebook, text, says):
    notebook()
    with pytest.raises(ReportError, match=says):
        read_tasks(str(define(text)))


def test_all_that_is_wrong_in_a_folder_is_said_at_once_and_nothing_runs(define, notebook):
    notebook()
    define("[schedule]\n", "a"), define("[deliver]\nx = 1", "b"), define("", "c")
    done = CliRunner().invoke(main, ["schedule", "."])
    assert done.exit_code == 2 and "a.toml: [schedule] does not say" in done.stderr and "b.toml: [deliver] has" in done.stderr
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("nowhere", "nowhere is no report definition"),
        ("nowhere.toml", "there is no file nowhere.toml"),
        ("empty", "the directory empty holds no report definition"),
        ("ours.toml", "no definition in ours.toml has a [schedule]; add one (see --help), or make all of it now with --once"),
    ],
)
def test_a_target_with_nothing_to_schedule_is_answered(define, notebook, target, says):
    notebook(), define(""), Path("empty").mkdir()
    done = CliRunner().invoke(main, ["schedule", target])
    assert done.exit_code == 2 and says in done.stderr


def test_a_dry_run_says_when_and_where_and_names_variables_instead_of_what_they_hold(define, notebook, monkeypatch):
    notebook(), define(FULL)
    monkeypatch.setenv("TEAM_WEBHOOK", "https://hooks.example.com/secret")
    done = CliRunner().invoke(main, ["schedule", ".", "--dry-run"])
    assert done.exit_code == 0 and "ours.toml, 2 reports" in done.stdout and "At 06:00 on Monday, Europe/Berlin; next 20" in done.stdout
    assert "webhook ${TEAM_WEBHOOK}; copied to s3://our-bucket/reports when the answer changes" in done.stdout
    assert "secret" not in done.output and not Path("reports").exists()


def test_the_schema_accepts_what_the_command_accepts_and_refuses_slips():
    schema = json.loads(CliRunner().invoke(main, ["schema"]).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema).is_valid
    assert valid(tomllib.loads(f'notebook = "x"\n{FULL}')) and valid(tomllib.loads('notebook = "x"\neach = "clusters.csv"'))
    for path in (ROOT / "reports").glob("*.toml"):
        assert valid(tomllib.loads(path.read_text(encoding="utf-8"))), path.name
    for slip in ("", 'notebok = "x"', 'notebook = "x"\n[deliver]\nemial = ["a@b.c"]', 'notebook = "x"\n[schedule]\ncron = "0 6 * * *"'):
        assert not valid(tomllib.loads(slip)), slip


def test_the_schema_tells_the_meaning_of_every_key():
    assert set(definition.KEYS) <= set(MEANINGS)
    for name, about in json_schema()["properties"].items():
        assert about["description"], name
