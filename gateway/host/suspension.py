"""Sessions that broke off and may be gone on with: kept as they were, offered when the same trigger comes.

Only for flows with `resume`. What is kept never outlives its time, nor a change of the flows. It is the
engine that decides what may be resumed (never across a charge) and that asks the subscriber.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from engine.flow_set import FlowSet
from engine.session import Session, dump, load
from engine.trigger import Start
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.due_row import DueRows
from gateway.host.host import Host
from gateway.store.batch import Group
from gateway.store.record import ScheduleRow

KEPT = "resume"
"""Kind of the rows that hold sessions which broke off."""

AT_ONCE = 500
"""Dropped within one look."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, str, bytes]).decode


class Suspended:
    """All kept sessions, one for each caller, first flow and channel."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rows = DueRows()

    @property
    def idle(self) -> bool:
        """Tell whether nothing is kept."""
        return not self._rows.by_id

    def keep(self, batch: Batch, conversation: Conversation, session: Session, resume_ms: int) -> None:
        """Keep `session`, as it was before the input that broke it off, for so long."""
        if not session.frames or not session.caller:
            return
        name = _name(session.channel, session.caller, session.frames[0].flow)
        data = _encode((session.build, session.called, dump(session)))
        row = ScheduleRow(name, batch.now + resume_ms, KEPT, data, secret=True)
        batch.touch(conversation).schedule(row)
        before = self._rows.get(name)
        self._rows.keep(row)
        batch.on_failure(lambda: self._put_back(name, before))
        self._host.counters["sessions_kept"] += 1

    def take(self, batch: Batch, flows: FlowSet, channel: str, caller: str, start: Start) -> Session | None:
        """Return what was kept for this trigger, if it can still be gone on with; it is kept no more."""
        if not len(self._rows):
            return None
        name = _name(channel, caller, start.flow)
        row = self._rows.get(name)
        if row is None:
            return None
        build, called, data = _decode(row.data)
        if called != start.called and row.due > batch.now:
            return None  # dialled with other parameters: that is another matter
        self._drop(batch, batch.stored.group(), row)
        if row.due <= batch.now or build != flows.build:
            return None
        self._host.counters["sessions_resumed"] += 1
        return load(data)

    def _drop(self, batch: Batch, group: Group, row: ScheduleRow) -> None:
        self._rows.forget(row.id)
        group.unschedule(row.id)
        batch.on_failure(lambda: self._put_back(row.id, row))

    def _put_back(self, name: str, row: ScheduleRow | None) -> None:
        if row is None:
            self._rows.forget(name)
        else:
            self._rows.keep(row)

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over what was kept before the start."""
        for row in rows:
            if row.kind == KEPT:
                self._rows.keep(row)

    def tend(self, now: int) -> None:
        """About once a second: drop what is over."""
        for row in self._rows.expired(now, AT_ONCE):
            self._host.take(self._expire, row)

    def _expire(self, batch: Batch, row: ScheduleRow) -> None:
        if self._rows.waits(row):
            self._drop(batch, batch.stored.group(), row)


def _name(channel: str, caller: str, flow: str) -> str:
    return f"resume:{channel}:{caller}:{flow}"
