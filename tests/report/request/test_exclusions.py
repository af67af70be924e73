"""Values that do not go together are declared beside the parameters, and refused before anything runs."""

import pytest

from tokcost.errors import InputError
from tokcost.parameters.declaration import parse_cell
from tokcost.parameters.exclusions import parse_exclusions
from tokcost.parameters.settings import Layer, settings

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


TABLED = """baseline_accelerator: str = "h200"  # first system; one of: accelerator in hourly_rates.csv
price_basis: str = "rental_3yr"  # whose price; one of: price_basis in hourly_rates.csv, own
rate_vintage: str = "2026-03"  # date of the list; one of: rate_vintage in hourly_rates.csv where accelerator = h200
operator: str = "neocloud"  # who owns it; one of: hyperscaler, neocloud
# together in hourly_rates.csv: baseline_accelerator, price_basis, rate_vintage
# together in hourly_rates.csv: price_basis = owning_{operator}, rate_vintage
"""
RATES = """accelerator,price_basis,rate_vintage
h200,rental_3yr,2026-03
h200,owning_neocloud,2026-03
h200,owning_hyperscaler,2026-11
mine,rental_3yr,2026-11
"""


@pytest.fixture
def rates(tmp_path, monkeypatch):
    (tmp_path / "hourly_rates.csv").write_text(RATES)
    monkeypatch.setenv("TOKCOST_DATA_DIR", str(tmp_path))
    (tmp_path / "labels.csv").write_text("name,value,label,served_as\naccelerator,mine,Mine,\naccelerator,h200,H200,\n")
    (tmp_path / "sources.csv").write_text("source_id,title\n")


def test_choices_are_what_the_rows_of_a_table_say_in_the_order_of_the_labels(rates):
    chip, basis, vintage, _ = parse_cell(TABLED)
    assert chip.choices == ("mine", "h200") and vintage.choices == ("2026-03", "2026-11")
    assert basis.choices[-1] == "own" and "owning_neocloud" in basis.choices
    assert vintage.allowed == "one of: 2026-03, 2026-11"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"rate_vintage": "2026-11"},
            r"baseline_accelerator=h200 .* and rate_vintage=2026-11 .* stand in no row .*; .* rate_vintage 2026-03",
        ),
        ({"baseline_accelerator": "mine", "operator": "hyperscaler", "rate_vintage": "2026-03"}, "there is rate_vintage 2026-11"),
        ({"price_basis": "own", "rate_vintage": "2026-11"}, "operator=neocloud .* with the rest there is rate_vintage 2026-03"),
        ({"price_basis": "own", "rate_vintage": "2026-11", "operator": "hyperscaler"}, ""),
    ],
)
def test_what_no_row_of_a_table_has_together_is_refused_and_what_it_does_not_know_is_free(rates, values, says):
    chosen = settings(parse_cell(TABLED), [Layer("command line", values)])
    rules = parse_exclusions(TABLED)
    if not says:
        assert not any(rule.excludes({s.parameter.name: s.value for s in chosen}) for rule in rules)
        return
    with pytest.raises(InputError, match=says):
        for rule in rules:
            rule.check(chosen)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("where accelerator = h200", "where chip = h200"), "no values in a column `chip`"),
        (("where accelerator = h200", "where accelerator = h300"), "no row of hourly_rates.csv has accelerator = h300"),
        (("where accelerator = h200", "where accelerator"), "write `rate_vintage in hourly_rates.csv where NAME = VALUE"),
        (("csv: price_basis =", "csv: basis ="), "hourly_rates.csv has no column that `basis` could be"),
        (("{operator}", "{owner}"), "there is no parameter `owner`"),
        (
            ("together in hourly_rates.csv: price_basis = owning_{operator}, rate_vintage", "together: a, b"),
            "write `# together in TABLE.csv",
        ),
    ],
)
def test_a_table_that_cannot_be_asked_is_an_error(rates, change, says):
    with pytest.raises(InputError, match=says):
        parse_exclusions(TABLED.replace(*change))
