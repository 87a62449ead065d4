"""What becomes of a message on its way: answers, failures and receipts of its parts, up to its end.

What a missing answer means is `smpp.resend`'s decision. A message that a centre has certainly not taken goes
another way at once. This module does not know how messages are queued and sent.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog

from gateway.host.batch import Batch
from gateway.host.carrier import Carrier, Carriers
from gateway.host.host import Host
from gateway.host.message import Message, Messages, PartToken
from gateway.store.record import MessageState
from smpp.event import Answered, Failed
from smpp.pdu.status import Policy, policy, status_text
from smpp.receipts import MessageState as Reported
from smpp.receipts import Receipt
from smpp.resend import Decision, Fate, after_failure, after_status


class Fates:
    """`dispatch` sends a message, False if no link takes it now."""

    def __init__(
        self, host: Host, messages: Messages, carriers: Carriers, dispatch: Callable[[Message], bool]
    ) -> None:
        self._host = host
        self._messages = messages
        self._carriers = carriers
        self._dispatch = dispatch
        self._log = structlog.get_logger()

    def answered(self, batch: Batch, event: Answered) -> None:
        """Take the submit_sm_resp of a part."""
        token = event.token
        message = self._messages.of_token(token)
        if message is None or not isinstance(token, PartToken):
            return
        row, carrier = message.row, message.carrier
        assert carrier is not None
        if event.status:
            if message.doubtful:
                return
            reason = status_text(event.status)
            if self._not_for_us(message, carrier, event.status) and self._other_way(message, carrier):
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
        for one in self._carriers:
            one.channel.taken(row.id)
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
                self._messages.end(batch, message, MessageState.UNKNOWN, "no receipt asked")
                return
            group.outbox(message.row)
        for receipt in early:
            self.receipt(batch, f"{row.id}/{token.part}", receipt)

    def failed(self, batch: Batch, event: Failed) -> None:
        """Take a part that got no answer of its own."""
        message = self._messages.of_token(event.token)
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
            and self._other_way(message, carrier)
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
        self._messages.later[message.row.id] = batch.now
        batch.leave(self._send_now, message.row.id)

    def _send_now(self, name: str) -> None:
        message = self._messages.open.get(name)
        if (
            message is not None
            and self._messages.later.pop(name, None) is not None
            and not self._dispatch(message)
        ):
            self._messages.queue.append(name)

    def decided(self, batch: Batch, item: tuple[str, Decision]) -> None:
        """Take what was decided of a message (its id) that no link was given."""
        name, decision = item
        message = self._messages.open.get(name)
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
                self._messages.later[row.id] = decision.at
                self._host.counters["sms_again"] += 1
            case Fate.UNKNOWN:
                message.doubtful = True
                message.row = msgspec.structs.replace(row, state=MessageState.SENT, error=decision.reason)
                batch.stored.group().outbox(message.row)
                self._host.counters["sms_in_doubt"] += 1
            case Fate.FAILED:
                self._messages.end(batch, message, MessageState.FAILED, decision.reason)
            case Fate.EXPIRED:
                self._messages.end(batch, message, MessageState.EXPIRED, decision.reason)

    def receipt(self, batch: Batch, key: str, receipt: Receipt) -> None:
        """Take a receipt about one of our parts (`key` is message id / part)."""
        name, _, part = key.partition("/")
        message = self._messages.open.get(name)
        if message is None or not receipt.final:
            return
        batch.on_failure(lambda: self._expect_again(message, int(part)))
        if receipt.state is Reported.DELIVERED:
            message.reported.add(int(part))
            if len(message.reported) >= max(1, len(message.ids)):
                self._messages.end(batch, message, MessageState.DELIVERED, "")
        elif receipt.state is Reported.EXPIRED:
            self._messages.end(batch, message, MessageState.EXPIRED, receipt.error)
        else:
            self._messages.end(
                batch, message, MessageState.FAILED, f"{receipt.state.name.lower()} {receipt.error}".strip()
            )

    def _expect_again(self, message: Message, part: int) -> None:
        """What a receipt said was not stored, and the centre is asked to send it again: know it then."""
        message.reported.discard(part)
        name = message.ids[part] if part < len(message.ids) else None
        if message.carrier is not None and name is not None:
            row = message.row
            message.carrier.channel.receipts.restore(name, f"{row.id}/{part}", row.to, row.at)

    def _other_way(self, message: Message, carrier: Carrier) -> bool:
        return self._carriers.other_way(message.row.sender, message.refused_by, than=carrier)
