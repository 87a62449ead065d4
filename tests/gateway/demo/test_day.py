"""The movable clock of the demo."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import HandClock
from gateway.demo.day import DAY_MS, DayClock

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize("hour", ["00:00", "11:59", "12:00", "12:01", "23:59"])
def test_the_next_day_is_a_noon_a_whole_day_away_or_more(hour: str) -> None:
    real = HandClock(int(datetime.fromisoformat(f"2026-11-22T{hour}:00+03:00").timestamp() * 1000))
    clock = DayClock(real)
    before = clock.now()
    clock.to_noon(MOSCOW)
    assert DAY_MS <= clock.now() - before < 2 * DAY_MS
    assert f"{datetime.fromtimestamp(clock.now() / 1000, UTC).astimezone(MOSCOW):%H:%M}" == "12:00"
    assert clock.wall_ms() == clock.now()
    real.advance(5)
    assert clock.now() == real.now() + clock.ahead_ms
    clock.put_back()
    assert clock.now() == real.now()


def test_noon_is_noon_where_the_hour_changes_in_between() -> None:
    zone = ZoneInfo("Europe/Berlin")
    real = HandClock(int(datetime(2026, 10, 24, 14, 0, tzinfo=zone).timestamp() * 1000))
    clock = DayClock(real)
    clock.to_noon(zone)
    assert datetime.fromtimestamp(clock.now() / 1000, UTC).astimezone(zone) == datetime(
        2026, 10, 26, 12, 0, tzinfo=zone
    )
