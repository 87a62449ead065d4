"""The clock of the demo billing: real time that can be moved, stopped and let go again.

Everything that depends on time in this package asks one `Clock`, so a test or the demo page can put
it to 23:59 and watch the nightly fee job. It does not know what happens at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def system() -> int:
    """Return the system's time in UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Clock:
    """UTC milliseconds from `source`, plus a shift; or a frozen moment that moves only by order."""

    def __init__(self, source: Callable[[], int] = system) -> None:
        """Take the source of real time; tests pass their own."""
        self._source = source
        self._shift = 0
        self._frozen: int | None = None

    def now(self) -> int:
        """Return the present moment of this clock, UTC milliseconds."""
        return self._source() + self._shift if self._frozen is None else self._frozen

    @property
    def frozen(self) -> bool:
        """True while the clock stands."""
        return self._frozen is not None

    def set(self, moment: int) -> None:
        """Move the clock to `moment`; it goes on from there, or stands there if it is frozen."""
        if self._frozen is None:
            self._shift = moment - self._source()
        else:
            self._frozen = moment

    def advance(self, milliseconds: int) -> None:
        """Move the clock forward (or back, if negative)."""
        self.set(self.now() + milliseconds)

    def freeze(self) -> None:
        """Stop the clock at the present moment."""
        self._frozen = self.now()

    def release(self) -> None:
        """Let a frozen clock go on from where it stands."""
        if self._frozen is not None:
            moment, self._frozen = self._frozen, None
            self.set(moment)

    def reset(self) -> None:
        """Return to the source's own time, running."""
        self._frozen = None
        self._shift = 0
