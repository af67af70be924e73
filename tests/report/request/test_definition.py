"""What can be asked for: notebooks, definitions, directories of definitions."""

import re
from pathlib import Path

import pytest

from tokcost.report.errors import ReportError
from tokcost.report.request.definition import jobs, read_definition

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, notebook, parameters_source):
    monkeypatch.chdir(tmp_path)
    for stem in ("01-cost", "02-other"):
        notebook(tmp_path / "notebooks" / f"{stem}.ipynb", ("code", parameters_source, "parameters"))
    return tmp_path


def test_a_notebook_by_path_and_by_bare_name():
    for target in ("notebooks/01-cost.ipynb", "01-cost"):
        (job,), _ = jobs((target,))
        assert job.name == "01-cost" and job.notebook == Path("notebooks/01-cost.ipynb")


def test_a_definition_names_its_notebook_relative_to_itself(here):
    (here / "d").mkdir()
    path = here / "d" / "ours.toml"
    shows = 'show_code = true\none_page = true\ngroup = "Decide"\n'
    path.write_text(f'notebook = "../notebooks/01-cost.ipynb"\ntitle = "Ours?"\n{shows}[parameters]\nosl = 8\n')
    (job,) = read_definition(path)
    assert job.one_page and job.group == "Decide"
    assert (job.name, job.title, job.show_code, job.layer.values, job.layer.origin) == ("ours", "Ours?", True, {"osl": 8}, "ours.toml")


def test_a_definition_names_a_notebook_of_the_suite_as_the_command_line_does(here):
    (here / "elsewhere").mkdir()
    path = here / "elsewhere" / "ours.toml"
    path.write_text('notebook = "01-cost"')
    assert read_definition(path)[0].notebook == Path("notebooks/01-cost.ipynb")
    path.write_text('notebook = "01-what-does-a-million-tokens-cost"')
    assert read_definition(path)[0].notebook == ROOT / "notebooks" / "01-what-does-a-million-tokens-cost.ipynb"


def test_a_directory_gives_all_its_definitions_in_order(here):
    (here / "d").mkdir()
    for name in ("b", "a"):
        (here / "d" / f"{name}.toml").write_text('notebook = "../notebooks/01-cost.ipynb"')
    assert [job.name for job in jobs(("d",))[0]] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('notebok = "x"', "x.toml has an unknown key `notebok`; did you mean `notebook`"),
        ('notebook = "../notebooks/01-cost.ipynb"\nshow = 1', "unknown key `show`"),
        ("title = 'x'", "x.toml does not say its `notebook`"),
        ("notebook = 3", "x.toml: `notebook` must be text, got 3$"),
        ('notebook = "01-cost"\nparameters = 3', r"x.toml: `parameters` must be a table, got 3; write its lines under \[parameters\]$"),
        ('notebook = "01-cost"\nshow_code = "yes"', "x.toml: `show_code` must be true or false, got 'yes'; write show_code = true$"),
        ('notebook = "01-cots"', "there is no notebook 01-cots; did you mean `01-cost.ipynb`"),
        ('notebook = "../notebooks/01-cots"', "there is no notebook ../notebooks/01-cots; did you mean `01-cost.ipynb`"),
        ('notebook = "../notebooks/01-cots.ipynb"', "there is no notebook ../notebooks/01-cots.ipynb; did you mean `01-cost.ipynb`"),
        ('notebook = "../notebooks/01-cost.ipynb"\nname = "../x"', "'../x' cannot name a report"),
        ('notebook = "../notebooks/01-cost.ipynb"\nname = "index"', "'index' cannot name a report"),
        ("notebook = ", "x.toml is not valid TOML"),
    ],
)
def test_a_wrong_definition_is_answered_with_its_file_and_the_fix(here, text, says):
    (here / "d").mkdir()
    (here / "d" / "x.toml").write_text(text)
    with pytest.raises(ReportError, match=says):
        read_definition(Path("d/x.toml"))
    (job,), (refused,) = jobs(("d/x.toml", "01-cost"))
    assert job.name == "01-cost" and refused.name == "x" and re.search(says, refused.reason), "the others can still be made"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("01-cots", "there is no notebook, definition or directory 01-cots; did you mean `01-cost`"),
        ("notebooks/01-cots.ipynb", "notebooks/01-cots.ipynb; did you mean `01-cost.ipynb`"),
        ("nowhere.toml", "there is no file nowhere.toml"),
        ("notebooks", r"the directory notebooks holds no report definition \(\*.toml\)"),
    ],
)
def test_a_target_that_is_not_there_is_answered_with_the_nearest(here, target, says):
    with pytest.raises(ReportError, match=says):
        jobs((target,))


def test_a_file_of_another_kind_is_refused(here):
    (here / "x.txt").write_text("")
    (refused,) = jobs(("x.txt", "01-cost"))[1]
    assert "x.txt is neither a notebook (.ipynb) nor a report definition (.toml)" in refused.reason


def test_two_reports_cannot_write_the_same_files(here):
    with pytest.raises(ReportError, match="two reports would write one file, 01-cost.html"):
        jobs(("01-cost", "notebooks/01-cost.ipynb"))


def test_the_default_set_is_the_four_questions_with_their_own_defaults():
    for path in sorted((ROOT / "reports").glob("*.toml")):
        assert f"{path.stem}.ipynb" in path.read_text()
    assert len(list((ROOT / "reports").glob("*.toml"))) >= 4
