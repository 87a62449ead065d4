"""Subscribers we call or write to by ourselves (`outbound`): when, over what, how often, and when not.

A plan is a row of the schedule from the event that asks for it to the session that carries it out. Before
each try it is asked again whether it is still wanted. A channel that cannot be had counts as a try, and so
does a subscriber who was busy, out of reach or silent; when the tries are used up the next channel of `over`
is taken, and after the last one the flow's `missed` block.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from engine import machine
from engine.background import EventFailedError
from engine.capabilities import Channel
from engine.inputs import Begin, Input
from engine.outbound import OutboundStart, next_try, outbound_questions, outbound_skip, outbound_starts
from engine.values import Value, pack, unpack_extension
from gateway.host.batch import Batch
from gateway.host.conversation import BEGUN_OUT, Conversation
from gateway.host.due_row import DueRows
from gateway.host.host import Host
from gateway.host.look import Looks
from gateway.host.opening import Opened, Openers, Opening
from gateway.host.outreach import OPEN_MS, PASSING, Reach
from gateway.store.batch import Group
from gateway.store.error import StoreError
from gateway.store.record import ScheduleRow

OUTBOUND = "outbound"
"""Kind of the rows of plans."""
OUTBOUND_OPEN = "outbound_open"
"""Kind of the rows of plans whose session has begun, and nobody knows yet whether it reached anybody."""
AT_ONCE = 50
"""Tries made within one look; the messages themselves are paced by the outbox."""
UNDECIDED_MS = 60_000
"""When an order that is under way decides whether the subscriber is wanted, it is looked at again."""
CAMPAIGN_STEP = 500
"""Subscribers of a campaign taken in with one transaction."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Any, int, int], ext_hook=unpack_extension).decode
_FIELDS = OutboundStart.__struct_fields__


class Outbounds:
    """All plans that are not carried out yet. `step` is the stepper's."""

    def __init__(self, host: Host, looks: Looks, openers: Openers) -> None:
        self._host = host
        self._looks = looks
        self._openers = openers
        self.step: Callable[[Batch, Conversation, Input], None] | None = None
        self._rows = DueRows()
        self._log = structlog.get_logger()

    def __len__(self) -> int:
        return len(self._rows)

    # Plans

    def plan(self, batch: Batch, name: str, event_id: str, fields: Mapping[str, Value]) -> None:
        """Take an event: whom it makes us call is stored in this batch."""
        flows = self._host.library.current
        try:
            starts = outbound_starts(flows, name, fields, batch.now)
        except EventFailedError as error:
            self._host.counters["events_failed"] += 1
            self._log.error("outbound_failed", event_name=name, reason=str(error))
            return
        for start in starts:
            self._plan(batch, batch.stored.group(), f"{BEGUN_OUT}{event_id}:{start.flow}", start)

    def _plan(self, batch: Batch, group: Group, name: str, start: OutboundStart) -> None:
        if name in self._rows:
            return
        due = max(batch.now, start.not_before)
        row = ScheduleRow(name, due, OUTBOUND, _written(start, 0, 0), secret=True)
        group.schedule(row)
        self._host.counters["outbound_planned"] += 1
        batch.leave(self._kept, group, row)

    def _kept(self, group: Group, row: ScheduleRow) -> None:
        if not group.lost:
            self._rows.keep(row)

    async def start_campaign(self, name: str, run: str, phones: Sequence[str]) -> int:
        """Plan the flows of a campaign for a list of MSISDNs; returns how many were new to this run.

        A run that broke off may be started again with the same list: nobody is taken in twice. Raises
        ValueError when no flow has the campaign, StoreError when the rest could not be stored.
        """
        if not self._host.library.current.outbound(f"campaign.{name}"):
            raise ValueError(f'no flow has the campaign "{name}"')
        taken = 0
        for first in range(0, len(phones), CAMPAIGN_STEP):
            done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._host.take(self._campaign, (name, run, phones[first : first + CAMPAIGN_STEP], done))
            taken += await done
        return taken

    def _campaign(self, batch: Batch, item: tuple[str, str, Sequence[str], asyncio.Future[int]]) -> None:
        name, run, phones, done = item
        groups = []
        batch.refuse(_fail, done, StoreError("nothing was stored: start the campaign again"))
        for phone in dict.fromkeys(phones):
            fields = {"phone": phone}
            for start in outbound_starts(self._host.library.current, f"campaign.{name}", fields, batch.now):
                group = batch.stored.group()
                plan = f"c:{name}:{run}:{phone}:{start.flow}"
                group.once_id("campaign", plan, batch.now)
                self._plan(batch, group, BEGUN_OUT + plan, start)
                groups.append(group)
        batch.leave(lambda: _finish(done, sum(not group.lost for group in groups)))

    def load(self, rows: Iterable[ScheduleRow]) -> None:
        """Take over what the store holds."""
        for row in rows:
            if row.kind in (OUTBOUND, OUTBOUND_OPEN):
                self._rows.keep(row)

    # Tries

    def tend(self, now: int) -> None:
        """About once a second: make the tries that are due."""
        if self._host.draining or self._host.store.full:
            return
        for row in self._rows.expired(now, AT_ONCE):
            self._host.take(self._try, row)

    def _try(self, batch: Batch, row: ScheduleRow) -> None:
        if not self._rows.waits(row):
            return
        batch.on_failure(lambda: self._rows.again(row, batch.now))
        if row.kind == OUTBOUND_OPEN:
            # The gateway went down in between: it may have been seen, so it is not said again.
            self._host.counters["outbound.unknown"] += 1
            self._drop(batch, row)
            return
        start, channel, tries = _read(row.data)
        flows, now = self._host.library.current, batch.now
        at = next_try(flows, start, now)
        looked = self._looks.known(flows, start.to, outbound_questions(flows, start, now), now)
        if at is None:
            self._miss(batch, row, start)
        elif at > now or looked is None:
            self._later(batch, row, max(at, now + UNDECIDED_MS) if looked is None else at, row.data)
        elif outbound_skip(flows, start, looked, now):
            self._host.counters["outbound.skipped"] += 1
            self._drop(batch, row)
        else:
            self._carry_out(batch, row, start, channel, tries)

    def _carry_out(
        self, batch: Batch, row: ScheduleRow, start: OutboundStart, channel: int, tries: int
    ) -> None:
        opening = Opening(row.id, start.flow, start.to, start.lang, {}, start.event)
        while channel < len(start.over):
            over = start.over[channel]
            opener = self._openers.by_name.get(over)
            opened = Opened.NEVER if opener is None else opener.open(batch, opening)
            if opened is Opened.BEGUN:
                self._host.counters[f"outbound.{over}"] += 1
                self._later(batch, row, batch.now + OPEN_MS, _written(start, channel, tries), OUTBOUND_OPEN)
                return
            if opened is Opened.DONE:
                self._host.counters[f"outbound.{over}"] += 1
                self._drop(batch, row)
                return
            if opened is Opened.LATER and tries + 1 < start.tries:
                self._later(batch, row, batch.now + start.every_ms, _written(start, channel, tries + 1))
                return
            channel, tries = channel + 1, 0
        self._miss(batch, row, start)

    def told(self, batch: Batch, plan: str, reach: Reach) -> None:
        """Take what has come of a session that was begun for a plan and did not know it at once."""
        row = self._rows.get(plan)
        if row is None or row.kind != OUTBOUND_OPEN:
            return
        batch.on_failure(lambda: self._rows.keep(row))
        start, channel, tries = _read(row.data)
        self._host.counters[f"outbound.{reach}"] += 1
        if reach in PASSING and tries + 1 < start.tries:
            self._later(batch, row, batch.now + start.every_ms, _written(start, channel, tries + 1))
        elif reach in PASSING or reach is Reach.REFUSED:
            self._later(batch, row, batch.now, _written(start, channel + 1, 0))
        else:
            self._drop(batch, row)

    def _later(self, batch: Batch, row: ScheduleRow, due: int, data: bytes, kind: str = OUTBOUND) -> None:
        later = msgspec.structs.replace(row, due=due, data=data, kind=kind)
        batch.stored.group().schedule(later)
        self._rows.keep(later)

    def _drop(self, batch: Batch, row: ScheduleRow) -> None:
        batch.stored.group().unschedule(row.id)
        self._rows.forget(row.id)

    def _miss(self, batch: Batch, row: ScheduleRow, start: OutboundStart) -> None:
        """Nobody was reached: run what the flow has for that, with nobody on the line."""
        self._host.counters["outbound.missed"] += 1
        self._drop(batch, row)
        flows, key = self._host.library.current, f"{row.id}:missed"
        if not start.missed or start.flow not in flows.flows or key in self._host.conversations:
            return
        session = machine.begin(
            flows,
            channel=Channel.EVENT,
            caller=start.to,
            called="",
            lang=self._host.language(start.to, batch.now, start.lang),
            event=start.event,
            now=batch.now,
        )
        conversation = Conversation(key, flows, session)
        self._host.conversations[key] = conversation
        assert self.step is not None
        self.step(batch, conversation, Begin(start.flow, block="missed"))


def _written(start: OutboundStart, channel: int, tries: int) -> bytes:
    fields = msgspec.structs.asdict(start)
    return _encode(({**fields, "event": pack(fields["event"])}, channel, tries))


def _read(data: bytes) -> tuple[OutboundStart, int, int]:
    written, channel, tries = _decode(data)
    fields = {name: written[name] for name in _FIELDS if name in written}
    hours = fields["hours"]
    fields["hours"] = tuple(hours) if isinstance(hours, list) else hours
    fields["over"] = tuple(fields["over"])
    return OutboundStart(**fields), channel, tries


def _finish(done: asyncio.Future[int], count: int) -> None:
    if not done.done():
        done.set_result(count)


def _fail(done: asyncio.Future[int], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
