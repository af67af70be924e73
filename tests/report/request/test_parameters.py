"""A notebook's parameters cell is read without running it, and nothing but what it allows gets in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcost.errors import InputError
from tokcost.parameters.declaration import parse_cell
from tokcost.report.request.declared import read_parameters


def test_a_line_gives_name_default_range_and_meaning(parameters_source):
    rate, utilization, osl, accelerator, use_mtp = parse_cell(parameters_source)
    assert (rate.name, rate.default, rate.meaning, rate.allowed, rate.unit) == (
        "rate_usd_per_gpu_h", 1.41, "price of a GPU-hour", "0.1 to 100", "USD per GPU-hour",
    )  # fmt: skip
    assert utilization.high == 1
    assert osl.allowed == "1 to 100000"
    assert accelerator.choices == ("h200", "gb300") and accelerator.meaning == "which one"
    assert use_mtp.allowed == "true or false"


def test_the_vocabulary_narrows_a_range_that_the_comment_leaves_too_wide():
    (parameter,) = parse_cell("utilization_frac = 0.5  # share, 0 to 4")
    assert (parameter.low, parameter.high) == (0.001, 1)


def test_a_line_without_a_comment_still_has_the_range_of_its_quantity():
    (parameter,) = parse_cell("baseline_rate_usd_per_gpu_h = 2.5")
    assert parameter.allowed == "0.01 to 200"


def test_text_named_as_a_label_of_the_vocabulary_takes_only_what_that_allows():
    (parameter,) = parse_cell('baseline_precision = "fp8"  # of the older system')
    with pytest.raises(InputError, match="one of bf16, fp8, fp4, .*; got 'fp9'; did you mean"):
        parameter.check("fp9")


def test_a_free_text_says_what_it_holds_and_takes_any():
    path, plain, model = parse_cell(
        'benchmark_path = "here"  # your files; any text: a file or a folder\n'
        'title = "x"  # a heading; any text\n'
        'model = "dsr1"  # whichever you run; any text'
    )
    assert (path.meaning, path.allowed, path.choices) == ("your files", "a file or a folder", ())
    assert path.parse("~/runs/of today") == "~/runs/of today"
    assert (plain.meaning, plain.allowed) == ("a heading", "text")
    assert model.check("my-own") == "my-own", "the comment widens what the vocabulary lists"
    with pytest.raises(InputError, match="`benchmark_path` must be text, got 3; put it in quotes"):
        path.check(3)


def test_choices_too_many_to_list_stand_in_a_column_of_a_data_table(tmp_path, monkeypatch):
    line = 'region = "us-south1"  # whose grid is used; one of: region in carbon_intensity.csv'
    (region,) = parse_cell(line)
    assert (
        region.meaning == "whose grid is used"
        and region.allowed == f"one of the {len(region.choices)} in column region of carbon_intensity.csv"
    )
    assert region.parse("europe-north1") == "europe-north1"
    with pytest.raises(InputError, match="in column region of carbon_intensity.csv; got 'europe-nord1'; did you mean `europe-north1`"):
        region.parse("europe-nord1")
    with pytest.raises(InputError, match="got 'Dallas'; `tokcost data show carbon_intensity` shows them"):
        region.parse("Dallas")
    with pytest.raises(InputError, match="did you mean `DEU`"):
        region.parse("deu")
    monkeypatch.setenv("TOKCOST_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match="cannot read .*carbon_intensity.csv: No such file"):
        parse_cell(line)
    (tmp_path / "carbon_intensity.csv").write_text("place\nus-south1\n")
    with pytest.raises(InputError, match="carbon_intensity.csv has no values in a column `region`"):
        parse_cell(line)
    (tmp_path / "carbon_intensity.csv").write_text("region\nmine\n")
    with pytest.raises(InputError, match="the default is not allowed: `region` must be one of mine; got 'us-south1'"):
        parse_cell(line)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("a = 2 * 3", r"line 1 is not `name: type = literal`: a = 2 \* 3"),
        ("a = 1\nprint(a)", r"line 2 is not `name: type = literal`: print\(a\)"),
        ("a: list = 1", "the type of a parameter is bool, int, float or str"),
        ("a: float", "line 1 is not `name: type = literal`"),
        ('a: float = "2.10"', "must be a number, got '2.10'; write 2.10 without quotes"),
        ('a: float = "1e309"', "must be a number, got '1e309'$"),  # no number that fits: no fix is offered
        ("a = b = 1", "line 1 is not `name: type = literal`"),
        ("a = [1, 2]", "a parameter is a number, text, True or False"),
        ("a = None", "a parameter is a number, text, True or False"),
        ("a = 1\na = 2", r"`a` is assigned twice \(line 2\)"),
        ("a = (", "line 1 of the parameters is not Python"),
        ("utilization_frac = 45.0  # share, 0 to 1", "the default is not allowed: .*give a fraction, not a percentage"),
        ('mode = "x"  # one of: a, b', "the default is not allowed: `mode` must be one of a, b"),
        ("a = 1e999", "the default is not allowed: `a` must be a finite number"),
        ("isl = 1024  # prompt tokens; one of: 1024, many", "a choice is not allowed: `isl` must be a whole number, got 'many'"),
        ("isl = 1024  # prompt tokens; one of: 1024, 0", "a choice is not allowed: `isl` must be in"),
        ("isl = 512  # prompt tokens; one of: 1024, 8192", "the default is not allowed: `isl` must be one of 1024, 8192; got 512"),
        ("utilization_frac = 1.0  # share, 2 to 3", "the range of its comment lies outside the plausible one"),
    ],
)
def test_a_cell_that_is_not_a_plain_list_of_literals_is_refused(source, says):
    with pytest.raises(InputError, match=says):
        parse_cell(source)


def test_a_notebook_has_exactly_one_parameters_cell(tmp_path, notebook):
    none = notebook(tmp_path / "none.ipynb", ("code", "a = 1"))
    two = notebook(tmp_path / "two.ipynb", ("code", "a = 1", "parameters"), ("markdown", "x"), ("code", "b = 1", "parameters"))
    with pytest.raises(InputError, match="none.ipynb has no cell tagged `parameters`"):
        read_parameters(none)
    with pytest.raises(InputError, match=r"two.ipynb has 2 cells \(1, 3\) tagged `parameters`"):
        read_parameters(two)


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"cells": 3}', '{"worksheets": []}', '{"cells": [{"source": 3}]}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, content):
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(InputError, match="x.ipynb is not a notebook"):
        read_parameters(path)


def number(source="a = 1.0"):
    return parse_cell(source)[0]


@pytest.mark.parametrize(("text", "value"), [("3", 3.0), ("-2.5", -2.5), ("3e4", 3e4), ("1.5E-3", 0.0015), (".5", 0.5), ("+7", 7.0)])
def test_numbers_as_people_write_them(text, value):
    got = number().parse(text)
    assert got == value and type(got) is float


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lots", "`a` must be a number, got 'lots'$"),
        ("1_000", "got '1_000'; write 1000$"),
        ("1,000", "got '1,000'; write 1000$"),
        ("007", "got '007'; write 7$"),
        ("$4.35", r"got '\$4.35'; write 4.35$"),
        ("4.35 USD", "write 4.35$"),
        ("1,234,567.5", "write 1234567.5$"),
        ("2,50", "got '2,50'; write 2.50$"),
        ("2,500", "got '2,500'; write 2500$"),
        ("0,500", "got '0,500'; write 0.500$"),
        ("2.500,00", "got '2.500,00'$"),
        ("8k", "got '8k'; write 8000$"),
        ("1:30", "got '1:30'$"),
        ("1_0", "got '1_0'$"),
        ("500ms", "got '500ms'$"),
        ("3 or 4", "got '3 or 4'$"),
        ("45%", "got '45%'; give a fraction: 0.45$"),
        ("nan", "must be a finite number, got nan$"),
        ("inf", "must be a finite number, got inf$"),
        ("-Infinity", "must be a finite number, got -inf$"),
        ("1e999", "must be a finite number, got inf$"),
        ("9" * 400, "must be a finite number"),
        ("true", "must be a number, got 'true'$"),
        ("0x10", "must be a number, got '0x10'"),
        ("", "has no value; write -p a=VALUE$"),
    ],
)
def test_a_number_is_read_strictly_and_the_fix_is_said(text, says):
    with pytest.raises(InputError, match=says):
        number().parse(text)


@pytest.mark.parametrize("text", ["2.5", "1e4", "3.0", "nan", "true", "1_0"])
def test_a_whole_number_stays_whole(text):
    with pytest.raises(InputError, match="`n` must be (a whole number|a finite number)"):
        number("n = 3").parse(text)
    assert number("n = 3").parse("12") == 12


def test_a_whole_number_that_was_meant_is_offered():
    with pytest.raises(InputError, match="got 10000.0; write 10000$"):
        number("n = 3").parse("1e4")
    for text in ("2,50", "45%", "$1.5"):
        with pytest.raises(InputError, match=f"must be a whole number, got '{re.escape(text)}'$"):
            number("n = 3").parse(text)
    with pytest.raises(InputError, match="got '1.5k'; write 1500$"):
        number("n = 3").parse("1.5k")


@given(st.integers(min_value=1000, max_value=10**12))
def test_a_number_that_is_offered_is_the_one_that_was_typed(n):
    """Every usual way to write an integer leads back to it, and what is offered is accepted."""
    for text in (f"{n:,}", f"{n:_}", f"{n:,}".replace(",", " "), f"${n}", f"{n:,} USD", f"0{n}", f"{n}k"):
        with pytest.raises(InputError) as said:
            number("n = 3").parse(text)
        offered = str(said.value).rpartition("; write ")[2]
        assert number("n = 3").parse(offered) == (n * 1000 if text.endswith("k") else n)


def test_numbers_can_be_listed_where_only_some_were_measured():
    isl, share = parse_cell("isl = 1024  # prompt tokens; one of: 1024, 8192\nshare_frac = 0.5  # part; one of: 0.5, 1")
    assert (isl.meaning, isl.allowed, isl.choices) == ("prompt tokens", "one of: 1024, 8192", (1024, 8192))
    assert isl.parse("8192") == 8192 and type(share.parse("1")) is float
    for value in (2000, 1025):
        with pytest.raises(InputError, match=f"`isl` must be one of 1024, 8192; got {value}$"):
            isl.check(value)
    with pytest.raises(InputError, match="`isl` must be a whole number, got '8192'"):
        isl.check("8192")


def test_true_and_false_and_nothing_like_them():
    switch = number("use_mtp = False")
    assert switch.parse("true") is True and switch.parse("False") is False
    for text, fix in (("1", "true"), ("yes", "true"), ("off", "false")):
        with pytest.raises(InputError, match=f"must be true or false, got '{text}'; write {fix}"):
            switch.parse(text)


def test_a_value_that_is_missing_in_a_file_is_called_nothing():
    for source, kind in (("a = 1.0", "a number"), ("a = 1", "a whole number"), ('a = "x"', "text"), ("a = True", "true or false")):
        with pytest.raises(InputError, match=f"`a` must be {kind}, got nothing$"):
            number(source).check(None)


@pytest.mark.parametrize("value", [True, "3", None, [1], {"x": 1}])
def test_values_from_files_keep_their_type(value):
    with pytest.raises(InputError, match="`a` must be a number, got"):
        number().check(value)


def test_a_number_where_text_belongs_wants_quotes():
    with pytest.raises(InputError, match="`name` must be text, got 3; put it in quotes"):
        number('name = "x"').check(3)


def test_both_ends_of_a_range_are_allowed_and_nothing_beyond():
    share = number("x = 0.5  # 0.1 to 0.9")
    assert share.check(0.1) == 0.1 and share.check(0.9) == 0.9
    for outside in (0.0999, 0.9001):
        with pytest.raises(InputError, match=r"`x` must be in \[0.1, 0.9\]"):
            share.check(outside)
