"""Working hours: what is open when, and when the n-th working day ends."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.calendar import deadline, end_of_workday, is_open, next_open, workday_deadline
from engine.flow import Calendar, Project, Queue

MOSCOW = ZoneInfo("Europe/Moscow")
OFFICE = Calendar(
    "office", frozenset(range(5)), (540, 1080), (("2027-01-01", "2027-01-08"), ("2027-02-23",) * 2)
)
PROJECT = Project(
    languages=("ru",),
    zone=MOSCOW,
    queues={
        "support": Queue("support"),
        "quality": Queue("quality", hours=(540, 1260)),
        "night": Queue("night", hours=(1320, 360)),
        "staff": Queue("staff", hours="office"),
    },
    calendars={"office": OFFICE},
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=MOSCOW).astimezone(UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("name", "moment", "is_it"),
    [
        ("support", "2026-11-22 03:00", True),
        ("quality", "2026-11-22 09:00", True),
        ("quality", "2026-11-22 08:59", False),
        ("quality", "2026-11-22 21:00", False),
        ("night", "2026-11-22 23:30", True),
        ("night", "2026-11-22 05:59", True),
        ("night", "2026-11-22 12:00", False),
        ("staff", "2026-11-23 10:00", True),
        ("staff", "2026-11-22 10:00", False),  # a Sunday
        ("staff", "2027-01-05 10:00", False),  # a holiday
        ("office", "2027-02-22 17:59", True),
        ("office", "2027-02-23 12:00", False),
        ("nobody", "2026-11-23 10:00", False),
    ],
)
def test_what_is_open(name: str, moment: str, is_it: bool) -> None:
    assert is_open(PROJECT, name, at(moment)) is is_it


@pytest.mark.parametrize(
    ("days", "moment", "ends"),
    [
        (1, "2026-11-23 10:00", "2026-11-24 18:00"),
        (1, "2026-11-20 17:00", "2026-11-23 18:00"),  # Friday: Monday
        (2, "2026-12-31 12:00", "2027-01-12 18:00"),  # over the holidays and a weekend
        (0, "2026-11-23 10:00", "2026-11-23 18:00"),
    ],
)
def test_the_end_of_a_working_day(days: int, moment: str, ends: str) -> None:
    wait = end_of_workday(PROJECT, "office", days, at(moment))
    assert at(moment) + wait // timedelta(milliseconds=1) == at(ends)


def test_without_a_calendar_every_day_counts() -> None:
    wait = end_of_workday(PROJECT, "", 1, at("2026-11-21 23:00"))
    assert wait == timedelta(hours=25)


def test_a_calendar_without_working_days_ends_the_search() -> None:
    idle = Project(languages=("ru",), zone=MOSCOW, calendars={"c": Calendar("c", frozenset(), (0, 60))})
    assert end_of_workday(idle, "c", 3, at("2026-11-21 23:00")) > timedelta(days=3_000)


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("queue", "start", "hours", "end"),
    [
        ("support", "2026-11-20 23:00", 4, "2026-11-21 03:00"),
        ("quality", "2026-11-20 12:00", 4, "2026-11-20 16:00"),
        ("quality", "2026-11-20 20:30", 4, "2026-11-21 12:30"),
        ("quality", "2026-11-20 06:00", 4, "2026-11-20 13:00"),
        ("quality", "2026-11-20 22:00", 24, "2026-11-22 21:00"),
        ("night", "2026-11-20 12:00", 1, "2026-11-20 23:00"),
        ("night", "2026-11-20 05:30", 1, "2026-11-20 22:30"),
        ("night", "2026-11-20 23:30", 6, "2026-11-21 05:30"),
        ("staff", "2026-11-20 17:00", 4, "2026-11-23 12:00"),
        ("staff", "2026-12-31 17:59", 1, "2027-01-11 09:59"),
        ("staff", "2026-11-20 12:00", 0, "2026-11-20 12:00"),
        ("nobody", "2026-11-20 12:00", 4, "2026-11-20 16:00"),
    ],
)
def test_a_term_counts_only_the_hours_of_the_queue(queue: str, start: str, hours: int, end: str) -> None:
    assert deadline(PROJECT, queue, hours * HOUR, at(start)) == at(end)


@pytest.mark.parametrize(
    ("queue", "start", "days", "end"),
    [
        ("staff", "2026-11-20 12:00", 1, "2026-11-23 18:00"),
        ("staff", "2026-11-20 19:00", 1, "2026-11-23 18:00"),
        ("staff", "2026-11-21 12:00", 2, "2026-11-24 18:00"),
        ("staff", "2026-12-31 12:00", 1, "2027-01-11 18:00"),
        ("quality", "2026-11-20 12:00", 2, "2026-11-22 21:00"),
        ("support", "2026-11-20 12:00", 1, "2026-11-22 00:00"),
    ],
)
def test_working_days_of_a_queue(queue: str, start: str, days: int, end: str) -> None:
    assert workday_deadline(PROJECT, queue, days, at(start)) == at(end)


@pytest.mark.parametrize(
    ("hours", "now", "wanted"),
    [
        (None, "2026-11-20 03:00", "2026-11-20 03:00"),
        ((0, 1440), "2026-11-20 03:00", "2026-11-20 03:00"),
        ((540, 1260), "2026-11-20 03:00", "2026-11-20 09:00"),
        ((540, 1260), "2026-11-20 12:00", "2026-11-20 12:00"),
        ((540, 1260), "2026-11-20 21:00", "2026-11-21 09:00"),
        ((1320, 360), "2026-11-20 05:00", "2026-11-20 05:00"),
        ((1320, 360), "2026-11-20 06:00", "2026-11-20 22:00"),
        ("office", "2026-11-20 18:00", "2026-11-23 09:00"),
        ("nothing", "2026-11-20 18:00", "2026-11-20 18:00"),
    ],
)
def test_the_next_open_moment(hours: tuple[int, int] | str | None, now: str, wanted: str) -> None:
    assert next_open(PROJECT, hours, at(now)) == at(wanted)


def test_a_clock_that_is_put_back_does_not_shift_the_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    project = Project(languages=("de",), zone=berlin, queues={"day": Queue("day", hours=(540, 1260))})
    saturday = int(datetime(2026, 10, 24, 20, tzinfo=berlin).timestamp() * 1000)
    sunday = int(datetime(2026, 10, 25, 10, tzinfo=berlin).timestamp() * 1000)
    assert sunday - saturday == 15 * HOUR  # the night has an hour more
    assert deadline(project, "day", 2 * HOUR, saturday) == sunday
    assert end_of_workday(project, "", 1, saturday) == timedelta(hours=29)
