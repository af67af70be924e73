"""`tokcost data`: check, list, show."""

from click.testing import CliRunner

from tokcost.evidence.command import data as command
from tokcost.evidence.schema import TABLES


def run(*arguments):
    return CliRunner().invoke(command, arguments)


def test_check_says_that_all_is_well():
    result = run("check")
    assert result.exit_code == 0 and "in order" in result.output


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
        (("show", "hourly_rates", "--where", "gpu=h200"), "got 'gpu=h200'"),
        (("show", "hourly_rates", "--where", "accelerator=gb30"), "did you mean `gb300`"),
    ]:
        result = run(*arguments)
        assert result.exit_code == 2 and answer in result.output


def test_show_as_csv_can_be_read_back():
    import io

    import pandas as pd

    result = run("show", "provisioned_power", "--csv")
    assert len(pd.read_csv(io.StringIO(result.output))) == 22
