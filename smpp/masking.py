"""A PDU as a file may keep it: the same octets in the same places, without what nobody may read there.

Passwords become stars; of subscribers' numbers the ends stay; of texts the shape stays (`x` for a letter, `0`
for a digit, signs as they are), of receipts all but the text; TLVs that may say who somebody is become stars.
Lengths never change, so that what is kept can still be taken apart field by field. Pure.
"""

import re

from smpp.pdu.codec import SHOWN_TLVS
from smpp.pdu.layout import Kind, Place, places
from smpp.pdu.tlv import Tag
from smpp.pdu.wire import HEADER, HEADER_LENGTH
from smpp.text import alphabet_of
from smpp.udh import UDHI, read_udh

_SHAPE = bytes.maketrans(
    bytes(range(256)),
    bytes(
        0x30 if 0x30 <= octet <= 0x39
        else 0x58 if 0x41 <= octet <= 0x5A
        else 0x78 if 0x61 <= octet <= 0x7A or octet >= 0x80 or (octet < 0x20 and octet not in b"\n\r\x1b")
        else octet
        for octet in range(256)
    ),
)  # fmt: skip
_RECEIPT_TYPES = (0x04, 0x20)
_RECEIPT_TEXT = re.compile(rb"\btext:", re.IGNORECASE)
_SHORTEST_NUMBER = 7
_STAR = b"*"


def masked_pdu(pdu: bytes) -> bytes:
    """Mask a whole PDU, header included; behind a fault all is masked as text."""
    if len(pdu) <= HEADER_LENGTH:
        return pdu
    command_id = HEADER.unpack_from(pdu)[1]
    body = pdu[HEADER_LENGTH:]
    out = bytearray(body)
    found, fault = places(command_id, body)
    octet = {place.name: body[place.start] for place in found if place.kind is Kind.OCTET}
    esm_class, coding = octet.get("esm_class", 0), octet.get("data_coding", 0)
    for place in found:
        value = body[place.start : place.end]
        out[place.start : place.end] = _masked(place, value, esm_class, coding)
    if fault is not None:
        out[fault.offset :] = _shape(body[fault.offset :])
    return pdu[:HEADER_LENGTH] + bytes(out)


def _masked(place: Place, value: bytes, esm_class: int, coding: int) -> bytes:
    match place.kind:
        case Kind.SECRET:
            return _STAR * len(value)
        case Kind.ADDRESS:
            return _number(value)
        case Kind.TEXT:
            return _text(value, esm_class, coding)
        case Kind.STRAY:
            return _shape(value)
        case Kind.TAG if place.tag == Tag.MESSAGE_PAYLOAD:
            return _text(value, esm_class, coding)
        case Kind.TAG if place.tag not in SHOWN_TLVS:
            return _STAR * len(value)
    return value


def _number(value: bytes) -> bytes:
    """`79161234567` becomes `7916***4567`, whatever the length; short codes and names stay."""
    if len(value) < _SHORTEST_NUMBER or not any(0x30 <= octet <= 0x39 for octet in value):
        return value
    shown = 4 if len(value) > 10 else 0
    return value[:shown] + _STAR * (len(value) - shown - 4) + value[-4:]


def _text(value: bytes, esm_class: int, coding: int) -> bytes:
    if esm_class & 0x3C in _RECEIPT_TYPES and b"id:" in value.lower():
        cut = _RECEIPT_TEXT.search(value)
        kept = len(value) if cut is None else cut.end()
        return value[:kept] + _shape(value[kept:])
    header = read_udh(value) if esm_class & UDHI else None
    start = 0 if header is None else header.length
    if alphabet_of(coding) == "ucs2":
        return value[:start] + _wide_shape(value[start:])
    return value[:start] + _shape(value[start:])


def masked_octets(octets: bytes) -> bytes:
    """Mask octets of which nothing is known: letters and digits lose what they say."""
    return octets.translate(_SHAPE)


_shape = masked_octets


def _wide_shape(value: bytes) -> bytes:
    """UTF-16: Latin signs keep their shape, every other unit becomes `x`."""
    out = bytearray()
    for start in range(0, len(value) - 1, 2):
        high, low = value[start], value[start + 1]
        out += b"\0" + (_shape(bytes((low,))) if not high else b"x")
    return bytes(out) + (b"x" if len(value) % 2 else b"")
