"""Scalars of time: durations, times of day, hours, dates, moments, weekdays.

Each reader takes a node, the report and the field's name; it returns the value, or None after it has
reported `type`. Nothing here knows a time zone or the present moment.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from enum import Enum

from engine.reading.diagnostic import Report
from engine.reading.tree import Node, Text
from engine.reading.written import written, wrong

UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds of each unit of a duration."""

MAX_DURATION_MS = 3_660 * UNIT_MS["d"]
"""Ten years; a longer term is a slip of the pen."""

_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")
_UNIT_WORDS = {
    "sec": "s", "second": "s", "seconds": "s", "min": "m", "minute": "m", "minutes": "m", "hour": "h",
    "hours": "h", "day": "d", "days": "d", "с": "s", "сек": "s", "мин": "m", "ч": "h", "д": "d",
}  # fmt: skip


def duration(node: Node, report: Report, name: str = "") -> int | None:
    """Read `800ms`, `10s`, `5m`, `2h`, `7d` as milliseconds (0 to ten years)."""
    text = written(node, report, name, "a duration: 10s, 5m, 2h, 1d")
    if text is None or not isinstance(node, Text):
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        _wrong_duration(node, text, report, name)
        return None
    milliseconds = int(match[1]) * UNIT_MS[match[2]]
    if milliseconds > MAX_DURATION_MS:
        wrong(node, report, name, "is longer than ten years")
        return None
    return milliseconds


def _wrong_duration(node: Text, text: str, report: Report, name: str) -> None:
    if re.fullmatch(r"[0-9]+", text):
        wrong(
            node, report, name, f"needs a unit: {text}s, {text}m" if text != "10" else "needs a unit: 10s, 5m"
        )
        return
    spelled = re.fullmatch(r"([0-9]+) *([^\W\d_]+)\.?", text)
    if spelled is not None:
        unit = spelled[2].casefold()
        unit = unit if unit in UNIT_MS else _UNIT_WORDS.get(unit, "")
        if unit:
            wrong(node, report, name, "is not a duration", help=f"write {spelled[1]}{unit}")
            return
    fraction = re.fullmatch(r"([0-9]+)[.,]([0-9]+) *(s|m|h|d)", text)
    if fraction is not None:
        wrong(
            node, report, name, "has a fraction", help="write a whole number of a smaller unit: 90s, 1500ms"
        )
        return
    wrong(node, report, name, "is not a duration: 10s, 5m", help="the units are ms, s, m, h, d")


class Kept(Enum):
    """Terms of memory that are no time: to the end of the session, and without end."""

    SESSION = "session"
    FOREVER = "forever"


def keeping(node: Node, report: Report, name: str = "") -> int | Kept | None:
    """Read how long something is kept: a duration in milliseconds, `session` or `forever`."""
    if isinstance(node, Text) and node.value in {"session", "forever"}:
        return Kept(node.value)
    return duration(node, report, name)


@dataclass(frozen=True, slots=True)
class Workdays:
    """A term in working days of a calendar: `1 workday`."""

    count: int


_WORKDAYS = re.compile(r"([0-9]{1,3}) workdays?")


def term(node: Node, report: Report, name: str = "") -> int | Workdays | None:
    """Read a deadline: a duration in milliseconds, or `2 workdays`."""
    if isinstance(node, Text) and (match := _WORKDAYS.fullmatch(node.value)):
        return Workdays(int(match[1]))
    return duration(node, report, name)


_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")


def time_of_day(node: Node, report: Report, name: str = "") -> datetime.time | None:
    """Read `09:00` (00:00 to 23:59)."""
    text = written(node, report, name, "a time of day: 09:00")
    if text is None or not isinstance(node, Text):
        return None
    minutes = _minutes(text)
    if minutes is None or minutes == 24 * 60:
        wrong(node, report, name, "is not a time of day: 09:00", help="hours 00-23, minutes 00-59")
        return None
    return datetime.time(minutes // 60, minutes % 60)


def _minutes(text: str) -> int | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    minutes = int(match[1]) * 60 + int(match[2])
    return minutes if int(match[2]) < 60 and minutes <= 24 * 60 else None


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours in minutes after midnight, `end` not included; over midnight if `end <= start`."""

    start: int
    end: int

    def covers(self, minute: int) -> bool:
        """Tell whether a minute of the day (0 to 1439) is inside."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def hours_range(node: Node, report: Report, name: str = "") -> Hours | None:
    """Read `09:00-21:00`; `00:00-24:00` is round the clock, `22:00-06:00` goes over midnight."""
    text = written(node, report, name, "hours: 09:00-21:00")
    if text is None or not isinstance(node, Text):
        return None
    first, dash, last = text.replace("–", "-").partition("-")
    start, end = _minutes(first.strip()), _minutes(last.strip())
    if not dash or start is None or end is None or start == 24 * 60:
        wrong(
            node, report, name, "is not a range of hours: 09:00-21:00", help="round the clock is 00:00-24:00"
        )
        return None
    if start == end:
        wrong(node, report, name, "begins and ends at the same time", help="round the clock is 00:00-24:00")
        return None
    return Hours(start, end)


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def date(node: Node, report: Report, name: str = "") -> datetime.date | None:
    """Read `2027-02-23`."""
    text = written(node, report, name, "a date: 2027-02-23")
    if text is None or not isinstance(node, Text):
        return None
    value = _date(text)
    if value is None:
        turned = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", text)
        remedy = f"write {turned[3]}-{int(turned[2]):02}-{int(turned[1]):02}" if turned else None
        wrong(node, report, name, "is not a date: 2027-02-23", help=remedy or "year-month-day")
    return value


def _date(text: str) -> datetime.date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from `first` to `last`, both included."""

    first: datetime.date
    last: datetime.date

    def covers(self, day: datetime.date) -> bool:
        """Tell whether a day is inside."""
        return self.first <= day <= self.last


def date_range(node: Node, report: Report, name: str = "") -> DateRange | None:
    """Read one day, `2027-02-23`, or several, `2027-01-01..2027-01-08`."""
    text = written(node, report, name, "a date: 2027-02-23, or 2027-01-01..2027-01-08")
    if text is None or not isinstance(node, Text):
        return None
    first_text, dots, last_text = text.partition("..")
    first = _date(first_text.strip())
    last = _date(last_text.strip()) if dots else first
    if first is None or last is None:
        wrong(node, report, name, "is neither a date (2027-02-23) nor dates (2027-01-01..2027-01-08)")
        return None
    if last < first:
        wrong(node, report, name, "ends before it begins", help="write the earlier date first")
        return None
    return DateRange(first, last)


def moment(node: Node, report: Report, name: str = "") -> datetime.datetime | None:
    """Read a point in time: ISO 8601 with its offset, `2026-11-22T23:50:00+03:00` or `…Z`."""
    value = _moment(node, report, name, "2026-11-22T23:50+03:00")
    if value is not None and value.tzinfo is None and isinstance(node, Text):
        wrong(node, report, name, "needs its offset from UTC: 2026-11-22T23:50+03:00")
        return None
    return value


def local_moment(node: Node, report: Report, name: str = "") -> datetime.datetime | None:
    """Read a point in time with or without an offset: `2026-11-22 23:50`; without one `tzinfo` is None."""
    return _moment(node, report, name, "2026-11-22 23:50")


_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def _moment(node: Node, report: Report, name: str, example: str) -> datetime.datetime | None:
    text = written(node, report, name, f"a moment: {example}")
    if text is None or not isinstance(node, Text):
        return None
    try:
        if _MOMENT.fullmatch(text):
            return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    wrong(node, report, name, f"is not a moment: {example}")
    return None


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Names of the days in calendars; the index is that of `date.weekday()`."""


def weekdays(node: Node, report: Report, name: str = "") -> tuple[int, ...] | None:
    """Read `Mon-Fri`, `Sat`, `Fri-Mon` as days from 0 (Monday) to 6, in the order of the week."""
    text = written(node, report, name, "days: Mon-Fri")
    if text is None or not isinstance(node, Text):
        return None
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip().title() for piece in part.partition("-"))
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            wrong(node, report, name, "are not days of the week: Mon-Fri", help=" ".join(WEEKDAYS))
            return None
        start = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last) - start) % 7 if dash else 0
        days.update((start + step) % 7 for step in range(length + 1))
    return tuple(sorted(days))
