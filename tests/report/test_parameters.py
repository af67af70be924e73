"""A notebook's parameters cell is read without running it, and nothing but what it allows gets in."""

import pytest

from tokcost.report.errors import ReportError
from tokcost.report.parameters import parse_cell, read_parameters


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
    with pytest.raises(ReportError, match="one of bf16, fp8, fp4; got 'fp9'; did you mean"):
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
    with pytest.raises(ReportError, match="`benchmark_path` must be text, got 3; put it in quotes"):
        path.check(3)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("a = 2 * 3", r"line 1 is not `name = literal`: a = 2 \* 3"),
        ("a = 1\nprint(a)", r"line 2 is not `name = literal`: print\(a\)"),
        ("a: float = 1", "line 1 is not `name = literal`"),
        ("a = b = 1", "line 1 is not `name = literal`"),
        ("a = [1, 2]", "a parameter is a number, text, True or False"),
        ("a = None", "a parameter is a number, text, True or False"),
        ("a = 1\na = 2", r"`a` is assigned twice \(line 2\)"),
        ("a = (", "line 1 of the parameters is not Python"),
        ("utilization_frac = 45.0  # share, 0 to 1", "the default is not allowed: .*give a fraction, not a percentage"),
        ('mode = "x"  # one of: a, b', "the default is not allowed: `mode` must be one of a, b"),
        ("a = 1e999", "the default is not allowed: `a` must be a finite number"),
        ("utilization_frac = 1.0  # share, 2 to 3", "the range of its comment lies outside the plausible one"),
    ],
)
def test_a_cell_that_is_not_a_plain_list_of_literals_is_refused(source, says):
    with pytest.raises(ReportError, match=says):
        parse_cell(source)


def test_a_notebook_has_exactly_one_parameters_cell(tmp_path, notebook):
    none = notebook(tmp_path / "none.ipynb", ("code", "a = 1"))
    two = notebook(tmp_path / "two.ipynb", ("code", "a = 1", "parameters"), ("markdown", "x"), ("code", "b = 1", "parameters"))
    with pytest.raises(ReportError, match="none.ipynb has no cell tagged `parameters`"):
        read_parameters(none)
    with pytest.raises(ReportError, match=r"two.ipynb has 2 cells \(1, 3\) tagged `parameters`"):
        read_parameters(two)


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"cells": 3}', '{"worksheets": []}', '{"cells": [{"source": 3}]}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, content):
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(ReportError, match="x.ipynb is not a notebook in format 4"):
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
    with pytest.raises(ReportError, match=says):
        number().parse(text)


@pytest.mark.parametrize("text", ["2.5", "1e4", "3.0", "nan", "true", "1_0"])
def test_a_whole_number_stays_whole(text):
    with pytest.raises(ReportError, match="`n` must be (a whole number|a finite number)"):
        number("n = 3").parse(text)
    assert number("n = 3").parse("12") == 12


def test_a_whole_number_that_was_meant_is_offered():
    with pytest.raises(ReportError, match="got 10000.0; write 10000$"):
        number("n = 3").parse("1e4")


def test_true_and_false_and_nothing_like_them():
    switch = number("use_mtp = False")
    assert switch.parse("true") is True and switch.parse("False") is False
    for text, fix in (("1", "true"), ("yes", "true"), ("off", "false")):
        with pytest.raises(ReportError, match=f"must be true or false, got '{text}'; write {fix}"):
            switch.parse(text)


@pytest.mark.parametrize("value", [True, "3", None, [1], {"x": 1}])
def test_values_from_files_keep_their_type(value):
    with pytest.raises(ReportError, match="`a` must be a number, got"):
        number().check(value)


def test_a_number_where_text_belongs_wants_quotes():
    with pytest.raises(ReportError, match="`name` must be text, got 3; put it in quotes"):
        number('name = "x"').check(3)


def test_both_ends_of_a_range_are_allowed_and_nothing_beyond():
    share = number("x = 0.5  # 0.1 to 0.9")
    assert share.check(0.1) == 0.1 and share.check(0.9) == 0.9
    for outside in (0.0999, 0.9001):
        with pytest.raises(ReportError, match=r"`x` must be in \[0.1, 0.9\]"):
            share.check(outside)
