"""`tokcost report` remembers, `tokcost history` tells: real runs, as people type them."""

import csv
import io
import json
import sqlite3

import pytest


@pytest.fixture(scope="module")
def cost(notebook, bundle):
    """Write a notebook whose headline is the price of an hour over the tokens in it."""

    def write(path, extra="", **shown):
        head = {"kind": "result", "low": None, "high": None, "unit": "usd_per_mtok", "label": "Cost per million tokens", "note": ""}
        source = bundle({**head, "name": "total_token_cost_usd_per_mtok", "value": 0}, **{"text/markdown": "x"})
        source = source.replace("'value': 0", "'value': rate_usd_per_gpu_h / 0.36")
        parameters = (
            'rate_usd_per_gpu_h = 1.8  # price, 1 to 9\napi_token = ""  # any text: who asks\nresults_path = ""  # any text: a file'
        )
        return notebook(path, ("markdown", "# What does it cost?"), ("code", parameters, "parameters"), ("code", source + extra))

    return write


@pytest.fixture(scope="module")
def remembered(tmp_path_factory, tokcost, cost):
    folder = tmp_path_factory.mktemp("remembered")
    cost(folder / "weekly.ipynb", "\nprint(api_token, results_path)\nx = f'Bearer:{api_token}x'; x")
    secrets = ("-p", "api_token=s3cr3t-0f-m1ne", "-p", "results_path=/srv/acme-corp/results")
    first = tokcost("report", "weekly.ipynb", "-o", "out", *secrets, cwd=folder)
    second = tokcost("report", "weekly.ipynb", "-o", "out", "-p", "rate_usd_per_gpu_h=3.6", cwd=folder)
    assert (first.status, second.status) == (0, 0), first.err + second.err
    return folder


def test_each_run_is_a_row(remembered, tokcost):
    run = tokcost("history", "--history", "out/history.sqlite", cwd=remembered)
    assert run.status == 0 and run.out.count("weekly") == 2
    assert "$5.00 per million tokens" in run.out and "$10.00 per million tokens" in run.out


def test_csv_and_json_hold_every_result(remembered, tokcost):
    run = tokcost("history", "weekly.ipynb", "--format", "csv", "--history", "out/history.sqlite", cwd=remembered)
    rows = list(csv.DictReader(io.StringIO(run.out)))
    assert [row["value"] for row in rows] == ["5.0", "10.0"] and rows[0]["data_sha256"] == rows[1]["data_sha256"]
    run = tokcost("history", "--last", "1", "--format", "json", "--history", "out/history.sqlite", cwd=remembered)
    (last,) = json.loads(run.out)
    assert last["results"][0]["value"] == 10.0 and last["parameters"]["rate_usd_per_gpu_h"] == 3.6


def test_no_secret_and_no_private_folder_is_in_the_history_or_in_anything_published(remembered):
    database = sqlite3.connect(remembered / "out" / "history.sqlite")
    assert "(secret)" in database.execute("SELECT parameters FROM runs WHERE run_id = 1").fetchone()[0]
    database.close()
    for path in (remembered / "out").rglob("*"):
        content = path.read_bytes()
        assert b"s3cr3t" not in content and b"acme-corp" not in content, path


def test_a_name_that_no_run_has_is_answered_with_the_nearest(remembered, tokcost):
    run = tokcost("history", "wekly", "--history", "out/history.sqlite", cwd=remembered)
    assert run.status == 2 and "no run of wekly; did you mean `weekly`?" in run.err


def test_without_a_history_the_way_to_one_is_said(tmp_path, tokcost):
    run = tokcost("history", cwd=tmp_path)
    assert run.status == 2 and "there is no history reports/history.sqlite; make a report first" in run.err
    named = tokcost("history", "--history", "nope.sqlite", cwd=tmp_path)
    assert named.status == 2 and "there is no history nope.sqlite; it stands in the folder of --output" in named.err
    assert not list(tmp_path.iterdir())


def test_the_usual_reports_have_their_history_beside_the_output_and_old_runs_can_go(tmp_path, tokcost, cost):
    cost(tmp_path / "weekly.ipynb")
    for _ in range(2):
        assert tokcost("report", "weekly.ipynb", cwd=tmp_path).status == 0
    assert (tmp_path / "reports" / "history.sqlite").is_file() and not list((tmp_path / "reports" / "output").glob("*.sqlite"))
    run = tokcost("history", "--prune-keep", "1", cwd=tmp_path)
    assert run.status == 0 and run.err == "1 run forgotten, 1 kept\n"


def test_a_history_that_cannot_be_used_costs_no_report(tmp_path, tokcost, cost):
    cost(tmp_path / "weekly.ipynb")
    (tmp_path / "taken").mkdir()
    run = tokcost("report", "weekly.ipynb", "-o", "out", "--history", "taken", cwd=tmp_path)
    assert run.status == 0 and (tmp_path / "out" / "weekly.html").is_file()
    (line,) = [line for line in run.err.splitlines() if "not recorded" in line]
    assert line == "weekly is made but not recorded: taken: it cannot be opened; is its folder there, and may it be written?"


def test_a_failed_report_is_not_remembered(tmp_path, tokcost, cost):
    cost(tmp_path / "weekly.ipynb", "\n1 / 0")
    assert tokcost("report", "weekly.ipynb", "-o", "out", cwd=tmp_path).status == 1
    assert not (tmp_path / "out" / "history.sqlite").exists()
