"""Flows to be started later (`schedule`): kept in the store, begun exactly once, over the channel asked for.

The row goes with the transaction that begins the session, so a restart neither loses nor repeats a start.
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
from gateway.host.conversation import Conversation
from gateway.host.due_row import DueRows
from gateway.host.host import Host
from gateway.host.opening import Opened, Openers, Opening, fits
from gateway.store.record import ScheduleRow

START = "start"
"""Kind of the rows of scheduled starts."""
BEGUN_LATER = "p:"
"""Begins the keys of the sessions begun from here."""
AT_ONCE = 100
"""Starts begun within one look: what has piled up while the gateway was down comes out at a pace."""
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
            if row.kind == START:
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
        group = batch.stored.group()
        batch.on_failure(lambda: self._rows.again(row, batch.now))
        flow, to, lang, over, at, arguments = _decode(row.data)
        flows = self._host.library.current
        opening = Opening(row.id, flow, to, lang, arguments)
        opened = Opened.NEVER
        if to and fits(flows, opening):
            opened = self._openers.open(batch, flows, opening, over)
            if opened is Opened.LATER and batch.now >= at + PATIENCE_MS:
                opened = self._openers.by_text(batch, flows, opening)
        if opened is Opened.LATER:
            later = msgspec.structs.replace(row, due=batch.now + AGAIN_MS)
            group.schedule(later)
            self._rows.keep(later)
            return
        self._rows.forget(row.id)
        group.unschedule(row.id)
        self._host.counters[f"starts.{opened}"] += 1
        if opened is Opened.NEVER:
            self._log.error("start_impossible", flow=flow, over=over)
