"""The SMS lane: messages of subscribers into inputs of sessions, texts of flows into the outbox.

What is a message, a part, a copy or a receipt is `smpp.sms`'s decision; this module ties messages to
sessions: an open question takes what its type accepts, keywords come next, else the question is asked again.
A message to a session that is busy with something else waits for it (`gateway.host.talk`).
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
from gateway.host.talk import Pair, Talks, may_answer
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
        self._talks = Talks(host)
        stepper.lanes[Channel.SMS] = self
        stepper.let_in = self._let_in

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
        pair = (arrived.msisdn, arrived.to)
        conversation = self._open(pair, arrived.text)
        if conversation is not None and not stops:
            self._stepper.step(batch, conversation, Text(arrived.text))
            return
        if stops and self._stopped(batch, group, arrived, conversation):
            return
        if not (stops or self._is_word(arrived)) and self._people.written(
            batch, group, arrived.msisdn, arrived.to, arrived.text
        ):
            return
        if not self._is_keyword(arrived.to, arrived.text) and self._talks.hold(batch, pair, arrived.text):
            return
        batch.on_failure(lambda: channel.loops.undo((arrived.msisdn, arrived.to)))
        if channel.starting(arrived, batch.now) is not None:
            return
        identity = arrived.identity
        self._start(batch, pair, arrived.text, f"{key}:{identity.at}:{identity.sequence}")

    def _open(self, pair: Pair, text: str) -> Conversation | None:
        """Return the session whose question this message answers, or has to be asked again for."""
        conversation = self._talks.asking(pair)
        if conversation is None or self._takes(conversation, pair, text):
            return conversation
        return None

    def _takes(self, conversation: Conversation, pair: Pair, text: str) -> bool:
        """Tell whether a session that has asked takes a message: what it does not know may start a flow."""
        session, flows = conversation.session, conversation.flows
        if session.waiting is not Waiting.ANSWER:
            return True
        if machine.accepts(flows, session, text, self._host.clock.now()):
            return True
        return not self._is_keyword(pair[1], text)

    def _is_keyword(self, number: str, text: str) -> bool:
        return self._host.library.current.messages.is_keyword(number, text)

    def _is_word(self, arrived: SmsArrived) -> bool:
        """Tell whether a flow waits for this STOP, whatever else its subscriber is talking about."""
        return is_stop(arrived.text) and self._is_keyword(arrived.to, arrived.text)

    def _let_in(self, batch: Batch, conversation: Conversation) -> None:
        """Give a session that is busy no more the oldest message that it holds."""
        session = conversation.session
        if self._talks.is_busy(conversation):
            return
        text, conversation.held = conversation.held[0], conversation.held[1:]
        pair = (session.caller, session.called)
        group = batch.touch(conversation)
        if conversation.ended:
            # It had come before the end was said: it is about something else, like the ones behind it.
            rest, conversation.held = conversation.held, ()
            started = self._start(batch, pair, text, f"s:{pair[0]}:{pair[1]}:{batch.now}")
            for more in rest:
                if started is None or started.ended:
                    started = self._start(batch, pair, more, f"s:{pair[0]}:{pair[1]}:{batch.now}")
                else:
                    self._talks.add(batch, started, more)
            if started is not None and started.held:
                self._let_in(batch, started)
            return
        if session.waiting is Waiting.PEOPLE:
            self._people.written(batch, group, session.caller, session.called, text)
        elif may_answer(conversation):
            self._stepper.step(batch, conversation, Text(text))
            return
        else:
            self._host.counters["sms_held_void"] += 1
        if conversation.held:
            self._let_in(batch, conversation)

    def _stopped(
        self, batch: Batch, group: Group, arrived: SmsArrived, conversation: Conversation | None
    ) -> bool:
        """End the talk of a subscriber who has said STOP; False where a flow has the word and answers."""
        ours = [one for one in self._talks.of(arrived.msisdn) if begun_by_us(one.key)]
        for one in {id(one): one for one in (conversation, *ours) if one is not None}.values():
            batch.touch(one)
            one.held = ()
            self._stepper.step(batch, one, HungUp("stop"))
        flows = self._host.library.current
        if flows.messages.is_keyword(arrived.to, arrived.text):
            return False
        language = self._host.language(arrived.msisdn, batch.now)
        self._tell(batch, group, (arrived.msisdn, arrived.to), flows.project.stopped(language))
        return True

    def _tell(self, batch: Batch, group: Group, pair: Pair, text: str) -> None:
        """Answer a message that starts no flow; nothing if there is nothing to say."""
        if text:
            subscriber, number = pair
            session = f"s:{subscriber}:{number}"
            self._outbox.post(batch, group, to=subscriber, sender=number, text=text, session=session)

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
        self._talks.join(batch, conversation)
        self._stepper.step(batch, conversation, Begin(opening.flow, opening.arguments))
        return Opened.DONE

    def _start(self, batch: Batch, pair: Pair, text: str, name: str) -> Conversation | None:
        """Begin what a message starts; None where no flow takes it."""
        caller, called = pair
        flows = self._host.library.current
        start = flows.sms(called, text)
        if start is None:
            self._host.counters["sms_no_flow"] += 1
            return None
        refusal = self._host.switches.refusal(start.flow, caller, Channel.SMS)
        if refusal is not None:
            self._tell(batch, batch.stored.group(), pair, refusal)
            return None
        session = machine.begin(
            flows,
            channel=Channel.SMS,
            caller=caller,
            called=called,
            lang=self._host.language(caller, batch.now),
            text=text,
            now=batch.now,
        )
        if name in self._host.conversations:
            name = f"{name}:{len(self._host.conversations)}"
        conversation = Conversation(name, flows, session)
        self._host.conversations[name] = conversation
        batch.touch(conversation)
        self._talks.join(batch, conversation)
        self._stepper.step(batch, conversation, Begin(start.flow, start.arguments, start.ahead))
        return conversation

    def incomplete(self, batch: Batch, arrived: SmsArrived) -> None:
        """Take a message whose missing parts have not come in time."""
        channel = self._channels.get(arrived.identity.group)
        if channel is not None:
            batch.on_failure(lambda: channel.undo(arrived))
            self._arrived(batch, channel, arrived)

    # What goes out

    def show(self, batch: Batch, conversation: Conversation, effect: Collect) -> None:
        """Ask a question by SMS and remember who is to answer it."""
        conversation.hides_input = effect.secret
        self._talks.join(batch, conversation)
        self._say(batch, conversation, effect.text)

    def end(self, batch: Batch, conversation: Conversation, effect: End) -> None:
        """Send the last text."""
        self._host.counters[f"ended.sms.{effect.reason}"] += 1
        if effect.text is not None:
            self._say(batch, conversation, effect.text)
        batch.leave(self._talks.leave, conversation)

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
        self._talks.load()


def _part_name(part: HeldPart) -> str:
    identity = part.identity
    bind, connection = identity.connection
    return f"part:{identity.group}:{identity.run}:{bind}:{connection}:{identity.sequence}"
