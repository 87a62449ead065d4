"""Background flows: a session for each flow that takes an event, and the end of orders that were unknown.

A flow with `hours` is not begun outside them: its start is stored and made when the hours begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from operator import itemgetter
from typing import Any

import msgspec
import structlog

from engine import machine
from engine.background import EventFailedError, EventStart, event_starts
from engine.calendar import is_within
from engine.capabilities import Channel
from engine.effects import Collect, End
from engine.inputs import Begin, Input, Silence
from engine.values import Value, pack, unpack_extension
from gateway.backends.order import Change, Orders, SettledEvent
from gateway.host.batch import Batch
from gateway.host.conversation import TIMED, Conversation
from gateway.host.host import Host
from gateway.store.record import OrderRow, ScheduleRow
from smpp.throttle import RateLimit

HELD = "event"
"""Kind of the rows that hold a start back until its hours begin."""

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(
    tuple[str, str, str, dict[str, Any], dict[str, Any]], ext_hook=unpack_extension
)


def opens_at(hours: tuple[int, int], zone: tzinfo, now: int) -> int:
    """Return when a window of the day (minutes from midnight, local) is next open (UTC ms)."""
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone)
    first, last = hours
    if first == last or is_within(hours, local):
        return now
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    days = 0 if local.hour * 60 + local.minute < first else 1
    opening = midnight + timedelta(days=days, minutes=first)
    return int(opening.timestamp() * 1000)


class Events:
    """Starts event flows. It is the lane of the channel `event`: nobody is on the line there."""

    def __init__(self, host: Host, orders: Orders, pace: float = 20.0) -> None:
        """Take note of the host; `pace` is how many held starts begin in a second at most."""
        self._host = host
        self._orders = orders
        self._pace = RateLimit(pace, host.clock.now())
        self.step: Callable[[Batch, Conversation, Input], None] | None = None
        self.people: Callable[[Batch, OrderRow], None] | None = None
        self.outbound: Callable[[Batch, str, str, Mapping[str, Value]], None] | None = None
        self._held: dict[str, ScheduleRow] = {}
        self._log = structlog.get_logger()

    def show(self, batch: Batch, conversation: Conversation, effect: Collect) -> None:
        """Nobody could answer: the checks keep questions out of event flows, so this only counts."""
        self._host.counters["event_asked"] += 1

    def end(self, batch: Batch, conversation: Conversation, effect: End) -> None:
        """Let the session go."""
        self._host.counters[f"ended.event.{effect.reason}"] += 1

    def due(self, batch: Batch, conversation: Conversation) -> None:
        """Go on with a session whose pause is over."""
        session = conversation.session
        if session.waiting not in TIMED:
            return
        if session.deadline is not None and batch.now >= session.deadline:
            assert self.step is not None
            self.step(batch, conversation, Silence())

    # Orders

    def order_changed(self, batch: Batch, change: Change) -> None:
        """Tell the end of an order that was unknown, and call people where nothing else is left."""
        if change.people:
            self._host.counters["orders_for_people"] += 1
            self._log.error(
                "order_unknown", operation=change.order.operation, order=change.order.key[:8], need="people"
            )
            if self.people is not None:
                self.people(batch, change.order)
        if change.order.event_due:
            self.fire_waiting(batch, None)

    def fire_waiting(self, batch: Batch, _: object) -> None:
        """Tell every end that was stored and never told; also the first thing after a start."""
        for event in self._orders.events():
            self._host.guarded(batch, self.fire, event)

    def fire(self, batch: Batch, event: SettledEvent) -> None:
        """Start the flows of a settled event; the note that it was told goes into the same transaction."""
        key = event.order.key
        batch.stored.group().order(self._orders.fired(key))
        batch.on_failure(lambda: self._orders.not_fired(key))
        self.start(batch, event.name, key, event.fields)

    # Events

    def start(self, batch: Batch, name: str, event_id: str, fields: Mapping[str, Value]) -> None:
        """Start every flow of an event, each element of `each` as a session of its own."""
        if self.outbound is not None:
            self.outbound(batch, name, event_id, fields)
        flows = self._host.library.current
        try:
            starts = event_starts(flows, name, fields, batch.now)
        except EventFailedError as error:
            self._host.counters["events_failed"] += 1
            self._log.error("event_failed", event_name=name, reason=str(error))
            return
        for start in starts:
            key = f"e:{event_id}:{start.flow}:{start.number}"
            self._host.counters[f"events.{name}"] += 1
            due = batch.now if start.hours is None else opens_at(start.hours, flows.project.zone, batch.now)
            if due > batch.now or len(starts) > 1:
                # Many are begun at a pace, each in a transaction of its own.
                self._hold(batch, key, due, start)
            else:
                self._begin(batch, key, start)

    def _begin(self, batch: Batch, key: str, start: EventStart) -> None:
        if key in self._host.conversations:
            return
        flows = self._host.library.current
        if self._host.switches.refusal(start.flow, start.caller, Channel.EVENT) is not None:
            return
        session = machine.begin(
            flows,
            channel=Channel.EVENT,
            caller=start.caller,
            called="",
            lang=self._host.language(start.caller, batch.now, start.lang),
            event=start.event,
            now=batch.now,
        )
        conversation = Conversation(key, flows, session)
        self._host.conversations[key] = conversation
        assert self.step is not None
        self.step(batch, conversation, Begin(start.flow, start.arguments))

    def _hold(self, batch: Batch, key: str, due: int, start: EventStart) -> None:
        data = _encode((start.flow, start.caller, start.lang, pack(start.event), pack(start.arguments)))
        row = ScheduleRow(key, due, HELD, data, secret=True)
        batch.stored.group().schedule(row)
        self._host.counters["events_held"] += 1
        batch.leave(self._held.__setitem__, key, row)

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over what was held back before the start."""
        self._held.update((row.id, row) for row in rows if row.kind == HELD)

    def tend(self, now: int) -> None:
        """A few times a second: begin what was held back and is due, at the pace."""
        if not self._held:
            return
        due = [(row.due, key) for key, row in self._held.items() if row.due <= now]
        due.sort(key=itemgetter(0))
        for _, key in due:
            if not self._pace.take(now):
                return
            self._host.take(self._release, self._held.pop(key))

    def _release(self, batch: Batch, row: ScheduleRow) -> None:
        flow, caller, lang, event, arguments = _decoder.decode(row.data)
        batch.stored.group().unschedule(row.id)
        batch.on_failure(lambda: self._held.__setitem__(row.id, row))
        if flow in self._host.library.current.flows:
            self._begin(batch, row.id, EventStart(flow, caller, lang, event, arguments))
