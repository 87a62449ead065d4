"""When to try a lost or refused bind again.

At once, then after 1 s doubling to 60 s, each delay drawn evenly from nought to that ceiling (full jitter:
a thousand clients of a restarted centre must not come back in step). A bind that held for a minute starts
the row anew; one that breaks sooner does not, so a centre that drops us right after the bind is not
hammered. What the centre answered to the bind matters more than the row: wrong credentials will not be
right a second later and lock accounts, so they wait a minute at least; `already bound` usually means that
the centre has not noticed the end of our last connection, which takes it about half a minute.
"""

from typing import Protocol

from smpp.pdu.status import Policy, Status, policy

STEADY_MS = 60_000
ALREADY_BOUND_MS = (30_000, 60_000)
ACCOUNT_MS = (60_000, 120_000)


class Random(Protocol):
    """What `random.Random` offers and this needs."""

    def random(self) -> float:
        """A number from 0 up to, and without, 1."""


def is_alarm(status: int) -> bool:
    """True if a bind refused with this status needs a person: the account or its password is wrong."""
    return policy(status) is Policy.ACCOUNT


class Backoff:
    """The delays of one bind; `first_ms` and `limit_ms` are the ceilings of the second and the last tries."""

    __slots__ = ("_bound_at", "_first_ms", "_limit_ms", "_rng", "_tries")

    def __init__(self, rng: Random, first_ms: int = 1_000, limit_ms: int = 60_000) -> None:
        self._rng = rng
        self._first_ms = first_ms
        self._limit_ms = limit_ms
        self._tries = 0
        self._bound_at: int | None = None

    def bound(self, now: int) -> None:
        """The centre accepted the bind."""
        self._bound_at = now

    def delay(self, now: int, refused: int = 0) -> int:
        """Milliseconds to wait after the connection ended; `refused` is the status of a refused bind."""
        if self._bound_at is not None and now - self._bound_at >= STEADY_MS:
            self._tries = 0
        self._bound_at = None
        tries = self._tries
        self._tries += 1
        if refused == Status.RALYBND:
            return self._between(ALREADY_BOUND_MS)
        if refused and is_alarm(refused):
            return self._between(ACCOUNT_MS)
        if tries == 0:
            return 0
        ceiling = min(self._limit_ms, self._first_ms << min(tries - 1, 30))
        return int(self._rng.random() * ceiling)

    def _between(self, span: tuple[int, int]) -> int:
        lowest, highest = span
        return lowest + int(self._rng.random() * (highest - lowest))
