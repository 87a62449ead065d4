"""Events from outside: stored with their id before they are confirmed, then started exactly once.

Two transactions. The first takes the id and stores the event as it came; a second event with that id loses
there and changes nothing. The next one begins its flows and removes the stored event, both or neither, so a
crash at any moment neither loses nor repeats one. Signatures and JSON are the business of `gateway.web`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog

from engine.values import Value, pack, unpack_extension
from gateway.host.batch import Batch
from gateway.host.host import Host
from gateway.store.batch import Group
from gateway.store.record import ScheduleRow

OUTSIDE = "outside"
"""Kind of the rows that hold an event until its flows have begun, and of their ids in `once`."""
RETRY_S = 0.5

Start = Callable[[Batch, str, str, Mapping[str, Value]], None]

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(tuple[str, str, dict[str, Any]], ext_hook=unpack_extension)


class OutsideEvents:
    """Takes events in; `start(batch, name, id, fields)` begins the flows of one (`Events.start`)."""

    def __init__(self, host: Host, start: Start) -> None:
        self._host = host
        self._start = start
        self._log = structlog.get_logger()

    def accept(self, batch: Batch, name: str, event_id: str, fields: Mapping[str, Value]) -> Group:
        """Store an event with this batch. The group is lost if the id was taken before."""
        data = _encode((name, event_id, pack(fields)))
        row = ScheduleRow(f"in:{name}:{event_id}", batch.now, OUTSIDE, data, secret=True)
        group = batch.stored.group()
        group.once_id(OUTSIDE, f"{name}:{event_id}", batch.now)
        group.schedule(row)
        batch.leave(self._accepted, group, row, name)
        return group

    def _accepted(self, group: Group, row: ScheduleRow, name: str) -> None:
        if group.lost:
            self._host.counters[f"events_in.{name}.again"] += 1
            return
        self._host.counters[f"events_in.{name}.taken"] += 1
        self._host.take_later(self._begin, row)

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Begin what was stored and confirmed before the start, and not begun."""
        for row in rows:
            if row.kind == OUTSIDE:
                self._host.take(self._begin, row)

    def _begin(self, batch: Batch, row: ScheduleRow) -> None:
        loop = asyncio.get_running_loop()
        batch.refuse(loop.call_later, RETRY_S, self._host.take, self._begin, row)
        name, event_id, fields = _decoder.decode(row.data)
        batch.stored.group().unschedule(row.id)
        self._start(batch, name, f"in:{name}:{event_id}", fields)
        self._log.info("event_in", event_name=name, id=event_id[:64])
