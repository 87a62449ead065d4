"""What a deliver_sm turned out to be, seen from the SMS channel.

All are answered with deliver_sm_resp 0, `SmsArrived` and `PartHeld` after they are stored, except `Refused`.
When the commit fails, give the arrival to `SmsChannel.undo` and answer 0x64: the centre sends it again.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from smpp.duplicates import Identity
from smpp.msisdn import masked
from smpp.parts import HeldPart
from smpp.receipts import Receipt


class SmsArrived(msgspec.Struct, frozen=True, gc=False):
    """A whole message of a subscriber: `text` to the short code `to`.

    `identity` goes into its journal row; `parts` are the stored parts it was joined from, to be dropped in
    the same transaction (the last one, with this identity, was never stored). `missing` names parts that
    never came. `damaged` tells that the octets could not all be read.
    """

    msisdn: str
    to: str
    text: str
    identity: Identity
    parts: tuple[HeldPart, ...] = ()
    missing: tuple[int, ...] = ()
    damaged: bool = False

    def __repr__(self) -> str:
        """Show neither number nor text."""
        return f"SmsArrived({masked(self.msisdn)} -> {self.to}, {len(self.text)} characters)"


class PartHeld(msgspec.Struct, frozen=True, gc=False):
    """A part of a longer message: store `part` and wait for the rest."""

    part: HeldPart


class Duplicate(msgspec.Struct, frozen=True, gc=False):
    """A copy of an accepted message: nothing happens."""


class Receipted(msgspec.Struct, frozen=True, gc=False):
    """A receipt. `key` is our message that it is about; None: unknown, held for a minute."""

    receipt: Receipt
    key: str | None


class Loop(msgspec.Struct, frozen=True, gc=False):
    """The message would start a flow but is an automatic answer: nothing starts, it is counted."""

    reason: str


class NotARequest(msgspec.Struct, frozen=True, gc=False):
    """Nothing that a flow may see, for instance from a sender without a number."""

    reason: str


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A message that cannot be taken: answer `status` (0x14: again later, 0x65: never)."""

    status: int
    reason: str


SmsArrival: TypeAlias = SmsArrived | PartHeld | Duplicate | Receipted | NotARequest | Refused
