"""The window of one connection: which of our requests wait for their response, and until when.

Every SMPP connection numbers its own requests (SMPP 3.4, 2.6 and 3.2: 1 to 0x7FFFFFFF, per direction)
and lets only so many of them be unanswered. The window hands numbers out, skips those still pending,
matches responses and says which requests have waited too long. It knows nothing of PDUs, sockets or
clocks: time is an argument, in UTC milliseconds.

Requests that keep the connection itself alive (bind, enquire_link, unbind) take numbers from the same row
with `reserve`, but no place: a full window must never keep us from answering for our own health.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice, takewhile
from math import inf
from operator import attrgetter
from typing import Any

import msgspec

FIRST_SEQUENCE = 1
LAST_SEQUENCE = 0x7FFFFFFF

_FIRST, _SENT_AT = attrgetter("first"), attrgetter("sent_at")


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A request that was written and has no response yet."""

    command_id: int
    token: object
    offered_at: int
    sent_at: int


class Row(msgspec.Struct, eq=False, gc=False):
    """Requests that were written together, each its own token, under the numbers from `first` on.

    The place in `tokens` of one that waits no longer is emptied (None); `left` others still wait.
    """

    command_id: int
    sent_at: int
    first: int
    tokens: list[Any]
    left: int

    def pending(self, place: int) -> Pending:
        """Return one of the requests as if it had been written alone."""
        return Pending(self.command_id, self.tokens[place], self.sent_at, self.sent_at)


class Window:
    """At most `size` unanswered requests; each may wait `response_ms` milliseconds for its response."""

    __slots__ = ("_in_rows", "_next", "_reserved", "_rows", "_singles", "response_ms", "size")

    def __init__(self, size: int, response_ms: int, first_sequence: int = FIRST_SEQUENCE) -> None:
        if size < 1:
            raise ValueError(f"a window holds at least one request, not {size}")
        if response_ms < 1:
            raise ValueError(f"a response time limit is at least 1 ms, not {response_ms}")
        if not FIRST_SEQUENCE <= first_sequence <= LAST_SEQUENCE:
            raise ValueError(f"sequence numbers run from 1 to 0x7FFFFFFF, {first_sequence:#x} is outside")
        self.size = size
        self.response_ms = response_ms
        self._next = first_sequence
        # All by number, the oldest first. The numbers of the rows only ever rise.
        self._singles: dict[int, Pending] = {}
        self._rows: list[Row] = []
        self._in_rows = 0
        self._reserved: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._singles) + self._in_rows

    @property
    def free(self) -> int:
        """Requests that may be sent now without waiting for a response."""
        return self.size - len(self._singles) - self._in_rows

    def add(self, command_id: int, token: object, offered_at: int, now: int) -> int | None:
        """Take a place; the sequence number to send with, or None when the window is full."""
        singles = self._singles
        if len(singles) + self._in_rows >= self.size:
            return None
        sequence = self._skip(self._next)
        self._next = sequence + 1 if sequence < LAST_SEQUENCE else FIRST_SEQUENCE
        singles[sequence] = Pending(command_id, token, offered_at, now)
        return sequence

    def add_row(self, command_id: int, tokens: Sequence[object], now: int) -> Sequence[int]:
        """As `add` of every token in turn, none of them None; returns the numbers of those with a place."""
        own = list(tokens[: max(0, self.free)])
        if not own:
            return ()
        first, rows = self._next, self._rows
        numbers = range(first, first + len(own))
        if (
            numbers.stop > LAST_SEQUENCE
            or (rows and first < rows[-1].first + len(rows[-1].tokens))
            or (self._singles and not self._singles.keys().isdisjoint(numbers))
            or (self._reserved and not self._reserved.keys().isdisjoint(numbers))
        ):
            # The numbers come round to some that still wait.
            return [number for token in own if (number := self.add(command_id, token, now, now)) is not None]
        rows.append(Row(command_id, now, first, own, len(own)))
        self._in_rows += len(own)
        self._next = numbers.stop
        return numbers

    def row_of(self, sequence: int) -> Row | None:
        """Return the row in which a request with this number waits; for who then empties its places himself.

        He says with `took` how many he has emptied before he asks anything else of the window.
        """
        rows = self._rows
        row = rows[bisect_right(rows, sequence, key=_FIRST) - 1] if rows else None
        if row is None or not 0 <= sequence - row.first < len(row.tokens):
            return None
        return None if row.tokens[sequence - row.first] is None else row

    def took(self, row: Row, count: int) -> None:
        """Take note that so many more places of a row were emptied."""
        row.left -= count
        self._in_rows -= count
        if count and not row.left:
            self._rows.remove(row)

    def reserve(self, command_id: int) -> int:
        """A sequence number for a request of the connection itself, outside the window's size."""
        sequence = self._skip(self._next)
        self._next = sequence + 1 if sequence < LAST_SEQUENCE else FIRST_SEQUENCE
        self._reserved[sequence] = command_id
        return sequence

    def release(self, sequence: int) -> int | None:
        """Give a reserved number back: its command_id, or None if it is not one of ours."""
        return self._reserved.pop(sequence, None)

    def take(self, sequence: int) -> Pending | None:
        """The request that a response with this number answers; None if nothing waits under it."""
        single = self._singles.pop(sequence, None)
        row = self.row_of(sequence) if single is None else None
        if row is None:
            return single
        place = sequence - row.first
        pending = row.pending(place)
        row.tokens[place] = None
        self.took(row, 1)
        return pending

    def next_deadline(self) -> int | None:
        """When the oldest request will have waited too long; None when nothing waits.

        Places are taken in the order of time and all wait equally long, so the first is the oldest.
        """
        oldest = [pending.sent_at for pending in islice(self._singles.values(), 1)]
        oldest += [row.sent_at for row in self._rows[:1]]
        return min(oldest) + self.response_ms if oldest else None

    def expired(self, now: int) -> list[Pending]:
        """Remove and return the requests whose time is over, oldest first."""
        return self._remove(now - self.response_ms)

    def clear(self) -> list[Pending]:
        """Remove and return everything that waits: the connection is gone, the outcome unknown."""
        self._reserved.clear()
        return self._remove(inf)

    def _remove(self, sent_by: float) -> list[Pending]:
        """Remove and return the requests sent by a moment, oldest first."""
        singles, rows = self._singles, self._rows
        found = list(takewhile(lambda one: one.sent_at <= sent_by, singles.values()))
        for number in list(islice(singles, len(found))):
            del singles[number]
        for row in list(takewhile(lambda row: row.sent_at <= sent_by, rows)):
            left = [place for place, token in enumerate(row.tokens) if token is not None]
            found += map(row.pending, left)
            self.took(row, len(left))
        return sorted(found, key=_SENT_AT)

    def _skip(self, sequence: int) -> int:
        """The next number from `sequence` on that no unanswered request bears."""
        while self._waits(sequence):
            sequence = sequence + 1 if sequence < LAST_SEQUENCE else FIRST_SEQUENCE
        return sequence

    def _waits(self, sequence: int) -> bool:
        if sequence in self._singles or sequence in self._reserved:
            return True
        rows = self._rows
        return bool(rows) and sequence < rows[-1].first + len(rows[-1].tokens) and bool(self.row_of(sequence))
