"""Hours of background flows: when the next window opens, over midnight and over a change of the clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.host.event import opens_at

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = MOSCOW) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        ((480, 1320), "2026-11-22 12:00", "2026-11-22 12:00"),
        ((480, 1320), "2026-11-22 08:00", "2026-11-22 08:00"),
        ((480, 1320), "2026-11-22 07:59", "2026-11-22 08:00"),
        ((480, 1320), "2026-11-22 22:00", "2026-11-23 08:00"),
        ((480, 1320), "2026-11-22 23:50", "2026-11-23 08:00"),
        ((1320, 360), "2026-11-22 23:00", "2026-11-22 23:00"),
        ((1320, 360), "2026-11-22 05:59", "2026-11-22 05:59"),
        ((1320, 360), "2026-11-22 06:00", "2026-11-22 22:00"),
        ((0, 1440), "2026-11-22 03:00", "2026-11-22 03:00"),
    ],
)
def test_the_next_opening(hours: tuple[int, int], now: str, opens: str) -> None:
    assert opens_at(hours, MOSCOW, at(now)) == at(opens)


def test_the_night_of_the_change_of_clocks_has_its_own_length() -> None:
    found = opens_at((480, 1320), BERLIN, at("2026-10-24 23:00", BERLIN))
    assert datetime.fromtimestamp(found / 1000, UTC) == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)
