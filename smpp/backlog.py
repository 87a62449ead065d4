"""Messages of one link that cannot leave at once: no place in a window, no token, or throttled.

Two rows wait for a place, urgent ones first. A throttled message goes to its *lane*: the lane of a
subscriber holds, in the order they were offered, the message that was refused and every later one to the
same subscriber; its first message is tried again after 100 ms doubling to 5 s, with jitter, while all
other subscribers go on (smpp-ussd reference, 2.3). Messages without a subscriber have a lane each.

What was in flight beside a refused message cannot be called back; of the rest the order is kept.
The whole is bounded: `add` says no when it is full. No I/O and no clock here.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush

import msgspec

from smpp.reconnect import Random

RETRY_FIRST_MS = 100
RETRY_LIMIT_MS = 5_000


class Outgoing(msgspec.Struct, gc=False):
    """A message on its way out. `number` is the order in which it was offered on this link."""

    number: int
    body: bytes
    token: object
    subscriber: bytes
    urgent: bool
    sticky: bool
    offered_at: int
    slot: int = -1
    connection: int = -1
    tries: int = 0

    def __lt__(self, other: "Outgoing") -> bool:
        return self.number < other.number


class Lane:
    """The waiting messages of one subscriber behind the one that was throttled."""

    __slots__ = ("due", "key", "out", "waiting")

    def __init__(self, key: bytes | int) -> None:
        self.key = key
        self.waiting: list[Outgoing] = []
        self.out: Outgoing | None = None
        """The message of this lane that was let go and has no answer yet; the others wait for it."""
        self.due = 0


class Backlog:
    """At most `limit` messages in all; `rng` draws the jitter of the retries.

    Sticky messages (pages of a dialogue) wait per connection and before all others, and never behind a
    message of another kind.
    """

    __slots__ = ("_due", "_lanes", "_normal", "_rng", "_sticky", "_urgent", "limit", "size")

    def __init__(self, limit: int, rng: Random) -> None:
        self.limit = limit
        self._rng = rng
        self._sticky: dict[int, deque[Outgoing]] = {}
        self._urgent: deque[Outgoing] = deque()
        self._normal: deque[Outgoing] = deque()
        self._lanes: dict[bytes | int, Lane] = {}
        self._due: list[tuple[int, int, Lane]] = []
        self.size = 0
        """How many wait: `len`, without its call for every message."""

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Outgoing]:
        for row in self._rows():
            yield from row
        for lane in self._lanes.values():
            yield from lane.waiting

    @property
    def held(self) -> int:
        """How many messages wait because of throttling."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def ready(self, slot: int) -> bool:
        """True if a message for this connection waits for nothing but a place."""
        return bool(self._urgent or self._normal or (self._sticky and self._sticky.get(slot)))

    def has_ready(self) -> bool:
        """True if a message waits for nothing but a place on some connection."""
        return any(self._rows())

    def must_wait(self, subscriber: bytes) -> bool:
        """True if a message offered now has others to wait for: a row, or its subscriber's lane."""
        return bool(self._urgent or self._normal or (self._lanes and subscriber in self._lanes))

    def add(self, message: Outgoing) -> bool:
        """Put a message at its place; False, and nothing done, when the backlog is full."""
        if self.size >= self.limit:
            return False
        self.size += 1
        self._row(message).append(message)
        return True

    def put_back(self, message: Outgoing) -> None:
        """Return a message that was popped or that needs another connection; it is first in its row.

        The limit does not hold here: the message was already taken in once.
        """
        self.size += 1
        self._row(message).appendleft(message)

    def throttled(self, message: Outgoing, now: int) -> int:
        """The centre refused this message for now: keep it in its lane. Returns when it is due again."""
        key = _lane_key(message)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
        elif lane.out is message:
            lane.out = None
        insort(lane.waiting, message)
        self.size += 1
        message.tries += 1
        ceiling = min(RETRY_LIMIT_MS, RETRY_FIRST_MS << min(message.tries - 1, 16))
        if lane.out is None and lane.due <= now:
            half = ceiling // 2
            lane.due = now + half + int(self._rng.random() * (ceiling - half))
            heappush(self._due, (lane.due, message.number, lane))
        return lane.due

    def settled(self, message: Outgoing) -> None:
        """The message has its answer or is lost: the next one of its lane may go."""
        if not self._lanes:
            return
        lane = self._lanes.get(_lane_key(message))
        if lane is None or lane.out is not message:
            return
        lane.out = None
        if lane.waiting:
            self._let_go(lane)
        else:
            del self._lanes[lane.key]

    def next_due(self) -> int | None:
        """When the next throttled message may be tried again."""
        return self._due[0][0] if self._due else None

    def on_time(self, now: int) -> None:
        """Let the throttled messages go whose wait is over."""
        while self._due and self._due[0][0] <= now:
            due, _, lane = heappop(self._due)
            if lane.due == due and lane.out is None and lane.waiting:
                self._let_go(lane)

    def pop(self, slot: int) -> Outgoing | None:
        """The next message that may leave on this connection; those behind a throttled one join its lane."""
        while True:
            row = self._sticky.get(slot) if self._sticky else None
            row = row or self._urgent or self._normal
            if not row:
                return None
            message = row.popleft()
            lane = self._lanes.get(_lane_key(message)) if self._lanes else None
            if lane is None or lane.out is message:
                self.size -= 1
                return message
            insort(lane.waiting, message)

    def remove_sticky(self, slot: int, connection: int) -> list[Outgoing]:
        """Take out what could only have left on this connection, which is gone."""
        return self._remove(lambda m: m.sticky and m.slot == slot and m.connection == connection)

    def remove_overdue(self, offered_before: int) -> list[Outgoing]:
        """Take out the sticky messages offered before this time: their dialogues are over."""
        return self._remove(lambda m: m.sticky and m.offered_at < offered_before)

    def remove_unbound(self) -> list[Outgoing]:
        """Take out what may leave on any connection."""
        return self._remove(lambda m: not m.sticky)

    def clear(self) -> list[Outgoing]:
        """Take everything out, in the order offered."""
        return self._remove(lambda _: True)

    def _remove(self, wanted: Callable[[Outgoing], bool]) -> list[Outgoing]:
        removed: list[Outgoing] = []
        for row in self._rows():
            removed += _extract(row, wanted)
        for lane in list(self._lanes.values()):
            removed += _extract(lane.waiting, wanted)
            if lane.out is None and not lane.waiting:
                del self._lanes[lane.key]
        self.size -= len(removed)
        for message in removed:
            self.settled(message)
        return sorted(removed)

    def _let_go(self, lane: Lane) -> None:
        """The first of a lane moves to the head of its row: it has waited longest."""
        message = lane.waiting.pop(0)
        lane.out = message
        self._row(message).appendleft(message)

    def _rows(self) -> list[deque[Outgoing]]:
        return [*self._sticky.values(), self._urgent, self._normal]

    def _row(self, message: Outgoing) -> deque[Outgoing]:
        if message.sticky:
            row = self._sticky.get(message.slot)
            if row is None:
                row = self._sticky[message.slot] = deque()
            return row
        return self._urgent if message.urgent else self._normal


def _lane_key(message: Outgoing) -> bytes | int:
    """Pages of a dialogue and messages without a subscriber have a lane of their own."""
    return message.number if message.sticky else message.subscriber or message.number


def _extract(row: "deque[Outgoing] | list[Outgoing]", wanted: Callable[[Outgoing], bool]) -> list[Outgoing]:
    removed = [message for message in row if wanted(message)]
    if removed:
        kept = [message for message in row if not wanted(message)]
        row.clear()
        row.extend(kept)
    return removed
