"""What links bring: every PDU of one read goes into one batch, each to the lane that knows it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.host.outbox import Outbox, PartToken
from gateway.host.sms import SmsLane
from gateway.host.ussd import STORE_FAILED, Page, UssdLane
from smpp.event import Answered, BindDown, BindUp, Failed, Inbound, LinkEvent
from smpp.links import Link
from smpp.pdu.command import CommandId
from smpp.pdu.data_sm import decode_data_sm
from smpp.pdu.message import Sm, decode_sm
from smpp.pdu.status import Status
from smpp.pdu.wire import PduError

_DELIVER = int(CommandId.DELIVER_SM)
_OUR_FAULT = int(Status.RSYSERR)
_NOT_OURS = int(Status.RX_R_APPN)


class Inbounds:
    """Sorts what links report. Its `on_batch` is what every link calls."""

    def __init__(self, host: Host, ussd: UssdLane, sms: SmsLane, outbox: Outbox) -> None:
        self._host = host
        self._ussd = ussd
        self._sms = sms
        self._outbox = outbox
        self._log = structlog.get_logger()

    def on_batch(self, link: Link, events: Sequence[LinkEvent]) -> None:
        """Take everything that one read of a link has brought."""
        self._host.take(self._take, (link, events))

    def _take(self, batch: Batch, item: tuple[Link, Sequence[LinkEvent]]) -> None:
        link, events = item
        host = self._host
        for event in events:
            kind = type(event)
            if kind is Answered:
                host.guarded(batch, self._confirmed, (link, event))
            elif isinstance(event, Inbound):
                if not host.guarded(batch, self._message, (link, event)):
                    batch.leave(link.respond, event.bind, event.connection, event.sequence, _OUR_FAULT)
            else:
                host.guarded(batch, self._other, (link, event))

    def _message(self, batch: Batch, item: tuple[Link, Inbound]) -> None:
        link, event = item
        host = self._host
        try:
            sm = self._decode(event)
        except PduError as error:
            host.counters["pdu_refused"] += 1
            batch.leave(link.respond, event.bind, event.connection, event.sequence, error.status)
            batch.refuse(link.respond, event.bind, event.connection, event.sequence, error.status)
            return
        if sm.oddities:
            host.counters["pdu_odd"] += 1
        batch.refuse(link.respond, event.bind, event.connection, event.sequence, STORE_FAILED)
        if self._ussd.receive(batch, link, event, sm):
            return
        if host.draining or host.store.full:
            # The centre keeps the message and sends it later, or to whoever binds next.
            host.counters["sms_refused_draining" if host.draining else "refused_disk_full"] += 1
            batch.leave(link.respond, event.bind, event.connection, event.sequence, STORE_FAILED)
            return
        if self._sms.receive(batch, link, event, sm):
            return
        host.counters["message_not_carried"] += 1
        batch.leave(link.respond, event.bind, event.connection, event.sequence, _NOT_OURS)

    @staticmethod
    def _decode(event: Inbound) -> Sm:
        if event.command_id == _DELIVER:
            return decode_sm(event.body, event.sequence, event.command_id)
        return decode_data_sm(event.body, event.sequence).as_deliver()

    def _other(self, batch: Batch, item: tuple[Link, LinkEvent]) -> None:
        link, event = item
        match event:
            case Failed():
                if isinstance(event.token, Page):
                    self._ussd.failed(batch, event)
                elif isinstance(event.token, PartToken):
                    self._outbox.failed(batch, event)
            case BindUp():
                self._log.info("bound", link=link.name, bind=event.bind)
                self._host.counters["binds"] += 1
                batch.leave(self._outbox.pump)
            case BindDown():
                self._host.counters["binds_lost"] += 1
                log = self._log.error if event.alarm else self._log.warning
                log("unbound", link=link.name, bind=event.bind, reason=event.reason, retry_ms=event.retry_ms)
                channel = self._sms.channel(link)
                if channel is not None:
                    channel.broken((event.bind, event.connection))

    def _confirmed(self, batch: Batch, item: tuple[Link, Answered]) -> None:
        link, event = item
        channel = self._sms.channel(link)
        if channel is not None:
            channel.confirmed((event.bind, event.connection), event.sent_at)
        kind = type(event.token)
        if kind is Page:
            self._ussd.confirmed(batch, event)
        elif kind is PartToken:
            self._outbox.answered(batch, event)

    def due(self, batch: Batch, conversation: Conversation) -> None:
        """Take a session whose deadline has come."""
        if conversation.ended:
            return
        match conversation.session.channel:
            case "ussd":
                self._ussd.due(batch, conversation)
            case _:
                self._sms.due(batch, conversation)
