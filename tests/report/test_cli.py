"""`tokcost` itself: instant, and a lesson before it is a tool."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from tokcost.cli import COMMANDS, main


def test_help_shows_the_formula_the_first_commands_and_every_subcommand():
    said = CliRunner().invoke(main, ["--help"]).output
    assert "price of a GPU-hour / tokens in that hour" in said
    assert "tokcost report reports" in said and "Exit status" in said
    assert all(f"  {name}" in said for name in COMMANDS)


def test_version_loads_nothing_heavy():
    code = "import sys; from tokcost.cli import main; main(['--version'], standalone_mode=False); print(sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("tokcost 0.")
    for heavy in ("numpy", "pandas", "papermill", "nbformat", "jupyter_client", "rich", "pydantic"):
        assert f"'{heavy}'" not in said


def test_a_wrong_value_is_answered_before_anything_heavy_is_loaded(tmp_path, notebook, parameters_source):
    notebook(tmp_path / "a.ipynb", ("code", parameters_source, "parameters"))
    code = (
        "import sys, atexit; atexit.register(lambda: print(sorted(sys.modules))); from tokcost.cli import main; "
        "main(['report', 'a.ipynb', '-p', 'osl=x'])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 2
    for heavy in ("papermill", "nbconvert", "nbformat", "jupyter_client", "pandas", "matplotlib"):
        assert f"'{heavy}'" not in said.stdout


def test_a_misspelt_command_is_answered_with_the_nearest():
    done = CliRunner().invoke(main, ["reprot"])
    assert done.exit_code == 2 and "there is no command `reprot`; did you mean `report`?" in done.output


def test_a_report_of_nothing_says_what_is_missing():
    done = CliRunner().invoke(main, ["report"])
    assert done.exit_code == 2 and done.output == "tokcost report: missing argument 'TARGET...'; see tokcost report --help\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--foo", "tokcost: no such option '--foo'; see tokcost --help"),
        ("report x --timout 3", "tokcost report: no such option '--timout'; did you mean '--output', '--report-timeout' or '--timeout'?"),
        ("report x --timeout soon", "invalid value for '--timeout': 'soon' is not a whole number; see tokcost report --help"),
        ("report x --timeout 0", "tokcost report: invalid value for '--timeout': must be 1 or more, got 0; see tokcost report --help"),
        ("report x --output", "option '--output' requires an argument"),
        ("import nowhere", "tokcost import: invalid value for 'PATHS...'"),
        ("import --seconds 0 nowhere", "must be more than 0, got 0.0"),
        ("data check extra", "tokcost data check: unexpected extra argument (extra)"),
    ],
)
def test_a_call_that_is_wrong_is_answered_in_one_sentence(arguments, says):
    done = CliRunner().invoke(main, arguments.split())
    assert done.exit_code == 2 and says in done.output
    assert done.output.count("\n") == 1 and "Usage:" not in done.output


def test_no_arguments_at_all_are_answered_with_the_help():
    assert "Usage:" in CliRunner().invoke(main, ["data"]).output


def test_python_m_runs_the_command():
    said = subprocess.run([sys.executable, "-m", "tokcost.cli", "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("tokcost 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_leads_to_something(name):
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0 and "Usage:" in done.output
