"""A workspace is made whole or not at all, and JupyterLab is missed in one sentence."""

import pytest
from click.testing import CliRunner

from tokcost import paths, workspace
from tokcost.cli import main


def test_a_workspace_holds_every_notebook_and_definition(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for folder in ("new/costs", "empty"):
        done = CliRunner().invoke(main, ["new", folder])
        assert done.exit_code == 0, done.output
        for source in (*paths.NOTEBOOKS.glob("*.ipynb"), *paths.REPORTS.glob("*.toml")):
            assert (tmp_path / folder / source.parent.name / source.name).read_bytes() == source.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"]


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep")
    for name, says in (("mine", "mine is not empty; name"), ("mine/notes.txt", "notes.txt is a file; name a folder")):
        done = CliRunner().invoke(main, ["new", name])
        assert done.exit_code == 2 and says in done.output and done.output.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "notes.txt"]


def test_nothing_half_written_is_left_where_a_copy_fails(tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workspace.shutil, "copyfile", full)
    done = CliRunner().invoke(main, ["new", "costs"])
    assert done.exit_code == 2 and "No space left on device; choose a folder" in done.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("has_notebooks", "says"), [(False, "make a workspace with: tokcost new"), (True, 'pip install "tokcost[lab]"')])
def test_lab_says_what_is_missing(tmp_path, monkeypatch, has_notebooks, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workspace.importlib.util, "find_spec", lambda name: None)
    if has_notebooks:
        (tmp_path / "notebooks").mkdir()
        (tmp_path / "notebooks" / workspace.START).touch()
    done = CliRunner().invoke(main, ["lab"])
    assert done.exit_code == 2 and says in done.output and done.output.count("\n") == 1


def test_a_layout_that_somebody_has_made_stays(tmp_path):
    workspace.save_layout(tmp_path)
    (saved,) = tmp_path.iterdir()
    assert workspace.START in saved.read_text()
    saved.write_text("mine")
    workspace.save_layout(tmp_path)
    assert saved.read_text() == "mine"


def test_jupyterlab_trusts_the_notebooks_as_shipped_and_no_others(tmp_path, monkeypatch):
    from nbformat import read
    from nbformat.sign import NotebookNotary

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    names = ["01-what-does-a-million-tokens-cost.ipynb", "02-input-or-output-metrics.ipynb"]
    for name in names:
        (tmp_path / name).write_bytes((paths.NOTEBOOKS / name).read_bytes())
    (tmp_path / names[1]).write_text((tmp_path / names[1]).read_text("utf-8").replace("Three rankings", "<b>Three</b>"), "utf-8")
    workspace.trust_shipped(tmp_path)
    assert [NotebookNotary().check_signature(read(tmp_path / name, as_version=4)) for name in names] == [True, False]
