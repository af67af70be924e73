"""`tokcost`: one command, its parts loaded when they are used, so that `tokcost --version` is instant."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from importlib import import_module
from typing import IO, Any

import click

import tokcost

#: subcommand -> where it lives, and what it is for
COMMANDS = {
    "report": ("tokcost.report.command:report", "Execute notebooks and write HTML reports."),
    "batch": ("tokcost.report.batch_command:batch", "Make hundreds of reports at once, one for each row of a table."),
    "history": ("tokcost.report.history_command:history", "List the runs of reports that were made, with their headline values."),
    "diff": ("tokcost.report.diff_command:diff", "Say why the headline of a report moved from one run to another."),
    "schedule": ("tokcost.schedule.command:schedule", "Make reports at their times and send them by mail, webhook or to a folder."),
    "import": ("tokcost.importers.command:import_files", "Read the files of a benchmark tool as measured rows."),
    "data": ("tokcost.renew.command:data", "Check the data tables, show a fact with its source, or add new evidence."),
    "calibrate": ("tokcost.serving.calibrate_command:calibrate", "Fit the constants of the throughput estimate again, with its accuracy."),
    "new": ("tokcost.workspace:new", "Make a workspace: notebooks and report definitions to edit."),
    "class": ("tokcost.teaching.command:class_", "Make a class of the notebooks: for students, and for the teacher."),
    "lab": ("tokcost.workspace:lab", "Open JupyterLab on the notebooks."),
    "schema": ("tokcost.schedule.command:schema", "Print the JSON Schema of report definitions, for editors."),
}

_HELP = """What AI inference really costs: from a GPU-hour to a million tokens.

\b
    cost per million tokens  =  price of a GPU-hour / tokens in that hour x 1,000,000

Start here:

\b
  tokcost report reports                          make all reports; open reports/output/index.html
  tokcost report 01-what-does-a-million-tokens-cost -p rate_usd_per_gpu_h=2.5
                                                  the same question with your own price
  tokcost report --help-parameters 01-what-does-a-million-tokens-cost
                                                  what can be changed, with unit and range
  tokcost new my-costs                            a folder with notebooks and definitions of your own, to edit
  tokcost lab                                     read and change the notebooks in JupyterLab

Exit status: 0 all is well, 1 a report or a check failed, 2 the request was wrong and nothing was done, 3 an alert fired.
"""


class WrongRequest(click.ClickException):
    """A request that click refuses, in one sentence."""

    exit_code = 2

    def __init__(self, error: click.UsageError):
        path = error.ctx.command_path if error.ctx else "tokcost"
        said = error.format_message().strip().removesuffix(".").removeprefix("Got ")
        if type(error) is not click.UsageError:  # click's own words; those of this project are plain, and say the fix
            for theirs, ours in _PLAIN_WORDS.items():
                said = re.sub(theirs, ours, said)
            said = said[:1].lower() + said[1:]
            if error.ctx and "did you mean" not in said:
                said += f"; see {path} --help"
        super().__init__(f"{path}: {said}")

    def show(self, file: IO[str] | None = None) -> None:
        click.echo(self.message, err=True)


#: what click says -> what people say
_PLAIN_WORDS = {
    r"\.?\s*\(?Did you mean (?:one of: )?([^)]+?)\??\)?$": r"; did you mean \1?",
    r"\ba valid integer(?: range)?\b|\ba valid int(?:eger)?\b": "a whole number",
    r"\ba valid float(?: range)?\b": "a number",
    r"(\S+) is not in the range x>=(\S+)$": r"must be \2 or more, got \1",
    r"(\S+) is not in the range x>(\S+)$": r"must be more than \2, got \1",
    r"', '(?=[^,]*\?$)": "' or '",
}


@contextlib.contextmanager
def _one_sentence():
    try:
        yield
    except click.UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # not known to older versions of click
            raise
        raise WrongRequest(error) from None


def _open_standard_streams() -> None:
    """Streams that were closed go nowhere, and file names that are no text come out as they are."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # else the next file that is opened would stand in for the stream
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


def _close_standard_output() -> None:
    """What is still waiting to be written cannot be, and must not be tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class Lazy(click.Group):
    """A group that imports a subcommand when it is called; what it refuses, it refuses in one sentence."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        _open_standard_streams()
        try:
            return super().main(*arguments, **options)
        except OSError as error:  # of the streams: files are answered for where they are read and written
            if error.filename is not None:
                raise
            _close_standard_output()
            with contextlib.suppress(OSError):
                click.echo(f"tokcost: cannot write to standard output: {error.strerror or error}", err=True)
            sys.exit(2)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _one_sentence():
            return super().make_context(*arguments, **options)

    def invoke(self, context: click.Context) -> Any:
        with _one_sentence():
            return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name][0].split(":")
        return getattr(import_module(module), attribute)

    def resolve_command(self, context: click.Context, arguments: list[str]) -> tuple:
        name = arguments[0]
        if name not in COMMANDS and not name.startswith("-"):
            from tokcost.quantities import nearest

            context.fail(f"there is no command `{name}`{nearest(name, COMMANDS)}")
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group("tokcost", cls=Lazy, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(tokcost.__version__, "-V", "--version", message="tokcost %(version)s")
def main() -> None:
    pass


if __name__ == "__main__":
    main(prog_name="tokcost")
