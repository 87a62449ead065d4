"""Waits in queues of calls that have ended: stored about once a second, and known again after a start.

What ended while the gateway was down was not seen, and nothing is made up for it. Knows neither Asterisk nor
what the figures are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from gateway.host.batch import Batch
from gateway.host.host import Host
from gateway.store.record import WaitRow
from ivr.queue_picture import Wait

MOST = 200_000
"""Waits that are known again after a start, and that wait for a store that cannot be written."""
AT_ONCE = 1_000
"""Rows of one transaction."""


class WaitRecord:
    """Keeps waits. Call everything on the loop's thread."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._open: list[Wait] = []
        self._storing = False

    def keep(self, waits: Sequence[Wait]) -> None:
        """Have waits stored; what the store does not take now comes again."""
        self._open += waits
        if len(self._open) > MOST:
            self._host.counters["waits_dropped"] += len(self._open) - MOST
            del self._open[:-MOST]
        self.tend()

    def tend(self) -> None:
        """About once a second: store what is not stored yet."""
        if self._open and not self._storing:
            self._storing = True
            self._host.take(self._store, tuple(islice(self._open, AT_ONCE)))

    def _store(self, batch: Batch, waits: Sequence[Wait]) -> None:
        batch.refuse(self._ended, ())
        batch.on_failure(lambda: self._ended(()))
        group = batch.stored.group()
        for one in waits:
            group.wait(WaitRow(one.queue, one.arrival, one.waited_ms, one.end, one.talk_ms))
        batch.leave(self._ended, waits)

    def _ended(self, stored: Sequence[Wait]) -> None:
        self._storing = False
        if stored:
            taken = set(map(id, stored))
            self._open = [one for one in self._open if id(one) not in taken]
            if len(stored) == AT_ONCE:
                self.tend()

    def load(self, since: int, take: Callable[[Sequence[Wait]], None]) -> None:
        """Give back what is stored of the time from `since` (UTC ms) on."""
        rows = self._host.store.waits(since, MOST)
        take([Wait(row.queue, row.arrival, row.waited_ms, row.how, row.talk_ms) for row in rows])
