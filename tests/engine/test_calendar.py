"""Working hours: what is open when, and when the n-th working day ends."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.calendar import end_of_workday, is_open
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
