"""Flows to be started later (`schedule`): kept in the store, begun exactly once, over the channel asked for.

The row goes with the transaction that begins the session, so a restart neither loses nor repeats a start.
Where only the channel can tell whether the subscriber was reached, the row stays until it does: somebody busy
is tried again, after a while by SMS.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

from engine.effects import Schedule
from engine.values import pack, unpack_extension
from gateway.host.batch import Batch
from gateway.host.conversation import BEGUN_LATER, Conversation
from gateway.host.due_row import DueRows
from gateway.host.host import Host
from gateway.host.opening import Opened, Openers, Opening, fits, goes_by_text
from gateway.host.outreach import OPEN_MS, PASSING, Reach
from gateway.store.record import ScheduleRow

START = "start"
"""Kind of the rows of scheduled starts."""
START_OPEN = "start_open"
"""Kind of the rows whose dialog has begun, and nobody knows yet what comes of it."""
AT_ONCE = 100
"""Starts begun within one look: what has piled up while the gateway was down comes out at a pace."""
REACH_AGAIN_MS = 300_000
"""A subscriber who was not reached is tried again after so long."""
AGAIN_MS = 60_000
"""A channel that cannot take a start now is asked again after so long."""
PATIENCE_MS = 3_600_000
"""After so long a start that its channel cannot take goes by SMS, or is given up."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(
    tuple[str, str, str, str, int, dict[str, Any]], ext_hook=unpack_extension
).decode


class Starts:
    """All starts that are not begun yet."""

    def __init__(self, host: Host, openers: Openers) -> None:
        self._host = host
        self._openers = openers
        self._rows = DueRows()
        self._log = structlog.get_logger()

    def schedule(self, batch: Batch, conversation: Conversation, effect: Schedule) -> None:
        """Keep a start until its time; stored with the turn that asks for it."""
        lang = conversation.session.lang
        data = _encode((effect.flow, effect.to, lang, effect.over, effect.at, pack(effect.arguments)))
        row = ScheduleRow(f"{BEGUN_LATER}{secrets.token_hex(12)}", effect.at, START, data, secret=True)
        group = batch.touch(conversation)
        group.schedule(row)
        self._host.counters["starts_scheduled"] += 1
        batch.leave(self._rows.keep, row)

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over what the store holds."""
        for row in rows:
            if row.kind in (START, START_OPEN):
                self._rows.keep(row)

    def __len__(self) -> int:
        return len(self._rows)

    def tend(self, now: int) -> None:
        """About once a second: begin what is due."""
        if self._host.draining or self._host.store.full:
            return
        for row in self._rows.expired(now, AT_ONCE):
            self._host.take(self._begin, row)

    def _begin(self, batch: Batch, row: ScheduleRow) -> None:
        if not self._rows.waits(row):
            return
        batch.on_failure(lambda: self._rows.again(row, batch.now))
        if row.kind == START_OPEN:
            # The gateway went down in between: it may have been seen, so it is not said again.
            self._gone(batch, row, Reach.UNKNOWN)
            return
        flow, to, lang, over, at, arguments = _decode(row.data)
        flows = self._host.library.current
        opening = Opening(row.id, flow, to, lang, arguments)
        opened = Opened.NEVER
        if to and fits(flows, opening):
            opened = self._openers.open(batch, flows, opening, over)
            if opened is Opened.LATER and batch.now >= at + PATIENCE_MS:
                opened = self._openers.by_text(batch, flows, opening)
        if opened is Opened.LATER:
            self._put(batch, row, due=batch.now + AGAIN_MS)
            return
        if opened is Opened.BEGUN:
            self._put(batch, row, due=batch.now + OPEN_MS, kind=START_OPEN)
            return
        self._gone(batch, row, opened)
        if opened is Opened.NEVER:
            self._log.error("start_impossible", flow=flow, over=over)

    def told(self, batch: Batch, plan: str, reach: Reach) -> None:
        """Take what has come of a dialog that was begun for a start."""
        row = self._rows.get(plan)
        if row is None or row.kind != START_OPEN:
            return
        batch.on_failure(lambda: self._rows.keep(row))
        flow, to, lang, over, at, arguments = _decode(row.data)
        if reach not in PASSING and reach is not Reach.REFUSED:
            self._gone(batch, row, reach)
        elif reach in PASSING and reach is not Reach.NO_ANSWER and batch.now < at + PATIENCE_MS:
            self._put(batch, row, due=batch.now + REACH_AGAIN_MS, kind=START)
        elif over != "sms" and goes_by_text(self._host.library.current, flow):
            data = _encode((flow, to, lang, "sms", at, pack(arguments)))
            self._put(batch, row, due=batch.now, kind=START, data=data)
        else:
            self._gone(batch, row, Opened.NEVER)
            self._log.warning("start_unreached", flow=flow, over=over, reach=reach.value)

    def _put(self, batch: Batch, row: ScheduleRow, **changed: Any) -> None:
        later = msgspec.structs.replace(row, **changed)
        batch.stored.group().schedule(later)
        self._rows.keep(later)

    def _gone(self, batch: Batch, row: ScheduleRow, why: Opened | Reach) -> None:
        self._rows.forget(row.id)
        batch.stored.group().unschedule(row.id)
        self._host.counters[f"starts.{why}"] += 1
