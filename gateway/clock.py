"""The one clock of the gateway: wall time at the start plus monotonic time since.

A jump of the system clock therefore fires nothing early or late; calendars look at `wall_ms` again when
they are due (architecture, section 2).
"""

from __future__ import annotations

import time
from typing import Protocol


class WallClock(Protocol):
    """The host's clock, which also knows what the system clock says."""

    def now(self) -> int:
        """Return UTC milliseconds that never jump."""
        ...

    def wall_ms(self) -> int:
        """Return UTC milliseconds of the system clock, jumps included."""
        ...


class HostClock:
    """UTC in integer milliseconds that never jumps."""

    def __init__(self) -> None:
        self._started_ms = time.time_ns() // 1_000_000
        self._monotonic_ns = time.monotonic_ns()

    def now(self) -> int:
        """Return UTC milliseconds since 1970: the start's wall time plus what has passed since."""
        return self._started_ms + (time.monotonic_ns() - self._monotonic_ns) // 1_000_000

    def wall_ms(self) -> int:
        """Return what the system clock says now, jumps included."""
        return time.time_ns() // 1_000_000


class HandClock:
    """A clock that stands still until it is moved: for tests and for playing flows."""

    def __init__(self, start_ms: int = 1_795_345_200_000) -> None:
        self.ms = start_ms

    def now(self) -> int:
        """Return the moment the clock stands at."""
        return self.ms

    def wall_ms(self) -> int:
        """Return the same moment: this clock has no second opinion."""
        return self.ms

    def advance(self, ms: int) -> int:
        """Move the clock on by `ms` milliseconds and return the new moment."""
        self.ms += ms
        return self.ms
