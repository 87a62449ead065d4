"""Dates of charging periods: the month arithmetic of the fee and the days of the billing clock.

A period ends one month after it began, on its *anchor day*; a month that is too short ends on its last
day without changing the anchor: 31 January, 28 February, 31 March.
Knows nothing of subscribers, money or storage.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta, timezone

MOSCOW = timezone(timedelta(hours=3), "MSK")
"""The zone whose midnight starts the nightly fee job: Moscow, without daylight saving since 2014."""

DAY = 86_400_000
"""Milliseconds of a day."""

SHIFT = 3 * 3_600_000


def month_after(day: date, anchor: int) -> date:
    """Return the anchor day of the month after `day`, or that month's last day if it is shorter.

    `anchor` is 1..31. Raises ValueError outside of it and OverflowError past the year 9999.
    """
    if not 1 <= anchor <= 31:
        raise ValueError(f"an anchor day is 1..31, not {anchor}")
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    if year > date.max.year:
        raise OverflowError("there is no month after December 9999")
    return date(year, month, min(anchor, calendar.monthrange(year, month)[1]))


def months_before(day: date, months: int) -> date:
    """Return the same day `months` months earlier (the last day of a shorter month)."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def day_of(now: int) -> date:
    """Return the Moscow date of a UTC moment in milliseconds."""
    return moment_of(now).date()


def moment_of(now: int) -> datetime:
    """Return a UTC moment in milliseconds as a Moscow date and time with its offset."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(MOSCOW)


def midnight(day: date) -> int:
    """Return the UTC moment, in milliseconds, at which `day` begins in Moscow."""
    return (day - date(1970, 1, 1)).days * DAY - SHIFT


def milliseconds(moment: datetime) -> int:
    """Return a date and time as UTC milliseconds; one without an offset is read as Moscow time."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=MOSCOW)
    return round(moment.timestamp() * 1000)
