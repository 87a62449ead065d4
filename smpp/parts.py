"""Parts of long messages from subscribers, until the message is whole: joining that survives a restart.

`smpp.segments.Joiner` puts the texts together; here every waiting part keeps its `Identity`, so that the
host can store each one before it is acknowledged, give them back after a restart, undo a failed commit, and
drop the stored parts together with the whole message.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from smpp.duplicates import Identity
from smpp.pdu.message import DeliverSm, Sm
from smpp.pdu.tlv import Tag, first_tlv
from smpp.segments import Dropped, Joined, Joiner
from smpp.udh import CONCAT_8, CONCAT_16, UDHI, read_udh

_Key: TypeAlias = tuple[bytes, bytes, bytes]


class HeldPart(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One part that waits, as the host stores it: the fields of the message that joining needs."""

    identity: Identity
    source_ton: int
    source_npi: int
    dest_ton: int
    dest_npi: int
    esm_class: int
    data_coding: int
    payload: bytes
    tlvs: tuple[tuple[int, bytes], ...] = ()

    def sm(self) -> Sm:
        """Return the message again, as far as it matters."""
        tlvs = self.tlvs
        payload = self.payload
        if len(payload) > 254:
            tlvs, payload = ((int(Tag.MESSAGE_PAYLOAD), payload), *tlvs), b""
        return DeliverSm(
            source_ton=self.source_ton,
            source_npi=self.source_npi,
            source=self.identity.source,
            dest_ton=self.dest_ton,
            dest_npi=self.dest_npi,
            dest=self.identity.destination,
            esm_class=self.esm_class,
            data_coding=self.data_coding,
            short_message=payload,
            tlvs=tlvs,
        )

    def __repr__(self) -> str:
        """Show neither number nor text."""
        return f"HeldPart({self.identity!r}, {len(self.payload)} octets)"


def held_part(sm: Sm, identity: Identity) -> HeldPart:
    """Make the stored form of a part."""
    return HeldPart(
        identity,
        sm.source_ton,
        sm.source_npi,
        sm.dest_ton,
        sm.dest_npi,
        sm.esm_class,
        sm.data_coding,
        sm.payload,
        tuple((tag, value) for tag, value in sm.tlvs if tag in _SAR),
    )


_SAR = (int(Tag.SAR_MSG_REF_NUM), int(Tag.SAR_TOTAL_SEGMENTS), int(Tag.SAR_SEGMENT_SEQNUM))


def part_reference(sm: Sm) -> bytes:
    """Return what the parts of one message have in common beside the addresses; b"" for a single message."""
    if sm.esm_class & UDHI:
        udh = read_udh(sm.payload)
        if udh is None:
            return b""
        wide = udh.element(CONCAT_16)
        if wide is not None and len(wide) == 4:
            return b"w" + wide[:3] if wide[2] > 1 else b""
        narrow = udh.element(CONCAT_8)
        if narrow is not None and len(narrow) == 3:
            return b"n" + narrow[:2] if narrow[1] > 1 else b""
        return b""
    if not sm.tlvs:
        return b""
    total = first_tlv(sm.tlvs, Tag.SAR_TOTAL_SEGMENTS)
    if total is None or first_tlv(sm.tlvs, Tag.SAR_SEGMENT_SEQNUM) is None or total == b"\x01":
        return b""
    return b"s" + (first_tlv(sm.tlvs, Tag.SAR_MSG_REF_NUM) or b"")[-2:] + b"/" + total[-1:]


class Parts:
    """The unfinished messages of one SMSC group."""

    __slots__ = ("_group", "_joiner", "_waiting")

    def __init__(self, group: str, wait_ms: int, default_alphabet: str) -> None:
        self._group = group
        self._joiner = Joiner(ttl_ms=wait_ms, default_alphabet=default_alphabet)
        self._waiting: dict[_Key, list[HeldPart]] = {}

    def add(
        self, sm: Sm, identity: Identity, now: int
    ) -> tuple[Joined | Dropped | None, tuple[HeldPart, ...]]:
        """Take one message or part.

        Returns what `Joiner.add` says, and with a whole message the parts that waited for this one. A part
        that waits already counts as taken anew: its first copy may have failed to be stored.
        """
        reference = part_reference(sm)
        result = self._joiner.add(self._group, sm, now)
        if not reference or (isinstance(result, Dropped) and result.reason != "duplicate"):
            return result, ()
        key = (sm.source, sm.dest, reference)
        waiting = self._waiting.setdefault(key, [])
        if isinstance(result, Joined):
            del self._waiting[key]
            return result, tuple(waiting)
        waiting[:] = [one for one in waiting if one.identity.digest != identity.digest]
        waiting.append(held_part(sm, identity))
        return None, ()

    def put_back(self, parts: tuple[HeldPart, ...]) -> None:
        """Hold parts again: after a restart, or when the commit of the whole message failed."""
        for part in parts:
            self.add(part.sm(), part.identity, part.identity.at)

    def expired(self, now: int) -> list[tuple[Joined, tuple[HeldPart, ...]]]:
        """Give out the messages whose missing parts have not come in time, with the parts that did."""
        return [
            (
                joined,
                tuple(self._waiting.pop((joined.sm.source, joined.sm.dest, part_reference(joined.sm)), ())),
            )
            for joined in self._joiner.expired(now)
        ]

    def next_deadline(self) -> int | None:
        """Return when `expired` will have something (UTC ms), None if nothing waits."""
        return self._joiner.next_deadline()

    def __len__(self) -> int:
        return len(self._joiner)
