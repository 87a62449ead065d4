"""Working hours: is a queue or a calendar open, and when does the n-th working day end.

Pure: the moment is an argument, in UTC milliseconds; hours are those of the project's time zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from engine.flow import Calendar, Project

LONGEST_SEARCH = 3_660
"""Days looked ahead for working days: ten years of holidays are a mistake in the calendar."""


def is_open(project: Project, name: str, now: int) -> bool:
    """Tell whether the queue or calendar `name` is open at `now`; an unknown name is closed."""
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(project.zone)
    queue = project.queues.get(name)
    hours = None if queue is None else queue.hours
    if isinstance(hours, tuple):
        return is_within(hours, local)
    calendar = project.calendars.get(name if hours is None else hours)
    if calendar is None:
        return False
    return _works(calendar, local.date()) and is_within(calendar.hours, local)


def end_of_workday(project: Project, calendar_name: str, days: int, now: int) -> timedelta:
    """Return how long it is from `now` to the end of the `days`-th working day after today.

    Without such a calendar every day is a working day and ends at midnight.
    """
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(project.zone)
    calendar = project.calendars.get(calendar_name)
    day, left = local.date(), max(0, days)
    for _ in range(LONGEST_SEARCH):
        if left == 0:
            break
        day += timedelta(days=1)
        if calendar is None or _works(calendar, day):
            left -= 1
    minutes = 1_440 if calendar is None else calendar.hours[1]
    end = datetime(day.year, day.month, day.day, tzinfo=project.zone) + timedelta(minutes=minutes)
    return end - local


def is_within(hours: tuple[int, int], local: datetime) -> bool:
    """Tell whether a local time is in a window of the day: minutes from midnight, also over midnight."""
    minute = local.hour * 60 + local.minute
    first, last = hours
    return first <= minute < last if first <= last else minute >= first or minute < last


def _works(calendar: Calendar, day: date) -> bool:
    if day.weekday() not in calendar.days:
        return False
    text = day.isoformat()
    return not any(first <= text <= last for first, last in calendar.holidays)
