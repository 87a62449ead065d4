"""Splitting our long messages into parts, with national shift tables where they save some.

Source: 3GPP TS 23.040 section 9.2.3.24 (concatenation, shifts), SMPP 3.4 section 5.3.2.22-24 (sar TLVs).
"""

from typing import Literal

import msgspec

from smpp.alphabet import ESCAPE, shifted_or_none
from smpp.pdu.tlv import Tag, Tlvs
from smpp.text import encode, pack
from smpp.udh import UDHI, fill_bits, shift_elements

Mode = Literal["udh8", "udh16", "sar", "payload"]

MAX_PARTS = 255
SINGLE_OCTETS = 140
PAYLOAD_MAX = 65_535
_HEADER_OCTETS = {"udh8": 6, "udh16": 7, "sar": 6, "payload": 0}
_SAR_REFERENCE = int(Tag.SAR_MSG_REF_NUM)
_SAR_TOTAL = int(Tag.SAR_TOTAL_SEGMENTS)
_SAR_NUMBER = int(Tag.SAR_SEGMENT_SEQNUM)


class Part(msgspec.Struct, frozen=True, gc=False):
    """One part of a split message, as the fields of a submit_sm."""

    short_message: bytes
    esm_class: int
    """0x40 with a UDH, else 0; or it to the bits that the SMSC wants."""
    data_coding: int
    tlvs: Tlvs = ()


def split(
    text: str,
    mode: Mode = "udh8",
    reference: int = 0,
    *,
    default_alphabet: str = "gsm7",
    default_coding: int = 0x00,
    ucs2_coding: int = 0x08,
    languages: tuple[int, ...] = (),
) -> list[Part]:
    """Encode a text and cut it into parts, at least one.

    The text goes out in the default alphabet of the SMSC if it fits, else in UCS-2. A single message holds
    160 septets, 70 UTF-16 units or 140 octets; a part 153, 67, 134 (udh8 and sar) or 152, 66, 133 (udh16).
    Never cuts an escape pair, a surrogate pair or a UTF-8 sequence. ``reference`` is taken modulo its width.
    ``languages`` are the national shift tables that the handsets there know (TS 23.038, 6.2.1.2.4): used, in
    the modes with a UDH, where the text then needs fewer parts. Raises ValueError for more than 255 parts, or
    more than 65535 octets in mode ``payload``.
    """
    if mode not in _HEADER_OCTETS:
        raise ValueError(f"unknown mode {mode!r}, use one of {', '.join(_HEADER_OCTETS)}")
    packed = default_alphabet == "gsm7-packed"
    if default_coding == ucs2_coding:
        raise ValueError("the default alphabet and UCS-2 need different data_coding values")
    coding, data = encode(
        text,
        "gsm7" if packed else default_alphabet,
        default_coding=default_coding,
        ucs2_coding=ucs2_coding,
    )
    alphabet = default_alphabet if coding == default_coding else "ucs2"
    shift = b""
    if languages and alphabet == "ucs2" and mode in ("udh8", "udh16") and default_alphabet.startswith("gsm7"):
        shifted = _fewer(text, mode, len(_pieces(data, mode, "ucs2", b"")), languages, packed)
        if shifted is not None:
            shift, data = shifted
            alphabet, coding = default_alphabet, default_coding
    if mode == "payload" and len(data) > _limits(alphabet, mode, b"")[0]:
        octets = _packed(data, 0) if alphabet == "gsm7-packed" else data
        if len(octets) > PAYLOAD_MAX:
            raise ValueError(f"the text has {len(octets)} octets, a message_payload holds {PAYLOAD_MAX}")
        return [Part(b"", 0, coding, ((int(Tag.MESSAGE_PAYLOAD), octets),))]
    pieces = _pieces(data, mode, alphabet, shift)
    if len(pieces) > MAX_PARTS:
        raise ValueError(f"the text needs {len(pieces)} parts, at most {MAX_PARTS} are possible")
    return [
        _part(piece, number, len(pieces), mode, reference, coding, alphabet, shift)
        for number, piece in enumerate(pieces, 1)
    ]


def _fewer(
    text: str, mode: Mode, parts: int, languages: tuple[int, ...], packed: bool
) -> tuple[bytes, bytes] | None:
    """Look for the shift tables with which a text needs fewer than ``parts`` parts: (elements, septets).

    Of several the one with the fewest parts, then the fewest septets; every pair of tables is tried, since a
    text may need the letters of one and the signs of the other.
    """
    best: tuple[tuple[int, int], bytes, bytes] | None = None
    for locking in (0, *languages):
        for single in (0, *languages):
            septets = shifted_or_none(text, locking, single) if locking or single else None
            if septets is None:
                continue
            shift = shift_elements(locking, single)
            count = len(_pieces(septets, mode, "gsm7-packed" if packed else "gsm7", shift))
            weight = (count, len(septets) + len(shift))
            if count < parts and (best is None or weight < best[0]):
                best = weight, shift, septets
    return None if best is None else best[1:]


def _limits(alphabet: str, mode: Mode, shift: bytes) -> tuple[int, int]:
    """Units of ``data`` (septets or octets) that a single message and one part hold."""
    alone = SINGLE_OCTETS - (len(shift) + 1 if shift else 0)
    room = SINGLE_OCTETS - _HEADER_OCTETS[mode] - len(shift)
    if alphabet in ("gsm7", "gsm7-packed"):
        return alone * 8 // 7, room * 8 // 7
    return alone, room & ~1 if alphabet == "ucs2" else room


def _pieces(data: bytes, mode: Mode, alphabet: str, shift: bytes) -> list[bytes]:
    """Cut the octets of a text: one piece if it fits a single message."""
    whole, room = _limits(alphabet, mode, shift)
    if len(data) <= whole:
        return [data]
    return _cut(data, room, alphabet, _HEADER_OCTETS[mode] + len(shift) if mode != "sar" else 0)


def _cut(data: bytes, room: int, alphabet: str, header: int) -> list[bytes]:
    pieces: list[bytes] = []
    start = 0
    while len(data) - start > room:
        end = start + room
        if alphabet in ("gsm7", "gsm7-packed"):
            # encode_gsm7 never doubles an escape, so the octet before tells all.
            while data[end - 1] == ESCAPE or (alphabet == "gsm7-packed" and _ambiguous(end - start, header)):
                end -= 1
        elif alphabet == "ucs2":
            if 0xD8 <= data[end - 2] <= 0xDB:
                end -= 2
        elif alphabet == "utf8":
            while data[end] & 0xC0 == 0x80:
                end -= 1
        pieces.append(data[start:end])
        start = end
    pieces.append(data[start:])
    return pieces


def _part(
    piece: bytes,
    number: int,
    total: int,
    mode: Mode,
    reference: int,
    coding: int,
    alphabet: str,
    shift: bytes,
) -> Part:
    elements = shift
    if total > 1 and mode == "udh16":
        elements = b"\x08\x04" + bytes((reference >> 8 & 0xFF, reference & 0xFF, total, number)) + shift
    elif total > 1 and mode == "udh8":
        elements = b"\x00\x03" + bytes((reference & 0xFF, total, number)) + shift
    header = bytes((len(elements),)) + elements if elements else b""
    if alphabet == "gsm7-packed":
        piece = _packed(piece, len(header))
    if header:
        return Part(header + piece, UDHI, coding)
    if total == 1:
        return Part(piece, 0, coding)
    tlvs = (
        (_SAR_REFERENCE, (reference & 0xFFFF).to_bytes(2, "big")),
        (_SAR_TOTAL, bytes((total,))),
        (_SAR_NUMBER, bytes((number,))),
    )
    return Part(piece, 0, coding, tlvs)


def _packed(septets: bytes, header: int) -> bytes:
    """Pack septets behind a header of so many octets."""
    if _ambiguous(len(septets), header):
        septets += b"\r"
    return pack(septets, fill=fill_bits(header), ussd=False)


def _ambiguous(septets: int, header: int) -> bool:
    """Whether seven bits are left over behind packed septets: the reader takes them for one more character.

    No part but the last is cut so; at the end of the text a CR fills them, which every reader leaves out.
    """
    return -(fill_bits(header) + septets * 7) % 8 == 7
