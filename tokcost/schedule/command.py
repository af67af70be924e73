"""`tokcost schedule` and `tokcost schema`: the command line over it all."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import datetime
from pathlib import Path

import click

from tokcost.errors import InputError
from tokcost.report.errors import ReportError
from tokcost.show.text import visible

_HELP = """Make reports at their times and send them.

TARGET is a folder of report definitions (*.toml), or one of them. A definition says when, and to whom:

\b
  notebook = "01-what-does-a-million-tokens-cost"
  [schedule]
  cron = "0 6 * * mon"              # minute, hour, day of month, month, day of week
  time_zone = "Europe/Berlin"
  [deliver]
  email = ["finance@example.com"]

\b
  tokcost schedule reports --dry-run            what would be made when, and where it goes
  tokcost schedule reports --once               make and send all of it now, then end
  tokcost schedule reports                      stay and do it at those times; Ctrl-C ends it
  tokcost schedule reports --print systemd      let systemd (or crontab, github, airflow) keep the time instead

A definition is made when its time comes, after those that wait already. A time that passed while nothing ran is made up for
once; a time at which the last run still works is left out; both are said, as is every change of clocks. Definitions are read
when it starts: after a change, start it again. With --once all are made together, several at a time, and then sent.

Mail needs TOKCOST_SMTP_HOST and TOKCOST_SMTP_FROM in the environment; TOKCOST_SMTP_USER and TOKCOST_SMTP_PASSWORD where the
server asks who you are; TOKCOST_SMTP_PORT (587) and TOKCOST_SMTP_SECURITY (starttls; tls, none) where yours differ. Notebooks
do not see these, nor any variable whose name says that it is a secret.

Exit status: 0 all is well, 1 a report failed or could not be sent, 2 the request was wrong and nothing was done.
"""


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.argument("target")
@click.option("--once", is_flag=True, help="Make and send every report of TARGET now, also those without a [schedule], then end.")
@click.option("--dry-run", is_flag=True, help="Show what would be made when, and where it goes; do nothing.")
@click.option(
    "--print",
    "form",
    type=click.Choice(["crontab", "systemd", "github", "airflow"]),
    help="Print the times for one that keeps time already; do nothing.",
)
@click.option("-o", "--output", metavar="DIR", default="reports/output", show_default=True, help="Where reports are written.")
def schedule(target, once, dry_run, form, output):
    from tokcost.schedule.delivery import check
    from tokcost.schedule.log import Log
    from tokcost.schedule.printed import in_form
    from tokcost.schedule.task import read_tasks

    directory = Path(output)
    try:
        tasks = read_tasks(target)
        if dry_run:
            _show(tasks)
            return
        if form:
            print(in_form(form, tasks, directory), end="")
            return
        if not once and not any(task.timing for task in tasks):
            raise ReportError(f"no definition in {target} has a [schedule]; add one (see --help), or make all of it now with --once")
        check(tasks)
        directory.mkdir(parents=True, exist_ok=True)
    except (InputError, OSError) as error:
        print(f"tokcost schedule: {visible(error)}", file=sys.stderr)
        sys.exit(2)
    log = Log(address for task in tasks for address in task.delivery.addresses)
    sys.exit(_once(tasks, directory, log) if once else _stay(tasks, directory, log))


def _once(tasks, directory: Path, log) -> int:
    from tokcost.report.making import termination_as_interrupt
    from tokcost.schedule.run import Runner

    runner = Runner(directory, log.say)
    try:
        with termination_as_interrupt():
            return 0 if runner.run(*tasks) else 1
    except KeyboardInterrupt:
        log.say("interrupted; what was not finished is as it was")
        return 130


def _stay(tasks, directory: Path, log) -> int:
    from tokcost.report.making import termination_as_interrupt
    from tokcost.schedule.clock import scheduler
    from tokcost.schedule.run import Runner

    runner = Runner(directory, log.say)
    try:
        with _alone(directory), termination_as_interrupt():
            for task in tasks:
                log.say(f"{task.name}: {_times(task)}; {_places(task)}")
            scheduler(tasks, directory, runner.run, log.say).start()
    except KeyboardInterrupt:
        runner.stop()
        log.say("stopped; what was not finished is as it was")
        return 0
    except ReportError as error:
        print(f"tokcost schedule: {visible(error)}", file=sys.stderr)
        return 2
    return 0


@contextlib.contextmanager
def _alone(directory: Path):
    """Two schedulers on one folder would send everything twice."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(directory / ".schedule.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ReportError(f"another tokcost schedule works on {directory}; end it first, or choose another --output") from None
        yield


def _show(tasks) -> None:
    for task in tasks:
        count = f", {len(task.reports)} reports" if len(task.reports) > 1 else ""
        print(f"{visible(task.name)}{count}\n  {_times(task)}\n  {visible(_places(task))}")


def _times(task) -> str:
    if task.timing is None:
        return "no [schedule]: made with --once only"
    due = task.timing.after(datetime.now().astimezone())
    change = task.timing.change_of_clocks(due)
    return f"{task.timing.in_words()}; next {due.isoformat(' ', 'minutes')}" + (f" ({change})" if change else "")


def _places(task) -> str:
    """Where a task's reports go, as the definition says it: variables by their names."""
    delivery = task.delivery
    places = [f"mail to {', '.join(delivery.email)}"] if delivery.email else []
    places += [f"webhook {delivery.webhook}"] if delivery.webhook else []
    places += [f"copied to {delivery.folder}"] if delivery.folder else []
    if not places:
        return "stays in the output folder"
    when = {"always": "", "change": " when the answer changes", "alert": " when an alert is set off"}[delivery.when]
    return "; ".join(places) + when


@click.command()
def schema() -> None:
    """Print the JSON Schema of report definitions, for editors that complete and check TOML.

    \b
      tokcost schema > reports/definition.schema.json

    and as the first line of a definition:  #:schema ./definition.schema.json
    """
    from tokcost.schedule.keys import json_schema

    click.echo(json.dumps(json_schema(), indent=1))
