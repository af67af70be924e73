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
        files.prepare(tmp_path / "file" / "out")
