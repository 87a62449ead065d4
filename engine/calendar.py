"""Working hours: is a queue or a calendar open, when does the n-th working day end, when is a term over.

Pure: the moment is an argument, in UTC milliseconds; hours are those of the project's time zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from engine.flow import Calendar, Project

_MILLISECOND = timedelta(milliseconds=1)

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
    return end.astimezone(UTC) - local.astimezone(UTC)  # two times of one zone would differ by the clock only


def workday_deadline(project: Project, queue: str, days: int, start: int) -> int:
    """Return when the `days`-th working day of a queue after that of `start` ends (UTC milliseconds)."""
    hours = _hours(project, queue)
    if isinstance(hours, str):
        return start + end_of_workday(project, hours, days, start) // _MILLISECOND
    local = _local(project, start)
    return _moment(project, local.date() + timedelta(days=max(0, days)), hours[1])


def deadline(project: Project, queue: str, within_ms: int, start: int) -> int:
    """Return when `within_ms` of the hours of a queue are over, counted from `start` (UTC milliseconds).

    A queue that is open round the clock counts plain time; so does one whose calendar has no open hour.
    """
    hours = _hours(project, queue)
    if hours == (0, 1_440):
        return start + within_ms
    at, left = start, within_ms
    day = _local(project, start).date() - timedelta(days=1)  # its hours may go over midnight
    for _ in range(LONGEST_SEARCH):
        window = _window(project, hours, day)
        if window is not None and window[1] > at:
            at = max(at, window[0])
            if at + left <= window[1]:
                return at + left
            left -= window[1] - at
            at = window[1]
        day += timedelta(days=1)
    return start + within_ms


def next_open(project: Project, hours: tuple[int, int] | str | None, now: int) -> int:
    """Return the first moment from `now` on inside some hours, or inside those of a calendar."""
    if hours is None or hours == (0, 1_440):
        return now
    day = _local(project, now).date() - timedelta(days=1)
    for _ in range(LONGEST_SEARCH):
        window = _window(project, hours, day)
        if window is not None and window[1] > now:
            return max(now, window[0])
        day += timedelta(days=1)
    return now


def _hours(project: Project, queue: str) -> tuple[int, int] | str:
    found = project.queues.get(queue)
    return (0, 1_440) if found is None else found.hours


def _window(project: Project, hours: tuple[int, int] | str, day: date) -> tuple[int, int] | None:
    """Return the open hours that begin on a day as UTC milliseconds, None if there are none."""
    if isinstance(hours, str):
        calendar = project.calendars.get(hours)
        if calendar is None or not _works(calendar, day):
            return None
        hours = calendar.hours
    first, last = hours
    after = day if first < last else day + timedelta(days=1)
    return _moment(project, day, first), _moment(project, after, last)


def _moment(project: Project, day: date, minutes: int) -> int:
    """Return a time of the clock on a day, in UTC milliseconds; 1 440 minutes are the next midnight."""
    day += timedelta(days=minutes // 1_440)
    minutes %= 1_440
    local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=project.zone)
    return int(local.timestamp() * 1000)


def _local(project: Project, now: int) -> datetime:
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(project.zone)


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
