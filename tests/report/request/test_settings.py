"""Who sets a parameter, and everything that is refused before anything runs: one sentence, status 2, nothing written."""

import pytest

from tokcost.errors import InputError
from tokcost.parameters.declaration import Parameter
from tokcost.parameters.settings import settings
from tokcost.report.request.layers import from_file

CASES = {
    "unknown parameter": (
        ["-p", "rate_usd_per_gpu=3"],
        "01-cost.ipynb has no parameter `rate_usd_per_gpu`; did you mean `rate_usd_per_gpu_h`?",
    ),
    "wrong type": (["-p", "rate_usd_per_gpu_h=lots"], "command line: `rate_usd_per_gpu_h` must be a number, got 'lots'"),
    "not a number": (["-p", "rate_usd_per_gpu_h=nan"], "must be a finite number, got nan"),
    "percent": (["-p", "utilization_frac=45"], "must be in [0.05, 1], got 45; give a fraction, not a percentage"),
    "out of range": (["-p", "rate_usd_per_gpu_h=0"], "must be in [0.1, 100], got 0"),
    "not a choice": (["-p", "accelerator=h20"], "must be one of h200, gb300; got 'h20'; did you mean `h200`?"),
    "fraction of a token": (["-p", "osl=2.5"], "`osl` must be a whole number, got 2.5"),
    "malformed": (["-p", "rate_usd_per_gpu_h"], "'rate_usd_per_gpu_h' is not name=value"),
    "no name": (["-p", "=3"], "'=3' is not name=value"),
    "empty value": (["-p", "accelerator="], "`accelerator` has no value"),
    "twice": (["-p", "osl=1", "-p", "osl=2"], "`osl` is given twice (1 and 2); keep one"),
    "no such file": (["-f", "nowhere.toml"], "there is no file nowhere.toml"),
    "nearly that file": (["-f", "clutser.toml"], "there is no file clutser.toml; did you mean `cluster.toml`?"),
    "not such a file": (["-f", "values.csv"], "a parameter file ends in .toml, .yaml or .yml"),
    "broken toml": (["-f", "broken.toml"], "broken.toml is not valid TOML"),
    "broken yaml": (["-f", "broken.yaml"], "broken.yaml line 2 is not valid YAML"),
    "yaml list": (["-f", "list.yaml"], "list.yaml must hold lines of the form name: value"),
    "yaml key twice": (["-f", "twice.yaml"], "twice.yaml line 2 is not valid YAML: `osl` is given twice"),
    "yaml without a value": (["-f", "nothing.yaml"], "nothing.yaml: `osl` must be a whole number, got nothing"),
    "a definition as values": (["-f", "definition.toml"], "definition.toml is a report definition; pass it as TARGET"),
    "a definition's table as values": (["-f", "parameters.toml"], "parameters.toml is a report definition"),
    "no directory": (["-o", " "], "--output is empty; name a directory, such as --output out"),
    "yaml yes": (["-f", "yes.yaml"], "yes.yaml: `use_mtp` must be true or false, got 'yes'; write true"),
    "yaml octal": (["-f", "octal.yaml"], "octal.yaml: `osl` must be a whole number, got '010'; write 10"),
    "quoted number": (["-f", "quoted.toml"], "must be a number, got '3.2'; write 3.2 without quotes"),
    "table in toml": (["-f", "table.toml"], "`osl` must be a whole number, got a table"),
    "unknown name in a file": (["-f", "unknown.toml"], "unknown.toml: 01-cost.ipynb has no parameter `ols`; did you mean `osl`?"),
    "binary": (["-f", "binary.toml"], "binary.toml is not UTF-8 text"),
}
FILES = {
    "cluster.toml": "osl = 1", "values.csv": "osl,1", "broken.toml": "osl = = 1", "broken.yaml": "osl: 1\nx: [", "list.yaml": "- 1",
    "nothing.yaml": "osl:\n", "definition.toml": 'notebook = "01-cost"', "parameters.toml": "[parameters]\nosl = 1",
    "twice.yaml": "osl: 1\nosl: 2", "yes.yaml": "use_mtp: yes", "octal.yaml": "osl: 010", "quoted.toml": 'rate_usd_per_gpu_h = "3.2"',
    "table.toml": "[osl]\nx = 1", "unknown.toml": "ols = 1",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_request_gets_one_sentence_and_writes_nothing(ask, tmp_path, case):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    arguments, says = CASES[case]
    before = sorted(tmp_path.rglob("*"))
    done = ask("01-cost", "--output", "out/deep", *arguments)
    assert done.status == 2
    assert says in done.err
    assert done.err.count("\n") == 1 and done.err.startswith("tokcost report: ") and done.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_a_data_directory_that_is_not_there_is_said_before_anything_runs(ask, monkeypatch):
    monkeypatch.setenv("TOKCOST_DATA_DIR", "nowhere")
    done = ask("01-cost")
    assert done.status == 2 and done.err.startswith("tokcost report: there is no data directory nowhere; set TOKCOST_DATA_DIR")


def test_a_later_place_wins_and_the_dry_run_says_which(ask, tmp_path):
    (tmp_path / "team.toml").write_text(
        'notebook = "notebooks/01-cost.ipynb"\n[parameters]\nrate_usd_per_gpu_h = 2\n'
        'utilization_frac = 0.5\nosl = 10\naccelerator = "gb300"'
    )
    (tmp_path / "a.toml").write_text("utilization_frac = 0.6\nosl = 20\n")
    (tmp_path / "b.yaml").write_text("osl: 30\n")
    done = ask("team.toml", "-f", "a.toml", "-f", "b.yaml", "-p", "rate_usd_per_gpu_h=4", "--dry-run")
    assert done.status == 0 and done.err == ""
    rows = {line.split()[0]: line.split() for line in done.out.splitlines() if line.startswith("  ")}
    assert rows["rate_usd_per_gpu_h"][1:] == ["4", "USD", "per", "GPU-hour", "command", "line"]
    assert rows["utilization_frac"][1:] == ["0.6", "a.toml"]
    assert rows["osl"][1:] == ["30", "b.yaml"]
    assert rows["accelerator"][1:] == ["gb300", "team.toml"]
    assert rows["use_mtp"][1:] == ["false", "notebook", "default"]
    assert "would write reports/output/team.html" in done.out
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("written", "value"),
    [("3e4", 30000.0), ("1.0e6", 1e6), ("3", 3.0), ("0.5", 0.5), (".5e1", 5.0), ("+7", 7.0), ("&a 8", 8.0)],
)
def test_yaml_reads_numbers_as_people_mean_them(tmp_path, written, value):
    assert set_by_yaml(tmp_path, f"size: {written}") == value


NO_NUMBERS = [
    "1:30", "1_000", "2026-11-23", "on", "010", "0x10", ".inf", '"8"', "'8'", "!!str 8x", "!!binary aGk=", "!!int '8x'", "[8]", "{8: 8}",
    "~", "", "!!python/name:os.system ''", "!!set {8}",
]  # fmt: skip


@pytest.mark.parametrize("written", NO_NUMBERS)
def test_yaml_reads_nothing_else_as_a_number(tmp_path, written):
    with pytest.raises(InputError, match="`size` must be a number, got|no kind of value"):
        set_by_yaml(tmp_path, f"size: {written}")


def set_by_yaml(folder, text):
    path = folder / "x.yaml"
    path.write_text(text + "\n")
    (found,) = settings([Parameter("size", 1.0, float)], [from_file(path)])
    return found.value


def test_an_empty_file_sets_nothing_but_false_is_no_list_of_values(ask, tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    (tmp_path / "false.yaml").write_text("false\n")
    assert ask("01-cost", "-f", "empty.yaml", "--dry-run").status == 0
    assert ask("01-cost", "-f", "false.yaml", "--dry-run").status == 2


def test_help_parameters_lists_name_default_unit_range_and_meaning(ask):
    done = ask("--help-parameters", "01-cost")
    assert done.status == 0
    line = next(line for line in done.out.splitlines() if "utilization_frac" in line)
    assert line.split("  ")[1] == "utilization_frac"
    assert "0.45" in line and "0.05 to 1" in line and "share of the hour that delivers tokens" in line
    assert "one of: h200, gb300" in done.out and "USD per GPU-hour" in done.out


def test_with_several_reports_a_name_must_belong_to_one_of_them(ask, tmp_path, notebook):
    notebook(tmp_path / "notebooks" / "02-other.ipynb", ("code", "share = 0.5  # of it, 0 to 1", "parameters"))
    assert ask("01-cost", "02-other", "-p", "share=0.4", "--dry-run").status == 0
    done = ask("01-cost", "02-other", "-p", "shaer=0.4", "--dry-run")
    assert done.status == 2 and "none of the 2 notebooks has a parameter `shaer`; did you mean `share`?" in done.err
