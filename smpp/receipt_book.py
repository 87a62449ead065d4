"""Which message of ours a receipt is about: message ids of the SMSC, mapped to our own.

The map must be as durable as the messages: the host stores `stored_id(message_id)` with its outbox row before
it counts the submit_sm_resp as handled, and gives the open rows back with `restore`. A receipt may overtake
its submit_sm_resp, so one that is about nothing known is held for a minute.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

import msgspec

from smpp.receipts import IdMode, Receipt, normal_id

HELD_MS = 60_000
"""How long a receipt waits for the submit_sm_resp that it has overtaken."""
HELD_MOST = 50_000
"""Receipts held at most; beyond it the oldest is given up."""
HELD_OF_ONE = 8
"""Receipts held of one message at most: the states on its way, not a flood of copies."""
MOST = 1_000_000
"""Messages without a final receipt remembered at most; the oldest goes first."""


class Tracked(msgspec.Struct, frozen=True, gc=False):
    """A message of ours that was accepted: its key in the outbox, its subscriber, when (UTC ms)."""

    key: str
    subscriber: str
    at: int


class Held(msgspec.Struct, frozen=True, gc=False):
    """A receipt that came before its submit_sm_resp, or is about no message of ours."""

    receipt: Receipt
    subscriber: str
    certain: bool
    at: int


class ReceiptBook:
    """The accepted messages of one SMSC group that wait for their receipts.

    `mode` is how the ids of receipts are written: `exact`, `hex-to-dec`, `dec-to-hex` (smpp-ussd.md 2.4).
    """

    __slots__ = ("_held", "_mode", "_sent", "forgotten")

    def __init__(self, mode: str = "exact") -> None:
        self._mode = cast(IdMode, mode)
        self._sent: OrderedDict[bytes, Tracked] = OrderedDict()
        self._held: OrderedDict[bytes, list[Held]] = OrderedDict()
        self.forgotten = 0
        """Messages and receipts given up because there were too many."""

    @staticmethod
    def stored_id(message_id: bytes) -> bytes:
        """Return a message_id as it is stored and compared: small letters, no leading zeros."""
        return normal_id(message_id)

    def submitted(self, message_id: bytes, key: str, subscriber: str, now: int) -> list[Receipt]:
        """Take a submit_sm_resp: the centre calls our message `key` so. Returns receipts that came before.

        An empty id is not remembered: such a message has no receipts.
        """
        if not message_id:
            return []
        known = normal_id(message_id)
        self._sent[known] = Tracked(key, subscriber, now)
        if len(self._sent) > MOST:
            self._sent.popitem(last=False)
            self.forgotten += 1
        early = [
            one
            for one in self._held.pop(known, ())
            if now - one.at <= HELD_MS and (one.certain or one.subscriber == subscriber)
        ]
        if any(one.receipt.final for one in early):
            del self._sent[known]
        return [one.receipt for one in early]

    def received(self, receipt: Receipt, subscriber: str, certain: bool, now: int) -> str | None:
        """Return the key of the message that a receipt is about, or None: it is held for a minute.

        `certain` is false for what only looks like a receipt by its text: that counts only if it comes from
        the subscriber whom the message went to, since anyone can write such a text.
        """
        theirs = normal_id(receipt.message_id, self._mode)
        sent = self._sent.get(theirs) if theirs else None
        if sent is not None and (certain or sent.subscriber == subscriber):
            if receipt.final:
                del self._sent[theirs]
            return sent.key
        if theirs:
            held = self._held.setdefault(theirs, [])
            if len(held) < HELD_OF_ONE:
                held.append(Held(receipt, subscriber, certain, now))
            else:
                self.forgotten += 1
            if len(self._held) > HELD_MOST:
                self._held.popitem(last=False)
                self.forgotten += 1
        return None

    def expired(self, now: int) -> list[Receipt]:
        """Give up the receipts that have been held for a minute, and return them for the count."""
        given_up: list[Receipt] = []
        while self._held:
            theirs, held = next(iter(self._held.items()))
            if held[0].at + HELD_MS > now:
                break
            del self._held[theirs]
            given_up.extend(one.receipt for one in held)
        return given_up

    def restore(self, message_id: bytes, key: str, subscriber: str, at: int) -> None:
        """Put a stored message without a final receipt back after a restart, oldest first."""
        self._sent[normal_id(message_id)] = Tracked(key, subscriber, at)

    def __len__(self) -> int:
        return len(self._sent)
