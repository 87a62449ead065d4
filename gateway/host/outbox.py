"""Messages to subscribers: queued with the step that says them, sent after its commit, followed to their end.

Each message is a row of the outbox from the moment a flow says it until its retention time is over. What a
missing answer means for it is `smpp.resend`'s decision; a message with a secret is noted as sent before it
leaves, so that it leaves at most once.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Collection, Iterable

import msgspec
import structlog

from engine.effects import SendSms
from engine.values import Secret
from gateway.host.batch import Batch
from gateway.host.conversation import Conversation
from gateway.host.host import Host
from gateway.host.unasked import Unasked, is_unasked
from gateway.journal.parts import message_parts
from gateway.journal.tally import SMS, noted
from gateway.store.batch import Group
from gateway.store.record import FINAL, MessageState, OutboxRow
from gateway.store.sqlite import SqliteStore
from smpp.event import Answered, Failed
from smpp.links import Link
from smpp.pdu.status import Policy, policy, status_text
from smpp.receipts import MessageState as Reported
from smpp.receipts import Receipt
from smpp.resend import Decision, Fate, after_failure, after_status
from smpp.sms import SmsChannel

AT_ONCE = 500
"""Unasked messages looked at in one go; what finds no room waits for the next."""
GRACE_MS = 60_000
"""A message without a receipt is given up so long after its validity has ended."""
PARTS_WAIT_MS = 30_000
"""A centre that has taken some parts of a message and is gone is waited for so long; then the whole message
goes another way, with a reference of its own, and the handset drops the parts it has."""


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
    `refused_by` are the centres that refuse our account for it; `doubtful` is True once a part of a secret
    may have been sent: nothing of it is sent again. `stuck_since` is since when its centre is gone.
    """

    __slots__ = (
        "attempt", "bodies", "carrier", "doubtful", "ids", "refused_by", "reported", "row", "stuck_since",
    )  # fmt: skip

    def __init__(self, row: OutboxRow) -> None:
        self.row = row
        self.carrier: Carrier | None = None
        self.ids: list[bytes | None] = []
        self.bodies: list[bytes] = []
        self.reported: set[int] = set()
        self.attempt = 0
        self.doubtful = False
        self.refused_by: set[str] = set()
        self.stuck_since: int | None = None

    @property
    def untaken(self) -> bool:
        """True while no part is accepted: the whole message may still go any way."""
        return all(one is None for one in self.ids)


class Outbox:
    """All messages that are not final, over all centres that carry SMS."""

    def __init__(self, host: Host, store: SqliteStore) -> None:
        self._host = host
        self._store = store
        self._carriers: list[Carrier] = []
        self._open: dict[str, Message] = {}
        self._queue: deque[str] = deque()
        self._later: dict[str, int] = {}
        self.unasked = Unasked(host, store)
        self._log = structlog.get_logger()

    def add(self, link: Link, channel: SmsChannel, numbers: frozenset[str], bulk: int = 50) -> None:
        """Let messages leave through a centre, unasked ones as `bulk` per cent of its rate at most."""
        self.unasked.add_link(link, bulk)
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
        carrier = self._carrier(sender)
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
        message = self._open[row.id] = Message(row)
        if row.unasked or not self._dispatch(message):
            self._wait(row)

    def _wait(self, row: OutboxRow) -> None:
        """Let a message wait for its turn, in the row of its class."""
        if row.unasked:
            self.unasked.add(row.id)
        else:
            self._queue.append(row.id)

    def stop(self, batch: Batch, group: Group, subscriber: str) -> bool:
        """Put a subscriber on the stop list and cancel what he has not asked for; False without a list."""
        if not self.unasked.stop(batch, group, subscriber):
            return False
        for message in list(self._open.values()):
            row = message.row
            waits = row.id in self.unasked or row.id in self._later
            if row.unasked and row.to == subscriber and waits and message.untaken:
                self._cancel(batch, message)
        return True

    def _cancel(self, batch: Batch, message: Message) -> None:
        """End a message that its subscriber does not want and that no link has taken yet."""
        batch.on_failure(lambda: self._wait(message.row))
        self._end(batch, message, MessageState.CANCELLED, "stop")

    def pump_unasked(self) -> None:
        """A few times a second: send unasked messages as far as the links have room to spare."""
        names = self.unasked.take(AT_ONCE)
        full: set[str] = set()
        left: list[str] = []
        for name in names:
            message = self._open.get(name)
            if message is None:
                continue
            if message.untaken and self.unasked.is_stopped(message.row.to):
                self._host.take(self._stopped, name)
                continue
            carrier = message.carrier or self._carrier(message.row.sender, message.refused_by)
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
        message = self._open.get(name)
        if message is not None:
            self._cancel(batch, message)

    def _carrier(self, sender: str, without: Collection[str] = ()) -> Carrier | None:
        """Choose the centre of a sender: one that names the number before one that takes any, bound first.

        Centres named in `without` come after all others.
        """
        able = [one for one in self._carriers if sender in one.numbers]
        able = able or [one for one in self._carriers if not one.numbers]
        willing = [one for one in able if one.link.name not in without] or able
        return next((one for one in willing if one.link.bound), willing[0] if willing else None)

    def _other_way(self, message: Message, *, than: Carrier) -> bool:
        """Whether another bound centre would take a message that this one does not."""
        other = self._carrier(message.row.sender, {than.link.name, *message.refused_by})
        return (
            other is not None
            and other is not than
            and other.link.bound
            and other.link.name not in message.refused_by
        )

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
            self._open[row.id] = message
            match row.state:
                case MessageState.WAITING:
                    self._wait(row)
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
        carrier = message.carrier or self._carrier(row.sender, message.refused_by)
        if carrier is None:
            return False
        if not carrier.link.bound:
            if not self._leaves_parts_behind(message, carrier):
                return False
            carrier = self._carrier(row.sender, {carrier.link.name, *message.refused_by})
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
        if not self._other_way(message, than=gone) or message.row.secret:
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
            if message.doubtful:
                return
            reason = status_text(event.status)
            if self._not_for_us(message, carrier, event.status) and self._other_way(message, than=carrier):
                self._log.error("sms_alarm", reason=reason, link=carrier.link.name)
                self._elsewhere(batch, message, reason)
                return
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
        row, carrier = message.row, message.carrier
        if message.doubtful:
            return
        if (
            event.reason == "unsent"
            and message.untaken
            and carrier is not None
            and not carrier.link.bound
            and self._other_way(message, than=carrier)
        ):
            self._elsewhere(batch, message, event.reason)
            return
        decision = after_failure(
            event.reason, secret=row.secret, tries=row.tries, now=batch.now, valid_until=row.expires_at
        )
        self._decide(batch, message, decision)

    @staticmethod
    def _not_for_us(message: Message, carrier: Carrier, status: int) -> bool:
        """Note that a centre refuses our account or our bind, which says nothing about other centres."""
        if policy(status, carrier.channel.profile.status) not in (Policy.ACCOUNT, Policy.BIND):
            return False
        message.refused_by.add(carrier.link.name)
        return message.untaken

    def _elsewhere(self, batch: Batch, message: Message, reason: str) -> None:
        """Send a message that has certainly not been sent over another centre, at once."""
        message.attempt += 1
        message.carrier, message.ids, message.bodies = None, [], []
        message.row = msgspec.structs.replace(
            message.row, next_at=batch.now, state=MessageState.WAITING, error=reason
        )
        batch.stored.group().outbox(message.row)
        self._host.counters["sms_rerouted"] += 1
        # Should the commit fail, `tend` finds it.
        self._later[message.row.id] = batch.now
        batch.leave(self._send_now, message.row.id)

    def _send_now(self, name: str) -> None:
        message = self._open.get(name)
        if message is not None and self._later.pop(name, None) is not None and not self._dispatch(message):
            self._queue.append(name)

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
                message.refused_by.clear()
                if message.untaken:
                    message.carrier = None
                    message.bodies = []
                message.row = msgspec.structs.replace(
                    row, next_at=decision.at, state=MessageState.WAITING, error=decision.reason
                )
                batch.stored.group().outbox(message.row)
                self._later[row.id] = decision.at
                self._host.counters["sms_again"] += 1
            case Fate.UNKNOWN:
                message.doubtful = True
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
                if name in self._open:
                    self._wait(self._open[name].row)
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
