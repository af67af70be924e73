"""Evidence knows how old it is, and a report says so where it is read."""

import datetime as dt

import pytest
from click.testing import CliRunner

from tokcost.cli import main
from tokcost.evidence.ageing import LASTS_MONTHS, ages
from tokcost.evidence.schema import TABLES
from tokcost.labels import label_of
from tokcost.report.page.age import aged, stale

MADE = dt.date(2026, 11, 27)


def test_a_table_that_ages_is_there_and_says_of_when_its_rows_speak():
    assert set(LASTS_MONTHS) <= set(TABLES) and {age.table for age in ages(MADE)} == set(LASTS_MONTHS)


def test_a_table_gets_stale_when_its_newest_row_is_older_than_it_may_be():
    now, later = ({age.table: age for age in ages(today)} for today in (MADE, dt.date(2027, 11, 27)))
    rates = now["hourly_rates"]
    assert later["hourly_rates"].months == rates.months + 12 and later["hourly_rates"].is_stale
    assert rates.is_stale == (rates.months > rates.lasts_months)


def test_check_tells_the_age_of_each_table_the_stalest_first():
    lines = CliRunner().invoke(main, ["data", "check", "--age"]).output.splitlines()
    lines = [line for line in lines if not line.startswith("older  base_case")]
    told = [line.split()[0] for line in lines]
    assert told == sorted(told, key=["STALE", "fresh"].index) and {line.split()[1] for line in lines} == set(LASTS_MONTHS)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-09", "September 2026, 2 months old"),
        ("2026-10-30", "October 2026, 1 month old"),
        ("2026-11", "November 2026"),
        ("2025-12 to 2026-09", "December 2025 to September 2026, 2 months old"),
        ("2024", "2024, 23 months old"),
        ("", ""),
        ("own list", "own list"),
    ],
)
def test_a_date_is_told_with_its_age(when, said):
    assert aged(when, MADE) == said


def test_a_report_flags_only_tables_that_are_older_than_they_may_be():
    tables = [
        {"table": "gpu_prices_monthly", "newest": "2026-03", "lasts_months": 6},
        {"table": "inference", "newest": "2026-06-11", "lasts_months": 6},
        {"table": "claims"},
    ]
    assert stale(tables, MADE) == ["GPU rents by month (March 2026, 8 months old; such rows should be at most 6 months old)"]


def test_every_table_that_ages_has_a_name_for_readers():
    assert [table for table in LASTS_MONTHS if not label_of("table", table)] == []
