"""Values that do not go together are declared beside the parameters, and refused before anything runs."""

import pytest

from tokcost.errors import InputError
from tokcost.parameters.exclusions import parse_exclusions

PARAMETERS = """price_basis = "hyperscaler"  # whose price; one of: hyperscaler, neocloud, rental
year = 2025  # of the price list; one of: 2025, 2026
# Neoclouds are not in every list:
# not together: price_basis=neocloud, year=2026; that list has hyperscalers only
# not together: price_basis=rental, year=2025
"""


@pytest.fixture
def report(ask, tmp_path, notebook):
    notebook(tmp_path / "notebooks" / "02-prices.ipynb", ("markdown", "# Q?"), ("code", PARAMETERS, "parameters"))
    return lambda *arguments: ask("02-prices", *arguments)


def test_what_does_not_go_together_is_refused_with_the_reason_and_where_each_value_came_from(report, tmp_path):
    (tmp_path / "team.toml").write_text('price_basis = "neocloud"')
    done = report("-f", "team.toml", "-p", "year=2026", "--output", "out")
    assert done.status == 2 and not (tmp_path / "out").exists()
    assert done.err == (
        "tokcost report: 02-prices: price_basis=neocloud (team.toml) and year=2026 (command line) do not go together: "
        "that list has hyperscalers only; change one of them\n"
    )


def test_a_default_counts_too_and_the_dry_run_knows(report):
    done = report("-p", "price_basis=rental", "--dry-run")
    assert done.status == 2 and "price_basis=rental (command line) and year=2025 (notebook default) do not go together;" in done.err


def test_every_other_combination_is_allowed(report):
    for basis, year in (("hyperscaler", 2025), ("hyperscaler", 2026), ("neocloud", 2025), ("rental", 2026)):
        assert report("-p", f"price_basis={basis}", "-p", f"year={year}", "--dry-run").status == 0


def test_help_parameters_says_what_does_not_go_together_and_which_numbers_there_are(report):
    said = report("--help-parameters").out
    assert "  not together: price_basis=neocloud, year=2026 (that list has hyperscalers only)\n" in said
    assert "  not together: price_basis=rental, year=2025\n" in said
    assert "one of: 2025, 2026" in said


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("# not together: price_bases=neocloud, year=2026", "line 6: there is no parameter `price_bases`; did you mean `price_basis`"),
        ("# not together: price_basis=neoclod, year=2026", "line 6: `price_basis` must be one of .*; did you mean `neocloud`"),
        ("# not together: year=2025, year=2026", "each name once"),
        ("# not together: year=2026", "line 6: write `# not together: name=value, name=value; why`"),
        ("# Not together price_basis=neocloud, year=2026", "line 6: write `# not together: "),
        ("# not together: price_basis, year=2026", "line 6: write `# not together: "),
        ("# not together: price_basis=hyperscaler, year=2025", "the defaults themselves"),
    ],
)
def test_a_line_that_cannot_be_kept_is_an_error_not_a_comment(comment, says):
    with pytest.raises(InputError, match=says):
        parse_exclusions(PARAMETERS + comment)


def test_comments_behind_parameters_and_other_comments_exclude_nothing():
    assert parse_exclusions("x = 1  # not together: a=1, b=2\n# prices by year\n") == []
