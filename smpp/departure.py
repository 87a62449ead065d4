"""Which of our messages a subscriber can have read by now, told by the order of events and not by clocks.

A message may leave in the same millisecond in which another one comes, and a copy may lie in a socket while
our reply leaves. But who writes because of our reply does so after the centre has it, and the centre answers
our submit_sm when it has it. So a message of ours counts as read once the centre has answered it, or
`UNANSWERED_MS` after it left: a centre that is slow to answer costs a subscriber no answer.

Kept for `KEPT_MS`. Plain memory of one SMSC group; best effort over a restart.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

UNANSWERED_MS = 1_000
"""Nobody gets, reads and answers a short message sooner; from then on it needs no answer of the centre."""
KEPT_MS = 10_000
"""How long a departure is remembered."""
MOST = 400_000
"""Departures remembered at most; beyond it the oldest are forgotten first."""

Pair: TypeAlias = tuple[str, str]
"""MSISDN and short code."""


class _Departure:
    """One message of ours: the so-many-th of all, when it left, whether the centre has answered it."""

    __slots__ = ("at", "key", "number", "pair", "taken")

    def __init__(self, number: int, pair: Pair, key: str, at: int) -> None:
        self.number = number
        self.pair = pair
        self.key = key
        self.at = at
        self.taken = False


class Departures:
    """The messages that have lately left for subscribers. `count` is how many have left so far."""

    __slots__ = ("_by_key", "_by_pair", "_recent", "count")

    def __init__(self) -> None:
        self.count = 0
        self._recent: deque[_Departure] = deque()
        self._by_pair: dict[Pair, list[_Departure]] = {}
        self._by_key: dict[str, _Departure] = {}

    def left(self, pair: Pair, key: str, now: int) -> None:
        """Take note that our message `key` leaves (`now`, UTC ms); one that leaves again has left anew."""
        recent = self._recent
        while recent and (recent[0].at + KEPT_MS < now or len(recent) >= MOST):
            self._drop(recent.popleft())
        self.count += 1
        one = _Departure(self.count, pair, key, now)
        recent.append(one)
        self._by_pair.setdefault(pair, []).append(one)
        self._by_key[key] = one

    def taken(self, key: str) -> None:
        """Take note that a centre has answered our message `key`: it has it. Unknown ones do not matter."""
        one = self._by_key.get(key)
        if one is not None:
            one.taken = True

    def read(self, pair: Pair, now: int) -> int:
        """Return which message is the latest that a subscriber can have read: its number, 0 for none."""
        for one in reversed(self._by_pair.get(pair, ())):
            if one.taken or now - one.at >= UNANSWERED_MS:
                return one.number
        return 0

    def __len__(self) -> int:
        return len(self._recent)

    def _drop(self, one: _Departure) -> None:
        of_pair = self._by_pair[one.pair]
        of_pair.remove(one)
        if not of_pair:
            del self._by_pair[one.pair]
        if self._by_key.get(one.key) is one:
            del self._by_key[one.key]
