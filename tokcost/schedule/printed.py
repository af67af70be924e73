"""The same times for whoever keeps time already: crontab, systemd, GitHub Actions, Airflow (the templates in `forms/`)."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from tokcost.report.errors import ReportError
from tokcost.schedule.secrets import SMTP, named
from tokcost.schedule.task import Task
from tokcost.schedule.timing import Timing

_TEMPLATES = Path(__file__).parent / "forms"
FORMS = sorted(path.stem for path in _TEMPLATES.glob("*.j2"))
_WEEKDAYS = "Sun Mon Tue Wed Thu Fri Sat".split()


def in_form(form: str, tasks: list[Task], directory: Path) -> str:
    """Those of `tasks` that have a time, in one of the `FORMS`."""
    from jinja2 import Environment, FileSystemLoader

    rows = [_row(task, task.timing, directory) for task in tasks if task.timing is not None]
    if not rows:
        raise ReportError("none of the definitions has a [schedule], so there is no time to print; add one (see --help)")
    more = {"here": str(Path.cwd()), "variables": variables(tasks)}
    if form == "github":
        more |= {"output": _within(directory), "times": _times(rows)}
        for row, task in zip(rows, (task for task in tasks if task.timing), strict=True):
            row["in_checkout"] = shlex.join(["tokcost", "schedule", _within(task.path), "--once", "--output", _within(directory)])
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    environment.filters |= {"literal": repr, "percent": lambda text: text.replace("%", "%%")}
    return environment.get_template(f"{form}.j2").render(rows=rows, **more)


def _row(task: Task, timing: Timing, directory: Path) -> dict:
    parts = [sys.executable, "-m", "tokcost.cli", "schedule", task.path.absolute(), "--once", "--output", directory.absolute()]
    command = shlex.join(map(str, parts))
    return {
        "stem": task.path.stem,
        "unit": f"tokcost-{re.sub(r'[^A-Za-z0-9_.-]', '-', task.path.stem)}",
        "cron": timing.cron,
        "github_cron": _sunday_as_nought(timing),
        "time_zone": timing.time_zone,
        "calendar": calendar(timing),
        "command": command,
        # There a % would end the line.
        "in_crontab": f"cd {shlex.quote(str(Path.cwd()))} && {command}".replace("%", r"\%"),
    }


def variables(tasks: list[Task]) -> list[str]:
    """The environment variables that sending needs: those that addresses name, and those of the mail server."""
    found = [name for task in tasks for address in task.delivery.addresses for name in named(address)]
    if any(task.delivery.email for task in tasks):
        found += [f"{SMTP}{name}" for name in ("HOST", "FROM", "USER", "PASSWORD")]
    return list(dict.fromkeys(found))


def calendar(timing: Timing) -> list[str]:
    """A cron line as systemd writes times: two lines where cron takes either kind of day.

    >>> calendar(Timing("0 6 * * mon-fri", "Europe/Berlin"))
    ['Mon,Tue,Wed,Thu,Fri *-*-* 06:00:00 Europe/Berlin']
    >>> calendar(Timing("*/30 6 1 jan,jul mon", "UTC"))
    ['Mon *-01,07-* 06:00,30:00 UTC', '*-01,07-01 06:00,30:00 UTC']
    """
    minutes, hours, days, months, weekdays, both_must_fit = timing.sets()

    def listed(numbers: set[int], n_all: int) -> str:
        return "*" if len(numbers) == n_all else ",".join(f"{number:02}" for number in sorted(numbers))

    clock = f"{listed(hours, 24)}:{listed(minutes, 60)}:00 {timing.time_zone}"
    week = "" if len(weekdays) == 7 else ",".join(_WEEKDAYS[day] for day in sorted(weekdays)) + " "
    month, day = listed(months, 12), listed(days, 31)
    if both_must_fit:
        return [f"{week}*-{month}-{day} {clock}"]
    return [f"{week}*-{month}-* {clock}", f"*-{month}-{day} {clock}"]


def _sunday_as_nought(timing: Timing) -> str:
    """The cron line for GitHub, which knows no weekday 7."""
    *first, weekday = timing.cron.split()
    return " ".join([*first, ",".join(map(str, sorted(timing.sets()[4]))) if "7" in weekday else weekday])


def _times(rows: list[dict]) -> list[tuple[str, str]]:
    """Each time once; the cron line alone tells a workflow which of them began it."""
    times = list(dict.fromkeys((row["github_cron"], row["time_zone"]) for row in rows))
    crons = [cron for cron, _ in times]
    twice = next((cron for cron in crons if crons.count(cron) > 1), None)
    if twice is not None:
        raise ReportError(f"GitHub cannot tell {twice} in one time zone from {twice} in another; move one of them by a minute")
    return times


def _within(path: Path) -> str:
    """A path as it is in a checkout of the working directory."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        raise ReportError(f"{path} is outside of {Path.cwd()}; run this in the folder of the repository") from None
