"""Server-sent events: what happens is told to every open page, each hearing of its own subscriber.

A page that reads too slowly is cut off and comes back for a fresh picture; nothing piles up for it. What
the events mean is the business of who publishes them.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

MOST_LISTENERS = 32
MOST_WAITING = 2_000
"""Events that may wait for one page; a page this far behind needs a new picture anyway."""

_encode = msgspec.json.Encoder().encode


def event_octets(topic: str, data: object) -> bytes:
    """Return one event in the form of the HTML standard (9.2.6); JSON holds no line break."""
    return b"event: %s\ndata: %s\n\n" % (topic.encode(), _encode(data))


class Listener:
    """One open page: the subscriber it shows, and what it was not sent yet."""

    def __init__(self, phone: str) -> None:
        self.phone = phone
        self.over = False
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()

    def put(self, octets: bytes) -> None:
        """Add an event; too many end the stream."""
        if len(self._waiting) >= MOST_WAITING:
            self.end()
            return
        self._waiting.append(octets)
        self._news.set()

    def end(self) -> None:
        """Let the stream end after what is being sent."""
        self.over = True
        self._news.set()

    async def take(self, within_s: float) -> bytes:
        """Return all that waits, b"" if nothing came within that time."""
        if not self._waiting and not self.over:
            try:
                async with asyncio.timeout(within_s):
                    await self._news.wait()
            except TimeoutError:
                return b""
        self._news.clear()
        octets = b"".join(self._waiting)
        self._waiting.clear()
        return octets


class Feed:
    """All open pages."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    def join(self, phone: str) -> Listener | None:
        """Open a stream for a page that shows `phone`; None when there are too many."""
        if len(self._listeners) >= MOST_LISTENERS:
            return None
        listener = Listener(phone)
        self._listeners.add(listener)
        return listener

    @property
    def phones(self) -> frozenset[str]:
        """The subscribers that somebody looks at."""
        return frozenset(listener.phone for listener in self._listeners)

    def leave(self, listener: Listener) -> None:
        """Forget a stream."""
        self._listeners.discard(listener)

    def publish(self, topic: str, data: object, phone: str = "") -> None:
        """Tell all pages, or those that show `phone`."""
        octets = b""
        for listener in self._listeners:
            if not phone or listener.phone == phone:
                octets = octets or event_octets(topic, data)
                listener.put(octets)

    def end(self) -> None:
        """End all streams; the pages ask again, and get a fresh picture or nothing."""
        for listener in self._listeners:
            listener.end()
