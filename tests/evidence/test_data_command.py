"""`tokcost data`: check, list, show."""

import pytest
from click.testing import CliRunner

from tokcost.cli import main
from tokcost.evidence import load_table
from tokcost.evidence.schema import TABLES


def run(*arguments):
    return CliRunner().invoke(main, ["data", *arguments])


def test_check_says_that_all_is_well_and_where():
    result = run("check")
    assert result.exit_code == 0 and "data/ is in order" in result.output


def test_check_of_another_directory_names_that_one(data, monkeypatch):
    assert run("check").output.startswith(f"{data}/ is in order")
    monkeypatch.chdir(data.parent)
    monkeypatch.setenv("TOKCOST_DATA_DIR", "data")
    assert run("check").output.startswith("data/ is in order")


@pytest.mark.parametrize("arguments", [("check",), ("list",), ("show", "hourly_rates")])
def test_a_data_directory_that_is_not_there_is_a_wrong_request(monkeypatch, tmp_path, arguments):
    monkeypatch.setenv("TOKCOST_DATA_DIR", str(tmp_path / "missing"))
    result = run(*arguments)
    assert result.exit_code == 2 and result.output.count("\n") == 1
    assert f"there is no data directory {tmp_path / 'missing'}; set TOKCOST_DATA_DIR" in result.output


def test_show_of_a_spoilt_table_says_the_first_problem_and_where_to_find_the_others(data):
    path = data / "hourly_rates.csv"
    path.write_text(path.read_text().replace(",1.41,", ",cheap,").replace(",2.652,", ",dear,"))
    result = run("show", "hourly_rates")
    assert result.exit_code == 2 and result.output.count("\n") == 1
    assert "'cheap' is not a number" in result.output and "(and 1 more; tokcost data check lists all)" in result.output


def test_check_lists_every_problem_and_exits_with_2(data):
    path = data / "hourly_rates.csv"
    path.write_text(path.read_text().replace(",1.41,", ",cheap,").replace(",2.652,", ",dear,"))
    result = run("check")
    assert result.exit_code == 2
    assert "'cheap' is not a number" in result.output and "'dear' is not a number" in result.output and "2 problems" in result.output


def test_list_names_every_table():
    lines = run("list").output.splitlines()
    assert [line.split()[0] for line in lines] == list(TABLES)


def test_show_gives_the_number_with_its_source():
    result = run("show", "hourly_rates", "--where", "accelerator=gb300", "--where", "rate_vintage=2026-03")
    assert result.exit_code == 0
    assert "2.652" in result.output and "inferencex_constants_2026_03" in result.output and "modelled" in result.output


def test_show_answers_a_wrong_name_with_the_nearest():
    for arguments, answer in [
        (("show", "hourly_rate"), "did you mean `hourly_rates`"),
        (("show", "nosuch"), "there is no table `nosuch`; tokcost data list names them all"),
        (("show", "hourly_rates", "--where", "accelerator"), "--where takes COLUMN=TEXT, got 'accelerator'"),
        (("show", "hourly_rates", "--where", "acelerator=h200"), "hourly_rates has no column `acelerator`; did you mean `accelerator`?"),
        (("show", "hourly_rates", "--where", "foo=h200"), "hourly_rates has no column `foo`; known: accelerator, "),
        (("chek",), "did you mean 'check'?"),
        (("show", "hourly_rates", "--where", "accelerator=gb30"), "did you mean `gb300`"),
    ]:
        result = run(*arguments)
        assert result.exit_code == 2 and answer in result.output and result.output.count("\n") == 1


def test_show_as_csv_can_be_read_back():
    import io

    import pandas as pd

    result = run("show", "provisioned_power", "--csv")
    assert len(pd.read_csv(io.StringIO(result.output))) == len(load_table("provisioned_power"))
