"""What is published names no place on the machine that made it."""

import os
import tempfile
from pathlib import Path

import pytest

from tokcost.parameters.declaration import Parameter
from tokcost.parameters.settings import Setting
from tokcost.report.page.private import Places
from tokcost.show.text import literal


def setting(value, default="data/example", **declared):
    return Setting(Parameter("benchmark_path", default, str, **{"holds": "a file or a folder", **declared}), value, "command line")


def test_home_temporary_and_working_folders_are_replaced_as_whole_names():
    places = Places(Path("/srv/team/notebooks/a.ipynb"))
    home = Path.home()
    assert places.hidden([{"a": f"File {home}/x.py:3, {home}er, /srv/team/notebooks/b and {tempfile.gettempdir()}/c/d"}]) == [
        {"a": f"File ~/x.py:3, {home}er, ./b and $TMPDIR/c/d"}
    ]
    assert places.hidden({"image/png": f"AA{os.sep}{home}/"}) == {"image/png": f"AA{os.sep}{home}/"}


@pytest.mark.parametrize(
    "given", ["/mnt/acme/runs *v2*", "/mnt/acme/runs *v2*/", "acme/runs *v2*", "../acme/runs *v2*", "~/acme/runs *v2*"]
)
def test_of_a_path_that_was_given_the_last_name_is_shown(given):
    path = setting(given)
    places = Places(Path("a.ipynb"), [path])
    assert places.setting(path).value == "runs *v2*"
    absolute = str(Path(given).expanduser().absolute())
    for form in (given, absolute, literal(absolute)):
        assert places.hidden(f"read from {form}; done").replace("&#42;", "*") in ("read from runs *v2*; done", "read from runs *v2*/; done")


def test_a_parameter_that_is_named_for_a_path_holds_one():
    path = Setting(Parameter("results_path", "", str, holds="what we measured"), "acme/runs", "command line")
    assert Places(Path("a.ipynb"), [path]).setting(path).value == "runs"


def test_the_default_and_a_choice_are_no_secret():
    for known in (setting("data/example"), setting("org/model", choices=("org/model", "data/example"))):
        assert Places(Path("a.ipynb"), [known]).setting(known).value == known.value


def test_nothing_published_names_a_place(tmp_path, tokcost, notebook):
    """Page, result, executed and failed notebook, and the index, of a notebook that says all it knows of the machine."""
    home, temporary, work = (tmp_path / name for name in ("home", "temporary", "work"))
    for folder in (home, temporary, work / "secret"):
        folder.mkdir(parents=True)
    tell = "import os, sys, tempfile, warnings\nprint(os.getcwd(), os.path.expanduser('~'), tempfile.gettempdir(), folder)\nfolder"
    given = ("code", 'folder = "data"  # any text: a folder', "parameters")
    notebook(work / "good.ipynb", ("markdown", "# Q?"), given, ("code", tell))
    notebook(work / "bad.ipynb", ("markdown", "# Q?"), given, ("code", "open(folder + '/nothing')"))
    environment = {"HOME": str(home), "TMPDIR": str(temporary)}
    run = tokcost("report", "good.ipynb", "bad.ipynb", "-p", f"folder={work / 'secret'}", "-o", "out", cwd=work, **environment)
    assert run.status == 1, run.err
    published = [path for path in (work / "out").rglob("*") if path.is_file()]
    assert len(published) == 7
    for path in published:
        text = path.read_text(errors="replace")
        assert str(tmp_path) not in text and "papermill" not in text.replace('"papermill": "', "").replace("papermill 2", ""), path.name
        assert "secret" in text or path.name == "glossary.html"
    assert "-p folder=secret" in (work / "out" / "good.html").read_text()


def test_a_secret_is_hidden_wherever_it_stands():
    given = Setting(Parameter("api_token", "", str, holds="who asks"), "hunter2*", "command line")
    places = Places(Path("a.ipynb"), [given])
    assert places.setting(given).value == "(secret)"
    assert places.hidden(["Bearer:hunter2*x", literal("user-hunter2*")]) == ["Bearer:(secret)x", "user-(secret)"]


@pytest.mark.parametrize(("name", "is_hidden"), [("password", True), ("hub_token", True), ("token_class", False)])
def test_the_name_of_a_parameter_says_whether_it_is_a_secret(name, is_hidden):
    given = Setting(Parameter(name, "", str, holds="what"), "hunter2", "command line")
    assert Places(Path("a.ipynb"), [given]).setting(given).value == ("(secret)" if is_hidden else "hunter2")
