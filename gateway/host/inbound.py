"""What links bring: every PDU of one read goes into one batch, each to the lane that knows it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.event import Events
from gateway.host.host import Host
from gateway.host.message import PartToken
from gateway.host.outbox import Outbox
from gateway.host.sms import SmsLane
from gateway.host.ussd import STORE_FAILED, UssdLane
from gateway.host.ussd_page import Page
from gateway.host.voice import VoiceLane
from smpp.event import Accepted, Answered, BindDown, BindUp, Failed, Inbound, InboundRow, LinkEvent
from smpp.links import Link
from smpp.pdu.command import CommandId
from smpp.pdu.data_sm import decode_data_sm
from smpp.pdu.message import Sm, decode_sm
from smpp.pdu.status import Status
from smpp.pdu.wire import PduError
from smpp.sms import SmsChannel

_DELIVER = int(CommandId.DELIVER_SM)
_OUR_FAULT = int(Status.RSYSERR)
_NOT_OURS = int(Status.RX_R_APPN)


class Inbounds:
    """Sorts what links report. Its `on_batch` is what every link calls."""

    def __init__(
        self, host: Host, ussd: UssdLane, sms: SmsLane, voice: VoiceLane, outbox: Outbox, events: Events
    ) -> None:
        self._host = host
        self._ussd = ussd
        self._known = ussd.known
        self._pages = ussd.pages
        self._sms = sms
        self._voice = voice
        self._outbox = outbox
        self._events = events
        self._standing: set[tuple[str, int, int]] = set()
        self._log = structlog.get_logger()

    def on_batch(self, link: Link, events: Sequence[LinkEvent]) -> None:
        """Take everything that one read of a link has brought."""
        self._host.take(self._take, (link, events))

    def _take(self, batch: Batch, item: tuple[Link, Sequence[LinkEvent]]) -> None:
        link, events = item
        host = self._host
        channel = self._sms.channel(link)
        read_by: tuple[int, int, int] | None = None
        batch.refuse(self._refused, link, events)
        for event in events:
            match event:
                case InboundRow():
                    self._row(batch, link, event)
                case Inbound():
                    self._single(batch, link, event)
                case Accepted():
                    read_by = self._accepted(batch, channel, event)
                case Answered():
                    written = (event.bind, event.connection, event.sent_at)
                    host.guarded(batch, self._answered, (None if read_by == written else channel, event))
                    read_by = written
                case _:
                    host.guarded(batch, self._other, (link, event))

    def _row(self, batch: Batch, link: Link, event: InboundRow) -> None:
        """Take messages in order: those of dialogs that are known by how they begin together, others singly.

        A fault of ours among the former undoes them all, and then each is taken singly.
        """
        at, count = 0, len(event.sequences)

        def take_known(batch: Batch, event: InboundRow) -> None:
            nonlocal at
            at = self._known.receive(batch, link, event, at)

        while at < count:
            if event.command_id == _DELIVER and not self._host.guarded(batch, take_known, event):
                break
            if at < count:
                self._single(batch, link, event.one(at))
                at += 1
        for place in range(at, count):
            self._single(batch, link, event.one(place))

    def _single(self, batch: Batch, link: Link, event: Inbound) -> None:
        """Take one message; whose fault it is not is told so."""
        if not self._host.guarded(batch, self._message, (link, event)):
            batch.leave(link.respond, event.bind, event.connection, event.sequence, _OUR_FAULT)

    def _answered(self, batch: Batch, item: tuple[SmsChannel | None, Answered]) -> None:
        """Take what the centre said of a message; a channel is told which write it has read."""
        channel, event = item
        if channel is not None:
            channel.confirmed((event.bind, event.connection), event.sent_at)
        if type(event.token) is Page:
            self._pages.confirmed(batch, event)
        elif type(event.token) is PartToken:
            self._outbox.answered(batch, event)

    def _accepted(self, batch: Batch, channel: SmsChannel | None, event: Accepted) -> tuple[int, int, int]:
        """Take note of pages that the centre has accepted; returns which write it has read."""
        read_by = event.bind, event.connection, event.sent_at
        if channel is not None:
            channel.confirmed(read_by[:2], event.sent_at)
        for page in self._pages.arrived(event.tokens):
            self._host.guarded(batch, self._pages.confirmed, _one_of(event, page))
        return read_by

    def _refused(self, link: Link, events: Sequence[LinkEvent]) -> None:
        """Nothing of a read was stored: have the messages sent again, keep what is told only once."""
        for event in events:
            if isinstance(event, Inbound):
                self._refuse(link, event)
            elif isinstance(event, InboundRow):
                for one in event.singly():
                    self._refuse(link, one)
            elif isinstance(event, Answered):
                self._pages.confirm_again(event)
            elif isinstance(event, Accepted):
                for page in event.tokens:
                    self._pages.confirm_again(_one_of(event, page))

    def _refuse(self, link: Link, event: Inbound) -> None:
        """Have a message sent again that was not stored; one that nobody can read is told so."""
        status = STORE_FAILED
        try:
            self._decode(event)
        except PduError as error:
            status = error.status
        except Exception:
            # A fault of ours, counted when it was met first: the others are answered all the same.
            status = _OUR_FAULT
        link.respond(event.bind, event.connection, event.sequence, status)

    @staticmethod
    def _decode(event: Inbound) -> Sm:
        if event.command_id == _DELIVER:
            return decode_sm(event.body, event.sequence, _DELIVER)
        return decode_data_sm(event.body, event.sequence).as_deliver()

    def _message(self, batch: Batch, item: tuple[Link, Inbound]) -> None:
        link, event = item
        host = self._host
        try:
            sm = self._decode(event)
        except PduError as error:
            host.counters["pdu_refused"] += 1
            batch.leave(link.respond, event.bind, event.connection, event.sequence, error.status)
            return
        if sm.oddities:
            host.counters["pdu_odd"] += 1
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

    def _other(self, batch: Batch, item: tuple[Link, LinkEvent]) -> None:
        link, event = item
        match event:
            case Failed():
                if isinstance(event.token, Page):
                    self._pages.failed(batch, event)
                elif isinstance(event.token, PartToken):
                    self._outbox.failed(batch, event)
            case BindUp():
                self._log.info("bound", link=link.name, bind=event.bind)
                self._host.counters["binds"] += 1
                self._standing.add((link.name, event.bind, event.connection))
                batch.leave(self._outbox.pump)
            case BindDown():
                standing = (link.name, event.bind, event.connection)
                self._host.counters["binds_lost" if standing in self._standing else "binds_refused"] += 1
                self._standing.discard(standing)
                log = self._log.error if event.alarm else self._log.warning
                log("unbound", link=link.name, bind=event.bind, reason=event.reason, retry_ms=event.retry_ms)
                channel = self._sms.channel(link)
                if channel is not None:
                    channel.broken((event.bind, event.connection))
                    batch.leave(self._outbox.link_down, link)

    def due(self, batch: Batch, conversation: Conversation) -> None:
        """Take a session whose deadline has come."""
        if conversation.ended:
            return
        match conversation.session.channel:
            case "ussd":
                self._ussd.due(batch, conversation)
            case "event":
                self._events.due(batch, conversation)
            case "voice":
                self._voice.due(batch, conversation)
            case _:
                self._sms.due(batch, conversation)


def _one_of(event: Accepted, page: object) -> Answered:
    """Return what the centre said of one of the pages that it has accepted."""
    return Answered(page, 0, b"", event.bind, event.connection, sent_at=event.sent_at)
