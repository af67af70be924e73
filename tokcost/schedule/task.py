"""What is to be made and sent when: report definitions with their `[schedule]` and `[deliver]`."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tokcost.errors import InputError
from tokcost.parameters.hints import said
from tokcost.report.errors import ReportError
from tokcost.report.request.definition import jobs, read_keys
from tokcost.report.request.plan import plan
from tokcost.report.request.reading import MOST_NOTEBOOK_BYTES, names_in, read_text
from tokcost.schedule.keys import check_table
from tokcost.schedule.timing import Timing

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+|\$\{\w+\}")


@dataclass(frozen=True)
class Delivery:
    """Where the reports of a task go; `${NAME}` in an address is an environment variable."""

    when: str = "always"
    email: tuple[str, ...] = ()
    webhook: str = ""
    folder: str = ""
    xlsx: bool = False
    pdf: bool = False

    @property
    def addresses(self) -> list[str]:
        return [text for text in (*self.email, self.webhook, self.folder) if text]


@dataclass(frozen=True)
class Task:
    """A definition: the reports that it makes, when, and where they go."""

    path: Path
    title: str
    reports: tuple[str, ...]
    timing: Timing | None
    delivery: Delivery

    @property
    def name(self) -> str:
        return self.path.name

    def last_made(self, directory: Path) -> datetime | None:
        """When a report of it was last made, or tried, as the files in `directory` say."""
        found = []
        for report in self.reports:
            for place, keys in (
                (directory / f"{report}.result.json", ("times", "started")),
                (failed(directory, report), ("metadata", "tokcost", "at")),
            ):
                try:
                    content = json.loads(read_text(place, MOST_NOTEBOOK_BYTES))
                    for key in keys:
                        content = content[key]
                    found.append(datetime.fromisoformat(content))
                except (ReportError, ValueError, KeyError, TypeError):
                    continue
        return max(found, default=None)


def failed(directory: Path, report: str) -> Path:
    """What `tokcost report` keeps of a report that failed."""
    return directory / "failed" / f"{report}.ipynb"


def read_tasks(target: str) -> list[Task]:
    """The task of each definition in `target` (a folder, or one file), everything checked before anything runs."""
    if os.path.isdir(target):
        paths = [Path(target, name) for name in names_in(Path(target), ".toml")]
        if not paths:
            raise ReportError(f"the directory {target} holds no report definition (*.toml)")
    elif target.endswith(".toml"):
        paths = [Path(target)]
    else:
        raise ReportError(f"{target} is no report definition (*.toml) and no folder of them; write one that names the notebook")
    tasks, wrong = [], []
    for path in paths:
        try:
            tasks.append(_task(path))
        except InputError as error:
            wrong.append(str(error))
    if wrong:
        raise ReportError("; ".join(wrong))
    jobs((target,))  # two reports of one name are found only together
    return tasks


def _task(path: Path) -> Task:
    content = read_keys(path)
    found, refused = jobs((str(path),))
    plans, unfit = plan(found, [])
    if refused or unfit:
        raise ReportError((refused + unfit)[0].reason)
    delivery = _delivery(path, check_table(path, "deliver", content.get("deliver", {})))
    return Task(path, content.get("title", ""), tuple(one.job.name for one in plans), _timing(path, content), delivery)


def _timing(path: Path, content: dict) -> Timing | None:
    if "schedule" not in content:
        return None
    schedule = check_table(path, "schedule", content["schedule"])
    try:
        return Timing(schedule["cron"], schedule["time_zone"])
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from None


def _delivery(path: Path, deliver: dict) -> Delivery:
    for address in deliver.get("email", ()):
        if not _ADDRESS.fullmatch(address):
            raise ReportError(f'{path}: `deliver.email` {said(address)} is no address; write email = ["name@example.com"]')
    webhook = deliver.get("webhook", "")
    if webhook and not re.match(r"https?://[^\s]+$|\$\{\w+\}", webhook):
        raise ReportError(f"{path}: `deliver.webhook` must begin with https:// or name an environment variable as ${{NAME}}")
    for key in ("when", "xlsx", "pdf"):
        if key in deliver and not {"email", "webhook", "folder"} & set(deliver):
            raise ReportError(f"{path}: `deliver.{key}` is set, but it goes nowhere; add email, webhook or folder")
    given: dict[str, Any] = deliver | {"email": tuple(deliver.get("email", ()))}
    return Delivery(**given)
