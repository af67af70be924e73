"""One definition, several reports: a grid gives one for each combination, a table one for each row."""

from pathlib import Path

import pytest

from tokcost.report.errors import ReportError
from tokcost.report.request.definition import jobs, jobs_of_rows, read_definition
from tokcost.report.request.plan import plan


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, notebook, parameters_source):
    monkeypatch.chdir(tmp_path)
    notebook(tmp_path / "01-cost.ipynb", ("code", parameters_source, "parameters"))
    return tmp_path


def define(text: str, table: str | None = None) -> Path:
    Path("x.toml").write_text(f'notebook = "01-cost.ipynb"\n{text}')
    if table is not None:
        Path("clusters.csv").write_text(table)
    return Path("x.toml")


def values(path: Path) -> dict[str, dict]:
    plans, refused = plan(read_definition(path), [])
    assert not refused
    return {ready.job.name: {s.parameter.name: s.value for s in ready.settings if s.changed} for ready in plans}


def test_a_grid_gives_a_report_for_each_combination():
    made = values(define('title = "Ours"\n[parameters]\nosl = 8\n[each]\naccelerator = ["h200", "gb300"]\nutilization_frac = [0.3, 0.6]'))
    assert list(made) == ["x-h200-0.3", "x-h200-0.6", "x-gb300-0.3", "x-gb300-0.6"]
    assert made["x-gb300-0.6"] == {"osl": 8, "accelerator": "gb300", "utilization_frac": 0.6}
    assert [job.title for job in read_definition(Path("x.toml"))][0] == "Ours (h200 0.3)"


def test_a_table_gives_a_report_for_each_row_and_an_empty_cell_changes_nothing():
    table = "name,rate_usd_per_gpu_h,use_mtp\nfrankfurt,2.9,true\n\n<b>x</b>,3.1,\n"
    made = values(define('title = "Ours"\neach = "clusters.csv"', table))
    assert made == {"x-frankfurt": {"rate_usd_per_gpu_h": 2.9, "use_mtp": True}, "x-b-x-b": {"rate_usd_per_gpu_h": 3.1}}
    assert "<b>" not in str(read_definition(Path("x.toml"))[1].title), "a word of a table is text"


@pytest.mark.parametrize(
    ("text", "table", "says"),
    [
        ("each = 3", None, "x.toml: `each` must be a table file or a grid, got 3; write each ="),
        ('each = "clusters.xlsx"', None, "`each` must name a table that ends in .csv"),
        ('each = "cluster.csv"', "osl\n1", "x.toml: `each`: there is no file cluster.csv; did you mean `clusters.csv`"),
        ('each = "clusters.csv"', "osl\n", "clusters.csv has no rows"),
        ('each = "clusters.csv"', "osl,\n1,2", "clusters.csv line 1: each column needs a name"),
        ('each = "clusters.csv"', "osl\n1,2", "clusters.csv line 2 has 2 values for 1 columns"),
        ('each = "clusters.csv"', "name,osl\na,1\na,2", "two rows have the `name` 'a'"),
        ('each = "clusters.csv"', "osl\n" + "1\n" * 30_000, "10,000 is the most"),
        ('each = "clusters.csv"', f"name,osl\n{'漢' * 100},1", "cannot name a report; .* 200 bytes at most"),
        ("[each]", None, "`each` is empty"),
        ("[each]\nosl = 8", None, r"`each.osl` must list values, got 8; write osl = \[1, 2\]"),
        ("[each]\nosl = []", None, "`each.osl` must list values, got an empty list"),
        ("[each]\nosl = [8, 8]", None, "`each.osl` lists a value twice"),
        ("[parameters]\nosl = 8\n[each]\nosl = [1, 2]", None, "`osl` is set under .parameters. and by `each`"),
        (f"[each]\nosl = {list(range(1, 200))}\nisl = {list(range(1, 200))}", None, "10,000 is the most"),
    ],
)
def test_a_wrong_each_is_answered_with_file_key_and_fix(text, table, says):
    with pytest.raises(ReportError, match=says):
        read_definition(define(text, table))


@pytest.mark.parametrize("names", [("a b", "a/b"), ("Berlin", "berlin")])
def test_two_rows_whose_names_make_one_file_are_refused_before_one_overwrites_the_other(names):
    path = define('each = "clusters.csv"', "name,osl\n" + "".join(f"{name},{n}\n" for n, name in enumerate(names, 1)))
    wanted = "two reports would write one file, .*clusters.csv line 2.* and .*clusters.csv line 3"
    with pytest.raises(ReportError, match=wanted):
        jobs((str(path),))
    with pytest.raises(ReportError, match=wanted):
        jobs_of_rows(("01-cost.ipynb",), "clusters.csv")


@pytest.mark.parametrize(
    ("text", "table", "says"),
    [
        ("[each]\nosk = [1, 2]", None, "x.toml: 01-cost.ipynb has no parameter `osk`; did you mean `osl`"),
        ('each = "clusters.csv"', "osl\nmany", "clusters.csv line 2: `osl`"),
    ],
)
def test_a_value_that_a_parameter_does_not_take_is_answered_with_its_line(text, table, says):
    found, _ = jobs((str(define(text, table)),))
    _, refused = plan(found, [])
    assert says in refused[0].reason
