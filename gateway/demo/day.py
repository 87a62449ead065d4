"""The gateway's clock in the demo: real time, which can be put on by days.

What is due in a day is not waited for; what the gateway does then is the same. The clock is moved only while
no gateway runs with it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from gateway.clock import WallClock

NOON = 12
DAY_MS = 86_400_000


class DayClock:
    """A clock that runs like `clock`, ahead of it by what was put on."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self.ahead_ms = 0

    def now(self) -> int:
        """Return UTC milliseconds that never jump, except by `to_noon`."""
        return self._clock.now() + self.ahead_ms

    def wall_ms(self) -> int:
        """Return UTC milliseconds of the moved system clock."""
        return self._clock.wall_ms() + self.ahead_ms

    def to_noon(self, zone: tzinfo) -> None:
        """Put the clock on to the first noon a whole day away or more: an hour at which all is open."""
        later = datetime.fromtimestamp((self.now() + DAY_MS) / 1000, UTC).astimezone(zone)
        noon = later.replace(hour=NOON, minute=0, second=0, microsecond=0)
        if noon < later:
            noon = (noon + timedelta(days=1)).replace(hour=NOON)
        self.ahead_ms += int(noon.timestamp() * 1000) - self.now()

    def put_back(self) -> None:
        """Show real time again."""
        self.ahead_ms = 0
