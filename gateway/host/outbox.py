"""Messages to subscribers: queued with the step that says them, sent after its commit, followed to their end.

Each message is a row of the outbox from the moment a flow says it until its retention time is over. What a
missing answer means for it is `smpp.resend`'s decision; a message with a secret is noted as sent before it
leaves, so that it leaves at most once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import msgspec

from engine.effects import SendSms
from engine.values import Secret
from gateway.host.batch import Batch
from gateway.host.carrier import Carrier, Carriers
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.host.message import Message, Messages, PartToken
from gateway.host.message_fate import Fates
from gateway.host.unasked import Unasked, is_unasked
from gateway.journal.parts import message_parts
from gateway.journal.tally import SMS, noted
from gateway.store.batch import Group
from gateway.store.record import MessageState, OutboxRow
from gateway.store.sqlite import SqliteStore
from smpp.event import Failed
from smpp.links import Link
from smpp.resend import Decision, Fate
from smpp.sms import SmsChannel

AT_ONCE = 500
"""Unasked messages looked at in one go; what finds no room waits for the next."""
GRACE_MS = 60_000
"""A message without a receipt is given up so long after its validity has ended."""
PARTS_WAIT_MS = 30_000
"""A centre that has taken some parts of a message and is gone is waited for so long; then the whole message
goes another way, with a reference of its own, and the handset drops the parts it has."""


class Outbox:
    """All messages that are not final, over all centres that carry SMS.

    `answered`, `failed` and `receipt` take what became of a part (`gateway.host.message_fate`).
    """

    def __init__(self, host: Host, store: SqliteStore) -> None:
        self._host = host
        self.unasked = Unasked(host, store)
        self._carriers = Carriers()
        self._messages = Messages(host, self.unasked)
        self._fates = Fates(host, self._messages, self._carriers, self._dispatch)
        self.answered = self._fates.answered
        self.failed = self._fates.failed
        self.receipt = self._fates.receipt

    def add(self, link: Link, channel: SmsChannel, numbers: frozenset[str], bulk: int = 50) -> None:
        """Let messages leave through a centre, unasked ones as `bulk` per cent of its rate at most."""
        self.unasked.add_link(link, bulk)
        self._carriers.add(Carrier(link, channel, numbers))

    def __len__(self) -> int:
        return len(self._messages.open)

    # Queueing

    def send(self, batch: Batch, conversation: Conversation, effect: SendSms) -> None:
        """Take a message of a flow: stored with the step, sent after the commit."""
        sender = effect.sender or conversation.flows.project.sms_from
        secret = effect.secret or isinstance(effect.text, Secret)
        text = effect.text.reveal() if isinstance(effect.text, Secret) else effect.text
        carrier = self._carriers.of(sender)
        parts = 1 if carrier is None else message_parts(text, carrier.channel.profile)
        conversation.tally = noted(conversation.tally, SMS, str(parts))
        self.post(
            batch,
            batch.touch(conversation),
            to=effect.to,
            sender=sender,
            text=text,
            session=conversation.key,
            secret=secret,
            unasked=is_unasked(batch, conversation),
        )

    def post(
        self,
        batch: Batch,
        group: Group,
        *,
        to: str,
        sender: str,
        text: str,
        session: str,
        secret: bool = False,
        unasked: bool = False,
    ) -> None:
        """Take a message: stored in `group`, sent after the commit. `session` is what it belongs to.

        An `unasked` one waits for its turn and its hour; for who is on the stop list it is only noted.
        """
        carrier = self._carriers.of(sender)
        leaves = self.unasked.leaves_at(batch.now) if unasked else batch.now
        valid = leaves + 86_400_000 if carrier is None else carrier.channel.valid_for(leaves, secret)
        stopped = unasked and self.unasked.is_stopped(to)
        row = OutboxRow(
            id=secrets.token_hex(12),
            to=to,
            sender=sender,
            text=text,
            at=batch.now,
            next_at=leaves,
            expires_at=valid,
            secret=secret,
            session=session,
            unasked=unasked,
            state=MessageState.CANCELLED if stopped else MessageState.WAITING,
            error="stop" if stopped else "",
        )
        group.outbox(row)
        if stopped:
            self._host.counters["sms_cancelled"] += 1
            return
        self._host.counters["sms_unasked" if unasked else "sms_queued"] += 1
        if leaves > batch.now:
            self._host.counters["sms_held_quiet"] += 1
        batch.leave(self._take, row)

    def _take(self, row: OutboxRow) -> None:
        message = self._messages.open[row.id] = Message(row)
        if row.unasked or not self._dispatch(message):
            self._messages.wait(row)

    def stop(self, batch: Batch, group: Group, subscriber: str) -> bool:
        """Put a subscriber on the stop list and cancel what he has not asked for; False without a list."""
        if not self.unasked.stop(batch, group, subscriber):
            return False
        for message in list(self._messages.open.values()):
            row = message.row
            waits = row.id in self.unasked or row.id in self._messages.later
            if row.unasked and row.to == subscriber and waits and message.untaken:
                self._cancel(batch, message)
        return True

    def _cancel(self, batch: Batch, message: Message) -> None:
        """End a message that its subscriber does not want and that no link has taken yet."""
        batch.on_failure(lambda: self._messages.wait(message.row))
        self._messages.end(batch, message, MessageState.CANCELLED, "stop")

    def pump_unasked(self) -> None:
        """A few times a second: send unasked messages as far as the links have room to spare."""
        names = self.unasked.take(AT_ONCE)
        full: set[str] = set()
        left: list[str] = []
        for name in names:
            message = self._messages.open.get(name)
            if message is None:
                continue
            if message.untaken and self.unasked.is_stopped(message.row.to):
                self._host.take(self._stopped, name)
                continue
            carrier = message.carrier or self._carriers.of(message.row.sender, message.refused_by)
            link = None if carrier is None else carrier.link
            if link is None or link.name in full or not link.bound:
                left.append(name)
            elif not self.unasked.admits(link, message.row.text):
                full.add(link.name)
                left.append(name)
            elif not self._dispatch(message):
                left.append(name)
        self.unasked.put_back(left)
        for carrier in self._carriers if len(left) < len(names) else ():
            carrier.link.flush()

    def _stopped(self, batch: Batch, name: str) -> None:
        message = self._messages.open.get(name)
        if message is not None:
            self._cancel(batch, message)

    def link_down(self, link: Link) -> None:
        """A bind of a link ended: when none is left, what waits there goes another way at once."""
        gone = next((one for one in self._carriers if one.link is link), None)
        if gone is None or link.bound:
            return
        if any(one is not gone and one.link.bound for one in self._carriers):
            link.hand_back()

    def load(self, rows: Iterable[OutboxRow]) -> None:
        """Take the open messages of the store over after a start.

        What waited goes out again (a message without a secret may have left before: at least once); what
        the centre has accepted waits for its receipt.
        """
        for row in rows:
            message = Message(row)
            self._messages.open[row.id] = message
            match row.state:
                case MessageState.WAITING:
                    self._messages.wait(row)
                case MessageState.ACCEPTED:
                    self._restore_ids(message)

    def _restore_ids(self, message: Message) -> None:
        row = message.row
        message.ids = [one.encode() for one in row.message_ids]
        for carrier in self._carriers:
            if carrier.link.name == row.link:
                message.carrier = carrier
                for number, message_id in enumerate(row.message_ids):
                    key = f"{row.id}/{number}"
                    carrier.channel.receipts.restore(message_id.encode(), key, row.to, row.at)

    # Sending

    def pump(self) -> None:
        """Send what waits, as far as the links take it; a link that is down holds up only its own."""
        for _ in range(len(self._messages.queue)):
            name = self._messages.queue.popleft()
            message = self._messages.open.get(name)
            if message is not None and not self._dispatch(message):
                self._messages.queue.append(name)

    def _dispatch(self, message: Message) -> bool:
        """Send a message; False if no link takes it now."""
        row = message.row
        carrier = message.carrier or self._carriers.of(row.sender, message.refused_by)
        if carrier is None:
            return False
        if not carrier.link.bound:
            if not self._leaves_parts_behind(message, carrier):
                return False
            carrier = self._carriers.of(row.sender, {carrier.link.name, *message.refused_by})
            assert carrier is not None
        message.stuck_since = None
        message.carrier = carrier
        if row.secret and row.state is MessageState.WAITING:
            self._host.take_later(self._note_sent, row.id)
            return True
        self._submit(message)
        return True

    def _leaves_parts_behind(self, message: Message, gone: Carrier) -> bool:
        """Whether a message whose centre is gone begins anew elsewhere, parts that were accepted or not."""
        row = message.row
        if row.secret or not self._carriers.other_way(row.sender, message.refused_by, than=gone):
            return False
        now = self._host.clock.now()
        if message.stuck_since is None:
            message.stuck_since = now
        if not message.untaken and now - message.stuck_since < PARTS_WAIT_MS:
            return False
        message.carrier, message.ids, message.bodies = None, [], []
        message.attempt += 1
        return True

    def _note_sent(self, batch: Batch, name: str) -> None:
        """Store that a secret message leaves, before it does."""
        message = self._messages.open.get(name)
        if message is None:
            return
        before = message.row
        message.row = msgspec.structs.replace(before, state=MessageState.SENT, tries=before.tries + 1)
        batch.stored.group().outbox(message.row)

        def undo() -> None:
            message.row = before
            self._messages.queue.append(name)

        batch.on_failure(undo)
        batch.leave(self._submit, message)

    def _submit(self, message: Message) -> None:
        row, carrier = message.row, message.carrier
        assert carrier is not None
        now = self._host.clock.now()
        bodies = message.bodies
        if not bodies:
            try:
                bodies = carrier.channel.submit(
                    row.to, row.sender, row.text, now=now, valid_until=row.expires_at, secret=row.secret
                )
            except ValueError as fault:
                decision = Decision(Fate.FAILED, reason=str(fault), alarm=True)
                self._host.take_later(self._fates.decided, (row.id, decision))
                return
            message.ids = [None] * len(bodies)
            message.bodies = bodies if len(bodies) > 1 else []
        for one in self._carriers:
            # Whatever way it leaves, the answer to it may come by any.
            one.channel.sent(row.to, row.sender, row.text, now, row.id)
        if not row.secret:
            message.row = row = msgspec.structs.replace(row, tries=row.tries + 1)
        subscriber = row.to.encode()
        for number, body in enumerate(bodies):
            if message.ids[number] is not None:
                continue
            token = PartToken(row.id, number, message.attempt)
            if not carrier.link.submit(body, token, subscriber=subscriber):
                self._host.take_later(self.failed, Failed(token, "unsent"))

    # Time

    def tend(self) -> None:
        """About once a second: send what waited for its time, give up what nobody will answer any more."""
        now, messages = self._host.clock.now(), self._messages
        for name, at in list(messages.later.items()):
            if at <= now:
                del messages.later[name]
                if name in messages.open:
                    messages.wait(messages.open[name].row)
        self.pump()
        overdue = [
            message.row for message in messages.open.values() if message.row.expires_at + GRACE_MS <= now
        ]
        for row in overdue:
            self._host.take(self._overdue, row.id)

    def _overdue(self, batch: Batch, name: str) -> None:
        message = self._messages.open.get(name)
        if message is None:
            return
        never_left = message.row.state is MessageState.WAITING
        state = MessageState.EXPIRED if never_left else MessageState.UNKNOWN
        self._messages.end(batch, message, state, "never sent" if never_left else "no receipt")
