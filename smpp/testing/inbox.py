"""The handsets of a test centre as far as SMS go: parts are joined, messages kept, receipts ordered."""

from collections import deque
from collections.abc import Callable

import msgspec

from smpp.msisdn import masked
from smpp.segments import Dropped, Joined, Joiner
from smpp.testing.exchange import Exchange
from smpp.testing.ledger import Submitted
from smpp.testing.receipt import receipt_for

FAILURE_ONLY = 2
"""registered_delivery: a receipt only when the message could not be delivered (SMPP 3.4, 5.2.17)."""


class Sms(msgspec.Struct, frozen=True):
    """A message that a handset received: whole, its parts joined."""

    source: str
    to: str
    text: str
    parts: int
    message_ids: tuple[bytes, ...]
    at: int

    def __repr__(self) -> str:
        return f"Sms({masked(self.source)} -> {masked(self.to)}, {len(self.text)} characters)"


class Inbox:
    """What all handsets received, the newest `keep`; `state` is what receipts report, after `receipt_ms`."""

    def __init__(self, exchange: Exchange, keep: int, state: str, receipt_ms: int) -> None:
        self.received: deque[Sms] = deque(maxlen=keep)
        self.state = state
        self.on_sms: Callable[[Sms], None] | None = None
        self._exchange = exchange
        self._receipt_ms = receipt_ms
        self._joiner = Joiner(10_000, 16_000_000, 600_000)
        self._part_ids: dict[tuple[bytes, bytes], list[bytes]] = {}

    def messages(self, to: str) -> list[Sms]:
        """What one handset has received, oldest first."""
        return [message for message in self.received if message.to == to]

    def take(self, message: Submitted) -> None:
        """An SMS or a part of one reached its handset."""
        sm = message.sm
        key = (sm.source, sm.dest)
        self._joiner.expired(message.at)
        joined = self._joiner.add("centre", sm, message.at)
        ids = self._part_ids.setdefault(key, [])
        if not isinstance(joined, Dropped):
            ids.append(message.message_id)
        if isinstance(joined, Joined):
            del self._part_ids[key]
            self._show(message, joined, tuple(ids[-joined.total :]))
        if sm.registered_delivery & 0x03:
            self._order_receipt(message)

    def _show(self, message: Submitted, joined: Joined, ids: tuple[bytes, ...]) -> None:
        whole = Sms(
            message.sm.source.decode("latin-1"),
            message.sm.dest.decode("latin-1"),
            joined.text(self._exchange.dialect.alphabet),
            joined.total,
            ids,
            message.at,
        )
        self.received.append(whole)
        if self.on_sms is not None:
            self.on_sms(whole)

    def _order_receipt(self, message: Submitted) -> None:
        exchange = self._exchange
        if message.sm.registered_delivery & 0x03 == FAILURE_ONLY and self.state == "DELIVRD":
            return
        receipt = receipt_for(message.sm, message.message_id, self.state, exchange.now(), exchange.dialect)

        def send() -> None:
            exchange.deliver("receipt", receipt)

        if exchange.faults.receipt_first or not self._receipt_ms:
            send()
        else:
            exchange.later(self._receipt_ms, send)
