"""What the world of a run is: the tables that it used, and the files that its parameters name."""

import pytest

from tokcost.parameters.declaration import Parameter
from tokcost.parameters.settings import Setting
from tokcost.report.memory import remember
from tokcost.report.memory.remember import named_files


@pytest.fixture
def prints(tmp_path):
    """Fingerprints of what a parameter names, seen from a notebook in an empty folder."""

    def ask(value, **declared):
        setting = Setting(Parameter("results_path", "", str, holds="files", **declared), value, "command line")
        return named_files([setting], tmp_path / "a.ipynb")

    return ask


def test_a_folder_has_the_fingerprint_of_what_is_in_it_and_not_of_where_it_is(tmp_path, prints):
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "run.json").write_text("1")
    one, two = prints("one"), prints(str(tmp_path / "two"))
    assert one == two and list(one) == ["files of parameter results_path"]
    (tmp_path / "two" / "deep" / "run.json").write_text("2")
    assert prints("two") != one
    (tmp_path / "one" / "deep" / "run.json").rename(tmp_path / "one" / "run.json")
    assert prints("one") != one


def test_text_that_names_nothing_and_a_choice_are_no_files(tmp_path, prints):
    (tmp_path / "h200").write_text("1")
    assert prints("nowhere") == prints("") == prints("h200", choices=("h200",)) == {}
    assert prints("\0") == {}


def test_more_than_can_be_compared_is_like_no_other(tmp_path, prints, monkeypatch):
    (tmp_path / "big").write_text("12345")
    monkeypatch.setattr(remember, "MOST_FILE_BYTES", 4)
    assert prints("big") != prints("big")


def test_the_example_of_the_suite_is_found_from_anywhere(prints):
    assert prints("data/benchmark_example")
