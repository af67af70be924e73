"""When a report is due, by whose clock, and what happens on the days when clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tokcost.report.errors import ReportError
from tokcost.schedule.timing import Timing


def due(cron: str, zone: str, after: datetime, count: int) -> list[datetime]:
    timing, found = Timing(cron, zone), [after]
    for _ in range(count):
        found.append(timing.after(found[-1]))
    return found[1:]


def test_a_time_is_read_by_the_clock_of_its_zone():
    (first,) = due("0 6 * * mon", "Asia/Tokyo", datetime(2026, 11, 27, tzinfo=UTC), 1)
    assert first.astimezone(UTC) == datetime(2026, 11, 29, 21, tzinfo=UTC) and first.weekday() == 0


@pytest.mark.parametrize("weekday", ["0", "7", "sun", "SUN"])
def test_sunday_is_nought_seven_or_its_name(weekday):
    (first,) = due(f"0 6 * * {weekday}", "UTC", datetime(2026, 11, 27, tzinfo=UTC), 1)
    assert first == datetime(2026, 11, 29, 6, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_a_daily_report_is_due_once_on_every_day_of_the_year(zone, hour):
    """Also on those when clocks go forward over its time, or back over it."""
    days = [at.date() for at in due(f"30 {hour} * * *", zone, datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)) - timedelta(minutes=20), 365)]
    assert days == [datetime(2026, 1, 1).date() + timedelta(days=n) for n in range(365)]


def test_a_time_that_does_not_exist_is_due_when_clocks_have_gone_forward_and_says_so():
    timing = Timing("30 2 * * *", "Europe/Berlin")
    at = timing.after(datetime(2027, 3, 27, 12, tzinfo=UTC))
    assert at.isoformat() == "2027-03-28T03:00:00+02:00"
    assert timing.change_of_clocks(at) == (
        "clocks go forward in Europe/Berlin: its time does not exist on 2027-03-28, so it is made at 03:00"
    )
    assert timing.change_of_clocks(timing.after(at)) == ""


def test_a_time_that_comes_twice_is_due_the_first_time_and_says_so():
    timing = Timing("30 2 * * *", "Europe/Berlin")
    first, second = due(timing.cron, timing.time_zone, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert (first.isoformat(), second.isoformat()) == ("2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00")
    assert "02:30 comes twice on 2026-10-25; this is the first" in timing.change_of_clocks(first)


def test_the_last_time_before_a_moment_is_known():
    timing = Timing("0 6 * * mon", "Europe/Berlin")
    assert timing.before(datetime(2026, 11, 27, tzinfo=UTC)).isoformat() == "2026-11-23T06:00:00+01:00"


@pytest.mark.parametrize(
    ("cron", "zone", "says"),
    [
        ("0 6 * *", "UTC", r"`schedule.cron` '0 6 \* \*' has 4 fields; write minute, hour, .* such as 0 6 \* \* mon"),
        ("0 0 6 * * mon", "UTC", "has 6 fields"),
        ("0 25 * * mon", "UTC", "has a hour that cannot be"),
        ("0 6 30 2 *", "UTC", "has a day of month that cannot be"),
        ("0 6 * * mon#1", "UTC", "uses L, W or #"),
        ("0 6 L * *", "UTC", "uses L, W or #"),
        ("0 6 * * mon", "Europe/Berlni", "`schedule.time_zone`: there is no time zone 'Europe/Berlni'; did you mean `Europe/Berlin`"),
        ("0 6 * * mon", "CEST", "there is no time zone 'CEST'; (did you mean|write UTC)"),
    ],
)
def test_a_time_that_cannot_be_is_answered_with_the_fix(cron, zone, says):
    with pytest.raises(ReportError, match=says):
        Timing(cron, zone)


def test_months_and_days_with_an_l_or_a_w_in_their_names_are_read():
    assert Timing("0 6 1 jul wed", "UTC").in_words().endswith("UTC")
