"""The window of one connection: which of our requests wait for their response, and until when.

Every SMPP connection numbers its own requests (SMPP 3.4, 2.6 and 3.2: 1 to 0x7FFFFFFF, per direction)
and lets only so many of them be unanswered. The window hands numbers out, skips those still pending,
matches responses and says which requests have waited too long. It knows nothing of PDUs, sockets or
clocks: time is an argument, in UTC milliseconds.

Requests that keep the connection itself alive (bind, enquire_link, unbind) take numbers from the same row
with `reserve`, but no place: a full window must never keep us from answering for our own health.
"""

from collections.abc import Sequence
from itertools import islice

import msgspec

FIRST_SEQUENCE = 1
LAST_SEQUENCE = 0x7FFFFFFF


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A request that was written and has no response yet."""

    command_id: int
    token: object
    offered_at: int
    sent_at: int


class Sent(Pending, frozen=True, gc=False):
    """A request whose token is the message itself, put in with `Window.add_row`."""


class Window:
    """At most `size` unanswered requests; each may wait `response_ms` milliseconds for its response."""

    __slots__ = ("_next", "_reserved", "pending", "response_ms", "size")

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
        self.pending: dict[int, Pending] = {}
        """By number, the oldest first; for the session's hot path, everybody else calls the methods."""
        self._reserved: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.pending)

    @property
    def free(self) -> int:
        """Requests that may be sent now without waiting for a response."""
        return self.size - len(self.pending)

    def add(self, command_id: int, token: object, offered_at: int, now: int) -> int | None:
        """Take a place; the sequence number to send with, or None when the window is full."""
        pending = self.pending
        if len(pending) >= self.size:
            return None
        sequence = self._next
        if sequence in pending or sequence in self._reserved:
            sequence = self._skip(sequence)
        self._next = sequence + 1 if sequence < LAST_SEQUENCE else FIRST_SEQUENCE
        pending[sequence] = Pending(command_id, token, offered_at, now)
        return sequence

    def add_row(self, command_id: int, tokens: Sequence[object], now: int) -> list[int]:
        """As `add` of every token in turn, as `Sent`; returns the numbers of those that found a place."""
        pending, reserved = self.pending, self._reserved
        sequence = self._next
        numbers = []
        for token in islice(tokens, self.size - len(pending)):
            if sequence in pending or sequence in reserved:
                sequence = self._skip(sequence)
            pending[sequence] = Sent(command_id, token, now, now)
            numbers.append(sequence)
            sequence = sequence + 1 if sequence < LAST_SEQUENCE else FIRST_SEQUENCE
        self._next = sequence
        return numbers

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
        return self.pending.pop(sequence, None)

    def next_deadline(self) -> int | None:
        """When the oldest request will have waited too long; None when nothing waits.

        Places are taken in the order of time and all wait equally long, so the first is the oldest.
        """
        for pending in self.pending.values():
            return pending.sent_at + self.response_ms
        return None

    def expired(self, now: int) -> list[Pending]:
        """Remove and return the requests whose time is over, oldest first."""
        late: list[int] = []
        for sequence, pending in self.pending.items():
            if pending.sent_at + self.response_ms > now:
                break
            late.append(sequence)
        return [self.pending.pop(sequence) for sequence in late]

    def clear(self) -> list[Pending]:
        """Remove and return everything that waits: the connection is gone, the outcome unknown."""
        left = list(self.pending.values())
        self.pending.clear()
        self._reserved.clear()
        return left

    def _skip(self, sequence: int) -> int:
        """The next number from `sequence` on that no unanswered request bears."""
        while sequence in self.pending or sequence in self._reserved:
            sequence = sequence + 1 if sequence < LAST_SEQUENCE else FIRST_SEQUENCE
        return sequence
