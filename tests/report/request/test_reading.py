"""Whatever lies where a notebook, a definition or a parameter file should: one sentence, at once, in little memory."""

import json
import os

import pytest

from tokcost.errors import InputError
from tokcost.parameters.declaration import parse_cell
from tokcost.report.request.declared import read_parameters
from tokcost.report.request.layers import from_file
from tokcost.report.request.reading import MOST_BYTES, read_notebook, read_text, read_toml

CELL = {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "source": "x = 1.0", "outputs": [], "execution_count": None}
NOTEBOOK = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_only_ordinary_files_of_bounded_size_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "large").write_bytes(b" " * (MOST_BYTES + 1))
    (tmp_path / "latin").write_bytes("caf\xe9".encode("latin-1"))
    wrong = {"pipe": "no ordinary file", "zero": "no ordinary file", "round": "cannot read", "large": "larger than", "latin": "not UTF-8"}
    for name, says in wrong.items():
        with pytest.raises(InputError, match=f"{name}.*{says}|{says}.*{name}"):
            read_text(tmp_path / name)
    with pytest.raises(InputError, match="cannot read"):
        read_text(tmp_path / "a\0b")
    with pytest.raises(InputError, match="cannot read|no ordinary file"):
        read_text(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfx")
    assert read_text(tmp_path / "a") == "x"


DAMAGED = {
    "no json": "{",
    "nested": "[" * 100_000,
    "digits": '{"nbformat": ' + "9" * 5000 + "}",
    "a list": "[]",
    "a word": '"x"',
    "another format": {"nbformat": 3},
    "a later format": {"nbformat": 99},
    "format as text": {"nbformat": "4"},
    "format as truth": {"nbformat": True},
    "no metadata": {"metadata": None},
    "metadata as list": {"metadata": []},
    "kernel as nothing": {"metadata": {"kernelspec": None}},
    "cells as table": {"cells": {}},
    "no cell": {"cells": [None]},
    "cell of no kind": {"cells": [{"source": "x", "metadata": {}}]},
    "cell of another kind": {"cells": [CELL | {"cell_type": "evil"}]},
    "cell without metadata": {"cells": [CELL | {"metadata": None}]},
    "tags as a word": {"cells": [CELL | {"metadata": {"tags": "parameters"}}]},
    "tags as nothing": {"cells": [CELL | {"metadata": {"tags": None}}]},
    "source as number": {"cells": [CELL | {"source": 7}]},
    "outputs as a word": {"cells": [CELL | {"outputs": "x"}]},
    "another language": {"metadata": {"kernelspec": {"language": "R"}}},
    "another language yet": {"metadata": {"language_info": {"name": "bash"}}},
}


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_no_notebook_is_refused_in_one_sentence(tmp_path, what):
    damage = DAMAGED[what]
    path = tmp_path / "a.ipynb"
    path.write_text(damage if isinstance(damage, str) else json.dumps(NOTEBOOK | damage))
    with pytest.raises(InputError, match=r"a.ipynb is (?:not a notebook|written in)") as refusal:
        read_notebook(path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "source",
    ["x = " + "-" * 5000 + "1", "x = " + "1+" * 5000 + "1", "x = " + "(" * 500 + ")" * 500, "x = {[]}", "x = {[]: 1}", "x = " + "9" * 5000,
     "x = 0x" + "f" * 9000, "x = 1\0", "x = '''", "  x = 1", "x = [1]", "x = b''", "x = f'{1}'", "(x := 1)", "x = 1.0  # m, 1e999 to 2",
     "x = 1.0  # m, 5 to 2", 'x = "a"  # one of: a in ../../etc/passwd.csv', "x = 1\ry = [2]"],
)  # fmt: skip
def test_what_is_no_cell_of_parameters_is_refused_in_one_sentence(source):
    with pytest.raises(InputError) as refusal:
        parse_cell(source)
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 300


def test_damage_in_the_cell_names_file_and_cell(tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps(NOTEBOOK | {"cells": [CELL | {"source": "x = {[]}"}]}))
    with pytest.raises(InputError, match="a.ipynb, cell 1: line 1 is not `name: type = literal`"):
        read_parameters(tmp_path / "a.ipynb")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a" + ".a" * 5000 + " = 1", "a = " + "9" * 5000, "a = {a = " * 5000, "a = 1\0"])
def test_toml_that_is_too_much_is_refused(tmp_path, text):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InputError, match="a.toml is not valid TOML: "):
        read_toml(tmp_path / "a.toml")


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 50_000, "a: " + "{" * 50_000, "- 1", "? [a]\n: 1", "a: 1\n---\nb: 2", "a: *b", "a: !!binary x", "a: \0"]
)
def test_yaml_that_is_no_list_of_values_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=r"a.yaml (?:line \d+: .* no kind of value|(?:line \d+ )?is not valid YAML|must hold lines)"):
        from_file(tmp_path / "a.yaml")


def test_yaml_that_grows_by_references_is_not_followed(tmp_path):
    letters = zip("abcdefgh", "bcdefghi", strict=True)
    (tmp_path / "a.yaml").write_text("a: &a [x]\n" + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in letters))
    assert set(map(repr, from_file(tmp_path / "a.yaml").values.values())) == {"[]"}
