"""Files are whole or not there."""

import os

import pytest

from tokcost.report.errors import ReportError, ReportFailed
from tokcost.report.execution import files


def test_a_full_disk_leaves_every_earlier_file_as_it_was(tmp_path, monkeypatch):
    for name in ("a.html", "a.json"):
        (tmp_path / name).write_text("good")
    calls = []

    def full(handle):
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportFailed, match="cannot write to .*: No space left on device"):
        files.write_all(tmp_path, {"a.html": "new", "a.json": "new"})
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.html": "good", "a.json": "good"}


def test_an_interruption_leaves_nothing_half_written(tmp_path, monkeypatch):
    def interrupt(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_all(tmp_path, {"a.html": "new"})
    assert list(tmp_path.iterdir()) == []


def test_files_have_the_rights_that_the_user_asks_for(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_atomically(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_place_that_cannot_be_written_to_is_known_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot write reports to .*file/out: .*; choose another with --output"):
        files.prepare(tmp_path / "file" / "out", [])


def test_a_place_that_is_taken_leaves_every_earlier_file_as_it_was(tmp_path):
    """The second of three files cannot take its place: the first is put back, the third was never touched."""
    (tmp_path / "a.html").write_text("good")
    (tmp_path / "b.json").mkdir()
    with pytest.raises(ReportFailed, match="cannot write to .*: Is a directory"):
        files.write_all(tmp_path, {"a.html": "new", "b.json": "new", "c.ipynb": "new"})
    assert (tmp_path / "a.html").read_text() == "good"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.json"]


def test_a_file_that_was_new_is_gone_again_when_another_cannot_be_written(tmp_path):
    (tmp_path / "b.json").mkdir()
    with pytest.raises(ReportFailed):
        files.write_all(tmp_path, {"a.html": "new", "b.json": "new"})
    assert [p.name for p in tmp_path.iterdir()] == ["b.json"]


def test_what_a_killed_run_left_is_swept_and_nothing_else(tmp_path):
    (tmp_path / "failed").mkdir()
    for name in (".a.html.abcd1234.tmp", "failed/.a.ipynb.abcd_234.tmp", ".mine.tmp", "a.html"):
        (tmp_path / name).write_text("")
    files.prepare(tmp_path, ["a.html"])
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".mine.tmp", "a.html", "failed"]


@pytest.mark.parametrize("name", ["a.html", "a.result.json", "index.html"])
def test_a_place_that_no_file_can_take_is_known_before_anything_runs(tmp_path, name):
    os.mkfifo(tmp_path / name) if name == "a.html" else (tmp_path / name).mkdir()
    with pytest.raises(ReportError, match=f"{name} is no file that a report can take the place of; move it away"):
        files.prepare(tmp_path, ["a.html", "a.result.json", "index.html"])


def test_half_a_character_does_not_keep_a_file_from_being_written(tmp_path):
    files.write_atomically(tmp_path / "a", "x\ud800y")
    assert (tmp_path / "a").read_text() == "x\ufffdy"
