"""Long messages: joining the parts of theirs; `smpp.splitter` splits ours.

Source: 3GPP TS 23.040 section 9.2.3.24.1 and .8 (concatenation), SMPP 3.4 section 5.3.2.22-24 (sar TLVs).
Knows no clock and no store: ``now`` is UTC milliseconds, limits are the caller's.
"""

from typing import Literal

import msgspec

from smpp.pdu.message import Sm
from smpp.pdu.tlv import Tag, first_tlv, tlv_int
from smpp.splitter import MAX_PARTS, Mode, Part, split
from smpp.text import alphabet_of, decode_as, unpack
from smpp.udh import CONCAT_8, CONCAT_16, UDHI, fill_bits, read_udh

__all__ = ["DropReason", "Dropped", "Joined", "Joiner", "Mode", "Part", "split"]

_SAR_REFERENCE = int(Tag.SAR_MSG_REF_NUM)
_SAR_TOTAL = int(Tag.SAR_TOTAL_SEGMENTS)
_SAR_NUMBER = int(Tag.SAR_SEGMENT_SEQNUM)
# What is needed beside the octets themselves, rounded up: a dict slot and a bytes object for a part, the
# record with its key for a message, a tuple with its value for a TLV of the first part.
_PART_COST = 200
_SET_COST = 1000
_TLV_COST = 150


class Joined(msgspec.Struct, frozen=True, gc=False):
    """A message put together, or what there is of it when its time ran out."""

    sm: Sm
    """The first part that came; addresses, data_coding and the rest are taken from it."""
    payload: bytes
    """The text octets of all parts in order, without UDH; septets are unpacked."""
    total: int = 1
    missing: tuple[int, ...] = ()
    """Numbers of the parts that never came; empty for a whole message."""
    broken: bool = False
    """The UDH is nonsense: the payload is everything, header included."""
    locking: int = 0
    """National language of a locking shift, 0 if none."""
    single: int = 0
    """National language of a single shift, 0 if none."""

    def text(self, default_alphabet: str = "gsm7", *, strip: bool = True) -> str:
        """Decode the payload. Never raises."""
        alphabet = alphabet_of(self.sm.data_coding, default_alphabet)
        if alphabet == "gsm7-packed" and not self.broken:
            alphabet = "gsm7"
        return decode_as(alphabet, self.payload, strip=strip, locking=self.locking, single=self.single)


DropReason = Literal["duplicate", "part_number", "full"]


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """A part that was not taken.

    ``duplicate``: it is already there, answer 0. ``part_number``: 0 or above the total, refuse it for good
    (0x65). ``full``: no room, answer 0x14 or 0x64 so that the SMSC sends it again.
    """

    reason: DropReason


class _Piece(msgspec.Struct, frozen=True, gc=False):
    """How one short message fits into a long one."""

    width: str
    reference: int
    total: int
    number: int
    payload: bytes
    broken: bool = False
    locking: int = 0
    single: int = 0


class _Set(msgspec.Struct):
    """The parts of one message so far."""

    first: Sm
    deadline: int
    total: int
    parts: dict[int, bytes]
    locking: int
    single: int
    cost: int = 0


_Key = tuple[str, bytes, bytes, str, int, int]


def _cost(sm: Sm) -> int:
    """Octets that keeping ``sm`` as the first part of a message takes."""
    return _SET_COST + len(sm.short_message) + sum([_TLV_COST + len(value) for _, value in sm.tlvs])


class Joiner:
    """Puts long messages together. Bounded in sets, octets and time; what it cannot hold it refuses.

    Args:
        max_sets: unfinished messages at once.
        max_octets: octets of all unfinished messages, about 1200 for a message and its first part, 200
            for a further part, beside the text.
        ttl_ms: time from the first part until ``expired`` hands out what there is.
        default_alphabet: alphabet of data_coding 0; with ``gsm7-packed`` each part is unpacked by itself.
    """

    __slots__ = (
        "_default_alphabet", "_max_octets", "_max_sets", "_octets", "_sets", "_superseded", "_ttl_ms",
    )  # fmt: skip

    def __init__(
        self,
        max_sets: int = 10_000,
        max_octets: int = 16_000_000,
        ttl_ms: int = 600_000,
        default_alphabet: str = "gsm7",
    ) -> None:
        self._max_sets = max_sets
        self._max_octets = max_octets
        self._ttl_ms = ttl_ms
        self._default_alphabet = default_alphabet
        # Insertion order is the order of deadlines, since all live equally long.
        self._sets: dict[_Key, _Set] = {}
        self._superseded: list[_Set] = []
        self._octets = 0

    def __len__(self) -> int:
        """Count the unfinished messages held."""
        return len(self._sets) + len(self._superseded)

    @property
    def octets(self) -> int:
        """Octets held, overhead included: what ``max_octets`` limits."""
        return self._octets

    def add(self, group: str, sm: Sm, now: int) -> Joined | Dropped | None:
        """Take one message.

        Returns Joined for a message that is whole (at once for one that has a single part or a broken UDH),
        None while parts are missing, Dropped with the reason when it was not taken. A part that differs from
        the one held under its number belongs to a new message: the old one comes out of ``expired``.
        """
        piece = self._piece(sm)
        total = piece.total
        if total == 1 and piece.number == 1:
            return Joined(sm, piece.payload, 1, (), piece.broken, piece.locking, piece.single)
        if not 1 <= piece.number <= total:
            return Dropped("part_number")
        key = (group, sm.source, sm.dest, piece.width, piece.reference, total)
        held = self._sets.get(key)
        same = held.parts.get(piece.number) if held is not None else None
        if same == piece.payload:
            return Dropped("duplicate")
        cost = len(piece.payload) + _PART_COST
        if held is None or same is not None:
            cost += _cost(sm)
        if self._octets + cost > self._max_octets or (
            (held is None or same is not None) and len(self) >= self._max_sets
        ):
            return Dropped("full")
        if held is not None and same is not None:
            self._superseded.append(self._sets.pop(key))
            held = None
        if held is None:
            held = _Set(sm, now + self._ttl_ms, total, {}, piece.locking, piece.single)
            self._sets[key] = held
        held.parts[piece.number] = piece.payload
        held.cost += cost
        self._octets += cost
        if len(held.parts) < total:
            return None
        del self._sets[key]
        return self._close(held)

    def expired(self, now: int) -> list[Joined]:
        """Hand out the unfinished messages whose time is over, oldest first, with their missing numbers."""
        out = [self._close(old) for old in self._superseded]
        self._superseded.clear()
        over = []
        for key, held in self._sets.items():
            if held.deadline > now:
                break
            over.append(key)
        out.extend(self._close(self._sets.pop(key)) for key in over)
        return out

    def next_deadline(self) -> int | None:
        """Return when ``expired`` has something to hand out (ms; 0 is at once), None if nothing waits."""
        if self._superseded:
            return 0
        return next((held.deadline for held in self._sets.values()), None)

    def _close(self, held: _Set) -> Joined:
        self._octets -= held.cost
        parts = held.parts
        numbers = range(1, held.total + 1)
        return Joined(
            held.first,
            b"".join([parts[number] for number in numbers if number in parts]),
            held.total,
            tuple(number for number in numbers if number not in parts),
            False,
            held.locking,
            held.single,
        )

    def _piece(self, sm: Sm) -> _Piece:
        payload = sm.payload
        packed = alphabet_of(sm.data_coding, self._default_alphabet) == "gsm7-packed"
        if sm.esm_class & UDHI:
            udh = read_udh(payload)
            if udh is None:
                return _Piece("", 0, 1, 1, payload, broken=True)
            text = payload[udh.length :]
            if packed:
                text = unpack(text, fill=fill_bits(udh.length), ussd=False)
            wide = udh.element(CONCAT_16)
            if wide is not None and len(wide) == 4:
                reference = int.from_bytes(wide[:2], "big")
                return _Piece("udh16", reference, wide[2], wide[3], text, False, udh.locking, udh.single)
            narrow = udh.element(CONCAT_8)
            if narrow is not None and len(narrow) == 3:
                return _Piece("udh8", narrow[0], narrow[1], narrow[2], text, False, udh.locking, udh.single)
            return _Piece("", 0, 1, 1, text, False, udh.locking, udh.single)
        if packed:
            payload = unpack(payload, ussd=False)
        total = first_tlv(sm.tlvs, _SAR_TOTAL) if sm.tlvs else None
        number = first_tlv(sm.tlvs, _SAR_NUMBER) if total is not None else None
        if total is None or number is None:
            return _Piece("", 0, 1, 1, payload)
        reference = tlv_int((first_tlv(sm.tlvs, _SAR_REFERENCE) or b"")[-2:])
        count = tlv_int(total)
        if count > MAX_PARTS:
            # One octet by the specification; a longer one would make `missing` as long as it likes.
            return _Piece("sar", reference, count, 0, payload)
        return _Piece("sar", reference, count, tlv_int(number), payload)
