"""The SMS lane: messages of subscribers into inputs of sessions, texts of flows into the outbox.

What is a message, a part, a copy or a receipt is `smpp.sms`'s decision; this module ties messages to
sessions: an open question takes what its type accepts, keywords come next, else the question is asked again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from engine import machine
from engine.capabilities import Channel
from engine.effects import Collect, End, SendSms
from engine.inputs import Begin, HungUp, Silence, Text
from engine.session import Waiting
from engine.values import Secret
from gateway.host.batch import Batch
from gateway.host.conversation import TIMED, Conversation, begun_by_us
from gateway.host.host import Host
from gateway.host.opening import Opened, Opening
from gateway.host.outbox import Outbox
from gateway.host.people import People
from gateway.host.stepper import Stepper
from gateway.host.unasked import is_stop
from gateway.store.batch import Group
from gateway.store.record import JournalRow, ScheduleRow
from smpp.duplicates import BROKEN_MS, Connection, Identity
from smpp.event import Inbound
from smpp.links import Link
from smpp.parts import HeldPart
from smpp.pdu.message import Sm
from smpp.sms import SmsChannel
from smpp.sms_arrival import Duplicate, NotARequest, PartHeld, Receipted, Refused, SmsArrived

ARRIVED = "sms_in"
"""Kind of the journal rows that a later copy of a message is recognised by."""
PART = "sms_part"
"""Kind of the rows in which the parts of long messages wait."""
_encode = msgspec.msgpack.Encoder().encode
_identity = msgspec.msgpack.Decoder(Identity).decode
_held_part = msgspec.msgpack.Decoder(HeldPart).decode


class SmsLane:
    """All SMS dialogues of the gateway, over all centres that carry SMS."""

    def __init__(self, host: Host, stepper: Stepper, outbox: Outbox, people: People) -> None:
        self._host = host
        self._people = people
        self._stepper = stepper
        self._outbox = outbox
        self._channels: dict[str, SmsChannel] = {}
        self._asking: dict[tuple[str, str], str] = {}
        stepper.lanes[Channel.SMS] = self

    def add(self, link: Link, channel: SmsChannel) -> None:
        """Serve a centre."""
        self._channels[link.name] = channel

    def channel(self, link: Link) -> SmsChannel | None:
        """Return the channel of a centre, None if it carries no SMS."""
        return self._channels.get(link.name)

    # What comes in

    def receive(self, batch: Batch, link: Link, event: Inbound, sm: Sm) -> bool:
        """Take a deliver_sm; False if this centre carries no SMS for us."""
        channel = self._channels.get(link.name)
        if channel is None:
            return False
        source = (event.bind, event.connection)
        arrival = channel.receive(sm, connection=source, sequence=event.sequence, now=batch.now)
        if isinstance(arrival, SmsArrived | PartHeld):
            # First of all: whatever goes wrong from here on, the copy that comes again is no copy.
            batch.on_failure(lambda: channel.undo(arrival))
        status = arrival.status if isinstance(arrival, Refused) else 0
        batch.leave(link.respond, event.bind, event.connection, event.sequence, status)
        match arrival:
            case SmsArrived():
                batch.leave(self._written, channel, source, event.sequence)
                self._arrived(batch, channel, arrival)
            case PartHeld(part=part):
                batch.leave(self._written, channel, source, event.sequence)
                row = ScheduleRow(_part_name(part), batch.now, PART, _encode(part), secret=True)
                batch.stored.group().schedule(row)
            case Receipted(key=key, receipt=receipt) if key is not None:
                self._outbox.receipt(batch, key, receipt)
            case NotARequest() | Duplicate() | Refused() | Receipted():
                pass
        return True

    def _written(self, channel: SmsChannel, source: Connection, sequence: int) -> None:
        channel.written(source, sequence, self._host.clock.now())

    def _arrived(self, batch: Batch, channel: SmsChannel, arrived: SmsArrived) -> None:
        """Store a whole message together with what it starts."""
        group = batch.stored.group()
        key = f"s:{arrived.msisdn}:{arrived.to}"
        group.journal(JournalRow(batch.now, key, ARRIVED, _encode(arrived.identity)))
        for part in arrived.parts:
            group.unschedule(_part_name(part))
            if part.identity != arrived.identity:
                # The rows of the parts go: a copy of one that comes after a restart must still be known.
                group.journal(JournalRow(batch.now, key, ARRIVED, _encode(part.identity)))
        if arrived.missing:
            self._host.counters["sms_incomplete"] += 1
        stops = is_stop(arrived.text) and self._outbox.stop(batch, group, arrived.msisdn)
        conversation = self._open(arrived)
        if conversation is not None and not stops:
            self._stepper.step(batch, conversation, Text(arrived.text))
            return
        if stops and self._stopped(batch, group, arrived, conversation):
            return
        if not (stops or self._is_word(arrived)) and self._people.written(
            batch, group, arrived.msisdn, arrived.to, arrived.text
        ):
            return
        batch.on_failure(lambda: channel.loops.undo((arrived.msisdn, arrived.to)))
        if channel.starting(arrived, batch.now) is not None:
            return
        self._start(batch, arrived, key)

    def _open(self, arrived: SmsArrived) -> Conversation | None:
        """Return the session whose question this message answers, or has to be asked again for."""
        name = self._asking.get((arrived.msisdn, arrived.to))
        conversation = None if name is None else self._host.conversations.get(name)
        if conversation is None:
            return None
        session, flows = conversation.session, conversation.flows
        if session.waiting is Waiting.READING:
            return conversation
        if session.waiting is Waiting.OFFER:
            return conversation
        if session.waiting is not Waiting.ANSWER:
            return None
        if machine.accepts(flows, session, arrived.text, self._host.clock.now()):
            return conversation
        messages = self._host.library.current.messages
        return None if messages.is_keyword(arrived.to, arrived.text) else conversation

    def _is_word(self, arrived: SmsArrived) -> bool:
        """Tell whether a flow waits for this STOP, whatever else its subscriber is talking about."""
        messages = self._host.library.current.messages
        return is_stop(arrived.text) and messages.is_keyword(arrived.to, arrived.text)

    def _stopped(
        self, batch: Batch, group: Group, arrived: SmsArrived, conversation: Conversation | None
    ) -> bool:
        """End the talk of a subscriber who has said STOP; False where a flow has the word and answers."""
        names = [name for pair, name in self._asking.items() if pair[0] == arrived.msisdn]
        asking = [self._host.conversations.get(name) for name in names if begun_by_us(name)]
        for one in {id(one): one for one in (conversation, *asking) if one is not None}.values():
            self._stepper.step(batch, one, HungUp("stop"))
        flows = self._host.library.current
        if flows.messages.is_keyword(arrived.to, arrived.text):
            return False
        language = self._host.language(arrived.msisdn, batch.now)
        self._tell(batch, group, arrived, flows.project.stopped(language))
        return True

    def _tell(self, batch: Batch, group: Group, arrived: SmsArrived, text: str) -> None:
        """Answer a message that starts no flow; nothing if there is nothing to say."""
        if text:
            session = f"s:{arrived.msisdn}:{arrived.to}"
            self._outbox.post(batch, group, to=arrived.msisdn, sender=arrived.to, text=text, session=session)

    def open(self, batch: Batch, opening: Opening) -> Opened:
        """Begin a dialogue by ourselves, from the project's number."""
        flows = self._host.library.current
        sender = flows.project.sms_from
        name = opening.id
        if name in self._host.conversations:
            return Opened.DONE
        if self._host.switches.refusal(opening.flow, opening.to, Channel.SMS) is not None:
            return Opened.NEVER
        if self._outbox.unasked.is_stopped(opening.to):
            # Nothing is said, so nothing may wait for an answer: it is done with.
            self._host.counters["starts_stopped"] += 1
            return Opened.DONE
        session = machine.begin(
            flows,
            channel=Channel.SMS,
            caller=opening.to,
            called=sender,
            lang=self._host.language(opening.to, batch.now, opening.lang),
            event=opening.event,
            now=batch.now,
        )
        conversation = Conversation(name, flows, session)
        self._host.conversations[name] = conversation
        batch.touch(conversation)
        self._stepper.step(batch, conversation, Begin(opening.flow, opening.arguments))
        return Opened.DONE

    def _start(self, batch: Batch, arrived: SmsArrived, key: str) -> None:
        flows = self._host.library.current
        start = flows.sms(arrived.to, arrived.text)
        if start is None:
            self._host.counters["sms_no_flow"] += 1
            return
        refusal = self._host.switches.refusal(start.flow, arrived.msisdn, Channel.SMS)
        if refusal is not None:
            self._tell(batch, batch.stored.group(), arrived, refusal)
            return
        session = machine.begin(
            flows,
            channel=Channel.SMS,
            caller=arrived.msisdn,
            called=arrived.to,
            lang=self._host.language(arrived.msisdn, batch.now),
            text=arrived.text,
            now=batch.now,
        )
        identity = arrived.identity
        name = f"{key}:{identity.at}:{identity.sequence}"
        if name in self._host.conversations:
            name = f"{name}:{len(self._host.conversations)}"
        conversation = Conversation(name, flows, session)
        self._host.conversations[name] = conversation
        batch.touch(conversation)
        self._stepper.step(batch, conversation, Begin(start.flow, start.arguments, start.ahead))

    def incomplete(self, batch: Batch, arrived: SmsArrived) -> None:
        """Take a message whose missing parts have not come in time."""
        channel = self._channels.get(arrived.identity.group)
        if channel is not None:
            batch.on_failure(lambda: channel.undo(arrived))
            self._arrived(batch, channel, arrived)

    # What goes out

    def show(self, batch: Batch, conversation: Conversation, effect: Collect) -> None:
        """Ask a question by SMS and remember who is to answer it."""
        session = conversation.session
        conversation.hides_input = effect.secret
        pair = (session.caller, session.called)
        before = self._asking.get(pair, "")
        self._asking[pair] = conversation.key
        batch.on_failure(lambda: self._asking.__setitem__(pair, before))
        self._say(batch, conversation, effect.text)

    def end(self, batch: Batch, conversation: Conversation, effect: End) -> None:
        """Send the last text."""
        self._host.counters[f"ended.sms.{effect.reason}"] += 1
        if effect.text is not None:
            self._say(batch, conversation, effect.text)
        pair = (conversation.session.caller, conversation.session.called)
        if self._asking.get(pair) == conversation.key:
            batch.leave(self._asking.pop, pair, None)

    def _say(self, batch: Batch, conversation: Conversation, text: str | Secret) -> None:
        session = conversation.session
        secret = isinstance(text, Secret)
        if text:
            self._outbox.send(batch, conversation, SendSms(session.caller, session.called, text, secret))

    # Time

    def due(self, batch: Batch, conversation: Conversation) -> None:
        """Take a session whose question nobody has answered in time."""
        session = conversation.session
        if session.waiting not in TIMED:
            return
        if session.deadline is not None and batch.now >= session.deadline:
            self._stepper.step(batch, conversation, Silence())

    def tend(self, now: int) -> None:
        """About once a second: give out long messages whose missing parts will not come."""
        for channel in self._channels.values():
            for arrived in channel.expired(now):
                self._host.take(self.incomplete, arrived)
            channel.receipts.expired(now)

    # After a start

    def load(self, now: int, waiting: Iterable[ScheduleRow]) -> None:
        """Take back the messages of the last 15 minutes, the waiting parts and the open questions."""
        rows = self._host.store.journal_since(ARRIVED, now - BROKEN_MS)
        identities = [_identity(row.data) for row in rows]
        parts = [_held_part(row.data) for row in waiting if row.kind == PART]
        for name, channel in self._channels.items():
            channel.restore(
                [one for one in identities if one.group == name],
                [one for one in parts if one.identity.group == name],
            )
        for conversation in self._host.conversations.values():
            session = conversation.session
            if session.channel == Channel.SMS and session.waiting in (Waiting.ANSWER, Waiting.READING):
                self._asking[session.caller, session.called] = conversation.key


def _part_name(part: HeldPart) -> str:
    identity = part.identity
    bind, connection = identity.connection
    return f"part:{identity.group}:{identity.run}:{bind}:{connection}:{identity.sequence}"
