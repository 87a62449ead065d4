"""Messages to subscribers: queued with the step that says them, sent after its commit, followed to their end.

Each message is a row of the outbox from the moment a flow says it until its retention time is over. What a
missing answer means for it is `smpp.resend`'s decision; a message with a secret is noted as sent before it
leaves, so that it leaves at most once.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable

import msgspec
import structlog

from engine.effects import SendSms
from engine.values import Secret
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.store.record import FINAL, MessageState, OutboxRow
from gateway.store.sqlite import SqliteStore
from smpp.event import Answered, Failed
from smpp.links import Link
from smpp.receipts import MessageState as Reported
from smpp.receipts import Receipt
from smpp.resend import Decision, Fate, after_failure, after_status
from smpp.sms import SmsChannel

GRACE_MS = 60_000
"""A message without a receipt is given up so long after its validity has ended."""


class PartToken(msgspec.Struct, frozen=True, gc=False):
    """Token of one part on its way; `attempt` makes late answers to an earlier attempt strangers."""

    id: str
    part: int
    attempt: int


class Carrier(msgspec.Struct, frozen=True):
    """A centre that carries SMS: its link, its channel, and the short codes that must leave there."""

    link: Link
    channel: SmsChannel
    numbers: frozenset[str]


class Message:
    """An open message: its row as stored, and which of its parts are where.

    `ids` are the centre's names of the parts, None while a part is not accepted; `reported` the parts whose
    receipt has come. `bodies` are kept while some parts of a long message are accepted and others are not:
    the handset joins only parts of one reference number. `attempt` counts how often it was sent from here.
    """

    __slots__ = ("attempt", "bodies", "carrier", "ids", "reported", "row")

    def __init__(self, row: OutboxRow) -> None:
        self.row = row
        self.carrier: Carrier | None = None
        self.ids: list[bytes | None] = []
        self.bodies: list[bytes] = []
        self.reported: set[int] = set()
        self.attempt = 0


class Outbox:
    """All messages that are not final, over all centres that carry SMS."""

    def __init__(self, host: Host, store: SqliteStore) -> None:
        self._host = host
        self._store = store
        self._carriers: list[Carrier] = []
        self._open: dict[str, Message] = {}
        self._queue: deque[str] = deque()
        self._later: dict[str, int] = {}
        self._log = structlog.get_logger()

    def add(self, link: Link, channel: SmsChannel, numbers: frozenset[str]) -> None:
        """Let messages leave through a centre."""
        self._carriers.append(Carrier(link, channel, numbers))

    def __len__(self) -> int:
        return len(self._open)

    # Queueing

    def send(self, batch: Batch, conversation: Conversation, effect: SendSms) -> None:
        """Take a message of a flow: stored with the step, sent after the commit."""
        sender = effect.sender or conversation.flows.project.sms_from
        secret = effect.secret or isinstance(effect.text, Secret)
        text = effect.text.reveal() if isinstance(effect.text, Secret) else effect.text
        carrier = self._carrier(sender)
        valid = batch.now + 86_400_000 if carrier is None else carrier.channel.valid_for(batch.now, secret)
        row = OutboxRow(
            id=secrets.token_hex(12),
            to=effect.to,
            sender=sender,
            text=text,
            at=batch.now,
            next_at=batch.now,
            expires_at=valid,
            secret=secret,
            session=conversation.key,
        )
        batch.touch(conversation).outbox(row)
        self._host.counters["sms_queued"] += 1
        batch.leave(self._take, row)

    def _take(self, row: OutboxRow) -> None:
        message = self._open[row.id] = Message(row)
        if not self._dispatch(message):
            self._queue.append(row.id)

    def _carrier(self, sender: str) -> Carrier | None:
        """Choose the centre of a sender: one that names the number before one that takes any, bound first."""
        able = [one for one in self._carriers if sender in one.numbers]
        able = able or [one for one in self._carriers if not one.numbers]
        return next((one for one in able if one.link.bound), able[0] if able else None)

    def load(self, rows: Iterable[OutboxRow]) -> None:
        """Take the open messages of the store over after a start.

        What waited goes out again (a message without a secret may have left before: at least once); what
        the centre has accepted waits for its receipt.
        """
        for row in rows:
            message = Message(row)
            self._open[row.id] = message
            match row.state:
                case MessageState.WAITING:
                    self._queue.append(row.id)
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
        for _ in range(len(self._queue)):
            name = self._queue.popleft()
            message = self._open.get(name)
            if message is not None and not self._dispatch(message):
                self._queue.append(name)

    def _dispatch(self, message: Message) -> bool:
        """Send a message; False if no link takes it now."""
        row = message.row
        carrier = message.carrier or self._carrier(row.sender)
        if carrier is None or not carrier.link.bound:
            return False
        message.carrier = carrier
        if row.secret and row.state is MessageState.WAITING:
            self._host.take_later(self._note_sent, row.id)
            return True
        self._submit(message)
        return True

    def _note_sent(self, batch: Batch, name: str) -> None:
        """Store that a secret message leaves, before it does."""
        message = self._open.get(name)
        if message is None:
            return
        before = message.row
        message.row = msgspec.structs.replace(before, state=MessageState.SENT, tries=before.tries + 1)
        batch.stored.group().outbox(message.row)

        def undo() -> None:
            message.row = before
            self._queue.append(name)

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
                self._host.take_later(self._decided, (row.id, decision))
                return
            message.ids = [None] * len(bodies)
            message.bodies = bodies if len(bodies) > 1 else []
        carrier.channel.sent(row.to, row.sender, row.text, now)
        if not row.secret:
            message.row = row = msgspec.structs.replace(row, tries=row.tries + 1)
        subscriber = row.to.encode()
        for number, body in enumerate(bodies):
            if message.ids[number] is not None:
                continue
            token = PartToken(row.id, number, message.attempt)
            if not carrier.link.submit(body, token, subscriber=subscriber):
                self._host.take_later(self.failed, Failed(token, "unsent"))

    # What became of it

    def answered(self, batch: Batch, event: Answered) -> None:
        """Take the submit_sm_resp of a part."""
        token = event.token
        message = self._mine(token)
        if message is None or not isinstance(token, PartToken):
            return
        row, carrier = message.row, message.carrier
        assert carrier is not None
        if event.status:
            decision = after_status(
                event.status,
                tries=row.tries,
                now=batch.now,
                valid_until=row.expires_at,
                vendor=carrier.channel.profile.status,
            )
            self._decide(batch, message, decision)
            return
        message.ids[token.part] = event.message_id
        group = batch.stored.group()
        if event.message_id:
            name = event.message_id.decode("latin-1")
            group.message_id(carrier.link.name, name, row.id, token.part, batch.now)
        early = carrier.channel.submitted(event.message_id, f"{row.id}/{token.part}", row.to, batch.now)
        if all(one is not None for one in message.ids):
            ids = tuple((one or b"").decode("latin-1") for one in message.ids)
            message.row = msgspec.structs.replace(
                row, state=MessageState.ACCEPTED, link=carrier.link.name, message_ids=ids
            )
            message.bodies = []
            self._host.counters["sms_accepted"] += 1
            if not (carrier.channel.profile.registered_delivery and any(message.ids)):
                # Nobody will tell what becomes of it: this is its end, and the end of a secret in the store.
                self._end(batch, message, MessageState.UNKNOWN, "no receipt asked")
                return
            group.outbox(message.row)
        for receipt in early:
            self.receipt(batch, f"{row.id}/{token.part}", receipt)

    def failed(self, batch: Batch, event: Failed) -> None:
        """Take a part that got no answer of its own."""
        message = self._mine(event.token)
        if message is None:
            return
        row = message.row
        decision = after_failure(
            event.reason, secret=row.secret, tries=row.tries, now=batch.now, valid_until=row.expires_at
        )
        self._decide(batch, message, decision)

    def _mine(self, token: object) -> Message | None:
        if not isinstance(token, PartToken):
            return None
        message = self._open.get(token.id)
        return message if message is not None and message.attempt == token.attempt else None

    def _decided(self, batch: Batch, item: tuple[str, Decision]) -> None:
        name, decision = item
        message = self._open.get(name)
        if message is not None:
            self._decide(batch, message, decision)

    def _decide(self, batch: Batch, message: Message, decision: Decision) -> None:
        row = message.row
        if decision.alarm:
            self._log.error("sms_alarm", reason=decision.reason, sender=row.sender)
        match decision.fate:
            case Fate.AGAIN:
                message.attempt += 1
                if all(one is None for one in message.ids):
                    message.carrier = None
                    message.bodies = []
                message.row = msgspec.structs.replace(
                    row, next_at=decision.at, state=MessageState.WAITING, error=decision.reason
                )
                batch.stored.group().outbox(message.row)
                self._later[row.id] = decision.at
                self._host.counters["sms_again"] += 1
            case Fate.UNKNOWN:
                message.row = msgspec.structs.replace(row, state=MessageState.SENT, error=decision.reason)
                batch.stored.group().outbox(message.row)
                self._host.counters["sms_in_doubt"] += 1
            case Fate.FAILED:
                self._end(batch, message, MessageState.FAILED, decision.reason)
            case Fate.EXPIRED:
                self._end(batch, message, MessageState.EXPIRED, decision.reason)

    def receipt(self, batch: Batch, key: str, receipt: Receipt) -> None:
        """Take a receipt about one of our parts (`key` is message id / part)."""
        name, _, part = key.partition("/")
        message = self._open.get(name)
        if message is None or not receipt.final:
            return
        batch.on_failure(lambda: self._expect_again(message, int(part)))
        if receipt.state is Reported.DELIVERED:
            message.reported.add(int(part))
            if len(message.reported) >= max(1, len(message.ids)):
                self._end(batch, message, MessageState.DELIVERED, "")
        elif receipt.state is Reported.EXPIRED:
            self._end(batch, message, MessageState.EXPIRED, receipt.error)
        else:
            self._end(
                batch, message, MessageState.FAILED, f"{receipt.state.name.lower()} {receipt.error}".strip()
            )

    def _expect_again(self, message: Message, part: int) -> None:
        """What a receipt said was not stored, and the centre is asked to send it again: know it then."""
        message.reported.discard(part)
        name = message.ids[part] if part < len(message.ids) else None
        if message.carrier is not None and name is not None:
            row = message.row
            message.carrier.channel.receipts.restore(name, f"{row.id}/{part}", row.to, row.at)

    def _end(self, batch: Batch, message: Message, state: MessageState, error: str) -> None:
        before = message.row
        assert state in FINAL
        row = msgspec.structs.replace(before, state=state, error=error)
        batch.stored.group().outbox(row)
        self._open.pop(row.id, None)
        self._later.pop(row.id, None)
        batch.on_failure(lambda: self._open.__setitem__(row.id, message))
        self._host.counters[f"sms_{state.value}"] += 1
        for observe in self._host.observers:
            observe("sms", None, row)

    # Time

    def tend(self) -> None:
        """About once a second: send what waited for its time, give up what nobody will answer any more."""
        now = self._host.clock.now()
        for name, at in list(self._later.items()):
            if at <= now:
                del self._later[name]
                self._queue.append(name)
        self.pump()
        overdue = [message.row for message in self._open.values() if message.row.expires_at + GRACE_MS <= now]
        for row in overdue:
            self._host.take(self._overdue, row.id)

    def _overdue(self, batch: Batch, name: str) -> None:
        message = self._open.get(name)
        if message is None:
            return
        never_left = message.row.state is MessageState.WAITING
        state = MessageState.EXPIRED if never_left else MessageState.UNKNOWN
        self._end(batch, message, state, "never sent" if never_left else "no receipt")
