"""A circuit breaker: a back end that fails is left alone, and tried once a second until it answers.

Pure; the time is an argument. It opens after 5 failures in a row, or when at least 20 calls ended within
5 s and 60 % of them failed.
"""

from __future__ import annotations

from collections import deque

FAILURES_IN_ROW = 5
WINDOW_MS = 5_000
WINDOW_CALLS = 20
WINDOW_SHARE = 0.6
PROBE_MS = 1_000
_REMEMBERED = 200


class Breaker:
    """The breaker of one back end."""

    __slots__ = ("_ended", "_in_row", "_next_probe", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._in_row = 0
        self._next_probe = 0
        self._ended: deque[tuple[int, bool]] = deque(maxlen=_REMEMBERED)

    def allows(self, now: int) -> bool:
        """Tell whether a request may leave at `now` (ms); while open, one each second may."""
        if not self.is_open:
            return True
        if now < self._next_probe:
            return False
        self._next_probe = now + PROBE_MS
        return True

    def succeeded(self, now: int) -> None:
        """The back end has answered, with whatever: it is alive."""
        if self.is_open:
            self.is_open = False
            self._ended.clear()
        self._in_row = 0
        self._ended.append((now, False))

    def failed(self, now: int) -> None:
        """The back end could not be reached, did not answer in time, or answered 5xx."""
        self._in_row += 1
        self._ended.append((now, True))
        if self.is_open:
            return
        recent = [bad for at, bad in self._ended if at > now - WINDOW_MS]
        many = len(recent) >= WINDOW_CALLS and sum(recent) >= WINDOW_SHARE * len(recent)
        if self._in_row >= FAILURES_IN_ROW or many:
            self.is_open = True
            self._next_probe = now + PROBE_MS
