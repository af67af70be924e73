"""When a report is due: a cron line read by the clock of a time zone, also on the days when that clock is changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, available_timezones

from tokcost.parameters.hints import said
from tokcost.quantities import nearest
from tokcost.report.errors import ReportError
from tokcost.schedule.extra import needed

#: what cronsim reads beyond what every cron does: seconds are told by the number of fields
_BEYOND = re.compile(r"#|\bLW?\b|\dL\b", re.I)
_FIELDS = ("minute", "hour", "day of month", "month", "day of week")


@dataclass(frozen=True)
class Timing:
    """A cron line of five fields and the time zone whose clock it is read by.

    On the day when clocks go forward, a time that does not exist is due as soon as they have; on the day when they go
    back, a fixed time that comes twice is due the first time only.
    """

    cron: str
    time_zone: str

    def __post_init__(self):
        fields, cronsim = self.cron.split(), needed("cronsim")
        wrong = ""
        if len(fields) != len(_FIELDS):
            wrong = f"has {len(fields)} fields"
        elif _BEYOND.search(self.cron):
            wrong = "uses L, W or #, which not every cron reads"
        else:
            try:
                cronsim.CronSim(self.cron, datetime.now())
            except cronsim.CronSimError as error:
                wrong = f"has a {str(error).removeprefix('Bad ').replace('-', ' ')} that cannot be"
        if wrong:
            fix = f"write {', '.join(_FIELDS)}, such as 0 6 * * mon for Mondays at six"
            raise ReportError(f"`schedule.cron` {said(self.cron)} {wrong}; {fix}")
        if self.time_zone not in available_timezones():
            close = nearest(self.time_zone, available_timezones()) or "; write UTC, or a place such as Europe/Berlin"
            raise ReportError(f"`schedule.time_zone`: there is no time zone {said(self.time_zone)}{close}")

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def _sim(self, moment: datetime, *, reverse: bool = False):
        return needed("cronsim").CronSim(self.cron, moment.astimezone(self.zone), reverse=reverse)

    def after(self, moment: datetime) -> datetime:
        """The first time due after `moment`."""
        return next(self._sim(moment))

    def before(self, moment: datetime) -> datetime:
        """The last time due before `moment`."""
        return next(self._sim(moment, reverse=True))

    def sets(self):
        """The minutes, hours, days, months and weekdays (0 is Sunday) of the line, and whether both kinds of day must fit."""
        sim = self._sim(datetime.now(self.zone))
        return sim.minutes, sim.hours, sim.days, sim.months, {day % 7 for day in sim.weekdays}, sim.day_and

    def in_words(self) -> str:
        """Such as: At 06:00 on Monday, Europe/Berlin."""
        return f"{self._sim(datetime.now(self.zone)).explain()}, {self.time_zone}"

    def change_of_clocks(self, due: datetime) -> str:
        """What is to be said of a due time on a day when clocks are changed, or nothing."""
        due = due.astimezone(self.zone)
        minutes, hours, *_ = self.sets()
        if due.hour not in hours or due.minute not in minutes:
            return f"clocks go forward in {self.time_zone}: its time does not exist on {due:%Y-%m-%d}, so it is made at {due:%H:%M}"
        if due.replace(fold=0).utcoffset() != due.replace(fold=1).utcoffset():
            which = "second" if due.fold else "first"
            return f"clocks go back in {self.time_zone}: {due:%H:%M} comes twice on {due:%Y-%m-%d}; this is the {which}"
        return ""
